r"""Kinds of classes: which classes of a task the mathematics cannot tell apart, and what collides with their labels.

An irrelevant example of a prompt about class :math:`x` carries label :math:`y` with the *collision probability*
:math:`b_y = \sum_{x' \ne x} p_{x'} y^*_y(x') / (1 - p_x)`. Classes with the same frequency and the same collision
probabilities behave alike; the two-level task has at most six kinds, whatever its number of classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.setting import TaskDistribution

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassKind:
    r"""Classes that behave alike.

    Parameters
    ----------
    representative : int
        One of them.
    size : int
        How many they are.
    probability : float
        :math:`p_x` of one of them.
    own_collision : float
        Probability that an irrelevant example carries the own label.
    noisy_collisions : ndarray, shape (j,)
        The same for the labels that noise leads to; distinct values.
    noisy_weights : ndarray, shape (j,)
        Share of the noisy labels with each of these values; sums to one.
    """

    representative: int
    size: int
    probability: float
    own_collision: float
    noisy_collisions: Array
    noisy_weights: Array


def class_kinds(task: TaskDistribution) -> tuple[list[ClassKind], NDArray[np.intp]]:
    """Kinds of the task's classes, and the kind of each *representative candidate* (see :func:`candidates`).

    Returns
    -------
    kinds : list of ClassKind
        Distinct kinds.
    kind_of : ndarray of int, shape (number of candidates,)
        Position in ``kinds`` for each candidate.

    Examples
    --------
    >>> task = TaskDistribution(num_high=5, num_low=95, p_high=0.9, context_length=8)
    >>> kinds, _ = class_kinds(task)
    >>> [(kind.representative, kind.size) for kind in kinds]
    [(0, 1), (1, 3), (4, 1), (5, 1), (6, 93), (99, 1)]
    """
    chosen, sizes = candidates(task)
    neighbours = _neighbour_probabilities(task, chosen)
    signatures = neighbours if task.label_noise_kind == "cyclic" else neighbours[:, 1:2]
    if task.grouped:
        # Groups are reported apart even if their frequencies are equal.
        signatures = np.column_stack([signatures, chosen < (task.num_high or 0)])
    _, first, kind_of = np.unique(signatures, axis=0, return_index=True, return_inverse=True)
    # Number the kinds in the order of their first class, not of their signature.
    order = np.argsort(first)
    position = np.empty_like(order)
    position[order] = np.arange(order.size)
    kind_of = position[kind_of.reshape(-1)]
    totals = np.bincount(kind_of, weights=sizes).astype(int)
    kinds = [_kind(task, int(chosen[first[k]]), int(totals[i]), neighbours[first[k]]) for i, k in enumerate(order)]
    return kinds, kind_of


def kinds_at(task: TaskDistribution, classes: NDArray[np.intp]) -> list[ClassKind]:
    """Kinds of single classes, each of size 1: for tasks with so many classes that not all of them can be looked at.

    Examples
    --------
    >>> task = TaskDistribution(frequencies="zipf", num_classes=10**6, zipf_exponent=1.5, context_length=8)
    >>> [kind.representative for kind in kinds_at(task, np.array([0, 10**5]))]
    [0, 100000]
    """
    neighbours = _neighbour_probabilities(task, classes)
    return [_kind(task, int(x), 1, near) for x, near in zip(classes, neighbours, strict=True)]


def candidates(task: TaskDistribution) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Classes that stand for all, with how many each stands for: every class, but few of a two-level task.

    Within a group of a two-level task only the first and the last class have neighbours of the other group.
    """
    if task.num_high is None or task.num_low is None:
        everything = np.arange(task.total_classes)
        return everything, np.ones_like(everything)
    chosen: list[int] = []
    sizes: list[int] = []
    for start, number in ((0, task.num_high), (task.num_high, task.num_low)):
        members = {start: 1, start + 1: number - 2, start + number - 1: 1}
        kept = {member: size for member, size in members.items() if size > 0 and member < start + number}
        chosen.extend(kept)
        sizes.extend(kept.values())
    return np.asarray(chosen), np.asarray(sizes)


def _neighbour_probabilities(task: TaskDistribution, chosen: NDArray[np.intp]) -> Array:
    """Probabilities of the class before, the class itself and the class after, shape (candidates, 3)."""
    total = task.total_classes
    indices = (chosen[:, None] + np.array([-1, 0, 1])) % total
    if task.grouped:
        high, low = task.level_probabilities
        return np.where(indices < (task.num_high or 0), high, low)
    return np.asarray(task.class_probabilities[indices], dtype=np.float64)


def _kind(task: TaskDistribution, representative: int, size: int, neighbours: Array) -> ClassKind:
    before, own, after = (float(value) for value in neighbours)
    noise = task.noise_in_context
    if task.label_noise_kind == "cyclic":
        # Label x is noise of the class before; label x + 1 belongs to the class after.
        own_collision = before * noise / (1 - own)
        noisy = np.array([after * (1 - noise) / (1 - own)])
        weights = np.ones(1)
    else:
        spread = noise / (task.total_classes - 1)
        values, numbers = _distinct_probabilities(task)
        # 1 - p_x - p_y is a sum of other probabilities: never negative, whatever the rounding.
        others = np.maximum(1 - own - values, 0.0)
        own_collision = spread
        noisy = np.minimum((values * (1 - noise) + others * spread) / (1 - own), 1.0)
        numbers = numbers - (values == own)
        weights = numbers / (task.total_classes - 1)
        noisy, weights = noisy[numbers > 0], weights[numbers > 0]
    return ClassKind(
        representative=representative,
        size=size,
        probability=own,
        own_collision=min(own_collision, 1.0),
        noisy_collisions=np.minimum(noisy, 1.0),
        noisy_weights=weights,
    )


def _distinct_probabilities(task: TaskDistribution) -> tuple[Array, Array]:
    """Distinct class probabilities and how many classes have each."""
    if task.grouped:
        levels, numbers = (
            np.array(task.level_probabilities),
            np.array([task.num_high, task.num_low], dtype=float),
        )
        return (levels, numbers) if levels[0] != levels[1] else (levels[:1], numbers.sum(keepdims=True))
    values, counts = np.unique(task.class_probabilities, return_counts=True)
    return values, counts.astype(np.float64)


def kind_of_class(task: TaskDistribution) -> NDArray[np.intp]:
    """Position of every class's kind in :func:`class_kinds`, shape (number of classes,)."""
    chosen, _ = candidates(task)
    _, kind_of = class_kinds(task)
    if chosen.size == task.total_classes:
        return kind_of
    # Between two candidates of a group lie classes like the second one of the group.
    position = np.searchsorted(chosen, np.arange(task.total_classes), side="right") - 1
    return kind_of[position]
