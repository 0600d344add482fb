"""``sweep(grid, folder, executor)``: every cell of a grid computed once, whatever happens in between."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from simulate.sweeps.cell_file import CellFileError
from simulate.sweeps.configuration import Configuration
from simulate.sweeps.driving import drive
from simulate.sweeps.gathering import SweepTable, gather
from simulate.sweeps.grid import Grid, GridCell
from simulate.sweeps.grid_file import read_grid
from simulate.sweeps.shards import shard_of
from simulate.sweeps.store import Store
from simulate.sweeps.sweep_folder import grid_of_folder, remember_grid, strays
from simulate.sweeps.sweep_status import Failure
from simulate.sweeps.tables import Table


@dataclass(frozen=True, kw_only=True, eq=False)
class Sweep:
    """What a call of :func:`sweep` did.

    Parameters
    ----------
    folder : Path
        Where the cells are.
    grid : Grid
        What was asked for.
    cells : int
        Cells of the grid, or of its shard.
    stored : int
        Cells that this call has computed.
    present : int
        Cells that were there already, or that another process has computed meanwhile.
    failed : tuple of Failure
        Cells that failed; the next call tries them again.
    set_aside : tuple of CellFileError
        Files that were no cells, or not those that they should be; they have been moved to ``set-aside/``.
    others : int
        Whole cells of other grids in the folder.
    """

    folder: Path
    grid: Grid
    cells: int
    stored: int
    present: int
    failed: tuple[Failure, ...]
    set_aside: tuple[CellFileError, ...]
    others: int

    def table(self) -> SweepTable:
        """All cells that are there, over the axes of the grid: see :func:`stored_sweep`."""
        return stored_sweep(self.folder)


def sweep(
    grid: Grid | str | Path,
    folder: str | Path,
    executor: int | Executor | None = None,
    *,
    shard: str | None = None,
    extend: bool = False,
    progress: bool = False,
) -> Sweep:
    """Compute all cells of a grid that are not yet stored.

    Parameters
    ----------
    grid : Grid, str or Path
        The grid, or its TOML file.
    folder : str or Path
        Where the cells are stored. The same call again goes on where the last one ended.
    executor : int or concurrent.futures.Executor, optional
        Number of processes; or any executor, whose workers have to see the folder. By default as many processes as
        there are cores. Scripts that start processes need ``if __name__ == "__main__":``.
    shard : str, optional
        ``"i/n"``: only every n-th cell, from the i-th on; n jobs on the same folder then compute all.
    extend : bool
        Whether the folder may belong to another grid so far; cells that both have are not computed again.
    progress : bool
        Show a bar on a terminal, or print a line a minute elsewhere.

    Returns
    -------
    Sweep

    Raises
    ------
    SettingError
        The grid or the shard is not admissible, or the folder belongs to another grid.
    OutputError
        The folder cannot be written.

    Notes
    -----
    Results depend on the grid alone: not on the executor, the shards, the order, or interruptions.

    Examples
    --------
    >>> import tempfile
    >>> from simulate.sweeps.grid_file import grid_of
    >>> grid = grid_of({"sweep": {"base": "transient", "steps": 500, "replicates": 2}, "axes": {"p_high": [0.5, 0.9]}})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = sweep(grid, folder, executor=1)
    ...     second = sweep(grid, folder, executor=1)
    >>> (first.stored, first.present), (second.stored, second.present)
    ((2, 0), (0, 2))
    """
    grid = grid if isinstance(grid, Grid) else read_grid(grid)
    cells = grid.cells if shard is None else shard_of(grid.cells, shard)
    store = Store(Path(folder)).prepare()
    unread = remember_grid(store, grid, extend=extend)
    present = [cell.configuration for cell in cells if store.has(cell.configuration.key)]
    altered = [error for configuration in present if (error := store.check(configuration)) is not None]
    others, foreign = strays(store, grid)
    for error in foreign:
        store.set_aside(error.path)
    missing = [cell.configuration for cell in cells if not store.has(cell.configuration.key)]
    driven = drive(str(store.folder), missing, executor, progress=progress)
    return Sweep(
        folder=store.folder,
        grid=grid,
        cells=len(cells),
        stored=driven.stored,
        present=len(cells) - len(missing) + driven.present,
        failed=_failures(grid, cells, dict(driven.failed)),
        set_aside=(*unread, *altered, *foreign),
        others=len(others),
    )


def stored_sweep(folder: str | Path, *, skip_altered: bool = False) -> SweepTable:
    """All stored cells of a sweep, over the axes of its grid.

    Parameters
    ----------
    folder : str or Path
        The folder of :func:`sweep`.
    skip_altered : bool
        Whether a file that is not what it should be counts as a missing cell.

    Raises
    ------
    SettingError
        It is no folder of a sweep.
    CellFileError
        Files are not what they should be (the next sweep sets them aside); the message names the first.
    """
    grid, store = grid_of_folder(folder), Store(Path(folder))
    altered: list[CellFileError] = []

    def read(configuration: Configuration) -> Table | None:
        if not store.has(configuration.key):
            return None
        try:
            return store.read(configuration).table
        except CellFileError as error:
            altered.append(error)
            return None

    table = gather(grid, read)
    if altered and not skip_altered:
        more = f" (and {len(altered) - 1} more files)" if len(altered) > 1 else ""
        raise CellFileError(altered[0].path, f"{altered[0].reason}{more}; sweep again to compute it anew")
    return table


def _failures(grid: Grid, cells: Sequence[GridCell], errors: dict[str, str]) -> tuple[Failure, ...]:
    return tuple(
        Failure(key=cell.configuration.key, point=grid.point(cell), error=errors[cell.configuration.key])
        for cell in cells
        if cell.configuration.key in errors
    )
