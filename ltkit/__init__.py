"""ltkit: the toolkit for deep long-tailed learning, in the mmengine style.

Importing the package is cheap: models, data sets and engines are imported by
the registries when a config names them.
"""

from .distribution import ClassDistribution
from .registry import (
    BATCH_AUGMENTS,
    CLASSIFIERS,
    DATASETS,
    HEADS,
    HOOKS,
    LOOPS,
    LOSSES,
    METRICS,
    MODELS,
    POSTHOC,
    REGULARIZERS,
    SAMPLERS,
    TRANSFORMS,
    VISUALIZERS,
)
from .version import __version__

__all__ = [
    'BATCH_AUGMENTS',
    'CLASSIFIERS',
    'DATASETS',
    'HEADS',
    'HOOKS',
    'LOOPS',
    'LOSSES',
    'METRICS',
    'MODELS',
    'POSTHOC',
    'REGULARIZERS',
    'SAMPLERS',
    'TRANSFORMS',
    'VISUALIZERS',
    'ClassDistribution',
    '__version__',
]
