r"""The prediction for one setting within a few hundredths of a second, for a window that follows a slider.

It inverts the same characteristic functions as ``theory.phase_diagram``, for all numbers of visits at once, and joins
the mean gates by a broken line; ``theory.predict`` is slower and exact. Over the box of the explorer's sliders the mean
gate was off by 0.009 at most (by less than 0.003 in 19 of 20 settings), the boundary by 0.7 % at most (by 0.02 % in the
median), the phase never.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from theory.coverage import check_theory
from theory.diagrams.boundary_arrays import gates_at_nodes, instantaneous_boundaries, sharp_boundaries
from theory.diagrams.diagram import PHASES, phase_codes
from theory.diagrams.diagram_grid import Grid
from theory.diagrams.gate_arrays import GateRows, rough_gates
from theory.diagrams.gate_steps import StepGates, finer_nodes
from theory.diagrams.kind_arrays import group_names
from theory.diagrams.problems import Problems
from theory.errors import SettingError
from theory.setting import GatedPredictor, TaskDistribution

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_ROUGH_NODES = 96
_SETTLED = 1e-5
_NODES, _TOGETHER = 44, 21
_AROUND = np.array([0.6, 0.75, 0.87, 0.95, 1.0, 1.05, 1.15, 1.35, 1.7])
_DEVIATIONS = np.array([-3.0, -1.7, -0.7, 0.7, 1.7, 3.0])
"""Standard deviations of the visits around the boundary: a transition without noise is narrower than a twentieth."""


@dataclass(frozen=True, kw_only=True, eq=False)
class QuickPrediction:
    """What is predicted for one group of classes.

    Parameters
    ----------
    name : str
        Group: ``high`` or ``low``.
    class_probability : float
        Probability of one class.
    phase : {"in-weight", "transient", "persistent"}
        As in ``theory.ClassPrediction``.
    in_context_risk, bayes_risk : float
        In nats.
    instantaneous_steps, sharp_steps : float
        Boundaries in steps of the stream (the first one ``visits / p_x``); 0 where the in-weight predictor wins from
        the first visit on, infinite where it never does.
    gate : ndarray, shape (k,)
        Mean gate after the steps that were asked for.
    """

    name: str
    class_probability: float
    phase: str
    in_context_risk: float
    bayes_risk: float
    instantaneous_steps: float
    sharp_steps: float
    gate: Array


@lru_cache(maxsize=256)
def quick_predictions(
    task: TaskDistribution, model: GatedPredictor, steps: tuple[int, ...]
) -> tuple[QuickPrediction, ...]:
    """Predict both groups of a two-level task.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        The setting: two levels, attention with fixed odds, a gate per query.
    steps : tuple of int, shape (k,)
        Increasing numbers of steps, from 1 on, at which the mean gate is asked for.

    Raises
    ------
    SettingError, NoTheoryError
        The setting is another one, or its parts do not fit together.

    Examples
    --------
    >>> task = TaskDistribution(num_high=5, num_low=95, p_high=0.9, context_length=8, relevant_examples=4)
    >>> high, low = quick_predictions(task, GatedPredictor(), (1, 1000, 10**7))
    >>> high.phase, low.phase, high.sharp_steps < low.sharp_steps
    ('transient', 'transient', True)
    """
    check_theory(task, model)
    if model.gate.per != "query":
        raise SettingError("model.gate.per", model.gate.per, "'query', or a call of theory.predict")
    names = group_names(task, None)
    problems = Problems.of(_single(task, model), names)
    gates, probability = problems.gates, problems.probability
    risk = gates.of_problems(gates.row_risks())
    ends_in_weights = gates.row_risks() > np.repeat(gates.entropy, gates.number) * (1 + 1e-14)
    final = gates.of_problems(ends_in_weights.astype(np.float64))
    sharp = sharp_boundaries(gates, risk, final > 0.5)
    curves = _curves(gates, sharp, probability, steps[-1])
    phases = phase_codes(sharp, final)
    instantaneous = instantaneous_boundaries(gates, risk)
    vanish = curves.boundaries()
    numbers = np.array(steps, dtype=np.float64)
    return tuple(
        QuickPrediction(
            name=name,
            class_probability=float(probability[i]),
            phase=PHASES[phases[i]],
            in_context_risk=float(risk[i]),
            bayes_risk=float(gates.entropy[i]),
            instantaneous_steps=float(instantaneous[i] / probability[i]),
            sharp_steps=float(vanish[i]),
            gate=curves.mean_gates(np.full(numbers.size, i), numbers),
        )
        for i, name in enumerate(names)
    )


def _single(task: TaskDistribution, model: GatedPredictor) -> Grid:
    """A grid of one point."""
    first = np.zeros(1, dtype=np.intp)
    return Grid(tasks=[task], models=[model], task=first, model=first, possible=np.ones(1, dtype=np.bool_))


def _curves(gates: GateRows, sharp: Array, probability: Array, last_step: int) -> StepGates:
    """Broken lines of the mean gates over the visits, exact at the nodes but for the coarser inversion."""
    reach = _open_until(gates, probability, last_step)
    nodes = np.array([_nodes(*pair) for pair in zip(reach.tolist(), sharp.tolist(), strict=True)])
    # Neighbouring nodes share their characteristic functions: each range of nodes is a problem of its own.
    ranges = nodes[:, 1:].reshape(-1, _TOGETHER)
    problem = np.repeat(np.arange(nodes.shape[0]), ranges.shape[0] // nodes.shape[0])
    later = np.empty_like(ranges)
    for which, part in gates_at_nodes(gates, problem, ranges[:, 0], ranges[:, -1]):
        gate = part.mean_gates(np.repeat(np.arange(which.size), _TOGETHER), ranges[which].ravel())
        later[which] = gate.reshape(-1, _TOGETHER)
    prior = np.asarray(expit(gates.prior_log_odds), dtype=np.float64)[:, None]
    values = np.concatenate([prior, later.reshape(nodes.shape[0], -1)], axis=1)
    return StepGates(*finer_nodes(nodes, values), probability, sharp)


def _open_until(gates: GateRows, probability: Array, last_step: int) -> Array:
    """Visits of each problem up to which its gate is open, as far as the steps reach."""
    reach = np.maximum(last_step * probability * 1.2 + 20, 8.0)
    grid = np.rint(np.geomspace(np.ones_like(reach), reach, _ROUGH_NODES, axis=1))
    problems = np.repeat(np.arange(reach.size), _ROUGH_NODES)
    rough = rough_gates(gates, problems, grid.ravel()).reshape(grid.shape)
    is_open = (rough > _SETTLED) & (rough < 1 - _SETTLED)
    # A transition may be narrower than the grid: then its two sides are settled, but not alike.
    is_open[:, 1:] |= np.diff(rough > 0.5, axis=1)
    last = np.where(is_open, np.arange(_ROUGH_NODES), 0).max(axis=1)
    return np.asarray(grid[np.arange(reach.size), np.minimum(last + 1, _ROUGH_NODES - 1)], dtype=np.float64)


def _nodes(reach: float, sharp: float) -> Array:
    """Visits, from 0 on, evenly spaced in the logarithm and denser around the boundary: 1 + a multiple of _TOGETHER."""
    wide = np.rint(np.geomspace(1, max(1.5 * reach, 8.0), _NODES))
    centre = sharp if np.isfinite(sharp) and sharp > 0 else 1.0
    near = np.append(centre * _AROUND, centre + np.sqrt(centre) * _DEVIATIONS)
    near = np.maximum(np.rint(near), 1.0)
    return np.asarray(np.sort(np.concatenate([[0.0, 1.0, 2.0, 3.0, 4.0], wide, near])), dtype=np.float64)
