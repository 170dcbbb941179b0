"""A loss, a sampler and a hook on top of ltkit; importing the package registers them."""

from .power_sampler import PowerSampler
from .tail_watch_hook import TailWatchHook
from .tempered_balanced_softmax_loss import TemperedBalancedSoftmaxLoss

__all__ = ['PowerSampler', 'TailWatchHook', 'TemperedBalancedSoftmaxLoss']
