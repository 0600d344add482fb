"""Predicted boundaries along a setting as a table, and how well simulated ones agree with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulate.comparison import settings_along
from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import Table, quantity
from theory.prediction import ClassPrediction
from theory.setting_file import Setting
from theory.solver import predict

_COLUMNS = {
    "sharp": "predicted: where the mean gate crosses 1/2",
    "instantaneous": "predicted: where the risk of g falls below that of h",
    "asymptotic": "predicted: closed form for many visits",
    "bracket_low": "proved: a single run's boundary lies above, with bracket_high at 95 % confidence",
    "bracket_high": "proved: a single run's boundary lies below",
}


def predicted_boundaries(setting: Setting, parameter: str, values: Sequence[float]) -> Table:
    """Boundaries of both groups of a two-level task, in steps, at values of a parameter.

    Along the parameter and ``class``: ``sharp``, ``instantaneous``, ``asymptotic``, ``bracket_low`` and
    ``bracket_high``, missing where there is none, and ``class_probability``.

    Parameters
    ----------
    setting : dict
        Nested settings, from :func:`theory.setting_file.read`.
    parameter : str
        Dotted name of a setting.
    values : sequence of float
        Its values.
    """
    predictions = [predict(task, model) for task, model in settings_along(setting, parameter, values)]
    names = [entry.name for entry in predictions[0].entries]
    dimensions = (parameter, "class")
    rows = [[_boundaries(entry) for entry in prediction.entries] for prediction in predictions]
    probabilities = [[entry.class_probability for entry in prediction.entries] for prediction in predictions]
    quantities = {
        name: quantity(dimensions, [[found[name] for found in row] for row in rows], "steps", meaning)
        for name, meaning in _COLUMNS.items()
    }
    quantities["class_probability"] = quantity(dimensions, probabilities, "", "probability of one class")
    return Table(coordinates={parameter: np.array(values), "class": np.array(names)}, quantities=quantities)


def agreement(predicted: Table, simulated: SweepTable) -> Table:
    """Sharp predictions against simulated boundaries, where both exist.

    Along the sweep's only axis and ``class``: ``relative_error`` of the prediction, and whether it lies ``inside`` the
    95 % interval of the simulation.

    Parameters
    ----------
    predicted : Table
        From :func:`predicted_boundaries`, at least at the values of the sweep.
    simulated : SweepTable
        From a sweep of runs along the same parameter.
    """
    (parameter,) = simulated.axes
    values = simulated.coordinates[parameter]
    places = [predicted.coordinates[parameter].tolist().index(value) for value in values.tolist()]
    sharp = predicted.quantities["sharp"].masked[places]
    found, low, high = (simulated.values(f"crossing_{name}") for name in ("steps", "low", "high"))
    dimensions = (parameter, "class")
    inside = np.ma.masked_array((low <= sharp) & (sharp <= high))
    return Table(
        coordinates={name: simulated.coordinates[name] for name in dimensions},
        quantities={
            "relative_error": quantity(dimensions, sharp / found - 1, "", "of the sharp prediction"),
            "inside": quantity(dimensions, inside, "", "whether the prediction is in the simulation's 95 % interval"),
        },
    )


def _boundaries(entry: ClassPrediction) -> dict[str, Any]:
    """Boundaries in steps; those known in visits only come at ``visits / p_x`` on average."""

    def steps(visits: float | None) -> float | None:
        return None if visits is None else visits / entry.class_probability

    bracket = entry.rigorous_steps
    return {
        "sharp": entry.vanish_steps,
        "instantaneous": steps(entry.vanish_visits.instantaneous),
        "asymptotic": steps(entry.vanish_visits.asymptotic),
        "bracket_low": None if bracket is None else float(bracket.lower),
        "bracket_high": None if bracket is None else float(bracket.upper),
    }
