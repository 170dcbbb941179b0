"""Top-level keys and variables."""

from __future__ import annotations

import pytest

from ltkit.config import allow_top_level_key, load_config, names
from ltkit.utils import ConfigError


def error_of(path, options=None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path, options)
    message = str(caught.value)
    assert '\n' not in message
    return message


def test_a_sound_config_loads_and_keeps_effective_keys_alone(base):
    config = load_config(base)
    assert config.model.head.num_classes == 10
    assert 'num_classes' not in config and 'train_pipeline' not in config
    assert config.train_dataloader.dataset.pipeline[0].size == 32


def test_what_was_dumped_loads_again(base, tmp_path):
    config = load_config(base)
    config.dump(tmp_path / 'dumped.py')
    assert load_config(tmp_path / 'dumped.py').to_dict() == config.to_dict()


def test_unknown_key_names_file_line_and_nearest(write, base):
    path = write('configs/x.py', "_base_ = '../base.py'\n\ndefault_hoks = dict()\n")
    message = error_of(path)
    assert message.startswith(
        "configs/x.py:3: unknown top-level key 'default_hoks'; did you mean 'default_hooks'"
    )


def test_unknown_key_of_a_base_is_found(write):
    write('a.py', 'randomnes = dict(seed=3)\n')
    assert error_of(write('b.py', "_base_ = 'a.py'\n")).startswith(
        "a.py:1: unknown top-level key 'randomnes'"
    )


def test_unread_variable_is_refused_but_underscores_are_not(write, base):
    assert 'unknown top-level key' in error_of(write('x.py', "_base_ = 'base.py'\nunused = 3\n"))
    load_config(write('y.py', "_base_ = 'base.py'\n_note = 3\n"))


def test_misspelt_variable_suggests_the_base_variable(write, base):
    message = error_of(write('x.py', "_base_ = 'base.py'\ntrain_pipline = []\n"))
    assert "did you mean 'train_pipeline'" in message


def test_imports_functions_classes_and_loop_variables_are_fine(write, base):
    load_config(
        write(
            'x.py',
            """\
        _base_ = 'base.py'
        import math
        from math import pi as half_turn
        def double(value):
            return 2 * value
        class Helper:
            pass
        sizes = []
        for i in range(2):
            sizes.append(i)
        with_two = double(len(sizes))
        model = dict(head=dict(depth=with_two))
        """,
        )
    )


def test_variable_read_by_a_grandchild_is_fine(write, base):
    write('a.py', "_base_ = 'base.py'\nwidth = 7\n")
    write('b.py', "_base_ = 'a.py'\n")
    config = load_config(
        write('c.py', "_base_ = ['b.py']\nmodel = dict(head=dict(depth={{_base_.width}}))\n")
    )
    assert config.model.head.depth == 7
    config = load_config(
        write('d.py', "_base_ = ['b.py']\nmodel = dict(head=dict(depth=_base_.width + 1))\n")
    )
    assert config.model.head.depth == 8


def test_shadowed_variable_names_both_places_and_the_key(write, base):
    message = error_of(write('x.py', "_base_ = 'base.py'\n\nnum_classes = 100\n"))
    assert message.startswith('x.py:3: num_classes = ... has no effect: model.head.num_classes (base.py:7)')
    assert "'num_classes' of base.py:2" in message
    assert message.endswith('set model.head.num_classes here')


def test_shadowed_pipeline_is_followed_through_other_variables(write, base):
    message = error_of(write('x.py', "_base_ = 'base.py'\ntrain_pipeline = []\n"))
    assert 'set train_dataloader.dataset.pipeline here' in message


def test_shadowing_through_a_middle_file(write):
    write('a.py', 'n = 3\nwork_dir = str(n)\n')
    write('b.py', "_base_ = 'a.py'\nload_from = 'f' + str(_base_.n)\n")
    write('c.py', "_base_ = 'b.py'\n")
    message = error_of(write('d.py', "_base_ = 'c.py'\nn = 4\n"))
    assert message.startswith('d.py:2: n = ...')
    assert 'work_dir' in message and 'load_from' in message


def test_shadowing_is_seen_in_an_update_and_an_item(write, base):
    write(
        'a.py',
        """\
        n, m = 3, 4
        model = dict(type='ToyModel')
        model['head'] = dict(depth=n)
        model.update(dict(train_cfg=dict(k=m)))
        """,
    )
    assert 'set model.head.depth here' in error_of(write('b.py', "_base_ = 'a.py'\nn = 4\n"))
    assert 'set model.train_cfg.k here' in error_of(write('c.py', "_base_ = 'a.py'\nm = 4\n"))


def test_a_child_that_uses_its_own_value_is_fine(write, base):
    config = load_config(
        write(
            'x.py',
            """\
        _base_ = 'base.py'
        num_classes = 100
        model = dict(head=dict(num_classes=num_classes))
        """,
        )
    )
    assert config.model.head.num_classes == 100


def test_a_child_whose_heir_uses_its_value_is_fine(write, base):
    write('x.py', "_base_ = 'base.py'\nnum_classes = 100\n")
    config = load_config(
        write('y.py', "_base_ = 'x.py'\nmodel = dict(head=dict(num_classes=_base_.num_classes))\n")
    )
    assert config.model.head.num_classes == 100


def test_several_bases(write):
    write(
        'm.py',
        "k = 5\nmodel = dict(type='ToyModel', head=dict(type='ToyHead', num_classes=k, depth=1, "
        "loss=dict(type='ToyLoss')))\n",
    )
    write('r.py', "default_scope = 'ltkit'\nwork_dir = 'w'\n")
    config = load_config(write('x.py', "_base_ = ['m.py', 'r.py']\nload_from = str(_base_.k)\n"))
    assert config.load_from == '5'
    assert 'model.head.num_classes (m.py:2)' in error_of(write('y.py', "_base_ = ['m.py', 'r.py']\nk = 6\n"))


def test_options(base):
    assert load_config(base, {'model.head.num_classes': 7}).model.head.num_classes == 7
    message = error_of(base, {'num_classes': 7})
    assert message.startswith('--cfg-options num_classes has no effect: model.head.num_classes (base.py:7)')
    assert message.endswith('set model.head.num_classes instead')
    message = error_of(base, {'train_pipeline.0.size': 3})
    assert message.startswith('--cfg-options train_pipeline.0.size has no effect')
    message = error_of(base, {'default_hoks.timer': 3})
    assert message.startswith(
        "--cfg-options default_hoks.timer: unknown top-level key 'default_hoks'; did you mean"
    )


def test_a_plugin_may_allow_a_key(write, base, monkeypatch):
    monkeypatch.setattr(names, '_allowed', set())
    path = write('x.py', "_base_ = 'base.py'\nmy_setting = 3\n")
    error_of(path)
    allow_top_level_key('my_setting')
    assert load_config(path).my_setting == 3


def test_yaml_and_json(write):
    write('a.yaml', 'default_scope: ltkit\nn: 4\n')
    config = load_config(write('b.yaml', '_base_: a.yaml\nwork_dir: {{_base_.n}}\n'))
    assert config.work_dir == 4
    assert error_of(write('c.yaml', 'default_hoks: {}\n')).startswith(
        "c.yaml:1: unknown top-level key 'default_hoks'"
    )
    assert error_of(write('d.json', '{"work_dir": "w",\n "defualt_hooks": {}}\n')).startswith('d.json:2:')


def test_lazy_configs(write, base):
    write(
        'lazy.py',
        """\
        from torch.optim import SGD
        n = 3
        default_scope = 'ltkit'
        optim_wrapper = dict(optimizer=dict(type=SGD, lr=0.1, weight_decay=n))
        """,
    )
    load_config('lazy.py')
    child = 'from mmengine.config import read_base\nwith read_base():\n    from .lazy import *\n'
    assert (
        load_config(write('a.py', child + 'optim_wrapper.optimizer.lr = n\n')).optim_wrapper.optimizer.lr == 3
    )
    message = error_of(write('b.py', child + 'n = 5\n'))
    assert message.startswith(
        'b.py:4: n = ... has no effect: optim_wrapper.optimizer.weight_decay (lazy.py:4)'
    )
    assert "unknown top-level key 'default_hoks'" in error_of(
        write('c.py', child + 'default_hoks = dict()\n')
    )
