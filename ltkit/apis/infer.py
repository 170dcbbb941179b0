"""Predict the class of images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from torch import nn

from ltkit.datasets.image_folder import IMAGE_EXTENSIONS
from ltkit.registry import DATASETS, MODELS, TRANSFORMS
from ltkit.utils.checkpoint import read_checkpoint
from ltkit.utils.errors import ConfigError, DataError
from ltkit.utils.weights import load_weights


class Inferencer:
    """A trained model that classifies image files.

    Args:
        cfg (Config): The config it was trained with; its test pipeline is used.
        checkpoint (str): The checkpoint file.

    Example:
        >>> infer = Inferencer(load_config('configs/erm/r8_digits_lt.py'), 'epoch_60.pth')
        >>> for prediction in infer(['three.png']):
        ...     print(prediction['class_name'], prediction['score'])
    """

    def __init__(self, cfg: Config, checkpoint: str) -> None:
        init_default_scope(cfg.get('default_scope', 'ltkit'))
        if cfg.get('test_dataloader') is None:
            raise ConfigError(f'{cfg.filename} has no test_dataloader, whose pipeline inference needs')
        stored = read_checkpoint(checkpoint)
        preprocessor = cfg.get('data_preprocessor')
        default = dict(data_preprocessor=preprocessor) if preprocessor else {}
        self.model: nn.Module = MODELS.build({**default, **cfg.model})
        load_weights(self.model, stored, checkpoint)
        self.model.to(get_device()).eval()
        self.names = _class_names(stored)
        dataset = cfg.test_dataloader.dataset
        self.pipeline = Compose([TRANSFORMS.build(step) for step in self._steps(dataset)])

    def _steps(self, dataset: dict) -> list[dict]:
        """The test pipeline, led by loading a file in the data set's form."""
        steps = list(dataset.get('pipeline', []))
        if any(step['type'].rsplit('.', 1)[-1] == 'LoadImage' for step in steps):
            return steps
        shape = getattr(DATASETS.get(dataset['type']), 'image_shape', None)
        if shape is None:
            raise ConfigError(f"the test pipeline does not load files and {dataset['type']} states no "
                              "image_shape; begin the pipeline with dict(type='LoadImage')")
        height, width, channels = shape
        kind = 'gray' if channels == 1 else 'color'
        resize = dict(type='torchvision/Resize', size=[height, width])
        return [dict(type='LoadImage', color_type=kind), resize, *steps]

    @torch.inference_mode()
    def __call__(self, paths: list[str], batch_size: int = 32, topk: int = 1) -> Iterator[dict[str, Any]]:
        """Classify image files, in their order.

        Args:
            paths (list[str]): Image files.
            batch_size (int): Images at once. Defaults to 32.
            topk (int): How many classes to give. Defaults to 1.

        Yields:
            dict: ``path``, ``label``, ``class_name``, ``score`` (probability) and
            ``top`` (list of label, name and score, best first).
        """
        for start in range(0, len(paths), batch_size):
            batch = paths[start:start + batch_size]
            items = [self.pipeline(dict(img_path=path, sample_idx=start + i)) for i, path in enumerate(batch)]
            for path, sample in zip(batch, self.model.test_step(pseudo_collate(items))):
                scores, labels = sample.pred_score.topk(min(topk, sample.pred_score.numel()))
                top = [dict(label=label, class_name=self._name(label), score=score)
                       for label, score in zip(labels.tolist(), scores.tolist())]
                yield dict(path=path, **top[0], top=top)

    def _name(self, label: int) -> str:
        return str(self.names[label]) if self.names and label < len(self.names) else str(label)


def image_files(path: str) -> list[str]:
    """The image at ``path``, or all images below the folder ``path``, sorted.

    Raises:
        DataError: There is nothing at the path, or no image in the folder.
    """
    root = Path(path)
    if root.is_file():
        return [str(root)]
    if not root.is_dir():
        raise DataError(f'no image or folder at {path}')
    files = sorted(str(file) for file in root.rglob('*') if file.suffix.lower() in IMAGE_EXTENSIONS)
    if not files:
        raise DataError(f"no image in {path}; looked for {', '.join(IMAGE_EXTENSIONS)}")
    return files


def _class_names(checkpoint: dict[str, Any]) -> list[str] | None:
    meta = checkpoint.get('meta') or {}
    names = (meta.get('class_distribution') or {}).get('names')
    return names or (meta.get('dataset_meta') or {}).get('classes')
