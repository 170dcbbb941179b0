"""Tests of ltkit.models.losses.reduction."""

from __future__ import annotations

import pytest
import torch

from ltkit.models.losses import LDAMLoss, RIDELoss, WeightedSoftmaxLoss
from ltkit.models.losses.reduction import Reduction, check_reduction
from ltkit.testing.distributed import run_distributed
from ltkit.utils.errors import ConfigError

COUNTS = [3, 400, 30]


def test_kinds():
    losses, weights = torch.tensor([2.0, 4, 12]), torch.tensor([1.0, 1, 4])
    assert torch.equal(Reduction('none')(losses, weights), losses)
    assert Reduction('sum')(losses, weights) == 18
    assert Reduction()(losses) == 6
    assert Reduction()(losses, weights) == 3
    assert Reduction(avg_factor=9)(losses, weights) == 2
    assert Reduction(weight=torch.tensor([0.0, 0, 1]))(losses, weights) == 2


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_weights_of_one_give_the_plain_mean_to_the_last_bit(dtype):
    losses = torch.rand(1001, dtype=dtype).requires_grad_()
    plain, weighted = Reduction()(losses), Reduction()(losses, torch.ones_like(losses))
    assert torch.equal(plain, weighted)
    gradients = [torch.autograd.grad(value, losses)[0] for value in (plain, weighted)]
    assert torch.equal(gradients[0], gradients[1])
    assert torch.allclose(plain, losses.mean(), rtol=1e-6)


def test_has_gradients_of_any_order():
    losses = torch.rand(5, dtype=torch.float64).requires_grad_()
    weights = torch.rand(5, dtype=torch.float64)
    torch.autograd.gradgradcheck(lambda a: Reduction()(weights * a**3, weights), losses)


def test_unknown_kind():
    with pytest.raises(ConfigError, match="one of none, mean, sum, but is 'median'"):
        check_reduction('median')


def value_and_gradient(kind: str, rank: int, world_size: int):
    """Loss and gradient of a linear model on this rank's share of a batch of 8."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(8, 5, generator=generator, dtype=torch.float64)
    weight = torch.randn(2, 3, 5, generator=generator, dtype=torch.float64).requires_grad_()
    labels = torch.tensor([0, 1, 1, 1, 0, 1, 2, 1])  # the two shares weigh very differently
    drw = dict(begin=0)
    loss = {'weighted': lambda: WeightedSoftmaxLoss('inverse', class_counts=COUNTS),
            'ldam': lambda: LDAMLoss(scale=5, class_counts=COUNTS, drw=drw),
            'ride': lambda: RIDELoss(scale=5, class_counts=COUNTS, drw=drw)}[kind]()
    share = slice(rank, None, world_size)
    scores = features[share] @ weight.transpose(1, 2)
    value = loss(scores if kind == 'ride' else scores[0], labels[share])
    value.backward()
    return value.detach(), weight.grad


def on_one_rank(rank, world_size, kind):
    value, grad = value_and_gradient(kind, rank, world_size)
    return value.item(), grad.tolist()


@pytest.mark.parametrize('kind', ['weighted', 'ldam', 'ride'])
def test_two_processes_agree_with_one(kind):
    value, grad = value_and_gradient(kind, 0, 1)
    (value0, grad0), (value1, grad1) = run_distributed(on_one_rank, 2, kind)
    assert (value0 + value1) / 2 == pytest.approx(value.item(), 1e-12)
    mean = (torch.tensor(grad0, dtype=torch.float64) + torch.tensor(grad1, dtype=torch.float64)) / 2
    assert torch.allclose(mean, grad, atol=1e-12)


def in_evaluation(rank, world_size):
    loss = WeightedSoftmaxLoss('inverse', class_counts=COUNTS).eval()
    if rank == 0:  # alone: must not wait for the other process
        return loss(torch.zeros(2, 3), torch.tensor([0, 1])).item()
    return 0.0


def test_in_evaluation_a_process_reduces_alone():
    assert run_distributed(in_evaluation, 2)[0] == pytest.approx(torch.tensor(3.0).log().item())
