"""The figure of agreement: random settings with their predictions, their runs, and what is drawn of both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from figures.gallery import agreement as figure
from figures.random_settings import BASE, GROUPS, axis_of_cases, random_settings
from simulate.sweeps.grid import Grid, with_changes
from simulate.sweeps.sweeping import stored_sweep, sweep
from simulate.sweeps.tables import Table, quantity
from tests.figures.gallery_checks import an_axis
from theory.setting_file import assemble_task, read
from theory.solver import predict


@pytest.fixture(scope="module")
def cases() -> Table:
    return random_settings(seed=5, number=3, most_steps=600)


def made_up(factor: float = 1.0) -> Table:
    """Boundaries of six settings: simulated exactly as predicted but for a factor, one of them unknown."""
    predicted = np.geomspace(20, 9000, 12).reshape(6, 2)
    steps = np.ma.MaskedArray(factor * predicted * (1 + 0.1 * np.sin(np.arange(12)).reshape(6, 2)))
    steps[3, 1] = np.ma.masked
    low = steps * 0.85
    low[0, 0] = 0.0

    class Simulated:
        def values(self, name: str) -> Any:
            return {"crossing_steps": steps, "crossing_low": low, "crossing_high": steps * 1.15}[name].copy()

    labels = {"case": np.array(list("abcdef")), "class": np.array(GROUPS)}
    found = {"predicted_steps": quantity(["case", "class"], predicted, "steps", "predicted")}
    return figure.side_by_side(Table(coordinates=labels, quantities=found), Simulated())  # type: ignore[arg-type]


def test_boundaries_are_those_of_predict(cases: Table) -> None:
    changes = axis_of_cases(cases).changes
    for place, of_case in enumerate(changes[:2]):
        prediction = predict(*assemble_task(with_changes(read(BASE), of_case)))
        expected = [entry.vanish_steps for entry in prediction.entries]
        assert cases.quantities["predicted_steps"].values[place] == pytest.approx(expected, rel=1e-9)
        assert min(entry.vanish_visits.sharp or 0 for entry in prediction.entries) >= 3
    # Settings differ from each other, and so do their boundaries.
    assert len({str(change) for change in changes}) == len(changes)


def test_settings_follow_from_the_seed(cases: Table) -> None:
    again = random_settings(seed=5, number=1, most_steps=600)
    assert axis_of_cases(again).changes[0] == axis_of_cases(cases).changes[0]
    assert cases.quantities["predicted_steps"].values.max() <= 600


def test_simulated_boundaries_are_put_beside_the_predicted_ones(
    cases: Table, tmp_path_factory: pytest.TempPathFactory
) -> None:
    grid = Grid(setting=read(BASE), axes=(axis_of_cases(cases),), steps=2400, replicates=32, seed=2)
    folder = tmp_path_factory.mktemp("runs")
    sweep(grid, folder, 1)
    simulated = stored_sweep(folder)
    table = figure.side_by_side(cases, simulated)
    assert table.quantities["simulated"].masked.tolist() == simulated.values("crossing_steps").tolist()
    # Half as large and twice as large boundaries would not do: errors of early ones are tens of per cent at most.
    errors = table.quantities["error"].masked.compressed()
    assert errors.size == 6
    assert np.median(np.abs(errors)) < 20


def test_errors_and_coverage_are_counted() -> None:
    table = made_up()
    simulated = table.quantities["simulated"].masked
    expected = 100 * (simulated / table.quantities["predicted"].values - 1)
    assert table.quantities["error"].masked.tolist() == expected.tolist()
    assert table.quantities["error_low"].values[0, 0] == -100
    assert np.all(table.quantities["error_low"].masked <= table.quantities["error_high"].masked)
    assert table.quantities["inside"].masked.compressed().all()
    assert not made_up(1.4).quantities["inside"].masked[1:].compressed().any()


def test_points_are_the_boundaries() -> None:
    columns = figure._columns(made_up())
    assert columns["known"].sum() == 11
    with an_axis() as axis:
        drawn = figure.draw_identity(axis, columns)
        assert drawn["identity"].get_xdata().tolist() == drawn["identity"].get_ydata().tolist()
        points = drawn["low"][0]
        of_group = columns["known"] & (columns["group"] == 1)
        assert points.get_xdata().tolist() == columns["predicted"][of_group].tolist()
        assert points.get_ydata().tolist() == columns["simulated"][of_group].tolist()
    with an_axis() as axis:
        drawn = figure.draw_errors(axis, columns)
        assert drawn["low"][0].get_ydata().tolist() == columns["error"][of_group].tolist()
        assert "0 in 11 of 11 intervals" in axis.texts[0].get_text()
    with an_axis() as axis:
        assert figure.draw_spread(axis, columns)["counts"].sum() == 11


def test_errors_beyond_the_panel_are_at_its_edge() -> None:
    columns = figure._columns(made_up(3.0))
    with an_axis() as axis:
        assert set(figure.draw_errors(axis, columns)["high"][0].get_ydata()) == {figure.SHOWN_ERROR}
        assert figure.draw_spread(axis, columns)["counts"].sum() == 11


def test_bars_beyond_the_panel_end_in_arrows() -> None:
    columns = figure._columns(made_up())
    with an_axis() as axis:
        figure.draw_errors(axis, columns)
        arrows = {line.get_gid(): list(line.get_xdata()) for line in axis.lines}
    # One interval begins at 0 steps, 100 % below its prediction.
    assert arrows["below-high"] == [columns["predicted"][0]]
    assert arrows["below-low"] == arrows["above-high"] == arrows["above-low"] == []
    with an_axis() as axis:
        figure.draw_errors(axis, figure._columns(made_up(3.0)))
        arrows = {line.get_gid(): list(line.get_xdata()) for line in axis.lines}
    assert len(arrows["above-high"]) == 6
