"""``phase_diagram(task, model, x=..., y=...)``: what ``predict`` says, at every point of a grid of settings at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.diagrams.boundary_arrays import asymptotic_boundaries, instantaneous_boundaries, sharp_boundaries
from theory.diagrams.diagram_grid import STEPS, Axis, read_axis, settings_grid
from theory.diagrams.gate_steps import StepGates, step_gates
from theory.diagrams.kind_arrays import group_names
from theory.diagrams.problems import Problems, fixed_attention
from theory.errors import SettingError
from theory.setting import GatedPredictor, TaskDistribution
from theory.transitions.crossing import FROM_THE_START

Array = NDArray[np.float64]

PHASES = ("in-weight", "transient", "persistent")
"""Names of the phases by their codes 0, 1, 2."""
_IN_WEIGHT, _TRANSIENT, _PERSISTENT = range(3)


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupDiagram:
    r"""What is predicted for one group or class over a grid; arrays of shape (len(y), len(x)).

    Parameters
    ----------
    name : str
        Group or class.
    class_probability : ndarray
        :math:`p_x` of one class.
    bayes_risk, in_context_risk : ndarray
        :math:`H_x` and :math:`r_h` (mean over the group's classes), in nats.
    phase : ndarray of int
        0 in-weight, 1 transient, 2 persistent.
    instantaneous, asymptotic, sharp : ndarray
        Boundaries in visits as in ``theory.VisitBoundary``; infinite where the in-weight predictor never wins (of
        the closed form, where it has no value), 0 where it wins from the first visit on.
    sharp_steps : ndarray or None
        The sharp boundary in steps of the stream, if asked for; infinite and 0 likewise.
    mean_gate : ndarray or None
        :math:`E\alpha(N)`, where an axis is ``steps``.
    """

    name: str
    class_probability: Array
    bayes_risk: Array
    in_context_risk: Array
    phase: NDArray[np.int8]
    instantaneous: Array
    asymptotic: Array
    sharp: Array
    sharp_steps: Array | None
    mean_gate: Array | None


@dataclass(frozen=True, kw_only=True, eq=False)
class PhaseDiagram:
    """Predictions on a grid of settings.

    Parameters
    ----------
    x_name, y_name : str
        Settings along the axes.
    x, y : ndarray
        Their values.
    possible : ndarray of bool, shape (len(y), len(x))
        Whether the point is a setting; where it is not, arrays hold 0 and the phase is -1.
    groups : tuple of GroupDiagram
        One for each group (``high``, ``low``) or class.
    """

    x_name: str
    y_name: str
    x: Array
    y: Array
    possible: NDArray[np.bool_]
    groups: tuple[GroupDiagram, ...]

    def __getitem__(self, name: str) -> GroupDiagram:
        for group in self.groups:
            if group.name == name:
                return group
        raise KeyError(name)


def phase_diagram(
    task: TaskDistribution,
    model: GatedPredictor | None = None,
    *,
    x: tuple[str, Sequence[float] | str],
    y: tuple[str, Sequence[float] | str],
    classes: Sequence[str] | None = None,
    in_steps: bool = True,
    skip_impossible: bool = False,
) -> PhaseDiagram:
    r"""Predict risks, phases and boundaries at every point of a grid of settings.

    Risks, the instantaneous and the asymptotic boundary are those of :func:`theory.predict`; the sharp boundary is that
    of a mean gate inverted on fewer nodes, whose error is in docs/agreement.md.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        The setting that the axes change.
    x, y : (str, values)
        A numeric setting (``label_noise``, ``relevant_examples``, ``model.in_context.odds``, ...) and its values, or
        their range as text: ``"0:0.3:50"``, ``"1:1000:30:log"``. The name ``steps`` is no setting: along it the mean
        gate after so many steps is given, too.
    classes : sequence of str, optional
        Groups or classes to report; by default both groups of a two-level task. Another task needs names.
    in_steps : bool
        Whether to give the sharp boundary in steps too, which is more than half of the work.
    skip_impossible : bool
        Leave out points that are no setting (more relevant examples than the context holds, a floor that does not fit)
        instead of raising; see ``PhaseDiagram.possible``.

    Returns
    -------
    PhaseDiagram

    Raises
    ------
    SettingError
        An axis is not that of a numeric setting, a point is no setting (the message names it), the task needs
        ``classes``, or the gate is not one per query.
    NoTheoryError
        A part of the model has no theory, or learns its attention (a diagram of that has to be run point by point).

    Examples
    --------
    >>> task = TaskDistribution(num_high=5, num_low=95, p_high=0.9, context_length=8, relevant_examples=4)
    >>> diagram = phase_diagram(task, x=("label_noise", "0:0.2:3"), y=("relevant_examples", [2, 4]))
    >>> diagram["high"].sharp.round(1).tolist()
    [[...], [...]]
    """
    model = model or GatedPredictor()
    if getattr(model.gate, "per", "query") != "query":
        raise SettingError("model.gate.per", getattr(model.gate, "per", None), "'query', or a call of theory.predict")
    fixed_attention(model)
    axes = read_axis("x", x, model), read_axis("y", y, model)
    names = group_names(task, classes)
    grid = settings_grid(task, model, *axes, skip_impossible=skip_impossible)
    problems = Problems.of(grid, names)
    risk = problems.gates.of_problems(problems.gates.row_risks())
    entropy = np.repeat(problems.gates.entropy, problems.gates.number)
    final = problems.gates.of_problems((problems.gates.row_risks() > entropy * (1 + 1e-14)).astype(np.float64))
    sharp = sharp_boundaries(problems.gates, risk, final > 0.5)
    most_steps = max((axis.array.max() for axis in axes if axis.name == STEPS), default=0.0)
    steps = None
    if in_steps or most_steps > 0:
        steps = step_gates(problems.gates, sharp, problems.probability, float(most_steps))
    columns: dict[str, NDArray[Any]] = {
        "class_probability": problems.probability,
        "bayes_risk": problems.gates.entropy,
        "in_context_risk": risk,
        "phase": phase_codes(sharp, final),
        "instantaneous": instantaneous_boundaries(problems.gates, risk),
        "asymptotic": asymptotic_boundaries(problems.gates, risk),
        "sharp": sharp,
    }
    sharp_steps = steps.boundaries() if steps is not None and in_steps else None
    shape = len(axes[1].values), len(axes[0].values)
    at_point = problems.at_point(grid)
    groups = tuple(
        GroupDiagram(
            name=name,
            **{key: _on_grid(values, at_point[group], shape) for key, values in columns.items()},
            sharp_steps=None if sharp_steps is None else _on_grid(sharp_steps, at_point[group], shape),
            mean_gate=_mean_gate(axes, steps, at_point[group], shape),
        )
        for group, name in enumerate(names)
    )
    return PhaseDiagram(
        x_name=axes[0].name, y_name=axes[1].name, x=axes[0].array, y=axes[1].array,
        possible=grid.possible.reshape(shape), groups=groups,
    )  # fmt: skip


def phase_codes(sharp: Array, final: Array) -> NDArray[np.int8]:
    """Codes of the phases: as in ``theory.solver``."""
    transient = np.where(sharp == FROM_THE_START, _IN_WEIGHT, _TRANSIENT)
    return np.where(final <= 0.5, _PERSISTENT, transient).astype(np.int8)


def _on_grid(values: NDArray[Any], place: NDArray[np.intp], shape: tuple[int, int]) -> NDArray[Any]:
    """Values of the problems at the points of the grid; where there is none, 0, or -1 for a code."""
    nothing = -1 if values.dtype == np.int8 else 0
    return np.where(place >= 0, values[place], nothing).astype(values.dtype).reshape(shape)


def _mean_gate(
    axes: tuple[Axis, Axis], steps: StepGates | None, place: NDArray[np.intp], shape: tuple[int, int]
) -> Array | None:
    """Mean gate at the steps that an axis has."""
    for axis, values in zip(axes, np.meshgrid(axes[0].array, axes[1].array), strict=True):
        if axis.name == STEPS and steps is not None:
            gate = np.zeros(place.size)
            inside = np.flatnonzero(place >= 0)
            gate[inside] = steps.mean_gates(place[inside], values.ravel()[inside])
            return gate.reshape(shape)
    return None
