"""What ltkit promises of a classifier, the last layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..distribution_aware import DistributionAware
from ..models.fitted import Fitted
from ..utils.errors import DistributionError, LtkitError
from .conformance import CheckList, NotApplicable, Part, expect, raised_by
from .distributed import run_distributed
from .module_tools import (
    copies,
    expect_close,
    expect_finite,
    expect_follows_device,
    expect_no_graph_break,
    make_with_counts,
)

CHECKS = CheckList()
SAMPLES = 6


def make(part: Part, counted: bool = True, **overrides: Any) -> Any:
    """A fresh classifier, always with the same weights."""
    num_classes = overrides.get('num_classes', part.options.get('num_classes', 5))
    in_channels = overrides.pop('in_channels', part.options.get('in_channels', 8))
    overrides['num_classes'] = num_classes
    counts = [(num_classes - label)**2 for label in range(num_classes)] if counted else None
    torch.manual_seed(5)
    made = make_with_counts(part, counts, in_channels=in_channels, **overrides)
    if isinstance(made, Fitted):
        _fit(made, num_classes, in_channels)
    return made


def _fit(classifier: Fitted, num_classes: int, in_channels: int) -> None:
    """Fit it to features of every class."""
    labels = torch.arange(3 * num_classes) % num_classes
    features = torch.randn(len(labels), in_channels)
    for pass_index in range(classifier.fit_passes):
        classifier.begin_fit(pass_index)
        for batch in zip(features.split(num_classes + 1), labels.split(num_classes + 1)):
            classifier.fit(*batch)
        classifier.end_fit(pass_index, lambda tensor: tensor)


def data(part: Part, samples: int = SAMPLES) -> Tensor:
    """Features ``(N, d)``, float64."""
    generator = torch.Generator().manual_seed(7)
    return torch.randn(samples, part.options.get('in_channels', 8), generator=generator, dtype=torch.float64)


def gradients(classifier: Any, features: Tensor) -> dict[str, Tensor]:
    """Gradients of a loss with respect to the parameters that learn."""
    if not any(parameter.requires_grad for parameter in classifier.parameters()):
        raise NotApplicable('it has no parameter that learns')
    classifier.zero_grad()
    logits = classifier(features)
    target = torch.arange(len(features)) % logits.size(1)
    torch.nn.functional.cross_entropy(logits, target).backward()
    return {name: parameter.grad for name, parameter in classifier.named_parameters()
            if parameter.requires_grad}


@CHECKS.add
def shape(part: Part) -> None:
    """Features ``(N, d)`` give finite logits ``(N, C)``."""
    classifier, features = make(part).double(), data(part)
    logits = classifier(features)
    wanted = (SAMPLES, part.options.get('num_classes', 5))
    expect(logits.shape == wanted, f'logits must have shape {wanted}, but have {tuple(logits.shape)}')
    expect_finite(logits, 'a logit')


@CHECKS.add
def scale(part: Part) -> None:
    """``scale`` is a positive number, which margin losses read."""
    value = getattr(make(part), 'scale', None)
    expect(isinstance(value, (int, float)) and value > 0,
           f'scale must be a positive number, but is {value!r}')


@CHECKS.add
def gradient_is_right(part: Part) -> None:
    """The gradient with respect to the features is that of finite differences, in float64."""
    classifier = make(part).double()
    torch.autograd.gradcheck(classifier, data(part).requires_grad_())


@CHECKS.add
def gradient_reaches_every_parameter(part: Part) -> None:
    """No parameter that asks for a gradient is left without."""
    found = gradients(make(part).double(), data(part))
    idle = [name for name, gradient in found.items() if gradient is None or not gradient.abs().sum() > 0]
    expect(not idle, f'no gradient for {", ".join(idle)}; a buffer, or requires_grad=False, says so')


@CHECKS.add
def samples_are_independent(part: Part) -> None:
    """The logits of a sample do not depend on the rest of the batch."""
    classifier, features = make(part).double(), data(part)
    for mode in (True, False):
        classifier.train(mode)
        together = classifier(features)
        alone = torch.cat([classifier(row) for row in features.split(1)])
        expect_close(together, alone, f'logits of a batch and of single samples (training={mode})')


@CHECKS.add
def dtypes(part: Part) -> None:
    """In float32 and float64 the logits keep the dtype and agree."""
    features, want = data(part), make(part).double()(data(part))
    for dtype in (torch.float32, torch.float64):
        logits = make(part).to(dtype)(features.to(dtype))
        expect(logits.dtype == dtype, f'logits of {dtype} features are {logits.dtype}')
        expect_close(logits, want, f'logits in {dtype} and float64', 1e-4)


@CHECKS.add
def autocast(part: Part) -> None:
    """Under autocast the logits are finite and near those of float32."""
    classifier, features = make(part), data(part).float()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        logits = classifier(features)
    want = make(part)(features)
    size = max(1.0, want.abs().max().item())
    expect_close(logits.float() / size, want / size, 'logits under autocast and without', 0.02)


@CHECKS.add
def extreme_features(part: Part) -> None:
    """A feature of zeros, or a very long one, gives finite logits and gradients."""
    for factor in (0.0, 1e6):
        classifier = make(part)
        features = (factor * data(part)).float().requires_grad_()
        logits = classifier(features)
        logits.sum().backward()
        expect_finite(logits, f'a logit of features times {factor:g}')
        expect_finite(features.grad, f'the gradient of features times {factor:g}')


@CHECKS.add
def empty_batch(part: Part) -> None:
    """No sample gives no logits, not an error."""
    logits = make(part).eval().double()(data(part)[:0])
    expect(logits.shape == (0, part.options.get('num_classes', 5)),
           f'no sample gives logits of shape {tuple(logits.shape)}')


@CHECKS.add
def one_class(part: Part) -> None:
    """One class, and one channel, are sizes as any other."""
    logits = make(part, num_classes=1, in_channels=1)(torch.ones(3, 1))
    expect(logits.shape == (3, 1), f'shape {tuple(logits.shape)}, not (3, 1)')
    expect_finite(logits, 'the logit of one class')


@CHECKS.add
def wrong_sizes(part: Part) -> None:
    """Sizes that are not whole numbers above 0 are refused in words."""
    for sizes in (dict(num_classes=0), dict(num_classes=-3), dict(in_channels=0)):
        error = raised_by(lambda sizes=sizes: part.make(**{'num_classes': 5, 'in_channels': 8, **sizes}))
        (name, value), = sizes.items()
        expect(isinstance(error, LtkitError) and name in str(error),
               f'{name}={value} must raise an error of ltkit that names it, but gives '
               f'{type(error).__name__ if error else "a classifier"}')


@CHECKS.add
def evaluation_is_deterministic(part: Part) -> None:
    """In evaluation the same features give the same logits, and nothing changes."""
    classifier, features = make(part).double().eval(), data(part)
    state = {name: value.clone() for name, value in classifier.state_dict().items()}
    first, second = classifier(features), classifier(features)
    expect(torch.equal(first, second), 'two evaluations of the same features differ')
    changed = [name for name, value in classifier.state_dict().items() if not torch.equal(value, state[name])]
    expect(not changed, f'evaluation changes {", ".join(changed)}')


@CHECKS.add
def seeded_weights(part: Part) -> None:
    """The seed decides the initial weights."""
    states = [make(part).state_dict() for _ in range(2)]
    for name, value in states[0].items():
        expect(torch.equal(value, states[1][name]), f'{name} differs between two builds after the same seed')


@CHECKS.add
def input_unchanged(part: Part) -> None:
    """The features are not written to."""
    features = data(part)
    make(part).double()(features)
    expect(torch.equal(features, data(part)), 'the classifier writes to its input')


@CHECKS.add
def state_dict_round_trip(part: Part) -> None:
    """The state of one, loaded into another, makes the same logits."""
    classifier, features = make(part).double().eval(), data(part)
    with torch.no_grad():
        for parameter in classifier.parameters():
            parameter.add_(0.1)
    other = make(part, counted=False).double().eval()
    other.load_state_dict(classifier.state_dict())
    expect_close(other(features), classifier(features), 'logits after and before the state dict')


@CHECKS.add
def config_round_trip(part: Part) -> None:
    """Built by its registered name it is the same classifier; its repr names it."""
    built = part.make_by_config(num_classes=part.options.get('num_classes', 5),
                                in_channels=part.options.get('in_channels', 8))
    wanted = type(make(part))
    expect(type(built) is wanted, f'the config builds a {type(built).__name__}, not a {wanted.__name__}')
    expect(type(built).__name__ in repr(built), f'repr does not name {type(built).__name__}: {built!r}')


@CHECKS.add
def copies_are_equal(part: Part) -> None:
    """Deep copies and pickles make the same logits."""
    classifier, features = make(part).double().eval(), data(part)
    for other in copies(classifier):
        expect_close(other(features), classifier(features), 'logits of a copy and of the original')


@CHECKS.add
def compiles(part: Part) -> None:
    """``torch.compile`` needs no graph break."""
    classifier, features = make(part).eval(), data(part).float()
    expect_no_graph_break(classifier, lambda compiled: compiled(features), classifier(features))


@CHECKS.add
def follows_the_device(part: Part) -> None:
    """On an accelerator all of it is computed there, without waiting for a value."""
    size = data(part).shape
    expect_follows_device(lambda: make(part), lambda module, device: module(torch.randn(size, device=device)))


@CHECKS.add
def missing_counts(part: Part) -> None:
    """Without class counts it works, or says which part needs them."""
    classifier = make(part, counted=False)
    if not isinstance(classifier, DistributionAware):
        raise NotApplicable('it takes no class counts')
    error = raised_by(lambda: classifier.double()(data(part)))
    expect(error is None or (isinstance(error, DistributionError) and part.name in str(error)),
           f'without class counts it must raise DistributionError that names {part.name}, but raises '
           f'{type(error).__name__}: {error}')


@CHECKS.add
def two_processes(part: Part) -> None:
    """Two processes with half a batch each, gradients averaged, are one with the whole."""
    want = gradients(make(part).double(), data(part))
    results = run_distributed(_half_batch, 2, part)
    for name, gradient in want.items():
        mean = sum(torch.as_tensor(result[name]) for result in results) / 2
        expect_close(mean, gradient, f'gradient of {name} over two processes and in one')


def _half_batch(rank: int, world_size: int, part: Part) -> dict[str, Any]:
    classifier, features = make(part).double(), data(part)
    target = (torch.arange(SAMPLES) % classifier(features).size(1))[rank::world_size]
    torch.nn.functional.cross_entropy(classifier(features[rank::world_size]), target).backward()
    return {name: parameter.grad.numpy() for name, parameter in classifier.named_parameters()
            if parameter.requires_grad}
