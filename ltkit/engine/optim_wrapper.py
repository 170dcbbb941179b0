"""Automatic mixed precision where there is no GPU, and clipping that does not wait for one."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

from ltkit.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(OptimWrapper):
    """Forward in bfloat16 autocast on the CPU, which needs no loss scaling.

    ``--amp`` chooses it on a machine without a GPU; with one it is mmengine's
    ``AmpOptimWrapper``.

    Args:
        **kwargs: Arguments of :class:`mmengine.optim.OptimWrapper`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    @contextlib.contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        with super().optim_context(model), torch.autocast('cpu', dtype=torch.bfloat16):
            yield


def log_norm_later(wrapper: Any) -> Any:
    """Let the norm that ``clip_grad`` logs stay on the device until somebody looks.

    mmengine reads it at each step, for which the host waits for the device.

    Args:
        wrapper (OptimWrapper): Any; one without ``clip_grad`` is left as it is.

    Returns:
        OptimWrapper: The same.
    """
    for one in wrapper.values() if isinstance(wrapper, OptimWrapperDict) else (wrapper,):
        if getattr(one, 'clip_grad_kwargs', None) and not isinstance(one.clip_func, functools.partial):
            one.clip_func = functools.partial(_clip, one, one.clip_func)
    return wrapper


def _clip(wrapper: OptimWrapper, clip: Callable, *args: Any, **kwargs: Any) -> None:
    norm = clip(*args, **kwargs)
    if norm is not None:  # clipping by value has none
        wrapper.message_hub.update_scalar(f'train/{wrapper.grad_name}', norm)
