"""Post-hoc rules: logits to logits, in prediction alone."""

from .base import PosthocRule
from .logit_adjustment import LogitAdjustment
from .prior_compensation import PriorCompensation
from .tau_normalization import TauNormalization
from .temperature_scaling import TemperatureScaling
from .unoic import UNOIC

__all__ = ['LogitAdjustment', 'PosthocRule', 'PriorCompensation', 'TauNormalization', 'TemperatureScaling', 'UNOIC']
