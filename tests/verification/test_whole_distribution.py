"""Shares of the query mass answered in context: prediction against simulation, for groups and for Zipf frequencies."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from simulate.run_result import Run
from simulate.simulation import run
from theory.classes import kinds_at
from theory.scaling.many_classes import context_share, zipf_task_share
from theory.setting import Attention, GatedPredictor, TaskDistribution
from theory.setting_file import load
from theory.solver import class_curves, predict

Array = NDArray[np.float64]
# Nats: two-sided false alarms below 1e-7 for each comparison, by Bernstein's inequality.
NATS = np.log(2e7)
# What the mean gate between the nodes of its curve may be off by.
INTERPOLATION = 5e-4


def simulated_share(result: Run, steps: Array) -> Array:
    """Mean over the replicates of the query mass in context, class by class."""
    total = np.zeros(steps.size)
    for entry in result.entries:
        mass = entry.num_classes * entry.class_probability
        places = np.searchsorted(entry.curve.steps, steps, side="right") - 1
        total += mass * (1 - entry.curve.mean[places])
    return total


def allowed(probabilities: Array, gates: Array, replicates: int) -> Array:
    """How far the simulated share may be from its mean, given the classes' predicted mean gates, shape (classes, k).

    A gate in [0, 1] varies by no more than a coin of its mean; standard errors from the runs would miss rare events.
    """
    spread = gates * (1 - gates)
    # A gate that is decided moves the mean by more than the interpolation error with probability 1e-6 (Markov).
    largest = (probabilities[:, None] * (spread > 1e-10)).max(axis=0)
    variance = (probabilities**2) @ spread / replicates
    return np.asarray(np.sqrt(2 * NATS * variance) + 2 * NATS * largest / (3 * replicates) + INTERPOLATION)


def checkpoints_of(result: Run, number: int) -> Array:
    steps = result.strata[0].curve.steps
    chosen = np.unique(np.searchsorted(steps, np.geomspace(5, steps[-1], number)))
    return np.asarray(steps[np.minimum(chosen, steps.size - 1)])


def test_whole_distribution_of_two_levels() -> None:
    task, model = load("transient")
    result, prediction = run(task, model, 20_000, 300, seed=5), predict(task, model)
    steps = checkpoints_of(result, 15)
    share, predicted = simulated_share(result, steps), prediction.in_context_share(steps)
    sizes = np.array([entry.num_classes for entry in prediction.entries])
    gates = np.repeat([entry.mean_gate(steps) for entry in prediction.entries], sizes, axis=0)
    near = allowed(task.class_probabilities, gates, 300)
    assert np.all(np.abs(predicted - share) < near)
    assert prediction.mean_gate(steps) == pytest.approx(1 - predicted)
    # The wrong variant: groups weighted by their classes, not by their queries.
    assert np.any(np.abs(1 - gates.mean(axis=0) - share) > near)


def zipf(label_noise: float, num_classes: int, floor: float) -> tuple[TaskDistribution, GatedPredictor]:
    task = TaskDistribution(
        frequencies="zipf", num_classes=num_classes, zipf_exponent=1.5, context_length=4, relevant_examples=2,
        label_noise=label_noise,
    )  # fmt: skip
    return task, GatedPredictor(in_context=Attention(odds=3.0, floor=floor))


def gates_of(task: TaskDistribution, model: GatedPredictor, steps: Array) -> Array:
    p = task.class_probabilities
    curves = class_curves(task, model, kinds_at(task, np.arange(p.size)))
    return np.array([[c.at_steps(n, q) for n in steps.tolist()] for c, q in zip(curves, p.tolist(), strict=True)])


def test_zipf_law_against_streams() -> None:
    """Law, sum and simulation of 400 classes, and what is wrong with the laws' wrong variants."""
    task, model = zipf(0.0, 400, 1e-6)
    result = run(task, model, 300_000, 60, seed=6)
    steps = np.asarray(checkpoints_of(result, 14)[-5:])
    share, found = simulated_share(result, steps), zipf_task_share(task, model, steps)
    near = allowed(task.class_probabilities, gates_of(task, model, steps), 60)
    assert np.all(np.abs(found.share - share) < near)
    assert np.all(np.abs(found.law - share) < near + found.error_bound)
    # Where the sum and the integral are close, wrong laws are refused: no normalisation, no last class.
    weights = np.arange(1, 401.0) ** -1.5
    assert np.any(np.abs(found.law * weights.sum() ** (1 / 1.5) - share) > near + found.error_bound)
    assert np.any(np.abs(found.power_law - share) > near + found.error_bound)


@pytest.mark.slow
def test_representatives_against_streams() -> None:
    task, model = zipf(0.02, 60, 1e-3)
    result = run(task, model, 30_000, 200, seed=7)
    steps = checkpoints_of(result, 7)
    share, found = simulated_share(result, steps), context_share(task, model, steps, representatives=7)
    near = allowed(task.class_probabilities, gates_of(task, model, steps), 200)
    assert np.all(np.abs(found.share - share) < near + 2 * found.interpolation_error)
    assert np.all(found.interpolation_error < 1e-3)
    later = context_share(task, model, np.asarray(steps * 1.5, dtype=np.int64), representatives=7)
    assert np.any(np.abs(later.share - share) > near)
