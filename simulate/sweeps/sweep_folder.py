"""The folder of a sweep: which grid it belongs to, and which of its files belong to no cell."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from simulate.sweeps.cell_file import CellFileError, read_cell
from simulate.sweeps.configuration import SCHEMA, canonical
from simulate.sweeps.grid import Grid
from simulate.sweeps.store import Store
from theory.command import write_atomically
from theory.errors import OutputError, SettingError

_GRID = "grid.json"
_PATIENCE = 60
"""Seconds that a sweep waits for another one to look at the folder."""
_AGAIN = "the same sweep again writes it anew, and keeps the cells"


def remember_grid(store: Store, grid: Grid, *, extend: bool = False) -> list[CellFileError]:
    """Write down which grid a folder belongs to; what cannot be read there is set aside, and told.

    Parameters
    ----------
    store : Store
        The folder, prepared.
    grid : Grid
        What is about to be computed there.
    extend : bool
        Whether another grid may take the place of the one that is there; cells that both have are kept.

    Raises
    ------
    SettingError
        The folder belongs to another grid.
    """
    folder = store.folder
    with _one_at_a_time(folder):
        return _remember(store, grid, extend)


def _remember(store: Store, grid: Grid, extend: bool) -> list[CellFileError]:
    path, folder = store.folder / _GRID, store.folder
    altered = _set_aside_unless_read(store, path)
    if path.exists() and not extend:
        known = grid_of_folder(folder)
        if known.key != grid.key:
            raise SettingError(
                "--out", str(folder), f"another folder, or --extend: it holds {_difference(known, grid)}"
            )
        return altered
    data = grid.to_dict()
    text = json.dumps({"schema": SCHEMA, "sha256": _digest(data), "grid": data}, indent=1, allow_nan=False)

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_atomically(path, write)
    return altered


def _set_aside_unless_read(store: Store, path: Path) -> list[CellFileError]:
    """The file of the grid is not what it was: the grid that is asked for takes its place."""
    if not path.exists():
        return []
    try:
        _read(path)
    except (OSError, ValueError, RecursionError) as error:
        store.set_aside(path)
        return [CellFileError(path, f"is not what was written ({error})")]
    return []


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Sweeps that start together look at the folder's grid one after the other."""
    lock = FileLock(folder / "claims" / "grid.lock", timeout=_PATIENCE, thread_local=False)
    try:
        lock.acquire()
    except (Timeout, OSError) as error:
        raise OutputError(lock.lock_file, f"it cannot be locked ({error})") from error
    try:
        yield
    finally:
        lock.release()


def _digest(grid: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(grid).encode()).hexdigest()


def _read(path: Path) -> Any:
    """What a grid's file says, once its checksum is right; another version's is not looked into."""
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or not isinstance(found.get("schema"), int):
        raise ValueError("it is no grid")
    if found["schema"] == SCHEMA and found.get("sha256") != _digest(found.get("grid", {})):
        raise ValueError("its checksum does not fit")
    return found


def grid_of_folder(folder: str | Path) -> Grid:
    """The grid that a folder belongs to.

    Raises
    ------
    SettingError
        The folder is not that of a sweep, or of another version's.
    """
    path = Path(folder) / _GRID
    try:
        found = _read(path)
    except FileNotFoundError:
        allowed = f"a folder that `simulate sweep` has made, with its {_GRID} ({_AGAIN})"
        raise SettingError("sweep folder", str(folder), allowed) from None
    except (OSError, ValueError, RecursionError) as error:
        raise SettingError("sweep folder", str(folder), f"one whose {_GRID} can be read ({error}); {_AGAIN}") from error
    if found["schema"] != SCHEMA:
        raise SettingError("sweep folder", str(folder), "one that this version has made (sweep into a new folder)")
    return Grid.from_dict(found["grid"])


def strays(store: Store, grid: Grid) -> tuple[list[Path], list[CellFileError]]:
    """Files among the cells that are none of the grid's: whole cells of other grids, and what is no cell at all."""
    own = {cell.configuration.key for cell in grid.cells}
    others, foreign = [], []
    for path in _files(store.folder / "cells"):
        if path.suffix == ".npz" and path.stem in own:
            continue
        try:
            if read_cell(path).configuration.key != path.stem:
                raise CellFileError(path, "holds a cell of another name")
            others.append(path)
        except CellFileError as error:
            if os.path.lexists(path):  # another process may have set it aside
                foreign.append(error)
    return others, foreign


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OutputError(folder, error.strerror or error) from error


def _difference(known: Grid, grid: Grid) -> str:
    """What is different, as far as one line can say it."""
    mine, other = grid.to_dict(), known.to_dict()
    names = [name for name in mine if mine[name] != other[name]]
    return f"a sweep with other {', '.join(names) or 'input files'}"
