"""The Runner of ltkit: mmengine's, with runs that can be trusted."""

from __future__ import annotations

import functools
import logging
import math
import os
import platform
import sys
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import get_world_size, is_main_process
from mmengine.logging import MessageHub, MMLogger
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.runner import Runner as _Runner
from torch import nn

from ltkit.models.fitted import fitted_parts
from ltkit.models.meta_learned import meta_learned_parameters
from ltkit.registry import LOOPS, RUNNERS, SAMPLERS
from ltkit.utils.checkpoint import latest_checkpoint, read_checkpoint
from ltkit.utils.errors import CheckpointError, ConfigError, DiskFullError
from ltkit.utils.files import full_disk_error, is_full, tensor_bytes, whole_file
from ltkit.utils.patterns import as_patterns
from ltkit.utils.weights import HandOver, hand_over_weights, load_weights
from ltkit.version import __version__

from .building import building
from .data import build_dataloader, skip_seen_batches
from .freezing import freeze
from .launch import init_processes
from .loops import MetaTrainLoop
from .message_hub import make_lazy
from .no_optim_wrapper import NoOptimWrapper
from .optim_wrapper import log_norm_later
from .signals import StopSignals, careful_workers

DEFAULT_HOOKS = dict(
    class_distribution=dict(type='ltkit.ClassDistributionHook'),
    fit=dict(type='ltkit.FitHook'),
    epoch=dict(type='ltkit.EpochHook'),
    iteration_seed=dict(type='ltkit.IterationSeedHook'),
    finite_loss=dict(type='ltkit.FiniteLossHook'),
    projection=dict(type='ltkit.ProjectionHook'),
    frozen_statistics=dict(type='ltkit.FrozenStatisticsHook'),
    sync_statistics=dict(type='ltkit.SyncStatisticsHook'),
    checkpoint_state=dict(type='ltkit.CheckpointStateHook'),
    preemption=dict(type='ltkit.PreemptionHook'),
    features_for_metrics=dict(type='ltkit.FeaturesForMetricsHook'),
    results=dict(type='ltkit.ResultsHook'))


@RUNNERS.register_module(name='LTRunner')
class Runner(_Runner):
    """mmengine's Runner; what differs:

    * ``train_dataloader.batch_size`` is the batch of one optimiser step. It is
      divided over the processes and ``optim_wrapper.accumulative_counts``, or
      refused with the arithmetic, so that neither the effective batch nor the
      order of the samples depends on the number of GPUs.
    * Checkpoints are written whole (temporary name, flush, rename), hold plain
      data only and are read with ``weights_only=True``. ``resume`` without
      anything to resume, with another seed, or from another model is an error.
    * SIGTERM and SIGUSR1 end training at the next whole step with a checkpoint.
    * Processes without a GPU are connected by gloo.
    * A training loop whose ``takes_steps`` is False (``FitLoop``) needs no
      ``optim_wrapper``, and uses none.
    * ``frozen`` and ``reinitialize`` of the config say what of a checkpoint a
      later stage keeps and what it makes anew; see :mod:`.freezing`.

    Args:
        strict_load (bool): Whether ``load_from`` must match the model in every
            weight. On for a test, off for fine-tuning. Defaults to False.
    """

    def __init__(self, *args: Any, strict_load: bool = False, **kwargs: Any) -> None:
        self.strict_load = strict_load
        self.stop_signals = StopSignals()
        self._own_checkpoints: list[str] = []  # written by this run or resumed from, the newest last
        self.handed_over: HandOver | None = None  # what this stage took from an earlier one
        unused = [] if _takes_steps(kwargs.get('train_cfg')) else ['optim_wrapper', 'param_scheduler']
        given = [name for name in unused if kwargs.get(name)]
        if unused:
            kwargs.update(optim_wrapper=NoOptimWrapper(), param_scheduler=[])
        with building('config'):
            super().__init__(*args, **kwargs)
        if given:
            self.logger.info(f"{' and '.join(given)} of the config: not used, for nothing is trained by gradients")

    def train(self) -> nn.Module:
        """Train; see mmengine.

        Raises:
            Interrupted: A signal asked to stop, and a checkpoint was saved.
        """
        with self.stop_signals:
            return super().train()

    # ------------------------------------------------------------- processes
    def setup_env(self, env_cfg: dict) -> None:
        init_processes(self.launcher, env_cfg.get('dist_cfg', {}).get('timeout'))
        super().setup_env(env_cfg)

    def build_model(self, model: Any) -> nn.Module:
        """Build the model, with what ``frozen`` of the config names frozen."""
        built = super().build_model(model)
        self.frozen = freeze(built, self.cfg.get('frozen'))
        return built

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """Wrap the model; see mmengine. What has synchronised batch normalisation take the place of the plain one, or
        the other way round, leaves frozen statistics frozen."""
        frozen = [name for name, module in model.named_modules() if getattr(module, 'statistics_frozen', False)]
        wrapped = self._wrapped(model_wrapper_cfg, model)
        modules = dict((wrapped.module if is_model_wrapper(wrapped) else wrapped).named_modules())
        for name in frozen:
            if name in modules:  # other wrappers name them otherwise, and leave them as they are
                modules[name].statistics_frozen = True
        return wrapped

    def _wrapped(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        if isinstance(self.optim_wrapper, NoOptimWrapper):
            return model.to(get_device())
        if not self.distributed or torch.cuda.is_available() or model_wrapper_cfg is not None \
                or is_model_wrapper(model):
            return super().wrap_model(model_wrapper_cfg, model)
        if self.cfg.get('sync_bn') is not None:
            self.logger.warning('sync_bn needs GPUs: on the CPU each process normalises its part of a batch '
                                'alone')
        return MMDistributedDataParallel(
            module=model, broadcast_buffers=False,
            find_unused_parameters=self.cfg.get('find_unused_parameters', False))

    def build_message_hub(self, message_hub: dict | None = None) -> MessageHub:
        """Build mmengine's message hub, at a constant cost an iteration."""
        return make_lazy(super().build_message_hub(message_hub))

    def _maybe_compile(self, target: str) -> None:
        """Compile what a training step computes from a batch, not the optimizer and the logging around it.

        mmengine's ``train_step`` is compiled anew for each learning rate; this takes a tenth of its time.
        """
        options = self.cfg.get('compile')
        model = self.model.module if is_model_wrapper(self.model) else self.model
        if not options or target != 'train_step' or not callable(getattr(model, 'loss', None)):
            super()._maybe_compile(target)
            return
        if options is not True and not isinstance(options, dict):
            raise ConfigError(f'compile must be True, False or a dict of options of torch.compile, but is {options!r}')
        model.loss = torch.compile(model.loss, **({} if options is True else options))
        self.logger.info('the model is compiled at its first steps, which takes from seconds to minutes')

    def register_default_hooks(self, hooks: dict | None = None) -> None:
        """Register mmengine's default hooks and ltkit's; ``name=None`` leaves one of them out."""
        hooks = dict(hooks or {})
        for name, hook in DEFAULT_HOOKS.items():
            if hooks.setdefault(name, dict(hook)) is None:
                hooks.pop(name)
        super().register_default_hooks(hooks)

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build the logger; a disk that is full stops the run, instead of a traceback for each line."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if isinstance(handler, logging.FileHandler):
                handler.handleError = functools.partial(_log_error, handler)
        return logger

    def get_hooks_info(self) -> str:
        """The hooks in the order of their priority, in one line."""
        return ', '.join(type(hook).__name__ for hook in self._hooks)

    def _log_env(self, env_cfg: dict) -> None:
        device = torch.cuda.get_device_name() if torch.cuda.is_available() else \
            f'CPU ({torch.get_num_threads()} threads)'
        self.logger.info(
            f'ltkit {__version__}, torch {torch.__version__}, Python {platform.python_version()}, {device}; '
            f'{self.world_size} process(es), launcher {self.launcher}; seed {self.seed}; environment '
            f'{dict(env_cfg)}')
        if self.cfg._cfg_dict:
            self.logger.info(f'config:\n{self.cfg.pretty_text}')

    # ------------------------------------------------------------------ data
    @staticmethod
    def build_dataloader(*args: Any, **kwargs: Any) -> Any:
        """Build a data loader, with ``in_memory=True`` the batched data path.

        Its workers outlive a signal to the whole process group.
        """
        with building('dataloader'):
            return careful_workers(build_dataloader(*args, **kwargs))

    def build_train_loop(self, loop: Any) -> Any:
        dataloader = self._train_dataloader
        if isinstance(loop, dict) and isinstance(dataloader, dict):
            self._train_dataloader = self._per_process(dataloader)
        if isinstance(loop, dict) and 'type' in loop:
            loop = {name: value for name, value in loop.items() if name != 'by_epoch'}  # of the loop it replaces
        with building('train_cfg'):
            built = super().build_train_loop(loop)
        model = self.model.module if is_model_wrapper(self.model) else self.model
        learned = meta_learned_parameters(model)
        if learned and not isinstance(built, MetaTrainLoop):
            raise ConfigError(f"model.{next(iter(learned)).rsplit('.', 1)[0]} is trained by a meta step; set "
                              "train_cfg=dict(type='MetaTrainLoop', ...)")
        for name, part in fitted_parts(self.model).items() if _takes_steps(loop) else ():
            raise ConfigError(f"model.{name.removeprefix('module.')} ({type(part).__name__}) is fitted to the features "
                              "of a trained model, not trained; set train_cfg=dict(_delete_=True, type='FitLoop')")
        sampler = getattr(getattr(built.dataloader, 'batch_sampler', None), 'sampler', None)
        if getattr(model, 'group_size', 1) not in (1, getattr(sampler, 'group_size', 1)):
            raise ConfigError(f'{type(model).__name__} trains on groups of {model.group_size} samples, which '
                              f'{type(sampler).__name__} does not draw; set train_dataloader.sampler='
                              "dict(type='PairedSampler')")
        if hasattr(sampler, 'set_max_epochs'):
            sampler.set_max_epochs(math.ceil(built.max_iters / len(built.dataloader)))
        return built

    def build_optim_wrapper(self, optim_wrapper: Any) -> Any:
        """Build the optimizer; see mmengine."""
        if isinstance(optim_wrapper, dict) and 'optimizer' in optim_wrapper:
            optim_wrapper = {'constructor': 'ltkit.LTOptimWrapperConstructor', **optim_wrapper}
        with building('optim_wrapper'):
            return log_norm_later(super().build_optim_wrapper(optim_wrapper))

    def build_param_scheduler(self, scheduler: Any) -> Any:
        """Build the schedulers; see mmengine."""
        with building('param_scheduler'):
            return super().build_param_scheduler(scheduler)

    def build_evaluator(self, evaluator: Any) -> Any:
        """Build the metrics; see mmengine."""
        with building('evaluator'):
            return super().build_evaluator(evaluator)

    def _per_process(self, dataloader: dict, key: str = 'train_dataloader') -> dict:
        """The data loader of one process for a batch size of all together; ``key`` is its place in the config."""
        dataloader = dict(dataloader)
        world, accumulation = get_world_size(), self._accumulation()
        sampler = dataloader.get('sampler')
        if dataloader.get('batch_sampler') is not None or not isinstance(sampler, dict):
            return dataloader
        batch_size = dataloader.get('batch_size')
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ConfigError(f'{key}.batch_size must be a positive number, but is {batch_size!r}')
        parts = world * accumulation
        if batch_size % parts:
            raise ConfigError(
                f'{key}.batch_size is {batch_size} for one optimiser step, which {world} '
                f'processes x {accumulation} accumulated steps cannot share equally; use a multiple of '
                f'{parts}, for example {-(-batch_size // parts) * parts}, or another number of processes')
        kind = SAMPLERS.get(sampler['type']) if isinstance(sampler['type'], str) else sampler['type']
        group = getattr(kind, 'group_size', 1)
        if key == 'train_dataloader' and not isinstance(self.optim_wrapper, NoOptimWrapper):
            unit = 'samples' if group == 1 else f'groups of {group} samples'
            self.logger.info(f'batch of one optimiser step: {batch_size} = {world} process(es) x '
                             f'{batch_size // parts} {unit} x {accumulation} accumulated step(s); '
                             f'learning rate {self._learning_rate()}')
        if not hasattr(kind, 'epoch_indices'):
            dataloader['batch_size'] = batch_size // parts
            return dataloader
        if dataloader.get('num_batch_per_epoch') is not None:
            raise ConfigError(f'{key}.num_batch_per_epoch would cut the data set before sampling; '
                              f'set {key}.sampler.num_samples instead')
        dataloader['batch_sampler'] = dict(
            type='ltkit.GlobalBatchSampler', drop_last=dataloader.pop('drop_last', False),
            accumulation=accumulation)
        return dataloader

    def _accumulation(self) -> int:
        wrapper = self.optim_wrapper
        if isinstance(wrapper, dict):
            return int(wrapper.get('accumulative_counts', 1))
        return int(getattr(wrapper, '_accumulative_counts', 1))

    def _learning_rate(self) -> Any:
        wrapper = self.optim_wrapper
        return wrapper.get('optimizer', {}).get('lr') if isinstance(wrapper, dict) else wrapper.get_lr()

    # ----------------------------------------------------------- checkpoints
    def save_checkpoint(self, out_dir: str, filename: str, *args: Any, **kwargs: Any) -> None:
        """Write a checkpoint whole or not at all; see mmengine for the arguments."""
        path = os.path.join(out_dir, filename)
        if not is_main_process():
            self._own_checkpoints.append(path)
            return
        os.makedirs(out_dir, exist_ok=True)
        optimizer = getattr(self.optim_wrapper, 'optimizer', None)  # absent in a dict of several
        needed = tensor_bytes(self.model.state_dict()) + tensor_bytes(optimizer.state_dict() if optimizer else 0)
        try:
            with whole_file(path, needed) as part:
                super().save_checkpoint(out_dir, os.path.basename(part), *args, **kwargs)
        except DiskFullError as error:
            last = self.last_own_checkpoint()
            kept = f'the last good checkpoint is {last}; make room, then --resume' if last else \
                'there is no checkpoint of this run yet'
            raise DiskFullError(f'{error}; {kept}') from error
        self._own_checkpoints.append(path)

    def last_own_checkpoint(self) -> str | None:
        """The newest checkpoint that this run wrote or was resumed from; not what another run left in its folder."""
        return next((path for path in reversed(self._own_checkpoints) if os.path.isfile(path)
                     and not os.path.basename(path).startswith('best_')), None)  # which --resume does not take

    def load_checkpoint(self, filename: str, map_location: Any = 'cpu', strict: bool | None = None,
                        revise_keys: list | None = None) -> dict:
        """Read a checkpoint safely and load its weights.

        Raises:
            CheckpointError: It is missing, damaged, refused, or of another model.
        """
        checkpoint = read_checkpoint(filename, map_location)
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        model = self.model.module if is_model_wrapper(self.model) else self.model
        strict = self.strict_load if strict is None else strict
        reinitialize = as_patterns(self.cfg.get('reinitialize') or (), 'reinitialize')
        if not strict and (self.cfg.get('hand_over') or self.frozen or reinitialize):
            self.handed_over = hand_over_weights(model, checkpoint, filename, reinitialize, self.frozen)
            self.logger.info(self.handed_over.report())
        else:
            load_weights(model, checkpoint, filename, strict)
            self.logger.info(f'weights loaded from {filename}')
        self._has_loaded = True
        return checkpoint

    def load_or_resume(self) -> None:
        if self._has_loaded or not self._resume:
            return super().load_or_resume()
        source = self._load_from or latest_checkpoint(self.work_dir)
        if source is None:
            raise CheckpointError(f'nothing to resume: no checkpoint in {self.work_dir}; leave --resume out '
                                  'to start from the beginning, or name a checkpoint')
        self.resume(source)

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """Continue a run exactly; see mmengine for the arguments."""
        stored = read_checkpoint(filename)
        meta = stored.get('meta')
        if not meta or 'epoch' not in meta or 'iter' not in meta or 'optimizer' not in stored:
            raise CheckpointError(f'{filename} has weights but no state of an optimizer and cannot be '
                                  'resumed; use it with load_from')
        seed = self.seed - (self.rank if self._randomness_cfg.get('diff_rank_seed') else 0)
        if meta.get('seed') != seed:
            raise CheckpointError(f"{filename} is of a run with seed {meta.get('seed')}, but this one has "
                                  f'seed {seed}; give the same seed to resume')
        strict, self.strict_load = self.strict_load, True
        try:
            super().resume(filename, *args, **kwargs)
        finally:
            self.strict_load = strict
        if hasattr(self.train_loop, 'load_state_dict'):
            if 'train_loop' not in stored:
                raise CheckpointError(f'{filename} has no state of {type(self.train_loop).__name__} and cannot be '
                                      'resumed with it; use it with load_from')
            self.train_loop.load_state_dict(stored['train_loop'])
        self._own_checkpoints.append(filename)
        skip_seen_batches(self.train_loop, filename)

    def dump_config(self) -> None:
        """Write the config into the work folder; a test leaves the one that training wrote there."""
        name = os.path.basename(self.cfg.filename or '')
        if self._train_loop is not None or not os.path.isfile(os.path.join(self.work_dir, name)):
            super().dump_config()

    @classmethod
    def from_cfg(cls, cfg: Config) -> Runner:
        """Build the Runner of a config; see :meth:`mmengine.runner.Runner.from_cfg`."""
        runner = super().from_cfg(cfg)
        runner.strict_load = bool(cfg.get('strict_load', False))
        return runner


def _takes_steps(loop: Any) -> bool:
    """Whether a training loop, or the config of one, trains parameters."""
    kind = loop.get('type') if isinstance(loop, dict) else type(loop)
    return getattr(LOOPS.get(kind) if isinstance(kind, str) else kind, 'takes_steps', True)


def _log_error(handler: logging.FileHandler, record: logging.LogRecord) -> None:
    error = sys.exc_info()[1]
    if isinstance(error, OSError) and is_full(error):
        raise full_disk_error(error, handler.baseFilename) from error
    logging.Handler.handleError(handler, record)
