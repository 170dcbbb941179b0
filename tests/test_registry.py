"""Tests of the registries."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import uuid

import mmengine.registry as mmengine_registry
import pytest
from mmengine.registry import DefaultScope, init_default_scope
from torch import nn

import ltkit.registry as registries
from ltkit.registry import (
    BATCH_AUGMENTS,
    CLASSIFIERS,
    DATASETS,
    HEADS,
    HOOKS,
    LOSSES,
    METRICS,
    MODELS,
    POSTHOC,
    REGULARIZERS,
    SAMPLERS,
    Registry,
)
from ltkit.utils.errors import RegistryError

FACETS = [HEADS, LOSSES, CLASSIFIERS, REGULARIZERS, POSTHOC, BATCH_AUGMENTS]


@pytest.fixture
def ltkit_scope():
    with DefaultScope.overwrite_default_scope('ltkit'):
        yield


def _new_class() -> type[nn.Module]:
    return type(f'Made{uuid.uuid4().hex[:8]}', (nn.Module,), {})


@pytest.mark.parametrize('facet', FACETS, ids=lambda facet: facet.name)
def test_a_facet_is_mirrored_in_models(facet, ltkit_scope):
    made = facet.register_module()(_new_class())
    name = made.__name__
    try:
        for build in (facet.build, MODELS.build, mmengine_registry.MODELS.build):
            assert type(build(dict(type=name))) is made
        assert type(facet.build(dict(type=f'ltkit.{name}'))) is made
        assert facet.get(name) is MODELS.get(name) is made
        assert name in facet.names() and name in MODELS.names()
        assert all(name not in other.names() for other in FACETS if other is not facet)
        with pytest.raises(KeyError, match='already registered'):
            facet.register_module(name=name, module=_new_class())
        facet.register_module(name=name, module=_new_class(), force=True)
        assert MODELS.get(name) is facet.get(name) is not made
    finally:
        facet._module_dict.pop(name, None)
        MODELS._module_dict.pop(name, None)


def test_a_facet_builds_by_itself_and_finds_the_rest():
    """Without a default scope, and what stands in another facet."""
    assert type(LOSSES.build(dict(type='SoftmaxLoss'))).__name__ == 'SoftmaxLoss'
    assert HEADS.get('SoftmaxLoss') is LOSSES.get('SoftmaxLoss')
    assert LOSSES.get('BaseDataPreprocessor') is MODELS.get('BaseDataPreprocessor')  # mmengine's own


@pytest.mark.parametrize('registry, wrong, right', [
    (LOSSES, 'SoftMaxLos', "did you mean 'SoftmaxLoss'"),
    (MODELS, 'ImageRecogniser', "did you mean 'ImageRecognizer'"),
    (SAMPLERS, 'InstanceBalanceSampler', "did you mean 'InstanceBalancedSampler'"),
    (DATASETS, 'digitslt', "did you mean 'DigitsLT'"),
    (METRICS, 'LongTailAcuracy', "did you mean 'LongTailAccuracy'"),
    (HOOKS, 'ClassDistributionHok', "did you mean 'ClassDistributionHook'"),
    (HOOKS, 'CheckpointHoook', "'CheckpointHook'"),  # of mmengine
])
def test_nearest_names(registry, wrong, right, ltkit_scope):
    for look_up in (registry.get, lambda name: registry.build(dict(type=name))):
        with pytest.raises(RegistryError) as error:
            look_up(wrong)
        message = str(error.value)
        assert f"'{wrong}' is not a registered {registry.name}" in message and right in message
        assert 'custom_imports' in message and '\n' not in message


def test_builders_of_mmengine_find_our_parts(ltkit_scope):
    assert mmengine_registry.HOOKS.build(dict(type='EpochHook')).__module__ == 'ltkit.engine.hooks.epoch_hook'
    assert mmengine_registry.DATA_SAMPLERS.build(
        dict(type='InstanceBalancedSampler', dataset=range(3), seed=0)).num_samples == 3
    with pytest.raises(RegistryError, match="did you mean 'EpochHook'"):
        mmengine_registry.HOOKS.build(dict(type='EpochHok'))
    assert SAMPLERS.get('DefaultSampler') is mmengine_registry.DATA_SAMPLERS.get('DefaultSampler')
    assert MODELS.get('mmengine.model.BaseModel').__name__ == 'BaseModel'
    assert MODELS.get('torch.nn.Linear') is nn.Linear


def test_names_hold_for_other_scopes(ltkit_scope):
    pytest.importorskip('mmpretrain')
    loss = MODELS.build(dict(type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1))
    assert type(loss).__module__.startswith('mmpretrain.')
    assert type(LOSSES.build(dict(type='mmpretrain.CrossEntropyLoss'))).__module__.startswith('mmpretrain.')
    with pytest.raises(RegistryError, match=r"did you mean 'mmpretrain\.LabelSmoothLoss'"):
        LOSSES.get('mmpretrain.LabelSmothLoss')


def test_a_head_of_mmpretrain_takes_our_loss(ltkit_scope):
    pytest.importorskip('mmpretrain')
    head = MODELS.build(dict(type='mmpretrain.LinearClsHead', num_classes=3, in_channels=2,
                             loss=dict(type='BalancedSoftmaxLoss', class_counts=[3, 2, 1])))
    assert type(head.loss_module) is LOSSES.get('BalancedSoftmaxLoss')


@pytest.mark.parametrize('registry', [MODELS, LOSSES])
def test_package_that_is_not_there(registry):
    with pytest.raises(RegistryError, match=r"'nowhere_to_be.Found': the package 'nowhere_to_be' is not"):
        registry.get('nowhere_to_be.Found')


def test_failing_plugin_shows_its_own_error(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / 'failing_plugin'
    package.mkdir()
    (package / '__init__.py').write_text('')
    (package / 'registry.py').write_text('import a_module_that_is_missing\n')
    with pytest.raises(ModuleNotFoundError, match='a_module_that_is_missing'):
        MODELS.get('failing_plugin.Thing')
    (package / 'registry.py').write_text('1 / 0\n')
    with pytest.raises(ZeroDivisionError):
        MODELS.get('failing_plugin.Thing')


def test_plugin_with_a_registry_of_its_own(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / 'good_plugin'
    package.mkdir()
    (package / '__init__.py').write_text('')
    (package / 'registry.py').write_text(textwrap.dedent('''
        from mmengine.registry import MODELS as ROOT
        from mmengine.registry import Registry
        MODELS = Registry('model', parent=ROOT, scope='good_plugin')
        @MODELS.register_module()
        class Thing:
            pass
        '''))
    assert MODELS.get('good_plugin.Thing').__name__ == 'Thing'
    with pytest.raises(RegistryError, match=r"did you mean 'good_plugin\.Thing'"):
        MODELS.get('good_plugin.Thingy')


def test_lazy_names_import_their_module_when_used(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / 'lazy_part.py').write_text('from test_registry_lazy import REGISTRY\n'
                                           '@REGISTRY.register_module()\nclass Late:\n    pass\n')
    registry = Registry('part', scope='ltkit', locations=['ltkit.utils'])
    holder = type(sys)('test_registry_lazy')
    holder.REGISTRY = registry
    monkeypatch.setitem(sys.modules, 'test_registry_lazy', holder)
    registry.register_lazily(Late='lazy_part', Broken='lazy_broken')
    assert registry.names() == ['Broken', 'Late']
    assert 'lazy_part' not in sys.modules
    with pytest.raises(RegistryError, match="did you mean 'Late'"):
        registry.get('Lat')
    assert 'lazy_part' not in sys.modules
    assert registry.get('Late').__name__ == registry.get('ltkit.Late').__name__ == 'Late'
    with pytest.raises(ModuleNotFoundError, match='lazy_broken'):
        registry.get('Broken')


def test_every_lazy_name_is_registered_by_its_module():
    found = 0
    for registry in vars(registries).values():
        if isinstance(registry, Registry):
            registry.import_from_location()
            for name in registry._lazy:
                assert registry.get(name) is not None
                found += 1
    assert found > 0


def test_every_registry_finds_its_parts_in_a_fresh_process():
    """Each registry names what it imports; nothing depends on an import made elsewhere."""
    names = [name for name, value in vars(registries).items() if isinstance(value, Registry)]
    code = 'import ltkit.registry as r\n' + ''.join(f'r.{name}.import_from_location()\n' for name in names)
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_scope_of_a_run(ltkit_scope):
    init_default_scope('ltkit')
    assert DefaultScope.get_current_instance().scope_name == 'ltkit'
