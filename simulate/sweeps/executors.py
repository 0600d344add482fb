"""Who computes the cells of a sweep: this process, processes of our own, or any executor of the user's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from typing import Any, Protocol

from simulate.sweeps.chunk import in_one_line
from simulate.sweeps.own_pool import OwnPool
from simulate.sweeps.workers_error import WorkersError
from theory.checks import integer
from theory.errors import SettingError

MOST_PROCESSES = 1000
ALLOWED = "None, a number of processes, or a concurrent.futures.Executor (for dask: Client.get_executor())"


class Workers(Protocol):
    """What the driver asks of those who compute."""

    ahead: int
    """Chunks that are out for each worker, so that none waits for its next one."""

    def count(self) -> int:
        """Number of workers at the moment."""

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Hand out a call; its errors are in the future."""

    def mend(self, error: BaseException) -> bool:
        """Go on after they broke, or raise :class:`WorkersError`; says whether any had begun to work."""

    def call_back(self, futures: Iterable[Future[Any]]) -> None:
        """Cancel what is out, unless :meth:`stop` ends it anyway."""

    def close(self) -> None:
        """End when all is done."""

    def stop(self) -> None:
        """End at once."""


@contextmanager
def open_workers(executor: int | Executor | None, cells: int) -> Iterator[Workers]:
    """Workers for at most ``cells`` cells; an executor of the user's stays open.

    Parameters
    ----------
    executor : None, int or concurrent.futures.Executor
        ``None``: as many processes as there are cores to use. 1: this process. More: so many processes. Or threads,
        processes, ``dask.distributed``'s ``Client.get_executor()``, mpi4py's ``MPIPoolExecutor``.
    cells : int
        More workers than that are not started.

    Raises
    ------
    SettingError
        ``executor`` is nothing of that.

    Examples
    --------
    >>> with open_workers(1, cells=10) as workers:
    ...     workers.submit(sum, [1, 2]).result(), workers.count()
    (3, 1)
    """
    workers = _workers(executor, cells)
    try:
        yield workers
    except BaseException:
        workers.stop()
        raise
    workers.close()


def usable_cores() -> int:
    """Cores that this process may use.

    Examples
    --------
    >>> 1 <= usable_cores() <= os.cpu_count()
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ThisProcess:
    """Computes where it is asked to, at once."""

    ahead = 1

    def count(self) -> int:
        """One."""
        return 1

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Compute; Ctrl-C ends it like any other code."""
        future: Future[Any] = Future()
        try:
            future.set_result(call(*arguments))
        except Exception as error:  # the driver is told, as by any other executor
            future.set_exception(error)
        return future

    def mend(self, error: BaseException) -> bool:
        """Nothing here can break."""
        raise WorkersError(in_one_line(error)) from error

    def call_back(self, futures: Iterable[Future[Any]]) -> None:
        """Nothing is out."""

    def close(self) -> None:
        """Nothing to end."""

    def stop(self) -> None:
        """Nothing to end."""


class UsersExecutor:
    """An executor that belongs to the user: it is neither mended nor shut down here."""

    ahead = 2

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def count(self) -> int:
        """Its workers at the moment, as far as it says, or else the cores of this computer."""
        client = getattr(self._executor, "_client", None)
        if client is not None and hasattr(client, "nthreads"):  # dask: workers come and go
            return max(1, int(sum(client.nthreads().values())))
        for name in ("_max_workers", "num_workers"):  # of the standard library; of mpi4py
            count = getattr(self._executor, name, None)
            if isinstance(count, int) and count > 0:
                return count
        return usable_cores()

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Hand out a call; what cannot be sent fails in its future."""
        try:
            return self._executor.submit(call, *arguments)
        except RuntimeError as error:
            if not isinstance(error, BrokenExecutor):
                raise WorkersError(f"the executor takes no work: {in_one_line(error)}") from error
            return _failed(error)
        except Exception as error:  # such as a call that cannot be pickled
            return _failed(error)

    def mend(self, error: BaseException) -> bool:
        """Raise: only its owner can."""
        raise WorkersError(
            f"the executor broke ({in_one_line(error)}); with a new one, the same call goes on from what is stored"
        ) from error

    def call_back(self, futures: Iterable[Future[Any]]) -> None:
        """Cancel what no worker has begun."""
        for future in futures:
            future.cancel()

    def close(self) -> None:
        """Leave it open."""

    def stop(self) -> None:
        """Leave it open."""


def _workers(executor: int | Executor | None, cells: int) -> Workers:
    if isinstance(executor, Executor):
        return UsersExecutor(executor)
    try:
        count = usable_cores() if executor is None else integer("executor", executor, minimum=1, maximum=MOST_PROCESSES)
    except SettingError as error:
        raise SettingError("executor", executor, ALLOWED) from error
    count = min(count, max(1, cells))
    return ThisProcess() if count == 1 else OwnPool(count)


def _failed(error: BaseException) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future
