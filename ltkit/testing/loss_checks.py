"""What ltkit promises of a loss."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..distribution import ClassDistribution
from ..distribution_aware import DistributionAware
from ..utils.errors import DistributionError, LtkitError
from .conformance import CheckList, NotApplicable, Part, expect, raised_by
from .distributed import run_distributed
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
FEATURES = 4


def make(part: Part, counts: Any = COUNTS, **overrides: Any) -> Any:
    """A fresh loss with class counts; its initial weights, if it has any, are the same each time."""
    torch.manual_seed(5)
    return make_with_counts(part, counts, **overrides)


def data(part: Part, num_classes: int = len(COUNTS), samples: int = SAMPLES) -> tuple[Tensor, Tensor]:
    """Logits ``(N, C)`` or ``(E, N, C)``, float64, and labels ``(N,)`` of all classes."""
    generator = torch.Generator().manual_seed(7)
    shape: tuple[int, ...] = (samples, num_classes)
    if len(getattr(part.target, 'score_dims', 'NC')) == 3 or 'num_experts' in part.options:
        shape = (part.options.get('num_experts', 3), *shape)
    scores = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
    return scores, torch.arange(samples) % num_classes


def call(loss: Any, scores: Tensor, target: Tensor, **kwargs: Any) -> Tensor:
    """The loss, its own randomness fixed; one that needs features gets some that are the same for all samples."""
    torch.manual_seed(3)
    if getattr(loss, 'needs_features', False):
        kwargs['features'] = scores.new_ones(*scores.shape[:-1], FEATURES)
    return loss(scores, target, **kwargs)


def value_and_gradient(loss: Any, scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The loss and its gradient with respect to the logits."""
    scores = scores.detach().clone().requires_grad_()
    value = call(loss, scores, target)
    return value.detach(), torch.autograd.grad(value, scores)[0]


@CHECKS.add
def finite_scalar(part: Part) -> None:
    """The loss of ordinary logits is one finite number."""
    value = call(make(part), *data(part))
    expect(value.shape == (), f'the loss must be a scalar, but has shape {tuple(value.shape)}')
    expect_finite(value, 'the loss')


@CHECKS.add
def gradient_is_right(part: Part) -> None:
    """The gradient with respect to the logits is that of finite differences, in float64."""
    scores, target = data(part)
    loss = make(part)
    torch.autograd.gradcheck(lambda logits: call(loss, logits, target), scores.requires_grad_())


@CHECKS.add
def gradient_reaches_every_sample(part: Part) -> None:
    """No sample is left without a gradient."""
    gradient = value_and_gradient(make(part), *data(part))[1]
    size = gradient.abs().sum(-1).reshape(-1, SAMPLES).sum(0)
    expect((size > 0).all(), f'no gradient for samples {(size == 0).nonzero().flatten().tolist()}')


@CHECKS.add
def permutation_of_samples(part: Part) -> None:
    """The order of the batch does not matter."""
    scores, target = data(part)
    order = torch.randperm(SAMPLES, generator=torch.Generator().manual_seed(1))
    expect_close(call(make(part), scores[..., order, :], target[order]), call(make(part), scores, target),
                 'loss of the shuffled and of the given batch')


@CHECKS.add
def permutation_of_classes(part: Part) -> None:
    """Renumbering the classes, in logits, labels and counts, changes nothing."""
    scores, target = data(part)
    order = torch.tensor([3, 0, 4, 1, 2])
    counts = [COUNTS[c] for c in order]
    expect_close(call(make(part, counts), scores[..., order], order.argsort()[target]),
                 call(make(part), scores, target), 'loss of renumbered and of given classes')


@CHECKS.add
def uniform_counts(part: Part) -> None:
    """With equally many samples of each class it is the cross entropy."""
    scores, target = data(part)
    want = F.cross_entropy(scores, target) if scores.dim() == 2 else sum(
        F.cross_entropy(expert, target) for expert in scores)
    expect_close(call(make(part, (10, ) * len(COUNTS)), scores, target), want, 'loss and cross entropy')


@CHECKS.add
def dtypes(part: Part) -> None:
    """Logits of any float type: computed in float32 at least, float64 kept."""
    scores, target = data(part)
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-4), (torch.float16, 1e-4),
                             (torch.bfloat16, 1e-4)):
        given = scores.to(dtype)
        value, gradient = value_and_gradient(make(part), given, target)
        wanted = torch.float64 if dtype == torch.float64 else torch.float32
        expect(value.dtype == wanted, f'loss of {dtype} logits is {value.dtype}, not {wanted}')
        expect(gradient.dtype == dtype, f'gradient of {dtype} logits is {gradient.dtype}')
        want = call(make(part), given.double(), target)
        expect_close(value, want, f'loss of {dtype} and float64', tolerance)


@CHECKS.add
def extreme_logits(part: Part) -> None:
    """Very sure logits, right or wrong, give a finite loss and gradient."""
    scores, target = data(part)
    for scale in (1e4, -1e4):
        value, gradient = value_and_gradient(make(part), (scale * scores).float(), target)
        expect_finite(value, f'the loss of logits of {scale:g}')
        expect_finite(gradient, f'the gradient of logits of {scale:g}')


@CHECKS.add
def empty_class(part: Part) -> None:
    """A class without a training sample gives a finite loss and gradient."""
    value, gradient = value_and_gradient(make(part, (50, 20, 0, 3, 0)), *data(part))
    expect_finite(value, 'the loss with an empty class')
    expect_finite(gradient, 'the gradient with an empty class')


@CHECKS.add
def one_sample(part: Part) -> None:
    """A batch of one sample gives a finite loss and gradient."""
    value, gradient = value_and_gradient(make(part), *data(part, samples=1))
    expect_finite(value, 'the loss of one sample')
    expect_finite(gradient, 'the gradient of one sample')


@CHECKS.add
def one_class(part: Part) -> None:
    """One class gives a finite loss and gradient."""
    value, gradient = value_and_gradient(make(part, (10, )), *data(part, num_classes=1))
    expect_finite(value, 'the loss of one class')
    expect_finite(gradient, 'the gradient of one class')


@CHECKS.add
def missing_counts(part: Part) -> None:
    """Without class counts it works all the same, or says which part needs them."""
    scores, target = data(part)
    loss = make(part, None)
    error = raised_by(lambda: call(loss, scores, target))
    if error is None:
        expect_close(call(make(part, None), scores, target), call(make(part), scores, target),
                     'loss without and with class counts')
        return
    expect_missing_counts(error, part)


@CHECKS.add
def wrong_number_of_counts(part: Part) -> None:
    """Counts of another number of classes are refused, if counts are used."""
    scores, target = data(part)
    loss = make(part, (*COUNTS, 1))
    error = raised_by(lambda: call(loss, scores, target))
    if error is None and raised_by(lambda: call(make(part, None), scores, target)) is None:
        return
    expect(isinstance(error, DistributionError),
           f'counts of {len(COUNTS) + 1} classes for logits of {len(COUNTS)} must raise DistributionError, '
           f'but give {type(error).__name__ if error else "a loss"}')


@CHECKS.add
def counts_from_the_hook(part: Part) -> None:
    """Counts set later act as those given to the constructor."""
    scores, target = data(part)
    loss = make(part, None)
    if not isinstance(loss, DistributionAware):
        raise NotApplicable('it takes no class counts')
    loss.set_class_distribution(ClassDistribution(COUNTS))
    expect_close(call(loss, scores, target), call(make(part), scores, target),
                 'loss with counts set and given')


@CHECKS.add
def reductions(part: Part) -> None:
    """'none' gives a loss a sample, and 'sum' their sum."""
    scores, target = data(part)
    none = call(make(part), scores, target, reduction_override='none')
    expect(none.shape == (SAMPLES, ), f"'none' must give shape ({SAMPLES},), but gives {tuple(none.shape)}")
    total = call(make(part), scores, target, reduction_override='sum')
    expect_close(total, none.sum(), "reduction_override='sum' and the sum of 'none'")
    total = call(make(part, reduction='sum'), scores, target)
    expect_close(total, none.sum(), "reduction='sum' and the sum of 'none'")


@CHECKS.add
def sample_weight(part: Part) -> None:
    """``weight`` multiplies the loss of each sample."""
    scores, target = data(part)
    weight = torch.linspace(0, 2, SAMPLES, dtype=scores.dtype)
    none = call(make(part), scores, target, reduction_override='none')
    weighted = call(make(part), scores, target, weight=weight, reduction_override='none')
    expect_close(weighted, none * weight, 'weighted loss and loss times weight')


@CHECKS.add
def avg_factor(part: Part) -> None:
    """``avg_factor`` is the divisor of the mean."""
    scores, target = data(part)
    total = call(make(part), scores, target, reduction_override='sum')
    expect_close(call(make(part), scores, target, avg_factor=4.0), total / 4, 'avg_factor=4 and sum / 4')


@CHECKS.add
def loss_weight(part: Part) -> None:
    """``loss_weight`` scales the loss."""
    scores, target = data(part)
    if not part.accepts('loss_weight'):
        raise NotApplicable('it takes no loss_weight')
    expect_close(call(make(part, loss_weight=2.0), scores, target), 2 * call(make(part), scores, target),
                 'loss_weight=2 and twice the loss')


@CHECKS.add
def soft_labels(part: Part) -> None:
    """One-hot soft labels give the loss of the labels, or a clear error."""
    scores, target = data(part)
    soft = F.one_hot(target, len(COUNTS)).to(scores.dtype)
    error = raised_by(lambda: call(make(part), scores, soft))
    if error is not None:
        expect(isinstance(error, LtkitError) and 'soft' in str(error),
               f'soft labels must work or be refused in words, but raise {type(error).__name__}: {error}')
        return
    expect_close(call(make(part), scores, soft), call(make(part), scores, target),
                 'loss of one-hot labels and of labels')
    mixed = call(make(part), scores, 0.3 * soft + 0.7 * soft.roll(1, 0))
    expect_finite(mixed, 'the loss of mixed labels')


@CHECKS.add
def wrong_labels(part: Part) -> None:
    """A label out of range is refused with its number."""
    scores, target = data(part)
    for label in (-1, 77):
        wrong = torch.full_like(target, label)
        error = raised_by(lambda wrong=wrong: call(make(part), scores, wrong))
        expect(isinstance(error, LtkitError) and str(label) in str(error),
               f'label {label} of {len(COUNTS)} classes must raise an error of ltkit that names it, but '
               f'gives {type(error).__name__ if error else "a loss"}')


@CHECKS.add
def features(part: Part) -> None:
    """It needs the logits and labels alone, or declares ``needs_features`` and asks for them in words."""
    scores, target = data(part)
    loss = make(part)
    error = raised_by(lambda: loss(scores, target))
    if not getattr(loss, 'needs_features', False):
        expect(error is None, f'without needs_features it must work without features, but raises '
                              f'{type(error).__name__}: {error}')
        return
    expect(isinstance(error, LtkitError) and 'features' in str(error),
           'without features it must raise an error of ltkit that asks for them, but gives '
           f'{type(error).__name__ if error else "a loss"}')


@CHECKS.add
def input_unchanged(part: Part) -> None:
    """Logits and labels are not written to."""
    scores, target = data(part)
    given = scores.clone(), target.clone()
    call(make(part), *given)
    expect(torch.equal(given[0], scores) and torch.equal(given[1], target), 'the loss writes to its input')


@CHECKS.add
def state_dict_round_trip(part: Part) -> None:
    """The state of one, loaded into another that was given no counts, makes the same loss."""
    scores, target = data(part)
    loss, other = make(part), make(part, None)
    other.load_state_dict(loss.state_dict())
    expect_close(call(other, scores, target), call(loss, scores, target),
                 'loss after and before the state dict')


@CHECKS.add
def config_round_trip(part: Part) -> None:
    """Built by its registered name it is the same loss; its repr names it."""
    scores, target = data(part)
    counts = dict(class_counts=list(COUNTS)) if part.accepts('class_counts') else {}
    torch.manual_seed(5)
    built = part.make_by_config(**counts)
    expect_close(call(built, scores, target), call(make(part), scores, target),
                 'loss from a config and from the class')
    expect(type(built).__name__ in repr(built), f'repr does not name {type(built).__name__}: {built!r}')


@CHECKS.add
def copies_are_equal(part: Part) -> None:
    """Deep copies and pickles make the same loss."""
    scores, target = data(part)
    loss = make(part)
    for other in copies(loss):
        expect_close(call(other, scores, target), call(make(part), scores, target),
                     'loss of a copy and of the original')


@CHECKS.add
def autocast(part: Part) -> None:
    """Under autocast it is the loss in float32."""
    scores, target = data(part)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value, gradient = value_and_gradient(make(part), scores.float(), target)
    want, want_gradient = value_and_gradient(make(part), scores.float(), target)
    expect_close(value, want, 'loss under autocast and without', 1e-5)
    expect_close(gradient, want_gradient, 'gradient under autocast and without', 1e-5)


@CHECKS.add
def compiles(part: Part) -> None:
    """``torch.compile`` needs no graph break."""
    scores, target = data(part)
    loss = make(part)
    expect_no_graph_break(loss, lambda compiled: call(compiled, scores.float(), target),
                          call(make(part), scores.float(), target))


@CHECKS.add
def follows_the_device(part: Part) -> None:
    """On an accelerator all of it is computed there, without waiting for a value."""
    shape = data(part)[0].shape

    def on_device(loss: Any, device: str) -> Tensor:
        target = torch.zeros(SAMPLES, dtype=torch.int64, device=device)
        return call(loss, torch.randn(shape, device=device), target)
    expect_follows_device(lambda: make(part), on_device)


@CHECKS.add
def epochs(part: Part) -> None:
    """In every epoch the loss is finite, and an epoch has no memory of others."""
    if not hasattr(part.target, 'set_epoch'):
        raise NotApplicable('it does not depend on the epoch')
    scores, target = data(part)
    loss, fresh = make(part), make(part)
    for epoch in (0, 5, 9):
        loss.set_epoch(epoch, 10)
        expect_finite(call(loss, scores, target), f'the loss in epoch {epoch}')
    loss.set_epoch(0, 10)
    fresh.set_epoch(0, 10)
    expect_close(call(loss, scores, target), call(fresh, scores, target),
                 'loss in epoch 0, again and at first')


@CHECKS.add
def two_processes(part: Part) -> None:
    """Two processes with half a batch each, gradients averaged, are one with the whole."""
    value, gradient = value_and_gradient(make(part), *data(part))
    results = run_distributed(_half_batch, 2, part)
    values = torch.stack([torch.as_tensor(result[0]) for result in results])
    expect_close(values.mean(), value, 'mean loss of two processes and loss of one')
    for rank, (_, half) in enumerate(results):
        expect_close(torch.as_tensor(half) / 2, gradient[..., rank::2, :],
                     f'gradient of process {rank} of two and of one')


def _half_batch(rank: int, world_size: int, part: Part) -> tuple[Any, Any]:
    scores, target = data(part)
    mine = slice(rank, None, world_size)
    value, gradient = value_and_gradient(make(part), scores[..., mine, :], target[mine])
    return value.numpy(), gradient.numpy()
