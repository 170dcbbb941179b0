"""The shuffled cycles that the samplers draw from."""

from __future__ import annotations

import numpy as np


class ClassIndex:
    """Where the samples of each class are.

    Args:
        labels (ndarray): Classes in [0, C), int64, shape ``(N,)``.
    """

    def __init__(self, labels: np.ndarray) -> None:
        self.counts = np.bincount(labels)
        self.by_class = np.argsort(labels, kind='stable')
        self.starts = np.cumsum(self.counts) - self.counts

    def draw(self, classes: np.ndarray, rng: np.random.Generator, replacement: bool = False) -> np.ndarray:
        """One sample of each given class.

        Args:
            classes (ndarray): Classes that have samples, shape ``(n,)``.
            rng (Generator): The source of randomness.
            replacement (bool): Whether the samples of a class are drawn
                independently. Otherwise each class has a cycle of its own: all
                its samples in a random order, then all in a new order, and so
                on. Either way each sample of a class is as likely as another.

        Returns:
            ndarray: Indices of samples, int64, shape ``(n,)``.
        """
        if replacement:
            within = (rng.random(len(classes)) * self.counts[classes]).astype(np.int64)
        else:
            within = draw_cycles(classes, self.counts, rng)
        return self.by_class[self.starts[classes] + within]


def draw_cycles(groups: np.ndarray, sizes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Walk one shuffled cycle a group, reshuffled on each pass.

    Args:
        groups (ndarray): Whose turn it is, in [0, G), int64, shape ``(n,)``.
        sizes (ndarray): Number of members of each group, shape ``(G,)``.
        rng (Generator): The source of randomness.

    Returns:
        ndarray: A member of the group of each turn, in [0, its size), int64,
        shape ``(n,)``. Within a pass no member comes twice.
    """
    turns = np.bincount(groups, minlength=len(sizes))
    passes = -(-turns // np.maximum(sizes, 1))
    pass_sizes = np.repeat(sizes, passes)
    # All passes of all groups as one array: pass p has the slots of its group's members.
    pass_of_slot = np.repeat(np.arange(len(pass_sizes)), pass_sizes)
    members = np.argsort(pass_of_slot + rng.random(len(pass_of_slot)), kind='stable')
    members -= np.repeat(np.cumsum(pass_sizes) - pass_sizes, pass_sizes)
    # Turn k of a group takes slot k of the group.
    slots = passes * sizes
    drawn = np.empty(len(groups), dtype=np.int64)
    turn_order = np.argsort(groups, kind='stable')
    turn = np.arange(len(groups)) - np.repeat(np.cumsum(turns) - turns, turns)
    drawn[turn_order] = members[np.repeat(np.cumsum(slots) - slots, turns) + turn]
    return drawn


def permutation(size: int, rng: np.random.Generator) -> np.ndarray:
    """A random order of ``range(size)``, made of ``rng.random`` alone."""
    return np.argsort(rng.random(size), kind='stable')
