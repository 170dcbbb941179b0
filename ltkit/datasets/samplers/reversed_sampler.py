"""Reversed sampling: the rarer the class, the likelier."""

from __future__ import annotations

import numpy as np

from ...registry import SAMPLERS
from .class_probability_sampler import ClassProbabilitySampler


@SAMPLERS.register_module()
class ReversedSampler(ClassProbabilitySampler):
    r"""A class with :math:`p_c = n_c^{-1} / \sum_k n_k^{-1}`, then one of its images.

    So the rarest class is drawn :math:`n_{max} / n_{min}` times as often as the
    most frequent one: the long tail the other way round. A class without a sample
    is skipped. It is made for the re-balancing branch of a two-branch network;
    alone it corrects the prior twice over. The official code draws the images of
    a class independently, which is ``replacement=True``.

    Source: Zhou et al., *BBN: Bilateral-Branch Network with Cumulative Learning
    for Long-Tailed Visual Recognition*, CVPR 2020, arXiv 1912.02413 (its weights
    are :math:`n_{max} / n_c`).

    Args:
        dataset (Sized): The data set, of N > 0 samples, which tells its labels.
        seed (int, optional): Seed, >= 0. Defaults to one that all processes
            share.
        num_samples (int, optional): Samples an epoch over all processes, > 0.
            Defaults to N.
        round_up (bool): Whether the order is filled from its start so that each
            process gets the same number. Defaults to True.
        replacement (bool): Whether the images of a class are drawn independently
            of each other. Defaults to False.
    """

    prior_correction = 2.0  # see ltkit.config.compatibility

    def class_probabilities(self) -> np.ndarray:
        """:math:`p_c`; see :meth:`ClassProbabilitySampler.class_probabilities`."""
        return self.power_probabilities(-1.0)
