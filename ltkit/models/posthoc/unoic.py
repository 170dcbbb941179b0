"""UNO-IC's posterior re-calibration."""

from __future__ import annotations

from torch import Tensor

from ltkit.distribution_aware import CountsLike
from ltkit.registry import POSTHOC
from ltkit.utils.arguments import checked_number

from .prior_compensation import PriorCompensation
from .target_prior import PriorLike


@POSTHOC.register_module()
class UNOIC(PriorCompensation):
    r"""Goes part of the way from the posterior of training to that of the target.

    .. math:: p = \text{softmax}(z), \quad p^r_c \propto p_c \frac{\pi^t_c}{\pi^s_c}, \quad
              q_c \propto p_c^{1 - \beta} \, (p^r_c)^{\beta}

    The official code returns the probabilities q; this rule returns
    :math:`\log q`, of which they are the softmax, so that argmax and calibration
    are those of the method and another rule may follow. In logits,
    :math:`q = \text{softmax}(z + \beta (\log \pi^t - \log \pi^s))`: with the
    uniform target that is :class:`LogitAdjustment` with :math:`\tau = \beta`, up
    to a constant of each sample that no probability sees, and with
    :math:`\beta = 1` it is :class:`PriorCompensation`. An empty class counts as
    one sample, whereas the official code never predicts it.

    Source: Tian et al., *Posterior Re-calibration for Imbalanced Datasets*,
    NeurIPS 2020, arXiv 2010.11820. The temperature network and the noisy-or
    fusion of that paper are for several modalities and no part of this rule.

    Args:
        beta (float): :math:`\beta \ge 0`, chosen on a validation set; 0 changes
            no probability, more than 1 goes beyond the target. Defaults to 1.0;
            the config of the official code has 0.0, for the user to change.
        target_prior (optional): See :class:`PriorCompensation`. Defaults to the
            uniform prior.
        class_counts (optional): See :class:`PosthocRule`.

    Shape:
        ``(..., C)`` to log-probabilities of the same.

    Raises:
        ConfigError: ``beta`` or ``target_prior`` is not as above.
    """

    prior_correction = 'beta'  # see ltkit.config.compatibility

    def __init__(self,
                 beta: float = 1.0,
                 target_prior: PriorLike | None = None,
                 class_counts: CountsLike | None = None) -> None:
        super().__init__(target_prior, class_counts)
        self.beta = checked_number('beta', beta)

    def forward(self, logits: Tensor) -> Tensor:
        return (logits + self.beta * self.log_prior_ratio(logits)).log_softmax(-1)

    def extra_repr(self) -> str:
        return f'beta={self.beta}, {super().extra_repr()}'
