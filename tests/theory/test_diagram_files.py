"""Phase diagrams as files: what was predicted comes back, whole or not at all, and bad requests are refused."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from theory.cli import main
from theory.diagrams.diagram import PHASES, PhaseDiagram, phase_diagram
from theory.diagrams.files import QUANTITIES, save_diagram
from theory.errors import OutputError, SettingError
from theory.setting import TaskDistribution

TASK = TaskDistribution(num_high=2, num_low=6, p_high=0.8, context_length=4)


@pytest.fixture(scope="module")
def diagram() -> PhaseDiagram:
    axes = {"x": ("relevant_examples", [2, 4, 6]), "y": ("steps", [10, 1000])}
    return phase_diagram(TASK, **axes, skip_impossible=True)  # type: ignore[arg-type]


def test_csv_has_every_possible_point(diagram: PhaseDiagram, tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    save_diagram(diagram, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * int(diagram.possible.sum()) == 8
    for row in rows:
        i = diagram.y.tolist().index(float(row["steps"]))
        j = diagram.x.tolist().index(float(row["relevant_examples"]))
        group = diagram[row["group"]]
        for name in QUANTITIES:
            value = getattr(group, name)[i, j]
            assert PHASES[value] == row[name] if name == "phase" else float(row[name]) == value


def test_npz_has_the_arrays_without_pickle(diagram: PhaseDiagram, tmp_path: Path) -> None:
    path = tmp_path / "grid.npz"
    save_diagram(diagram, path)
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["axes"].tolist() == ["relevant_examples", "steps"]
        assert (arrays["possible"] == diagram.possible).all()
        for group in diagram.groups:
            for name in QUANTITIES:
                assert (arrays[f"{group.name}_{name}"] == getattr(group, name)).all()


def test_without_steps_there_is_no_column_of_them(tmp_path: Path) -> None:
    axes = {"x": ("p_high", [0.5, 0.8]), "y": ("label_noise", [0.0, 0.1])}
    without = phase_diagram(TASK, **axes, in_steps=False)  # type: ignore[arg-type]
    whole = phase_diagram(TASK, **axes)  # type: ignore[arg-type]
    assert without["low"].sharp_steps is None
    assert whole["low"].sharp_steps is not None
    assert (without["low"].sharp == whole["low"].sharp).all()
    save_diagram(without, tmp_path / "grid.csv")
    header = (tmp_path / "grid.csv").read_text(encoding="utf-8").splitlines()[0]
    assert "sharp_steps" not in header
    assert "sharp" in header


def test_command_writes_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "grid.csv"
    asked = ["diagram", "paper", "--x", "p_high=0.5:0.9:3", "--y", "label_noise=0,0.1", "--out", str(path)]
    assert main(asked) == 0
    assert "high: 6 points transient" in capsys.readouterr().out
    first = path.read_text(encoding="utf-8").splitlines()[1].split(",")
    assert (float(first[0]), float(first[1]), first[2]) == (0.5, 0.0, "high")
    assert math.isfinite(float(first[-1]))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"--out": "grid.txt"}, "ends in .csv or .npz"),
        ({"--out": "nowhere/grid.csv"}, "there is no folder"),
        ({"--x": "p_high"}, "key=low:high:count"),
        ({"--x": "p_hihg=0.5:0.9:3"}, "did you mean 'p_high'?"),
        ({"--y": "label_noise=0:2:3"}, "label_noise"),
    ],
)
def test_bad_requests_are_one_line(
    change: dict[str, str],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = {"--x": "p_high=0.5:0.9:3", "--y": "label_noise=0,0.1", "--out": "grid.csv", **change}
    assert main(["diagram", "paper", *(part for pair in asked.items() for part in pair)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert named in error
    assert list(tmp_path.iterdir()) == []


def test_bad_names_from_python(diagram: PhaseDiagram, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"\.csv or \.npz"):
        save_diagram(diagram, tmp_path / "grid")
    with pytest.raises(OutputError):
        save_diagram(diagram, tmp_path / "nowhere" / "grid.csv")
