"""Worker processes of our own: they end with their driver, and are replaced when one of them dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any

from simulate.sweeps.blas_threads import stay_at_one_blas_thread
from simulate.sweeps.workers_error import WorkersError

UNGUARDED = (
    "worker processes run the main script again to find their work: put what starts the sweep under "
    "`if __name__ == '__main__':` (and in a file, not on standard input), or use executor=1 or threads"
)
SECONDS_BETWEEN_LOOKS = 1.0
MOST_FALSE_STARTS = 10
"""Pools in a row whose workers are killed before they have started: for want of memory, as far as anybody can tell."""


class OwnPool:
    """Processes started afresh (*spawn*: a fork of a process with threads may hang), behind the face of ``Workers``.

    A wire leads from the driver to all of its workers. Each says on it that it has started, and ends at once when the
    driver's end is closed, by the driver or by its death.

    Parameters
    ----------
    count : int
        Processes.
    """

    ahead = 2

    def __init__(self, count: int) -> None:
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            # We are in a worker that runs its driver's script for the first time; the driver says the same, once.
            raise SystemExit(UNGUARDED)
        self._count = count
        self._false_starts = 0
        self._start()

    def count(self) -> int:
        """Number of processes."""
        return self._count

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Hand out a call; a broken pool answers with a future that says so."""
        try:
            with _interrupts_held():
                return self._executor.submit(call, *arguments)
        except BrokenExecutor as error:
            broken: Future[Any] = Future()
            broken.set_exception(error)
            return broken

    def mend(self, error: BaseException) -> bool:
        """Replace the processes after one has died; says whether any had begun to work.

        Raises
        ------
        WorkersError
            None of them had started, and others would not either.
        """
        started = self._wire.poll()
        self._end(wait=True)  # only then are the processes' exit codes known
        self._false_starts = 0 if started else self._false_starts + 1
        if not started and any(process.exitcode is not None and process.exitcode >= 0 for process in self._processes):
            raise WorkersError(f"no worker process could start: {UNGUARDED}") from error
        if self._false_starts == MOST_FALSE_STARTS:
            raise WorkersError("worker processes are killed before they have started: is there memory for them?")
        self._start()
        return started

    def call_back(self, futures: Iterable[Future[Any]]) -> None:
        """Nothing: processes that end take it with them, and Python 3.11 stumbles over futures cancelled before."""

    def close(self) -> None:
        """End the processes, which have nothing left to do."""
        self._executor.shutdown()
        self._cut()

    def stop(self) -> None:
        """End the processes at once, whatever they do."""
        self._end(wait=False)

    def _start(self) -> None:
        context = SpawnContext()
        self._processes = _remembered_processes(context)
        self._wire, self._far_end = context.Pipe()
        self._executor = ProcessPoolExecutor(
            self._count, mp_context=context, initializer=begin_worker, initargs=(self._far_end,)
        )

    def _end(self, *, wait: bool) -> None:
        for process in self._processes:
            if process.pid is not None:
                process.kill()
        self._cut()
        self._executor.shutdown(wait=wait, cancel_futures=True)

    def _cut(self) -> None:
        self._wire.close()
        self._far_end.close()


def _remembered_processes(context: SpawnContext) -> list[BaseProcess]:
    """A list that is to hold every process which the context makes; the pool itself does not give them away."""
    processes: list[BaseProcess] = []
    make = context.Process

    def remembered(*arguments: Any, **options: Any) -> BaseProcess:
        processes.append(make(*arguments, **options))
        return processes[-1]

    vars(context)["Process"] = remembered
    return processes


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold interrupts back until the end of the block: a process is started as a whole or not at all."""
    held: list[int] = []
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not None:  # what is not Python's could not be put back
                before[number] = signal.signal(number, lambda number, _: held.append(number))
    try:
        with _interrupts_masked():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for late in held:
            signal.raise_signal(late)


@contextmanager
def _interrupts_masked() -> Iterator[None]:
    """Keep Ctrl-C from the processes that this thread starts in the block, which inherit what it has masked.

    A terminal sends it to them as well, and one that has only just started would answer with a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin_worker(wire: Connection) -> None:
    """First thing in a worker process: it leaves interrupts to its driver and ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_driver, args=(wire, os.getppid()), daemon=True).start()
    stay_at_one_blas_thread()
    wire.send_bytes(b"started")


def _end_with_driver(wire: Connection, driver: int) -> None:
    # The wire tells at once, unless a process that the driver forked holds its end open: then the parent's change does.
    while not wire.poll(SECONDS_BETWEEN_LOOKS) and os.getppid() == driver:
        pass
    os._exit(1)
