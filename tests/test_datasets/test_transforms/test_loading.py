from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ltkit.registry import TRANSFORMS
from ltkit.utils.errors import ConfigError, DataError


@pytest.mark.parametrize('mode', ['RGB', 'L', 'P', 'RGBA', 'CMYK', '1', 'LA'])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / f'x.{"tif" if mode == "CMYK" else "png"}'
    Image.new('RGB', (5, 4), (255, 255, 255)).convert(mode).save(path)
    out = TRANSFORMS.build(dict(type='LoadImage'))(dict(img_path=str(path)))
    assert out['img'].shape == (4, 5, 3) and out['img'].dtype == np.uint8 and (out['img'] == 255).all()
    assert out['ori_shape'] == (4, 5)
    gray = TRANSFORMS.build(dict(type='LoadImage', color_type='gray'))(dict(img_path=str(path)))
    assert gray['img'].shape == (4, 5, 1)


def test_an_image_that_is_there_is_kept() -> None:
    image = np.zeros((3, 2, 1), np.uint8)
    out = TRANSFORMS.build(dict(type='LoadImage'))(dict(img=image))
    assert out['img'] is image and out['ori_shape'] == (3, 2)


def test_bad_files_are_named(tmp_path: Path) -> None:
    load = TRANSFORMS.build(dict(type='LoadImage'))
    with pytest.raises(DataError, match=r'^list\.txt:17: image .*none\.jpg does not exist$'):
        load(dict(img_path=str(tmp_path / 'none.jpg'), ann_line='list.txt:17'))
    whole, cut = tmp_path / 'whole.jpg', tmp_path / 'cut.jpg'
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(whole)
    cut.write_bytes(whole.read_bytes()[:600])
    with pytest.raises(DataError, match=r'^image .*cut\.jpg cannot be decoded'):
        load(dict(img_path=str(cut)))
    with pytest.raises(ConfigError, match='color_type'):
        TRANSFORMS.build(dict(type='LoadImage', color_type='grey'))
