"""How far a sweep has come: what its folder says, without changing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simulate.sweeps.cell_file import CellFileError
from simulate.sweeps.grid import Grid
from simulate.sweeps.store import Store
from simulate.sweeps.sweep_folder import grid_of_folder, strays


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A cell that failed: its name, its place in words, and the error."""

    key: str
    point: str
    error: str


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepStatus:
    """How far a sweep has come.

    Parameters
    ----------
    grid : Grid
        What was asked for.
    done : int
        Cells that are stored, and whole.
    seconds : float
        Time that they took, in all.
    failed : tuple of Failure
        Cells that failed when they were last tried.
    altered : tuple of CellFileError
        Files that are not what they should be; the next sweep sets them aside.
    others : int
        Whole cells of other grids.
    """

    grid: Grid
    done: int
    seconds: float
    failed: tuple[Failure, ...]
    altered: tuple[CellFileError, ...]
    others: int

    @property
    def remaining(self) -> int:
        """Cells that are neither stored nor failed."""
        return len(self.grid.cells) - self.done - len(self.failed)


def sweep_status(folder: str | Path) -> SweepStatus:
    """Read all files of a sweep.

    Parameters
    ----------
    folder : str or Path
        The folder of :func:`simulate.sweep`.

    Raises
    ------
    SettingError
        It is no folder of a sweep.
    """
    grid, store = grid_of_folder(folder), Store(Path(folder))
    seconds, failed, altered = [], [], []
    for cell in grid.cells:
        key = cell.configuration.key
        if store.has(key):
            try:
                seconds.append(float(store.read(cell.configuration).provenance.get("seconds", 0.0)))
            except CellFileError as error:
                altered.append(error)
        elif (failure := store.failure(key)) is not None:
            failed.append(Failure(key=key, point=grid.point(cell), error=str(failure.get("error"))))
    others, foreign = strays(store, grid)
    return SweepStatus(
        grid=grid,
        done=len(seconds),
        seconds=sum(seconds),
        failed=tuple(failed),
        altered=(*altered, *foreign),
        others=len(others),
    )
