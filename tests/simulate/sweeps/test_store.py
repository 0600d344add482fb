"""The store: whole files or none, nothing believed that was altered, one worker at a time on a cell."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.sweeps import store as store_module
from simulate.sweeps.cell_file import CellFileError, array_bytes, arrays_digest, cell_bytes, read_cell
from simulate.sweeps.store import Store
from tests.simulate.sweeps.cells import cell_of, configurations, members_of, provenance_of, with_digest
from theory.errors import OutputError


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sweep").prepare()


def stored(store: Store, gate: float = 0.5) -> Path:
    (configuration,) = configurations()
    store.write(cell_of(configuration, gate))
    return store.path(configuration.key)


# Files.


def test_a_cell_comes_back(store: Store) -> None:
    (configuration,) = configurations()
    written = cell_of(configuration)
    assert not store.has(configuration.key)
    store.write(written)
    found = store.read(configuration)
    assert found.configuration == configuration
    assert found.provenance == written.provenance
    assert arrays_digest(found.table) == arrays_digest(written.table)
    assert not list((store.folder / "partial").iterdir())


def test_numpy_and_any_zip_reader_can_open_a_cell(store: Store) -> None:
    path = stored(store)
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["values.gate_mean"].tolist() == [0.5, 0.0]
        assert arrays["missing.gate_mean"].tolist() == [False, True]
    said = provenance_of(path)
    assert {"schema", "finished", "seconds", "versions", "platform", "configuration"} == set(said)
    assert {"icl-iwl", "numpy", "scipy", "python"} == set(said["versions"])
    assert said["configuration"] == configurations()[0].to_dict()


def test_equal_cells_are_equal_bytes_and_other_results_are_not() -> None:
    (configuration,) = configurations()
    one, other = cell_of(configuration), cell_of(configuration, 0.25)
    assert cell_bytes(one) == cell_bytes(one)
    assert cell_bytes(one) != cell_bytes(other)
    assert arrays_digest(one.table) != arrays_digest(other.table)


def test_the_digest_of_arrays_knows_names_types_and_shapes() -> None:
    assert array_bytes(np.zeros(2)) != array_bytes(np.zeros(2, dtype=np.int64))
    assert array_bytes(np.zeros((1, 2))) != array_bytes(np.zeros((2, 1)))


# Corruption.


def test_every_truncation_is_noticed(store: Store) -> None:
    path = stored(store)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(CellFileError, match="checksum"):
            read_cell(path)


def test_every_flipped_byte_is_noticed(store: Store) -> None:
    path = stored(store)
    content = bytearray(path.read_bytes())
    generator = np.random.default_rng(1)
    for place in range(len(content)):
        flip = int(generator.integers(1, 256))
        content[place] ^= flip
        path.write_bytes(content)
        with pytest.raises(CellFileError, match="checksum"):
            read_cell(path)
        content[place] ^= flip
    path.write_bytes(content)
    read_cell(path)


@given(junk=st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_junk_is_no_cell(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    path = tmp_path_factory.mktemp("junk") / "a.npz"
    path.write_bytes(junk)
    with pytest.raises(CellFileError, match=r"a\.npz"):
        read_cell(path)


def _without(name: str) -> Any:
    return lambda members: {key: value for key, value in members.items() if key != name}


def _pickled(members: dict[str, bytes]) -> dict[str, bytes]:
    import io

    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.array([{}]), allow_pickle=True)
    return {**members, "values.gate_mean.npy": buffer.getvalue()}


def _configured(change: Any) -> Any:
    def alter(members: dict[str, bytes]) -> dict[str, bytes]:
        said = json.loads(members["provenance.json"])
        said["configuration"] = change(said["configuration"])
        return {**members, "provenance.json": json.dumps(said).encode()}

    return alter


@pytest.mark.parametrize(
    "alter",
    [
        lambda _: {},
        _without("provenance.json"),
        _without("values.gate_mean.npy"),
        _without("description.npy"),
        lambda members: {**members, "provenance.json": b"{"},
        lambda members: {**members, "provenance.json": b"[]"},
        lambda members: {**members, "more.npy": members["values.gate_mean.npy"]},
        lambda members: {**members, "values.gate_mean.npy": b"junk"},
        lambda members: {**members, "values.gate_mean.npy": array_bytes(np.array([np.nan, 0.0]))},
        lambda members: {**members, "values.gate_mean.npy": array_bytes(np.zeros(3))},
        _pickled,
        _configured(lambda _: None),
        _configured(lambda data: {**data, "steps": "many"}),
        _configured(lambda data: {**data, "setting": {"task": None}, "files": {"a": "b"}}),
    ],
)
def test_a_right_checksum_does_not_make_a_cell(store: Store, alter: Any) -> None:
    path = stored(store)
    with_digest(path, alter(members_of(path)))
    with pytest.raises(CellFileError, match=r"is no cell of this version|holds another cell"):
        store.read(configurations()[0])


def _shaped(shape: str) -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


@pytest.mark.parametrize("shape", ["(10**12,)", "(1000000000000,)", "((((", "(-1,)", "0"])
def test_headers_that_lie(store: Store, shape: str) -> None:
    path = stored(store)
    with_digest(path, {**members_of(path), "values.gate_mean.npy": _shaped(shape)})
    with pytest.raises(CellFileError, match="no cell of this version"):
        read_cell(path)


@pytest.mark.parametrize(
    "change",
    [{"seconds": None}, {"seconds": "abc"}, {"seconds": -1.0}, {"versions": []}, {"versions": {"numpy": 3}}],
)
def test_provenance_is_checked(store: Store, change: dict[str, Any]) -> None:
    path = stored(store)
    said = json.loads(members_of(path)["provenance.json"]) | change
    with_digest(path, {**members_of(path), "provenance.json": json.dumps(said).encode()})
    with pytest.raises(CellFileError, match="the provenance"):
        read_cell(path)


def test_deep_json_is_no_cell(store: Store) -> None:
    path = stored(store)
    with_digest(path, {**members_of(path), "provenance.json": b"[" * 100_000})
    with pytest.raises(CellFileError, match="no cell of this version"):
        read_cell(path)


def test_packed_and_repeated_members_are_refused(store: Store) -> None:
    path = stored(store)
    members = members_of(path)
    for kind, more in ((zipfile.ZIP_DEFLATED, []), (zipfile.ZIP_STORED, ["provenance.json"])):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of two members of one name
            with_digest(path, members, kind, more)
        with pytest.raises(CellFileError, match=r"not stored as it is|two members"):
            read_cell(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_not_waited_for(store: Store) -> None:
    (configuration,) = configurations()
    os.mkfifo(store.path(configuration.key))
    assert store.check(configuration) is not None
    assert not store.has(configuration.key)


def test_nothing_is_written_through_a_link(store: Store, tmp_path: Path) -> None:
    (configuration,) = configurations()
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for name in (f"{configuration.key}.npz", f"{configuration.key}.0.npz"):
        (store.folder / "partial" / name).symlink_to(victim)
    store.write(cell_of(configuration))
    assert victim.read_text() == "mine"
    assert not store.path(configuration.key).is_symlink()


def test_a_lock_that_cannot_be_opened_is_an_output_error(store: Store) -> None:
    (store.folder / "claims" / "a.lock").mkdir()
    with pytest.raises(OutputError, match=r"a\.lock"), store.claim("a"):
        pass


def test_a_record_that_cannot_be_removed_does_not_fail_a_stored_cell(store: Store) -> None:
    (configuration,) = configurations()
    store.failure_path(configuration.key).mkdir()
    store.write(cell_of(configuration))
    assert store.read(configuration).configuration == configuration


def test_a_cell_of_another_configuration_is_not_believed(store: Store) -> None:
    mine, other = configurations(2)
    store.write(cell_of(other))
    os.replace(store.path(other.key), store.path(mine.key))
    with pytest.raises(CellFileError, match="holds another cell"):
        store.read(mine)
    error = store.check(mine)
    assert error is not None
    assert store.path(mine.key).name in str(error)
    assert not store.has(mine.key)
    (kept,) = (store.folder / "set-aside").iterdir()
    assert kept.name.startswith(mine.key)
    assert read_cell(kept).configuration == other


def test_what_is_good_stays(store: Store) -> None:
    path = stored(store)
    before = path.stat()
    assert store.check(configurations()[0]) is None
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_folder_under_a_cells_name_is_set_aside(store: Store) -> None:
    (configuration,) = configurations()
    store.path(configuration.key).mkdir()
    assert store.check(configuration) is not None
    assert not store.has(configuration.key)


def test_what_another_process_replaces_just_now_is_left_to_it(store: Store) -> None:
    path = stored(store)
    path.write_bytes(b"half")
    (configuration,) = configurations()
    with Store(store.folder).claim(configuration.key) as mine:
        assert mine
        assert store.check(configuration) is None
    assert path.read_bytes() == b"half"


# Disks.


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_nothing_and_says_so(store: Store, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, content: bytes) -> None:
            self.file.write(content[: len(content) // 2])
            full()

    cell = cell_of(configurations()[0])
    if call == "write":
        opened = Path.open
        monkeypatch.setattr(Path, "open", lambda path, *how, **more: Full(opened(path, *how, **more)))
    else:
        monkeypatch.setattr(store_module.os, call, full)
    with pytest.raises(OutputError, match="No space left"):
        store.write(cell)
    monkeypatch.undo()
    assert not list((store.folder / "partial").iterdir())
    assert not list((store.folder / "cells").iterdir())


def test_a_read_only_folder_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(OutputError, match="read-only"):
        Store(tmp_path).prepare()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "cells").write_text("")
    with pytest.raises(OutputError, match="not a folder"):
        Store(tmp_path).prepare()


# Claims.


def test_claims_exclude_each_other_and_end(store: Store) -> None:
    with store.claim("a") as mine, store.claim("b") as other, store.claim("a") as twice:
        assert (mine, other, twice) == (True, True, False)
    with store.claim("a") as again:
        assert again


def test_claims_exclude_threads(store: Store) -> None:
    start = threading.Barrier(8)
    won: list[bool] = []
    done = threading.Barrier(8)

    def take() -> None:
        start.wait(10)
        with store.claim("a") as mine:
            won.append(mine)
            done.wait(10)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(won) == [False] * 7 + [True]


def test_a_claim_dies_with_its_process(store: Store) -> None:
    script = (
        "import sys, time; from pathlib import Path; from simulate.sweeps.store import Store\n"
        "with Store(Path(sys.argv[1])).claim('a') as mine:\n    print(mine, flush=True)\n    time.sleep(60)"
    )
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", script, str(store.folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        with store.claim("a") as mine:
            assert not mine
        process.kill()
        process.wait(10)
    with store.claim("a") as mine:
        assert mine


def test_locks_of_stored_cells_are_removed_and_others_stay(store: Store) -> None:
    (configuration,) = configurations()
    with store.claim(configuration.key):
        pass
    assert len(list((store.folder / "claims").iterdir())) == 1
    with store.claim(configuration.key):
        store.write(cell_of(configuration))
    assert not list((store.folder / "claims").iterdir())


# Failures.


def test_failures_are_kept_until_the_cell_is_there(store: Store) -> None:
    (configuration,) = configurations()
    assert store.failure(configuration.key) is None
    store.record_failure(configuration, {"error": "ValueError: no"})
    found = store.failure(configuration.key)
    assert found is not None
    assert (found["error"], found["configuration"]) == ("ValueError: no", configuration.to_dict())
    store.write(cell_of(configuration))
    assert store.failure(configuration.key) is None


def test_a_broken_record_of_a_failure_is_still_one(store: Store) -> None:
    store.failure_path("a").write_text("{")
    found = store.failure("a")
    assert found is not None
    assert "cannot be read" in found["error"]
