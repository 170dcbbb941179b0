"""What a script calls: train, test, infer."""

from .arguments import add_run_arguments, config_of
from .infer import Inferencer, image_files
from .report import final_table
from .run import default_work_dir, test, train, use_amp

__all__ = [
    'Inferencer',
    'add_run_arguments',
    'config_of',
    'default_work_dir',
    'final_table',
    'image_files',
    'test',
    'train',
    'use_amp',
]
