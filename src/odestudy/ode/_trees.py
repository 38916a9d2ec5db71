"""Rooted trees and their elementary weights: the order conditions of Runge-Kutta methods.

Source: Hairer, Nørsett, Wanner, Solving Ordinary Differential Equations I, section II.2, theorem 2.13.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np

Tree = tuple  # a tree is the sorted tuple of its subtrees; the leaf is ()


def size(tree: Tree) -> int:
    """Number of nodes of a rooted tree."""
    return 1 + sum(size(child) for child in tree)


def density(tree: Tree) -> int:
    """gamma(tree): the product over all nodes of the size of the subtree that hangs there."""
    product = size(tree)
    for child in tree:
        product *= density(child)
    return product


@lru_cache(maxsize=16)
def trees_of_size(n: int) -> tuple[Tree, ...]:
    """All rooted trees with n nodes, in a fixed order."""
    return tuple(sorted({tuple(sorted(forest)) for forest in _forests(n - 1, n - 1)}))


def _forests(n: int, largest: int) -> Iterator[tuple[Tree, ...]]:
    """All multisets of trees with n nodes in total, none larger than `largest`."""
    if n == 0:
        yield ()
        return
    for part in range(min(n, largest), 0, -1):
        for count in range(1, n // part + 1):
            for chosen in combinations_with_replacement(trees_of_size(part), count):
                for rest in _forests(n - part * count, part - 1):
                    yield chosen + rest


def stage_weights(tree: Tree, a: np.ndarray, single: np.ndarray | None = None) -> np.ndarray:
    """The vector u with b @ u = Phi(tree), for the coefficient matrix a.

    A Rosenbrock method has another matrix, `single`, where a node has one child only (HW II, theorem IV.7.4).
    """
    u = np.ones(len(a))
    matrix = a if single is None or len(tree) != 1 else single
    for child in tree:
        u = u * (matrix @ stage_weights(child, a, single))
    return u


def conditions(
    a: np.ndarray, order: int, single: np.ndarray | None = None
) -> Iterator[tuple[Tree, np.ndarray, float]]:
    """For each tree up to `order`: the tree, its stage weights, and 1 / gamma (what b @ weights must be)."""
    for n in range(1, order + 1):
        for tree in trees_of_size(n):
            yield tree, stage_weights(tree, a, single), 1.0 / density(tree)
