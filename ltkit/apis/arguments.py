"""Command-line arguments that the tools share."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

from ltkit.config.numbers import POSITIVE, SEED
from ltkit.config.stages import Stage, load_runs
from ltkit.utils.errors import ConfigError

from .run import default_work_dir


class KeyValues(DictAction):
    """mmengine's ``DictAction``, with values in JSON and one line for an option that is not ``KEY=VALUE``."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any,
                 option_string: str | None = None) -> None:
        for value in values:
            if not value.partition('=')[0] or '=' not in value:
                raise ConfigError(f"{option_string}: '{value}' is not KEY=VALUE; write it without spaces around =, as "
                                  'train_cfg.max_epochs=100')
        super().__call__(parser, namespace, values, option_string)

    @staticmethod
    def _parse_iterable(val: str) -> Any:
        return option_value(val)


def option_value(text: str) -> Any:
    """The value of ``KEY=VALUE``: as mmengine reads it, or JSON where it holds a dict (``{`` or ``[{``).

    Raises:
        ConfigError: It begins as JSON but is none, or is no value that mmengine reads.
    """
    if not text.lstrip().startswith(('{', '[{')):
        try:
            return DictAction._parse_iterable(text)
        except RecursionError:
            raise ConfigError(f'{text} cannot be read; write lists of dicts as JSON, for example '
                              '[{"type": "Calibration"}]') from None
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f'{text} is no JSON ({error}); write for example [{{"type": "Calibration"}}]') from error


def seed_number(text: str) -> int:
    """The value of ``--seed``; ``ArgumentTypeError`` when it is none."""
    return _number(text, SEED)


def positive_number(text: str) -> int:
    """A whole number from 1 on; ``ArgumentTypeError`` when it is none."""
    return _number(text, POSITIVE)


def _number(text: str, rule: tuple[str, Callable[[Any], bool]]) -> int:
    kind, fits = rule
    number = int(text) if text.isdecimal() else None
    if not fits(number):
        raise argparse.ArgumentTypeError(f'must be {kind}, but is {text}')
    return number


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what training and testing have in common."""
    parser.add_argument('config', help='config file, or package::path such as ltkit::erm/r8_digits_lt.py')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints (default: work_dirs/METHOD/NAME)')
    parser.add_argument('--cfg-options', nargs='+', action=KeyValues, metavar='KEY=VALUE',
                        help='override settings, for example train_dataloader.dataset.imbalance_factor=50')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm'], default='none',
                        help='how the processes of a distributed run were started')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def config_of(args: argparse.Namespace) -> Config:
    """Load the config of parsed arguments, with work folder and launcher set; with stages that of the last one."""
    return configs_of(args)[-1].config


def configs_of(args: argparse.Namespace) -> list[Stage]:
    """Load the stages of parsed arguments, with work folder and launcher set; a config without stages is one of them,
    without a name."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    stages = load_runs(args.config, args.cfg_options)
    stated = list(dict.fromkeys(stage.config.get('work_dir') for stage in stages))
    stated = stated[0] if len(stated) == 1 else None
    work_dir = args.work_dir or stated or default_work_dir(args.config.replace('::', '/'))
    check_work_dir(work_dir)
    for stage in stages:
        stage.config.launcher = args.launcher
        stage.config.work_dir = work_dir
    return stages


def check_work_dir(folder: str) -> None:
    """Look, without making anything, whether ``folder`` is or can become a folder to write in.

    Raises:
        ConfigError: It cannot; names what is in the way.
    """
    path = Path(folder).absolute()
    there = next(part for part in (path, *path.parents) if os.path.lexists(part))
    if not there.is_dir():
        raise ConfigError(f'the work folder {folder} cannot be made: {there} is not a folder; give another --work-dir')
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f'the work folder {folder} cannot be written: no permission in {there}; give another '
                          '--work-dir')
