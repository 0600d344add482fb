"""The Zipf law: predicted shares and slopes against simulated ones, and what is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from figures.gallery import zipf_law as figure
from figures.gathered import stacked
from simulate.sweeps.tables import Table
from tests.figures.gallery_checks import an_axis, interval_of, made_twice

STEPS = figure.chosen_steps(figure.Sampling(exponents=(2.0,), steps=16_000, replicates=2, points=7))
REPLICATES = 24


@pytest.fixture(autouse=True)
def few_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure, "CLASSES", 400)


@pytest.fixture
def results() -> dict[str, Table]:
    exponents = (1.4, 2.0, 3.0)
    predicted = [figure.prediction(a, STEPS, 1) for a in exponents]
    simulated = [figure.simulation(a, STEPS[::2], REPLICATES, 8, 1) for a in exponents]
    labels = np.array(exponents)
    return {
        "predicted": stacked("exponent", labels, predicted),
        "simulated": stacked("exponent", labels, simulated),
    }


def test_simulation_against_prediction_and_what_is_drawn(results: dict[str, Table]) -> None:
    """False alarms of the 12 shares and 3 slopes together below one in 10,000, by Student's law."""
    predicted, simulated = results["predicted"].quantities, results["simulated"].quantities
    wider = stats.t.ppf(1 - 1e-4 / 30, REPLICATES - 1) / stats.t.ppf(0.975, REPLICATES - 1)
    allowed = wider * (simulated["share"].values - simulated["share_low"].values)
    shares = predicted["share"].values[:, ::2]
    assert np.all(np.abs(simulated["share"].values - shares) < allowed)
    # Of so few classes the power law is wrong where the last one is felt, and so is its slope.
    assert np.any(np.abs(simulated["share"].values - predicted["power_law"].values[:, ::2]) > allowed)
    allowed = wider * (simulated["slope"].values - simulated["slope_low"].values)
    assert np.all(np.abs(simulated["slope"].values - predicted["slope"].values) < allowed)
    assert np.abs(simulated["slope"].values - predicted["power_law_slope"].values)[0] > allowed[0]
    check_drawing(results)


def check_drawing(results: dict[str, Table]) -> None:
    predicted, simulated = results["predicted"], results["simulated"]
    with an_axis() as axis:
        drawn = figure.draw_shares(axis, predicted, simulated)
    for place, exponent in enumerate((1.4, 2.0, 3.0)):
        share = predicted.quantities["share"].values[place]
        assert drawn[f"predicted {exponent}"].get_ydata().tolist() == share.tolist()
        points, ends = interval_of(drawn[f"simulated {exponent}"])
        assert points == simulated.quantities["share"].values[place].tolist()
        assert [high for _, high in ends] == pytest.approx(simulated.quantities["share_high"].values[place])
    with an_axis() as axis:
        error = figure.draw_ratios(axis, predicted, simulated)["error 2.0"]
    expected = simulated.quantities["share"].values[1] / predicted.quantities["share"].values[1, ::2] - 1
    assert interval_of(error)[0] == expected.tolist()
    with an_axis() as axis:
        slopes = figure.draw_slopes(axis, predicted, simulated)
    assert slopes["predicted"].get_ydata().tolist() == predicted.quantities["slope"].values.tolist()
    with an_axis() as axis:
        error = figure.draw_slope_errors(axis, predicted, simulated)["error"]
    slope = predicted.quantities["slope"].values
    middle, ends = interval_of(error)
    assert middle == (simulated.quantities["slope"].values / slope - 1).tolist()
    # Slopes are negative: the lower end of a slope is the upper end of its error.
    assert [high for _, high in ends] == pytest.approx(simulated.quantities["slope_low"].values / slope - 1)


def test_slopes_are_those_of_the_late_points() -> None:
    steps = np.array([1.0, 10.0, 40.0, 100.0, 300.0])
    shares = np.random.default_rng(4).random((3, 5))
    late = slice(1, None)
    expected = [np.polyfit(np.log(steps[late]), np.log(row[late]), 1)[0] for row in shares]
    assert figure._slope(steps, shares) == pytest.approx(expected, rel=1e-10)


def test_the_jackknife_removes_the_bias_of_a_logarithm() -> None:
    """Shares 1/N with a coin's noise early on: over 4000 repetitions the mean slope is -1, to 5 standard errors."""
    steps = np.array([100.0, 1000.0])
    noise = np.random.default_rng(6).choice([0.2, 1.8], size=(4000, 12, 1))
    shares = np.concatenate([noise / 100, np.full(noise.shape, 1 / 1000)], axis=2)
    slopes = np.array([figure.slopes_of_mean(steps, own).mean() for own in shares])
    own = np.array([figure._slope(steps, own).mean() for own in shares])
    error = slopes.std(ddof=1) / np.sqrt(slopes.size)
    assert abs(slopes.mean() + 1) < 5 * error + 0.002
    assert abs(own.mean() + 1) > 0.1


def test_made_and_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = figure.Sampling(exponents=(1.4, 2.0, 3.0), steps=2000, replicates=2, points=5)
    monkeypatch.setattr(figure, "QUICK", few)
    made_twice("zipf-law", tmp_path, monkeypatch, ("prediction", "simulation"))
