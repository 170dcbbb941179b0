"""custom_imports."""

from __future__ import annotations

import sys

import pytest

from ltkit.config import load_config
from ltkit.registry import LOSSES, MODELS
from ltkit.utils import ConfigError


def error_of(path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert '\n' not in str(caught.value)
    return str(caught.value)


def config_with(write, base, modules, name='projects/mine/configs/x.py', **more):
    more = ''.join(f', {key}={value!r}' for key, value in more.items())
    depth = '../' * name.count('/')
    return write(name, f"_base_ = '{depth}base.py'\ncustom_imports = dict(\n    imports={modules!r}{more})\n")


def test_plugin_beside_the_config_is_imported(write, base, monkeypatch, tmp_path):
    write('projects/mine/plug_one/__init__.py', '')
    write(
        'projects/mine/plug_one/losses.py',
        """\
        from torch import nn
        from ltkit.registry import LOSSES
        @LOSSES.register_module()
        class PlugLoss(nn.Module):
            def __init__(self, alpha=1.0):
                super().__init__()
        """,
    )
    path = config_with(write, base, ['plug_one.losses'])
    path.write_text(
        path.read_text() + "model = dict(head=dict(loss=dict(_delete_=True, type='PlugLoss', alpha=2)))\n"
    )
    try:
        assert load_config(path).model.head.loss.alpha == 2
        assert sys.path[0] == str(tmp_path / 'projects' / 'mine')
        path.write_text(path.read_text().replace('alpha', 'alpah'))
        assert "PlugLoss has no argument 'alpah'; did you mean 'alpha'" in error_of(path)
    finally:
        for registry in (LOSSES, MODELS):
            registry._module_dict.pop('PlugLoss', None)


def test_failure_of_a_plugin_is_shown(write, base):
    write('projects/mine/plug_two/__init__.py', '')
    write('projects/mine/plug_two/losses.py', 'import math\n\n\nvalue = foo\n')
    assert error_of(config_with(write, base, ['plug_two.losses'])) == (
        "projects/mine/configs/x.py:3: custom_imports: 'plug_two.losses' failed to import: NameError: "
        "name 'foo' is not defined (projects/mine/plug_two/losses.py:4)"
    )


def test_failure_inside_a_library_points_at_the_plugin(write, base):
    write('plug_three.py', "import json\n\njson.loads('{')\n")
    message = error_of(config_with(write, base, 'plug_three'))
    assert 'failed to import: JSONDecodeError' in message and message.endswith('(plug_three.py:3)')


def test_syntax_error_and_foreign_missing_module(write, base):
    write('plug_four.py', 'a = 1\nb = = 2\n')
    assert 'failed to import: SyntaxError' in error_of(config_with(write, base, ['plug_four']))
    assert error_of(config_with(write, base, ['plug_four'])).endswith('(plug_four.py:2)')
    write('plug_five.py', 'import no_such_library\n')
    message = error_of(config_with(write, base, ['plug_five']))
    assert (
        "failed to import: ModuleNotFoundError: No module named 'no_such_library' (plug_five.py:1)" in message
    )


def test_module_that_is_not_there(write, base):
    message = error_of(config_with(write, base, ['plug_nowhere.losses']))
    assert message.startswith(
        "projects/mine/configs/x.py:3: custom_imports: there is no module 'plug_nowhere.losses'"
    )
    assert 'PYTHONPATH' in message and 'the command be run from there' in message
    write('projects/mine/plug_six/__init__.py', '')
    write('projects/mine/plug_six/losses.py', '')
    message = error_of(config_with(write, base, ['plug_six.loses']))
    assert message.endswith("projects/mine/plug_six has no 'loses'; did you mean 'losses'?")
    assert "did you mean 'plug_six'?" in error_of(config_with(write, base, ['plug_sixx.losses']))


def test_allowed_failures_warn(write, base):
    path = config_with(write, base, ['plug_nowhere'], allow_failed_imports=True)
    with pytest.warns(UserWarning, match='plug_nowhere'):
        load_config(path)


def test_wrong_forms(write, base):
    assert 'must be dict(imports=' in error_of(write('x.py', "custom_imports = ['a']\n"))
    assert "has no argument 'import'; did you mean 'imports'?" in error_of(
        write('x.py', "custom_imports = dict(**{'import': ['a']})\n")
    )
    assert 'must be a list of module names, not [3]' in error_of(
        write('x.py', 'custom_imports = dict(imports=[3])\n')
    )
