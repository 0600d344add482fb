"""Sweeps that are killed.

Whatever is killed and when, nothing that was stored is computed again, and the export of the resumed sweep equals that
of an uninterrupted one, byte for byte.

The fast tier kills each kind a few times, the slow one a hundred times in all.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.simulate.sweeps.clusters import WORKERS, Cluster
from tests.simulate.sweeps.scripts import children, members, wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds workers through /proc")

GRID = """\
[sweep]
base = "transient"
steps = 4_000
replicates = 4
[axes]
label_noise = {{ low = 0.01, high = 0.2, count = {rows} }}
relevant_examples = [1, 2, 4, 8]
"""
PATIENCE = 120
"""Seconds that any single command may take."""


@dataclass(frozen=True)
class Place:
    """Files of a trial."""

    grid: Path
    out: Path

    def command(self, *more: str) -> list[str]:
        return [sys.executable, "-m", "simulate", "sweep", str(self.grid), "--out", str(self.out), *more]

    def finish(self) -> None:
        subprocess.run(self.command("--workers", "2"), check=True, capture_output=True, timeout=PATIENCE)  # noqa: S603

    def stored(self) -> dict[str, tuple[int, int]]:
        """Inode and time of every cell: a cell that is computed again gets others."""
        states = {path.name: path.stat() for path in (self.out / "cells").glob("*.npz")}
        return {name: (state.st_ino, state.st_mtime_ns) for name, state in states.items()}

    def export(self) -> list[bytes]:
        formats = {"--csv": "a.csv", "--npz": "a.npz", "--netcdf": "a.nc"}
        where = self.out.parent / f"export-{self.out.name}"
        where.mkdir(exist_ok=True)
        options = [part for option, name in formats.items() for part in (option, str(where / name))]
        command = [sys.executable, "-m", "simulate", "export", str(self.out), *options]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)  # noqa: S603
        return [path.read_bytes() for path in sorted(where.iterdir())]


def place(folder: Path, name: str, rows: int) -> Place:
    grid = folder / "grid.toml"
    grid.write_text(GRID.format(rows=rows))
    return Place(grid, folder / name)


@contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A command in a process group of its own, of which nothing is left afterwards."""
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)


def wait_for_progress(where: Place, process: subprocess.Popen[bytes], more: int) -> bool:
    """Wait until so many more cells are stored; ``False`` if the sweep has ended before."""
    wanted = len(where.stored()) + more
    for _ in range(PATIENCE * 100):
        if process.poll() is not None:
            return False
        if len(where.stored()) >= wanted:
            return True
        time.sleep(0.01)
    raise AssertionError("the sweep makes no progress")


def kill_driver(where: Place, generator: np.random.Generator, cluster: Cluster) -> bool:
    """Kill the driver alone: its workers have to end by themselves."""
    del cluster
    with started(where.command("--workers", "2")) as process:
        if not wait_for_progress(where, process, int(generator.integers(1, 6))):
            return False
        time.sleep(float(generator.uniform(0, 0.05)))
        left = set(children(process.pid))
        process.kill()
        process.wait(PATIENCE)
        wait_until(lambda: not left & set(members(process.pid)), "workers outlive their driver")
        return True


def kill_worker(where: Place, generator: np.random.Generator, cluster: Cluster) -> bool:
    """Kill a worker: the driver goes on with others."""
    del cluster
    with started(where.command("--workers", "2")) as process:
        return _kill_one(where, process, generator, lambda: children(process.pid))


def kill_dask_worker(where: Place, generator: np.random.Generator, cluster: Cluster) -> bool:
    """Kill a worker of a cluster: its nanny starts another, and the driver goes on."""
    wait_until(lambda: len(cluster.workers()) == WORKERS, "the cluster's workers do not come back")
    with started(where.command("--executor", f"dask:{cluster.file}")) as process:
        return _kill_one(where, process, generator, cluster.workers)


def kill_dask_driver(where: Place, generator: np.random.Generator, cluster: Cluster) -> bool:
    """Kill the driver of a cluster, whose workers may go on for a moment."""
    with started(where.command("--executor", f"dask:{cluster.file}")) as process:
        if not wait_for_progress(where, process, int(generator.integers(1, 6))):
            return False
        time.sleep(float(generator.uniform(0, 0.05)))
        process.kill()
        return True


def _kill_one(
    where: Place,
    process: subprocess.Popen[bytes],
    generator: np.random.Generator,
    workers: Callable[[], list[int]],
) -> bool:
    if not wait_for_progress(where, process, int(generator.integers(1, 6))):
        return False
    found = workers()
    if not found:
        return False
    os.kill(found[int(generator.integers(len(found)))], signal.SIGKILL)
    # It goes on: more cells are stored afterwards, or it ends well.
    if not wait_for_progress(where, process, 2):
        assert process.returncode == 0
    return True


KINDS = {
    "driver": kill_driver,
    "worker": kill_worker,
    "dask worker": kill_dask_worker,
    "dask driver": kill_dask_driver,
}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[bytes]]:
    exports = {}
    for rows in (10, 30):
        whole = place(tmp_path_factory.mktemp("whole"), "whole", rows)
        whole.finish()
        exports[rows] = whole.export()
    return exports


def trial(where: Place, kinds: list[str], generator: np.random.Generator, cluster: Cluster) -> int:
    """Kill again and again until the sweep is done, then finish it; returns the number of kills."""
    kills = 0
    for kind in kinds:
        before = where.stored() if where.out.exists() else {}
        hit = KINDS[kind](where, generator, cluster)
        after = where.stored()
        assert {name: after[name] for name in before} == before
        if not hit:
            break
        kills += 1
    before = where.stored()
    where.finish()
    after = where.stored()
    assert {name: after[name] for name in before} == before
    assert not list((where.out / "partial").iterdir())
    return kills


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_sweep_resumes_to_the_same_bytes(
    tmp_path: Path, kind: str, uninterrupted: dict[int, list[bytes]], cluster: Cluster
) -> None:
    where = place(tmp_path, "out", 10)
    assert trial(where, [kind] * 2, np.random.default_rng(1), cluster) >= 1
    assert where.export() == uninterrupted[10]


@pytest.mark.slow
def test_a_hundred_kills(tmp_path: Path, uninterrupted: dict[int, list[bytes]], cluster: Cluster) -> None:
    generator = np.random.default_rng(2)
    kills = 0
    for number in range(100):
        where = place(tmp_path, f"trial-{number}", 30)
        kills += trial(where, generator.choice(list(KINDS), 10).tolist(), generator, cluster)
        assert where.export() == uninterrupted[30]
        if kills >= 100:
            return
    raise AssertionError(f"only {kills} kills")
