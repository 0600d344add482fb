"""A gathered result that nobody has simulated, and readers of its exports."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from simulate.sweeps.exporting import export_csv, export_netcdf, export_npz
from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import quantity

EXPORTS: dict[str, Callable[..., list[Path]]] = {".csv": export_csv, ".npz": export_npz, ".nc": export_netcdf}


def result_of(**changes: Any) -> SweepTable:
    """A grid of 2 x 2 cells, the last of which was not computed; class "low" is lacking in one cell."""
    gate = [[[0.1, 0.2], [1 / 3, None]], [[5e-324, math.inf], [None, None]]]
    curve = np.ma.MaskedArray(np.arange(12.0).reshape(2, 2, 3), mask=np.arange(12).reshape(2, 2, 3) > 8)
    members = [[[5, 95], [5, None]], [[5, 2**40], [None, None]]]
    axes = ("model.gate.kind", "p_high")
    valid: dict[str, Any] = {
        "axes": axes,
        "coordinates": {
            "model.gate.kind": np.array(["bayes", "adahedge"]),
            "p_high": np.array([0.5, 0.9]),
            "class": np.array(["hïgh", 'l"o,w\nx']),
            "checkpoint": np.array([1, 10, 10**15]),
        },
        "quantities": {
            "gate_mean": quantity([*axes, "class"], gate, "", "mean gate"),
            "members": quantity([*axes, "class"], members, "", "classes"),
            "regret": quantity(axes, [[1.5, -0.0], [2.5, None]], "nats", "largest regret"),
            "curve": quantity([*axes, "checkpoint"], curve, "", "gate over steps"),
            "rising": quantity(axes, np.array([[True, False], [True, False]]), "", "whether it rises"),
        },
        "complete": np.array([[True, True], [True, False]]),
        "possible": np.ones((2, 2), dtype=bool),
        "description": {"measure": "run", "steps": 100, "seed": 2**70, "setting": '{"a": "é"}'},
    }
    return SweepTable(**{**valid, **changes})


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def text_of(variable: Any) -> list[str]:
    return [row.tobytes().rstrip(b"\0").decode() for row in np.asarray(variable[...])]
