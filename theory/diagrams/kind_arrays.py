"""Classes of many tasks at once: one row for each kind of classes of each setting.

A *point* is one setting (a task and a model); a *row* is one kind of its classes, see ``theory.classes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.classes import ClassKind, class_kinds
from theory.diagrams.prompt_arrays import PromptRows
from theory.errors import SettingError
from theory.setting import Attention, TaskDistribution

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class KindRows:
    """Kinds of the reported groups of many tasks; arrays of shape (rows,).

    Parameters
    ----------
    task : ndarray of int
        Position of the row's task.
    group : ndarray of int
        Position of the row's group among the names that are reported.
    weight : ndarray
        Share of the group's classes that are of this kind.
    probability : ndarray
        Probability of one class.
    own_collision : ndarray
        As in ``theory.classes.ClassKind``.
    noisy_collisions, noisy_weights : ndarray, shape (rows, j)
        The same, padded with weights of 0.
    """

    task: NDArray[np.intp]
    group: NDArray[np.intp]
    weight: Array
    probability: Array
    own_collision: Array
    noisy_collisions: Array
    noisy_weights: Array


def kind_rows(tasks: Sequence[TaskDistribution], names: Sequence[str]) -> KindRows:
    """Kinds of the named groups (two-level) or classes of every task."""
    found = [_kinds_of(task, names) for task in tasks]
    flat = [(i, *entry) for i, entries in enumerate(found) for entry in entries]
    kinds = [entry[3] for entry in flat]
    widest = max(kind.noisy_weights.size for kind in kinds)
    collisions, weights = np.zeros((len(flat), widest)), np.zeros((len(flat), widest))
    for row, kind in enumerate(kinds):
        collisions[row, : kind.noisy_weights.size] = kind.noisy_collisions
        weights[row, : kind.noisy_weights.size] = kind.noisy_weights
    return KindRows(
        task=np.array([entry[0] for entry in flat], dtype=np.intp),
        group=np.array([entry[1] for entry in flat], dtype=np.intp),
        weight=np.array([entry[2] for entry in flat], dtype=np.float64),
        probability=np.array([kind.probability for kind in kinds]),
        own_collision=np.array([kind.own_collision for kind in kinds]),
        noisy_collisions=collisions,
        noisy_weights=weights,
    )


def group_names(task: TaskDistribution, classes: Sequence[str] | None) -> tuple[str, ...]:
    """Names that are reported: both groups of a two-level task, or the classes that were asked for."""
    if task.grouped:
        if classes is None:
            return ("high", "low")
        known: Sequence[str] = ("high", "low")
    else:
        known = [task.name_of(i) for i in range(task.total_classes)]
        if classes is None:
            raise SettingError("classes", None, "names of the classes to report, since the task has no two groups")
    names = tuple(classes)
    if isinstance(classes, str) or not names or len(set(names)) < len(names):
        raise SettingError("classes", classes, "a list of different names")
    for name in names:
        if name not in known:
            raise SettingError("classes", name, "names of groups (two-level: high, low) or of classes of the task")
    return names


def _kinds_of(task: TaskDistribution, names: Sequence[str]) -> list[tuple[int, float, ClassKind]]:
    kinds, kind_of = class_kinds(task)
    if not task.grouped:
        position = {task.name_of(i): i for i in range(task.total_classes)}
        return [(group, 1.0, kinds[int(kind_of[position[name]])]) for group, name in enumerate(names)]
    entries = []
    for group, name in enumerate(names):
        members = [kind for kind in kinds if (kind.representative < (task.num_high or 0)) == (name == "high")]
        total = sum(kind.size for kind in members)
        entries += [(group, kind.size / total, kind) for kind in members]
    return entries


def prompt_rows(
    kinds: KindRows,
    tasks: Sequence[TaskDistribution],
    attentions: Sequence[Attention],
    row: NDArray[np.intp],
    attention: NDArray[np.intp],
) -> PromptRows:
    """What the in-context loss depends on, for pairs of a row of kinds and a model's attention.

    Parameters
    ----------
    kinds : KindRows
        All kinds of the tasks.
    tasks, attentions : sequence
        Settings that the rows refer to.
    row, attention : ndarray of int, shape (rows,)
        For each pair the row in ``kinds`` and the position in ``attentions``.
    """
    of_task = kinds.task[row]

    def each(values: list[float]) -> Array:
        return np.array(values, dtype=np.float64)[of_task]

    return PromptRows(
        context_length=np.array([task.context_length for task in tasks])[of_task],
        relevant_examples=np.array([task.relevant_examples or 0 for task in tasks])[of_task],
        p_relevant=each([task.p_relevant for task in tasks]),
        probability=kinds.probability[row],
        context_noise=each([task.noise_in_context for task in tasks]),
        noisy_labels=each([task.noisy_labels for task in tasks]),
        total_labels=each([task.total_labels for task in tasks]),
        odds=np.array([part.odds for part in attentions])[attention],
        floor=np.array([part.floor for part in attentions])[attention],
        own_collision=kinds.own_collision[row],
        noisy_collisions=kinds.noisy_collisions[row],
        noisy_weights=kinds.noisy_weights[row],
    )
