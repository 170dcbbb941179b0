"""Reading a pickle of arrays without running foreign code."""

from __future__ import annotations

import os
import pickle
from typing import Any

import numpy as np

from ..utils.errors import DataError

# A module of numpy moved; the official files name the old place.
_ALLOWED: dict[tuple[str, str], Any] = {
    (module, '_reconstruct'): np.ndarray.__reduce__(np.zeros(0))[0]
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray')
}
_ALLOWED['numpy', 'ndarray'] = np.ndarray
_ALLOWED['numpy', 'dtype'] = np.dtype


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    return text.encode(encoding)


_ALLOWED['_codecs', 'encode'] = _encode


class _ArrayUnpickler(pickle.Unpickler):

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f'it holds {module}.{name}, which is not an array') from None


def load_pickled_arrays(path: str | os.PathLike) -> dict[str, Any]:
    """Read a pickled dictionary of arrays, lists, numbers and strings.

    Both the files of Python 2 and of Python 3 are read; keys become ``str``.

    Raises:
        DataError: The file is missing or damaged, or holds anything else; then
            nothing of it is run.
    """
    try:
        with open(path, 'rb') as file:
            data = _ArrayUnpickler(file, encoding='bytes').load()
    except OSError as error:
        raise DataError(f'cannot read {path}: {error.strerror}') from error
    except Exception as error:  # a damaged pickle can raise almost anything
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f'{path} is refused or damaged: {reason}; expected the pickle of the official archive') from error
    if not isinstance(data, dict):
        raise DataError(f'{path} holds a {type(data).__name__}; expected the dict of the official archive')
    return {key.decode() if isinstance(key, bytes) else key: value for key, value in data.items()}
