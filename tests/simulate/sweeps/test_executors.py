"""Who computes: which workers a choice of executor means, their threads, and how they end."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_limits

from simulate.sweeps.blas_threads import threads_of_libraries
from simulate.sweeps.dispatching import dispatch
from simulate.sweeps.executors import ThisProcess, UsersExecutor, open_workers, usable_cores
from simulate.sweeps.own_pool import UNGUARDED, OwnPool
from simulate.sweeps.workers_error import WorkersError
from tests.simulate.sweeps.scripts import DISPATCH, children, members, script, wait_until
from tests.simulate.sweeps.stand_ins import counting_threads
from theory.errors import SettingError

pytestmark = pytest.mark.usefixtures("deadline")


@pytest.mark.parametrize("executor", [0, -1, 1.0, True, "2", 10**9, float("nan"), object(), [2], ThreadPoolExecutor])
def test_what_is_no_executor_is_refused(executor: Any) -> None:
    with pytest.raises(SettingError, match=r"executor = .*get_executor"), open_workers(executor, 3):
        pass
    with pytest.raises(SettingError):
        dispatch(print, {}, executor=executor, record_failure=print)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("executor", "cells", "kind", "count"),
    [(1, 5, ThisProcess, 1), (3, 5, OwnPool, 3), (3, 2, OwnPool, 2), (3, 1, ThisProcess, 1), (3, 0, ThisProcess, 1)],
)
def test_numbers_are_processes(executor: int, cells: int, kind: type, count: int) -> None:
    with open_workers(executor, cells) as workers:
        assert isinstance(workers, kind)
        assert workers.count() == count


def test_without_a_choice_every_core_is_used() -> None:
    with open_workers(None, 1000) as workers:
        assert workers.count() == usable_cores() == len(os.sched_getaffinity(0))


class Counted(Executor):
    """An executor that says how many workers it has in one way or another."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Client:
    def __init__(self, **threads: int) -> None:
        self.threads = threads

    def nthreads(self) -> dict[str, int]:
        return self.threads


@pytest.mark.parametrize(
    ("executor", "count"),
    [
        (Counted(_client=Client(one=2, two=3)), 5),
        (Counted(_client=Client()), 1),
        (Counted(num_workers=7), 7),
        (Counted(_max_workers=4), 4),
        (Counted(_max_workers=None), usable_cores()),
        (Counted(), usable_cores()),
    ],
)
def test_workers_of_an_executor_are_counted(executor: Executor, count: int) -> None:
    assert UsersExecutor(executor).count() == count


def test_an_executor_of_the_users_stays_open() -> None:
    with ThreadPoolExecutor(2) as threads:
        with open_workers(threads, 3) as workers:
            assert workers.count() == 2
        with pytest.raises(KeyError), open_workers(threads, 3):
            raise KeyError
        assert threads.submit(max, 1, 2).result() == 2


def test_an_executor_that_is_shut_down_is_an_error() -> None:
    threads = ThreadPoolExecutor(1)
    threads.shutdown()
    with pytest.raises(WorkersError, match="takes no work: RuntimeError: cannot schedule"):
        dispatch(counting_threads, {"a": "a"}, executor=threads, record_failure=print)


@pytest.mark.parametrize("kind", ["this", "own", "threads", "processes"])
def test_each_worker_has_one_thread_of_blas(kind: str) -> None:
    cells = {name: name for name in "abcd"}
    with threadpool_limits(2), ThreadPoolExecutor(2) as threads:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
            executor = {"this": 1, "own": 2, "threads": threads, "processes": processes}[kind]
            done = dispatch(counting_threads, cells, executor=executor, record_failure=print)  # type: ignore[arg-type]
        # Without a limit the libraries take as many threads as they are told or there are cores.
        assert max(library["num_threads"] for library in threads_of_libraries()) == 2  # type: ignore[type-var]
    found = [error.split() for _, error in done.failed]
    assert [threads for threads, _ in found] == ["1"] * 4
    assert (str(os.getpid()) in {process for _, process in found}) == (kind in ("this", "threads"))


def test_a_worker_of_the_users_has_more_threads_without_us() -> None:
    with threadpool_limits(2):
        (report,) = counting_threads(["a"])
    assert report.error == f"2 {os.getpid()}"


def test_own_workers_end_with_a_driver_that_is_killed(tmp_path: Path) -> None:
    text = DISPATCH + "if __name__ == '__main__':\n    sweep(2)\n"
    with script(tmp_path / "sweep.py", text, tmp_path, 1000, 0.05) as driver:
        wait_until(lambda: list(tmp_path.glob("*.done")), "the sweep does not begin")
        workers = children(driver.pid)
        assert len(workers) >= 1
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
        took = wait_until(lambda: not set(members(driver.pid)) & set(workers), "workers outlive their driver")
        assert took < 1.0


@pytest.mark.parametrize("how", ["terminal", "driver alone"])
@pytest.mark.parametrize("executor", [1, 2])
def test_an_interrupt_ends_all_within_seconds(tmp_path: Path, executor: int, how: str) -> None:
    text = DISPATCH + (
        "if __name__ == '__main__':\n"
        "    try:\n"
        f"        sweep({executor})\n"
        "    except KeyboardInterrupt:\n"
        "        sys.exit(130)\n"
    )
    with script(tmp_path / "sweep.py", text, tmp_path, 1000, 0.05) as driver:
        wait_until(lambda: len(list(tmp_path.glob("*.done"))) > 3, "the sweep does not begin")
        started = time.monotonic()
        (os.killpg if how == "terminal" else os.kill)(driver.pid, signal.SIGINT)
        _, errors = driver.communicate(timeout=20)
        took = time.monotonic() - started
    assert driver.returncode == 130
    assert errors == ""  # no worker has told of its own interrupt
    assert took < 3.0
    done = [path.stem for path in tmp_path.glob("*.done")]
    assert 3 < len(done) < 1000


def test_ctrl_c_while_workers_start_is_quiet(tmp_path: Path) -> None:
    text = DISPATCH + (
        "if __name__ == '__main__':\n"
        "    print('begin', flush=True)\n"
        "    try:\n"
        "        sweep(2)\n"
        "    except KeyboardInterrupt:\n"
        "        sys.exit(130)\n"
    )
    with script(tmp_path / "sweep.py", text, tmp_path, 1000, 0.05) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "begin\n"
        wait_until(lambda: children(driver.pid), "no worker starts")
        os.killpg(driver.pid, signal.SIGINT)
        _, errors = driver.communicate(timeout=20)
    assert (driver.returncode, errors) == (130, "")


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    with script(tmp_path / "sweep.py", DISPATCH + "sweep(2)\n", tmp_path, 4, 0.01) as driver:
        _, errors = driver.communicate(timeout=30)
    assert driver.returncode == 1
    lines = errors.strip().splitlines()
    assert 1 <= lines.count(UNGUARDED) <= 2  # each worker says so once, its driver in its error
    assert sum(line.startswith("Traceback") for line in lines) <= 2  # what broke, and what it means
    assert lines[-1] == f"simulate.sweeps.workers_error.WorkersError: no worker process could start: {UNGUARDED}"
    assert "bootstrapping" not in errors
    assert not list(tmp_path.glob("*.calls"))


def test_a_worker_that_is_killed_before_it_has_started_is_replaced(tmp_path: Path) -> None:
    text = DISPATCH + "if __name__ == '__main__':\n    print(sweep(2))\n"
    with script(tmp_path / "sweep.py", text, tmp_path, 4, 0.01) as driver:
        for _ in range(2):
            found: list[int] = []
            wait_until(lambda found=found: found.extend(children(driver.pid)) or found, "no worker starts")
            os.kill(found[0], signal.SIGKILL)
            wait_until(lambda found=found: found[0] not in children(driver.pid), "a worker survives")
        output, errors = driver.communicate(timeout=30)
    assert (driver.returncode, errors) == (0, "")
    assert output == "Dispatched(stored=4, present=0, failed=())\n"


def test_a_guard_is_enough(tmp_path: Path) -> None:
    text = DISPATCH + "if __name__ == '__main__':\n    print(sweep(2))\n"
    with script(tmp_path / "sweep.py", text, tmp_path, 4, 0.01) as driver:
        output, errors = driver.communicate(timeout=30)
    assert (driver.returncode, errors) == (0, "")
    assert output == "Dispatched(stored=4, present=0, failed=())\n"


def test_an_interrupt_calls_back_what_threads_have_not_begun() -> None:
    handed_out: list[Future[Any]] = []

    class Watched(ThreadPoolExecutor):
        def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
            handed_out.append(super().submit(*arguments, **options))
            return handed_out[-1]

    def interrupting(names: Any) -> list[Any]:
        time.sleep(0.2)  # all chunks are handed out by then
        assert names
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)
        return []

    with Watched(1) as threads:
        with pytest.raises(KeyboardInterrupt):
            dispatch(interrupting, {name: name for name in "abc"}, executor=threads, record_failure=print)
        assert [future.cancelled() for future in handed_out] == [False, True]
        assert threads.submit(max, 1, 2).result() == 2
