"""Tests of weights: those of the same model, and what a stage takes from an earlier one."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ltkit.distribution_aware import DistributionAware
from ltkit.models.classifiers import DualHeadClassifier, LinearClassifier
from ltkit.models.losses import ClassDifficultyBalancedLoss
from ltkit.utils.errors import CheckpointError, ConfigError
from ltkit.utils.weights import compare_weights, hand_over_weights, load_weights


def _one_line(error: pytest.ExceptionInfo, *words: str) -> None:
    message = str(error.value)
    assert '\n' not in message
    for word in words:
        assert word in message


def _bn_model(width: int = 4) -> nn.Module:
    return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width))


class Counting(DistributionAware, nn.Module):
    def __init__(self, counts=None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.init_class_counts(counts)


def test_weights_are_loaded_whatever_the_wrapper():
    source, target = _bn_model(), _bn_model()
    state = {f'module._orig_mod.{key}': value for key, value in source.state_dict().items()}
    load_weights(target, dict(state_dict=state), 'a.pth')
    load_weights(_bn_model(), state, 'a.pth')  # a bare state dict
    for key, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[key], value)


@pytest.mark.parametrize('change, words', [
    (lambda s: s.update({'0.weight': torch.zeros(5, 3)}),
     ('1 of another shape', '(5, 3)', '(4, 3)', '0.weight')),
    (lambda s: s.pop('1.bias'), ('1 of the model are not in the file', '1.bias')),
    (lambda s: s.update(extra=torch.zeros(1)), ('1 of the file are not in the model', 'extra')),
    (lambda s: s.update({'0.weight': 'text'}), ('1 of another shape', 'a str')),
])
def test_strict_names_the_difference(change, words):
    model = _bn_model()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state = _bn_model().state_dict()
    change(state)
    with pytest.raises(CheckpointError) as error:
        load_weights(model, dict(state_dict=state), 'some.pth')
    _one_line(error, 'some.pth is of another model', *words)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_not_strict_leaves_out_what_differs():
    model, state = _bn_model(), _bn_model().state_dict()
    state['0.weight'] = torch.zeros(5, 3)
    load_weights(model, dict(state_dict=state), 'some.pth', strict=False)
    assert torch.equal(model[0].bias, state['0.bias'])


@pytest.mark.parametrize('state', [5, [1, 2], 'weights'])
def test_a_state_that_is_no_dict_is_named(state):
    with pytest.raises(CheckpointError, match=rf'^x\.pth has no weights: its state_dict is a {type(state).__name__}$'):
        load_weights(torch.nn.Linear(1, 1), dict(state_dict=state), 'x.pth')
    with pytest.raises(CheckpointError, match=r'^x\.pth is of another model'):
        load_weights(torch.nn.Linear(1, 1), {0: torch.zeros(1)}, 'x.pth')


@pytest.mark.parametrize('state', [
    {'backbone.weight': torch.zeros(2)},
    {'epoch': 3, 'net': {'0.weight': torch.zeros(2)}},
    {'0.weight': torch.zeros(9)},
    {'1.num_batches_tracked': torch.tensor(1)},
])
def test_nothing_in_common_is_an_error_even_if_not_strict(state):
    with pytest.raises(CheckpointError, match='another model'):
        load_weights(_bn_model(), state, 'some.pth', strict=False)


@pytest.mark.parametrize('own, stored, after', [
    (None, [3, 1], [3, 1]),
    ([5, 4], None, [5, 4]),
    (None, None, []),
])
def test_class_counts_may_be_known_on_one_side(own, stored, after):
    model, source = Counting(), Counting()
    for part, counts in ((model, own), (source, stored)):
        if counts is not None:
            part.set_class_distribution(counts)
    load_weights(model, dict(state_dict=source.state_dict()), 'some.pth')
    assert model.class_counts.tolist() == after
    without = {key: value for key, value in source.state_dict().items() if key != 'class_counts'}
    load_weights(model, without, 'some.pth')
    assert model.class_counts.tolist() == after


@pytest.mark.parametrize('strict', [True, False])
def test_difficulties_of_classes_fill_those_that_are_not_known(strict):
    source, fresh = ClassDifficultyBalancedLoss(), ClassDifficultyBalancedLoss()
    source.set_difficulty([0.5, 0.25])
    load_weights(fresh, source.state_dict(), 'some.pth', strict=strict)
    assert fresh.difficulty.tolist() == [0.5, 0.25]
    with pytest.raises(CheckpointError, match=r'difficulty is \(2,\) in the file and \(3,\) in the model'):
        load_weights(ClassDifficultyBalancedLoss(class_counts=[1, 1, 1]), source.state_dict(), 'some.pth')


# ---------------------------------------------------------------- hand-over
class Staged(nn.Module):
    """A backbone and a head, as a stage of decoupled training has them."""

    def __init__(self, width: int = 3, classes: int = 4, scales: bool = False, backbone: str = 'backbone') -> None:
        super().__init__()
        setattr(self, backbone, nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width)))
        self.head = nn.Linear(width, classes)
        if scales:
            self.scales = nn.Parameter(torch.ones(classes))


def test_hand_over_by_name_tells_what_it_did():
    torch.manual_seed(0)
    first, second = Staged(), Staged(scales=True)
    drawn = second.head.weight.clone()
    handed = hand_over_weights(second, dict(state_dict=first.state_dict()), 'stage1.pth', ['head'],
                               ['backbone.0.weight'])
    assert torch.equal(second.backbone[0].weight, first.backbone[0].weight)
    assert torch.equal(second.backbone[1].running_var, first.backbone[1].running_var)
    assert torch.equal(second.head.weight, drawn) and not torch.equal(second.head.weight, first.head.weight)
    assert set(handed.loaded) == {f'backbone.{name}' for name in first.backbone.state_dict()} - {
        'backbone.1.num_batches_tracked'}
    assert handed.left_out == {'head.weight': (4, 3), 'head.bias': (4, )}
    assert handed.newly_made == {'scales': (4, ), 'head.weight': (4, 3), 'head.bias': (4, )}
    report = handed.report()
    for words in ('from stage1.pth: 6 tensors loaded (backbone 6)', 'left out of it: head.weight (4, 3)',
                  'newly made: scales (4,)'):
        assert words in report


def test_what_a_module_makes_of_the_weights_is_not_new():
    """The calibrated and the original classifier of SimCal are one in the stage before."""
    first = nn.ModuleDict(dict(classifier=LinearClassifier(4, 3)))
    second = nn.ModuleDict(dict(classifier=DualHeadClassifier(4, 3)))
    handed = hand_over_weights(second, first.state_dict(), 'stage1.pth')
    assert torch.equal(second['classifier'].original_weight, first['classifier'].weight)
    assert not handed.newly_made and {'classifier.weight', 'classifier.original_weight'} <= set(handed.loaded)
    handed = hand_over_weights(second, first.state_dict(), 'stage1.pth', ['classifier.weight'])
    assert set(handed.newly_made) == {'classifier.weight', 'classifier.original_weight'}


def test_hand_over_of_everything_has_nothing_to_add():
    first = Staged()
    handed = compare_weights(Staged(), first.state_dict(), 'stage1.pth')
    assert not handed.left_out and not handed.newly_made and handed.report().count('\n') == 0


def test_hand_over_from_another_width_is_an_error():
    with pytest.raises(CheckpointError) as error:
        compare_weights(Staged(), Staged(width=5).state_dict(), 'wide.pth')
    _one_line(error, 'wide.pth does not fit: backbone.0.weight is (5, 2) there and (3, 2) in the model', 'same width')


def test_hand_over_to_other_classes_needs_a_new_head():
    first = Staged(classes=7)
    with pytest.raises(CheckpointError, match=r'head.weight is \(7, 3\) there and \(4, 3\).*reinitialize'):
        compare_weights(Staged(), first.state_dict(), 'a.pth')
    handed = compare_weights(Staged(), first.state_dict(), 'a.pth', ['head'])
    assert set(handed.left_out) == {'head.weight', 'head.bias'}


def test_hand_over_in_which_nothing_matches_is_an_error():
    with pytest.raises(CheckpointError) as error:
        compare_weights(nn.Sequential(nn.Linear(2, 3)), Staged(backbone='trunk').state_dict(), 'a.pth')
    _one_line(error, 'nothing of a.pth can be handed over: its weights are of trunk, head, those of the model of 0')
    with pytest.raises(CheckpointError, match='all of which reinitialize makes anew'):
        compare_weights(Staged(), Staged().state_dict(), 'a.pth', ['*'])


@pytest.mark.parametrize('name', ['backbone.0.bias', 'backbone.1.running_var'])
@pytest.mark.parametrize('reinitialize,hint', [([], 'leave it out of frozen$'),
                                               (['backbone'], 'out of frozen or of reinitialize')])
def test_what_is_frozen_must_be_handed_over(name, reinitialize, hint):
    state = Staged().state_dict()
    if not reinitialize:
        state.pop(name)
    with pytest.raises(CheckpointError, match=rf'^{name} is frozen, but not handed over from a.pth.*{hint}'):
        compare_weights(Staged(), state, 'a.pth', reinitialize, [name])


def test_a_part_to_reinitialize_must_be_there():
    with pytest.raises(ConfigError, match=r"reinitialize: 'hed' matches no weight of the model.*head"):
        compare_weights(Staged(), Staged().state_dict(), 'a.pth', ['hed'])
