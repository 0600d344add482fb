"""Worker processes of our own: they end with their driver, and are replaced when one of them dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from simulate.sweeps.blas_threads import stay_at_one_blas_thread
from simulate.sweeps.workers_error import WorkersError

UNGUARDED = (
    "worker processes run the main script again to find their work: put what starts the sweep under "
    "`if __name__ == '__main__':` (and in a file, not on standard input), or use executor=1 or threads"
)
SECONDS_BETWEEN_LOOKS = 1.0


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

    def mend(self, error: BaseException) -> None:
        """Replace the processes after one has died.

        Raises
        ------
        WorkersError
            None of them had started, and others would not either.
        """
        started = self._wire.poll()
        self.stop()
        if not started:
            raise WorkersError(f"no worker process could start: {UNGUARDED}") from error
        self._start()

    def close(self) -> None:
        """End the processes, which have nothing left to do."""
        self._executor.shutdown()
        self._cut()

    def stop(self) -> None:
        """End the processes at once, whatever they do."""
        self._cut()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._wire, self._far_end = context.Pipe()
        self._executor = ProcessPoolExecutor(
            self._count, mp_context=context, initializer=begin_worker, initargs=(self._far_end,)
        )

    def _cut(self) -> None:
        self._wire.close()
        self._far_end.close()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back until the end of the block, for this thread and for the processes that it starts.

    A terminal sends Ctrl-C to worker processes as well, and one that has only just started would answer with a
    traceback; they keep the mask of the thread that started them.
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
