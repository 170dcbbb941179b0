"""Fitting a classifier to the features of a trained model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, all_reduce, broadcast, get_rank, get_world_size
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ltkit.engine.hooks.checkpoint_hook import write_last_checkpoint
from ltkit.models.fitted import Fitted
from ltkit.registry import LOOPS
from ltkit.utils.errors import ConfigError, Interrupted

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
        self.classifiers = self._classifiers()
        self.passes = max(part.fit_passes for part in self.classifiers)
        self._epoch = 0
        self._iter = 0
        runner.visualizer.dataset_meta = getattr(self.dataloader.dataset, 'metainfo', None)

    @property
    def epoch(self) -> int:
        """1 once the classifier is fitted."""
        return self._epoch

    @property
    def iter(self) -> int:
        """Batches so far."""
        return self._iter

    @property
    def max_iters(self) -> int:
        """Batches of all passes."""
        return self.passes * len(self.dataloader)

    # -------------------------------------------------------------------- loop
    def run(self) -> nn.Module:
        """Fit, save and evaluate; see the class.

        Raises:
            Interrupted: A signal asked to stop.
        """
        runner = self.runner
        runner.call_hook('before_train')
        if self._epoch == 0:
            runner.call_hook('before_train_epoch')
            self.fit()
            runner.call_hook('after_train_epoch')
            self._epoch = 1
            if runner.last_own_checkpoint() is None:  # the hook saves by iterations, or there is none
                runner.save_checkpoint(runner.work_dir, CHECKPOINT, meta=dict(epoch=1, iter=self._iter))
                if get_rank() == 0:
                    write_last_checkpoint(runner.work_dir, f'{runner.work_dir}/{CHECKPOINT}')
            if runner.val_loop is not None:
                runner.val_loop.run()
        runner.call_hook('after_train')
        return runner.model

    @torch.no_grad()
    def fit(self) -> None:
        """All passes over the training set."""
        began = time.perf_counter()
        counted = self._counted()
        if not self.runner._has_loaded and not _initialised(self.model):
            self.runner.logger.warning('FitLoop: load_from is not given, so the classifier is fitted to features of a '
                                       'model that was never trained')
        self._share_weights()
        self.model.eval()
        for pass_index in range(self.passes):
            parts = [(place, part) for place, part in enumerate(self.classifiers) if pass_index < part.fit_passes]
            for _, part in parts:
                part.begin_fit(pass_index)
            for features, labels in self._batches(pass_index, counted):
                for place, part in parts:
                    part.fit(features[place], labels)
            for _, part in parts:
                part.end_fit(pass_index, _sum_over_processes)
        kinds = ' and '.join(sorted({type(part).__name__ for part in self.classifiers}))
        self.runner.logger.info(f'{kinds} fitted to {self._num_images:,} images in {time.perf_counter() - began:.1f} s')

    def _batches(self, pass_index: int, counted: np.ndarray) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
        """Features of each classifier and labels, of the images of this process that count."""
        began, position = time.perf_counter(), 0
        for number, batch in enumerate(self.dataloader, 1):
            if self._to_be_stopped(number):
                raise Interrupted('a signal stopped the fit; nothing of it is saved, start it again without --resume')
            data = self.model.data_preprocessor(batch, False)
            features = self.model.head.pre_logits(self.model.extract_feat(data['inputs']))
            features = features if isinstance(features, tuple) else (features, )
            labels = self.model.head.gather_targets(data['data_samples'], features[0])
            keep = torch.from_numpy(counted[position:position + len(labels)]).to(labels.device)
            position += len(labels)
            self._iter += 1
            if number % self.interval == 0 or number == len(self.dataloader):
                self._log(pass_index, position / len(counted), time.perf_counter() - began)
            yield tuple(part[keep] for part in features), labels[keep]

    def _to_be_stopped(self, number: int) -> bool:
        """Whether any process got a signal; the same answer in all, which agree every ``interval`` batches."""
        received = self.runner.stop_signals.received is not None
        if get_world_size() == 1:
            return received
        if number % self.interval or number > self._common_batches:
            return False
        return bool(_sum_over_processes(torch.tensor(int(received))))

    def _log(self, pass_index: int, share: float, seconds: float) -> None:
        images = round(share * self._num_images)
        left = timedelta(seconds=round(seconds * (self.passes - pass_index) / share - seconds))
        self.runner.logger.info(
            f'fit, pass {pass_index + 1} of {self.passes}: {images:,} of {self._num_images:,} images, '
            f'{images / max(seconds, 1e-9):,.0f} images/s, eta: {left}')

    # ------------------------------------------------------------------ checks
    def _classifiers(self) -> list[Fitted]:
        head = getattr(self.model, 'head', None)
        several = getattr(head, 'classifiers', None)
        named = {f'model.head.classifiers.{i}': part for i, part in enumerate(several)} if several is not None else \
            {'model.head.classifier': getattr(head, 'classifier', None)}
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

    def _counted(self) -> np.ndarray:
        """Whether each sample that this process gets is counted here, in its order; bool.

        Each image is counted where the processes, one after the other, first have it.
        """
        batches = self.dataloader.batch_sampler
        own, again = ([[int(index) for index in batch] for batch in batches] for _ in range(2))
        orders = all_gather_object(np.array([index for batch in own for index in batch], dtype=np.int64))
        order, self._num_images = np.concatenate(orders), len(self.dataloader.dataset)
        self._common_batches = min(all_gather_object(len(own)))
        unique, first = np.unique(order, return_index=True)
        missing, repeated = self._num_images - len(unique), len(order) - len(unique)
        filled = max((len(batch) for batch in own), default=0) * get_world_size()  # of a batch, one is surely there
        changes = any(all_gather_object(own != again))
        if missing or repeated >= max(filled, 1) or changes:
            sampler = type(getattr(batches, 'sampler', batches)).__name__
            how = 'gives another order each time' if changes else \
                f'leaves out {missing:,} and repeats {repeated:,} of them in a pass'
            raise ConfigError(f'FitLoop counts each of the {self._num_images:,} training images once, but {sampler} '
                              f"{how}; use train_dataloader.sampler=dict(type='InstanceBalancedSampler') without "
                              'num_samples, and drop_last=False')
        counted = np.zeros(len(order), dtype=bool)
        counted[first] = True
        start = sum(len(part) for part in orders[:get_rank()])
        return counted[start:start + len(orders[get_rank()])]

    def _share_weights(self) -> None:
        """All processes take those of the first, for no gradient step keeps them equal."""
        if get_world_size() > 1:
            for tensor in self.model.state_dict().values():
                if tensor.numel():
                    broadcast(tensor, 0)


def _sum_over_processes(tensor: Tensor) -> Tensor:
    total = tensor.clone()
    all_reduce(total, 'sum')
    return total


def _initialised(model: nn.Module) -> bool:
    """Whether a part is initialised from a checkpoint."""
    return any(isinstance(cfg, dict) and cfg.get('type') == 'Pretrained'
               for module in model.modules()
               for cfg in _as_list(getattr(module, 'init_cfg', None)))


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
