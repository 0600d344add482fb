"""The driver of a sweep: configurations, a store and workers brought together."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from simulate.sweeps.configuration import Configuration
from simulate.sweeps.dispatching import Dispatched, dispatch
from simulate.sweeps.progress import showing_progress
from simulate.sweeps.store import Store
from simulate.sweeps.working import work
from theory.errors import OutputError


def drive(
    folder: str,
    configurations: Sequence[Configuration],
    executor: int | Executor | None = None,
    *,
    progress: bool = False,
) -> Dispatched:
    """Compute cells and store them.

    Parameters
    ----------
    folder : str
        The store's folder, which every worker sees under its absolute name.
    configurations : sequence of Configuration
        The cells.
    executor : None, int or concurrent.futures.Executor
        As in :func:`simulate.sweeps.executors.open_workers`.
    progress : bool
        As in :func:`simulate.sweeps.progress.showing_progress`.

    Raises
    ------
    SettingError, WorkersError, KeyboardInterrupt
        As in :func:`simulate.sweeps.dispatching.dispatch`.
    """
    # Workers of a cluster need not be where the driver is.
    folder = str(Path(folder).absolute())
    cells = {configuration.key: configuration for configuration in configurations}

    def record_failure(key: str, error: str) -> None:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        # A record that cannot be written (a full disk) must not end the sweep: the driver's report has the error too.
        with suppress(OutputError):
            Store(Path(folder)).record_failure(cells[key], {"error": error, "traceback": "", "time": when})

    with showing_progress(shown=progress) as show:
        return dispatch(
            partial(work, folder),
            {key: configuration.to_dict() for key, configuration in cells.items()},
            executor=executor,
            record_failure=record_failure,
            show=show,
        )
