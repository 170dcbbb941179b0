"""The survey's upper reference and relative accuracy."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...registry import METRICS
from ...utils.errors import ConfigError, DataError, did_you_mean
from ..functional import accuracy
from ..functional.relative_accuracy import relative_accuracy, upper_reference_accuracy
from .base import LongTailMetric, Records

Reference = float | str | os.PathLike
# Counts may differ by a sample, or by 10% where the pool has no more: else the set is not balanced.
SLACK = 1.1
WHERE = ('train the reference on the balanced set (balanced_reference=True of the data set) and give its '
         'top-1 accuracy in percent, or the path of its results.json')


@METRICS.register_module()
class RelativeAccuracy(LongTailMetric):
    r"""UA and RA of the survey, in percent: the keys ``ua`` and ``ra``.

    .. math:: A_u = \max(A_v, A_b), \qquad A_r = A_t / A_u

    with :math:`A_t` the top-1 accuracy that is evaluated here, of a method trained
    on the long-tailed set. The two references are trained on a balanced set of
    equally many images: what ``balanced_reference=True`` of ``CIFAR100LT`` and
    its kin draws, and the split ``'train_balanced'`` of ``ImageNetLT``. Zhang et
    al., TPAMI 2023, arXiv 2110.04596.

    After :meth:`evaluate`, ``details`` has all four accuracies and where they are
    from.

    Args:
        backbone_reference (float or str): :math:`A_v`, of the backbone trained
            with plain cross-entropy: percent, or the path of the run's
            ``results.json`` or its folder.
        method_reference (float or str): :math:`A_b`, of the method itself,
            likewise. For plain cross-entropy both are the same run.
        key (str): Metric that is read from the file. Defaults to
            'accuracy/top1'.
        prefix (str, optional): Prefix of the keys. Defaults to 'relative'.

    Raises:
        ConfigError: A reference is not given, or is not in percent.
        DataError: A file is missing, has no such metric, or is of a run on a
            training set that is not balanced.
    """

    default_prefix = 'relative'
    conformance = dict(kwargs=dict(backbone_reference=80.0, method_reference=82.5))

    def __init__(self,
                 backbone_reference: Reference | None = None,
                 method_reference: Reference | None = None,
                 key: str = 'accuracy/top1',
                 prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        given = dict(backbone_reference=backbone_reference, method_reference=method_reference)
        missing = [name for name, value in given.items() if value is None]
        if missing:
            raise ConfigError(f'RelativeAccuracy needs {" and ".join(missing)}; {WHERE}')
        self.references = {name: reference_accuracy(value, name, key) for name, value in given.items()}
        self.sources = {name: os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
                        for name, value in given.items()}

    def record(self, data_samples: Sequence[dict]) -> Records:
        """Whether each sample is a hit."""
        scores = self.stacked_scores(data_samples)
        labels = self.stacked_labels(data_samples, scores.size(1))
        return dict(hit=accuracy.predictions(scores) == labels.numpy())

    def compute(self, records: Records) -> dict[str, float]:
        """UA and RA."""
        top1 = 100 * float(np.mean(records['hit']))
        upper = upper_reference_accuracy(*self.references.values())
        self.details = dict(accuracy=top1, **self.references, sources=dict(self.sources))
        return dict(ua=upper, ra=relative_accuracy(top1, upper))


def reference_accuracy(value: Reference, name: str, key: str = 'accuracy/top1') -> float:
    """The accuracy that a number or a ``results.json`` states, in percent.

    Args:
        value (float or str): Percent in (1, 100], or a path.
        name (str): Of the argument, for messages.
        key (str): Metric that is read from the file. Defaults to
            'accuracy/top1'.

    Raises:
        ConfigError: The number is not in percent.
        DataError: The file is missing, is no result, has no such metric, or is of
            a run on a training set that is not balanced.
    """
    if isinstance(value, (str, os.PathLike)):
        return _from_file(os.fspath(value), name, key)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 1 < value <= 100:
        hint = f'; is {100 * value:g} meant?' if number and 0 < value <= 1 else ''
        raise ConfigError(f'RelativeAccuracy: {name} must be a top-1 accuracy in percent or the path of a '
                          f'results.json, but is {value!r}{hint}')
    return float(value)


def _from_file(path: str, name: str, key: str) -> float:
    file = os.path.join(path, 'results.json') if os.path.isdir(path) else path
    try:
        with open(file, encoding='utf-8') as stream:
            results = json.load(stream)
    except OSError as error:
        raise DataError(f"RelativeAccuracy: {name} '{file}' cannot be read ({error.strerror}); "
                        f'{WHERE}') from error
    except ValueError as error:
        raise DataError(f"RelativeAccuracy: {name} '{file}' is no JSON: {error}") from error
    metrics = results.get('metrics') if isinstance(results, Mapping) else None
    if not isinstance(metrics, Mapping) or not isinstance(metrics.get(key), (int, float)):
        known = metrics if isinstance(metrics, Mapping) else {}
        raise DataError(f"RelativeAccuracy: {name} '{file}' has no metric '{key}'"
                        f"{did_you_mean(key, known) or '; it must be the results.json of a finished run'}")
    _check_balanced(results, file, name)
    found = float(metrics[key])
    if not math.isfinite(found) or not 0 < found <= 100:
        raise DataError(f"RelativeAccuracy: {key} of {name} '{file}' is {found:g}, which is no accuracy to "
                        'divide by')
    return found


def _check_balanced(results: Mapping[str, Any], file: str, name: str) -> None:
    counts = results.get('class_counts')
    if counts and max(counts) - min(counts) > 1 and max(counts) > SLACK * min(counts):
        raise DataError(f"RelativeAccuracy: {name} '{file}' was trained on classes of {min(counts)} to "
                        f'{max(counts)} samples; {WHERE}')
