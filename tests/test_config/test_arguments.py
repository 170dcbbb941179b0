"""The arguments that a part takes."""

from __future__ import annotations

import functools

from mmengine.model import BaseModule
from torch import nn

from ltkit.config.arguments import Arguments, arguments_of


class Bottom(nn.Module):
    def __init__(self, a, b=1, *, c=2):
        super().__init__()


class Passing(Bottom):
    def __init__(self, d, **kwargs):
        super().__init__(**kwargs)


class PassingWithSome(Bottom):
    def __init__(self, d, *args, **kwargs):
        super().__init__(d, *args, c=3, **kwargs)


class Twice(Passing):
    def __init__(self, e=1, **kwargs):
        super().__init__(**kwargs)


class Popping(Bottom):
    def __init__(self, **kwargs):
        kwargs.pop('z')
        super().__init__(**kwargs)


class Without(Passing):
    pass


class Silent(nn.Module):
    def __init__(self, **kwargs):
        super().__init__()


def function(x, y=2):
    return x, y


def test_plain():
    assert arguments_of(Bottom) == Arguments(('a', 'b', 'c'), ('a',))
    assert arguments_of(function) == Arguments(('x', 'y'), ('x',))
    assert arguments_of(functools.partial(function, y=3)).names == ('x', 'y')
    assert arguments_of(nn.Module) == Arguments()


def test_kwargs_that_are_passed_on_are_followed():
    assert arguments_of(Passing) == Arguments(('d', 'a', 'b', 'c'), ('d',))
    assert arguments_of(Without) == arguments_of(Passing)
    assert arguments_of(Twice) == Arguments(('e', 'd', 'a', 'b', 'c'), ())
    assert arguments_of(PassingWithSome) == Arguments(('d', 'b'), ('d',))


def test_kwargs_used_otherwise_accept_all():
    assert arguments_of(Popping).open and arguments_of(Silent).open
    assert arguments_of(lambda **kwargs: kwargs).open


def test_init_cfg_of_modules_of_mmengine():
    class Module(BaseModule):
        def __init__(self, width, **kwargs):
            super().__init__(**kwargs)

    assert arguments_of(Module) == Arguments(('width', 'init_cfg'), ('width',))
