"""Random settings from the box of the paper's experiments, with their predicted boundaries."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulate.sweeps.grid import with_changes
from simulate.sweeps.grid_axes import GridAxis
from simulate.sweeps.tables import Table, quantity
from theory.classes import class_kinds
from theory.setting import GatedPredictor, TaskDistribution
from theory.setting_file import assemble_task, read
from theory.solver import StepGate, class_curves, step_gate
from theory.transitions.crossing import geometric_integers, last_rise_between_integers

BASE = "paper"
"""Preset that every setting starts from."""
GROUPS = ("high", "low")
MOST_HIGH, MOST_LOW, MOST_EXAMPLES = 10, 50, 16
FEWEST_VISITS = 3
Changes = dict[str, Any]
_COLUMNS = {
    "num_high": "number of high-frequency classes",
    "num_low": "number of low-frequency classes",
    "p_high": "probability of the high-frequency classes",
    "context_length": "examples in the context",
    "p_relevant": "probability of a relevant context",
    "relevant_examples": "relevant examples; missing where any number of at least one may be",
    "label_noise": "probability that a label is replaced",
    "model.in_weight.pseudo_count": "pseudo-count of the table",
    "model.in_context.odds": "attention odds",
    "model.in_context.floor": "floor of the in-context predictor",
    "model.gate.prior_in_weight": "weight on g before the first visit",
}
"""Settings of a case that are numbers, with their meanings."""


def random_settings(seed: int, number: int, most_steps: int) -> Table:
    """Settings with predicted boundaries of both groups within reach, otherwise spread over the whole box.

    2 to 10 frequent and 5 to 50 rare classes, ``p_high`` from 0.5 to 0.99, contexts of 1 to 16 examples, fixed and
    natural numbers of relevant ones, label noise 0 to 0.2 of either kind, odds 1 to e^5, floors 1e-6 to 1e-2 (below
    1/C), priors 0.05 to 0.95, pseudo-counts 0.1 to 1.

    Parameters
    ----------
    seed : int
        Of the draws.
    number : int
        How many settings.
    most_steps : int
        Largest boundary, in steps; the smallest one is 3 visits.

    Returns
    -------
    Table
        Along ``case`` what is drawn (``symmetric_noise``: the noise is symmetric rather than cyclic), and along
        ``case`` and ``class`` the boundary ``predicted_steps``.

    Examples
    --------
    >>> table = random_settings(seed=1, number=2, most_steps=10_000)
    >>> bool((table.quantities["predicted_steps"].values < 10_000).all())
    True
    """
    generator = np.random.default_rng(seed)
    drawn: list[Changes] = []
    boundaries: list[list[float]] = []
    while len(drawn) < number:
        changes = _draw(generator)
        steps = _boundaries(*assemble_task(with_changes(read(BASE), changes.items())), most_steps)
        if steps is not None:
            drawn.append(changes)
            boundaries.append(steps)
    return _table(drawn, boundaries)


def axis_of_cases(table: Table) -> GridAxis:
    """The settings of :func:`random_settings` as an axis of a grid that starts from ``BASE``."""
    names = [str(name) for name in table.coordinates["case"].tolist()]
    changes = tuple(tuple(_changes(table, place).items()) for place in range(len(names)))
    return GridAxis(name="case", values=tuple(names), changes=changes)


def _draw(generator: np.random.Generator) -> Changes:
    num_high = int(generator.integers(2, MOST_HIGH + 1))
    num_low = round(math.exp(generator.uniform(math.log(5), math.log(MOST_LOW))))
    length = int(generator.integers(1, MOST_EXAMPLES + 1))
    changes: Changes = {
        "num_high": num_high,
        "num_low": num_low,
        "p_high": float(generator.uniform(0.5, 0.99)),
        "context_length": length,
        "p_relevant": float(generator.choice([1.0, generator.uniform(0.2, 1.0)])),
        "relevant_examples": int(generator.integers(1, length + 1)),
        "label_noise": float(generator.choice([0.0, generator.uniform(0, 0.2)], p=[0.15, 0.85])),
        "label_noise_kind": str(generator.choice(["cyclic", "symmetric"])),
        "model.in_weight.pseudo_count": float(generator.choice([0.5, 1.0, 0.1])),
        "model.in_context.odds": float(np.exp(generator.uniform(0, 5))),
        "model.in_context.floor": float(min(10 ** generator.uniform(-6, -2), 0.99 / (num_high + num_low))),
        "model.gate.prior_in_weight": float(generator.uniform(0.05, 0.95)),
    }
    if generator.random() < 0.25:
        del changes["relevant_examples"]
    return changes


def _boundaries(task: TaskDistribution, model: GatedPredictor, most_steps: int) -> list[float] | None:
    """Boundaries of both groups in steps; ``None`` where one of them is out of reach, or a matter of a few visits."""
    if not _within_reach(task, model, most_steps):
        return None
    found = [_boundary(step_gate(task, model, name)) for name in GROUPS]
    # A group that is left before all its classes have been visited may never be answered in context on average.
    return found if min(found) > 0 and max(found) <= most_steps else None


def _within_reach(task: TaskDistribution, model: GatedPredictor, most_steps: int) -> bool:
    """Whether every class is answered in context after a few visits, and in weights in the end: quickly decided."""
    kinds = class_kinds(task)[0]
    pairs = list(zip(kinds, class_curves(task, model, kinds), strict=True))
    early = all(curve.at_visits(FEWEST_VISITS) < 0.5 for _, curve in pairs)
    return early and all(curve.at_visits(max(1, int(most_steps * kind.probability))) > 0.5 for kind, curve in pairs)


def _boundary(gate: StepGate) -> float:
    """Where the mean gate last rises through 1/2; as ``predict`` has it, without what else it computes."""
    steps = geometric_integers(1, gate.last, 1.15)
    return last_rise_between_integers(gate.at, steps, np.array([gate.at(n) for n in steps.tolist()]), 0.5)


def _table(drawn: list[Changes], boundaries: list[list[float]]) -> Table:
    quantities = {
        key: quantity(["case"], [changes.get(key) for changes in drawn], "", meaning)
        for key, meaning in _COLUMNS.items()
    }
    symmetric = np.array([changes["label_noise_kind"] == "symmetric" for changes in drawn])
    quantities["symmetric_noise"] = quantity(["case"], symmetric, "", "noise is symmetric rather than cyclic")
    meaning = "predicted: where the mean gate last rises through 1/2"
    quantities["predicted_steps"] = quantity(["case", "class"], np.array(boundaries), "steps", meaning)
    cases = np.array([f"{place:03d}" for place in range(len(drawn))])
    return Table(coordinates={"case": cases, "class": np.array(GROUPS)}, quantities=quantities)


def _changes(table: Table, place: int) -> Changes:
    values = {key: table.quantities[key].masked[place] for key in _COLUMNS}
    changes: Changes = {key: value.item() for key, value in values.items() if value is not np.ma.masked}
    symmetric = bool(table.quantities["symmetric_noise"].values[place])
    return changes | {"label_noise_kind": "symmetric" if symmetric else "cyclic"}
