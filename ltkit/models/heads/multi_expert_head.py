"""The head of several experts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ltkit.registry import HEADS
from ltkit.utils.errors import ConfigError

from .long_tail_cls_head import LongTailClsHead, class_vectors_of


@HEADS.register_module()
class MultiExpertHead(LongTailClsHead):
    r"""One classifier an expert, one loss over all of them.

    The prediction is the mean of the experts' logits, :math:`\bar z = \frac 1 E
    \sum_e z^{(e)}`. Source: Wang et al., *RIDE*, ICLR 2021, arXiv 2010.01809.

    Args:
        num_experts (int): E, that of the backbone.
        num_classes (int): C.
        in_channels (int): Channels d of each expert's features.
        classifier (dict, optional): Of each expert. Defaults to
            ``dict(type='LinearClassifier')``.
        loss (dict or nn.Module, optional): A multi-expert loss (its attribute
            ``score_dims`` is ``('E', 'N', 'C')``) is called with logits ``(E, N,
            C)``; any other is computed for each expert alone, and the experts'
            losses are added. One whose ``needs_features`` is True gets
            ``features`` as well, ``(E, N, d)`` or those of the expert. Defaults
            to ``dict(type='RIDELoss')``.
        **kwargs: As for :class:`LongTailClsHead`. A regulariser is called for
            each expert, and its mean over the experts is added; of one whose
            ``per_expert`` is True each expert has its own, and their sum is added.
            Post-hoc rules act on the mean logits.

    Raises:
        ConfigError: ``num_experts`` is not a number from 1 on, or a part
            contradicts the head.
    """

    def __init__(self,
                 num_experts: int,
                 num_classes: int,
                 in_channels: int,
                 classifier: dict | None = None,
                 loss: dict | nn.Module | None = None,
                 **kwargs: Any) -> None:
        if not isinstance(num_experts, int) or num_experts < 1:
            raise ConfigError(f'head.num_experts must be a whole number from 1 on, but is {num_experts!r}')
        self.num_experts = num_experts  # read while the parts are built
        loss = dict(type='RIDELoss') if loss is None else loss
        super().__init__(num_classes, in_channels, classifier, loss, **kwargs)

    def init_classifier(self, classifier: dict | nn.Module) -> None:
        """Make ``self.classifiers``, one an expert."""
        if isinstance(classifier, nn.Module):
            raise ConfigError('MultiExpertHead builds one classifier an expert; give classifier as a config')
        self.classifiers = nn.ModuleList(self.build_classifier(classifier) for _ in range(self.num_experts))

    def build_regularizer(self, part: dict | nn.Module) -> nn.Module:
        """Build one regulariser, or one an expert; see :meth:`LongTailClsHead.build_regularizer`.

        Raises:
            ConfigError: One an expert is wanted of a regulariser that is built already.
        """
        built = super().build_regularizer(part)
        if not getattr(built, 'per_expert', False):
            return built
        if isinstance(part, nn.Module):
            raise ConfigError(f'MultiExpertHead builds one {type(part).__name__} an expert; give it as a config')
        return nn.ModuleList([built, *(super(MultiExpertHead, self).build_regularizer(part)
                                       for _ in range(self.num_experts - 1))])

    @property
    def logit_scale(self) -> float | None:
        """The ``scale`` of the classifiers' logits, if they tell it."""
        return getattr(self.classifiers[0], 'scale', None)

    def class_vectors(self) -> Tensor | None:
        """The rows of all classifiers, one beside the other, shape ``(C, E d)``; None if one has none."""
        rows = [class_vectors_of(classifier) for classifier in self.classifiers]
        return None if any(each is None for each in rows) else torch.cat(rows, dim=1)

    def pre_logits(self, feats: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The features that each expert's classifier sees, ``(N, d)`` each.

        Raises:
            ConfigError: They are not E, or not of ``in_channels``.
        """
        if len(feats) != self.num_experts:
            raise ConfigError(
                f'head.num_experts is {self.num_experts}, but the backbone gives {len(feats)} features; set '
                f'num_experts={len(feats)}')
        return tuple(self.check_features(x) for x in feats)

    def expert_logits(self, features: Sequence[Tensor]) -> Tensor:
        """Features, ``(N, d)`` an expert, to logits ``(E, N, C)``."""
        return torch.stack([classifier(x) for classifier, x in zip(self.classifiers, features)])

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Features to the logits of each expert, shape ``(E, N, C)``."""
        return self.expert_logits(self.pre_logits(feats))

    def loss(self, feats: Sequence[Tensor], data_samples: Sequence[Any], **kwargs: Any) -> dict[str, Tensor]:
        """The loss terms of a batch; see :meth:`LongTailClsHead.loss`."""
        features = self.pre_logits(feats)
        logits = self.expert_logits(features)
        target = self.gather_targets(data_samples, logits)
        if getattr(self.loss_module, 'needs_features', False):
            kwargs['features'] = torch.stack(features)
        losses = dict(loss=self.compute_loss(logits, target, **kwargs))
        for name, part in self.regularizers.items():
            if not getattr(part, 'has_penalty', True):
                continue
            own = isinstance(part, nn.ModuleList)
            parts = part if own else [part] * self.num_experts
            values = torch.stack([one(features=x, logits=z, target=target)
                                  for one, x, z in zip(parts, features, logits)])
            losses[f'loss_{name}'] = values.sum() if own else values.mean()
        losses.update(self.training_accuracy(logits.mean(0), target))
        return losses

    def compute_loss(self, logits: Tensor, target: Tensor, **kwargs: Any) -> Tensor:
        """Call a multi-expert loss once, any other once an expert; logits ``(E, N, C)``."""
        if len(getattr(self.loss_module, 'score_dims', ())) == 3:
            return super().compute_loss(logits, target, **kwargs)
        if 'features' not in kwargs:
            return sum(super(MultiExpertHead, self).compute_loss(z, target, **kwargs) for z in logits)
        features = kwargs.pop('features')
        return sum(super(MultiExpertHead, self).compute_loss(z, target, features=x, **kwargs)
                   for z, x in zip(logits, features))

    def predict_logits(self, feats: Sequence[Tensor]) -> Tensor:
        """Mean logits of the experts ``(N, C)`` after the post-hoc rules."""
        return self.apply_posthoc(self(feats).mean(0))
