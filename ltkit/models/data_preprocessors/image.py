"""From a list of images to a normalised batch on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from ltkit.models.targets import check_labels, gather_targets
from ltkit.registry import MODELS
from ltkit.structures import BatchedSamples
from ltkit.utils.errors import ConfigError, DataError

from .random_batch_augment import RandomBatchAugment


@MODELS.register_module()
class ImageDataPreprocessor(BaseDataPreprocessor):
    """Stacks, moves, normalises and, in training, mixes the images of a batch.

    The images travel as they are (uint8) and become floating point on the
    device, in the dtype of the model (float64 after ``model.double()``).

    Args:
        mean (Sequence[float], optional): Mean of each channel, in 0 .. 255.
        std (Sequence[float], optional): Standard deviation of each channel, in
            0 .. 255. Without both the values are kept.
        batch_augments (dict, optional): ``dict(augments=[...], probs=[...])``,
            see :class:`RandomBatchAugment`. The recogniser hands its
            ``train_cfg`` on as this.
        num_classes (int, optional): C, for soft labels and the check of label
            range; the recogniser gives that of its head.
        channels_last (bool): Whether the batch is laid out with the channels
            last, which is faster on recent GPUs under AMP. Defaults to False.
        non_blocking (bool): Whether copies from pinned memory run beside the
            host. Defaults to True.

    Raises:
        ConfigError: ``mean`` and ``std`` do not fit each other or the images.
    """

    def __init__(self,
                 mean: Sequence[float] | None = None,
                 std: Sequence[float] | None = None,
                 batch_augments: dict | None = None,
                 num_classes: int | None = None,
                 channels_last: bool = False,
                 non_blocking: bool = True) -> None:
        super().__init__(non_blocking=non_blocking)
        if (mean is None) != (std is None):
            raise ConfigError('data_preprocessor takes both mean and std, or none of them')
        self.normalises = mean is not None
        mean, std = (0.0, ) if mean is None else mean, (1.0, ) if std is None else std
        if len(mean) != len(std):
            raise ConfigError(
                f'data_preprocessor.mean has {len(mean)} values, but std {len(std)}; give one a channel')
        if min(std) <= 0:
            raise ConfigError(f'data_preprocessor.std must be above 0, but is {list(std)}')
        self.register_buffer('mean', torch.tensor(mean, dtype=torch.float32).view(-1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std, dtype=torch.float32).view(-1, 1, 1), persistent=False)
        self.num_classes = num_classes
        self.channels_last = channels_last
        self.batch_augments = None if batch_augments is None else RandomBatchAugment(**batch_augments)

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        """Prepare one batch.

        Args:
            data (dict): ``inputs``, N images ``(C, H, W)`` or one tensor
                ``(N, C, H, W)``, and ``data_samples``, N of them (also as one
                :class:`~ltkit.structures.BatchedSamples`) or None.
            training (bool): Whether to apply the batch augments.

        Returns:
            dict: ``inputs``, floating point ``(N, C, H, W)`` on the device, and
            ``data_samples``. In training, labels lie on the device too (one
            transfer for all), and mixed images have soft labels ``gt_score``.

        Raises:
            DataError: Images of one batch differ in size, or a label is out of range.
            ConfigError: The images have another number of channels than ``mean``.
        """
        inputs = self._normalised(self._on_device(data['inputs']))
        samples = data.get('data_samples')
        if training and samples:
            inputs = self._set_targets(inputs, samples)
        return dict(inputs=inputs, data_samples=samples)

    def _on_device(self, images: Sequence[Tensor] | Tensor) -> Tensor:
        if isinstance(images, Tensor):
            return images.to(self.device, non_blocking=self._non_blocking)
        if any(image.shape != images[0].shape for image in images):
            sizes = ', '.join(str(size) for size in sorted({tuple(image.shape) for image in images}))
            raise DataError(
                f'images of one batch have different shapes: {sizes}; resize or crop them in the pipeline')
        if self.device.type != 'cpu' and images[0].is_pinned():
            batch = images[0].new_empty((len(images), *images[0].shape), device=self.device)
            for i, image in enumerate(images):
                batch[i].copy_(image, non_blocking=self._non_blocking)
            return batch
        return torch.stack(list(images)).to(self.device, non_blocking=self._non_blocking)

    def _normalised(self, inputs: Tensor) -> Tensor:
        channels = inputs.size(1)
        if self.normalises and channels != len(self.mean):
            raise ConfigError(
                f'data_preprocessor.mean and std have {len(self.mean)} values, but the images {channels} '
                'channels; give one value a channel')
        if self.channels_last:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        images = inputs.to(self.mean.dtype)
        if not self.normalises:
            return images
        centred = images.sub(self.mean) if images is inputs else images.sub_(self.mean)  # in place if it is ours
        return centred.mul_(self.std.reciprocal())

    def _set_targets(self, inputs: Tensor, samples: Sequence[Any]) -> Tensor:
        """Move the targets to the device, mix them with the images, hand them back to the samples."""
        targets = gather_targets(samples)
        if self.num_classes is not None:
            check_labels(targets, self.num_classes, samples)
        if self.batch_augments is None and targets.device == inputs.device:
            return inputs
        targets = targets.to(inputs.device, non_blocking=self._non_blocking)
        if self.batch_augments is not None:
            inputs, targets = self.batch_augments(inputs, self._soft(targets, inputs.dtype))
        if isinstance(samples, BatchedSamples):
            samples.set_targets(targets)
        elif targets.dim() == 1:
            for sample, target in zip(samples, targets.split(1)):
                sample.gt_label = target
        else:
            for sample, target in zip(samples, targets.unbind()):
                sample.gt_score = target
        return inputs

    def _soft(self, targets: Tensor, dtype: torch.dtype) -> Tensor:
        if targets.dim() == 2:
            return targets.to(dtype)
        if self.num_classes is None:
            raise ConfigError(
                'batch augments need data_preprocessor.num_classes; a recogniser gives it from its head')
        return F.one_hot(targets, self.num_classes).to(dtype)
