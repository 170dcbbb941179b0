from __future__ import annotations

import subprocess
import sys

from ltkit.datasets.transforms import TORCHVISION_TRANSFORMS
from ltkit.registry import TRANSFORMS


def test_names_are_known_without_importing_torchvision() -> None:
    assert {f'torchvision/{name}' for name in TORCHVISION_TRANSFORMS} <= set(TRANSFORMS.names())
    heavy = ['torchvision', 'sklearn', 'cv2', 'scipy', 'matplotlib', 'mmcv', 'mmpretrain']
    code = (
        'import sys, ltkit.datasets; from ltkit.registry import DATASETS, TRANSFORMS; DATASETS.names(); '
        f'TRANSFORMS.names(); print([name for name in {heavy} if name in sys.modules])'
    )
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == '[]'
