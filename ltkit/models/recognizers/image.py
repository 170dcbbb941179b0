"""Whole models that name the class of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.model import BaseModel
from torch import Tensor, nn

from ltkit.registry import MODELS
from ltkit.structures import DataSample
from ltkit.utils.errors import ConfigError

STAGES = ('backbone', 'neck', 'pre_logits')


@MODELS.register_module()
class ImageRecognizer(BaseModel):
    """Backbone, neck and head.

    Args:
        backbone (dict or nn.Module): Images to a tuple of feature maps.
        neck (dict, nn.Module or list of them, optional): Tuple to tuple, most often
            ``dict(type='GlobalAveragePooling')``; of a list one after the other.
        head (dict or nn.Module, optional): Has ``loss`` and ``predict``; without
            one the model only extracts features.
        train_cfg (dict, optional): ``augments`` (batch augments such as
            ``[dict(type='Mixup', alpha=1.0)]``, of which one is drawn a batch)
            and ``probs`` (of each; evenly by default). The data preprocessor
            applies them.
        data_preprocessor (dict or nn.Module, optional): Defaults to
            ``dict(type='ImageDataPreprocessor')``, which does not normalise.
        init_cfg (dict, optional): Initialisation of mmengine.

    Attributes:
        predicts_features (bool): Whether predictions have ``features`` as well, what
            the classifier sees, ``(d,)``, of several experts one after the other. Off
            until something asks for it.

    Raises:
        ConfigError: ``train_cfg`` has another key, or the backbone has experts or
            branches that the head does not see.
    """

    group_size = 1  # training samples that belong together, which the sampler keeps so
    predicts_features = False

    def __init__(self,
                 backbone: dict | nn.Module,
                 neck: dict | nn.Module | Sequence[dict | nn.Module] | None = None,
                 head: dict | nn.Module | None = None,
                 train_cfg: dict | None = None,
                 data_preprocessor: dict | nn.Module | None = None,
                 init_cfg: dict | list | None = None) -> None:
        head = _built(head)
        preprocessor = self.build_preprocessor(data_preprocessor, train_cfg, head)
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        self.backbone = _built(backbone)
        self.neck = nn.Sequential(*map(_built, neck)) if isinstance(neck, (list, tuple)) else _built(neck)
        self.head = head
        if hasattr(self.backbone, 'num_experts') and self.with_head and not hasattr(head, 'num_experts'):
            raise ConfigError(
                f'{type(self.backbone).__name__} has {self.backbone.num_experts} experts, but '
                f'{type(head).__name__} sees one; use MultiExpertRecognizer and MultiExpertHead')
        if getattr(self.backbone, 'group_size', 1) > self.group_size:
            raise ConfigError(
                f'{type(self.backbone).__name__} has two branches, which {type(self).__name__} does not train; use '
                'BilateralBranchRecognizer and BilateralBranchHead')
        if getattr(self.data_preprocessor, 'channels_last', False):
            self.to(memory_format=torch.channels_last)

    @staticmethod
    def build_preprocessor(preprocessor: dict | nn.Module | None, train_cfg: dict | None,
                           head: nn.Module | None) -> nn.Module:
        """The data preprocessor, told of the batch augments and the number of classes."""
        unknown = sorted(set(train_cfg or ()) - {'augments', 'probs'})
        if unknown:
            raise ConfigError(f"model.train_cfg has no key '{unknown[0]}'; it takes augments and probs")
        if isinstance(preprocessor, nn.Module):
            if train_cfg:
                raise ConfigError('model.train_cfg.augments needs data_preprocessor to be a config')
            return preprocessor
        cfg = dict(preprocessor or dict(type='ImageDataPreprocessor'))
        if train_cfg:
            cfg['batch_augments'] = train_cfg
        built = MODELS.build(cfg)
        if getattr(built, 'num_classes', 0) is None:
            built.num_classes = getattr(head, 'num_classes', None)
        return built

    @property
    def with_neck(self) -> bool:
        """Whether there is a neck."""
        return self.neck is not None

    @property
    def with_head(self) -> bool:
        """Whether there is a head."""
        return self.head is not None

    # -------------------------------------------------------------- forward
    def forward(self,
                inputs: Tensor,
                data_samples: Sequence[Any] | None = None,
                mode: str = 'tensor',
                **kwargs: Any) -> Any:
        """Run the model.

        Args:
            inputs (Tensor): From the data preprocessor, ``(N, C, H, W)``.
            data_samples (Sequence, optional): N samples; needed for ``'loss'``.
            mode (str): ``'tensor'`` (the logits, ``(N, C)``, or the features
                where there is no head), ``'loss'`` (a dict) or ``'predict'`` (a
                list of data samples).
            **kwargs: In the mode ``'loss'`` handed to the head, for example
                ``weight``, one factor a sample.

        Raises:
            ConfigError: Another mode.
        """
        if mode == 'tensor':
            feats = self.extract_feat(inputs)
            return self.head(feats) if self.with_head else feats
        if mode == 'loss':
            return self.loss(inputs, data_samples, **kwargs)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        raise ConfigError(f"mode must be 'tensor', 'loss' or 'predict', but is '{mode}'")

    def extract_feat(self, inputs: Tensor, stage: str = 'neck') -> Any:
        """Features of a batch.

        Args:
            inputs (Tensor): Shape ``(N, C, H, W)``.
            stage (str): ``'backbone'`` (a tuple of maps), ``'neck'`` (a tuple,
                most often ``(N, d)`` each) or ``'pre_logits'`` (what the
                classifier sees).

        Raises:
            ConfigError: Another stage, or ``'pre_logits'`` without a head.
        """
        if stage not in STAGES:
            raise ConfigError(f"stage must be one of {', '.join(STAGES)}, but is '{stage}'")
        feats = self.backbone(inputs)
        if stage == 'backbone':
            return feats
        if self.with_neck:
            feats = self.neck(feats)
        if stage == 'neck':
            return feats
        return self._head_for('pre_logits').pre_logits(feats)

    def loss(self, inputs: Tensor, data_samples: Sequence[Any], **kwargs: Any) -> dict[str, Tensor]:
        """The loss terms of a batch; see the head."""
        return self._head_for('loss').loss(self.extract_feat(inputs), data_samples, **kwargs)

    def predict(self, inputs: Tensor, data_samples: Sequence[Any] | None = None) -> list[DataSample]:
        """The predictions of a batch; see the head."""
        head, feats = self._head_for('predict'), self.extract_feat(inputs)
        predictions = head.predict(feats, data_samples)
        if self.predicts_features:
            features = head.pre_logits(feats)
            features = features if isinstance(features, Tensor) else torch.cat(list(features), dim=1)
            for sample, row in zip(predictions, features.detach().cpu()):
                sample.features = row
        return predictions

    def _head_for(self, what: str) -> nn.Module:
        if self.head is None:
            raise ConfigError(f"{type(self).__name__} has no head for '{what}'; give model.head")
        return self.head

    # --------------------------------------------------------------- losses
    def parse_losses(self, losses: dict[str, Tensor | list[Tensor]]) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum to differentiate, and the values to log.

        Logged are ``loss`` (the sum) and each part; the part that the head calls
        ``loss`` is logged as ``loss_cls`` when there are others. They are means
        over the processes, made with one all-reduce, and stay on the device.

        Args:
            losses (dict): Terms by name; those with ``loss`` in their name are
                added up.

        Returns:
            tuple: The sum, and a dict of detached scalars.
        """
        terms = {name: _mean(name, value) for name, value in losses.items()}
        parts = [name for name in terms if 'loss' in name]
        total = sum(terms[name] for name in parts)
        logged = dict(loss=total)
        for name, value in terms.items():
            if name != 'loss':
                logged[name] = value
            elif len(parts) > 1:
                logged['loss_cls'] = value
        values = torch.stack([value.detach().to(total.dtype) for value in logged.values()])
        if get_world_size() > 1:
            all_reduce(values, 'mean')
        return total, dict(zip(logged, values.unbind()))


def _built(part: dict | nn.Module | None) -> nn.Module | None:
    return MODELS.build(part) if isinstance(part, dict) else part


def _mean(name: str, value: Tensor | list[Tensor]) -> Tensor:
    if isinstance(value, Tensor):
        return value.mean()
    if isinstance(value, (list, tuple)) and all(isinstance(v, Tensor) for v in value):
        return sum(v.mean() for v in value)
    raise ConfigError(
        f"the loss term '{name}' must be a tensor or a list of tensors, but is {type(value).__name__}")
