"""Plain cross entropy."""

from __future__ import annotations

from ltkit.registry import LOSSES

from .base import LongTailLoss


@LOSSES.register_module()
class SoftmaxLoss(LongTailLoss):
    r"""Softmax cross entropy, the baseline (ERM).

    .. math:: L = \frac1N \sum_i -\log \mathrm{softmax}(z_i)_{y_i}

    It needs no class counts unless ``drw`` is given. Without weights it is
    ``torch.nn.functional.cross_entropy`` to the last bit.

    Args:
        **kwargs: ``class_counts``, ``drw``, ``reduction``, ``loss_weight``; see
            :class:`LongTailLoss`.
    """
