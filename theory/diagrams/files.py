"""Phase diagrams as files: a CSV with a line for each point and group, or the arrays as ``.npz`` without pickle."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from theory.command import write_atomically
from theory.diagrams.diagram import PHASES, GroupDiagram, PhaseDiagram
from theory.errors import SettingError

QUANTITIES = (
    "class_probability",
    "bayes_risk",
    "in_context_risk",
    "phase",
    "instantaneous",
    "asymptotic",
    "sharp",
    "sharp_steps",
    "mean_gate",
)
SUFFIXES = (".csv", ".npz")


def check_suffix(path: str | Path) -> None:
    """Raise :class:`SettingError` unless the file's name says a format that there is."""
    if Path(path).suffix not in SUFFIXES:
        raise SettingError("--out", str(path), "a file name that ends in .csv or .npz")


def save_diagram(diagram: PhaseDiagram, path: str | Path) -> None:
    """Write a diagram; the file is whole, or not there.

    Parameters
    ----------
    diagram : PhaseDiagram
        What was predicted.
    path : str or Path
        ``.csv``: columns for the two axes, ``group`` and the quantities of ``GroupDiagram`` (phases by name; ``inf``
        for a boundary that is never reached), without impossible points. ``.npz``: ``x``, ``y``, ``possible``, the
        axes' names and, for every group, its arrays as ``<group>_<quantity>``.

    Raises
    ------
    SettingError, OutputError
        Another suffix; the file cannot be written.
    """
    check_suffix(path)
    write_atomically(path, lambda target: (_write_csv if target.suffix == ".csv" else _write_npz)(diagram, target))


def _given(group: GroupDiagram) -> list[str]:
    return [name for name in QUANTITIES if getattr(group, name) is not None]


def _write_csv(diagram: PhaseDiagram, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([diagram.x_name, diagram.y_name, "group", *_given(diagram.groups[0])])
        writer.writerows(_rows(diagram))


def _rows(diagram: PhaseDiagram) -> Iterator[list[object]]:
    for i, j in np.argwhere(diagram.possible).tolist():
        for group in diagram.groups:
            values = {name: getattr(group, name)[i, j].item() for name in _given(group)}
            values["phase"] = PHASES[values["phase"]]
            yield [diagram.x[j].item(), diagram.y[i].item(), group.name, *values.values()]


def _write_npz(diagram: PhaseDiagram, path: Path) -> None:
    arrays = {
        "x": diagram.x,
        "y": diagram.y,
        "axes": np.array([diagram.x_name, diagram.y_name]),
        "phases": np.array(PHASES),
        "possible": diagram.possible,
    }
    for group in diagram.groups:
        arrays |= {f"{group.name}_{name}": getattr(group, name) for name in _given(group)}
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
