"""Small cells for tests of the store."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simulate.sweeps.cell_file import StoredCell
from simulate.sweeps.configuration import Configuration
from simulate.sweeps.grid import Grid
from simulate.sweeps.grid_file import grid_of
from simulate.sweeps.provenance import provenance
from simulate.sweeps.tables import Table, quantity


def small_grid(axes: Any = None, **sweep: Any) -> Grid:
    """A grid whose cells take some ten milliseconds each."""
    numbers = {"base": "transient", "steps": 300, "replicates": 2, **sweep}
    return grid_of({"sweep": numbers, "axes": axes or {"label_noise": [0.0, 0.1], "relevant_examples": [1, 2, 4]}})


def configurations(number: int = 1) -> list[Configuration]:
    """Configurations of tiny cells."""
    return [cell.configuration for cell in small_grid({"label_noise": [0.01 * i for i in range(number)]}).cells]


def cell_of(configuration: Configuration, gate: float = 0.5) -> StoredCell:
    """A cell that nobody has simulated."""
    found = quantity(["class"], [gate, None], "", "mean gate")
    table = Table(coordinates={"class": np.array(["high", "low"])}, quantities={"gate_mean": found})
    return StoredCell(configuration=configuration, table=table, provenance=provenance(0.25))


def with_digest(
    path: Path, members: dict[str, bytes], kind: int = zipfile.ZIP_STORED, more: Sequence[str] = ()
) -> None:
    """A zip file with a right checksum, whatever it holds; ``more`` members are there twice."""
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name in (*members, *more):
            archive.writestr(name, members[name])
        archive.comment = bytes(64)
    body = path.read_bytes()[:-64]
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())


def members_of(path: Path) -> dict[str, bytes]:
    """Contents of a zip file."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def provenance_of(path: Path) -> dict[str, Any]:
    """What a cell's file says of itself, read without the toolkit."""
    found: dict[str, Any] = json.loads(members_of(path)["provenance.json"])
    return found
