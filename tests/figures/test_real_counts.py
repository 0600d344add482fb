"""Words of a real text: their counts, predictions and runs, and what is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from figures import word_tables
from figures.gallery import real_counts as figure
from simulate.simulation import run
from simulate.sweeps.grid import Grid
from simulate.sweeps.sweeping import stored_sweep, sweep
from simulate.sweeps.tables import Table
from tests.figures.gallery_checks import an_axis
from theory.setting_file import assemble_task
from theory.solver import predict

WORDS = ("the", "is", "object", "function", "python")


@pytest.fixture(autouse=True)
def few_words(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "few_words.csv"
    counts = (400, 160, 80, 50, 30)
    path.write_text("class,count\n" + "".join(f"{w},{n}\n" for w, n in zip(WORDS, counts, strict=True)))
    monkeypatch.setattr(word_tables, "_counts", lambda: path)
    monkeypatch.setattr(figure, "NAMED", WORDS)
    monkeypatch.setattr(figure, "ALONG", ())


@pytest.fixture
def results(tmp_path: Path) -> dict[str, Table]:
    setting = word_tables.word_setting()
    grid = Grid(setting=setting, axes=(), steps=4000, replicates=24, options={"curve_points": 12})
    sweep(grid, tmp_path, 1)
    simulated = stored_sweep(tmp_path)
    shares = word_tables.simulated_shares(simulated)
    steps = shares.coordinates["steps"].tolist()
    return {
        "predicted": word_tables.predicted_words(word_tables.counts_digest(), list(WORDS), steps),
        "words": word_tables.simulated_words(simulated),
        "shares": shares,
    }


def test_predictions_are_those_of_predict_and_the_simulation_agrees(results: dict[str, Table]) -> None:
    task, model = assemble_task(word_tables.word_setting())
    prediction = predict(task, model)
    predicted = results["predicted"].quantities
    expected = [entry.vanish_steps for entry in prediction.entries]
    assert predicted["predicted_steps"].values == pytest.approx(expected, rel=1e-9)
    steps = results["predicted"].coordinates["steps"]
    mass = np.array([entry.class_probability for entry in prediction.entries])
    gates = np.array([entry.mean_gate(steps) for entry in prediction.entries])
    assert predicted["context_share"].values == pytest.approx(mass @ (1 - gates), rel=1e-6)
    shares = results["shares"].quantities
    away = np.abs(shares["context_share"].values - predicted["context_share"].values)
    error = np.maximum(shares["context_share_standard_error"].values, 1e-3)
    # Twelve dependent means within 5 standard errors, t with 23 degrees of freedom: below one false alarm in 1,000.
    assert np.all(away < 5 * error)
    # Words instead of tokens would be another share.
    assert np.any(np.abs(shares["context_share"].values - (1 - gates).mean(axis=0)) > 5 * error)
    check_drawing(results)


def check_drawing(results: dict[str, Table]) -> None:
    predicted = results["predicted"]
    with an_axis() as axis:
        drawn = figure.draw_words(axis, results)
    assert drawn["predicted"].get_xdata().tolist() == sorted(predicted.quantities["predicted_steps"].values.tolist())
    known = ~np.ma.getmaskarray(results["words"].quantities["simulated_high"].masked)
    words = {name: values.values[known] for name, values in results["words"].quantities.items()}
    points = drawn["simulated"][0]
    assert points.get_xdata().tolist() == words["simulated_steps"].tolist()
    assert points.get_ydata().tolist() == (100 * words["class_probability"]).tolist()
    assert "the" in [label.get_text() for label in drawn["names"]]
    with an_axis() as axis:
        drawn = figure.draw_share(axis, results)
    assert drawn["predicted"].get_ydata().tolist() == (100 * predicted.quantities["context_share"].values).tolist()
    assert drawn["kink"].get_text() == "\u201cthe\u201d\nchanges over"
    assert drawn["kink"].xy[0] == predicted.quantities["predicted_steps"].values[0]
    assert len(figure.draw(results).axes) == 2


def test_shares_are_summed_over_single_words(tmp_path: Path) -> None:
    """With a stratum for each word, the share is the sum over words of frequency times one minus the mean gate."""
    setting = word_tables.word_setting()
    sweep(Grid(setting=setting, axes=(), steps=500, replicates=4, options={"curve_points": 5}), tmp_path, 1)
    simulated = stored_sweep(tmp_path)
    found = word_tables.simulated_shares(simulated)
    again: Any = run(*assemble_task(setting), steps=500, replicates=4, seed=int(_seed(tmp_path)))
    mass = sum(entry.class_probability * (1 - entry.curve.mean[-1]) for entry in again.entries)
    assert found.quantities["context_share"].values[-1] == pytest.approx(mass, rel=1e-9)


def _seed(folder: Path) -> int:
    from simulate.sweeps.sweep_folder import grid_of_folder

    return grid_of_folder(folder).cells[0].configuration.seed


def test_counts_are_whole_and_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    few = word_tables.counts_digest()
    monkeypatch.undo()
    assert word_tables.counts_digest() != few
    task, _ = assemble_task(word_tables.word_setting())
    assert task.total_classes == 3092
    assert (task.name_of(0), task.counts[0], sum(task.counts)) == ("the", 4585, 60221)
    assert set(figure.NAMED) | set(figure.ALONG) <= {task.name_of(i) for i in range(3092)}
    with pytest.raises(ValueError, match="digest"):
        word_tables.predicted_words(few, ["the"], [10])
