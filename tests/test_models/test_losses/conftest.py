"""Input that the tests of the losses share."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

NUM_CLASSES, NUM_SAMPLES, NUM_EXPERTS = 7, 12, 3


@pytest.fixture
def case() -> SimpleNamespace:
    """Counts from 500 to 5 in no order, float64 logits, labels and soft labels."""
    generator = torch.Generator().manual_seed(0)
    profile = [int(500 * 0.01**(c / (NUM_CLASSES - 1))) for c in range(NUM_CLASSES)]
    counts = [profile[c] for c in torch.randperm(NUM_CLASSES, generator=generator)]
    draw = dict(generator=generator, dtype=torch.float64)
    experts = 3 * torch.randn(NUM_EXPERTS, NUM_SAMPLES, NUM_CLASSES, **draw)
    return SimpleNamespace(
        counts=counts,
        logits=experts[0],
        experts=experts,
        labels=torch.randint(NUM_CLASSES, (NUM_SAMPLES, ), generator=generator),
        soft=torch.rand(NUM_SAMPLES, NUM_CLASSES, **draw).softmax(1))


@pytest.fixture
def same() -> Callable[..., None]:
    """Checks that two functions of logits agree in value and gradient."""

    def check(loss: Callable[[Tensor], Tensor],
              reference: Callable[[Tensor], Tensor],
              logits: Tensor,
              tolerance: float = 1e-10) -> None:
        results = []
        for function in (loss, reference):
            leaf = logits.clone().requires_grad_()
            value = function(leaf)
            value.backward()
            results.append((value.detach(), leaf.grad))
        (value, grad), (expected, expected_grad) = results
        assert abs(value - expected) <= tolerance * max(1, abs(expected)), (value, expected)
        assert expected_grad.abs().max() > 1e-6
        assert (grad - expected_grad).abs().max() <= tolerance

    return check
