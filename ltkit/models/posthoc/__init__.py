"""Post-hoc rules: logits to logits, in prediction alone."""

from .base import PosthocRule, apply_rules, need_features
from .logit_adjustment import LogitAdjustment
from .prior_compensation import PriorCompensation
from .tau_normalization import TauNormalization
from .temperature_scaling import TemperatureScaling
from .total_direct_effect import TotalDirectEffect
from .unoic import UNOIC

__all__ = [
    'LogitAdjustment',
    'PosthocRule',
    'PriorCompensation',
    'TauNormalization',
    'TemperatureScaling',
    'TotalDirectEffect',
    'UNOIC',
    'apply_rules',
    'need_features',
]
