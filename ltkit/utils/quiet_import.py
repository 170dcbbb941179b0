"""Import mmpretrain without the warning about an operator that nobody here uses."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_import() -> Iterator[None]:
    """Silence mmcv's word about missing compiled operators, and nothing else.

    Wrap the import of mmpretrain in it.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformableAttention``', UserWarning)
        yield
