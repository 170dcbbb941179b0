"""Class-aware sampling: a cycle over the classes, a few images of each."""

from __future__ import annotations

from collections.abc import Sized

import numpy as np

from ...registry import SAMPLERS
from ...utils.errors import ConfigError
from .class_probability_sampler import ClassLabelSampler
from .cycles import draw_cycles


@SAMPLERS.register_module()
class ClassAwareSampler(ClassLabelSampler):
    """Visit the classes in a random cycle; take the next few images of each.

    The classes come in a random order, all of them before any comes again, in a
    new order on each pass. Of the visited class the next ``num_samples_cls``
    images of its own shuffled cycle are taken; a class of fewer images repeats
    some. A class without a sample is skipped. So over whole passes the classes
    are balanced exactly, not on average as by :class:`ClassBalancedSampler`.

    The order is in blocks of ``num_samples_cls`` images of one class. A global
    batch is dealt out image by image (see :class:`GlobalBatchSampler`), so the
    blocks are spread over the processes, and the order within a batch matters
    to nothing but batch normalisation of parts of a batch. The cycles begin anew
    in each epoch, so that an epoch can be resumed by itself.

    Source: Shen et al., *Relay Backpropagation*, ECCV 2016, arXiv 1512.05830;
    with ``num_samples_cls=4`` as in OLTR (Liu et al., CVPR 2019, arXiv
    1904.05160) and Decoupling (arXiv 1910.09217).

    Args:
        dataset (Sized): The data set, of N > 0 samples, which tells its labels.
        seed (int, optional): Seed, >= 0. Defaults to one that all processes
            share.
        num_samples (int or str, optional): Samples an epoch over all processes,
            > 0; ``'official'`` is that of OLTR's code, the size of the largest
            class times the number of classes with samples. Defaults to N.
        round_up (bool): Whether the order is filled from its start so that each
            process gets the same number. Defaults to True.
        num_samples_cls (int): Images a visit, > 0. Defaults to 4.

    Raises:
        ConfigError: ``num_samples`` or ``num_samples_cls`` is not as above.
    """

    prior_correction = 1.0  # see ltkit.config.compatibility

    def __init__(self, dataset: Sized, seed: int | None = None, num_samples: int | str | None = None,
                 round_up: bool = True, num_samples_cls: int = 4) -> None:
        if isinstance(num_samples_cls, bool) or not isinstance(num_samples_cls, int) or num_samples_cls < 1:
            raise ConfigError('ClassAwareSampler: num_samples_cls must be a whole number >= 1, but is '
                              f'{num_samples_cls!r}')
        official = num_samples == 'official'
        super().__init__(dataset, seed, None if official else num_samples, round_up)  # type: ignore[arg-type]
        self.num_samples_cls = num_samples_cls
        if official:
            self.num_samples = int(self.class_counts.max()) * int(np.count_nonzero(self.class_counts))

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """The order of one epoch; see :meth:`LongTailSampler.draw`."""
        present = np.flatnonzero(self.class_counts)
        visits = -(-self.num_samples // self.num_samples_cls)
        cycle = draw_cycles(np.zeros(visits, dtype=np.int64), np.array([len(present)]), rng)
        classes = np.repeat(present[cycle], self.num_samples_cls)[:self.num_samples]
        return self.class_index.draw(classes, rng)
