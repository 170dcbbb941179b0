"""The head of two branches whose weights shift over training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ltkit.registry import HEADS
from ltkit.utils.errors import ConfigError

from .long_tail_cls_head import LongTailClsHead

OFFICIAL = {90: 100, 180: 200}  # epochs of training -> div_epochs


@HEADS.register_module()
class BilateralBranchHead(LongTailClsHead):
    r"""One classifier of the features of a conventional and a re-balancing branch: cumulative learning.

    In the 1-based epoch t, for pairs of a sample :math:`(x_c, y_c)` of the conventional
    branch, with features :math:`f_c`, and one :math:`(x_r, y_r)` of the re-balancing
    branch, with :math:`f_r`:

    .. math:: \alpha &= 1 - \left(\frac{t - 1}{T}\right)^2, \quad
              z = W \, 2 \, [\alpha f_c ; (1 - \alpha) f_r] + b \\
              L &= \alpha L(z, y_c) + (1 - \alpha) L(z, y_r)

    with any loss of single logits in place of the paper's cross entropy. So the first
    epoch learns of uniform samples alone, and the last ones mostly of reversed
    sampling. In prediction both branches see each image, and count evenly:
    :math:`z = W [f_c ; f_r] + b`, which is :math:`\alpha = 1/2`.

    The factor 2 is in the official code, not in the paper's equation; it makes the
    mixed features of training as large as those of prediction. Source: Zhou et al.,
    *BBN: Bilateral-Branch Network with Cumulative Learning for Long-Tailed Visual
    Recognition*, CVPR 2020, arXiv 1912.02413, sections 4.1 and 4.4.

    Args:
        num_classes (int): C.
        in_channels (int): Channels 2 d of the features of both branches together.
        div_epochs (int or str, optional): T, not fewer than the epochs of training.
            Defaults to None, that many, as in the paper. ``'official'`` is that of
            the official code: 100 where training has 90 epochs, 200 where it has 180,
            else as many as it has.
        **kwargs: As for :class:`LongTailClsHead`. Regularisers are mixed as the loss
            is; both see the mixed features ``(N, 2 d)``.

    Raises:
        ConfigError: ``div_epochs`` is not as above, or a part contradicts the head.
    """

    group_size = 2  # samples that are trained on together

    def __init__(self, num_classes: int, in_channels: int, div_epochs: int | str | None = None, **kwargs: Any) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        whole = isinstance(div_epochs, int) and not isinstance(div_epochs, bool) and div_epochs >= 1
        if not (whole or div_epochs is None or div_epochs == 'official'):
            raise ConfigError("head.div_epochs must be a whole number from 1 on, 'official', or None for the epochs of "
                              f'training, but is {div_epochs!r}')
        if len(getattr(self.loss_module, 'score_dims', ())) == 3:
            raise ConfigError('BilateralBranchHead takes a loss of single logits, but '
                              f'{type(self.loss_module).__name__} is one of several experts')
        self.div_epochs = div_epochs
        self.register_buffer('alpha', torch.ones(()), persistent=False)  # a tensor: compiled code does not depend on it

    def set_epoch(self, epoch: int, max_epochs: int | None = None) -> None:
        """Take the 0-based epoch that begins; ``EpochHook`` calls this, and gives the number of epochs as well.

        Raises:
            ConfigError: ``div_epochs`` is fewer than the epochs of training.
        """
        self.alpha.fill_(self.weight_in(epoch, max_epochs))

    def weight_in(self, epoch: int, max_epochs: int | None = None) -> float:
        r""":math:`\alpha` of a 0-based epoch of ``max_epochs``, in [0, 1].

        Raises:
            ConfigError: ``div_epochs`` is fewer, or neither number is given.
        """
        if isinstance(self.div_epochs, int):
            div_epochs = self.div_epochs
        elif max_epochs is None:
            raise ConfigError(f'head.div_epochs={self.div_epochs!r} needs the number of epochs, which EpochHook tells; '
                              'give div_epochs as a number')
        else:
            div_epochs = OFFICIAL.get(max_epochs, max_epochs) if self.div_epochs else max_epochs
        trained = max(epoch + 1, max_epochs or 0)
        if trained > div_epochs:
            raise ConfigError(f'head.div_epochs is {div_epochs}, but training has {trained} epochs; give as many, or '
                              'leave it out')
        return 1 - (epoch / div_epochs)**2

    # -------------------------------------------------------------- forward
    def branches(self, feats: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """The features of both branches, ``(N, d)`` each.

        Raises:
            ConfigError: They are not of two branches.
        """
        if len(feats) != 2:
            raise ConfigError(f'{type(self).__name__} takes the features of two branches, but the backbone gives '
                              f"{len(feats)}; use a backbone of two branches, as dict(type='BBNResNet32')")
        return feats[0], feats[1]

    def pre_logits(self, feats: Sequence[Tensor]) -> Tensor:
        """The features that the classifier sees in prediction.

        Args:
            feats (Sequence[Tensor]): Of both branches, ``(N, d)`` each.

        Returns:
            Tensor: Shape ``(N, 2 d)``.

        Raises:
            ConfigError: They are not of two branches, maps, or not of ``in_channels``.
        """
        return self.check_features(torch.cat(self.branches(feats), 1))

    def mix(self, feats: Sequence[Tensor]) -> Tensor:
        r"""The features that the classifier sees in training, by the :math:`\alpha` of now; see :meth:`pre_logits`."""
        conventional, rebalancing = self.branches(feats)
        return self.check_features(2 * torch.cat([self.alpha * conventional, (1 - self.alpha) * rebalancing], 1))

    def loss(self, feats: Sequence[Tensor], data_samples: Sequence[Any], **kwargs: Any) -> dict[str, Tensor]:
        """The loss terms of N pairs.

        Args:
            feats (Sequence[Tensor]): Of the first samples of the pairs in the
                conventional branch and of the second in the re-balancing one,
                ``(N, d)`` each.
            data_samples (Sequence): 2 N samples, those of a pair one after the other.
            **kwargs: Handed to the loss; ``weight`` is one factor a sample, ``(2
                N,)``.

        Returns:
            dict: As of :meth:`LongTailClsHead.loss`; each is the mean of that with the
            targets of both branches, weighted as the loss is.

        Raises:
            ConfigError: The samples are not pairs.
        """
        features = self.mix(feats)
        logits = self.classifier(features)
        target = self.gather_targets(data_samples, logits)
        if len(target) != 2 * len(logits):
            raise ConfigError(f'{type(self).__name__} takes pairs of samples, but gets {len(target)} samples for '
                              f'{len(logits)} pairs of features')
        weight = kwargs.pop('weight', None)
        both = []
        for place in (0, 1):
            own = {} if weight is None else dict(weight=weight[place::2])
            both.append(self.loss_terms(features, logits, target[place::2], **own, **kwargs))
        return {name: self.alpha * value + (1 - self.alpha) * both[1][name] for name, value in both[0].items()}
