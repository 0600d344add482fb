"""The folder of a sweep: which grid it belongs to, and which of its files belong to no cell."""

from __future__ import annotations

import json
from pathlib import Path

from simulate.sweeps.cell_file import CellFileError, read_cell
from simulate.sweeps.configuration import SCHEMA
from simulate.sweeps.grid import Grid
from simulate.sweeps.store import Store
from theory.command import write_atomically
from theory.errors import SettingError

_GRID = "grid.json"
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
    path, folder = store.folder / _GRID, store.folder
    altered = _set_aside_unless_read(store, path)
    if path.exists() and not extend:
        known = grid_of_folder(folder)
        if known.key != grid.key:
            raise SettingError(
                "--out", str(folder), f"another folder, or --extend: it holds {_difference(known, grid)}"
            )
        return altered
    text = json.dumps({"schema": SCHEMA, "grid": grid.to_dict()}, indent=1, allow_nan=False)

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_atomically(path, write)
    return altered


def _set_aside_unless_read(store: Store, path: Path) -> list[CellFileError]:
    """The file of the grid is not what it was: the grid that is asked for takes its place."""
    if not path.exists():
        return []
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        store.set_aside(path)
        return [CellFileError(path, f"cannot be read ({error})")]
    return []


def grid_of_folder(folder: str | Path) -> Grid:
    """The grid that a folder belongs to.

    Raises
    ------
    SettingError
        The folder is not that of a sweep, or of another version's.
    """
    path = Path(folder) / _GRID
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        allowed = f"a folder that `simulate sweep` has made, with its {_GRID} ({_AGAIN})"
        raise SettingError("sweep folder", str(folder), allowed) from None
    except (OSError, ValueError) as error:
        raise SettingError("sweep folder", str(folder), f"one whose {_GRID} can be read ({error}); {_AGAIN}") from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise SettingError("sweep folder", str(folder), "one that this version has made (sweep into a new folder)")
    try:
        return Grid.from_dict(found["grid"])
    except (KeyError, TypeError, AttributeError) as error:
        raise SettingError(
            "sweep folder", str(folder), f"one whose {_GRID} is as it was written ({error!r})"
        ) from error


def strays(store: Store, grid: Grid) -> tuple[list[Path], list[CellFileError]]:
    """Files among the cells that are none of the grid's: whole cells of other grids, and what is no cell at all."""
    own = {cell.configuration.key for cell in grid.cells}
    others, foreign = [], []
    for path in sorted((store.folder / "cells").iterdir()):
        if path.suffix == ".npz" and path.stem in own:
            continue
        try:
            if read_cell(path).configuration.key != path.stem:
                raise CellFileError(path, "holds a cell of another name")
            others.append(path)
        except CellFileError as error:
            foreign.append(error)
    return others, foreign


def _difference(known: Grid, grid: Grid) -> str:
    """What is different, as far as one line can say it."""
    mine, other = grid.to_dict(), known.to_dict()
    names = [name for name in mine if mine[name] != other[name]]
    return f"a sweep with other {', '.join(names) or 'input files'}"
