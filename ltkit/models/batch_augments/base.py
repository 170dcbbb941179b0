"""The template of batch augments."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ltkit.utils.errors import ConfigError, DataError


class BatchAugment(nn.Module):
    """Changes the images and labels of a training batch; overrides :meth:`mix`.

    All is drawn on the CPU from torch's global generator, so that one seed gives
    one result on every device and a resumed run goes on as it would have.

    Args:
        prob (float): Probability to change a batch, in [0, 1]. Defaults to 1.0.

    Raises:
        ConfigError: ``prob`` is out of range.
    """

    def __init__(self, prob: float = 1.0) -> None:
        super().__init__()
        if not 0 <= prob <= 1:
            raise ConfigError(f'prob of {type(self).__name__} must be in [0, 1], but is {prob}')
        self.prob = prob

    def mix(self, inputs: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The changed batch; shapes as for :meth:`forward`."""
        raise NotImplementedError(f'{type(self).__name__} must override mix(inputs, target)')

    def forward(self, inputs: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Change a batch with the probability ``prob``.

        Args:
            inputs (Tensor): Images of a float dtype, shape ``(N, C, H, W)``.
            target (Tensor): One-hot or soft labels, shape ``(N, K)`` for K classes.

        Returns:
            tuple[Tensor, Tensor]: Of the same shapes; the arguments are not
            written to.

        Raises:
            DataError: A shape or dtype is another.
        """
        name = type(self).__name__
        if inputs.dim() != 4 or not inputs.is_floating_point():
            raise DataError(f'{name} takes float images of shape (N, C, H, W), but got {inputs.dtype} '
                            f'{tuple(inputs.shape)}')
        if target.dim() != 2 or len(target) != len(inputs) or not target.is_floating_point():
            raise DataError(f'{name} takes one-hot or soft float labels of shape ({len(inputs)}, number of '
                            f'classes), but got {target.dtype} {tuple(target.shape)}')
        if self.prob < 1 and torch.rand(()).item() >= self.prob:
            return inputs, target
        return self.mix(inputs, target)

    def extra_repr(self) -> str:
        return f'prob={self.prob}'


class PairMixing(BatchAugment):
    r"""Mixes each sample with another of the batch, by one :math:`\lambda` a batch.

    Args:
        alpha (float): :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)`; above
            0. Defaults to 1.0, uniform.
        prob (float): Probability to mix a batch, in [0, 1]. Defaults to 1.0.

    Raises:
        ConfigError: An argument is out of range.
    """

    def __init__(self, alpha: float = 1.0, prob: float = 1.0) -> None:
        super().__init__(prob)
        if not alpha > 0:
            raise ConfigError(f'alpha of {type(self).__name__} must be above 0, but is {alpha}; leave the '
                              'augment out to mix nothing')
        self.alpha = float(alpha)

    def draw_lambda(self) -> float:
        r"""One :math:`\lambda` in [0, 1]."""
        alpha = torch.tensor(self.alpha, dtype=torch.float64)
        return torch.distributions.Beta(alpha, alpha).sample().item()

    @staticmethod
    def draw_partners(inputs: Tensor) -> Tensor:
        """The index of each sample's partner, a permutation, shape ``(N,)``."""
        return torch.randperm(len(inputs)).to(inputs.device, non_blocking=True)

    def extra_repr(self) -> str:
        return f'alpha={self.alpha}, {super().extra_repr()}'


def blend(tensor: Tensor, partners: Tensor, lam: float) -> Tensor:
    r""":math:`\lambda a_i + (1 - \lambda) a_{j(i)}` along the first dimension.

    Args:
        tensor (Tensor): a, shape ``(N, ...)``.
        partners (Tensor): j, int64, shape ``(N,)``.
        lam (float): :math:`\lambda`.
    """
    return lam * tensor + (1 - lam) * tensor[partners]
