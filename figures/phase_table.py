"""Phases over two settings as tables: predicted on a grid, and read off simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import Table, quantity
from theory.diagrams.diagram import phase_diagram
from theory.setting_file import Setting, assemble_task

Array = NDArray[np.float64]

IN_WEIGHT, TRANSIENT, PERSISTENT = range(3)
_MEANINGS = {
    "steps": "{kind}: where the mean gate crosses 1/2",
    "steps_low": "{kind}: lower end of a 95 % interval of the crossing",
    "steps_high": "{kind}: upper end of a 95 % interval of the crossing",
}
_CLEARLY = 3.0
"""Standard errors by which a simulated mean gate has to be below 1/2 to be called so."""


def predicted_phases(
    setting: Setting, x_name: str, x: Sequence[float], y_name: str, y: Sequence[float], group: str
) -> Table:
    """Phases of a group over two settings.

    Along ``y_name`` and ``x_name``: ``phase`` (0 in-weight, 1 transient, 2 persistent) and ``steps``, where the mean
    gate crosses 1/2, missing unless the phase is transient and the gate is below 1/2 over steps, too.

    Parameters
    ----------
    setting : dict
        Nested settings, from :func:`theory.setting_file.read`.
    x_name, y_name : str
        Dotted settings.
    x, y : sequence of float
        Their values.
    group : str
        ``high`` or ``low``.
    """
    task, model = assemble_task(setting)
    found = phase_diagram(task, model, x=(x_name, x), y=(y_name, y), classes=[group])[group]
    if found.sharp_steps is None:
        raise ValueError("no boundaries in steps")
    return _table({y_name: np.array(y), x_name: np.array(x)}, found.phase, {"steps": found.sharp_steps}, "predicted")


def simulated_phases(simulated: SweepTable, group: str) -> Table:
    """Phases as simulations show them, along the same dimensions as :func:`predicted_phases`.

    In-weight: the mean gate is nowhere below 1/2 by more than three standard errors. Persistent: it is below 1/2 at the
    end. Transient: else, and then with a 95 % interval of the boundary, ``steps_low`` to ``steps_high``.

    Parameters
    ----------
    simulated : SweepTable
        From a sweep of runs over two settings.
    group : str
        ``high`` or ``low``.
    """
    gate, error = simulated.values("gate", stratum=group), simulated.values("gate_standard_error", stratum=group)
    crossing = simulated.values("crossing_steps", **{"class": group})
    fallen = np.any(np.asarray(gate + _CLEARLY * error) < 0.5, axis=-1)
    phase = np.where(np.asarray(gate)[..., -1] < 0.5, PERSISTENT, np.where(fallen, TRANSIENT, IN_WEIGHT))
    coordinates = {name: simulated.coordinates[name] for name in simulated.axes}
    ends = {
        f"steps_{end}": simulated.values(f"crossing_{end}", **{"class": group}).filled(np.inf)
        for end in ("low", "high")
    }
    return _table(coordinates, phase, {"steps": crossing.filled(np.inf)} | ends, "simulated")


def _table(
    coordinates: Mapping[str, Array], phase: NDArray[np.integer], steps: Mapping[str, Array], kind: str
) -> Table:
    codes = f"{kind}: 0 answered in weights from the start, 1 in context at first, 2 in context at last"
    dimensions = tuple(coordinates)

    # The gate of a transient phase may be below 1/2 over visits, but not over steps.
    crossed = (phase == TRANSIENT) & np.isfinite(steps["steps"]) & (steps["steps"] > 0)

    def known(values: Array) -> Any:
        return np.ma.masked_array(values, ~(crossed & np.isfinite(values)))

    found = {
        name: quantity(dimensions, known(values), "steps", _MEANINGS[name].format(kind=kind))
        for name, values in steps.items()
    }
    return Table(
        coordinates=coordinates,
        quantities={"phase": quantity(dimensions, phase.astype(np.int64), "", codes)} | found,
    )
