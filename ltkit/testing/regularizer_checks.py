"""What ltkit promises of a regulariser, a term of features, logits and labels."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..utils.errors import LtkitError
from .conformance import CheckList, NotApplicable, Part, expect, raised_by
from .module_tools import (
    copies,
    expect_close,
    expect_finite,
    expect_follows_device,
    expect_missing_counts,
    expect_no_graph_break,
    make_with_counts,
)

CHECKS = CheckList()
COUNTS = (50, 20, 8, 3, 1)
SAMPLES = 12
FEATURES = 6
Batch = tuple[Tensor, Tensor, Tensor]


def make(part: Part, counts: Any = COUNTS, **overrides: Any) -> Any:
    """A fresh regulariser with class counts, always with the same weights."""
    torch.manual_seed(5)
    return with_head(make_with_counts(part, counts, **overrides))


def with_head(regularizer: Any) -> Any:
    """The regulariser in a head with a linear classifier, if it looks at its head."""
    if hasattr(regularizer, 'set_head'):
        torch.manual_seed(6)
        head = torch.nn.Module()
        head.classifier = torch.nn.Linear(FEATURES, len(COUNTS))
        regularizer.set_head(head)
    return regularizer


def data(part: Part, samples: int = SAMPLES) -> Batch:
    """Features ``(N, d)`` and logits ``(N, C)``, float64, and labels ``(N,)`` of all classes."""
    draw: dict[str, Any] = dict(generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    features = torch.randn(samples, FEATURES, **draw)
    return features, 2 * torch.randn(samples, len(COUNTS), **draw), torch.arange(samples) % len(COUNTS)


def call(regularizer: Any, features: Tensor, logits: Tensor, target: Tensor) -> Tensor:
    """The term, called as a head does, its own randomness fixed."""
    torch.manual_seed(3)
    return regularizer(features=features, logits=logits, target=target)


def value_and_gradients(regularizer: Any, features: Tensor, logits: Tensor, target: Tensor) -> Batch:
    """The term, and its gradients with respect to features and logits; 0 for one that it does not read."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in (features, logits)]
    value = call(regularizer, *leaves, target)
    gradients = torch.autograd.grad(value, leaves, allow_unused=True)
    found = [torch.zeros_like(leaf) if one is None else one for one, leaf in zip(gradients, leaves)]
    return value.detach(), found[0], found[1]


def expect_all_finite(results: Batch, where: str) -> None:
    """Value and gradients are finite."""
    for tensor, what in zip(results, ('term', 'gradient of the features', 'gradient of the logits')):
        expect_finite(tensor, f'the {what} {where}')


@CHECKS.add
def finite_scalar(part: Part) -> None:
    """The term of ordinary features and logits is one finite number."""
    value = call(make(part), *data(part))
    expect(value.shape == (), f'the term must be a scalar, but has shape {tuple(value.shape)}')
    expect_finite(value, 'the term')


@CHECKS.add
def gradient_is_right(part: Part) -> None:
    """The gradients with respect to features and logits are those of finite differences, in float64."""
    features, logits, target = data(part)
    regularizer = make(part)
    torch.autograd.gradcheck(lambda x, z: call(regularizer, x, z, target),
                             (features.requires_grad_(), logits.requires_grad_()))


@CHECKS.add
def gradient_reaches_the_model(part: Part) -> None:
    """The features or the logits get a gradient."""
    _, of_features, of_logits = value_and_gradients(make(part), *data(part))
    expect(of_features.any() or of_logits.any(), 'neither the features nor the logits get a gradient')


@CHECKS.add
def permutation_of_samples(part: Part) -> None:
    """The order of the batch does not matter."""
    batch = data(part)
    order = torch.randperm(SAMPLES, generator=torch.Generator().manual_seed(1))
    expect_close(call(make(part), *(tensor[order] for tensor in batch)), call(make(part), *batch),
                 'term of the shuffled and of the given batch')


@CHECKS.add
def permutation_of_classes(part: Part) -> None:
    """Renumbering the classes, in logits, labels and counts, changes nothing."""
    features, logits, target = data(part)
    order = torch.tensor([3, 0, 4, 1, 2])
    counts = [COUNTS[c] for c in order]
    expect_close(call(make(part, counts), features, logits[:, order], order.argsort()[target]),
                 call(make(part), features, logits, target), 'term of renumbered and of given classes')


@CHECKS.add
def dtypes(part: Part) -> None:
    """Features and logits of any float type: computed in float32 at least, float64 kept."""
    features, logits, target = data(part)
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-4), (torch.float16, 1e-4),
                             (torch.bfloat16, 1e-4)):
        given = features.to(dtype), logits.to(dtype)
        value = call(make(part), *given, target)
        wanted = torch.float64 if dtype == torch.float64 else torch.float32
        expect(value.dtype == wanted, f'term of {dtype} is {value.dtype}, not {wanted}')
        want = call(make(part), given[0].double(), given[1].double(), target)
        expect_close(value, want, f'term of {dtype} and float64', tolerance)


@CHECKS.add
def features_in_one_place(part: Part) -> None:
    """Equal features and logits, as of a collapsed network, give a finite term and gradient."""
    features, logits, target = data(part)
    for scale in (0, 1):
        results = value_and_gradients(make(part), torch.full_like(features, scale).float(),
                                      torch.full_like(logits, scale).float(), target)
        expect_all_finite(results, f'where all features are {scale}')


@CHECKS.add
def large_features(part: Part) -> None:
    """Features and logits as large as float16 holds give a finite term, and a finite gradient in float32."""
    features, logits, target = data(part)
    features, logits = (1e4 * features).half(), (1e4 * logits).half()
    expect_finite(call(make(part), features, logits, target), 'the term of large float16 features')
    results = value_and_gradients(make(part), features.float(), logits.float(), target)
    expect_all_finite(results, 'of large features')


@CHECKS.add
def one_sample(part: Part) -> None:
    """A batch of one sample gives a finite term and gradient."""
    expect_all_finite(value_and_gradients(make(part), *data(part, samples=1)), 'of one sample')


@CHECKS.add
def one_class(part: Part) -> None:
    """A batch of one class gives a finite term and gradient."""
    features, logits, target = data(part)
    results = value_and_gradients(make(part), features, logits, torch.zeros_like(target))
    expect_all_finite(results, 'of one class')


@CHECKS.add
def missing_counts(part: Part) -> None:
    """Without class counts it works all the same, or says which part needs them."""
    batch = data(part)
    error = raised_by(lambda: call(make(part, None), *batch))
    if error is None:
        expect_close(call(make(part, None), *batch), call(make(part), *batch), 'term without and with class counts')
        return
    expect_missing_counts(error, part)


@CHECKS.add
def loss_weight(part: Part) -> None:
    """``loss_weight`` scales the term."""
    batch = data(part)
    if not part.accepts('loss_weight'):
        raise NotApplicable('it takes no loss_weight')
    expect_close(call(make(part, loss_weight=2.0), *batch), 2 * call(make(part), *batch),
                 'loss_weight=2 and twice the term')


@CHECKS.add
def soft_labels(part: Part) -> None:
    """One-hot soft labels give the term of the labels, or a clear error."""
    features, logits, target = data(part)
    soft = F.one_hot(target, len(COUNTS)).to(logits.dtype)
    error = raised_by(lambda: call(make(part), features, logits, soft))
    if error is not None:
        expect(isinstance(error, LtkitError) and 'soft' in str(error),
               f'soft labels must work or be refused in words, but raise {type(error).__name__}: {error}')
        return
    expect_close(call(make(part), features, logits, soft), call(make(part), features, logits, target),
                 'term of one-hot labels and of labels')


@CHECKS.add
def input_unchanged(part: Part) -> None:
    """Features, logits and labels are not written to."""
    batch = data(part)
    call(make(part), *batch)
    expect(all(torch.equal(one, other) for one, other in zip(batch, data(part))), 'it writes to its input')


@CHECKS.add
def state_dict_round_trip(part: Part) -> None:
    """The state of one, loaded into another that was given no counts, makes the same term."""
    batch = data(part)
    regularizer, other = make(part), make(part, None)
    other.load_state_dict(regularizer.state_dict())
    expect_close(call(other, *batch), call(regularizer, *batch), 'term after and before the state dict')


@CHECKS.add
def config_round_trip(part: Part) -> None:
    """Built by its registered name it is the same term; its repr names it."""
    batch = data(part)
    counts = dict(class_counts=list(COUNTS)) if part.accepts('class_counts') else {}
    torch.manual_seed(5)  # as make() does
    built = with_head(part.make_by_config(**counts))
    expect_close(call(built, *batch), call(make(part), *batch), 'term from a config and from the class')
    expect(type(built).__name__ in repr(built), f'repr does not name {type(built).__name__}: {built!r}')


@CHECKS.add
def copies_are_equal(part: Part) -> None:
    """Deep copies and pickles make the same term."""
    batch = data(part)
    regularizer = make(part)
    for other in copies(regularizer):
        expect_close(call(other, *batch), call(regularizer, *batch), 'term of a copy and of the original')


@CHECKS.add
def autocast(part: Part) -> None:
    """Under autocast it is the term in float32."""
    features, logits, target = data(part)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        results = value_and_gradients(make(part), features.float(), logits.float(), target)
    wanted = value_and_gradients(make(part), features.float(), logits.float(), target)
    for result, want, what in zip(results, wanted, ('term', 'gradient of the features', 'gradient of the logits')):
        expect_close(result, want, f'{what} under autocast and without', 1e-5)


@CHECKS.add
def compiles(part: Part) -> None:
    """``torch.compile`` needs no graph break."""
    features, logits, target = data(part)
    batch = features.float(), logits.float(), target
    expect_no_graph_break(make(part), lambda compiled: call(compiled, *batch), call(make(part), *batch))


@CHECKS.add
def follows_the_device(part: Part) -> None:
    """On an accelerator all of it is computed there, without waiting for a value."""
    def on_device(regularizer: Any, device: str) -> Tensor:
        target = torch.zeros(SAMPLES, dtype=torch.int64, device=device)
        shapes = (SAMPLES, FEATURES), (SAMPLES, len(COUNTS))
        return call(regularizer, *(torch.randn(shape, device=device) for shape in shapes), target)
    expect_follows_device(lambda: make(part), on_device)
