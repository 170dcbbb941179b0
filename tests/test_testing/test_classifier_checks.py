"""Each check of a classifier is failed by a classifier that breaks that promise."""

from __future__ import annotations

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

from ltkit.distribution_aware import DistributionAware
from ltkit.testing import ConformanceError, check_classifier, checks_of
from ltkit.testing.conformance import Check, Part
from ltkit.utils.errors import ConfigError

WRONG: dict[str, type] = {}


def fails(name):
    def keep(cls):
        WRONG[name] = cls
        return cls
    return keep


class Good(DistributionAware, nn.Linear):
    """A linear layer with the log prior as a fixed offset."""

    scale = 1.0

    def __init__(self, num_classes, in_channels, class_counts=None):
        for name, value in dict(num_classes=num_classes, in_channels=in_channels).items():
            if value < 1:
                raise ConfigError(f'{name} must be above 0, but is {value}')
        super().__init__(in_channels, num_classes)
        self.init_class_counts(class_counts)

    def forward(self, features):
        logits = super().forward(features)
        return logits + self.log_prior_for(logits)


@fails('shape')
class Transposed(Good):
    def forward(self, features):
        return super().forward(features).T


@fails('scale')
class NoScale(Good):
    scale = None


@fails('gradient_is_right')
class Detached(Good):
    def forward(self, features):
        return super().forward(features) * features.detach().norm(dim=1, keepdim=True)


@fails('gradient_reaches_every_parameter')
class IdleParameter(Good):
    def __init__(self, num_classes, in_channels, **kwargs):
        super().__init__(num_classes, in_channels, **kwargs)
        self.idle = nn.Parameter(torch.zeros(1))


@fails('samples_are_independent')
class Centred(Good):
    def forward(self, features):
        return super().forward(features - features.mean(0))


@fails('dtypes')
class AlwaysDouble(Good):
    def forward(self, features):
        return super().forward(features).double()


@fails('autocast')
class Overflows(Good):
    def forward(self, features):
        logits = F.linear(features, self.weight, self.bias)
        return logits * 1e39 if logits.dtype == torch.bfloat16 else logits


@fails('extreme_features')
class NaiveCosine(Good):
    def forward(self, features):
        return super().forward(features / features.norm(dim=1, keepdim=True))


@fails('empty_batch')
class NeedsASample(Good):
    def forward(self, features):
        return super().forward(features / features.max().clamp(min=1e9) * 1e9)


@fails('one_class')
class Squeezes(Good):
    def forward(self, features):
        return super().forward(features).squeeze()


@fails('wrong_sizes')
class Unchecked(nn.Linear):
    def __init__(self, num_classes, in_channels):
        super().__init__(in_channels, num_classes)


@fails('evaluation_is_deterministic')
class Dropout(Good):
    def forward(self, features):
        return super().forward(F.dropout(features))


@fails('seeded_weights')
class OwnSeed(Good):
    def __init__(self, num_classes, in_channels, **kwargs):
        super().__init__(num_classes, in_channels, **kwargs)
        generator = torch.Generator()
        generator.seed()
        self.weight.data.normal_(generator=generator)


@fails('input_unchanged')
class InPlace(Good):
    def forward(self, features):
        with torch.no_grad():
            features -= features.mean()
        return super().forward(features)


@fails('state_dict_round_trip')
class PlainAttribute(Good):
    def on_class_counts(self):
        self.offset = torch.zeros(1)

    def __init__(self, num_classes, in_channels, class_counts=None):
        super().__init__(num_classes, in_channels)
        self.offset = torch.ones(1) if class_counts else torch.zeros(1)

    def forward(self, features):
        return F.linear(features, self.weight, self.bias) + self.offset


@fails('config_round_trip')
class Nameless(Good):
    def __repr__(self):
        return 'classifier()'


@fails('copies_are_equal')
class HoldsALambda(Good):
    def __init__(self, num_classes, in_channels, **kwargs):
        super().__init__(num_classes, in_channels, **kwargs)
        self.function = lambda x: x


@fails('compiles')
class ReadsAValue(Good):
    def forward(self, features):
        if features.sum().item() > 1e30:
            print('large')
        return super().forward(features)


@fails('follows_the_device')
class OnTheCPU(Good):
    def forward(self, features):
        return super().forward(features) + torch.zeros(1, device='cpu').expand(features.size(0), 1)


@fails('missing_counts')
class AssumesCounts(Good):
    def forward(self, features):
        return F.linear(features, self.weight, self.bias) + self.class_counts


@fails('two_processes')
class DependsOnTheRank(Good):
    def forward(self, features):
        world_size = dist.get_world_size() if dist.is_initialized() else 1
        return super().forward(features) * world_size


def test_a_good_classifier_passes():
    assert set(check_classifier(dict(type=Good)).values()) == {'passed'}


def test_each_check_can_fail():
    assert set(WRONG) == set(checks_of('classifier'))


@pytest.mark.parametrize('name', WRONG)
def test_wrong_classifier_is_caught(name):
    check = Check(name, checks_of('classifier')[name], Part('classifier', dict(type=WRONG[name])))
    with pytest.raises(ConformanceError):
        check()
