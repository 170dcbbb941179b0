"""Fitting a classifier to the features of a trained model."""

from __future__ import annotations

from typing import Any

from mmengine.dist import get_rank
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop
from torch import nn
from torch.utils.data import DataLoader

from ltkit.engine.fitting import Fitting, classifiers_of
from ltkit.engine.hooks.checkpoint_hook import write_last_checkpoint
from ltkit.models.fitted import Fitted
from ltkit.registry import LOOPS
from ltkit.utils.errors import ConfigError

CHECKPOINT = 'epoch_1.pth'


@LOOPS.register_module()
class FitLoop(BaseLoop):
    """Passes over the training set that fit the classifier; nothing else is changed.

    The model is in evaluation and takes no gradient, so a config needs no
    ``optim_wrapper``; one that it inherits, and ``param_scheduler``, are not used. The
    features that the classifier sees, ``head.pre_logits``, go to its
    :class:`~ltkit.models.fitted.Fitted` interface, as of
    :class:`~ltkit.models.classifiers.NCMClassifier`; in a head of several experts each
    classifier gets those of its own. Then a checkpoint is saved, and the validation
    set evaluated. A config is::

        _base_ = 'ltkit::erm/r32_cifar100_lt.py'
        model = dict(head=dict(classifier=dict(_delete_=True, type='NCMClassifier')))
        train_cfg = dict(_delete_=True, type='FitLoop')
        load_from = 'work_dirs/erm/r32_cifar100_lt/epoch_200.pth'

    Each image counts once. The sampler is ``InstanceBalancedSampler`` (the default of
    ltkit's configs) or mmengine's ``DefaultSampler``, in any order; what they repeat at
    the end, to fill the last batch or to give each process the same number, is left
    out. Images come as the pipeline of the training set makes them: for the features
    that the test will see, give it the pipeline of the test set. ``batch_size`` is that
    of all processes together, whose number changes nothing.

    A resumed run that had been fitted is evaluated only. There is nothing in
    between to resume from: a fit that was stopped begins again.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader or dict): Of the training set.
        interval (int): Batches between two lines of progress in the log. Defaults
            to 50.

    Raises:
        ConfigError: No classifier can be fitted, one has parameters that are
            learned by gradients, or the sampler repeats or leaves out images.
    """

    takes_steps = False
    """Whether it trains parameters, for which a Runner builds an optimizer."""

    max_epochs = 1

    def __init__(self, runner: Any, dataloader: DataLoader | dict, interval: int = 50) -> None:
        super().__init__(runner, dataloader)
        if isinstance(interval, bool) or not isinstance(interval, int) or interval < 1:
            raise ConfigError(f'train_cfg.interval must be a whole number above 0, but is {interval!r}')
        self.interval = interval
        self.model: nn.Module = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self.fitting = Fitting(runner, self.dataloader, dict(enumerate(self._classifiers())), interval, 'FitLoop')
        self._epoch = 0
        self._iter = 0  # of a run that is resumed
        runner.visualizer.dataset_meta = getattr(self.dataloader.dataset, 'metainfo', None)

    @property
    def epoch(self) -> int:
        """1 once the classifier is fitted."""
        return self._epoch

    @property
    def iter(self) -> int:
        """Batches so far."""
        return self._iter + self.fitting.batches

    @property
    def max_iters(self) -> int:
        """Batches of all passes."""
        return self.fitting.passes * len(self.dataloader)

    def run(self) -> nn.Module:
        """Fit, save and evaluate; see the class.

        Raises:
            Interrupted: A signal asked to stop.
        """
        runner = self.runner
        runner.call_hook('before_train')
        if self._epoch == 0:
            runner.call_hook('before_train_epoch')
            self.fitting.run()
            runner.call_hook('after_train_epoch')
            self._epoch = 1
            if runner.last_own_checkpoint() is None:  # the hook saves by iterations, or there is none
                runner.save_checkpoint(runner.work_dir, CHECKPOINT, meta=dict(epoch=1, iter=self.iter))
                if get_rank() == 0:
                    write_last_checkpoint(runner.work_dir, f'{runner.work_dir}/{CHECKPOINT}')
            if runner.val_loop is not None:
                runner.val_loop.run()
        runner.call_hook('after_train')
        return runner.model

    def _classifiers(self) -> list[Fitted]:
        named = classifiers_of(self.model)
        for name, part in named.items():
            if not isinstance(part, Fitted):
                raise ConfigError(f'FitLoop has nothing to fit: {name} is a {type(part).__name__}, which is not fitted '
                                  "to features; use classifier=dict(type='NCMClassifier'), or train it with "
                                  'train_cfg=dict(by_epoch=True, max_epochs=...)')
            learned = [key for key, parameter in part.named_parameters() if parameter.requires_grad]
            if learned:
                raise ConfigError(f'FitLoop takes no gradient, but {name} ({type(part).__name__}) learns {learned[0]} '
                                  'by gradients; train it with train_cfg=dict(by_epoch=True, max_epochs=...), or '
                                  'freeze it')
        return list(named.values())
