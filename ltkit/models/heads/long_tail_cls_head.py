"""The classification head, composed of a classifier, a loss and more."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ltkit.distribution_aware import DistributionAware
from ltkit.models.posthoc import PosthocRule, apply_rules, need_features
from ltkit.models.regularizers import Regularizer
from ltkit.models.targets import check_labels, gather_targets
from ltkit.registry import CLASSIFIERS, HEADS, LOSSES, POSTHOC, REGULARIZERS
from ltkit.structures import DataSample
from ltkit.utils.errors import ConfigError

PartCfg = dict | nn.Module


@HEADS.register_module()
class LongTailClsHead(BaseModule):
    """Any classifier with any loss, regularisers and post-hoc rules.

    Example:
        >>> head = dict(type='LongTailClsHead', num_classes=100, in_channels=64,
        ...             classifier=dict(type='CosineClassifier', scale=30),
        ...             loss=dict(type='LDAMLoss', drw=dict(begin=160)))

    Args:
        num_classes (int): C. Given once; the classifier receives it.
        in_channels (int): Channels d of the features. Given once, too.
        classifier (dict or nn.Module, optional): The last layer, from features
            ``(N, d)`` to logits ``(N, C)`` at their final scale. Defaults to
            ``dict(type='LinearClassifier')``.
        loss (dict or nn.Module, optional): Called as ``loss(cls_score,
            target)``, and with ``features=(N, d)`` if its ``needs_features`` is
            True. A loss that has ``set_scale`` receives the scale of the
            classifier, unless it was given a ``scale`` in its place (its
            ``scale_given`` is not False). Defaults to ``dict(type='SoftmaxLoss')``.
        regularizers (dict, nn.Module or list of them, optional): Each is called
            as ``reg(features=(N, d), logits=(N, C), target=...)`` and added to
            the loss under ``loss_<its name>``; one that takes ``num_classes`` or
            ``in_channels`` receives them, and one that has ``set_head`` the head.
        posthoc (dict, nn.Module or list of them, optional): Each maps logits to
            logits, one after the other, in prediction alone.
        topk (int or Sequence[int]): The k of the training accuracies.
            Defaults to (1,).
        cal_acc (bool): Whether to log the accuracy of the training batches;
            skipped for soft labels. Defaults to False.
        init_cfg (dict, optional): Initialisation of mmengine.

    Raises:
        ConfigError: A part contradicts ``num_classes`` or ``in_channels``, or
            the loss is a regulariser.
    """

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 classifier: PartCfg | None = None,
                 loss: PartCfg | None = None,
                 regularizers: PartCfg | Sequence[PartCfg] | None = None,
                 posthoc: PartCfg | Sequence[PartCfg] | None = None,
                 topk: int | Sequence[int] = (1, ),
                 cal_acc: bool = False,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        for name, value in (('num_classes', num_classes), ('in_channels', in_channels)):
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f'head.{name} must be a whole number from 1 on, but is {value!r}')
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.topk = (topk, ) if isinstance(topk, int) else tuple(topk)
        self.cal_acc = cal_acc
        self.init_classifier(dict(type='LinearClassifier') if classifier is None else classifier)
        self.init_loss(dict(type='SoftmaxLoss') if loss is None else loss)
        self.regularizers = nn.ModuleDict()
        for part in _as_list(regularizers):
            part = self.build_regularizer(part)
            self.regularizers[_free_name(_snake(part), self.regularizers)] = part
            if hasattr(part, 'set_head'):
                part.set_head(self)
        self.posthoc = self.build_posthoc(_as_list(posthoc))

    # ---------------------------------------------------------------- parts
    def init_classifier(self, classifier: PartCfg) -> None:
        """Make ``self.classifier``."""
        self.classifier = self.build_classifier(classifier)

    def build_classifier(self, classifier: PartCfg) -> nn.Module:
        """Build one classifier for this head's ``num_classes`` and ``in_channels``.

        Raises:
            ConfigError: The classifier states other numbers.
        """
        self.check_sizes(classifier, 'the classifier')
        return classifier if isinstance(classifier, nn.Module) else CLASSIFIERS.build({**classifier, **self.sizes})

    def build_regularizer(self, part: PartCfg) -> nn.Module:
        """Build one regulariser, with this head's ``num_classes`` and ``in_channels`` where it takes them.

        Raises:
            ConfigError: The regulariser states other numbers.
        """
        name = type(part).__name__ if isinstance(part, nn.Module) else part.get('type')
        self.check_sizes(part, f'the regulariser {name}')
        if isinstance(part, nn.Module):
            return part
        kind = REGULARIZERS.get(name) if isinstance(name, str) else name
        takes = inspect.signature(kind).parameters if kind is not None else ()
        return REGULARIZERS.build({**part, **{key: value for key, value in self.sizes.items() if key in takes}})

    @property
    def sizes(self) -> dict[str, int]:
        """``num_classes`` and ``in_channels``, by name."""
        return dict(num_classes=self.num_classes, in_channels=self.in_channels)

    def check_sizes(self, part: PartCfg, what: str) -> None:
        """Raise :class:`ConfigError` if a part states other ``sizes`` than the head."""
        for key, value in self.sizes.items():
            stated = getattr(part, key, value) if isinstance(part, nn.Module) else part.get(key, value)
            if stated != value:
                raise ConfigError(f'head.{key} is {value}, but {what} has {stated}; give {key} once, in the head')

    def build_posthoc(self, parts: Sequence[PartCfg]) -> nn.ModuleList:
        """Post-hoc rules for the logits of this head, in their order."""
        rules = nn.ModuleList(POSTHOC.build(part) if isinstance(part, dict) else part for part in parts)
        for i, rule in enumerate(rules):
            if isinstance(rule, PosthocRule):
                rule.set_head(self, before=i)
        return rules

    def init_loss(self, loss: PartCfg) -> None:
        """Make ``self.loss_module`` and give it the scale of the classifier."""
        given = isinstance(loss, dict) and loss.get('scale') is not None
        self.loss_module = LOSSES.build(loss) if isinstance(loss, dict) else loss
        if isinstance(self.loss_module, Regularizer):
            name = type(self.loss_module).__name__
            raise ConfigError(f"head.loss is {name}, a regulariser of the features; give it beside a loss, as "
                              f"head.regularizers=[dict(type='{name}')]")
        given = getattr(self.loss_module, 'scale_given', given)
        if hasattr(self.loss_module, 'set_scale') and not given and self.logit_scale is not None:
            self.loss_module.set_scale(self.logit_scale)
        # mmpretrain's losses divide by the batch size through avg_factor; ours by what their equation says.
        takes = inspect.signature(self.loss_module.forward).parameters
        self._pass_batch_size = 'avg_factor' in takes and not isinstance(self.loss_module, DistributionAware)

    @property
    def logit_scale(self) -> float | None:
        """The ``scale`` of the classifier's logits, if it tells it."""
        return getattr(self.classifier, 'scale', None)

    def class_vectors(self) -> Tensor | None:
        """The rows of the classifier, shape ``(C, d)``; None if its logits are made in another way."""
        return class_vectors_of(self.classifier)

    # -------------------------------------------------------------- forward
    def pre_logits(self, feats: Sequence[Tensor]) -> Tensor:
        """The features that the classifier sees.

        Args:
            feats (Sequence[Tensor]): From the neck; the last one is used.

        Returns:
            Tensor: Shape ``(N, d)``.

        Raises:
            ConfigError: They are maps, or not of ``in_channels``.
        """
        return self.check_features(feats[-1])

    def check_features(self, features: Tensor) -> Tensor:
        """``features``, when they have shape ``(N, in_channels)``."""
        if features.dim() != 2:
            raise ConfigError(
                f'{type(self).__name__} takes features (N, C), but gets {tuple(features.shape)}; put '
                "neck=dict(type='GlobalAveragePooling') between backbone and head")
        if features.size(1) != self.in_channels:
            raise ConfigError(
                f'head.in_channels is {self.in_channels}, but the features have {features.size(1)} channels; '
                f'set in_channels={features.size(1)}')
        return features

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Features to logits, shape ``(N, C)``, without post-hoc rules."""
        return self.classifier(self.pre_logits(feats))

    def loss(self, feats: Sequence[Tensor], data_samples: Sequence[Any], **kwargs: Any) -> dict[str, Tensor]:
        """The loss terms of a batch.

        Args:
            feats (Sequence[Tensor]): From the neck.
            data_samples (Sequence): N samples with ``gt_label`` or, when images
                are mixed, ``gt_score``.
            **kwargs: Handed to the loss, for example ``weight``.

        Returns:
            dict: ``loss``, one ``loss_<name>`` a regulariser, and
            ``accuracy_top<k>`` when ``cal_acc``.
        """
        features = self.pre_logits(feats)
        logits = self.classifier(features)
        return self.loss_terms(features, logits, self.gather_targets(data_samples, logits), **kwargs)

    def loss_terms(self, features: Tensor, logits: Tensor, target: Tensor, **kwargs: Any) -> dict[str, Tensor]:
        """The loss terms of features ``(N, d)``, their logits ``(N, C)`` and targets; see :meth:`loss`."""
        if getattr(self.loss_module, 'needs_features', False):
            kwargs['features'] = features
        losses = dict(loss=self.compute_loss(logits, target, **kwargs))
        losses.update({
            f'loss_{name}': part(features=features, logits=logits, target=target)
            for name, part in self.regularizers.items() if getattr(part, 'has_penalty', True)
        })
        losses.update(self.training_accuracy(logits, target))
        return losses

    def gather_targets(self, data_samples: Sequence[Any], logits: Tensor) -> Tensor:
        """The targets of a batch on the device of ``logits``, ``(N,)`` or ``(N, C)``."""
        target = gather_targets(data_samples)
        check_labels(target, self.num_classes, data_samples)
        return target.to(logits.device, non_blocking=True)

    def compute_loss(self, logits: Tensor, target: Tensor, **kwargs: Any) -> Tensor:
        """Call the loss; logits ``(N, C)``."""
        if self._pass_batch_size:
            kwargs.setdefault('avg_factor', target.size(0))
        return self.loss_module(logits, target, **kwargs)

    @torch.no_grad()
    def training_accuracy(self, logits: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Per cent of the batch whose class is among the first k; logits ``(N, C)``, none for soft labels."""
        if not self.cal_acc or target.dim() != 1:
            return {}
        order = logits.topk(min(max(self.topk), self.num_classes), dim=-1).indices
        hits = order == target[:, None]
        return {f'accuracy_top{k}': hits[:, :k].any(1).float().mean() * 100 for k in self.topk}

    # ----------------------------------------------------------- prediction
    def predict(self,
                feats: Sequence[Tensor],
                data_samples: Sequence[Any] | None = None) -> list[DataSample]:
        """Predict a batch.

        Args:
            feats (Sequence[Tensor]): From the neck.
            data_samples (Sequence, optional): N samples to write to; new ones
                by default.

        Returns:
            list[DataSample]: With ``pred_score``, probabilities ``(C,)`` after
            the post-hoc rules, and ``pred_label``, ``(1,)``; on the host, moved
            there in one transfer.
        """
        return self.to_samples(self.predict_logits(feats), data_samples)

    def predict_logits(self, feats: Sequence[Tensor]) -> Tensor:
        """Logits ``(N, C)`` after the post-hoc rules."""
        return self.apply_posthoc(self(feats), self.pre_logits(feats) if need_features(self.posthoc) else None)

    def apply_posthoc(self, logits: Tensor, features: Tensor | None = None) -> Tensor:
        """The post-hoc rules, one after the other; float32 at least. For ``features`` see ``apply_rules``."""
        return apply_rules(self.posthoc, logits if logits.dtype == torch.float64 else logits.float(), features)

    @staticmethod
    def to_samples(logits: Tensor, data_samples: Sequence[Any] | None = None) -> list[DataSample]:
        """Logits ``(N, C)`` to N data samples."""
        scores = logits.detach().softmax(-1).cpu()
        labels = scores.argmax(-1, keepdim=True)
        if data_samples is None:
            data_samples = [DataSample() for _ in range(len(scores))]
        for sample, score, label in zip(data_samples, scores, labels):
            sample.pred_score = score
            sample.pred_label = label
        return list(data_samples)


def class_vectors_of(classifier: nn.Module) -> Tensor | None:
    """Its ``class_vectors`` if it says what they are, else its weight, shape ``(C, d)``; None if there are none."""
    name = 'class_vectors' if hasattr(classifier, 'class_vectors') else 'weight'
    vectors = getattr(classifier, name, None)
    return vectors.detach() if isinstance(vectors, Tensor) and vectors.dim() == 2 else None


def _as_list(parts: Any) -> list[Any]:
    if parts is None:
        return []
    return list(parts) if isinstance(parts, (list, tuple, nn.ModuleList)) else [parts]


def _snake(part: nn.Module) -> str:
    """``NeuralCollapseRegularizer`` -> ``neural_collapse_regularizer``, of one or of those of several experts."""
    part = part[0] if isinstance(part, nn.ModuleList) else part
    return re.sub(r'(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])', '_', type(part).__name__).lower()


def _free_name(name: str, taken: nn.ModuleDict) -> str:
    number = sum(key == name or key.startswith(f'{name}_') for key in taken)
    return f'{name}_{number + 1}' if number else name
