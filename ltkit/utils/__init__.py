"""Small helpers that depend on nothing else of ltkit."""

from .errors import (
    CheckpointError,
    ConfigError,
    DataError,
    DiskFullError,
    DistributionError,
    Interrupted,
    LtkitError,
    RegistryError,
    TrainingError,
    did_you_mean,
    nearest,
)

__all__ = [
    'CheckpointError',
    'ConfigError',
    'DataError',
    'DiskFullError',
    'DistributionError',
    'Interrupted',
    'LtkitError',
    'RegistryError',
    'TrainingError',
    'did_you_mean',
    'nearest',
]
