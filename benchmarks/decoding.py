"""Time to decode JPEG photographs in full and at reduced scale, in one process.

Made images (smooth shapes and noise) of 500 x 375 pixels, the usual size in ImageNet, and of
2000 x 1500, at quality 90; then the usual random crop to 224 after each. The two take turns image by
image; medians.

    python benchmarks/decoding.py --out decoding.json
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from figures import make_parser, write
from PIL import Image

from ltkit.datasets.transforms import LoadImage
from ltkit.registry import TRANSFORMS

SIZES = ((500, 375), (2000, 1500))


def photograph(size: tuple[int, int], seed: int) -> Image.Image:
    """An image whose JPEG has about the bytes a pixel of a photograph."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    pixels = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), np.int16)
    return Image.fromarray((pixels + rng.normal(0, 6, pixels.shape)).clip(0, 255).astype(np.uint8))


def measure(paths: list[str], draft_size: int, repeats: int) -> dict[str, Any]:
    """Milliseconds an image, in full and reduced, without and with the crop."""
    loads = dict(full=LoadImage(), reduced=LoadImage(draft_size=draft_size))
    crop = TRANSFORMS.build(dict(type='torchvision/RandomResizedCrop', size=224))
    decode: dict[str, list[float]] = {name: [] for name in loads}
    whole: dict[str, list[float]] = {name: [] for name in loads}
    for _ in range(repeats):
        for path in paths:
            for name, load in loads.items():
                start = time.perf_counter()
                results = load(dict(img_path=path))
                middle = time.perf_counter()
                crop(results)
                decode[name].append(middle - start)
                whole[name].append(time.perf_counter() - start)
    result: dict[str, Any] = {'draft_size': draft_size}
    for kind, times in (('decode', decode), ('decode_and_crop', whole)):
        ms = {name: 1000 * statistics.median(values) for name, values in times.items()}
        result[f'{kind}_ms'] = {name: round(value, 3) for name, value in ms.items()}
        result[f'{kind}_ratio'] = round(ms['full'] / ms['reduced'], 2)
    return result


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument('--images', type=int, default=20, help='images of each size')
    parser.add_argument('--repeats', type=int, default=5, help='how often each is read')
    args = parser.parse_args()
    torch.set_num_threads(1)
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            paths = [f'{folder}/{size[0]}_{i}.jpg' for i in range(args.images)]
            for i, path in enumerate(paths):
                photograph(size, i).save(path, quality=90)
            kilobytes = sum(Path(path).stat().st_size for path in paths) / len(paths) / 1000
            for draft_size in (160, 224, 448):  # half of 375 is 187: only the first reduces the small ones
                if draft_size > min(size):
                    continue
                found = measure(paths, draft_size, args.repeats)
                name = f'{size[0]}x{size[1]} draft_size={draft_size}'
                figures[name] = dict(found, kilobytes=round(kilobytes, 1))
                print(f"{name:28s} decoding {found['decode_ms']['full']:7.2f} ms -> "
                      f"{found['decode_ms']['reduced']:6.2f} ms ({found['decode_ratio']:.1f} x); with the crop "
                      f"{found['decode_and_crop_ratio']:.1f} x")
    write(args.out, figures)


if __name__ == '__main__':
    main()
