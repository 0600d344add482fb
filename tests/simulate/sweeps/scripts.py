"""Drivers as processes of their own, for what is only seen from outside: signals, deaths, words on the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[3]
PATIENCE = 30.0

DISPATCH = """
import sys
from functools import partial
from simulate.sweeps.dispatching import dispatch
from tests.simulate.sweeps.stand_ins import asleep

def sweep(executor):
    cells = {f"ok-{k}": f"ok-{k}" for k in range(int(sys.argv[2]))}
    return dispatch(partial(asleep, sys.argv[1], float(sys.argv[3])), cells, executor=executor, record_failure=print)
"""


@contextmanager
def script(path: Path, text: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A script that runs in a session of its own, all of which is gone afterwards."""
    path.write_text(text, encoding="utf-8")
    process = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, str(path), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    try:
        with process:
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    finally:
        wait_until(lambda: not members(process.pid), "a script leaves processes behind")


def wait_until(happened: object, otherwise: str, seconds: float = PATIENCE) -> float:
    """Wait for a condition; returns how long it took, seconds."""
    started = time.monotonic()
    while not happened():  # type: ignore[operator]
        if time.monotonic() - started > seconds:
            raise AssertionError(otherwise)
        time.sleep(0.01)
    return time.monotonic() - started


def members(session: int) -> list[int]:
    """Live processes of a session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, _, own = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(own) == session and state != "Z":
                found.append(int(folder.name))
    return found


def children(process: int) -> list[int]:
    """Live worker processes that a process has spawned."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_bytes()
            if int(parent) == process and state != "Z" and b"spawn_main" in command:
                found.append(int(folder.name))
    return found
