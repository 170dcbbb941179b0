"""Command-line arguments that the tools share."""

from __future__ import annotations

import argparse
import os

from mmengine.config import Config, DictAction

from ltkit.config import load_config

from .run import default_work_dir


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what training and testing have in common."""
    parser.add_argument('config', help='config file, or package::path such as ltkit::erm/r8_digits_lt.py')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints (default: work_dirs/METHOD/NAME)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help='override settings, for example train_dataloader.dataset.imbalance_factor=50')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm'], default='none',
                        help='how the processes of a distributed run were started')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def config_of(args: argparse.Namespace) -> Config:
    """Load the config of parsed arguments, with work folder and launcher set."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = load_config(args.config, args.cfg_options)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = default_work_dir(args.config.replace('::', '/'))
    return cfg
