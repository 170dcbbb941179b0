"""Look-up of a registered name as mmengine would do it, without building anything."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module, util

from mmengine import registry as roots
from mmengine.registry import Registry

from ltkit.utils.errors import RegistryError, did_you_mean

ALL_KINDS = (
    'MODELS',
    'DATASETS',
    'DATA_SAMPLERS',
    'TRANSFORMS',
    'OPTIMIZERS',
    'OPTIM_WRAPPERS',
    'PARAM_SCHEDULERS',
    'HOOKS',
    'LOOPS',
    'METRICS',
    'EVALUATOR',
    'VISUALIZERS',
    'VISBACKENDS',
    'LOG_PROCESSORS',
    'FUNCTIONS',
    'WEIGHT_INITIALIZERS',
    'TASK_UTILS',
    'MODEL_WRAPPERS',
    'OPTIM_WRAPPER_CONSTRUCTORS',
    'STRATEGIES',
    'RUNNERS',
    'RUNNER_CONSTRUCTORS',
    'INFERENCERS',
)
# Imported when a name is not found otherwise: mmcv registers its layers and transforms with mmengine.
LAST_HOMES = ('mmcv.transforms', 'mmcv.cnn')


def registry_of(kind: str, scope: str) -> Registry:
    """The registry of one kind in a scope; mmengine's own where the scope has none."""
    root = getattr(roots, kind)
    registry = root._search_child(scope)
    if registry is None:
        try:
            import_module(f'{scope}.registry')
        except ModuleNotFoundError:
            return root
        registry = root._search_child(scope)
    return root if registry is None else registry


def find_part(name: str, kind: str, scope: str, owner: str = '') -> Callable | None:
    """The class or function registered under a name.

    Args:
        name (str): As in ``type=``: ``LDAMLoss``, ``mmpretrain.ResNet`` or ``torch.nn.ReLU``.
        kind (str): The registry to look into first; the others follow.
        scope (str): The scope in which a name without one is looked up.
        owner (str): The package of the part that will build it, whose own
            registries come last.

    Returns:
        Callable | None: None when it is registered nowhere.
    """
    kinds = (kind, *(other for other in ALL_KINDS if other != kind))
    for home in (None, *LAST_HOMES):
        if home:
            import_module(home)
        for candidate in kinds:
            part = _get(registry_of(candidate, scope), name)
            if part is not None:
                return part
    for package in {scope, owner} - {'', 'ltkit', 'mmengine'}:
        for registry in _registries_of(package):
            part = _get(registry, name)
            if part is not None:
                return part
    return None


def _registries_of(package: str) -> list[Registry]:
    """The registries of a package, those without a counterpart in mmengine included."""
    try:
        module = import_module(f'{package}.registry')
    except ModuleNotFoundError:
        return []
    return [item for item in vars(module).values() if isinstance(item, Registry)]


def _get(registry: Registry, name: str) -> Callable | None:
    try:
        return registry.get(name)
    except RegistryError:
        return None
    except RuntimeError as error:
        if str(error).startswith('Failed to get'):  # mmengine, for a name that is no import path either
            return None
        raise


def not_registered(name: str, kind: str, scope: str) -> str:
    """What to say of a name that is registered nowhere."""
    prefix, _, last = name.rpartition('.')
    package = prefix.split('.')[0]
    if package and not is_scope(package):
        return f"'{name}': the package '{package}' is not installed or not on the path"
    registry = registry_of(kind, package or scope)
    close = did_you_mean(last, _names(registry))
    if not close:
        close = did_you_mean(
            last, {n for other in ALL_KINDS for n in _names(registry_of(other, package or scope))}
        )
    return (
        f"'{name}' is not a registered {registry.name}{close or '.'} A class of your own must be registered, "
        'and its module listed in custom_imports'
    )


def _names(registry: Registry) -> set[str]:
    names: set[str] = set()
    current: Registry | None = registry
    while current is not None:
        names |= set(current.names()) if hasattr(current, 'names') else set(current.module_dict)
        current = current.parent
    return names


def is_scope(package: str) -> bool:
    """Whether a package of that name can be imported, or holds registries already."""
    if package in roots.MODELS.children:
        return True
    try:
        return util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False
