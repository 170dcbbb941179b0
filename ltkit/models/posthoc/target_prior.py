"""The class prior of where a model is used, as a config or a call gives it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ltkit.distribution import ClassDistribution
from ltkit.distribution_aware import CountsLike
from ltkit.utils.errors import ConfigError, DistributionError

PriorLike = CountsLike | Sequence[float]
SUM_TOLERANCE = 1e-3  # probabilities that were rounded for printing still pass


def log_target_prior(name: str, target_prior: PriorLike) -> Tensor:
    r"""Natural logarithm of a given class prior :math:`\pi^t`.

    Args:
        name (str): Who asks, for messages.
        target_prior: Probabilities, each > 0, that sum to 1; or counts, whole
            numbers of which an empty class counts as one sample. A list, array
            or tensor of shape ``(C,)``, a :class:`ClassDistribution`, or the path
            of a file: one that :meth:`ClassDistribution.from_file` reads, or of
            probabilities, as a JSON list or one a line.

    Returns:
        Tensor: Shape ``(C,)``, float64.

    Raises:
        ConfigError: It is none of these.
    """
    numbers = _numbers(name, target_prior)
    where = f'{name}: target_prior'
    if isinstance(target_prior, (str, os.PathLike)):
        where += f' of {os.fspath(target_prior)}'
    if numbers.ndim != 1 or not numbers.size or not (np.isfinite(numbers) & (numbers >= 0)).all():
        raise _wrong(where, f'are {_shown(numbers)}' if numbers.ndim == 1 else f'have shape {numbers.shape}')
    total = numbers.sum()
    if total > 1 and (numbers == np.floor(numbers)).all():
        numbers = np.maximum(numbers, 1)
    elif abs(total - 1) > SUM_TOLERANCE:
        raise _wrong(where, f'sum to {total:g}: {_shown(numbers)}')
    elif not numbers.all():
        raise ConfigError(f'{where} gives class {int(numbers.argmin())} the probability 0, which has no logarithm; '
                          'give each class more, for example 1e-6')
    relative = numbers * numbers.size / math.fsum(numbers)  # exactly 1 when all are equal
    return torch.from_numpy(np.log(relative) - math.log(numbers.size))


def _numbers(name: str, target_prior: PriorLike) -> np.ndarray:
    if isinstance(target_prior, (str, os.PathLike)):
        return _read(name, target_prior)
    if isinstance(target_prior, ClassDistribution):
        return target_prior.floored_counts.astype(np.float64)
    if isinstance(target_prior, Tensor):
        target_prior = target_prior.detach().cpu().double().numpy()
    try:
        return np.array(target_prior, dtype=np.float64)
    except (TypeError, ValueError):
        raise _wrong(f'{name}: target_prior', f'are {target_prior!r}') from None


def _read(name: str, path: str | os.PathLike) -> np.ndarray:
    try:
        return ClassDistribution.from_file(path).counts.astype(np.float64)
    except DistributionError as error:
        try:
            return _probabilities_of_file(path)
        except OSError:
            raise ConfigError(f'{name}: target_prior: {error}') from error
        except (TypeError, ValueError):
            raise ConfigError(f'{name}: target_prior: {error}; or probabilities, as a JSON list or one a line') \
                from error


def _probabilities_of_file(path: str | os.PathLike) -> np.ndarray:
    with open(path, encoding='utf-8') as file:
        text = file.read().strip()
    return np.array(json.loads(text) if text[:1] == '[' else text.split('\n'), dtype=np.float64)


def _wrong(where: str, found: str) -> ConfigError:
    return ConfigError(f'{where} must be probabilities that sum to 1, or counts (whole numbers), one a class, but they '
                       f'{found}')


def _shown(numbers: np.ndarray) -> str:
    return str(numbers.tolist()) if numbers.size <= 5 else f'{str(numbers[:5].tolist())[:-1]}, ...]'
