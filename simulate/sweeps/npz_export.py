"""A gathered sweep as one ``.npz`` file: arrays without pickle, and a JSON text that says what they are."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np

from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import AnyArray
from theory.command import write_atomically
from theory.errors import OutputError

_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip file knows: what is inside has no time of its own."""


def export_npz(result: SweepTable, path: str | Path) -> list[Path]:
    """Write a sweep as a file for ``numpy.load``; it is whole, or not there, and the same bytes for the same result.

    It holds every quantity under its name and, where values are missing, ``<name>_missing``; a missing number is NaN
    there (nobody takes it for a result), a missing whole number 0. It also holds labels
    of every dimension under its own name (an axis under its dotted one); ``complete`` and ``possible``, whether
    the grid's cells were computed and are settings; and ``dimensions``, a JSON text with ``axes``, for every quantity
    its ``dimensions``, ``unit`` and ``meaning``, and in ``description`` how it was computed.

    Parameters
    ----------
    result : SweepTable
        What was gathered.
    path : str or Path
        The file, in an existing folder.

    Returns
    -------
    list of Path
        The file.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    path = Path(path)
    arrays = _arrays(result, path)

    def write(temporary: Path) -> None:
        # Not compressed, so that the bytes do not depend on a library's version.
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                member = zipfile.ZipInfo(f"{name}.npy", _EARLIEST)
                with archive.open(member, "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, np.asarray(array, order="C"), allow_pickle=False)

    write_atomically(path, write)
    return [path]


def _arrays(result: SweepTable, path: Path) -> dict[str, AnyArray]:
    told = {
        name: {"dimensions": list(found.dimensions), "unit": found.unit, "meaning": found.meaning}
        for name, found in result.quantities.items()
    }
    text = {"axes": list(result.axes), "quantities": told, "description": dict(result.description)}
    found = [
        ("dimensions", np.array(json.dumps(text))),
        *result.coordinates.items(),
        ("complete", result.complete),
        ("possible", result.possible),
    ]
    for name, one in result.quantities.items():
        found.append((name, one.marked))
        if one.missing is not None:
            found.append((f"{name}_missing", one.missing))
    arrays = dict(found)
    if len(arrays) < len(found):
        names = [name for name, _ in found]
        twice = next(name for name in names if names.count(name) > 1)
        raise OutputError(path, f"the name {twice!r} stands for two things")
    return arrays
