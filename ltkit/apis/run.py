"""Train and test by a config: what the command-line tools call."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import broadcast_object_list, is_main_process

from ltkit.config import implied_prior_warnings
from ltkit.engine import Runner, init_processes
from ltkit.engine.freezing import frozen_patterns
from ltkit.engine.launch import launch_id, restarts
from ltkit.utils.checkpoint import latest_checkpoint, read_checkpoint
from ltkit.utils.errors import CheckpointError, ConfigError

from .posthoc_fit import PosthocFit
from .report import final_table


def default_work_dir(config: str) -> str:
    """``work_dirs/<method>/<config name>`` for ``configs/<method>/<config name>.py``."""
    path = Path(config)
    return os.path.join('work_dirs', path.resolve().parent.name, path.stem)


def train(cfg: Config) -> dict[str, Any]:
    """Train the model of a config, or resume it (``cfg.resume``).

    When torchrun starts it again after a process died, it goes on from the newest
    checkpoint of this launch, or from the beginning when there is none yet.

    Args:
        cfg (Config): As :func:`ltkit.config.load_config` gives it.

    Returns:
        dict: What ``ResultsHook`` wrote into ``<work_dir>/results.json``; empty
        without that hook.
    """
    if cfg.get('train_dataloader') is None:
        raise ConfigError(f'{cfg.filename} has no train_dataloader; this config can be tested only')
    init_processes(cfg.get('launcher', 'none'), cfg.get('env_cfg', {}).get('dist_cfg', {}).get('timeout'))
    check_frozen(cfg)
    if restarts():
        _find_restarted(cfg)
    if cfg.get('resume'):
        _find_resumed(cfg)
    runner = Runner.from_cfg(cfg)
    for warning in implied_prior_warnings(cfg):
        runner.logger.warning(warning)
    runner.train()
    return _finish(runner)


def test(cfg: Config, checkpoint: str) -> dict[str, Any]:
    """Evaluate a checkpoint on the test set of a config.

    Post-hoc rules that need it are fitted to the images of ``val_dataloader``
    first; see :class:`.posthoc_fit.PosthocFit`.

    Args:
        cfg (Config): As :func:`ltkit.config.load_config` gives it.
        checkpoint (str): Path of the checkpoint; all its weights must match.

    Returns:
        dict: As of :func:`train`.
    """
    runner = test_runner(cfg, checkpoint)
    runner.test()
    return _finish(runner)


def test_runner(cfg: Config, checkpoint: str) -> Runner:
    """A Runner that has what a test needs and nothing else; arguments and errors as of :func:`test`."""
    if cfg.get('test_dataloader') is None:
        raise ConfigError(f'{cfg.filename} has no test_dataloader')
    if not checkpoint.startswith(('http://', 'https://')) and not os.path.isfile(checkpoint):
        raise CheckpointError(f'no checkpoint at {checkpoint}')
    fit = PosthocFit(cfg)
    cfg.load_from, cfg.resume, cfg.strict_load = checkpoint, False, True
    for key in ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler', 'val_dataloader',
                'val_cfg', 'val_evaluator'):
        cfg[key] = None
    runner = Runner.from_cfg(cfg)
    runner.register_hook(fit)
    return runner


def use_amp(cfg: Config, dtype: str | None = None) -> None:
    """Switch mixed precision on.

    Args:
        cfg (Config): The config, which is changed.
        dtype (str, optional): ``'fp16'`` (with loss scaling, GPUs only) or
            ``'bf16'``. Defaults to fp16 on a GPU and bf16 on the CPU.

    Raises:
        ConfigError: The config has an optim_wrapper of a kind that this cannot
            replace, or ``dtype`` is not for this machine.
    """
    wrapper = cfg.get('optim_wrapper')
    if wrapper is None:
        raise ConfigError(f'{cfg.filename} has no optim_wrapper, so --amp has nothing to change')
    if dtype not in (None, 'fp16', 'bf16'):
        raise ConfigError(f"--amp takes fp16 or bf16, but got '{dtype}'")
    kind = wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper', 'CPUAmpOptimWrapper'):
        raise ConfigError(f"--amp replaces optim_wrapper.type 'OptimWrapper', but it is '{kind}'")
    if kind != 'OptimWrapper' and dtype is None:
        return  # as the config has it
    if not torch.cuda.is_available():
        if dtype == 'fp16':
            raise ConfigError('--amp fp16 needs a GPU; use --amp bf16 on the CPU')
        wrapper.type = 'CPUAmpOptimWrapper'
        return
    wrapper.type = 'AmpOptimWrapper'
    if dtype == 'bf16':
        # bfloat16 has the range of float32: nothing to scale.
        wrapper.update(dtype='bfloat16', loss_scale=dict(enabled=False))
        return
    wrapper.setdefault('loss_scale', 'dynamic')
    if dtype == 'fp16':
        wrapper.dtype = 'float16'


def use_compile(cfg: Config) -> None:
    """Compile the training step with ``torch.compile``; options in ``cfg.compile`` are kept."""
    if not cfg.get('compile'):
        cfg.compile = True


def check_frozen(
    cfg: Config, remedy: str = 'give the checkpoint of the stage before: --cfg-options load_from=PATH'
) -> None:
    """Refuse to freeze what no checkpoint is loaded into: it would stay as a new model has it.

    Args:
        cfg (Config): With what it begins from, in ``load_from`` or ``resume``.
        remedy (str): Ends the message.

    Raises:
        ConfigError: It freezes parts of a new model.
    """
    frozen = frozen_patterns(cfg.get('frozen'))
    if frozen and not cfg.get('load_from') and not cfg.get('resume') and 'Pretrained' not in str(cfg.get('model')):
        raise ConfigError(f'{cfg.filename} freezes {frozen}, which would stay as a new model has it; {remedy}')


def _find_restarted(cfg: Config) -> None:
    """Resume from what this launch has written; all processes take what the first one finds."""
    resume, launch = cfg.get('resume'), launch_id()

    def ours(checkpoint: dict[str, Any]) -> bool:
        own = launch is not None and (checkpoint.get('meta') or {}).get('launch') == launch
        return own or (resume and not cfg.get('load_from'))

    found = [latest_checkpoint(cfg.work_dir, ours) if is_main_process() else None]
    broadcast_object_list(found)
    if is_main_process():
        print(f'restart {restarts()}: ' + (f'resuming {found[0]}' if found[0] else 'there is no checkpoint of '
              'this launch yet, so it begins as it did'), flush=True)
    if found[0]:
        cfg.resume, cfg.load_from = True, found[0]


def _find_resumed(cfg: Config) -> None:
    """Find the checkpoint to resume; a run without a stated seed takes the seed from it."""
    cfg.load_from = cfg.get('load_from') or latest_checkpoint(cfg.work_dir)
    if cfg.load_from is None:
        raise CheckpointError(f'nothing to resume: no checkpoint in {cfg.work_dir}; leave --resume out to '
                              'start from the beginning, or name a checkpoint')
    if cfg.get('randomness', {}).get('seed') is None:
        seed = read_checkpoint(cfg.load_from).get('meta', {}).get('seed')
        cfg.randomness = dict(cfg.get('randomness', {}), seed=seed)


def _finish(runner: Runner) -> dict[str, Any]:
    hooks = [hook for hook in runner.hooks if hasattr(hook, 'results')]
    results = hooks[0].results if hooks else {}
    if results.get('metrics'):
        runner.logger.info('\n' + final_table(results))
    return results
