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


@pytest.mark.parametrize('size', [(640, 480), (480, 640), (333, 500), (224, 224), (100, 70), (1025, 1023)])
@pytest.mark.parametrize('draft_size', [1, 64, 224, 256, 640])
def test_reduced_scale_is_the_smallest_that_is_not_below(
        tmp_path: Path, size: tuple[int, int], draft_size: int) -> None:
    path = tmp_path / 'x.jpg'
    Image.new('RGB', size, (200, 100, 50)).save(path)
    out = TRANSFORMS.build(dict(type='LoadImage', draft_size=draft_size))(dict(img_path=str(path)))
    factor = max(f for f in (1, 2, 4, 8) if f == 1 or min(size) // f >= draft_size)
    assert out['ori_shape'] == size[::-1]
    assert out['img'].shape == (-(-size[1] // factor), -(-size[0] // factor), 3)
    assert min(out['img'].shape[:2]) >= min(draft_size, min(size))
    assert np.abs(out['img'].astype(int) - (200, 100, 50)).max() <= 4


def test_reduced_scale_shows_the_same_picture(tmp_path: Path) -> None:
    """Close to the full image made smaller by averaging, and not equal to it."""
    y, x = np.mgrid[:512, :512] / 512
    image = np.stack([127 + 120 * np.sin(9 * x), 127 + 120 * np.cos(7 * y), 255 * x * y], -1).astype(np.uint8)
    path = str(tmp_path / 'x.jpg')
    Image.fromarray(image).save(path, quality=95)
    full = TRANSFORMS.build(dict(type='LoadImage'))(dict(img_path=path))['img']
    small = TRANSFORMS.build(dict(type='LoadImage', draft_size=128))(dict(img_path=path))['img']
    mean = full.reshape(128, 4, 128, 4, 3).mean((1, 3))
    assert small.shape == mean.shape and np.abs(small - mean).mean() < 1.5
    gray = TRANSFORMS.build(dict(type='LoadImage', color_type='gray', draft_size=128))(dict(img_path=path))
    assert gray['img'].shape == (128, 128, 1)


def test_reduced_scale_leaves_other_formats_and_arrays(tmp_path: Path) -> None:
    load = TRANSFORMS.build(dict(type='LoadImage', draft_size=8))
    Image.new('RGB', (64, 48)).save(tmp_path / 'x.png')
    assert load(dict(img_path=str(tmp_path / 'x.png')))['img'].shape == (48, 64, 3)
    assert load(dict(img=np.zeros((9, 9, 3), np.uint8)))['ori_shape'] == (9, 9)
    for wrong in (0, -1, 2.5, True, '224'):
        with pytest.raises(ConfigError, match='draft_size must be a number of pixels'):
            TRANSFORMS.build(dict(type='LoadImage', draft_size=wrong))
