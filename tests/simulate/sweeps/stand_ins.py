"""Work that does nothing but what a test of the driver needs; workers import it from here.

What happens to a cell follows from the first word of its name, as in ``kill-3``.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from simulate.sweeps.blas_threads import threads_of_libraries
from simulate.sweeps.working import CellReport
from theory.errors import SettingError

CLAIMED_TIMES = 2


def busy(seconds: float, names: Sequence[str]) -> list[CellReport]:
    """Keep a core busy for so long for each cell."""
    return [_spend(seconds, name) for name in names]


def asleep(folder: str, seconds: float, names: Sequence[str]) -> list[CellReport]:
    """Sleep, then store."""
    reports = []
    for name in names:
        time.sleep(seconds)
        reports += stored(folder, [name])
    return reports


def counting_threads(names: Sequence[str]) -> list[CellReport]:
    """Fail with the most threads that a library has here, and the process."""
    most = max(library["num_threads"] for library in threads_of_libraries())
    return [CellReport(key=name, outcome="failed", error=f"{most} {os.getpid()}") for name in names]


def stored(folder: str, names: Sequence[str]) -> list[CellReport]:
    """A store of empty files, next to a count of how often each cell was computed."""
    return [report for name in names if (report := _cell(Path(folder), name)) is not None]


def times_computed(folder: Path, name: str) -> int:
    """How often a cell was stored."""
    path = folder / f"{name}.computed"
    return path.stat().st_size if path.exists() else 0


def _cell(folder: Path, name: str) -> CellReport | None:
    if (folder / f"{name}.done").exists():
        return CellReport(key=name, outcome="present")
    kind, _, _ = name.partition("-")
    calls = _one_more(folder / f"{name}.calls")
    if kind == "kill" or (kind == "killonce" and calls == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "claimed" and calls <= CLAIMED_TIMES:
        return CellReport(key=name, outcome="claimed")
    if kind == "raise":
        raise SettingError("cell", name, "another")
    if kind == "fail":
        return CellReport(key=name, outcome="failed", seconds=0.001, error="as it should")
    if kind == "silent":
        return None
    _one_more(folder / f"{name}.computed")
    (folder / f"{name}.done").touch()
    return CellReport(key=name, outcome="stored", seconds=0.001)


def _one_more(path: Path) -> int:
    with path.open("ab") as file:
        file.write(b"x")
        return file.tell()


def _spend(seconds: float, name: str) -> CellReport:
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        pass
    return CellReport(key=name, outcome="stored", seconds=time.perf_counter() - started)
