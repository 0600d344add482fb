"""Overlays of the gallery: tables hold what theory and simulation say, and the figure shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from figures.boundary_table import agreement, predicted_boundaries
from figures.gallery import find_figure
from figures.gallery.overlay_input_noise import FULL, QUICK, SETTING
from figures.knob_overlay import (
    BASE,
    FIXED,
    GROUPS,
    Knob,
    Sampling,
    _between,
    draw_knob,
    group_panel,
    knob_grid,
    knob_recipe,
)
from figures.style import style
from figures.workbench import Workbench
from simulate.comparison import settings_along
from simulate.run_result import Run
from simulate.simulation import run
from simulate.sweeps.sweeping import stored_sweep, sweep
from simulate.sweeps.tables import Table, quantity
from theory.setting_file import assemble_task, read
from theory.solver import predict

NOISES = (0.05, 0.2)
KNOBS = ("p-high", "num-low", "context-length", "relevant-examples", "p-relevant", "label-noise")
SAMPLING = Sampling(values=NOISES, steps=3000, replicates=6)


@pytest.fixture(scope="module")
def setting() -> dict[str, Any]:
    return read("transient", overrides=["num_high=3", "num_low=7", "context_length=4", "relevant_examples=2"])


@pytest.fixture(scope="module")
def results(setting: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("knob")
    sweep(knob_grid(setting, "label_noise", SAMPLING), folder, 1)
    simulated = stored_sweep(folder)
    predicted = predicted_boundaries(setting, "label_noise", [0.05, 0.1, 0.2])
    return {"predicted": predicted, "simulated": simulated, "agreement": agreement(predicted, simulated)}


def runs(setting: dict[str, Any]) -> list[Run]:
    """The simulations of the sweep, made directly."""
    cells = knob_grid(setting, "label_noise", SAMPLING).cells
    seeds = [cell.configuration.seed for cell in cells]
    tasks = [assemble_task(cell.configuration.setting) for cell in cells]
    return [run(*task, SAMPLING.steps, SAMPLING.replicates, seed) for task, seed in zip(tasks, seeds, strict=True)]


def test_table_holds_what_is_predicted(setting: dict[str, Any], results: dict[str, Any]) -> None:
    found = results["predicted"].quantities
    for i, task in enumerate(settings_along(setting, "label_noise", [0.05, 0.1, 0.2])):
        prediction = predict(*task)
        for j, entry in enumerate(prediction.entries):
            probability = entry.class_probability
            assert entry.rigorous_steps is not None
            expected = {
                "sharp": entry.vanish_steps,
                "instantaneous": (entry.vanish_visits.instantaneous or 0) / probability,
                "bracket_low": entry.rigorous_steps.lower,
                "bracket_high": entry.rigorous_steps.upper,
                "class_probability": probability,
            }
            assert {name: found[name].values[i, j] for name in expected} == expected
            asymptotic = entry.vanish_visits.asymptotic
            assert found["asymptotic"].masked[i, j] in (np.ma.masked, (asymptotic or 0) / probability)


def test_panels_hold_prediction_and_simulation_of_their_group(setting: dict[str, Any], results: dict[str, Any]) -> None:
    own = runs(setting)
    for group in GROUPS:
        panel = group_panel(results, group)
        assert panel.rows.tolist() == list(NOISES)
        assert panel.positions.tolist() == [0.05, 0.1, 0.2]
        sharp = results["predicted"].quantities["sharp"].masked[:, GROUPS.index(group)]
        assert panel.predicted["sharp"].tolist() == sharp.tolist()
        boundaries = [(r[group].boundary.steps, r[group].boundary.interval) for r in own]
        assert [(point.steps, point.interval) for point in panel.points] == [b for b in boundaries if b[0] is not None]
        for curve, single in zip(panel.curves, own, strict=True):
            whole = single[group].curve
            assert curve.mean.tolist() == whole.mean[np.searchsorted(whole.steps, curve.steps)].tolist()
    high, low = (group_panel(results, group).predicted["sharp"] for group in GROUPS)
    assert (high < low).all()


def test_agreement_compares_at_the_simulated_values(results: dict[str, Any]) -> None:
    found = results["agreement"].quantities
    sharp = results["predicted"].quantities["sharp"].values[[0, 2]]
    simulated = results["simulated"].values("crossing_steps")
    known = ~np.ma.getmaskarray(simulated)
    assert known.sum() >= 3
    expected = sharp[known] / simulated.data[known] - 1
    assert found["relative_error"].masked[known].tolist() == pytest.approx(expected.tolist(), rel=1e-12)
    assert np.ma.getmaskarray(found["relative_error"].masked)[~known].all()
    low, high = (results["simulated"].values(f"crossing_{end}") for end in ("low", "high"))
    inside = (low <= sharp) & (sharp <= high)
    assert found["inside"].masked.compressed().tolist() == inside.compressed().tolist()
    # A prediction at other values would be seen: neighbours differ by far more than the intervals allow.
    assert abs(sharp[0, 1] / sharp[1, 1] - 1) > 0.5


def test_agreement_needs_predictions_at_all_simulated_values(setting: dict[str, Any], results: dict[str, Any]) -> None:
    elsewhere = predicted_boundaries(setting, "label_noise", [0.05, 0.1])
    with pytest.raises(ValueError, match=r"0\.2 is not in list"):
        agreement(elsewhere, results["simulated"])


def test_figure_has_both_groups_and_says_how_well_they_agree(results: dict[str, Any]) -> None:
    with style():
        figure = draw_knob(results, "label noise")
    for axis, group in zip(figure.axes[:2], GROUPS, strict=True):
        assert group in axis.get_title()
        found = {name: results["agreement"].quantities[name].masked for name in ("inside", "relative_error")}
        inside, errors = (column[:, GROUPS.index(group)].compressed() for column in found.values())
        said = axis.get_title()
        assert f"line in {inside.sum()} of {inside.size} intervals ({0.95 * inside.size:.1f} expected)" in said
        assert said.endswith(f"largest {100 * np.abs(errors).max():.2g} %")
        (line,) = (line for line in axis.lines if line.get_gid() == "sharp")
        assert line.get_xdata().tolist() == group_panel(results, group).predicted["sharp"].tolist()
    assert figure.axes[0].get_ylabel() == "label noise"
    assert "predicted: mean gate crosses 1/2" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_figure_without_theory_says_so(results: dict[str, Any]) -> None:
    with style():
        figure = draw_knob({"simulated": results["simulated"]}, "label noise")
    for axis in figure.axes[:2]:
        assert "no theory: simulated only" in axis.get_title()
        assert not axis.lines[0].get_gid()
    assert not any("predicted" in text.get_text() for text in figure.legends[0].get_texts())


def test_input_noise_is_simulated_along_the_noise(tmp_path: Path) -> None:
    small = Sampling(values=(0.0, 0.4), steps=300, replicates=2)
    sweep(knob_grid(SETTING, "episodes.inputs.input_noise", small), tmp_path, 1)
    losses = stored_sweep(tmp_path).values("loss_in_context", **{"class": "high"})
    assert losses[1] > losses[0] + 0.3
    assert QUICK.values[0] == FULL.values[0] == 0


@pytest.mark.parametrize("quick", [True, False])
def test_recipe_asks_for_its_own_values(quick: bool, monkeypatch: pytest.MonkeyPatch, results: dict[str, Any]) -> None:
    knob = Knob(parameter="label_noise", label="x", quick=SAMPLING, full=Sampling(values=NOISES, steps=9, replicates=3))
    asked: dict[str, Any] = {}

    def table(*given: Any) -> Any:
        asked["values"] = given[2]["values"]
        return results["predicted"]

    def swept(*given: Any) -> Any:
        asked["steps"] = given[2].steps
        return results["simulated"]

    monkeypatch.setattr(Workbench, "table", table)
    monkeypatch.setattr(Workbench, "sweep", swept)
    found = knob_recipe(knob, "meaning").results(Workbench(Path("nowhere")), quick)
    assert set(found) == {"predicted", "simulated", "agreement"}
    assert asked["values"] == pytest.approx([0.05, 0.0875, 0.125, 0.1625, 0.2])
    # The simulated values are among them exactly: there the two are compared.
    assert set(NOISES) < set(asked["values"])
    assert asked["steps"] == (3000 if quick else 9)


def test_misses_are_those_of_the_agreement(results: dict[str, Any]) -> None:
    table = results["agreement"]
    off = table.quantities["inside"].masked.copy()
    off[~np.ma.getmaskarray(off)] = False
    quantities = {**table.quantities, "inside": quantity(("label_noise", "class"), off, "", "none")}
    changed = results | {"agreement": Table(coordinates=table.coordinates, quantities=quantities)}
    for group in GROUPS:
        inside = table.quantities["inside"].masked[:, GROUPS.index(group)].compressed()
        assert [point.missed for point in group_panel(results, group).points] == [not one for one in inside.tolist()]
        assert all(point.missed for point in group_panel(changed, group).points)
        alone = {"simulated": results["simulated"]}
        assert not any(point.missed for point in group_panel(alone, group).points)


@pytest.mark.parametrize("name", KNOBS)
def test_knobs_have_settings_that_exist(name: str) -> None:
    recipe = find_figure(f"overlay-{name}")
    knob: Knob = recipe.results.args[0]  # type: ignore[attr-defined]
    base = read("transient", overrides=["num_low=45"])
    for sampling in (knob.quick, knob.full):
        assert len(knob_grid(base, knob.parameter, sampling).cells) == len(sampling.values)
    assert f"`{knob.parameter}`" in recipe.reading
    assert f"{knob.full.replicates} runs of {knob.full.steps:,} steps" in recipe.reading


def test_captions_say_what_is_fixed() -> None:
    task = read("transient", overrides=list(BASE))["task"]
    assert set(task) == {*FIXED, "num_high"}
    assert FIXED["num_low"] == f"{task['num_high']} high- and {task['num_low']} low-frequency classes"
    for name, text in FIXED.items():
        assert name == "num_low" or float(text.split()[-1]) == task[name]
        assert text not in find_figure(f"overlay-{name.replace('_', '-')}").reading


def test_whole_numbers_are_predicted_at_whole_numbers_only() -> None:
    assert _between("context_length", (4, 6, 14)) == (4, 5, 6, 8, 10, 12, 14)
