"""The base of ltkit's metrics: every sample counts once, on any number of processes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine import dist
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from ...distribution_aware import CountsLike, DistributionAware
from ...utils.errors import DataError, TrainingError
from .growing_records import GrowingRecords, Records

SAMPLE_IDX = 'sample_idx'
NO_INDEX = -1
SUM_TOLERANCE = 0.02  # of probabilities in half precision


class LongTailMetric(DistributionAware, BaseMetric):
    """A metric that keeps small records of each sample and gathers them.

    A subclass says in :meth:`record` what it keeps of a batch (arrays of n rows)
    and in :meth:`compute` what it makes of the records of the whole test set.
    In between, the records of all processes are gathered, and each sample is
    taken once: what a distributed sampler added to give every process the same
    number is removed by ``sample_idx``. Without ``sample_idx`` mmengine's rule
    holds, which interleaves the processes and cuts at the size of the data set.
    So the result does not depend on the number of processes.

    All processes compute the metrics, so that an error is seen by all.

    What :meth:`compute` leaves in ``details``, plain data by name, ``ResultsHook``
    writes into ``results.json`` under the prefix of the metric.

    Args:
        class_counts (optional): Counts of the training set, or the path of a
            file of them. Defaults to None: ``ClassDistributionHook`` gives them.
        prefix (str, optional): Prefix of the keys. Defaults to the class's own.
    """

    def __init__(self, class_counts: CountsLike | None = None, prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.init_class_counts(class_counts)
        self.details: dict[str, Any] = {}

    @property
    def _name(self) -> str:
        return type(self).__name__

    @abstractmethod
    def record(self, data_samples: Sequence[dict]) -> Records:
        """What to keep of a batch: name to an array of one row a sample."""

    @abstractmethod
    def compute(self, records: Records) -> dict[str, float]:
        """The metrics of the whole test set, each sample once."""

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the records of a batch.

        Args:
            data_batch: Not used.
            data_samples (Sequence[dict]): Predictions with their ground truth,
                as mmengine's ``Evaluator`` passes them.
        """
        if data_samples:
            records = self.record(data_samples)
            indices = [sample.get(SAMPLE_IDX, NO_INDEX) for sample in data_samples]
            records[SAMPLE_IDX] = np.array(indices, dtype=np.int64)
            if not self.results:
                self.results.append(GrowingRecords())
            self.results[0].append(records)

    def compute_metrics(self, results: list[Records]) -> dict[str, float]:
        """The metrics of a list of records; see :meth:`compute`."""
        return self.compute(_concatenated(results))

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather the records of all processes and compute the metrics.

        Args:
            size (int): Number of samples of the test set.

        Returns:
            dict[str, float]: The same on all processes.

        Raises:
            DataError: No process has recorded a sample.
        """
        parts = dist.all_gather_object(self.results[0].arrays() if self.results else {})
        self.results.clear()
        lengths = [len(part.get(SAMPLE_IDX, ())) for part in parts]
        if not sum(lengths):
            raise DataError(f'{self._name} has seen no sample; is the test set empty?')
        records = _concatenated([part for part in parts if part])
        keep = self._each_sample_once(records[SAMPLE_IDX], lengths, size)
        counted = np.isin(np.arange(sum(lengths)), keep)
        own = sum(lengths[:dist.get_rank()])
        self.gather_sums(counted[own:own + lengths[dist.get_rank()]])
        metrics = self.compute_metrics([{name: values[keep] for name, values in records.items()}])
        return {f'{self.prefix}/{key}' if self.prefix else key: value for key, value in metrics.items()}

    def gather_sums(self, counted: np.ndarray) -> None:
        """Add up what the processes hold besides records; called before :meth:`compute`.

        Args:
            counted (ndarray): Whether each sample that this process has recorded,
                in that order, is counted here; bool, shape ``(n,)``.
        """

    def _each_sample_once(self, indices: np.ndarray, lengths: list[int], size: int) -> np.ndarray:
        """Rows of the joined records to keep, in the order of the data set."""
        unique, first = np.unique(indices, return_index=True)
        if NO_INDEX not in unique and (len(unique) >= size or len(indices) < size):
            keep = first  # ascending sample_idx: the order of the data set
        else:
            if NO_INDEX not in unique:
                print_log(f'{self._name}: {len(indices)} samples have only {len(unique)} different '
                          f'sample_idx (a test set joined of several?); the first {size} are taken',
                          'current')
            keep = _interleaved(lengths)[:size]
        if len(keep) != size:
            print_log(f'{self._name}: {len(keep)} samples were evaluated, the test set has {size}',
                      'current', level=30)
        return keep

    def stacked_scores(self, data_samples: Sequence[dict]) -> Tensor:
        """``pred_score`` of a batch, shape ``(n, C)``.

        Raises:
            DataError: A sample has no scores.
            TrainingError: A score is NaN.
        """
        missing = next((s for s in data_samples if s.get('pred_score') is None), None)
        if missing is not None:
            there = ', '.join(sorted(missing)) or 'nothing'
            raise DataError(f"{self._name} reads 'pred_score' of each sample, but sample {_which(missing)} "
                            f"has {there}; does the head's predict() set it?")
        scores = torch.stack([torch.as_tensor(s['pred_score']).detach().flatten() for s in data_samples])
        bad = scores.sum(1).isnan()  # a sum is far quicker to look at than all scores
        if bad.any():
            bad = scores.isnan().any(dim=1)
        if bad.any():
            sample = data_samples[int(bad.nonzero()[0])]
            raise TrainingError(f'{self._name}: the scores of sample {_which(sample)} are NaN; the model '
                                'has diverged or the checkpoint is damaged')
        return scores

    def stacked_probabilities(self, data_samples: Sequence[dict]) -> Tensor:
        """:meth:`stacked_scores` that are probabilities.

        Raises:
            DataError: The scores of a sample are negative, or do not add up to 1.
        """
        scores = self.stacked_scores(data_samples)
        totals = scores.sum(1, dtype=torch.float32)
        bad = ((totals - 1).abs() > SUM_TOLERANCE) | (scores.amin(1) < 0)
        if bad.any():
            place = int(bad.nonzero()[0])
            raise DataError(f'{self._name} needs probabilities, but the scores of sample '
                            f'{_which(data_samples[place])} add up to {float(totals[place]):.4g}, the least '
                            f'is {float(scores[place].min()):.4g}; let predict() take the softmax of logits')
        return scores

    def stacked_labels(self, data_samples: Sequence[dict], num_classes: int) -> Tensor:
        """``gt_label`` of a batch, int64, shape ``(n,)``.

        Raises:
            DataError: A sample has no label, more than one, or one out of range.
        """
        labels = []
        for sample in data_samples:
            label = torch.as_tensor(sample.get('gt_label', [])).flatten()
            if label.numel() != 1:
                raise DataError(f'{self._name} needs one gt_label a sample, but sample {_which(sample)} '
                                f'has {label.numel()}')
            if not 0 <= int(label) < num_classes:
                raise DataError(f'{self._name}: label {int(label)} of sample {_which(sample)} is out of '
                                f'range; the model scores {num_classes} classes, 0 to {num_classes - 1}')
            labels.append(int(label))
        return torch.tensor(labels, dtype=torch.int64)


def _concatenated(parts: Sequence[Records]) -> Records:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}


def _interleaved(lengths: list[int]) -> np.ndarray:
    """Rows of the joined parts in the order 0th of each part, 1st of each part, ..."""
    starts = np.cumsum([0, *lengths[:-1]])
    position = np.concatenate([np.arange(length) for length in lengths])
    part = np.repeat(np.arange(len(lengths)), lengths)
    return (starts[part] + position)[np.lexsort((part, position))]


def _which(sample: dict) -> str:
    """The image path or index of a sample, for a message."""
    return str(sample.get('img_path') or sample.get(SAMPLE_IDX, '?'))
