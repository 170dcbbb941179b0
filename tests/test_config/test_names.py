"""What files define and read."""

from __future__ import annotations

import ast

import pytest

from ltkit.config import known_keys, read_files
from ltkit.config.names import Names, base_read


def test_definitions_and_reads(write):
    names = Names(
        read_files(
            write(
                'x.py',
                """\
        import os
        a, (b, c) = 1, (2, 3)
        if a:
            d = _base_
        for e in [b]:
            f: int = e
        def g(h):
            return h + c
        d['k'] = 4
        """,
            )
        )
    )
    assert names.values == {'a': 2, 'b': 2, 'c': 2, 'd': 4, 'e': 5, 'f': 6}
    assert names.others == {'os', 'g'}
    assert {'a', 'b', 'c', 'e', 'd'} <= names.reads and 'f' not in names.reads


def test_base_reads(write):
    write('b.py', 'n = dict(k=1)\nwork_dir = str(n)\nm = 1\nload_from = str(m)\n')
    names = Names(
        read_files(write('x.py', "_base_ = 'b.py'\nwork_dir = {{_base_.n.k}}\nload_from = _base_['m']\n"))
    )
    assert names.base_reads == {'n', 'm'}


@pytest.mark.parametrize(
    'text, keys',
    [('_base_.a.b', ('a', 'b')), ("_base_['a'].b", ('a', 'b')), ('_base_.a[i].b', ('a',)), ('other.a', None)],
)
def test_base_read(text, keys):
    assert base_read(ast.parse(text, mode='eval').body) == keys


def test_known_keys():
    class Runner:
        def __init__(self, model, extra):
            pass

    assert {'model', 'default_hooks', 'custom_imports', 'stages', 'tta_model'} <= known_keys()
    assert 'extra' not in known_keys() and 'extra' in known_keys(Runner)
