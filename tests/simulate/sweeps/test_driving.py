"""Every cell has one end, whatever the executor is and whatever happens to it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulate.sweeps.dispatching import Dispatched, dispatch
from simulate.sweeps.driving import drive
from simulate.sweeps.pace import CHUNK_SECONDS, SHORTEST_SECONDS
from simulate.sweeps.progress import Tally
from simulate.sweeps.store import Store
from simulate.sweeps.workers_error import WorkersError
from simulate.sweeps.working import CellReport
from tests.simulate.sweeps.cells import configurations
from tests.simulate.sweeps.scripts import children
from tests.simulate.sweeps.stand_ins import asleep, stored, times_computed

pytestmark = pytest.mark.usefixtures("deadline")

EXECUTORS = ["this", "own", "threads", "processes"]


@contextmanager
def executor_of(kind: str) -> Iterator[int | Executor]:
    if kind in ("this", "own"):
        yield {"this": 1, "own": 2}[kind]
    elif kind == "threads":
        with ThreadPoolExecutor(2) as threads:
            yield threads
    else:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
            yield processes


class Recorded:
    """What the driver has recorded and shown."""

    def __init__(self) -> None:
        self.failures: dict[str, str] = {}
        self.tallies: list[Tally] = []

    def fail(self, key: str, error: str) -> None:
        assert key not in self.failures
        self.failures[key] = error


def run(folder: Path, names: Sequence[str], executor: int | Executor, recorded: Recorded | None = None) -> Dispatched:
    recorded = recorded or Recorded()
    return dispatch(
        partial(stored, str(folder)),
        {name: name for name in names},
        executor=executor,
        record_failure=recorded.fail,
        show=recorded.tallies.append,
    )


@pytest.mark.parametrize("kind", EXECUTORS)
def test_every_cell_has_its_end(tmp_path: Path, kind: str) -> None:
    good = [f"ok-{k}" for k in range(60)] + ["claimed-0"]
    bad = ["fail-0", "raise-0", "raise-1", "silent-0"]
    (tmp_path / "old-0.done").touch()
    names = [*good[:20], *bad, "old-0", *good[20:]]
    recorded = Recorded()
    with executor_of(kind) as executor:
        done = run(tmp_path, names, executor, recorded)
    raised = "SettingError: cell = '{}' is not allowed: expected another"
    assert recorded.failures == {
        "raise-0": raised.format("raise-0"),
        "raise-1": raised.format("raise-1"),
        "silent-0": "its worker did not report on it",
    }
    assert dict(done.failed) == {**recorded.failures, "fail-0": "as it should"}
    # What shared a chunk with a cell that raised may have been stored without a report.
    assert done.stored + done.present == len(good) + 1
    assert done.present >= 1
    assert [times_computed(tmp_path, name) for name in good] == [1] * len(good)
    assert times_computed(tmp_path, "old-0") == 0
    last = recorded.tallies[-1]
    assert (last.done, last.failed, last.remaining, last.elsewhere) == (len(good) + 1, 4, 0, 0)


def test_nothing_to_do_is_done() -> None:
    assert run(Path(), [], 1) == Dispatched(stored=0, present=0, failed=())


@pytest.mark.parametrize("kind", ["own", "processes"])
def test_work_that_cannot_travel_fails_its_cells(kind: str) -> None:
    recorded = Recorded()
    with executor_of(kind) as executor:
        done = dispatch(lambda _: [], {"a": "a", "b": "b"}, executor=executor, record_failure=recorded.fail)
    assert sorted(recorded.failures) == ["a", "b"]
    assert all("pickle" in error for error in recorded.failures.values())
    assert dict(done.failed) == recorded.failures


def test_reports_on_other_cells_are_no_reports() -> None:
    def confused(names: Sequence[str]) -> list[CellReport]:
        return [CellReport(key="other", outcome="stored") for _ in names]

    done = dispatch(confused, {"a": "a"}, executor=1, record_failure=lambda *_: None)
    assert done == Dispatched(stored=0, present=0, failed=(("a", "its worker did not report on it"),))


def test_a_cell_that_kills_its_workers_is_found(tmp_path: Path) -> None:
    names = [*(f"ok-{k}" for k in range(20)), "kill-0", *(f"ok-{k}" for k in range(20, 40))]
    recorded = Recorded()
    done = run(tmp_path, names, 2, recorded)
    assert recorded.failures == {"kill-0": "its worker died, again and again, at last with no other cell running"}
    assert dict(done.failed) == recorded.failures
    assert done.stored + done.present == 40
    assert (tmp_path / "kill-0.calls").stat().st_size == 3
    assert all(times_computed(tmp_path, name) == 1 for name in names if name != "kill-0")


def test_a_cell_that_kills_a_worker_once_is_no_killer(tmp_path: Path) -> None:
    names = [*(f"ok-{k}" for k in range(20)), "killonce-0", *(f"ok-{k}" for k in range(20, 40))]
    recorded = Recorded()
    done = run(tmp_path, names, 2, recorded)
    assert recorded.failures == {}
    assert done.stored + done.present == 41


def test_only_killers(tmp_path: Path) -> None:
    done = run(tmp_path, ["kill-0", "kill-1"], 2)
    assert sorted(key for key, _ in done.failed) == ["kill-0", "kill-1"]


def test_workers_killed_at_random(tmp_path: Path) -> None:
    generator = np.random.default_rng(20260)
    names = [f"ok-{k}" for k in range(400)]
    stop = threading.Event()
    killed = []

    def kill() -> None:
        while not stop.wait(generator.uniform(0.3, 0.8)) and len(killed) < 4:
            workers = children(os.getpid())
            if workers and any(tmp_path.glob("*.done")):
                with suppress(ProcessLookupError):
                    os.kill(int(generator.choice(workers)), signal.SIGKILL)
                    killed.append(len(killed))

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        done = dispatch(
            partial(asleep, str(tmp_path), 0.015),
            {name: name for name in names},
            executor=2,
            record_failure=lambda *_: None,
        )
    finally:
        stop.set()
        killer.join()
    assert len(killed) >= 2
    assert done.stored + done.present + len(done.failed) == 400
    assert done.failed == ()
    assert [times_computed(tmp_path, name) for name in names] == [1] * 400


def test_a_pool_of_the_users_that_breaks_is_an_error(tmp_path: Path) -> None:
    names = [*(f"ok-{k}" for k in range(10)), "kill-0", *(f"ok-{k}" for k in range(10, 200))]
    recorded = Recorded()
    broke = pytest.raises(WorkersError, match=r"the executor broke \(BrokenProcessPool.* goes on from what is stored")
    with executor_of("processes") as executor, broke:
        run(tmp_path, names, executor, recorded)
    assert recorded.failures == {}  # nobody knows which cell it was
    assert len(list(tmp_path.glob("ok-*.done"))) >= 8
    with executor_of("this") as executor:
        done = run(tmp_path, [name for name in names if name != "kill-0"], executor)
    assert done.failed == ()
    assert all(times_computed(tmp_path, name) == 1 for name in names if name != "kill-0")


def test_an_executor_that_gives_up_is_an_error(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        timer = threading.Timer(0.5, partial(threads.shutdown, wait=False, cancel_futures=True))
        timer.start()
        with pytest.raises(WorkersError, match=r"the executor (broke|takes no work)"):
            dispatch(
                partial(asleep, str(tmp_path), 0.05),
                {f"ok-{k}": f"ok-{k}" for k in range(200)},
                executor=threads,
                record_failure=lambda *_: None,
            )
        timer.join()


class Instant(Executor):
    """Computes at once what it is given, and takes note of the sizes of chunks and of how many are out."""

    def __init__(self, seconds: float, workers: int) -> None:
        self.num_workers = workers
        self.seconds = seconds
        self.sizes: list[int] = []

    def submit(self, _: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        assert not options
        _, cells, _ = arguments
        self.sizes.append(len(cells))
        future: Future[Any] = Future()
        future.set_result([CellReport(key=str(name), outcome="stored", seconds=self.seconds) for name in cells])
        return future


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.1, 0.4, 10.0])
@pytest.mark.parametrize("workers", [1, 4])
def test_chunks_take_about_half_a_second(seconds: float, workers: int) -> None:
    instant = Instant(seconds, workers)
    dispatch(print, {str(k): k for k in range(2000)}, executor=instant, record_failure=print)  # type: ignore[arg-type]
    assert sum(instant.sizes) == 2000
    assert instant.sizes[: 2 * workers] == [1] * 2 * workers  # nothing is known of the first ones
    assert max(instant.sizes) * seconds <= max(CHUNK_SECONDS, seconds)
    assert instant.sizes[-1] * seconds <= max(SHORTEST_SECONDS, seconds)  # so that workers end together
    assert len(instant.sizes) <= 4 * workers + 2000 * seconds / (CHUNK_SECONDS / 5) + 40 * workers


def test_the_driver_waits_for_what_others_compute(tmp_path: Path) -> None:
    finished = tmp_path / "there"
    asked: list[float] = []

    def work(names: Sequence[str]) -> list[CellReport]:
        asked.append(time.monotonic())
        return [CellReport(key=name, outcome="present" if finished.exists() else "claimed") for name in names]

    timer = threading.Timer(1.5, finished.touch)
    timer.start()
    recorded = Recorded()
    done = dispatch(work, {"a": "a"}, executor=1, record_failure=recorded.fail, show=recorded.tallies.append)
    timer.join()
    assert done == Dispatched(stored=0, present=1, failed=())
    assert 4 <= len(asked) <= 7  # after 0.1, 0.3, 0.7, 1.5 and 3.1 s
    assert "1 computed by other processes" in str(recorded.tallies[0])


@pytest.mark.parametrize("kind", ["this", "own"])
def test_configurations_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = configurations(6)
    store = Store(Path("sweep")).prepare()
    with executor_of(kind) as executor:
        assert drive("sweep", [*wanted, wanted[0]], executor) == Dispatched(stored=6, present=0, failed=())
        assert drive("sweep", wanted, executor) == Dispatched(stored=0, present=6, failed=())
    assert [store.read(configuration).configuration for configuration in wanted] == wanted


def test_a_failure_that_no_worker_can_record_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(folder: str, configurations: object) -> None:
        raise OSError(f"{folder} and {configurations} are out of reach")

    (wanted,) = configurations(1)
    store = Store(tmp_path).prepare()
    monkeypatch.setattr("simulate.sweeps.driving.work", broken)
    done = drive(str(tmp_path), [wanted], 1)
    record = store.failure(wanted.key)
    assert record is not None
    assert record["error"].startswith(f"OSError: {tmp_path} and")
    assert done == Dispatched(stored=0, present=0, failed=((wanted.key, record["error"]),))
    monkeypatch.undo()
    assert drive(str(tmp_path), [wanted], 1).stored == 1
    assert store.failure(wanted.key) is None
