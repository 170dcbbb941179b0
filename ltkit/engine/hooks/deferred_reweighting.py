"""Deferred re-weighting of any loss."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ltkit.models.losses import LongTailLoss
from ltkit.registry import HOOKS
from ltkit.utils.errors import ConfigError


@HOOKS.register_module()
class DeferredReweighting(Hook):
    """Re-weight the classes by the effective number from an epoch on.

    The DRW schedule of Cao et al. (NeurIPS 2019, arXiv 1906.07413) for every
    loss of ltkit in the model: plain weights before ``begin``, then
    effective-number weights. The same as ``drw=dict(begin=..., beta=...)`` in
    the config of a loss.

    Args:
        begin (int): First 0-based epoch with weights; the paper's is 160 of 200.
        beta (float): Of the effective number, in [0, 1). Defaults to 0.9999.
    """

    priority = 'VERY_HIGH'  # before EpochHook, which reads what is set here
    prior_correction = 1.0  # see ltkit.config.compatibility

    def __init__(self, begin: int, beta: float = 0.9999) -> None:
        self.drw = dict(begin=begin, beta=beta)

    def before_train(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        losses = [module for module in model.modules() if isinstance(module, LongTailLoss)]
        if not losses:
            raise ConfigError('DeferredReweighting finds no loss of ltkit (a LongTailLoss) in the model')
        for loss in losses:
            loss.set_drw(**self.drw)
