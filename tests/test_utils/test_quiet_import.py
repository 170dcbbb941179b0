"""Tests of ltkit.utils.quiet_import."""

from __future__ import annotations

import warnings

import pytest

from ltkit.utils.quiet_import import quiet_import

MISSING = 'Fail to import ``MultiScaleDeformableAttention`` from ``mmcv.ops``'


def test_only_that_warning_is_silenced():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with quiet_import():
            warnings.warn(MISSING, UserWarning)
            with pytest.raises(UserWarning, match='other'):
                warnings.warn('other', UserWarning)
        with pytest.raises(UserWarning, match='Fail to import'):
            warnings.warn(MISSING, UserWarning)
