"""The classifier of OLTR, with meta-embedding and a memory of centroids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltkit.registry import CLASSIFIERS
from ltkit.utils.arguments import checked_number
from ltkit.utils.errors import ConfigError

from .cosine_classifier import CosineClassifier
from .linear_based import LinearBased

EXACT = 'donot_use_mm_for_euclid_dist'


@CLASSIFIERS.register_module()
class OLTRClassifier(LinearBased):
    r"""A feature is enriched from a memory of class centroids, and weighed by how near they are.

    .. math:: v = \frac{\rho}{\min_k \lVert h - c_k \rVert} \left(h + \tanh(W_e h + b_e) \odot
              \sum_k \text{softmax}_k(W h + b) \, c_k \right), \qquad
              z_c = s \frac{\lVert v \rVert}{1 + \lVert v \rVert} \cos(v, w_c)

    The factor before the bracket is the reachability: a feature far from all
    centroids gets a short embedding and small logits. W and b, the hallucinator,
    have the names of a linear classifier and go on from the one of the first stage.

    The centroids :math:`c_k` are constants of these equations. They begin as the mean
    features of the classes, which :class:`~ltkit.engine.hooks.FitHook` takes before the
    first step of training, and learn by
    :class:`~ltkit.models.regularizers.DiscriminativeCentroidLoss`, if the head has it, at
    a rate of their own, on the schedule of the config and with its weight decay.

    Computed in float32 at least, also under autocast; a distance below 1e-6 counts as
    that much.

    Source: Liu et al., *Large-Scale Long-Tailed Recognition in an Open World*, CVPR
    2019, arXiv 1904.05160; the form is that of the official code.

    Args:
        num_classes (int): C.
        in_channels (int): d, the length of a feature.
        scale (float): s, above 0. Defaults to 16.
        reach (float): :math:`\rho`, above 0. Defaults to 10.
        centroid_lr (float): Learning rate of the centroids at the start, 0 or more.
            Defaults to 0.01.

    Shape:
        ``(N, d)`` to ``(N, C)``. ``weight`` and ``centroids`` have shape ``(C, d)``, ``bias``
        ``(C,)``. The centroids are drawn from N(0, 1) until they are fitted.

    Raises:
        ConfigError: A size, ``scale`` or ``reach`` is not above 0, or ``centroid_lr``
            below it.
    """

    fit_passes = 1
    fit_begins_training = True
    class_vectors = None  # none act on the features: those of the cosine are for the meta-embedding, which has a memory

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 scale: float = 16.0,
                 reach: float = 10.0,
                 centroid_lr: float = 0.01) -> None:
        super().__init__(num_classes, in_channels)
        self.reach = checked_number('reach of OLTRClassifier', reach)
        if not self.reach > 0:
            raise ConfigError(f'reach of OLTRClassifier must be above 0, but is {reach!r}')
        self.selector = nn.Linear(in_channels, in_channels)
        self.cosine = CosineClassifier(num_classes, in_channels, scale, squash=True)
        self.scale = self.cosine.scale
        # DiscriminativeCentroidLoss asks for the gradient
        self.centroids = nn.Parameter(torch.randn(num_classes, in_channels), requires_grad=False)
        centroid_lr = checked_number('centroid_lr of OLTRClassifier', centroid_lr)
        self.optimizer_options = {'centroids': dict(lr=centroid_lr, scheduled=True)}
        self.fitted = False
        self._sums: Tensor | None = None
        self._counts: Tensor | None = None

    def forward(self, features: Tensor) -> Tensor:
        """Logits ``(N, C)`` of features ``(N, d)``, float32 or float64."""
        with torch.autocast(features.device.type, enabled=False):
            return self.cosine(self.embedding(features.to(torch.promote_types(features.dtype, torch.float32))))

    def embedding(self, features: Tensor) -> Tensor:
        """The meta-embedding v, ``(N, d)``, of features ``(N, d)``."""
        centroids = self.centroids.detach().to(features.dtype)
        weight, bias = self.weight.to(features.dtype), self.bias.to(features.dtype)
        selected, shift = self.selector.weight.to(features.dtype), self.selector.bias.to(features.dtype)
        memory = F.linear(features, weight, bias).softmax(-1) @ centroids
        enriched = features + F.linear(features, selected, shift).tanh() * memory
        nearest = torch.cdist(features.detach(), centroids, compute_mode=EXACT).argmin(-1)
        squared = (features - centroids[nearest]).square().sum(-1, keepdim=True)
        return self.reach / squared.clamp(min=1e-12).sqrt() * enriched

    # ------------------------------------------------------------------ memory
    def begin_fit(self, pass_index: int) -> None:
        """Begin the means of the classes."""
        self.fitted = False
        self._sums = torch.zeros_like(self.centroids, dtype=torch.float64)
        self._counts = torch.zeros_like(self._sums[:, 0])

    @torch.no_grad()
    def fit(self, features: Tensor, labels: Tensor) -> None:
        """Take in features ``(N, d)`` with labels ``(N,)``."""
        self._sums.index_add_(0, labels, features.to(self._sums))
        self._counts += torch.bincount(labels, minlength=self.num_classes).to(self._counts)

    @torch.no_grad()
    def end_fit(self, pass_index: int, reduce: Callable[[Tensor], Tensor]) -> None:
        """Make the means the centroids; a class without a sample gets the mean of all samples."""
        sums, counts = reduce(self._sums), reduce(self._counts)
        overall = sums.sum(0) / counts.sum().clamp(min=1)
        means = torch.where(counts[:, None] > 0, sums / counts[:, None].clamp(min=1), overall)
        self.centroids.copy_(means)
        self._sums = self._counts = None
        self.fitted = True

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        self.fitted = self.fitted or prefix + 'centroids' in state_dict

    def extra_repr(self) -> str:
        return f'num_classes={self.num_classes}, in_channels={self.in_channels}, reach={self.reach:g}'
