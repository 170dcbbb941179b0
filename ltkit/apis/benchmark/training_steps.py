"""The steps of a training, taken a few at a time."""

from __future__ import annotations

import gc
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop

from ltkit.engine import Runner
from ltkit.utils.errors import ConfigError

LEFT_OUT = ('logger', 'checkpoint', 'preemption', 'results')  # hooks that a step does not need


@contextmanager
def training_steps(config: Config, needed: int) -> Iterator[Callable[[int], None]]:
    """Begin a training as ``tools/train.py`` does, and stop before its first step.

    The steps are those of the last epochs, as many as hold the ``needed`` ones: what a
    method defers is on there. The weights are untrained. Nothing is evaluated, logged or
    saved.

    Args:
        config (Config): Of the training; it is changed.
        needed (int): Steps that will be taken at most.

    Yields:
        Callable: Takes that many steps, and waits for the device.

    Raises:
        ConfigError: The training is shorter than that, or counts iterations alone.
    """
    gc.collect()  # an earlier Runner and its data, which refer to each other
    with tempfile.TemporaryDirectory() as folder:
        loop = begin_training(config, Path(folder)).train_loop
        steps = steps_from(loop, first_epoch(loop, needed))

        def take(count: int) -> None:
            for _ in range(count):
                next(steps)
            if torch.cuda.is_available():
                torch.cuda.synchronize()

        try:
            yield take
        finally:
            steps.close()


def first_epoch(loop: EpochBasedTrainLoop, needed: int) -> int:
    """The epoch, from 0, with which the last ``needed`` steps of a loop begin at the latest."""
    if not isinstance(loop, EpochBasedTrainLoop):
        raise ConfigError(f'{type(loop).__name__} has no epochs to take steps of; set train_cfg.by_epoch=True')
    if needed > loop.max_iters:
        raise ConfigError(f'its training has {loop.max_iters} iterations, fewer than the {needed} to be timed; lower '
                          '--rounds or --iterations')
    return loop.max_epochs - math.ceil(needed / len(loop.dataloader))


class _BeginningHook(Hook):
    """End :meth:`Runner.train` when all is ready for the first step."""

    priority = 'LOWEST'

    def before_train(self, runner: Runner) -> None:
        raise _Begun


class _Begun(Exception):
    """All is ready for the first step."""


def begin_training(config: Config, folder: Path) -> Runner:
    """A Runner with all done that comes before the first step; see :func:`training_steps`."""
    if config.get('train_dataloader') is None:
        raise ConfigError('its config has no train_dataloader')
    config.update(work_dir=str(folder), experiment_name=folder.name, log_level='ERROR', load_from=None, resume=False)
    config.default_hooks = {**(config.get('default_hooks') or {}), **dict.fromkeys(LEFT_OUT)}
    runner = Runner.from_cfg(config)
    runner.register_hook(_BeginningHook())
    try:
        runner.train()
    except _Begun:
        pass
    return runner


def steps_from(loop: EpochBasedTrainLoop, epoch: int) -> Iterator[None]:
    """The steps of a loop from the beginning of an epoch on, without validation."""
    loop._epoch, loop._iter = epoch, epoch * len(loop.dataloader)
    while True:
        loop.runner.call_hook('before_train_epoch')
        loop.runner.model.train()
        for index, batch in enumerate(loop.dataloader):
            loop.run_iter(index, batch)
            yield
        loop.runner.call_hook('after_train_epoch')
        loop._epoch += 1
