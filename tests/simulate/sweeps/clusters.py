"""A small cluster of dask on this computer: a scheduler and workers, all of them processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.simulate.sweeps.scripts import ROOT, children, members, wait_until

WORKERS = 2


class Cluster:
    """A scheduler and workers with nannies, which start a worker anew that has died."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self._run("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0")
        wait_until(self.file.exists, "the scheduler does not start")
        self._run("dask_worker", "--nthreads", "1", "--nworkers", str(WORKERS), "--host", "127.0.0.1", "--no-dashboard")

    def workers(self) -> list[int]:
        """Processes that compute, and not their nannies."""
        return children(self.processes[-1].pid)

    def end(self) -> None:
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
            wait_until(lambda process=process: not members(process.pid), "dask leaves processes behind")

    def _run(self, module: str, *arguments: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--scheduler-file", str(self.file)]
        settings = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1", "PYTHONPATH": str(ROOT)}
        with (self.folder / f"{module}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - dask's own commands
                command, cwd=self.folder, env={**os.environ, **settings}, stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(process)
