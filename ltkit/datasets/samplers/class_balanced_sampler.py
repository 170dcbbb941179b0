"""Class-balanced sampling: each class with the same probability."""

from __future__ import annotations

import numpy as np

from ...registry import SAMPLERS
from .class_probability_sampler import ClassProbabilitySampler


@SAMPLERS.register_module()
class ClassBalancedSampler(ClassProbabilitySampler):
    r"""A class uniformly, :math:`p_c = 1 / C`, then one of its images.

    C is the number of classes that have a sample; a class without one is skipped.
    Source: Kang et al., *Decoupling Representation and Classifier for Long-Tailed
    Recognition*, ICLR 2020, arXiv 1910.09217, equation (1) with q = 0.

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

    prior_correction = 1.0  # see ltkit.config.compatibility

    def class_probabilities(self) -> np.ndarray:
        """:math:`p_c`; see :meth:`ClassProbabilitySampler.class_probabilities`."""
        return self.power_probabilities(0.0)
