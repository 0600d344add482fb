"""``simulate sweep``, ``status``, ``export`` and ``replay`` as a user types them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulate.cli import main

GRID = """\
[sweep]
base = "transient"
steps = {steps}
replicates = 2
{more}
[axes]
label_noise = [0.0, 0.1]
relevant_examples = [1, 4]
"""


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    return written(tmp_path)


def written(folder: Path, steps: int = 300, more: str = "") -> Path:
    path = folder / "grid.toml"
    path.write_text(GRID.format(steps=steps, more=more))
    return path


def test_from_a_grid_to_tables(grid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["sweep", str(grid), "--out", str(out), "--workers", "1"]) == 0
    assert "4 cells computed, 0 were there, 0 failed" in capsys.readouterr().out
    assert main(["sweep", str(grid), "--out", str(out), "--workers", "1"]) == 0
    assert "0 cells computed, 4 were there, 0 failed" in capsys.readouterr().out
    assert main(["status", str(out)]) == 0
    assert capsys.readouterr().out.startswith("4 of 4 cells are stored, 0 failed; ")
    names = {"--csv": tmp_path / "a.csv", "--npz": tmp_path / "a.npz", "--netcdf": tmp_path / "a.nc"}
    assert main(["export", str(out), *(part for pair in names.items() for part in map(str, pair))]) == 0
    told = capsys.readouterr().out
    for path in names.values():
        assert path.stat().st_size > 0
        assert f"wrote {path}" in told
    header, *rows = (tmp_path / "a.csv").read_text().splitlines()
    assert header.startswith("label_noise,relevant_examples,class,")
    assert len(rows) == 4 * 2
    cell = next((out / "cells").iterdir())
    assert main(["replay", str(cell)]) == 0
    assert "the same: all" in capsys.readouterr().out


def test_shards_and_partial_exports(grid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    assert main(["sweep", str(grid), "--out", out, "--workers", "1", "--shard", "1/2"]) == 0
    assert main(["status", out]) == 0
    assert "2 of 4 cells are stored" in capsys.readouterr().out
    assert main(["export", out, "--csv", str(tmp_path / "a.csv")]) == 2
    assert "2 cells missing" in capsys.readouterr().err
    assert not (tmp_path / "a.csv").exists()
    assert main(["export", out, "--csv", str(tmp_path / "a.csv"), "--partial"]) == 0


def test_failures_are_listed_and_end_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid = written(tmp_path, more='options = { engine = "scan" }\nset = { "model.gate.kind" = "adahedge" }')
    out = str(tmp_path / "out")
    assert main(["sweep", str(grid), "--out", out, "--workers", "1"]) == 1
    told = capsys.readouterr()
    assert "0 cells computed, 0 were there, 4 failed" in told.out
    assert "failed: label_noise = 0.0, relevant_examples = 1: NoEngineError: model.gate" in told.err
    assert main(["status", out]) == 1
    assert "failed: label_noise = 0.0" in capsys.readouterr().err


def test_what_was_altered_is_named(grid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    main(["sweep", str(grid), "--out", str(out), "--workers", "1"])
    cell = next((out / "cells").iterdir())
    cell.write_bytes(cell.read_bytes()[:100])
    capsys.readouterr()
    assert main(["status", str(out)]) == 1
    assert f"{cell.name}' is not whole" in capsys.readouterr().err
    assert main(["export", str(out), "--csv", str(tmp_path / "a.csv")]) == 2
    assert cell.name in capsys.readouterr().err
    assert main(["replay", str(cell)]) == 2
    assert main(["sweep", str(grid), "--out", str(out), "--workers", "1"]) == 0
    told = capsys.readouterr()
    assert cell.name in told.err
    assert "1 cell computed, 3 were there" in told.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sweep", "none.toml", "--out", "x"], "grid file = 'none.toml'"),
        (["sweep", "GRID", "--out", "OUT", "--workers", "0"], "--workers = 0"),
        (["sweep", "GRID", "--out", "OUT", "--workers", "two"], "--workers = 'two'"),
        (["sweep", "GRID", "--out", "OUT", "--shard", "3/2"], "shard = '3/2'"),
        (["sweep", "GRID", "--out", "OUT", "--executor", "ray:1"], "--executor = 'ray:1'"),
        (["sweep", "GRID", "--out", "OUT", "--executor", "dask:"], "--executor = 'dask:'"),
        (["sweep", "GRID", "--out", "OUT", "--executor", "dask:x", "--workers", "2"], "--workers = '2'"),
        (["sweep", "GRID", "--out", "GRID"], "cannot write"),
        (["status", "none"], "sweep folder = 'none'"),
        (["export", "none", "--csv", "a.csv"], "sweep folder = 'none'"),
        (["export", "OUT"], "export is missing"),
        (["replay", "none.npz"], "cannot be read"),
    ],
)
def test_mistakes_are_one_line(
    grid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    names = {"GRID": str(grid), "OUT": str(tmp_path / "out")}
    assert main([names.get(argument, argument) for argument in arguments]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("request_", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_sweep_ends_soon_and_resumes(tmp_path: Path, request_: signal.Signals) -> None:
    grid = written(tmp_path, steps=40_000, more='options = { engine = "step" }')
    grid.write_text(grid.read_text().replace("[1, 4]", "[1, 2, 3, 4, 5, 6, 7, 8]"))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "simulate", "sweep", str(grid), "--out", str(out), "--workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        for _ in range(6_000):
            if process.poll() is not None or len(list((out / "cells").glob("*"))) >= 2:
                break
            time.sleep(0.01)
        process.send_signal(request_)
        told, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "of 16 cells are stored; the same command resumes" in told
    kept = {path: path.stat().st_mtime_ns for path in (out / "cells").iterdir()}
    assert len(kept) >= 2
    resumed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603
    assert f"{len(kept)} were there" in resumed.stdout
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_progress_is_silent_where_nobody_watches(grid: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulate", "sweep", str(grid), "--out", str(tmp_path / "out")]
    environment = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, check=True, timeout=120, env=environment
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 2
