"""Fit what training begins from."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ltkit.engine.data import plain_training_set
from ltkit.engine.fitting import Fitting, classifiers_of
from ltkit.models.fitted import begins_training
from ltkit.registry import HOOKS
from ltkit.utils.rng import rng_state, set_rng_state


@HOOKS.register_module()
class FitHook(Hook):
    """Before the first step, fit the classifier whose fitted values are where its training begins.

    Such a classifier has ``fit_begins_training = True``, as :class:`OLTRClassifier
    <ltkit.models.classifiers.OLTRClassifier>` has, whose memory begins as the class means
    of the features; without one nothing happens. The weights are those that training
    begins from, an earlier stage's loaded. The images are those of the training set,
    each once, through the pipeline of the validation, and the model is in evaluation
    mode. What a checkpoint has brought stays: a resumed run fits nothing.

    The Runner has it by default; it draws no random number, so that training goes on as
    if the values had been given.

    Args:
        dataloader (dict, optional): Of the images. Defaults to ``val_dataloader`` with the
            training set in it.
        interval (int): Batches between two lines of progress in the log. Defaults to 50.
    """

    priority = 'ABOVE_NORMAL'  # after ClassDistributionHook

    def __init__(self, dataloader: Mapping[str, Any] | None = None, interval: int = 50) -> None:
        self.dataloader = dataloader
        self.interval = interval

    def before_train(self, runner: Runner) -> None:
        """Fit, where there is something to fit.

        Raises:
            ConfigError: There is nothing to make the data loader of, or its sampler
                repeats or leaves out images.
            Interrupted: A signal asked to stop.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        classifiers = {place: part for place, part in enumerate(classifiers_of(model).values())
                       if begins_training(part) and not part.fitted}
        if not classifiers or not getattr(runner.train_loop, 'takes_steps', True):
            return
        config = self.dataloader or plain_training_set(runner.cfg, 'FitHook')
        random, modes = rng_state(), [(module, module.training) for module in model.modules()]
        loader = runner.build_dataloader(copy.deepcopy(dict(config)), seed=runner.seed)
        try:
            Fitting(runner, loader, classifiers, self.interval, 'FitHook').run()
        finally:
            for module, training in modes:
                module.training = training
            set_rng_state(random)
