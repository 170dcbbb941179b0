"""Temperature scaling."""

from __future__ import annotations

import logging
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor

from ltkit.distribution_aware import CountsLike
from ltkit.registry import POSTHOC
from ltkit.utils.arguments import checked_number

from .base import PosthocRule
from .temperature_fit import MAX_TEMPERATURE, MIN_TEMPERATURE, fit_temperature


@POSTHOC.register_module()
class TemperatureScaling(PosthocRule):
    r"""Divides the logits by one number, so that confidences are right on the average.

    .. math:: z'_c = z_c / T

    T > 1 makes probabilities more even, T < 1 more peaked; no prediction changes.
    T is the one of the least negative log-likelihood on held-out samples
    (:meth:`fit`, which ``tools/test.py`` calls), unless it is given. It is kept in
    the buffer ``temperature``, so that it travels in a checkpoint. Until it is
    known the rule changes nothing, which the log says once.

    Source: Guo et al., *On Calibration of Modern Neural Networks*, ICML 2017,
    arXiv 1706.04599. The paper's code takes LBFGS steps in T in float32; the
    problem is convex in 1 / T and solved exactly here.

    Args:
        temperature (float, optional): T in [0.001, 1000]. What is given is kept,
            whatever a checkpoint has. Defaults to None: it is fitted.
        class_counts (optional): See :class:`PosthocRule`; not used.

    Raises:
        ConfigError: ``temperature`` is no number in that range.

    Shape:
        ``(..., C)`` to the same.
    """

    fitted_arguments = ('temperature', )
    temperature: Tensor  # float64, shape (1,), or (0,) until it is known

    def __init__(self, temperature: float | None = None, class_counts: CountsLike | None = None) -> None:
        super().__init__(class_counts)
        self.temperature_given = temperature is not None
        values = [] if temperature is None else [
            checked_number('temperature', temperature, at_least=MIN_TEMPERATURE, at_most=MAX_TEMPERATURE)]
        self.register_buffer('temperature', torch.tensor(values, dtype=torch.float64))
        self._told = False

    @property
    def needs_fit(self) -> bool:
        """Whether the temperature is not known."""
        return not self.temperature.numel()

    def fit(self, logits: Tensor, labels: Tensor) -> None:
        """Take the temperature of the least negative log-likelihood; see :func:`.temperature_fit.fit_temperature`."""
        temperature, problem = fit_temperature(logits, labels)
        self.temperature = torch.tensor([temperature], dtype=torch.float64, device=self.temperature.device)
        if problem:
            print_log(f'{type(self).__name__}: temperature {temperature:g} is no optimum: {problem}', 'current',
                      level=logging.WARNING)

    def forward(self, logits: Tensor) -> Tensor:
        if self.needs_fit:
            self._tell()
            return logits
        return logits / self.temperature.to(logits)

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            print_log('TemperatureScaling has no temperature yet and leaves the logits as they are; tools/test.py fits '
                      'it on held-out images', 'current')

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        key = prefix + 'temperature'
        if self.temperature_given or key not in state_dict:
            state_dict = {**state_dict, key: self.temperature}
        else:
            self.temperature = torch.empty_like(state_dict[key], device=self.temperature.device)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def extra_repr(self) -> str:
        return f'temperature={None if self.needs_fit else float(self.temperature)}'
