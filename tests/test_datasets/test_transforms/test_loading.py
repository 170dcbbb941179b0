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


@pytest.mark.parametrize('suffix', ['png', 'tif'])
def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f'x.{suffix}'
    values = np.linspace(0, 65535, 12).reshape(3, 4).astype(np.uint16)
    Image.fromarray(values).save(path)
    for color_type in ('color', 'gray'):
        out = TRANSFORMS.build(dict(type='LoadImage', color_type=color_type))(dict(img_path=str(path)))['img']
        assert out.dtype == np.uint8 and (out == (values >> 8)[..., None]).all()


def test_values_without_a_range_are_refused(tmp_path: Path) -> None:
    load = TRANSFORMS.build(dict(type='LoadImage'))
    for dtype, mode in ((np.float32, 'F'), (np.int32, 'I')):
        path = tmp_path / f'{mode}.tif'
        Image.fromarray(np.full((3, 4), 70000).astype(dtype)).save(path)
        with pytest.raises(DataError, match=f'Pillow mode {mode} states no range'):
            load(dict(img_path=str(path)))


def test_transparent_palette_and_animation(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    load = TRANSFORMS.build(dict(type='LoadImage'))
    gray = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    gray.convert('P').save(tmp_path / 'x.png', transparency=bytes(range(256)))
    assert load(dict(img_path=str(tmp_path / 'x.png')))['img'].shape == (3, 4, 3)
    frames = [Image.new('RGB', (4, 3), (shade,) * 3) for shade in (0, 255)]
    frames[0].save(tmp_path / 'x.gif', save_all=True, append_images=frames[1:])
    assert (load(dict(img_path=str(tmp_path / 'x.gif')))['img'] == 0).all()
    assert not recwarn
