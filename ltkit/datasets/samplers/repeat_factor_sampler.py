"""Repeat factor sampling: images of rare classes several times an epoch."""

from __future__ import annotations

from collections.abc import Sized

import numpy as np

from ...registry import SAMPLERS
from ...utils.errors import ConfigError, did_you_mean
from .cycles import permutation
from .labels import label_pairs
from .long_tail_sampler import LongTailSampler

ROUNDINGS = ('random', 'ceil')


@SAMPLERS.register_module()
class RepeatFactorSampler(LongTailSampler):
    r"""Each image as often as the rarest of its classes asks for.

    .. math:: r_c = \max\left(1, \sqrt{t / f_c}\right), \quad r_i = \max_{c \in i} r_c

    :math:`f_c` is the fraction of the images that have class c; an image with no
    class has :math:`r_i = 1`. A pass over the data set has image i
    :math:`\lfloor r_i \rfloor` times, and once more with the probability of the
    fractional part, drawn anew for each pass, as detectron2 does; or
    :math:`\lceil r_i \rceil` times with ``rounding='ceil'``, as in mmengine's
    ``ClassBalancedDataset``. The order is that of shuffled passes one after the
    other, cut at ``num_samples``, so that every epoch has the same length.

    An image has one label, or several where the data set has
    ``get_cat_ids(index)`` (see :func:`~.labels.label_pairs`). With one label and
    a threshold above each :math:`f_c` the classes are drawn as by
    :class:`SquareRootSampler`; classes of :math:`f_c \ge t` are not repeated.

    Source: Gupta et al., *LVIS: A Dataset for Large Vocabulary Instance
    Segmentation*, CVPR 2019, arXiv 1908.03195.

    Args:
        dataset (Sized): The data set, of N > 0 samples, which tells its labels.
        seed (int, optional): Seed, >= 0. Defaults to one that all processes
            share.
        num_samples (int, optional): Samples an epoch over all processes, > 0.
            Defaults to a pass, :math:`\sum_i r_i` rounded, which is >= N.
        round_up (bool): Whether the order is filled from its start so that each
            process gets the same number. Defaults to True.
        threshold (float): t, in [0, 1]; 0 repeats nothing. Defaults to 0.001.
        rounding (str): ``'random'`` or ``'ceil'``. Defaults to ``'random'``.

    Attributes:
        class_counts (ndarray): Images that have the class, up to the largest
            one, int64, shape ``(C,)``.
        repeat_factors (ndarray): :math:`r_i`, float64, shape ``(N,)``; rounded up
            with ``rounding='ceil'``.

    Raises:
        ConfigError: ``threshold`` or ``rounding`` is not as above.
        DistributionError: The data set does not tell its labels.
        DataError: It is empty, or its labels are negative or not N in number.
    """

    prior_correction = 0.5  # at most, of the classes below the threshold; see ltkit.config.compatibility

    def __init__(self, dataset: Sized, seed: int | None = None, num_samples: int | None = None,
                 round_up: bool = True, threshold: float = 0.001, rounding: str = 'random') -> None:
        name = type(self).__name__
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float)) or not 0 <= threshold <= 1:
            raise ConfigError(f'{name}: threshold must be a fraction of the images, a number from 0 to 1, but is '
                              f'{threshold!r}')
        if rounding not in ROUNDINGS:
            raise ConfigError(f"{name}: rounding must be 'random' or 'ceil', but is "
                              f'{rounding!r}{did_you_mean(str(rounding), ROUNDINGS)}')
        super().__init__(dataset, seed, num_samples, round_up)
        self.threshold, self.rounding = threshold, rounding
        samples, classes = label_pairs(name, dataset)
        self.class_counts = np.bincount(classes)
        self.repeat_factors = np.ones(self.dataset_size)
        np.maximum.at(self.repeat_factors, samples, self.class_repeat_factors()[classes])
        if rounding == 'ceil':
            self.repeat_factors = np.ceil(np.round(self.repeat_factors, 9))  # 2 + 4e-16 is 2
        if num_samples is None:
            self.num_samples = round(self.repeat_factors.sum())

    def class_repeat_factors(self) -> np.ndarray:
        """:math:`r_c`, float64, shape ``(C,)``; 1 for a class without an image."""
        fractions = self.class_counts / self.dataset_size
        return np.sqrt(np.maximum(self.threshold / np.where(fractions > 0, fractions, 1), 1))

    def repeats(self, rng: np.random.Generator) -> np.ndarray:
        """How often each image comes in one pass, int64, shape ``(N,)``."""
        whole = np.floor(self.repeat_factors)
        extra = rng.random(self.dataset_size) < self.repeat_factors - whole
        return whole.astype(np.int64) + extra

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """The order of one epoch; see :meth:`LongTailSampler.draw`."""
        order = np.zeros(0, dtype=np.int64)
        while len(order) < self.num_samples:
            one_pass = np.repeat(np.arange(self.dataset_size), self.repeats(rng))
            order = np.concatenate([order, one_pass[permutation(len(one_pass), rng)]])
        return order[:self.num_samples]
