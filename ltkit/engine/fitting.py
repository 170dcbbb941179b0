"""Passes over a training set that fit classifiers to the features of a model."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, all_reduce, broadcast, get_rank, get_world_size
from mmengine.model import is_model_wrapper
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ltkit.models.fitted import Fitted
from ltkit.utils.errors import ConfigError, Interrupted

__all__ = ['Fitting', 'classifiers_of']


class Fitting:
    """Fits classifiers to the features that they see, ``head.pre_logits``, each training image once.

    What the sampler repeats at the end, to fill the last batch or to give each process
    the same number, is left out. The processes begin with the weights of the first,
    and find the same.

    Args:
        runner (Runner): Of the model.
        dataloader (DataLoader): Of the training set.
        classifiers (Mapping): Place among the classifiers of the head = the classifier,
            of :class:`~ltkit.models.fitted.Fitted`.
        interval (int): Batches between two lines of progress in the log.
        who (str): What asks for it, in errors.
    """

    def __init__(self, runner: Any, dataloader: DataLoader, classifiers: Mapping[int, Fitted], interval: int,
                 who: str) -> None:
        self.runner = runner
        self.model: nn.Module = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self.dataloader = dataloader
        self.classifiers = dict(classifiers)
        self.interval = interval
        self.who = who
        self.passes = max(part.fit_passes for part in self.classifiers.values())
        self.batches = 0
        """How many it has seen, of all passes."""

    @torch.no_grad()
    def run(self) -> None:
        """All passes over the training set; the model is in evaluation afterwards.

        Raises:
            ConfigError: The sampler repeats or leaves out images.
            Interrupted: A signal asked to stop.
        """
        began = time.perf_counter()
        counted = self._counted()
        if not self.runner._has_loaded and not _initialised(self.model):
            self.runner.logger.warning(f'{self.who}: load_from is not given, so the classifier is fitted to features '
                                       'of a model that was never trained')
        self._share_weights()
        self.model.eval()
        for pass_index in range(self.passes):
            parts = {place: part for place, part in self.classifiers.items() if pass_index < part.fit_passes}
            for part in parts.values():
                part.begin_fit(pass_index)
            for features, labels in self._batches(pass_index, counted):
                for place, part in parts.items():
                    part.fit(features[place], labels)
            for part in parts.values():
                part.end_fit(pass_index, _sum_over_processes)
        kinds = ' and '.join(sorted({type(part).__name__ for part in self.classifiers.values()}))
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
            self.batches += 1
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
            raise ConfigError(f'{self.who} counts each of the {self._num_images:,} training images once, but {sampler} '
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


def classifiers_of(model: nn.Module) -> dict[str, Any]:
    """The classifiers of a model's head by their names, in the order of the features that they see.

    Args:
        model (nn.Module): Not wrapped.

    Returns:
        dict[str, nn.Module or None]: One, ``model.head.classifier``, or one an expert.
    """
    head = getattr(model, 'head', None)
    several = getattr(head, 'classifiers', None)
    if several is not None:
        return {f'model.head.classifiers.{place}': part for place, part in enumerate(several)}
    return {'model.head.classifier': getattr(head, 'classifier', None)}


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
