"""``tools/infer.py``."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

ERM = 'configs/erm/r8_digits_lt.py'


@pytest.fixture
def images(tmp_path):
    """Twenty digits of the two largest classes as files five times their size."""
    digits = load_digits()
    folder = tmp_path / 'images'
    folder.mkdir()
    chosen = [index for index in range(len(digits.target)) if digits.target[index] < 2][:20]
    for index in chosen:
        pixels = np.round(digits.images[index] * 255 / 16).astype(np.uint8)
        Image.fromarray(pixels).resize((40, 40), Image.Resampling.NEAREST).save(
            folder / f'{digits.target[index]}_{index}.png')
    return folder


def test_classifies_a_folder(tool, tmp_path, images, trained, repo_root):
    done = tool('infer.py', repo_root / ERM, trained[0] / 'epoch_2.pth', images, '--out', tmp_path / 'out.json')
    assert done.returncode == 0, done.stdout
    predictions = json.loads((tmp_path / 'out.json').read_text())
    right = [prediction['path'].rsplit('/', 1)[1][0] == prediction['class_name'] for prediction in predictions]
    assert len(right) == 20 and np.mean(right) > 0.7
    assert all(len(prediction['top']) == 3 and 0 < prediction['score'] <= 1 for prediction in predictions)


def test_classifies_one_image(tool, images, trained, repo_root):
    path = sorted(images.iterdir())[0]
    done = tool('infer.py', repo_root / ERM, trained[0] / 'epoch_2.pth', path, '--topk', 1)
    assert done.returncode == 0 and done.stdout.splitlines()[-1].startswith(f'{path}: ')


def test_nothing_to_classify(tool, tmp_path, trained, repo_root):
    checkpoint = trained[0] / 'epoch_2.pth'
    done = tool('infer.py', repo_root / ERM, checkpoint, 'absent.png')
    assert done.returncode == 2 and 'no image or folder at absent.png' in done.stdout
    (tmp_path / 'empty').mkdir()
    done = tool('infer.py', repo_root / ERM, checkpoint, 'empty')
    assert done.returncode == 2 and 'no image in empty' in done.stdout
    (tmp_path / 'broken.png').write_bytes(b'no')
    done = tool('infer.py', repo_root / ERM, checkpoint, 'broken.png')
    assert done.returncode == 2 and 'broken.png cannot be decoded' in done.stdout
