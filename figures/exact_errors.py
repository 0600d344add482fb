r"""0-1 errors of g and h that can be computed exactly: one context example, cyclic label noise.

The in-context predictor copies the label of its one example. The table answers with the label that it has seen most
often at the query: after :math:`N` steps it has :math:`n \sim \mathrm{Bin}(N, p_x)` visits, of which
:math:`k \sim \mathrm{Bin}(n, 1-\eta)` had the class's own label and the others its noisy one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.sweeps.tables import Table, quantity
from theory.errors import NoTheoryError
from theory.setting import TaskDistribution
from theory.setting.label_flip import flip_within_groups
from theory.setting_file import assemble_task
from theory.solver import predict

Array = NDArray[np.float64]

BASES = ("in-base", "out-of-base")
CONTEXTS = ("relevant", "irrelevant")
GROUPS = ("high", "low")


def predicted_errors(setting: Mapping[str, Any], steps: list[int]) -> Table:
    """Exact errors of g and h of a two-level task, and where the gated predictor changes over.

    Parameters
    ----------
    setting : dict
        Nested settings of a two-level task with one context example and cyclic noise of equal strength everywhere.
    steps : list of int
        Numbers of examples.

    Returns
    -------
    Table
        ``error_in_weight`` along ``base``, ``class`` and ``steps``; ``error_in_context`` along ``base``, ``context``
        and ``class``; ``crossing_steps``, ``band_low`` and ``band_high`` (95 % of single runs) along ``class``.

    Raises
    ------
    NoTheoryError
        Another task, whose errors are not computed here.

    Examples
    --------
    >>> from theory.setting_file import read
    >>> table = predicted_errors(read("paper"), [1, 10_000])
    >>> table.quantities["error_in_weight"].values[0, 0].round(3).tolist()
    [0.738, 0.0]
    """
    task, model = assemble_task(dict(setting))
    _check(task)
    members = [np.arange(task.num_high or 0), np.arange(task.num_high or 0, task.total_classes)]
    laws = _label_laws(task)
    asked = [laws, _flipped(task, laws)]
    most_frequent = [table_answers(task.label_noise, task.class_probabilities[group[0]], steps) for group in members]
    in_weight = [
        [_table_error(law, group, answer) for group, answer in zip(members, most_frequent, strict=True)]
        for law in asked
    ]
    in_context = [
        [[_copying_error(task, law, group, context) for group in members] for context in CONTEXTS] for law in asked
    ]
    labels = {"base": np.array(BASES), "context": np.array(CONTEXTS), "class": np.array(GROUPS)}
    entries = predict(task, model).entries
    bands = [entry.band_steps for entry in entries]
    crossing = "predicted: where the mean gate last rises through 1/2"
    band = "of the band that holds 95 % of single runs' boundaries"
    quantities = {
        "error_in_weight": quantity(["base", "class", "steps"], np.array(in_weight), "", "exact 0-1 error of g"),
        "error_in_context": quantity(["base", "context", "class"], np.array(in_context), "", "exact 0-1 error of h"),
        "crossing_steps": quantity(["class"], [entry.vanish_steps for entry in entries], "steps", crossing),
        "band_low": quantity(["class"], [found and found.lower for found in bands], "steps", f"lower end {band}"),
        "band_high": quantity(["class"], [found and found.upper for found in bands], "steps", f"upper end {band}"),
    }
    return Table(coordinates={**labels, "steps": np.array(steps)}, quantities=quantities)


def table_answers(noise: float, class_probability: float, steps: list[int]) -> Array:
    """Probabilities that the table's most frequent label is the own one, the noisy one, or that there was no visit.

    A tie counts half for either of both.

    Returns
    -------
    ndarray, shape (3, len(steps))

    Examples
    --------
    >>> table_answers(0.25, 0.5, [0, 1]).round(12).tolist()
    [[0.0, 0.375], [0.0, 0.125], [1.0, 0.5]]
    """
    from scipy.special import gammaln, xlog1py, xlogy

    def law(most: int, chance: float) -> Array:
        k = np.arange(most + 1)
        logs = gammaln(most + 1) - gammaln(k + 1) - gammaln(most - k + 1)
        return np.asarray(np.exp(logs + xlogy(k, chance) + xlog1py(most - k, -chance)), dtype=np.float64)

    largest = max(steps)
    # After so many visits the most frequent label is the own one, but for less than a rounding.
    enough = largest if noise == 0.5 else min(largest, round(200 / (1 - 2 * noise) ** 2))
    answers = np.zeros((3, largest + 1))
    answers[0, enough + 1 :] = 1.0
    answers[2, 0] = 1.0
    for n in range(1, enough + 1):
        k, chances = np.arange(n + 1), law(n, noise)
        tie = chances[2 * k == n].sum() / 2
        answers[:2, n] = chances[2 * k < n].sum() + tie, chances[2 * k > n].sum() + tie
    return np.stack([answers[:, : count + 1] @ law(count, class_probability) for count in steps], axis=1)


def _check(task: TaskDistribution) -> None:
    same_noise = task.context_label_noise in (None, task.label_noise)
    labels_own = task.num_labels is None and (task.label_noise_kind == "cyclic" or task.label_noise == 0)
    if not (task.grouped and task.context_length == 1 and same_noise and labels_own and task.label_noise < 0.5):
        raise NoTheoryError("task", task)


def _label_laws(task: TaskDistribution) -> Array:
    """Law of each class's label, shape (classes, labels)."""
    own = np.eye(task.total_labels)
    return (1 - task.label_noise) * own + task.label_noise * np.roll(own, 1, axis=1)


def _flipped(task: TaskDistribution, laws: Array) -> Array:
    """The laws of out-of-base labels: each label becomes the next one of its group."""
    moved = np.zeros_like(laws)
    moved[:, flip_within_groups(task)] = laws
    return moved


def _table_error(law: Array, group: NDArray[np.intp], answers: Array) -> Array:
    """Mean error over a group: the drawn label is another one than the table's."""
    labels = law.shape[1]
    own, noisy = (_other_labels(law, group, answer % labels) for answer in (group, group + 1))
    return np.asarray(np.array([own, noisy, (labels - 1) / labels]) @ answers, dtype=np.float64)


def _other_labels(law: Array, group: NDArray[np.intp], answer: NDArray[np.intp]) -> float:
    """Mean probability over a group that a class's label is not its answer; summed, since it may be tiny."""
    others = law[group].copy()
    others[np.arange(group.size), answer] = 0.0
    return float(others.sum(axis=1).mean())


def _copying_error(task: TaskDistribution, law: Array, group: NDArray[np.intp], context: str) -> float:
    """Mean error over a group: the copied label is another one than the drawn label."""
    different = law @ (1 - np.eye(law.shape[1])) @ law.T
    if context == "relevant":
        return float(different[group, group].mean())
    weights = np.where(np.eye(law.shape[0], dtype=np.bool_), 0.0, task.class_probabilities)
    weights /= weights.sum(axis=1, keepdims=True)
    return float((weights * different).sum(axis=1)[group].mean())
