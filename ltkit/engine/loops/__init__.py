"""Training loops."""

from .fit_loop import FitLoop
from .meta_train_loop import MetaTrainLoop

__all__ = ['FitLoop', 'MetaTrainLoop']
