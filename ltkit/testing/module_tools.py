"""What the checks of losses and classifiers share."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..distribution import ClassDistribution
from ..distribution_aware import DistributionAware
from ..utils.errors import DistributionError
from .conformance import ConformanceError, NotApplicable, Part, expect


def make_with_counts(part: Part, counts: Any, **overrides: Any) -> Any:
    """A fresh part that has the class counts, if it takes any; None for none."""
    if counts is None:
        return part.make(**overrides)
    if part.accepts('class_counts'):
        return part.make(**overrides, class_counts=list(counts))
    made = part.make(**overrides)
    if isinstance(made, DistributionAware):
        made.set_class_distribution(ClassDistribution(counts))
    return made


def expect_missing_counts(error: Exception, part: Part) -> None:
    """``error`` says that the class counts are missing, and which part needs them."""
    expect(isinstance(error, DistributionError) and part.name in str(error),
           f'without class counts it must raise DistributionError that names {part.name}, but raises '
           f'{type(error).__name__}: {error}')


def expect_close(got: Tensor, want: Tensor, what: str, tolerance: float = 1e-10) -> None:
    """``got`` and ``want`` agree within ``tolerance``, relative above 1 and absolute below."""
    got, want = got.detach().double(), want.detach().double()
    expect(got.shape == want.shape, f'{what}: shape {tuple(got.shape)} and {tuple(want.shape)}')
    error = ((got - want).abs() / want.abs().clamp(min=1)).max().item() if got.numel() else 0.0
    expect(error <= tolerance, f'{what}: {_brief(got)} and {_brief(want)} differ by {error:.3g}')


def expect_finite(tensor: Tensor, what: str) -> None:
    """All elements are finite."""
    expect(torch.isfinite(tensor).all(), f'{what} is not finite: {_brief(tensor)}')


def expect_no_graph_break(module: nn.Module, call: Callable[[Any], Tensor], want: Tensor) -> None:
    """``torch.compile`` traces a call as one graph, with the same result."""
    import torch._dynamo
    torch._dynamo.reset()
    try:
        compiled = torch.compile(module, backend='eager', fullgraph=True)
        expect_close(call(compiled), want, 'compiled and eager', 1e-5)
    finally:
        torch._dynamo.reset()


def expect_follows_device(make: Callable[[], nn.Module], call: Callable[[nn.Module, str], Tensor]) -> None:
    """Moved to an accelerator, all of a module computes there, and nothing waits for a value.

    Tensors are fake (no accelerator is needed): an operation on tensors of two
    devices, or one that reads a value, raises.
    """
    try:
        from torch._subclasses.fake_tensor import FakeTensorMode
    except ImportError as error:
        raise NotApplicable('this torch has no fake tensors') from error
    module = make()
    with FakeTensorMode(), torch.no_grad():
        for part in module.modules():
            for tensors in (part._parameters, part._buffers):
                for name, tensor in tensors.items():
                    tensors[name] = None if tensor is None else _on_accelerator(tensor)
        try:
            result = call(module, 'cuda')
        except Exception as error:
            why = str(error).splitlines()[0] if str(error) else ''
            raise ConformanceError('moved to an accelerator, it uses a tensor that stayed behind or waits '
                                   f'for a value: {type(error).__name__}: {why}') from error
        expect(result.device.type == 'cuda', f'the result is on {result.device}, the input on cuda')


def _on_accelerator(tensor: Tensor) -> Tensor:
    moved = torch.empty(tensor.shape, dtype=tensor.dtype, device='cuda')
    return nn.Parameter(moved, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else moved


def copies(module: nn.Module) -> list[nn.Module]:
    """A deep copy and a pickled one."""
    import pickle
    return [copy.deepcopy(module), pickle.loads(pickle.dumps(module))]


def _brief(tensor: Tensor) -> str:
    values = [f'{value:.6g}' for value in tensor.detach().flatten()[:3].tolist()]
    return ', '.join(values) + (' ...' if tensor.numel() > 3 else '')
