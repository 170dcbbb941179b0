from __future__ import annotations

import pytest

from ltkit.datasets.transforms import BaseTransform
from ltkit.datasets.transforms.base import named


def test_call_is_transform() -> None:

    class Twice(BaseTransform):
        def transform(self, results: dict) -> dict:
            return dict(results, img=results['img'] * 2)

    assert Twice()(dict(img=3)) == dict(img=6)
    with pytest.raises(TypeError, match='abstract'):
        BaseTransform()


def test_the_name_of_an_image() -> None:
    assert named(dict(ann_line='l.txt:3', img_path='a.jpg', sample_idx=2)) == 'l.txt:3: image a.jpg'
    assert named(dict(img_path='a.jpg')) == 'image a.jpg'
    assert named(dict(sample_idx=2)) == 'image 2' and named({}) == 'an image'
