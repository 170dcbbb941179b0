"""What a script calls: train, test, infer."""

from .arguments import KeyValues, add_run_arguments, config_of, configs_of, positive_number, seed_number
from .infer import Inferencer, image_files
from .posthoc import parse_rule, parse_sweep, sweep_posthoc, sweep_table
from .report import final_table
from .run import default_work_dir, test, train, use_amp, use_compile
from .stages import train_stages

__all__ = [
    'Inferencer',
    'KeyValues',
    'add_run_arguments',
    'config_of',
    'configs_of',
    'default_work_dir',
    'final_table',
    'image_files',
    'parse_rule',
    'parse_sweep',
    'positive_number',
    'seed_number',
    'sweep_posthoc',
    'sweep_table',
    'test',
    'train',
    'train_stages',
    'use_amp',
    'use_compile',
]
