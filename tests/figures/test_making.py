"""The commands ``list`` and ``make``, with stand-in figures: what is written, what is kept, and what goes wrong."""

from __future__ import annotations

import csv
import sys
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from figures import gallery
from figures.cli import main
from figures.making import Made, make, make_all, outcome
from figures.recipe import Recipe, Results, canvas
from figures.style import ONE_COLUMN
from figures.workbench import Workbench
from simulate.sweeps.grid import Grid
from simulate.sweeps.grid_axes import grid_axis
from simulate.sweeps.tables import Table, quantity
from theory.errors import SettingError
from theory.setting_file import read

NAMES = ("plain", "broken")
SUFFIXES = (".png", ".pdf", ".svg")


class Computed:
    """Counts how often something was computed."""

    times = 0


def squares(number: int) -> Table:
    Computed.times += 1
    places = np.arange(1, number + 1)
    return Table(coordinates={"n": places}, quantities={"square": quantity(["n"], places**2, "", "n squared")})


def results(workbench: Workbench, quick: bool) -> Results:
    axis = grid_axis("label_noise", [0.0, 0.1])
    grid = Grid(setting=read("transient"), axes=(axis,), steps=200, replicates=2, options={"curve_points": 0})
    return {
        "squares": workbench.table("squares", {"number": 3 if quick else 5}, squares),
        "runs": workbench.sweep("runs", grid),
    }


def draw(found: Results) -> Any:
    figure, axes = canvas(ONE_COLUMN, 2.0)
    axes[0, 0].plot(found["squares"].coordinates["n"], found["squares"].quantities["square"].values, gid="squares")
    axes[0, 0].set(xlabel="$n$", ylabel="square")
    return figure


def no_results(_: Workbench, __: bool) -> Results:
    raise ZeroDivisionError("nothing\nto divide")


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    recipes = {
        "plain": Recipe(meaning="squares", results=results, draw=draw, reading="up: squares"),
        "broken": Recipe(meaning="nothing", results=no_results, draw=draw, reading="nothing"),
    }
    monkeypatch.setattr(gallery, "NAMES", NAMES)
    monkeypatch.setattr("figures.make_command.NAMES", NAMES)
    for name, recipe in recipes.items():
        module = ModuleType(f"figures.gallery.{name}")
        module.RECIPE = recipe  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
    Computed.times = 0


def test_list_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert capsys.readouterr().out.splitlines() == ["plain   squares", "broken  nothing"]


def test_pictures_and_the_numbers_behind_them_are_written(tmp_path: Path) -> None:
    assert main(["make", "plain", "--out", str(tmp_path), "--workers", "1"]) == 0
    for suffix in SUFFIXES:
        assert (tmp_path / f"plain{suffix}").stat().st_size > 1000
    rows = list(csv.DictReader((tmp_path / "plain-squares.csv").read_text().splitlines()))
    assert [(row["n"], row["square"]) for row in rows] == [(str(n), str(n * n)) for n in range(1, 6)]
    runs = list(csv.DictReader((tmp_path / "plain-runs.csv").read_text().splitlines()))
    assert {row["label_noise"] for row in runs} == {"0.0", "0.1"}


def test_second_call_computes_nothing_and_draws_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = {path: path.read_bytes() for path in make("plain", tmp_path, workers=1)}

    def refused(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("simulate.sweeps.measures.measure", refused)
    monkeypatch.setattr("simulate.simulation.run", refused)
    assert {path: path.read_bytes() for path in make("plain", tmp_path, workers=1)} == first
    assert Computed.times == 1
    assert {path.suffix for path in first} == {*SUFFIXES, ".csv"}


def test_bytes_do_not_depend_on_the_folder(tmp_path: Path) -> None:
    one, two = (make("plain", tmp_path / name, workers=1) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_quick_and_full_results_are_kept_apart(tmp_path: Path) -> None:
    for quick, rows in ((True, 3), (False, 5), (True, 3)):
        make("plain", tmp_path, quick=quick, workers=1)
        assert len((tmp_path / "plain-squares.csv").read_text().splitlines()) == rows + 1
    assert Computed.times == 2


def test_failing_figure_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make", "broken", "plain", "--out", str(tmp_path), "--workers", "1"]) == 1
    said = capsys.readouterr()
    assert said.err == "failed: broken: ZeroDivisionError: nothing to divide\n"
    assert said.out.startswith("plain: ")
    assert (tmp_path / "plain.png").exists()
    assert not (tmp_path / "broken.png").exists()


def test_figure_that_cannot_be_loaded_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "figures.gallery.broken")
    made = list(make_all(NAMES, tmp_path, quick=True, workers=1))
    assert main(["make", "all", "--quick", "--out", str(tmp_path), "--workers", "1"]) == 1
    assert [(one.name, bool(one.error)) for one in made] == [("plain", False), ("broken", True)]
    assert "figures.gallery.broken" in made[1].error


@pytest.mark.parametrize("names", [["nosuch"], ["plain", "nosuch"], ["all", "nosuch"]])
def test_unknown_figure_is_refused_before_anything_is_made(
    names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["make", *names, "--out", str(tmp_path)]) == 2
    assert "nosuch" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("workers", ["0", "-1", "1.5", "many"])
def test_number_of_processes_is_checked(workers: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make", "plain", "--out", str(tmp_path), f"--workers={workers}"]) == 2
    assert "workers" in capsys.readouterr().err


def test_folder_that_is_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("occupied")
    assert main(["make", "plain", "--out", str(tmp_path / "out")]) in (1, 2)
    assert "out" in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "occupied"


def test_picture_that_cannot_be_written_is_a_failure_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plain.pdf").mkdir()
    assert main(["make", "plain", "--quick", "--out", str(tmp_path), "--workers", "1"]) == 1
    assert "plain.pdf" in capsys.readouterr().err


def test_figures_are_made_in_processes_of_their_own(tmp_path: Path) -> None:
    # The stand-ins are not there in other processes: each of them says so.
    made = list(make_all(NAMES, tmp_path, quick=True, workers=2))
    assert {one.name for one in made} == set(NAMES)
    assert all(one.error.startswith("SettingError") for one in made)


def test_lost_process_is_a_failure_of_its_figure() -> None:
    lost: Future[Made] = Future()
    lost.set_exception(BrokenProcessPool("a process ended"))
    assert outcome("plain", lost, 2.0) == Made(name="plain", seconds=2.0, error="BrokenProcessPool: a process ended")


def test_recipe_without_meaning_is_none() -> None:
    with pytest.raises(ValueError, match="without a meaning"):
        Recipe(meaning="", results=results, draw=draw, reading="up: squares")


def test_unknown_figure_is_named() -> None:
    with pytest.raises(SettingError, match="nosuch"):
        gallery.find_figure("nosuch")
