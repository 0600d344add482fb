"""Hands out cells, takes reports, and goes on whatever happens to a worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import dataclass
from typing import Any

from simulate.sweeps.blas_threads import one_blas_thread
from simulate.sweeps.chunk import Raised, Work, calls, in_one_line, run_chunk
from simulate.sweeps.executors import Workers, open_workers
from simulate.sweeps.ledger import MOST_DEATHS, Ledger
from simulate.sweeps.pace import Pace
from simulate.sweeps.progress import Show, Tally
from simulate.sweeps.working import CellReport

SECONDS_BETWEEN_TALLIES = 1.0
SECONDS_BETWEEN_COUNTS = 2.0
SECONDS_OF_BREAKING = 10.0
"""Within that a pool that broke has told so to all who wait for it."""

RecordFailure = Callable[[str, str], None]
"""Takes the name of a cell that no worker could report on, and why."""


@dataclass(frozen=True, kw_only=True)
class Dispatched:
    """What became of the cells of a sweep.

    Parameters
    ----------
    stored : int
        Cells that were computed.
    present : int
        Cells that another process had stored.
    failed : tuple of (str, str)
        Name and error of those that failed.
    """

    stored: int
    present: int
    failed: tuple[tuple[str, str], ...]


def dispatch(
    work: Work,
    cells: Mapping[str, Any],
    *,
    record_failure: RecordFailure,
    executor: int | Executor | None = None,
    show: Show | None = None,
) -> Dispatched:
    """Have all cells computed.

    Parameters
    ----------
    work : callable
        Computes and stores a sequence of values of ``cells``, and reports on each; workers in other processes must be
        able to import it.
    cells : mapping
        What ``work`` takes, by the names of the cells.
    record_failure : callable
        Records, in this process, the failure of a cell on which no worker could report: name and error.
    executor : None, int or concurrent.futures.Executor
        As in :func:`simulate.sweeps.executors.open_workers`.
    show : callable, optional
        Is told about once a second, and at the end, where the sweep stands.

    Returns
    -------
    Dispatched

    Raises
    ------
    SettingError
        ``executor`` is none.
    WorkersError
        Workers could not start, or an executor of the user's broke.
    KeyboardInterrupt
        Passed on, after own processes have ended and what was handed out was called back.

    Examples
    --------
    >>> def work(names):
    ...     return [CellReport(key=name, outcome="stored", seconds=0.0) for name in names]
    >>> dispatch(work, {"a": "a", "b": "b"}, executor=1, record_failure=print)
    Dispatched(stored=2, present=0, failed=())
    """
    with one_blas_thread(), open_workers(executor, len(cells)) as workers:
        course = Course(work, cells, workers, record_failure, show)
        try:
            course.go()
        finally:
            course.call_back()
    ledger = course.ledger
    return Dispatched(stored=ledger.stored, present=ledger.present, failed=tuple(ledger.failed.items()))


class Course:
    """The course of a dispatch: its chunks that are out, and the ledger of its cells."""

    def __init__(
        self,
        work: Work,
        cells: Mapping[str, Any],
        workers: Workers,
        record_failure: RecordFailure,
        show: Show | None,
    ) -> None:
        self.ledger = Ledger(cells)
        self._work = work
        self._cells = cells
        self._workers = workers
        self._record_failure = record_failure
        self._show = show
        self._shown = -SECONDS_BETWEEN_TALLIES
        self._pace = Pace()
        self._calls = calls()
        self._out: dict[Future[Any], list[str]] = {}
        self._broken: BaseException | None = None
        self._lost: list[str] = []
        self._workers_counted = (-SECONDS_BETWEEN_COUNTS, 1)

    def go(self) -> None:
        """Hand out and take back until every cell has an end."""
        while self.ledger.remaining:
            self._hand_out()
            self._take_back()
            if self._broken is not None:
                self._mend()
            self._tell()

    def call_back(self) -> None:
        """Cancel what no worker has begun."""
        self._workers.call_back(self._out)

    def _hand_out(self) -> None:
        workers = self._count_workers()
        while len(self._out) < workers * self._workers.ahead:
            size = self._pace.chunk_size(pending=self.ledger.pending, workers=workers)
            chunk = self.ledger.take(size, busy=len(self._out), workers=workers)
            if not chunk:
                return
            cells = [self._cells[key] for key in chunk]
            self._out[self._workers.submit(run_chunk, self._work, cells, next(self._calls))] = chunk

    def _take_back(self) -> None:
        patience = min(SECONDS_BETWEEN_TALLIES, self.ledger.seconds_until_next() or SECONDS_BETWEEN_TALLIES)
        if not self._out:
            time.sleep(patience)
            return
        done, _ = wait(self._out, timeout=patience, return_when=FIRST_COMPLETED)
        for future in done:
            self._settle(future, self._out.pop(future))

    def _settle(self, future: Future[Any], chunk: list[str]) -> None:
        error = _error_of(future)
        if isinstance(error, BrokenExecutor | CancelledError):
            self._broken = error
            self._lost += chunk
        elif error is not None and _is_death_of_dask_worker(error):
            # Dask has tried several times by itself.
            self._suspect(chunk, deaths=MOST_DEATHS - 1)
        elif error is not None:
            self._blame(chunk, in_one_line(error))
        else:
            self._read(chunk, future.result())

    def _read(self, chunk: list[str], answer: Sequence[CellReport] | Raised) -> None:
        if isinstance(answer, Raised):
            self._blame(chunk, answer.error)
            return
        reports = {report.key: report for report in answer}
        for key in chunk:
            if key in reports:
                self._note(reports[key])
            else:
                self._fail(key, "its worker did not report on it")

    def _note(self, report: CellReport) -> None:
        if report.outcome == "stored":
            # Cells that fail may do so at once, and say nothing of how long the others take.
            self._pace.add(report.seconds)
            self.ledger.note_stored(report.key)
        elif report.outcome == "failed":
            self.ledger.note_failed(report.key, report.error)
        elif report.outcome == "present":
            self.ledger.note_present(report.key)
        else:
            self.ledger.note_claimed(report.key)

    def _blame(self, chunk: list[str], error: str) -> None:
        """A cell of the chunk raised where only the chunk as a whole could say so."""
        if len(chunk) > 1:
            self.ledger.split(chunk)
        else:
            self._fail(chunk[0], error)

    def _suspect(self, chunk: list[str], deaths: int = 1) -> None:
        for key in self.ledger.suspect(chunk, deaths=deaths):
            self._fail(key, "its worker died, again and again, at last with no other cell running")

    def _fail(self, key: str, error: str) -> None:
        self.ledger.note_failed(key, error)
        self._record_failure(key, error)

    def _mend(self) -> None:
        """Settle with the workers that broke, all of whose chunks have come back or never will, and get others."""
        wait(self._out, timeout=SECONDS_OF_BREAKING)
        self._workers.call_back(self._out)
        for future in list(self._out):
            self._settle(future, self._out.pop(future))
        if self._broken is not None and self._workers.mend(self._broken):
            self._suspect(self._lost)
        else:
            self.ledger.give_back(self._lost)
        self._broken, self._lost = None, []

    def _count_workers(self) -> int:
        now = time.monotonic()
        if now - self._workers_counted[0] >= SECONDS_BETWEEN_COUNTS:
            self._workers_counted = (now, self._workers.count())
        return self._workers_counted[1]

    def _tell(self) -> None:
        now = time.monotonic()
        if self._show is None or (self.ledger.remaining and now - self._shown < SECONDS_BETWEEN_TALLIES):
            return
        self._shown = now
        ledger, workers = self.ledger, self._workers_counted[1]
        self._show(
            Tally(
                done=ledger.stored + ledger.present,
                failed=len(ledger.failed),
                remaining=ledger.remaining,
                elsewhere=ledger.elsewhere,
                seconds_left=self._pace.seconds_left(remaining=ledger.remaining, workers=workers),
            )
        )


def _error_of(future: Future[Any]) -> BaseException | None:
    """What a future ended with; one that never ended was lost with its workers."""
    try:
        return future.exception(timeout=0)
    except (CancelledError, TimeoutError) as error:
        return error if isinstance(error, CancelledError) else CancelledError("lost")


def _is_death_of_dask_worker(error: BaseException) -> bool:
    # By its name, so that dask stays an extra.
    return type(error).__name__ == "KilledWorker" and type(error).__module__.startswith("distributed")
