"""Registered names and their arguments, over a whole resolved config."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmengine.config.lazy import LazyAttr, LazyObject
from mmengine.config.utils import MODULE2PACKAGE

from ltkit.utils.errors import ConfigError, did_you_mean

from .arguments import arguments_of
from .locate import Locator
from .lookup import find_part, is_scope, not_registered
from .variables import Path

# The registry of a top-level key, and that of a key further down; anything else is first looked for in the
# registry of what it is nested in.
TOP_LEVEL = {
    'model': 'MODELS',
    'tta_model': 'MODELS',
    'data_preprocessor': 'MODELS',
    'model_wrapper_cfg': 'MODEL_WRAPPERS',
    'train_dataloader': 'DATASETS',
    'val_dataloader': 'DATASETS',
    'test_dataloader': 'DATASETS',
    'train_cfg': 'LOOPS',
    'val_cfg': 'LOOPS',
    'test_cfg': 'LOOPS',
    'val_evaluator': 'METRICS',
    'test_evaluator': 'METRICS',
    'default_hooks': 'HOOKS',
    'custom_hooks': 'HOOKS',
    'optim_wrapper': 'OPTIM_WRAPPERS',
    'param_scheduler': 'PARAM_SCHEDULERS',
    'visualizer': 'VISUALIZERS',
    'log_processor': 'LOG_PROCESSORS',
    'tta_pipeline': 'TRANSFORMS',
    'strategy': 'STRATEGIES',
}
BY_KEY = {
    'dataset': 'DATASETS',
    'datasets': 'DATASETS',
    'pipeline': 'TRANSFORMS',
    'transforms': 'TRANSFORMS',
    'sampler': 'DATA_SAMPLERS',
    'batch_sampler': 'DATA_SAMPLERS',
    'collate_fn': 'FUNCTIONS',
    'worker_init_fn': 'FUNCTIONS',
    'optimizer': 'OPTIMIZERS',
    'meta_optimizer': 'OPTIMIZERS',
    'meta_loss': 'MODELS',
    'metrics': 'METRICS',
    'vis_backends': 'VISBACKENDS',
    'init_cfg': 'WEIGHT_INITIALIZERS',
    'data_preprocessor': 'MODELS',
}
# Arguments that are taken out of the dict before the part is built.
TAKEN_OUT = {
    'HOOKS': {'priority'},
    'PARAM_SCHEDULERS': {'convert_to_iter_based', 'epoch_length'},
    'OPTIM_WRAPPERS': {'constructor', 'paramwise_cfg'},
    'LOOPS': {'by_epoch'},
}
SPECIAL = {'type', '_scope_', '_delete_'}
# A loader that takes over what it does not state from train_dataloader; see MetaTrainLoop.
META_DATALOADER = ('train_cfg', 'meta_dataloader')
# Arguments that whoever builds a part adds, so that a config need not give them.
SUPPLIED = {
    'batch_size',
    'data_preprocessor',
    'dataloader',
    'dataset',
    'evaluator',
    'in_channels',
    'model',
    'module',
    'name',
    'num_classes',
    'optimizer',
    'param_name',
    'params',
    'runner',
    'sampler',
    'save_dir',
    'seed',
}
CHECKED_FOR_MISSING = {'DATASETS', 'TRANSFORMS', 'HOOKS', 'METRICS', 'OPTIMIZERS'}
# What lies below these keys or types is not of the registries.
OPAQUE_KEYS = {'metainfo', 'backend_args', 'file_client_args', 'nms', 'targets', 'tokenizer'}
OPAQUE_TYPES = {'Albu', 'Albumentations'}
DEFAULT_TYPES = {
    'optim_wrapper': 'OptimWrapper',
    'log_processor': 'LogProcessor',
    'visualizer': 'Visualizer',
    'val_cfg': 'ValLoop',
    'test_cfg': 'TestLoop',
}


class PartChecker:
    """Checks every part of a config.

    Args:
        config (dict): The resolved config.
        locator (Locator): Of that config.
    """

    def __init__(self, config: dict, locator: Locator) -> None:
        self.config = config
        self.locator = locator
        self.scope = config.get('default_scope') or 'ltkit'

    def check(self) -> None:
        """Check all.

        Raises:
            ConfigError: A name is not registered, or an argument is unknown or missing.
        """
        if not is_scope(self.scope):
            raise ConfigError(
                f"{self.locator.where(('default_scope',))}: default_scope '{self.scope}' is not an installed "
                "package; it is 'ltkit' unless the config is another package's"
            )
        for key, kind in TOP_LEVEL.items():
            value = self.config.get(key)
            if key.endswith('_dataloader') and isinstance(value, dict):
                self._check_dataloader((key,), value)
            meta = value.get(META_DATALOADER[1]) if key == META_DATALOADER[0] and isinstance(value, dict) else None
            if isinstance(meta, dict):
                self._check_dataloader(META_DATALOADER, meta)
            self._walk(value, (key,), kind, self.scope)
        constructor = (self.config.get('optim_wrapper') or {}).get('constructor')
        if isinstance(constructor, str):
            self._find(
                ('optim_wrapper', 'constructor'), constructor, 'OPTIM_WRAPPER_CONSTRUCTORS', self.scope
            )

    def _walk(self, value: Any, path: Path, kind: str, scope: str, owner: Callable | None = None) -> None:
        if isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                self._walk(item, (*path, str(index)), kind, scope, owner)
        elif isinstance(value, dict):
            scope = value.get('_scope_') or scope
            part = self._part(value, path, kind, scope, owner)
            if part is not None:
                self._check_arguments(part, value, path, kind, owner)
            if value.get('type') in OPAQUE_TYPES:
                return
            for key, item in dict.items(value):
                if key != 'type' and key not in OPAQUE_KEYS:
                    self._walk(item, (*path, str(key)), BY_KEY.get(key, kind), scope, part or owner)

    def _part(
        self, value: dict, path: Path, kind: str, scope: str, owner: Callable | None
    ) -> Callable | None:
        """The class or function that a dict names, if it names one."""
        found = dict.get(value, 'type')
        if isinstance(found, (LazyObject, LazyAttr)):
            try:
                found = found.build()
            except ImportError as error:
                reason = ' '.join(str(error).split())
                raise ConfigError(
                    f'{self.locator.where((*path, "type"))}: {found} cannot be imported: {reason}'
                ) from error
        if found is None and len(path) == 1:
            found = self._default_type(path[0], value)
        if found is None and path[:2] == META_DATALOADER:
            found = self._type_of_training(path[2:])
        if isinstance(found, str):
            return self._find((*path, 'type'), found, kind, scope, _package(owner))
        return found if callable(found) else None

    def _find(self, path: Path, name: str, kind: str, scope: str, owner: str = '') -> Callable:
        part = find_part(name, kind, scope, owner)
        if part is None:
            raise ConfigError(f'{self.locator.where(path, name)}: {not_registered(name, kind, scope)}')
        return part

    def _default_type(self, key: str, value: dict) -> str | None:
        if key == 'train_cfg':
            return 'EpochBasedTrainLoop' if value.get('by_epoch') else 'IterBasedTrainLoop'
        return None if value.get('constructor') else DEFAULT_TYPES.get(key)

    def _type_of_training(self, path: Path) -> Any:
        """The type that stands at a place of ``train_dataloader``, if any."""
        value = self.config.get('train_dataloader')
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return dict.get(value, 'type') if isinstance(value, dict) else None

    def _check_arguments(
        self, part: Callable, value: dict, path: Path, kind: str, owner: Callable | None
    ) -> None:
        custom_constructor = kind == 'OPTIM_WRAPPERS' and value.get('constructor')
        if _changed_before_built(path, kind) or custom_constructor:
            return
        arguments = arguments_of(part)
        takes = f' (it takes {", ".join(arguments.names) or "none"})'
        foreign = _package(owner) in MODULE2PACKAGE.keys() - {'ltkit'}  # mmpretrain, mmdet, ...
        for name in value:
            if (
                name in SPECIAL
                or name in TAKEN_OUT.get(kind, ())
                or name in arguments.names
                or arguments.open
            ):
                continue
            close = did_you_mean(name, arguments.names)
            if close or not foreign:  # a foreign owner may take out arguments of its own
                raise ConfigError(
                    f'{self.locator.where((*path, name), name)}: {_name(part)} has no argument '
                    f"'{name}'{close or takes}"
                )
        if path[:2] == META_DATALOADER and 'type' not in value:
            return  # what is missing is taken over
        if kind in CHECKED_FOR_MISSING or (path[0] == 'model' and not foreign):
            for name in arguments.required:
                if name not in value and name not in SUPPLIED:
                    raise ConfigError(
                        f"{self.locator.where((*path, 'type'))}: {_name(part)} needs '{name}' "
                        f'({".".join((*path, name))})'
                    )

    def _check_dataloader(self, path: Path, value: dict) -> None:
        from torch.utils.data import DataLoader

        known = {
            *arguments_of(DataLoader).names,
            'num_batch_per_epoch',
            'in_memory',
            'disable_subprocess_warning',
            *SPECIAL,
        }
        for name in value:
            if name not in known:
                raise ConfigError(
                    f'{self.locator.where((*path, name), name)}: {".".join(path)} has no argument '
                    f"'{name}'{did_you_mean(name, known - SPECIAL)}"
                )


def _changed_before_built(path: Path, kind: str) -> bool:
    """Whether the builder of a part adds to or takes from its arguments, as those of ``norm_cfg`` do."""
    key = next(k for k in reversed(path) if not k.isdigit())
    nested_settings = key.endswith('_cfg') and len(path) > 1
    return nested_settings or 'policies' in path or kind in ('STRATEGIES', 'WEIGHT_INITIALIZERS')


def _package(part: Callable | None) -> str:
    return getattr(part, '__module__', '').split('.')[0]


def _name(part: Callable) -> str:
    return getattr(part, '__name__', str(part))
