"""The numbers behind an overlay, as rows for a table and for CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simulate.agreements import compare
from simulate.comparison import Comparison
from theory.command import write_atomically

FIELD_ROWS = 240
"""Steps for each curve in the field's file: about 3 % apart over five decades."""


def boundary_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """One row for each setting and group or class: predicted and simulated boundaries and their disagreement."""
    rows = []
    values = comparison.values or (None,)
    for value, prediction, run in zip(values, comparison.predictions, comparison.runs, strict=True):
        for entry, result in zip(prediction.entries, run.entries, strict=True):
            row = compare(entry, result)
            low, high = row.interval or (None, None)
            parameter = {} if comparison.parameter is None else {comparison.parameter: value}
            rows.append(
                {
                    **parameter,
                    "class": entry.name,
                    "num_classes": entry.num_classes,
                    "class_probability": entry.class_probability,
                    "phase": entry.phase,
                    "instantaneous_visits": entry.vanish_visits.instantaneous,
                    "asymptotic_visits": entry.vanish_visits.asymptotic,
                    "sharp_visits": entry.vanish_visits.sharp,
                    "predicted_steps": row.predicted,
                    "simulated_steps": row.simulated,
                    "interval_low": low,
                    "interval_high": high,
                    "relative_error": row.relative_error,
                    "inside_interval": row.inside,
                }
            )
    return rows


def field_rows(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """The simulated mean gates with standard errors, thinned to a readable number of steps."""
    values = comparison.values or (None,)
    for value, run in zip(values, comparison.runs, strict=True):
        parameter = {} if comparison.parameter is None else {comparison.parameter: value}
        for stratum in run.strata:
            curve, mean, error = stratum.curve, stratum.curve.mean, stratum.curve.standard_error
            places = np.unique(np.rint(np.geomspace(1, curve.steps.size, FIELD_ROWS)).astype(int) - 1)
            for i in places.tolist():
                yield {
                    **parameter,
                    "group": stratum.name,
                    "steps": int(curve.steps[i]),
                    "gate_mean": float(mean[i]),
                    "gate_standard_error": None if error is None else float(error[i]),
                }


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Rows as CSV; ``None`` is an empty field. The file is whole, or not there."""

    def write(temporary: Path) -> None:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    write_atomically(path, write)
