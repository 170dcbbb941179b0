"""Instance-balanced sampling: each image once an epoch."""

from __future__ import annotations

from collections.abc import Sized

import numpy as np

from ...registry import SAMPLERS
from .cycles import permutation
from .long_tail_sampler import LongTailSampler


@SAMPLERS.register_module()
class InstanceBalancedSampler(LongTailSampler):
    r"""Each image with the same probability, so :math:`p_c = n_c / \sum_k n_k`.

    Ordinary training: a random permutation without replacement. Source: Kang et
    al., *Decoupling Representation and Classifier for Long-Tailed Recognition*,
    ICLR 2020, arXiv 1910.09217, equation (1) with q = 1.

    Args:
        dataset (Sized): The data set, of N > 0 samples.
        seed (int, optional): Seed, >= 0. Defaults to one that all processes
            share.
        num_samples (int, optional): Samples an epoch over all processes, > 0.
            Fewer than N are the first of the permutation; more are further
            permutations. Defaults to N.
        round_up (bool): Whether the order is filled from its start so that each
            process gets the same number. Defaults to True.
        shuffle (bool): False keeps the order of the data set. Defaults to True.
    """

    def __init__(self, dataset: Sized, seed: int | None = None, num_samples: int | None = None,
                 round_up: bool = True, shuffle: bool = True) -> None:
        super().__init__(dataset, seed, num_samples, round_up)
        self.shuffle = shuffle

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """The order of one epoch; see :meth:`LongTailSampler.draw`."""
        size = self.dataset_size
        if not self.shuffle:
            return np.resize(np.arange(size), self.num_samples)
        passes = -(-self.num_samples // size)
        return np.concatenate([permutation(size, rng) for _ in range(passes)])[:self.num_samples]
