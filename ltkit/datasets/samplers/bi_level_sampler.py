"""Bi-level sampling: some classes for a batch, some images of each."""

from __future__ import annotations

from collections.abc import Sized

import numpy as np

from ...registry import SAMPLERS
from ...utils.errors import ConfigError
from .class_probability_sampler import ClassLabelSampler


@SAMPLERS.register_module()
class BiLevelSampler(ClassLabelSampler):
    """Draw some classes evenly, then the same number of images of each; so batch by batch.

    A block of the order is ``classes_per_batch`` different classes with
    ``images_per_class`` images each. It makes a batch where ``batch_size`` is their
    product: one that is balanced in itself, over a part of the classes. Where there
    are fewer classes with samples, each comes as evenly often as can be. The images
    of a class come from its own shuffled cycle; a class of few images repeats some.
    ``replacement=True`` draws classes and images independently, as the official
    code does.

    It is made for the calibration of the classifier on frozen features, with
    ``DualHeadClassifier``. Source: Wang et al., *The Devil is in Classification: A
    Simple Framework for Long-tail Instance Segmentation* (SimCal), ECCV 2020, arXiv
    2007.11978, of which this is the level of images; the level of proposals is for
    detectors.

    Args:
        dataset (Sized): The data set, of N > 0 samples, which tells its labels.
        seed (int, optional): Seed, >= 0. Defaults to one that all processes
            share.
        num_samples (int, optional): Samples an epoch over all processes, > 0.
            Defaults to N.
        round_up (bool): Whether the order is filled from its start so that each
            process gets the same number. Defaults to True.
        classes_per_batch (int): Classes of a block, > 0. Defaults to 16, as in the
            official code.
        images_per_class (int): Images of each, > 0. Defaults to 2, those of its
            batch of 32.
        replacement (bool): See above. Defaults to False.

    Raises:
        ConfigError: An argument is not as above.
    """

    prior_correction = 1.0  # see ltkit.config.compatibility

    def __init__(self, dataset: Sized, seed: int | None = None, num_samples: int | None = None,
                 round_up: bool = True, classes_per_batch: int = 16, images_per_class: int = 2,
                 replacement: bool = False) -> None:
        for name, value in dict(classes_per_batch=classes_per_batch, images_per_class=images_per_class).items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f'BiLevelSampler: {name} must be a whole number >= 1, but is {value!r}')
        super().__init__(dataset, seed, num_samples, round_up)
        self.classes_per_batch = classes_per_batch
        self.images_per_class = images_per_class
        self.replacement = replacement

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """The order of one epoch; see :meth:`LongTailSampler.draw`."""
        present = np.flatnonzero(self.class_counts)
        blocks = -(-self.num_samples // (self.classes_per_batch * self.images_per_class))
        shape = blocks, self.classes_per_batch
        if self.replacement:
            chosen = (rng.random(shape) * len(present)).astype(np.int64)
        else:
            passes, rest = divmod(self.classes_per_batch, len(present))
            each = np.tile(np.arange(len(present)), (blocks, passes))
            chosen = np.concatenate([each, subsets(rng, blocks, len(present), rest)], axis=1)
        classes = np.repeat(present[chosen].ravel(), self.images_per_class)[:self.num_samples]
        return self.class_index.draw(classes, rng, self.replacement)


def subsets(rng: np.random.Generator, rows: int, size: int, number: int) -> np.ndarray:
    """Different members of ``range(size)`` for each row, each subset as likely as another.

    Args:
        rng (Generator): The source of randomness.
        rows (int): How many subsets.
        size (int): Of what they are taken from.
        number (int): Of members of each, at most ``size``.

    Returns:
        ndarray: In ascending order, int64, shape ``(rows, number)``.
    """
    chosen = np.zeros((rows, 0), dtype=np.int64)
    for taken in range(number):
        member = (rng.random(rows) * (size - taken)).astype(np.int64)  # its place among those not taken
        for other in chosen.T:
            member += member >= other
        chosen = np.sort(np.column_stack([chosen, member]), axis=1)
    return chosen
