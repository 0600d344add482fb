"""Sweeps on a real dask scheduler with workers, all of them processes of their own on this computer."""

from __future__ import annotations

import os
import signal
import sys
import threading
import types
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from simulate.sweeps.dispatching import Dispatched, dispatch
from simulate.sweeps.executors import open_workers
from simulate.sweeps.workers_error import WorkersError
from tests.simulate.sweeps.clusters import WORKERS, Cluster
from tests.simulate.sweeps.scripts import wait_until
from tests.simulate.sweeps.stand_ins import asleep, counting_threads, stored, times_computed

distributed = pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.usefixtures("deadline"),
    # Sockets of a client are closed by its event loop some time after it.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:(distributed|dask|tornado).*"),
]


@pytest.fixture
def client(cluster: Cluster) -> Iterator[Any]:
    with distributed.Client(scheduler_file=str(cluster.file), timeout=30) as client:
        client.wait_for_workers(WORKERS, timeout=30)
        yield client


def run(folder: Path, names: list[str], client: Any, failures: dict[str, str]) -> Dispatched:
    return dispatch(
        partial(stored, str(folder)),
        {name: name for name in names},
        executor=client.get_executor(),
        record_failure=failures.__setitem__,
    )


def test_every_cell_has_its_end(tmp_path: Path, client: Any) -> None:
    good = [f"ok-{k}" for k in range(60)] + ["claimed-0", "claimed-1"]
    failures: dict[str, str] = {}
    done = run(tmp_path, [*good, "raise-0", "fail-0", "silent-0"], client, failures)
    assert sorted(failures) == ["raise-0", "silent-0"]
    assert sorted(key for key, _ in done.failed) == ["fail-0", "raise-0", "silent-0"]
    assert done.stored + done.present == len(good)
    # A second request for a claimed cell is not answered with the first one's report.
    assert [times_computed(tmp_path, name) for name in good] == [1] * len(good)


def test_the_clients_executor_stays_open(tmp_path: Path, client: Any) -> None:
    executor = client.get_executor()
    with open_workers(executor, 3) as workers:
        assert workers.count() == WORKERS
    assert executor.submit(max, 1, 2).result() == 2
    run(tmp_path, ["ok-0"], client, {})
    assert client.submit(max, 1, 3).result() == 3


def test_dasks_workers_have_one_thread_of_blas(client: Any) -> None:
    def allow_two() -> None:
        from threadpoolctl import threadpool_limits

        threadpool_limits(2)

    client.run(allow_two)
    done = dispatch(
        counting_threads,
        {name: name for name in "abcd"},
        executor=client.get_executor(),
        record_failure=lambda *_: None,
    )
    assert {error.split()[0] for _, error in done.failed} == {"1"}
    assert str(os.getpid()) not in {error.split()[1] for _, error in done.failed}


def test_a_cell_that_kills_its_workers_is_found(tmp_path: Path, client: Any) -> None:
    names = [*(f"ok-{k}" for k in range(10)), "kill-0", "killonce-0", *(f"ok-{k}" for k in range(10, 20))]
    failures: dict[str, str] = {}
    done = run(tmp_path, names, client, failures)
    assert failures == {"kill-0": "its worker died, again and again, at last with no other cell running"}
    assert dict(done.failed) == failures
    assert done.stored + done.present == len(names) - 1
    assert all(times_computed(tmp_path, name) == 1 for name in names if name != "kill-0")


def test_a_worker_that_is_killed_is_no_loss(tmp_path: Path, client: Any) -> None:
    names = [f"ok-{k}" for k in range(100)]
    pids = list(client.run(os.getpid).values())

    def kill() -> None:
        wait_until(lambda: any(tmp_path.glob("*.done")), "nothing is computed")
        os.kill(pids[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    done = dispatch(
        partial(asleep, str(tmp_path), 0.02),
        {name: name for name in names},
        executor=client.get_executor(),
        record_failure=lambda *_: None,
    )
    killer.join()
    assert done.failed == ()
    assert done.stored + done.present == 100
    assert [times_computed(tmp_path, name) for name in names] == [1] * 100


def test_work_that_the_cluster_does_not_know_fails_its_cells(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(names: list[str]) -> None:
        raise AssertionError(names)

    name = "a_module_of_nobody"
    missing.__module__, missing.__qualname__ = name, "missing"
    module = types.ModuleType(name)
    vars(module)["missing"] = missing
    monkeypatch.setitem(sys.modules, name, module)
    done = dispatch(missing, {"a": "a", "b": "b"}, executor=client.get_executor(), record_failure=lambda *_: None)
    assert sorted(key for key, _ in done.failed) == ["a", "b"]
    assert [error for _, error in done.failed if f"No module named '{name}'" not in error] == []


def test_an_interrupt_calls_back_what_is_on_the_cluster(tmp_path: Path, client: Any) -> None:
    def interrupt() -> None:
        wait_until(lambda: any(tmp_path.glob("*.done")), "nothing is computed")
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        dispatch(
            partial(asleep, str(tmp_path), 0.05),
            {f"ok-{k}": f"ok-{k}" for k in range(1000)},
            executor=client.get_executor(),
            record_failure=lambda *_: None,
        )
    interrupter.join()
    wait_until(lambda: not any(client.processing().values()), "the cluster goes on")
    assert client.submit(max, 1, 4).result() == 4


def test_a_scheduler_that_ends_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    own = Cluster(folder)
    try:
        own.start()
        with distributed.Client(scheduler_file=str(own.file), timeout=30) as client:
            client.wait_for_workers(1, timeout=30)

            def kill() -> None:
                wait_until(lambda: any(tmp_path.glob("*.done")), "nothing is computed")
                os.kill(own.processes[0].pid, signal.SIGKILL)

            killer = threading.Thread(target=kill)
            killer.start()
            with pytest.raises(WorkersError, match=r"the executor (broke|takes no work)"):
                dispatch(
                    partial(asleep, str(tmp_path), 0.05),
                    {f"ok-{k}": f"ok-{k}" for k in range(1000)},
                    executor=client.get_executor(),
                    record_failure=lambda *_: None,
                )
            killer.join()
    finally:
        own.end()
