"""What the tests of the classifiers share."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

SAMPLES, CLASSES, CHANNELS = 9, 5, 7


@pytest.fixture
def features() -> Tensor:
    """Float64, shape ``(9, 7)``."""
    return 2 * torch.randn(SAMPLES, CHANNELS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def drawn() -> Callable[[nn.Module], nn.Module]:
    """Makes a classifier float64 and draws all its parameters anew."""

    def draw(classifier: nn.Module) -> nn.Module:
        generator = torch.Generator().manual_seed(1)
        classifier.double()
        with torch.no_grad():
            for parameter in classifier.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
        return classifier

    return draw


@pytest.fixture
def same() -> Callable[..., None]:
    """Checks that a classifier and an equation of its parameters by name agree in value and in every gradient.

    The equation gets the features and a namespace of the parameters (with ``_`` for the dots), and gives logits.
    """

    def check(classifier: nn.Module, equation: Callable[[Tensor, SimpleNamespace], Tensor], features: Tensor,
              tolerance: float = 1e-10) -> None:
        parameters = {name: value for name, value in classifier.named_parameters() if value.requires_grad}
        every = {name.replace('.', '_'): value for name, value in classifier.named_parameters()}
        factors = torch.randn(len(features), CLASSES, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        found = []
        for logits_of in (classifier, lambda x: equation(x, SimpleNamespace(**every))):
            leaf = features.clone().requires_grad_()
            logits = logits_of(leaf)
            found.append([logits, *torch.autograd.grad((logits * factors).sum(), [leaf, *parameters.values()])])
        for name, value, expected in zip(['logits', 'features', *parameters], *found):
            assert value.shape == expected.shape, name
            assert expected.abs().max() > 1e-3, f'{name}: nothing is compared'
            assert (value - expected).abs().max() <= tolerance, name

    return check
