"""The meta sampler of Balanced Meta-Softmax: class rates that are learned."""

from __future__ import annotations

from collections.abc import Sized

import numpy as np
import torch
from torch import Tensor

from ...registry import SAMPLERS
from ...utils.errors import ConfigError
from .class_probability_sampler import ClassLabelSampler, classes_at
from .class_rates import ClassRates

NOISE = 2  # stream of random numbers, apart from that of the draws


@SAMPLERS.register_module()
class MetaSampler(ClassLabelSampler):
    r"""Draw sample j in proportion to the learned rate :math:`\rho_{y_j}` of its class.

    .. math:: p(j) = \frac{\rho_{y_j}}{\sum_k \rho_{y_k}}, \quad \rho_c = \sigma(\psi_c), \quad
              \text{so } p_c = \frac{n_c \rho_c}{\sum_k n_k \rho_k}

    independently for each position. ``train_cfg=dict(type='MetaTrainLoop', ...)``
    learns :math:`\psi`; each batch is then drawn by the rates of its step. By itself
    the sampler keeps the rates that it begins with.

    A draw is a hard Gumbel softmax over all n samples, and its gradient is that of
    the soft one (straight-through): with noise :math:`g_j` for each sample, and
    :math:`\rho_{y_j} e^{g_j}` largest at k, the sample k has the weight 1 with the
    gradient of

    .. math:: s_k = \frac{\rho_{y_k} e^{g_k}}{\sum_c \rho_c q_c}, \quad q_c = \sum_{j: y_j = c} e^{g_j}.

    Neither needs n numbers for each sample of a batch at once. With :math:`e^{-g_j} =
    E_j`, exponentially distributed, k is the winner of a race at the times :math:`E_j
    / \rho_{y_j}`. Who wins is independent of the time T of winning, which is
    exponential of the rate :math:`\sum_j \rho_{y_j}`, and what the others have left
    is again exponential: :math:`E_j = \rho_{y_j} T + E'_j`. So k is drawn by class
    and place in it, and the noise is drawn for the batch in hand, of which C numbers
    :math:`q_c` a sample are kept. The distribution of k and g is that of the hard
    Gumbel softmax.

    Source: Ren et al., *Balanced Meta-Softmax for Long-Tailed Visual Recognition*,
    NeurIPS 2020, arXiv 2007.10740, section 3.2 and the official code (temperature 1).

    Args:
        dataset (Sized): The data set, of N > 0 samples, which tells its labels.
        seed (int, optional): Seed, >= 0. Defaults to one that all processes
            share.
        num_samples (int, optional): Samples an epoch over all processes, > 0.
            Defaults to N.
        round_up (bool): Whether the order is filled from its start so that each
            process gets the same number. Defaults to True.
        init_pow (float): The rates begin in proportion to :math:`n_c^{-p}`, see
            :class:`ClassRates`. Defaults to 0.0, equal rates; the official code has
            0 on CIFAR-LT, 0.1 on ImageNet-LT and 0.3 on Places-LT.

    Raises:
        ConfigError: ``init_pow`` is negative or no number.
    """

    def __init__(self, dataset: Sized, seed: int | None = None, num_samples: int | None = None,
                 round_up: bool = True, init_pow: float = 0.0) -> None:
        super().__init__(dataset, seed, num_samples, round_up)
        if isinstance(init_pow, bool) or not isinstance(init_pow, (int, float)) or not 0 <= init_pow < np.inf:
            raise ConfigError(f'MetaSampler: init_pow must be a number from 0 on, but is {init_pow!r}')
        self.learner = ClassRates(self.class_counts, init_pow)
        self._uniform: tuple[int, int, np.ndarray] | None = None  # of seed and epoch
        self._batch: tuple[np.ndarray, np.ndarray] | None = None  # positions and places

    @property
    def rates(self) -> np.ndarray:
        r""":math:`\rho` as it is now, float64, shape ``(C,)``."""
        return self.learner().detach().numpy()

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """The order of one epoch by the rates as they are; see :meth:`LongTailSampler.draw`."""
        return self.class_index.by_class[self._places(rng.random((self.num_samples, 2)))]

    def indices_at(self, positions: np.ndarray) -> np.ndarray:
        """Draw a batch of all processes by the rates as they are, and remember it.

        Args:
            positions (ndarray): Places in the order of the epoch, int64, shape
                ``(n,)``; after the last the order begins again.

        Returns:
            ndarray: int64, shape ``(n,)``.
        """
        if self._uniform is None or self._uniform[:2] != (self.seed, self.epoch):
            self._uniform = self.seed, self.epoch, self.generator().random((self.num_samples, 2))
        places = self._places(self._uniform[2][positions % self.num_samples])
        self._batch = positions, places
        return self.class_index.by_class[places]

    def sample_weights(self) -> Tensor:
        """Straight-through weights of this process's samples of the batch in hand.

        Returns:
            Tensor: Ones with a gradient to the learner, float64, shape ``(n,)``.
        """
        if self._batch is None:
            raise RuntimeError('MetaSampler has drawn no batch yet')
        mine = slice(self.rank, None, self.world_size)
        positions, places = (part[mine] for part in self._batch)
        times, sums = self._noise(positions, places)
        rates = self.learner()
        labels = torch.from_numpy(np.repeat(np.arange(len(rates)), self.class_counts)[places])
        chosen = (rates / rates.detach())[labels] / torch.from_numpy(times)  # rho / E, with E = rho T of now
        soft = chosen / (torch.from_numpy(sums) @ rates)
        return 1 + (soft - soft.detach())

    def _places(self, uniform: np.ndarray) -> np.ndarray:
        """The samples at given points, as places among all samples in the order of their classes."""
        classes = classes_at(uniform[:, 0], self.class_counts * self.rates)
        within = (uniform[:, 1] * self.class_counts[classes]).astype(np.int64)
        return self.class_index.starts[classes] + within

    def _noise(self, positions: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r"""The noise of given draws, from (seed, epoch, position) alone.

        Args:
            positions (ndarray): Shape ``(n,)``.
            places (ndarray): The drawn samples, see :meth:`_places`, shape ``(n,)``.

        Returns:
            tuple[ndarray, ndarray]: T, shape ``(n,)``, and :math:`q_c`, shape ``(n, C)``.
        """
        counts, rates = self.class_counts, self.rates
        each = np.repeat(rates, counts)
        total = counts @ rates
        seen = np.flatnonzero(counts)
        times, sums = np.empty(len(positions)), np.zeros((len(positions), len(counts)))
        for row, (position, winner) in enumerate(zip(positions.tolist(), places.tolist())):
            rng = self.generator(NOISE, position)
            times[row] = rng.standard_exponential() / total
            left = rng.standard_exponential(len(each))
            left[winner] = 0
            sums[row, seen] = np.add.reduceat(1 / (each * times[row] + left), self.class_index.starts[seen])
        return times, sums
