"""Post-hoc rules: logits to logits, in prediction alone."""

from .base import PosthocRule
from .logit_adjustment import LogitAdjustment

__all__ = ['LogitAdjustment', 'PosthocRule']
