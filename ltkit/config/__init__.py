"""Strict configs: typing slips and settings without effect stop a run before the model is built."""

from .compatibility import implied_prior_warnings, prior_correction
from .files import read_files
from .loading import check_config, load_config
from .names import allow_top_level_key, known_keys
from .stages import load_runs

__all__ = [
    'allow_top_level_key',
    'check_config',
    'implied_prior_warnings',
    'known_keys',
    'load_config',
    'load_runs',
    'prior_correction',
    'read_files',
]
