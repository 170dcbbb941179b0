"""The classifier of the nearest class mean."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from ltkit.registry import CLASSIFIERS
from ltkit.utils.arguments import checked_choice
from ltkit.utils.errors import ConfigError, DataError, TrainingError

from .checks import check_sizes
from .cosine_classifier import unit_rows

NORMALIZATIONS = ('cl2n', 'l2n', 'un')
SIMILARITIES = ('euclidean', 'cosine', 'dot')
NAMED = 10  # classes in a message
BELOW = 1e4  # how far the logit of a class without a mean is below all others: its softmax is 0


@CLASSIFIERS.register_module()
class NCMClassifier(nn.Module):
    r"""Nearest class mean: a sample is of the class whose mean feature is nearest.

    .. math:: z_c = -\lVert x' - \mu_c \rVert^2, \quad \mu_c = \frac{1}{n_c} \sum_{i: y_i = c} x'_i

    over the training set, with features :math:`x'` by ``normalization``:

    ========== ======================================================================
    ``'cl2n'`` :math:`(x - m) / \lVert x - m \rVert`, m the mean of all features
    ``'l2n'``  :math:`x / \lVert x \rVert`
    ``'un'``   x
    ========== ======================================================================

    A mean of unit vectors is shorter than one and stays so, as in the official
    code. It has no parameters and learns by no gradient: ``train_cfg =
    dict(type='FitLoop')`` fits it to a trained model (``load_from``), in two
    passes over the training set for ``'cl2n'`` and in one for the others. Sums are
    float64, so that the means of several processes are those of one. Until then
    there are no logits.

    A class without a training sample has no mean and is never predicted: its logit
    is :math:`\min_k z_k - |\min_k z_k| - 10^4`, the minimum over the classes with
    one, which is finite and has a softmax of 0. A feature of zeros stays one.

    Source: Kang et al., *Decoupling Representation and Classifier*, ICLR 2020,
    arXiv 1910.09217, with the normalisations of Wang et al., *SimpleShot*, arXiv
    1911.04623.

    Args:
        num_classes (int): C.
        in_channels (int): d, the length of a feature.
        normalization (str): See above. Defaults to ``'cl2n'``, the default of the
            official code.
        similarity (str): ``'euclidean'``, as above; ``'cosine'``, which the paper
            names as well, :math:`z_c = \cos(x', \mu_c)`; or ``'dot'``, which the official
            code has under that name, :math:`z_c = x'^\top \mu_c / d`. Defaults to
            ``'euclidean'``.

    Shape:
        ``(N, d)`` to ``(N, C)``. Buffers: ``means`` ``(C, d)``, ``feature_mean`` (m)
        ``(d,)`` and ``class_samples`` (:math:`n_c`) int64 ``(C,)``.

    Raises:
        ConfigError: An argument is not as above, or logits are asked for before
            the fit.
    """

    scale = 1.0
    means: Tensor
    feature_mean: Tensor
    class_samples: Tensor

    def __init__(self, num_classes: int, in_channels: int, normalization: str = 'cl2n',
                 similarity: str = 'euclidean') -> None:
        check_sizes(num_classes, in_channels)
        super().__init__()
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.normalization = checked_choice('normalization', normalization, NORMALIZATIONS)
        self.similarity = checked_choice('similarity', similarity, SIMILARITIES)
        self.register_buffer('means', torch.zeros(num_classes, in_channels))
        self.register_buffer('feature_mean', torch.zeros(in_channels))
        self.register_buffer('class_samples', torch.zeros(num_classes, dtype=torch.int64))
        self.fitted = False
        self._pass_index = 0
        self._sums: Tensor | None = None  # of this pass, by class
        self._samples: Tensor | None = None

    # ------------------------------------------------------------------ forward
    def forward(self, features: Tensor) -> Tensor:
        """Logits ``(N, C)`` of features ``(N, d)``, float32 or float64.

        Raises:
            ConfigError: It is not fitted.
        """
        if not self.fitted:
            raise ConfigError("NCMClassifier has no class means yet: they are fitted, not trained; set train_cfg="
                              "dict(type='FitLoop') and load_from, or load a checkpoint that has them")
        with torch.autocast(features.device.type, enabled=False):
            dtype = torch.promote_types(features.dtype, torch.float32)
            logits = self._logits(self.normalized(features.to(dtype)), self.means.to(dtype))
            present = self.class_samples > 0
            lowest = logits.masked_fill(~present, float('inf')).amin(dim=1, keepdim=True)
            return torch.where(present, logits, lowest - lowest.abs() - BELOW)

    def normalized(self, features: Tensor) -> Tensor:
        """The features :math:`x'`, shape ``(N, d)``."""
        if self.normalization == 'un':
            return features
        if self.normalization == 'cl2n':
            features = features - self.feature_mean.to(features.dtype)
        return unit_rows(features)

    def _logits(self, features: Tensor, means: Tensor) -> Tensor:
        if self.similarity == 'cosine':
            return unit_rows(features) @ unit_rows(means).T
        products = features @ means.T
        if self.similarity == 'dot':
            return products / self.in_channels
        return 2 * products - features.square().sum(dim=1, keepdim=True) - means.square().sum(dim=1)

    # ---------------------------------------------------------------------- fit
    @property
    def fit_passes(self) -> int:
        """Passes over the training set: the mean of all features is known before that of a class."""
        return 2 if self.normalization == 'cl2n' else 1

    def begin_fit(self, pass_index: int) -> None:
        """See :class:`~ltkit.models.fitted.Fitted`."""
        self.fitted = False
        self._pass_index = pass_index
        device = self.means.device
        self._sums = torch.zeros(self.num_classes, self.in_channels, dtype=torch.float64, device=device)
        self._samples = torch.zeros(self.num_classes, dtype=torch.int64, device=device)

    @torch.no_grad()
    def fit(self, features: Tensor, labels: Tensor) -> None:
        """Take in features ``(N, d)`` of labels ``(N,)``.

        Raises:
            ConfigError: Other shapes, or no pass has begun.
        """
        if self._sums is None or self._samples is None:
            raise ConfigError('NCMClassifier.fit() comes after begin_fit()')
        if features.dim() != 2 or features.size(1) != self.in_channels or labels.shape != features.shape[:1]:
            raise ConfigError(f'NCMClassifier is fitted to features (N, {self.in_channels}) of labels (N,), but gets '
                              f'{tuple(features.shape)} and {tuple(labels.shape)}')
        features = features.to(self._sums)
        labels = labels.to(self._sums.device)
        if self._pass_index == self.fit_passes - 1:  # before that it is the mean of all features that is found
            features = self.normalized(features)
        self._sums.index_add_(0, labels, features)
        self._samples += torch.bincount(labels, minlength=self.num_classes)

    @torch.no_grad()
    def end_fit(self, pass_index: int, reduce: Callable[[Tensor], Tensor]) -> None:
        """See :class:`~ltkit.models.fitted.Fitted`.

        Raises:
            DataError: There was no sample.
            TrainingError: A feature was not finite.
        """
        sums, samples = reduce(self._sums), reduce(self._samples)
        total = int(samples.sum())
        if total == 0:
            raise DataError('NCMClassifier has nothing to fit: there was no training sample')
        bad = (~sums.isfinite().all(dim=1)).nonzero().flatten().tolist()
        if bad:
            raise TrainingError(f'NCMClassifier: features of class {bad[0]} are not finite ({len(bad)} such classes); '
                                'the model has diverged, or its checkpoint is damaged')
        self._sums = self._samples = None
        if pass_index < self.fit_passes - 1:
            self.feature_mean.copy_(sums.sum(dim=0) / total)
            return
        self.means.copy_(sums / samples.clamp(min=1)[:, None])
        self.class_samples.copy_(samples)
        self.fitted = True
        absent = (samples == 0).nonzero().flatten().tolist()
        if absent:
            named = ', '.join(map(str, absent[:NAMED])) + (', ...' if len(absent) > NAMED else '')
            print_log(f'NCMClassifier: {len(absent)} of {self.num_classes} classes have no training image and are '
                      f'never predicted: {named}', 'current', level=logging.WARNING)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        if prefix + 'class_samples' in state_dict:
            self.fitted = bool((self.class_samples > 0).any())

    def extra_repr(self) -> str:
        return (f'num_classes={self.num_classes}, in_channels={self.in_channels}, '
                f'normalization={self.normalization!r}, similarity={self.similarity!r}')
