"""The registries of ltkit, children of mmengine's under the scope ``ltkit``.

``MODELS`` holds everything a model is made of. ``HEADS``, ``LOSSES``,
``CLASSIFIERS``, ``REGULARIZERS``, ``POSTHOC`` and ``BATCH_AUGMENTS`` are facets
of it: what is registered there is found in ``MODELS`` too, so that any mmengine
head can build it by name, and ``LOSSES.build(dict(type='LDAMLoss'))`` works by
itself.
"""

from __future__ import annotations

from importlib import import_module, util
from typing import Any

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry as _Registry

from .utils.errors import RegistryError, did_you_mean
from .utils.quiet_import import quiet_import


class Registry(_Registry):
    """An mmengine registry that explains a failed look-up.

    Two additions: an unknown name raises :class:`RegistryError` with the
    nearest names and the packages searched, and :meth:`register_lazily` names a
    class without importing the module that defines it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy: dict[str, str] = {}

    def register_lazily(self, **modules: str) -> None:
        """Register names whose module is imported when they are first used.

        Args:
            **modules: Registered name = module that registers it on import,
                for example ``RIDEResNet='ltkit.models.backbones.ride_resnet'``.
        """
        self._lazy.update(modules)

    def names(self) -> list[str]:
        """All names registered here, sorted; the lazy ones included."""
        self.import_from_location()
        return sorted(set(self._module_dict) | set(self._lazy))

    def get(self, key: str) -> Any:
        """Look ``key`` up; see :class:`mmengine.registry.Registry`.

        Raises:
            RegistryError: Nothing of that name is registered.
        """
        scope, name = self.split_scope_key(key)
        self.import_from_location()
        if scope in (None, self.scope) and name in self._lazy:
            import_module(self._lazy[name])
        if scope not in (None, self.scope):
            _import_scope(scope, key)
        try:
            with quiet_import():  # a foreign scope may import mmpretrain now
                found = super().get(key)
        except RuntimeError as error:  # raised by mmengine for a dotted name
            raise self.unknown(key) from error
        if found is None:
            raise self.unknown(key)
        return found

    def unknown(self, key: str) -> RegistryError:
        """The error for a name that is not registered."""
        known, searched = self._known()
        return RegistryError(
            f"'{key}' is not a registered {self.name} (searched: {', '.join(searched)})"
            f"{did_you_mean(key, known) or '.'} A class of your own must be registered and its module "
            'named in custom_imports.')

    def _known(self) -> tuple[set[str], list[str]]:
        """The names that may be meant, those of other scopes with their scope; and the scopes searched."""
        known, searched = set(self.names()), [str(self.scope)]
        parent = self.parent
        while parent is not None:
            known |= set(parent._module_dict)
            searched.append(str(parent.scope))
            parent = parent.parent
        for scope, child in getattr(self._get_root_registry(), '_children', {}).items():
            known |= {f'{scope}.{name}' for name in child._module_dict if scope != self.scope}
        return known, searched


def _import_scope(scope: str, key: str) -> None:
    """Import ``<scope>.registry`` and let its own failure be seen."""
    if not scope.isidentifier():
        return
    try:
        installed = util.find_spec(scope) is not None
        has_registry = installed and util.find_spec(f'{scope}.registry') is not None
    except (ImportError, ValueError):
        installed = has_registry = False
    if not installed:
        raise RegistryError(f"'{key}': the package '{scope}' is not installed or not on the path")
    if has_registry:
        import_module(f'{scope}.registry')


class Facet(Registry):
    """A named part of ``MODELS``: registering here registers there as well."""

    def __init__(self, name: str, whole: Registry) -> None:
        super().__init__(name, scope='ltkit', locations=whole._locations, build_func=whole.build_func)
        self.whole = whole

    def _register_module(self, module: Any, module_name: Any = None, force: bool = False) -> None:
        super()._register_module(module, module_name, force)
        self.whole._register_module(module, module_name, force)

    def get(self, key: str) -> Any:
        self.import_from_location()
        if key in self._module_dict:
            return self._module_dict[key]
        try:
            return self.whole.get(key)
        except RegistryError:
            if '.' in key and util.find_spec(key.split('.')[0]) is None:
                raise
            raise self.unknown(key) from None

    def _known(self) -> tuple[set[str], list[str]]:
        known, searched = self.whole._known()
        return {name for name in known if '.' in name} | set(self.names()), searched


def _child(name: str, parent: str, *locations: str) -> Registry:
    root = getattr(mmengine_registry, parent)
    return Registry(name, parent=root, scope='ltkit', locations=list(locations))


DATASETS = _child('dataset', 'DATASETS', 'ltkit.datasets')
SAMPLERS = _child('data sampler', 'DATA_SAMPLERS', 'ltkit.datasets.samplers')
TRANSFORMS = _child('transform', 'TRANSFORMS', 'ltkit.datasets.transforms')

MODELS = _child('model', 'MODELS', 'ltkit.models')
HEADS = Facet('head', MODELS)
LOSSES = Facet('loss', MODELS)
CLASSIFIERS = Facet('classifier', MODELS)
REGULARIZERS = Facet('regularizer', MODELS)
POSTHOC = Facet('post-hoc rule', MODELS)
BATCH_AUGMENTS = Facet('batch augment', MODELS)
MODEL_WRAPPERS = _child('model wrapper', 'MODEL_WRAPPERS', 'ltkit.models')

HOOKS = _child('hook', 'HOOKS', 'ltkit.engine.hooks')
LOOPS = _child('loop', 'LOOPS', 'ltkit.engine')
RUNNERS = _child('runner', 'RUNNERS', 'ltkit.engine')
OPTIMIZERS = _child('optimizer', 'OPTIMIZERS', 'ltkit.engine')
OPTIM_WRAPPERS = _child('optim wrapper', 'OPTIM_WRAPPERS', 'ltkit.engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child('optim wrapper constructor', 'OPTIM_WRAPPER_CONSTRUCTORS', 'ltkit.engine')
PARAM_SCHEDULERS = _child('parameter scheduler', 'PARAM_SCHEDULERS', 'ltkit.engine')
LOG_PROCESSORS = _child('log processor', 'LOG_PROCESSORS', 'ltkit.engine')

METRICS = _child('metric', 'METRICS', 'ltkit.evaluation')
EVALUATORS = _child('evaluator', 'EVALUATOR', 'ltkit.evaluation')
VISUALIZERS = _child('visualizer', 'VISUALIZERS', 'ltkit.visualization')
VISBACKENDS = _child('visualizer backend', 'VISBACKENDS', 'ltkit.visualization')
TASK_UTILS = _child('task util', 'TASK_UTILS', 'ltkit.models')
INFERENCERS = _child('inferencer', 'INFERENCERS', 'ltkit.apis')
