"""A run as one ``.npz`` file: arrays without pickle, and everything else as a JSON text inside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulate.run_result import Run
from theory.command import write_atomically


def save(run: Run, path: str | Path) -> None:
    """Write a run; the file is whole, or not there.

    The file holds ``summary`` (a JSON text: setting, seed, results) and, for every group of a two-level task or stratum
    of another one, ``curve_<i>_steps``, ``curve_<i>_mean`` and, from two replicates on, ``curve_<i>_standard_error``;
    ``names`` lists the groups or strata.

    Parameters
    ----------
    run : Run
        What was simulated.
    path : str or Path
        The file, in an existing folder.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    arrays: dict[str, NDArray[np.generic]] = {
        "summary": np.array(json.dumps(run.to_dict(), allow_nan=False)),
        "names": np.array([result.name for result in run.strata]),
    }
    for i, result in enumerate(run.strata):
        arrays[f"curve_{i}_steps"] = result.curve.steps
        arrays[f"curve_{i}_mean"] = result.curve.mean
        if result.curve.standard_error is not None:
            arrays[f"curve_{i}_standard_error"] = result.curve.standard_error

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]

    write_atomically(path, write)
