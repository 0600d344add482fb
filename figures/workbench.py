"""Where figures get their results: computed once, kept in a store, read ever after."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulate.sweeps.cell_file import StoredCell
from simulate.sweeps.configuration import Configuration
from simulate.sweeps.grid import Grid
from simulate.sweeps.provenance import provenance
from simulate.sweeps.store import Store
from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.sweeping import stored_sweep, sweep
from simulate.sweeps.tables import Table

_PAUSE = 0.5


class SweepFailedError(ValueError):
    """Cells of a figure's sweep have failed; the message names the first one."""

    def __init__(self, name: str, failures: int, first: str) -> None:
        super().__init__(f"{failures} cells of the sweep {name!r} failed, the first: {first}")


@dataclass(frozen=True)
class Workbench:
    """Computes what figures need, unless it is there already.

    Parameters
    ----------
    folder : Path
        Where results are kept.
    workers : int or None
        Processes of a sweep; ``None`` for as many as cores.
    """

    folder: Path
    workers: int | None = None

    def sweep(self, name: str, grid: Grid) -> SweepTable:
        """All cells of a grid; cells that are stored are not computed again, whichever grid they were computed for.

        Parameters
        ----------
        name : str
            Folder of the sweep.
        grid : Grid
            What is needed.

        Raises
        ------
        SweepFailedError
            A cell failed.
        """
        folder = self.folder / "sweeps" / name
        done = sweep(grid, folder, self.workers, extend=True)
        if done.failed:
            raise SweepFailedError(name, len(done.failed), f"{done.failed[0].point}: {done.failed[0].error}")
        return stored_sweep(folder)

    def table(self, name: str, settings: Mapping[str, Any], compute: Callable[..., Table]) -> Table:
        """A table that ``compute(**settings)`` gives, unless it is stored under the same name and settings.

        Parameters
        ----------
        name : str
            What it is.
        settings : mapping
            Plain values: all that the table depends on. A changed computation needs a changed setting (a ``version``).
        compute : callable
            Computes it.
        """
        key = Configuration(
            measure=f"figures.{name}", setting={}, steps=1, replicates=1, seed=0, options=dict(settings)
        )
        store = Store(self.folder / "tables").prepare()
        while True:
            if store.has(key.key) and store.check(key) is None and store.has(key.key):
                return store.read(key).table
            with store.claim(key.key) as mine:
                if mine and not store.has(key.key):
                    started = time.perf_counter()
                    table = compute(**settings)
                    said = provenance(time.perf_counter() - started)
                    store.write(StoredCell(configuration=key, table=table, provenance=said))
            if not mine:
                # Another process computes it just now.
                time.sleep(_PAUSE)
