"""Reading checkpoints safely.

A checkpoint is read with ``weights_only=True`` and a short allow-list: a pickle
that would run foreign code is refused. They are written whole or not at all, by
:func:`ltkit.utils.files.whole_file`.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import torch

from .errors import CheckpointError
from .files import whole_file as whole_file

INTERRUPTED = 'interrupted.pth'  # written when a signal ends a run, removed by the next checkpoint
_FOREIGN = re.compile(r'GLOBAL ([\w.]+)|Unsupported class ([\w.]+)')
_NOT_TORCHS = re.compile(r'Unsupported operand \d+')  # an opcode that torch.save never writes


def _allowed() -> list[Any]:
    """What checkpoints of the mm family hold besides tensors and plain data."""
    from mmengine.logging import HistoryBuffer
    multiarray = np._core.multiarray if hasattr(np, '_core') else np.core.multiarray
    kinds = ('bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'float16', 'float32', 'float64')
    dtypes = {type(np.dtype(kind)) for kind in kinds}
    functions = [multiarray._reconstruct, multiarray.scalar]
    # A file written with numpy < 2 names them by the module's older name, and the other way round.
    named = [(function, f'numpy.{core}.multiarray.{function.__name__}')
             for function in functions for core in ('core', '_core')]
    named.append((_history_method, 'builtins.getattr'))
    return [HistoryBuffer, np.ndarray, np.dtype, *functions, *named, *dtypes]


def _history_method(owner: Any, name: str) -> Any:
    """What ``getattr`` may do in a checkpoint: name a method of mmengine's history buffers."""
    from mmengine.logging import HistoryBuffer
    if owner is not HistoryBuffer or name.startswith('_'):
        raise pickle.UnpicklingError('GLOBAL builtins.getattr')
    return getattr(owner, name)


def read_checkpoint(path: str | os.PathLike, map_location: Any = 'cpu') -> dict[str, Any]:
    """Read a checkpoint file, or an ``http(s)://`` address through torch's cache.

    Args:
        path: The file, in the form that :meth:`Runner.save_checkpoint` writes;
            any other mm checkpoint and a bare state dict are read as well.
        map_location: As for :func:`torch.load`. Defaults to ``'cpu'``.

    Raises:
        CheckpointError: The file is missing, truncated, not a checkpoint, or a
            pickle with code outside the allow-list.
    """
    path = checkpoint_file(path)
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(_allowed()):
            warnings.filterwarnings('ignore', 'Detected pickle protocol')
            checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # bytes at random can raise anything
        raise _unreadable(path, error) from error
    if not isinstance(checkpoint, Mapping):
        raise CheckpointError(f'{path} holds a {type(checkpoint).__name__}, not a checkpoint')
    return dict(checkpoint)


_NUMBERED = re.compile(r'(epoch|iter)_(\d+)\.pth')


def latest_checkpoint(work_dir: str | os.PathLike,
                      accept: Callable[[dict[str, Any]], bool] | None = None) -> str | None:
    """The newest readable checkpoint of a run; a damaged one is reported and passed over.

    Looks at ``last_checkpoint`` first, then for ``interrupted.pth``, then for
    ``epoch_N.pth`` and ``iter_N.pth`` from the newest on; where the stated one is
    damaged, only for those before it, since a later one is of another run.

    Args:
        work_dir: Folder of the run.
        accept (Callable, optional): Whether a checkpoint that was read may be
            taken.
    """
    folders, candidates, stated = [Path(work_dir)], [], None
    with contextlib.suppress(OSError, ValueError):
        stated = Path((folders[0] / 'last_checkpoint').read_text().strip())
        candidates += [folders[0] / stated.name, stated]  # the run's folder may have been moved
        folders.append(stated.parent)  # CheckpointHook(out_dir=...)
    numbered = [(found[1], int(found[2]), path) for folder in folders for path in folder.glob('*.pth')
                if (found := _NUMBERED.fullmatch(path.name))]
    # Numbers of epochs and of iterations cannot be compared.
    by_time = len({kind for kind, _, _ in numbered}) > 1
    numbered.sort(key=lambda item: (item[2].stat().st_mtime_ns if by_time else 0, item[1]), reverse=True)
    if any(path.is_file() for path in candidates) and stated is not None:
        limit = _NUMBERED.fullmatch(stated.name)
        numbered = [item for item in numbered if not limit or item[0] != limit[1] or item[1] <= int(limit[2])]
    candidates += [folder / INTERRUPTED for folder in folders] + [path for _, _, path in numbered]
    seen: set[str] = set()
    for path in candidates:
        real = os.path.realpath(path)
        if real in seen or not path.is_file():
            continue
        seen.add(real)
        try:
            checkpoint = read_checkpoint(path)
        except CheckpointError as error:
            from mmengine.logging import print_log
            print_log(f'{error}; trying the checkpoint before it', 'current', level=30)
            continue
        if accept is None or accept(checkpoint):
            return str(path)
    return None


def plain(value: Any) -> Any:
    """A copy of ``value`` in tensors and plain data, which ``weights_only`` reads.

    Numpy arrays become tensors, mmengine's history buffers a tagged dict that
    :func:`from_plain` turns back. A function in a dict is left out (a scheduler
    has its own); what else cannot be plain becomes its ``str``.
    """
    from mmengine.logging import HistoryBuffer
    if isinstance(value, HistoryBuffer):
        values, counts = value.data
        return dict(history_buffer=torch.as_tensor(np.array(values, dtype=np.float64)),
                    counts=torch.as_tensor(np.array(counts, dtype=np.int64)))
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items() if not isinstance(item, FunctionType)}
    if isinstance(value, (list, tuple)):
        kind = tuple if isinstance(value, tuple) else list
        return kind(plain(item) for item in value)
    if isinstance(value, np.ndarray):
        return torch.as_tensor(value)
    if isinstance(value, np.generic):
        return value.item()
    if value is None or type(value) in (bool, int, float, str) or isinstance(value, torch.Tensor):
        return value
    return str(value)


def from_plain(value: Any) -> Any:
    """Undo :func:`plain` for history buffers."""
    if isinstance(value, Mapping):
        if set(value) == {'history_buffer', 'counts'}:
            from mmengine.logging import HistoryBuffer
            return HistoryBuffer(value['history_buffer'].tolist(), value['counts'].tolist())
        return {key: from_plain(item) for key, item in value.items()}
    return value


def checkpoint_file(path: str | os.PathLike) -> str:
    """The file of a checkpoint, which is brought into torch's cache first where ``path`` is an address.

    Raises:
        CheckpointError: There is none.
    """
    path = _fetched(str(path))
    if not os.path.isfile(path):
        raise CheckpointError(f"no checkpoint at {path or repr('')}")
    return path


def _fetched(path: str) -> str:
    if not path.startswith(('http://', 'https://')):
        return path
    target = os.path.join(torch.hub.get_dir(), 'checkpoints', os.path.basename(path.split('?')[0]))
    if not os.path.isfile(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            with whole_file(target) as part:
                torch.hub.download_url_to_file(path, part, progress=False)
        except OSError as error:
            raise CheckpointError(f'cannot download {path}: {_first_line(error)}') from error
    return target


def _unreadable(path: str, error: Exception) -> CheckpointError:
    """The error of a file that cannot be read: foreign code, or damage."""
    found = _FOREIGN.search(str(error)) if isinstance(error, pickle.UnpicklingError) else None
    if found is not None:
        return CheckpointError(
            f"{path} is refused: it holds a pickled '{found[1] or found[2]}', which could run foreign code; "
            'keep tensors and plain data only (torch.save of a state dict)')
    if isinstance(error, pickle.UnpicklingError) and _NOT_TORCHS.search(str(error)):
        return CheckpointError(
            f'{path} is refused: it is a pickle that torch.save did not write, which could run foreign code; '
            'load it where you trust it and torch.save its state dict')
    size = os.path.getsize(path)
    why = '' if isinstance(error, pickle.UnpicklingError) else f': {_first_line(error)}'
    return CheckpointError(f'{path} ({size:,} bytes) is truncated or not a checkpoint{why}')


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0][:200]
