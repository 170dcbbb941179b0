from __future__ import annotations

import pytest

from ltkit.datasets.transforms import BaseTransform


def test_call_is_transform() -> None:

    class Twice(BaseTransform):
        def transform(self, results: dict) -> dict:
            return dict(results, img=results['img'] * 2)

    assert Twice()(dict(img=3)) == dict(img=6)
    with pytest.raises(TypeError, match='abstract'):
        BaseTransform()
