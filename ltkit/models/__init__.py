"""Everything a model is made of; importing it registers all parts."""

from . import (
    backbones,
    batch_augments,
    classifiers,
    data_preprocessors,
    heads,
    losses,
    necks,
    posthoc,
    recognizers,
    regularizers,
)

__all__ = [
    'backbones',
    'batch_augments',
    'classifiers',
    'data_preprocessors',
    'heads',
    'losses',
    'necks',
    'posthoc',
    'recognizers',
    'regularizers',
]
