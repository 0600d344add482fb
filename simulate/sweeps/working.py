"""What a worker does: compute cells that nobody else computes, and store each as soon as it is there."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from simulate.sweeps.cell_file import StoredCell
from simulate.sweeps.configuration import Configuration
from simulate.sweeps.measures import measure
from simulate.sweeps.provenance import provenance
from simulate.sweeps.store import Store
from theory.errors import OutputError


@dataclass(frozen=True, kw_only=True)
class CellReport:
    """What became of a cell.

    Parameters
    ----------
    key : str
        The cell.
    outcome : {"stored", "present", "claimed", "failed"}
        ``present``: another process had stored it; ``claimed``: another process computes it just now.
    seconds : float
        How long it took here.
    error : str
        One line on what went wrong; empty if nothing did.
    """

    key: str
    outcome: Literal["stored", "present", "claimed", "failed"]
    seconds: float = 0.0
    error: str = ""


def work(folder: str, configurations: Sequence[Mapping[str, Any]]) -> list[CellReport]:
    """Compute and store cells, one after the other; a cell that fails does not stop the others.

    Parameters
    ----------
    folder : str
        The store.
    configurations : sequence of mapping
        Configurations as plain values.
    """
    store = Store(Path(folder))
    return [_compute(store, Configuration.from_dict(data)) for data in configurations]


def _compute(store: Store, configuration: Configuration) -> CellReport:
    key = configuration.key
    if store.has(key):
        return CellReport(key=key, outcome="present")
    started = time.perf_counter()
    try:
        with store.claim(key) as mine:
            if not mine:
                return CellReport(key=key, outcome="claimed")
            # Another process may have stored it since.
            if store.has(key):
                return CellReport(key=key, outcome="present")
            _measure_and_store(store, configuration, started)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # recorded and reported, whatever it is, SystemExit too
        return _failed(store, configuration, error, time.perf_counter() - started)
    return CellReport(key=key, outcome="stored", seconds=time.perf_counter() - started)


def _measure_and_store(store: Store, configuration: Configuration, started: float) -> None:
    configuration.check_files()
    table = measure(configuration)
    said = provenance(time.perf_counter() - started)
    store.write(StoredCell(configuration=configuration, table=table, provenance=said))


def _failed(store: Store, configuration: Configuration, error: BaseException, seconds: float) -> CellReport:
    message = " ".join(f"{type(error).__name__}: {error}".split())
    record = {
        "error": message,
        "traceback": traceback.format_exc(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        store.record_failure(configuration, record)
    except OutputError as trouble:
        message += f" (and no record of it: {trouble})"
    return CellReport(key=configuration.key, outcome="failed", seconds=seconds, error=message)
