"""Tests of what of a config changes the result of a run."""

from __future__ import annotations

from ltkit.config.effect import differences, with_effect


def test_places_and_speed_have_no_effect():
    config = dict(work_dir='a', launcher='none', train=dict(
        num_workers=2, batch_size=8, steps=[dict(data_root='x', size=3)]))
    assert with_effect(config) == dict(train=dict(batch_size=8, steps=[dict(size=3)]))


def test_differences_are_named_by_their_keys():
    one = dict(a=1, b=dict(c=[1, dict(d=2)], e=3), g=[1, 2])
    other = dict(a=1, b=dict(c=[1, dict(d=5)], f=4), g=[1])
    assert list(differences(one, other)) == [
        ('b.c.1.d', 2, 5), ('b.e', 3, None), ('b.f', None, 4), ('g', [1, 2], [1])]
    assert not list(differences(one, one))
