"""Neural collapse of the features."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from mmengine import dist
from mmengine.device import get_device
from torch import Tensor

from ...distribution_aware import CountsLike
from ...registry import METRICS
from ...utils.errors import ConfigError, DataError
from ..functional.accuracy import predictions
from ..functional.neural_collapse import collapse_of_batches, simplex_angle
from .base import LongTailMetric, Records
from .feature_file import FeatureFile
from .growing_records import GrowingRecords


@METRICS.register_module()
class NeuralCollapse(LongTailMetric):
    """NC1 to NC4 of the features that the classifier sees, on the set that is evaluated.

    The keys: ``nc1``; ``nc2_norm_means`` and ``nc2_angle_means`` of the class means,
    ``nc2_norm_weights`` and ``nc2_angle_weights`` of the rows of the classifier;
    ``min_angle`` and ``mean_min_angle`` of the class means, in degrees; ``nc3``;
    ``nc4``, a share in [0, 1]. None is a percentage. Definitions and sources are in
    :mod:`ltkit.evaluation.functional.neural_collapse`. A key is absent when there is
    nothing to measure, as ``nc3`` of a classifier that has no row for each class.
    Class means are those of the evaluated set; predictions are those of the model,
    post-hoc rules included. Rows are what the logits are products with; those of a
    classifier that normalises or adjusts its products (cosine, causal, DisAlign, dual
    head) are taken as they are. On the training set: :class:`~ltkit.engine.hooks.NeuralCollapseHook`.

    ``needs_features`` lets ``FeaturesForMetricsHook``, which is on by default, have
    the model give ``features`` with its predictions, and hand over the rows of its
    classifier. Features and rows of several experts are put one beside the other,
    which is exact for the mean of linear classifiers.

    Exact on any number of processes and without holding the features: they go
    through a temporary file (4 d bytes a sample: 164 MB for the 20,000 images of
    ImageNet-LT's validation set and 2,048 channels), and memory is that of a few
    arrays of the size of the class means. Sums of features are in float64.

    Args:
        divide_by_classes (bool): Whether ``nc1`` has the factor 1 / K of Papyan et al.
            The code of Liu et al. has not. Defaults to True.
        folder (str, optional): Where the temporary file is. Defaults to the system's
            folder for such (``TMPDIR``).
        class_counts (optional): Not used.
        prefix (str, optional): Prefix of the keys. Defaults to 'neural_collapse'.

    Raises:
        ConfigError: ``folder`` is not there.
        DataError: A sample has no features, or there are samples of one class alone.
    """

    default_prefix = 'neural_collapse'
    needs_features = True
    conformance = dict(options=dict(tolerance=1e-10))  # processes add up features, which are no whole numbers

    def __init__(self,
                 divide_by_classes: bool = True,
                 folder: str | os.PathLike | None = None,
                 class_counts: CountsLike | None = None,
                 prefix: str | None = None) -> None:
        super().__init__(class_counts, prefix)
        self.divide_by_classes = divide_by_classes
        if folder is not None and not os.path.isdir(folder):
            raise ConfigError(f"folder of NeuralCollapse must be a folder that is there, but is '{folder}'")
        self.folder = folder
        self.weight: Tensor | None = None
        self._clear()

    def set_classifier(self, weight: Tensor | None) -> None:
        """The rows of the classifier, shape ``(C, d)``; None if it has none."""
        self.weight = weight

    def record(self, data_samples: Sequence[dict]) -> Records:
        """Write the features to the file; keep label and prediction of each sample."""
        if not self.results:
            self._clear()
        scores = self.stacked_scores(data_samples)
        labels = self.stacked_labels(data_samples, scores.size(1))
        features = self._stacked_features(data_samples)
        if self._file is None:
            self._file = FeatureFile(self.folder)
        try:
            self._file.append(features)
        except ValueError as error:
            raise DataError(f'NeuralCollapse: the features of the samples are of different lengths; {error}') from error
        self._rows.append(dict(label=labels.numpy(), prediction=predictions(scores)))
        self._num_classes = scores.size(1)
        return dict(label=labels.numpy())

    def gather_sums(self, counted: np.ndarray) -> None:
        """Measure, together with the other processes."""
        known = [shape for shape in dist.all_gather_object(self._shape()) if shape is not None]
        if len(set(known)) > 1:
            raise DataError(f'NeuralCollapse: the processes have classes and channels {sorted(set(known))}')
        weight = self.weight if self.weight is not None and tuple(self.weight.shape) == known[0] else None
        try:
            self._measured = collapse_of_batches(lambda: self._batches(counted), *known[0], weight, _sum_over_processes,
                                                 self.divide_by_classes)
        finally:
            self._clear()

    def compute(self, records: Records) -> dict[str, float]:
        """What :meth:`gather_sums` has measured."""
        number = len(np.unique(records['label']))
        if number < 2:
            raise DataError('NeuralCollapse needs samples of two classes or more, but all are of one')
        self.details = dict(classes=number, samples=len(records['label']), simplex_angle=simplex_angle(number))
        return self._measured

    def _stacked_features(self, data_samples: Sequence[dict]) -> np.ndarray:
        missing = next((sample for sample in data_samples if sample.get('features') is None), None)
        if missing is not None:
            raise DataError('NeuralCollapse reads the features of each sample, but a sample has '
                            f"{', '.join(sorted(missing))}; keep FeaturesForMetricsHook among the hooks, with a model "
                            'of ltkit (ImageRecognizer or alike), or write features in predict()')
        features = torch.stack([torch.as_tensor(sample['features']).detach().flatten() for sample in data_samples])
        return features.cpu().to(torch.promote_types(features.dtype, torch.float32)).numpy()

    def _shape(self) -> tuple[int, int] | None:
        return None if self._file is None else (self._num_classes, self._file.num_channels)

    def _batches(self, counted: np.ndarray) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Of this process: features on the device, labels, predictions; without the samples that do not count."""
        if self._file is None:
            return
        device = get_device() if torch.cuda.is_available() else 'cpu'  # others have no float64
        kept, start = self._rows.arrays(), 0
        labels, predicted = torch.from_numpy(kept['label']), torch.from_numpy(kept['prediction'])
        for features in self._file.chunks():
            rows = slice(start, start + len(features))
            keep = counted[rows]
            start = rows.stop
            if keep.any():
                yield torch.from_numpy(features[keep]).to(device), labels[rows][keep], predicted[rows][keep]

    def _clear(self) -> None:
        if getattr(self, '_file', None) is not None:
            self._file.close()
        self._file: FeatureFile | None = None
        self._rows = GrowingRecords()  # of label and prediction, beside those of the file


def _sum_over_processes(tensor: Tensor) -> Tensor:
    total = tensor.clone()
    dist.all_reduce(total)
    return total
