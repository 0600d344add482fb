"""``sweep``: the same arrays however they are computed, each cell once, failures kept apart, folders not mixed up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulate.simulation import run
from simulate.sweeps.cell_file import CellFileError, arrays_digest
from simulate.sweeps.exporting import export_npz
from simulate.sweeps.replaying import replay
from simulate.sweeps.store import Store
from simulate.sweeps.sweep_folder import grid_of_folder
from simulate.sweeps.sweep_status import sweep_status
from simulate.sweeps.sweeping import stored_sweep, sweep
from tests.simulate.sweeps.cells import cell_of, small_grid
from theory.errors import OutputError, SettingError
from theory.setting_file import assemble


def digests(folder: Path) -> dict[str, str]:
    """What every cell found, by its key."""
    grid, store = grid_of_folder(folder), Store(folder)
    return {
        cell.configuration.key: arrays_digest(store.read(cell.configuration).table)
        for cell in grid.cells
        if store.has(cell.configuration.key)
    }


def exported(folder: Path, where: Path) -> bytes:
    export_npz(stored_sweep(folder), where)
    return where.read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "sweep"
    done = sweep(small_grid(), folder, 1)
    assert (done.cells, done.stored, done.present, done.failed, done.set_aside) == (6, 6, 0, (), ())
    return folder


# The same, however it is computed.


def test_cells_hold_what_a_run_of_their_setting_gives(whole: Path) -> None:
    table = stored_sweep(whole)
    assert table.shape == (2, 3)
    for cell in small_grid().cells:
        told = cell.configuration
        task, model = assemble(told.setting)
        result = run(task, model, told.steps, told.replicates, told.seed)
        place = dict(zip(table.axes, cell.values, strict=True))
        for entry in result.entries:
            at: dict[str, Any] = {**place, "class": entry.name}
            assert float(table.values("gate_mean", **at)) == entry.gate_mean
            found = table.values("crossing_steps", **at)
            assert (None if np.ma.is_masked(found) else float(found)) == entry.boundary.steps


@pytest.mark.parametrize("executor", [2, 3, "threads"])
def test_executors_give_the_same_bytes(whole: Path, tmp_path: Path, executor: Any) -> None:
    if executor == "threads":
        with ThreadPoolExecutor(3) as pool:
            sweep(small_grid(), tmp_path / "sweep", pool)
            assert pool.submit(sum, [1, 2]).result() == 3  # it is still open
    else:
        sweep(small_grid(), tmp_path / "sweep", executor)
    assert digests(tmp_path / "sweep") == digests(whole)
    assert exported(tmp_path / "sweep", tmp_path / "a.npz") == exported(whole, tmp_path / "b.npz")


def test_shards_give_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    for shard, missing in (("3/3", 4), ("1/3", 2), ("2/3", 0)):
        done = sweep(small_grid(), tmp_path / "sweep", 1, shard=shard)
        assert (done.cells, done.stored) == (2, 2)
        assert sweep_status(tmp_path / "sweep").remaining == missing
    assert exported(tmp_path / "sweep", tmp_path / "a.npz") == exported(whole, tmp_path / "b.npz")


def test_other_seeds_give_other_bytes(whole: Path, tmp_path: Path) -> None:
    sweep(small_grid(seed=1), tmp_path / "sweep", 1)
    assert exported(tmp_path / "sweep", tmp_path / "a.npz") != exported(whole, tmp_path / "b.npz")


def test_two_processes_share_a_folder_and_compute_nothing_twice(whole: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from tests.simulate.sweeps.cells import small_grid\n"
        "from simulate.sweeps.sweeping import sweep\n"
        "done = sweep(small_grid(), sys.argv[1], 1); print(done.stored, done.present)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "sweep")]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own script
        for _ in range(3)
    ]
    counts = [tuple(map(int, process.communicate(timeout=120)[0].split())) for process in processes]
    assert sum(stored for stored, _ in counts) == 6
    assert all(stored + present == 6 for stored, present in counts)
    assert digests(tmp_path / "sweep") == digests(whole)


# Again.


def test_a_second_call_computes_nothing(whole: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (whole / "cells").iterdir()}
    done = sweep(small_grid(), whole, 2)
    assert (done.stored, done.present) == (0, 6)
    assert {path: path.stat().st_mtime_ns for path in (whole / "cells").iterdir()} == before


def test_another_grid_needs_to_be_allowed_and_keeps_what_both_have(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    sweep(small_grid({"label_noise": [0.0, 0.1]}), folder, 1)
    larger = small_grid({"label_noise": [0.1, 0.2]})
    with pytest.raises(SettingError, match="a sweep with other axes"):
        sweep(larger, folder, 1)
    with pytest.raises(SettingError, match="a sweep with other axes, steps"):
        sweep(small_grid({"label_noise": [0.1, 0.2]}, steps=200), folder, 1)
    done = sweep(larger, folder, 1, extend=True)
    assert (done.stored, done.present, done.others) == (1, 1, 1)
    assert stored_sweep(folder).coordinates["label_noise"].tolist() == [0.1, 0.2]
    assert sweep_status(folder).others == 1


@pytest.mark.parametrize("spoil", [lambda content: content[:-9], lambda content: b"x" + content[1:], lambda _: b""])
def test_what_was_altered_is_set_aside_and_computed_again(whole: Path, tmp_path: Path, spoil: Any) -> None:
    folder = tmp_path / "sweep"
    sweep(small_grid(), folder, 1)
    paths = sorted((folder / "cells").iterdir())
    paths[0].write_bytes(spoil(paths[0].read_bytes()))
    os.replace(paths[1], paths[2])
    (folder / "cells" / "notes.txt").write_text("mine")
    with pytest.raises(CellFileError, match=f"{paths[0].stem}|{paths[2].stem}"):
        stored_sweep(folder)
    status = sweep_status(folder)
    assert (status.done, len(status.altered), status.remaining) == (3, 3, 3)
    done = sweep(small_grid(), folder, 1)
    assert (done.stored, done.present) == (3, 3)
    names = " ".join(map(str, done.set_aside))
    assert all(name in names for name in (paths[0].name, paths[2].name, "notes.txt"))
    assert paths[1].name not in names
    assert len(list((folder / "set-aside").iterdir())) == 3
    assert digests(folder) == digests(whole)


def test_a_partial_table_leaves_out_what_was_altered(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    sweep(small_grid(), folder, 1)
    for path in sorted((folder / "cells").iterdir())[:2]:
        path.write_bytes(b"")
    with pytest.raises(CellFileError, match=r"and 1 more files.*sweep again"):
        stored_sweep(folder)
    assert int(stored_sweep(folder, skip_altered=True).complete.sum()) == 4


@pytest.mark.parametrize("content", ["garbage", None])
def test_a_lost_grid_is_written_anew_and_the_cells_are_kept(tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "sweep"
    sweep(small_grid(), folder, 1)
    before = (folder / "grid.json").read_text()
    (folder / "grid.json").unlink() if content is None else (folder / "grid.json").write_text(content)
    with pytest.raises(SettingError, match="writes it anew, and keeps the cells"):
        stored_sweep(folder)
    done = sweep(small_grid(), folder, 1)
    assert (done.stored, done.present, len(done.set_aside)) == (0, 6, 0 if content is None else 1)
    assert (folder / "grid.json").read_text() == before


def test_an_export_says_what_all_cells_have_in_common(whole: Path) -> None:
    told = json.loads(str(stored_sweep(whole).description["setting"]))
    assert told["task"]["p_high"] == 0.9
    assert told["model"]["in_context"]["floor"] > 0
    assert not {"label_noise", "relevant_examples"} & set(told["task"])


def test_a_missing_number_is_no_zero(whole: Path, tmp_path: Path) -> None:
    table = stored_sweep(whole)
    found = table.values("crossing_steps")
    assert found.mask.any()
    assert np.isnan(np.asarray(found)[found.mask]).all()
    export_npz(table, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert (np.isnan(arrays["crossing_steps"]) == arrays["crossing_steps_missing"]).all()
    assert "crossing_steps" in repr(table)
    assert len(repr(table)) < 4_000


# Failures.


def failing() -> Any:
    """A grid of which one cell cannot be computed by the engine that is asked for."""
    axes = {"model.gate.kind": ["bayes", "adahedge", "hedge"]}
    return small_grid(axes, options={"engine": "scan"})


@pytest.mark.parametrize("executor", [1, 2])
def test_a_failing_cell_does_not_stop_the_others(tmp_path: Path, executor: int) -> None:
    folder = tmp_path / "sweep"
    done = sweep(failing(), folder, executor)
    assert (done.stored, done.present, len(done.failed)) == (2, 0, 1)
    assert done.failed[0].point == "model.gate.kind = adahedge"
    assert "NoEngineError" in done.failed[0].error
    status = sweep_status(folder)
    assert (status.done, status.remaining, status.failed) == (2, 0, done.failed)
    record = json.loads((folder / "failed" / f"{done.failed[0].key}.json").read_text())
    assert "Traceback" in record["traceback"]
    assert stored_sweep(folder).complete.tolist() == [True, False, True]
    again = sweep(failing(), folder, executor)
    assert (again.stored, again.present, len(again.failed)) == (0, 2, 1)


def test_a_failure_is_forgotten_once_the_cell_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    (failure,) = sweep(failing(), folder, 1).failed
    (cell,) = [cell for cell in failing().cells if cell.configuration.key == failure.key]
    Store(folder).write(cell_of(cell.configuration))
    assert sweep_status(folder).failed == ()


def test_a_full_disk_fails_cells_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from simulate.sweeps import store as store_module

    folder = tmp_path / "sweep"
    sweep(small_grid(), folder, 1, shard="1/6")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(store_module.os, "fsync", full)
    done = sweep(small_grid(), folder, 1)
    assert (done.stored, done.present, len(done.failed)) == (0, 1, 5)
    assert all("No space left" in failure.error and "no record of it" in failure.error for failure in done.failed)
    monkeypatch.undo()
    assert sweep(small_grid(), folder, 1).stored == 5


# Folders.


def test_a_read_only_folder_is_refused_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="read-only"):
        sweep(small_grid(), tmp_path, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has made"),
        ("{", "can be read"),
        ("[]", "this version"),
        ('{"schema": 0}', "this version"),
        ('{"schema": 1, "grid": {}}', "as it was written"),
        ('{"schema": 1, "grid": {"axes": 3}}', "as it was written"),
    ],
)
def test_folders_of_no_sweep(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "grid.json").write_text(content)
    with pytest.raises(SettingError, match=message):
        stored_sweep(tmp_path)
    with pytest.raises(SettingError, match=message):
        sweep_status(tmp_path)


# Replay.


def test_replay_finds_the_same(whole: Path) -> None:
    found = replay(next((whole / "cells").iterdir()))
    assert found.arrays > 10
    assert found.deviations == ()
    assert found.versions == {}


def test_replay_tells_what_is_different(tmp_path: Path) -> None:
    configuration = small_grid().cells[0].configuration
    store = Store(tmp_path).prepare()
    store.write(cell_of(configuration))
    names = {deviation.name for deviation in replay(store.path(configuration.key)).deviations}
    assert {"description", "values.gate_mean", "missing.gate_mean", "values.crossing_steps"} <= names


def test_replay_measures_the_deviation_and_names_other_versions(whole: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from simulate.sweeps.tables import Table

    configuration = small_grid().cells[0].configuration
    cell = Store(whole).read(configuration)
    quantities = dict(cell.table.quantities)
    gate = quantities["gate_mean"]
    quantities["gate_mean"] = replace(gate, values=gate.values + np.array([0.0, 1e-3]))
    versions = {**cell.provenance["versions"], "numpy": "1.0"}
    table = Table(coordinates=cell.table.coordinates, quantities=quantities)
    store = Store(tmp_path).prepare()
    store.write(replace(cell, table=table, provenance={**cell.provenance, "versions": versions}))
    found = replay(store.path(configuration.key))
    (deviation,) = found.deviations
    assert deviation.name == "values.gate_mean"
    assert deviation.largest == pytest.approx(1e-3)
    assert found.versions == {"numpy": ("1.0", np.__version__)}


def test_replay_refuses_what_was_altered(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(next((whole / "cells").iterdir()).read_bytes()[1:])
    with pytest.raises(CellFileError, match="checksum"):
        replay(path)
