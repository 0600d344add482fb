"""Phase maps: what theory says is what is drawn, and phases are read off simulations as they are defined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from figures.gallery import find_figure
from figures.gallery.phase_map import MAPS, draw
from figures.phase_panel import DECADES, draw_map, misses
from figures.phase_table import IN_WEIGHT, PERSISTENT, TRANSIENT, predicted_phases, simulated_phases
from figures.recipe import canvas
from figures.style import style
from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import Table, quantity
from theory.setting_file import assemble_task, read
from theory.solver import predict

X, Y = "model.in_context.floor", "model.gate.prior_in_weight"
FLOORS, PRIORS = [0.0, 0.001, 0.01, 0.09], [0.1, 0.5, 0.97]


@pytest.fixture(scope="module")
def predicted() -> Table:
    return predicted_phases(read("paper", overrides=["p_relevant=1.0"]), X, FLOORS, Y, PRIORS, "high")


def swept(gates: Any, errors: Any, crossing: Any) -> SweepTable:
    """A sweep over one prior and some floors, with these curves of the high-frequency classes."""
    number = len(gates)
    coordinates = {
        Y: np.array([0.5]),
        X: np.array(FLOORS[:number]),
        "class": np.array(["high"]),
        "stratum": np.array(["high"]),
        "checkpoint": np.arange(1, len(gates[0]) + 1),
    }
    curves = (Y, X, "stratum", "checkpoint")
    crossings = [[[value] for value in crossing]]
    return SweepTable(
        axes=(Y, X),
        coordinates=coordinates,
        quantities={
            "gate": quantity(curves, np.array(gates)[None, :, None, :], "", "gate"),
            "gate_standard_error": quantity(curves, np.array(errors)[None, :, None, :], "", "error"),
            "crossing_steps": quantity((Y, X, "class"), crossings, "steps", "crossing"),
            "crossing_low": quantity((Y, X, "class"), crossings, "steps", "low"),
            "crossing_high": quantity((Y, X, "class"), crossings, "steps", "high"),
        },
        complete=np.ones((1, number), dtype=np.bool_),
        possible=np.ones((1, number), dtype=np.bool_),
        description={},
    )


def test_table_holds_the_phases_of_predict(predicted: Table) -> None:
    names = {"in-weight": IN_WEIGHT, "transient": TRANSIENT, "persistent": PERSISTENT}
    seen = set()
    for i, prior in enumerate(PRIORS):
        for j, floor in enumerate(FLOORS):
            overrides = ["p_relevant=1.0", f"{X}={floor}", f"{Y}={prior}"]
            entry = predict(*assemble_task(read("paper", overrides=overrides)))["high"]
            assert predicted.quantities["phase"].values[i, j] == names[entry.phase]
            steps = predicted.quantities["steps"].masked[i, j]
            if entry.phase == "transient":
                assert steps == pytest.approx(entry.vanish_steps, rel=0.02)
            else:
                assert steps is np.ma.masked
            seen.add(entry.phase)
    assert seen == set(names)


def test_simulated_phases() -> None:
    gates = [[0.5, 0.1, 0.1], [0.5, 0.2, 0.9], [0.5, 0.48, 0.9], [0.5, 0.6, 0.9]]
    errors = [[0.0, 0.01, 0.01]] * 4
    found = simulated_phases(swept(gates, errors, [None, 2.4, 2.1, None]), "high").quantities
    # 0.48 is two standard errors below 1/2: that may be chance.
    assert found["phase"].values.tolist() == [[PERSISTENT, TRANSIENT, IN_WEIGHT, IN_WEIGHT]]
    for name in ("steps", "steps_low", "steps_high"):
        assert found[name].masked.tolist() == [[None, 2.4, None, None]]
    clear = simulated_phases(swept(gates[2:3], [[0.0, 0.005, 0.01]], [2.1]), "high").quantities
    assert clear["phase"].values.tolist() == [[TRANSIENT]]
    assert clear["steps"].masked.tolist() == [[2.1]]


def at_one_prior(predicted: Table) -> Table:
    """The predictions for the prior 1/2 and the first three floors."""
    found = predicted.quantities
    return Table(
        coordinates={Y: np.array([0.5]), X: np.array(FLOORS[:3])},
        quantities={
            "phase": quantity((Y, X), found["phase"].values[1:2, :3], "", "phase"),
            "steps": quantity((Y, X), found["steps"].masked[1:2, :3], "steps", "steps"),
        },
    )


def test_misses_are_other_phases_and_intervals_beside_the_boundary(predicted: Table) -> None:
    expected = at_one_prior(predicted)
    steps = expected.quantities["steps"].masked[0]
    assert np.ma.getmaskarray(steps).tolist() == [True, False, False]
    curves = [[0.5, 0.1, 0.1], [0.5, 0.2, 0.9], [0.5, 0.2, 0.9]]
    for crossing, missed in (
        ([None, steps[1], steps[2]], [False, False, False]),
        ([None, 1.01 * steps[1], steps[2]], [False, True, False]),
        ([None, steps[1], 0.99 * steps[2]], [False, False, True]),
    ):
        found = simulated_phases(swept(curves, [[0.01] * 3] * 3, crossing), "high")
        assert misses(expected, found).tolist() == [missed]
    other = simulated_phases(swept(curves[1:] + curves[:1], [[0.01] * 3] * 3, [9.0, steps[1], None]), "high")
    assert misses(expected, other).tolist() == [[True, False, True]]


def test_map_shows_boundaries_contours_and_points(predicted: Table) -> None:
    simulated = simulated_phases(
        swept([[0.5, 0.1, 0.1], [0.5, 0.2, 0.9], [0.5, 0.6, 0.9]], [[0.01] * 3] * 3, [None, 900.0, None]), "high"
    )
    _, axes = canvas(3.4, 3.0)
    axes[0, 0].set_xscale("log")
    artists = draw_map(axes[0, 0], predicted, simulated, at_one_prior(predicted))
    shown = np.ma.asarray(artists.mesh.get_array()).reshape(3, 3)
    expected = np.ma.log10(predicted.quantities["steps"].masked[:, 1:])
    assert np.ma.getmaskarray(shown).tolist() == np.ma.getmaskarray(expected).tolist()
    assert shown.compressed().tolist() == expected.compressed().tolist()
    assert set(artists.points) == {IN_WEIGHT, TRANSIENT, PERSISTENT}
    (place,) = artists.points[TRANSIENT].get_offsets().tolist()
    assert place == [0.001, 0.5]
    assert artists.mesh.get_clim() == DECADES
    # The boundary is not at 900 steps, and the last point has another phase.
    assert artists.misses.get_xydata().tolist() == [[0.001, 0.5], [0.01, 0.5]]
    # The floor 0 is beside the logarithmic axis, within what is shown.
    (strip,) = artists.points[PERSISTENT].get_offsets().tolist()
    assert axes[0, 0].get_xlim()[0] < strip[0] < 0.001
    least, most = expected.min(), expected.max()
    assert artists.contours.levels.tolist() == [level for level in range(1, 6) if least < level < most]


@pytest.mark.parametrize("name", list(MAPS))
def test_maps_are_predicted_where_they_are_simulated(name: str) -> None:
    chart = MAPS[name]
    for axis in (chart.x, chart.y):
        fine = axis.fine(7)
        assert fine == sorted(fine)
        assert len(fine) == 7 + (axis.simulated[0] == 0)
        assert fine[-1] == pytest.approx(axis.ends[1], rel=1e-12)
        assert all(axis.ends[0] <= value <= axis.ends[1] for value in axis.simulated if value > 0)


def test_figure_names_the_phases_and_counts_what_agrees() -> None:
    results: dict[str, Any] = {}
    held: dict[str, str] = {}
    for name, chart in MAPS.items():
        setting = read(chart.preset, overrides=list(chart.overrides))
        x, y = chart.x.simulated, chart.y.simulated
        fine = predicted_phases(setting, chart.x.name, chart.x.fine(9), chart.y.name, chart.y.fine(9), "high")
        at_points = predicted_phases(setting, chart.x.name, x, chart.y.name, y, "high")
        off = at_points.quantities["steps"].masked
        # Every boundary is 10 % below what is predicted, with intervals that hold half of the predictions.
        wide = np.where(np.arange(off.size).reshape(off.shape) % 2 == 0, 1.05, 0.95)
        own = {"steps": off * 0.9, "steps_low": off * 0.8, "steps_high": off * wide}
        columns = {key: quantity((chart.y.name, chart.x.name), value, "steps", key) for key, value in own.items()}
        shown = Table(coordinates=at_points.coordinates, quantities={"phase": at_points.quantities["phase"]} | columns)
        results |= {name: fine, f"{name}-at-points": at_points, f"{name}-simulated": shown}
        held[name] = f"{np.count_nonzero((wide > 1) & ~np.ma.getmaskarray(off))} of {off.count()}\nin the"
    with style():
        figure = draw(results)
    titles = [axis.get_title() for axis in figure.axes[:2]]
    assert "25 of 25 phases as predicted" in titles[0]
    assert "30 of 30 phases as predicted" in titles[1]
    for title, text in zip(titles, held.values(), strict=True):
        assert text in title
        assert "median error 11 %" in title
    for axis, expected in zip(figure.axes[:2], ({0, 1}, {0, 1, 2}), strict=True):
        named = {text.get_gid() for text in axis.texts if str(text.get_gid()).startswith("name-")}
        assert named == {f"name-{phase}" for phase in expected}
    crosses = [line for axis in figure.axes[:2] for line in axis.lines if line.get_gid() == "missed"]
    assert [line.get_xdata().size for line in crosses] == [
        int(held[n].split()[2]) - int(held[n].split()[0]) for n in MAPS
    ]
    recipe = find_figure("phase-map")
    assert recipe.draw is draw
    assert all(f"{chart.steps:,} steps" in recipe.reading for chart in MAPS.values())
