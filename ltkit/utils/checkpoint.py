"""Reading checkpoints safely and writing files whole.

A checkpoint is read with ``weights_only=True`` and a short allow-list: a pickle
that would run foreign code is refused. A file is written under a temporary
name, flushed and renamed, so that a reader never meets half of one.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from .errors import CheckpointError

_FOREIGN = re.compile(r'GLOBAL ([\w.]+) was not an allowed|Unsupported (?:global|class) ([\w.]+)|global: ([\w.]+)')


def _allowed() -> list[Any]:
    """What checkpoints of the mm family hold besides tensors and plain data."""
    from mmengine.logging import HistoryBuffer
    multiarray = np._core.multiarray if hasattr(np, '_core') else np.core.multiarray
    kinds = 'bool int8 int16 int32 int64 uint8 float16 float32 float64'.split()
    dtypes = {type(np.dtype(kind)) for kind in kinds}
    return [HistoryBuffer, np.ndarray, np.dtype, multiarray._reconstruct, multiarray.scalar, *dtypes]


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
    path = _fetched(str(path))
    if not os.path.isfile(path):
        raise CheckpointError(f'no checkpoint at {path}')
    try:
        with torch.serialization.safe_globals(_allowed()):
            checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        found = _FOREIGN.search(str(error))
        if found is None:
            raise CheckpointError(f'{path} is damaged or not a checkpoint: {_first_line(error)}') from error
        name = next(group for group in found.groups() if group)
        raise CheckpointError(
            f"{path} is refused: it holds a pickled '{name}', which could run foreign code; keep tensors and "
            'plain data only (torch.save of a state dict)') from error
    except (RuntimeError, EOFError, ValueError, OSError, KeyError, UnicodeDecodeError) as error:
        size = os.path.getsize(path)
        raise CheckpointError(
            f'{path} ({size:,} bytes) is truncated or not a checkpoint: {_first_line(error)}') from error
    if not isinstance(checkpoint, Mapping):
        raise CheckpointError(f'{path} holds a {type(checkpoint).__name__}, not a checkpoint')
    return dict(checkpoint)


def load_weights(model: nn.Module, checkpoint: Mapping[str, Any], source: str, strict: bool = True) -> None:
    """Load the weights of a checkpoint into a model.

    Args:
        model (nn.Module): The model, not wrapped.
        checkpoint (Mapping): What :func:`read_checkpoint` gave.
        source (str): Its path, for messages.
        strict (bool): Whether all weights must match. If not, what does not is
            left out, and at least one must match. Defaults to True.

    Raises:
        CheckpointError: The weights are of another model.
    """
    state = checkpoint.get('state_dict', checkpoint)
    state = OrderedDict((re.sub(r'^(module\.|_orig_mod\.)+', '', key), value) for key, value in state.items())
    own = model.state_dict()
    missing = [key for key in own if key not in state and not key.endswith('num_batches_tracked')]
    unexpected = [key for key in state if key not in own]
    counts = {key for key in own if key.endswith('class_counts') and own[key].numel() == 0}
    mismatched = [key for key in own if key in state and key not in counts and own[key].shape != state[key].shape]
    matched = len(own) - len(missing) - len(mismatched)
    missing = [key for key in missing if key not in counts]
    if (strict and (missing or unexpected or mismatched)) or (matched <= 0 and len(own) > 0):
        raise CheckpointError(f'{source} is of another model: {_difference(own, state, missing, unexpected, mismatched)}')
    for key in mismatched:
        state.pop(key)
    if missing or unexpected or mismatched:
        from mmengine.logging import print_log
        print_log(f'{source}: {matched} of {len(own)} tensors loaded; '
                  f'{_difference(own, state, missing, unexpected, mismatched)}', 'current')
    model.load_state_dict(state, strict=False)


def latest_checkpoint(work_dir: str | os.PathLike) -> str | None:
    """The newest readable checkpoint of a run; a damaged one is reported and passed over.

    Looks at ``last_checkpoint`` first, then at ``epoch_N.pth`` and
    ``iter_N.pth`` from the newest on.
    """
    folder = Path(work_dir)
    candidates = []
    with contextlib.suppress(OSError):
        candidates.append(folder / Path((folder / 'last_checkpoint').read_text().strip()).name)
    numbered = [(int(found[1]), path) for path in folder.glob('*.pth')
                if (found := re.fullmatch(r'(?:epoch|iter)_(\d+)\.pth', path.name))]
    candidates += [path for _, path in sorted(numbered, reverse=True)]
    for path in dict.fromkeys(candidates):
        if not path.is_file():
            continue
        try:
            read_checkpoint(path)
        except CheckpointError as error:
            from mmengine.logging import print_log
            print_log(f'{error}; trying the checkpoint before it', 'current', level=30)
            continue
        return str(path)
    return None


@contextlib.contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[str]:
    """Give a temporary name beside ``path``; on success flush it and rename it."""
    path = os.fspath(path)
    part = f'{path}.{os.getpid()}.part'
    try:
        yield part
        with open(part, 'rb+') as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(part)


def plain(value: Any) -> Any:
    """A copy of ``value`` in tensors and plain data, which ``weights_only`` reads.

    Numpy arrays become tensors, mmengine's history buffers a tagged dict that
    :func:`from_plain` turns back; what cannot be plain becomes its ``str``.
    """
    from mmengine.logging import HistoryBuffer
    if isinstance(value, HistoryBuffer):
        values, counts = value.data
        return dict(history_buffer=torch.as_tensor(np.array(values, dtype=np.float64)),
                    counts=torch.as_tensor(np.array(counts, dtype=np.int64)))
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(plain(item) for item in value) if type(value) in (list, tuple) else list(map(plain, value))
    if isinstance(value, np.ndarray):
        return torch.as_tensor(value)
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str, torch.Tensor)):
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


def _difference(own: Mapping, state: Mapping, missing: list, unexpected: list, mismatched: list) -> str:
    parts = []
    if mismatched:
        key = mismatched[0]
        parts.append(f'{len(mismatched)} of another shape (first: {key} is {tuple(state[key].shape)} in the file '
                     f'and {tuple(own[key].shape)} in the model)')
    if missing:
        parts.append(f'{len(missing)} of the model are not in the file (first: {missing[0]})')
    if unexpected:
        parts.append(f'{len(unexpected)} of the file are not in the model (first: {unexpected[0]})')
    return '; '.join(parts)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0][:200]
