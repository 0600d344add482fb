"""Overlays: what is drawn is read back from the artists and compared with what was predicted and simulated."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from figures.cli import main
from figures.numbers import boundary_rows
from figures.overlay_figure import LINES, overlay
from figures.style import save_figure
from simulate.comparison import Axis, Comparison, compare_along, compare_one
from theory.command import number
from theory.errors import SettingError
from theory.setting_file import assemble, read

SMALL = ["num_high=3", "num_low=7", "p_high=0.8", "context_length=4", "relevant_examples=2"]


@pytest.fixture(scope="module")
def along_noise() -> Comparison:
    axis = Axis(parameter="label_noise", values=(0.05, 0.1, 0.2))
    return compare_along(read("transient", overrides=SMALL), axis, 3000, 6, 1)


@pytest.fixture(scope="module")
def of_counts() -> Comparison:
    overrides = ["frequencies=zipf", "num_classes=12", "zipf_exponent=1.0", "context_length=4", "relevant_examples=2"]
    setting = read("transient", overrides=overrides)
    return compare_one(*assemble(setting), 4000, 6, 1)


def line(axis: object, kind: str) -> tuple[np.ndarray, np.ndarray]:
    found = [artist for artist in axis.lines if artist.get_gid() == kind]
    assert len(found) == 1
    return np.asarray(found[0].get_xdata(), dtype=float), np.asarray(found[0].get_ydata(), dtype=float)


def test_lines_are_the_predicted_boundaries(along_noise: Comparison) -> None:
    figure = overlay(along_noise)
    for index, name in enumerate(("high", "low")):
        axis = figure.axes[index]
        assert name in axis.get_title()
        pairs = [*zip(along_noise.values, along_noise.predictions, strict=True), *along_noise.between]
        entries = [prediction[name] for _, prediction in sorted(pairs, key=lambda pair: pair[0])]
        x, y = line(axis, "sharp")
        assert x.tolist() == [entry.vanish_steps for entry in entries]
        assert y.tolist() == sorted([*along_noise.values, *(value for value, _ in along_noise.between)])
        assert set(along_noise.values) < set(y.tolist())
        x, _ = line(axis, "instantaneous")
        assert x.tolist() == [e.vanish_visits.instantaneous / e.class_probability for e in entries]
        x, _ = line(axis, "asymptotic")
        expected = [e.vanish_visits.asymptotic for e in entries]
        assert np.isnan(x).tolist() == [value is None for value in expected]


def test_points_are_the_simulated_boundaries_with_their_intervals(along_noise: Comparison) -> None:
    axis = overlay(along_noise).axes[0]
    (bars,) = axis.containers
    points, _, (segments,) = bars
    results = [run["high"].boundary for run in along_noise.runs]
    assert points.get_xdata().tolist() == [boundary.steps for boundary in results]
    for segment, boundary in zip(segments.get_segments(), results, strict=True):
        low, high = boundary.interval
        assert segment[:, 0].tolist() == pytest.approx([max(low, 1.0), high])


def test_field_is_the_simulated_mean_gate(along_noise: Comparison) -> None:
    axis = overlay(along_noise).axes[1]
    (mesh,) = axis.collections[:1]
    field = np.asarray(mesh.get_array()).reshape(3, -1)
    for row, run in zip(field, along_noise.runs, strict=True):
        curve = run["low"].curve
        assert curve.mean.min() - 1e-12 <= row.min() <= row.max() <= curve.mean.max() + 1e-12
    edges = mesh.get_coordinates()[0, :, 0]
    middle = np.sqrt(edges[1:] * edges[:-1])
    curve = along_noise.runs[1]["low"].curve
    assert np.abs(np.interp(middle, curve.steps, curve.mean) - field[1]).max() < 0.02


def test_a_single_setting_is_drawn_against_the_class_probability(of_counts: Comparison) -> None:
    figure = overlay(of_counts.predictions[0], of_counts.runs[0])
    axis = figure.axes[0]
    assert axis.get_yscale() == "log"
    x, y = line(axis, "sharp")
    assert sorted(y.tolist()) == sorted(entry.class_probability for entry in of_counts.predictions[0].entries)
    assert set(LINES) == {artist.get_gid() for artist in axis.lines if artist.get_gid() in LINES}
    by_probability = {e.class_probability: e.vanish_steps for e in of_counts.predictions[0].entries}
    assert x.tolist() == [by_probability[p] for p in y.tolist()]


def test_classes_of_a_task_without_groups_along_a_parameter() -> None:
    axis = Axis(parameter="num_classes", values=(4, 8))
    comparison = compare_along(read("zipf", overrides=["relevant_examples=2"]), axis, 500, 2, 0)
    assert [a.get_title()[:7] for a in overlay(comparison).axes[:3]] == ["class 0", "class 1", "class 3"]
    assert len(boundary_rows(comparison)) == 12


def test_groups_without_a_parameter_are_drawn_as_curves(along_noise: Comparison) -> None:
    prediction, run = along_noise.predictions[1], along_noise.runs[1]
    figure = overlay(prediction, run)
    for axis, name in zip(figure.axes, ("high", "low"), strict=True):
        assert name in axis.get_title()
        steps, gate = line(axis, "predicted")
        assert gate.tolist() == prediction[name].mean_gate(steps.astype(int)).tolist()
        steps, gate = line(axis, "simulated")
        curve = run[name].curve
        assert gate.tolist() == curve.mean[np.searchsorted(curve.steps, steps)].tolist()


def test_prediction_without_its_own_run_is_refused(along_noise: Comparison) -> None:
    with pytest.raises(SettingError, match="own task and model"):
        overlay(along_noise.predictions[0], along_noise.runs[1])
    with pytest.raises(SettingError, match="run is missing"):
        overlay(along_noise.predictions[0])


def test_files_are_the_same_bytes_when_drawn_again(along_noise: Comparison, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save_figure(overlay(along_noise), tmp_path / folder / "overlay")
    for name in ("overlay.png", "overlay.pdf", "overlay.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_command_leaves_picture_and_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = [argument for pair in SMALL for argument in ("--set", pair)]
    code = main(
        ["overlay", "transient", *pairs, "--vary", "label_noise=0.05:0.2:2", "--replicates", "3", "--steps", "2000",
         "--out", str(tmp_path / "deep" / "folder")]
    )  # fmt: skip
    assert code == 0
    folder = tmp_path / "deep" / "folder"
    assert sorted(path.name for path in folder.iterdir()) == [
        "boundaries.csv",
        "field.csv",
        "overlay.pdf",
        "overlay.png",
        "overlay.svg",
    ]
    with (folder / "boundaries.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["label_noise"], row["class"]) for row in rows] == [
        ("0.05", "high"), ("0.05", "low"), ("0.2", "high"), ("0.2", "low"),
    ]  # fmt: skip
    printed = capsys.readouterr().out
    assert "4 of 4 predicted boundaries were reached in the simulation" in printed
    for row in rows:
        assert f" {number(float(row['predicted_steps']))} " in printed
