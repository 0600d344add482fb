"""The settings on the grid of a phase diagram: each axis a setting's name with its values, every point checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.checks import integer
from theory.coverage import check_theory
from theory.errors import SettingError, unknown_name
from theory.gating.curve import LARGEST_STEPS
from theory.ranges import parse_values
from theory.setting import GatedPredictor, TaskDistribution

STEPS = "steps"
"""Axis that is no setting: steps of the stream, at which the mean gate is asked for."""

_WHOLE = ("num_high", "num_low", "num_classes", "num_labels", "context_length", "relevant_examples", STEPS)
_REAL = ("p_high", "zipf_exponent", "p_relevant", "label_noise", "context_label_noise")
MOST_POINTS = 10**6


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis of a phase diagram.

    Parameters
    ----------
    name : str
        Setting, dotted as in a settings file, without ``task.``; or ``steps``.
    values : tuple of float or int
        Its values, increasing or not.
    """

    name: str
    values: tuple[float, ...]

    @property
    def array(self) -> NDArray[np.float64]:
        """The values as an array."""
        return np.array(self.values, dtype=np.float64)


def read_axis(letter: str, given: object, model: GatedPredictor) -> Axis:
    """An axis from a pair of a setting's name and its values, or the text of a range.

    Parameters
    ----------
    letter : {"x", "y"}
        Which axis, for messages.
    given : tuple of (str, sequence of float or str)
        Name and values; text as ``low:high:count``, ``low:high:count:log`` (for a whole number rounded, without
        repetition) or ``v1,v2,...``.
    model : GatedPredictor
        The model, whose parts say which of its settings are numbers.

    Raises
    ------
    SettingError
        The name is not that of a numeric setting, or there are no values.

    Examples
    --------
    >>> read_axis("x", ("task.context_length", "4:8:3"), GatedPredictor())
    Axis(name='context_length', values=(4, 6, 8))
    """
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != 2 or not isinstance(given[0], str):
        raise SettingError(letter, given, "a pair of a setting's name and its values")
    name, values = given[0].removeprefix("task."), given[1]
    known = (*_WHOLE, *_REAL, *_model_numbers(model))
    if name not in known:
        raise unknown_name(letter, name, known)
    if isinstance(values, str):
        spaced = ":" in values
        values = parse_values(letter, f"{name}={values}", values)
        if spaced and name in _WHOLE:
            values = list(dict.fromkeys(float(round(value)) for value in values))
    if not isinstance(values, Sequence | np.ndarray) or np.ndim(values) != 1 or len(values) == 0:
        raise SettingError(f"{letter} values", values, "a list of numbers, or text as low:high:count")
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    if name in _WHOLE:
        # A whole number may come as a float, from a range; what is not whole is for the setting to refuse.
        plain = [int(value) if isinstance(value, float) and value.is_integer() else value for value in plain]
    if name == STEPS:
        plain = [integer(STEPS, value, minimum=0, maximum=LARGEST_STEPS) for value in plain]
    return Axis(name=name, values=tuple(plain))


def _model_numbers(model: GatedPredictor) -> list[str]:
    names = []
    for role in fields(model):
        part = getattr(model, role.name)
        if is_dataclass(part):
            values = {f.name: getattr(part, f.name) for f in fields(part)}
            numbers = [key for key, value in values.items() if isinstance(value, int | float)]
            names += [f"model.{role.name}.{key}" for key in numbers]
    return names


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """Tasks and models of a grid's points; arrays of shape (points,), the x axis fastest.

    Parameters
    ----------
    tasks, models : list
        Different tasks and models; ``None`` for an impossible task.
    task, model : ndarray of int
        Which of them a point has.
    possible : ndarray of bool
        Whether the point is a setting at all.
    """

    tasks: list[TaskDistribution | None]
    models: list[GatedPredictor]
    task: NDArray[np.intp]
    model: NDArray[np.intp]
    possible: NDArray[np.bool_]


def settings_grid(task: TaskDistribution, model: GatedPredictor, x: Axis, y: Axis, *, skip_impossible: bool) -> Grid:
    """All settings of a grid, each checked as strictly as a single one.

    Raises
    ------
    SettingError
        Both axes are the same, there are too many points, or (unless they are to be skipped) a point is no setting:
        the message names the point.
    """
    if x.name == y.name:
        raise SettingError("y", y.name, "another setting than that of the x axis")
    size = len(x.values) * len(y.values)
    if size > MOST_POINTS:
        raise SettingError("x and y", size, f"at most {MOST_POINTS:,} points")
    columns, rows = np.meshgrid(np.arange(len(x.values)), np.arange(len(y.values)))
    places = {"x": columns.ravel(), "y": rows.ravel()}
    axes = {"x": x, "y": y}
    of_task = [letter for letter, axis in axes.items() if not axis.name.startswith("model.") and axis.name != STEPS]
    of_model = [letter for letter, axis in axes.items() if axis.name.startswith("model.")]
    tasks = [_changed_task(task, changes, skip_impossible=skip_impossible) for changes in _changes(axes, of_task)]
    models = [_changed_model(model, changes) for changes in _changes(axes, of_model)]
    task_of, model_of = _position(axes, places, of_task, size), _position(axes, places, of_model, size)
    grid = Grid(
        tasks=tasks,
        models=models,
        task=task_of,
        model=model_of,
        possible=np.array([tasks[i] is not None for i in task_of.tolist()]),
    )
    _check_points(grid, axes, places, skip_impossible=skip_impossible)
    if not grid.possible.any():
        raise SettingError("x and y", (x.name, y.name), "a grid with at least one possible point")
    return grid


def _changes(axes: Mapping[str, Axis], letters: Sequence[str]) -> list[dict[str, Any]]:
    names = [axes[letter].name for letter in letters]
    return [dict(zip(names, values, strict=True)) for values in product(*(axes[letter].values for letter in letters))]


def _position(
    axes: Mapping[str, Axis], places: Mapping[str, NDArray[np.intp]], letters: Sequence[str], size: int
) -> NDArray[np.intp]:
    """Position of every point among the products of the axes' values."""
    position = np.zeros(size, dtype=np.intp)
    for letter in letters:
        position = position * len(axes[letter].values) + places[letter]
    return position


def _changed_task(
    task: TaskDistribution, changes: Mapping[str, Any], *, skip_impossible: bool
) -> TaskDistribution | None:
    try:
        return replace(task, **changes)
    except SettingError as error:
        if skip_impossible and _only_together(task, changes):
            return None
        raise _at_point(error, changes) from error


def _only_together(task: TaskDistribution, changes: Mapping[str, Any]) -> bool:
    """Whether the changes are impossible only in company: more relevant examples than the context holds."""
    relevant = changes.get("relevant_examples", task.relevant_examples)
    length = changes.get("context_length", task.context_length)
    if not isinstance(relevant, int) or not isinstance(length, int) or relevant <= length:
        return False
    try:
        replace(task, **{**changes, "context_length": max(relevant, 1), "relevant_examples": max(relevant, 1)})
        replace(task, **{**changes, "context_length": max(length, 0), "relevant_examples": 1})
    except SettingError:
        return False
    return True


def _changed_model(model: GatedPredictor, changes: Mapping[str, Any]) -> GatedPredictor:
    for name, value in changes.items():
        _, role, key = name.split(".")
        model = replace(model, **{role: replace(getattr(model, role), **{key: value})})
    return model


def _check_points(
    grid: Grid, axes: Mapping[str, Axis], places: Mapping[str, NDArray[np.intp]], *, skip_impossible: bool
) -> None:
    """Check the settings that a task and a model have only together, at every point where they may fail."""
    classes = np.array([0 if task is None else task.total_labels for task in grid.tasks], dtype=np.float64)
    floors = np.array([getattr(model.in_context, "floor", 0.0) for model in grid.models])
    floor = floors[grid.model]
    # Each model once with some task, for parts without a theory; and every point whose floor may not fit.
    suspicious = grid.possible & ((floor <= 0) | (classes[grid.task] * floor >= 1))
    _, first = np.unique(np.where(grid.possible, grid.model, -1), return_index=True)
    suspicious[first[grid.possible[first]]] = True
    for point in np.flatnonzero(suspicious).tolist():
        task = grid.tasks[grid.task[point]]
        if task is None:
            continue
        try:
            check_theory(task, grid.models[grid.model[point]])
        except SettingError as error:
            if not skip_impossible:
                raise _at_point(
                    error, {axis.name: axis.values[places[a][point]] for a, axis in axes.items()}
                ) from error
            grid.possible[point] = False


def _at_point(error: SettingError, changes: Mapping[str, Any]) -> SettingError:
    """The same error, with the point of the grid."""
    point = ", ".join(f"{name} = {value:.10g}" for name, value in changes.items())
    return SettingError(error.field, error.value, f"{error.allowed} (at the point {point})")
