from __future__ import annotations

import numpy as np
import pytest

from ltkit.datasets.samplers.cycles import ClassIndex, draw_cycles, permutation


def test_each_pass_of_a_group_has_each_member_once():
    rng = np.random.default_rng(0)
    sizes = np.array([3, 5, 0, 1, 4])
    groups = rng.choice([0, 1, 3], 200)  # group 2 has no member, group 4 no turn
    drawn = draw_cycles(groups, sizes, rng)
    for group in (0, 1, 3):
        mine, size = drawn[groups == group], sizes[group]
        whole = mine[:len(mine) // size * size].reshape(-1, size)
        assert (np.sort(whole, 1) == np.arange(size)).all()
        rest = mine[whole.size:]
        assert len(set(rest)) == len(rest)
        assert set(rest) <= set(range(size))
    first = drawn[groups == 1][:50].reshape(-1, 5)
    assert len(np.unique(first, axis=0)) > 5  # reshuffled on each pass


def test_the_start_of_a_cycle_is_uniform():
    rng = np.random.default_rng(0)
    starts = [draw_cycles(np.array([0, 1, 0]), np.array([3, 4]), rng) for _ in range(3000)]
    counts = np.bincount([start[0] for start in starts], minlength=3)
    assert np.abs(counts - 1000).max() < 4 * np.sqrt(1000 * 2 / 3)
    pairs = {(start[0], start[2]) for start in starts}
    assert pairs == {(a, b) for a in range(3) for b in range(3) if a != b}


def test_permutation():
    rng = np.random.default_rng(0)
    orders = {tuple(permutation(4, rng)) for _ in range(500)}
    assert len(orders) == 24
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)


@pytest.mark.parametrize('replacement', [False, True])
def test_class_index_draws_of_the_class(replacement):
    labels = np.array([2, 0, 2, 4, 0, 2])
    index = ClassIndex(labels)
    assert index.counts.tolist() == [2, 0, 3, 0, 1]
    classes = np.random.default_rng(1).choice([0, 2, 4], 300)
    drawn = index.draw(classes, np.random.default_rng(0), replacement)
    assert (labels[drawn] == classes).all()
    assert set(drawn) == set(range(6))
    of_two = drawn[classes == 2]
    in_cycles = all(len(set(of_two[start:start + 3])) == 3 for start in range(0, len(of_two) - 2, 3))
    assert in_cycles is not replacement
