"""The paper's bounds: what is predicted, what is simulated, and what is drawn."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from figures.gallery import paper_bounds as figure
from figures.gathered import stacked
from simulate.sweeps.tables import Table
from tests.figures.gallery_checks import an_axis, interval_of, made_twice

VISITS = [1, 2, 4, 8]


@pytest.fixture(scope="module")
def predicted() -> Table:
    return figure.predictions(VISITS, 1)


@pytest.fixture(scope="module")
def simulated() -> dict[int, Table]:
    return {k: figure.simulation(k, VISITS, 16, 5, 1) for k in figure.IRRELEVANT}


@pytest.mark.parametrize("irrelevant", [1, 2, 3])
def test_mean_loss_on_the_circle_by_a_grid_of_angles(irrelevant: int) -> None:
    """The trapezoidal rule over all angles at once; the loss of mean weights is refused."""
    one = np.exp(2 * np.cos(2 * np.pi * np.arange(60) / 60) - 2)
    total = np.array([sum(weights) for weights in itertools.product(one, repeat=irrelevant)])
    exact = np.log1p(total / (8 - irrelevant)).mean()
    assert figure.mean_loss_on_circle(irrelevant) == pytest.approx(exact, rel=1e-11)
    assert np.log1p(irrelevant * one.mean() / (8 - irrelevant)) != pytest.approx(exact, rel=0.01)


def test_predictions_by_their_formulas(predicted: Table) -> None:
    n, k = np.array(VISITS), np.array(figure.IRRELEVANT)
    values = {name: found.values for name, found in predicted.quantities.items()}
    assert values["in_weight_linear"] == pytest.approx(9 / (n + 1))
    assert values["in_weight_exact"] == pytest.approx(np.log((n + 10) / (n + 1)))
    assert np.all(values["in_weight_root"] > values["in_weight_linear"])
    assert values["in_context_upper"] == pytest.approx(np.log(8 / (8 - k)))
    assert values["in_context_lower"] == pytest.approx(k / (k + (8 - k) * np.exp(4)))
    assert values["in_context_published"] == pytest.approx(2 * values["in_context_lower"])
    assert np.all(values["in_context_lower"] < values["in_context_exact"])
    assert np.all(values["in_context_exact"] < values["in_context_upper"])
    at_crossing = np.log((values["crossing"] + 10) / (values["crossing"] + 1))
    assert at_crossing == pytest.approx(values["in_context_exact"])


def test_simulation_against_the_exact_values(predicted: Table, simulated: dict[int, Table]) -> None:
    """G to rounding; h within Student's interval of all visits, false alarms below one in 100,000 for each k."""
    refused = 0
    for place, (k, table) in enumerate(simulated.items()):
        assert table.quantities["in_weight"].values == pytest.approx(predicted.quantities["in_weight_exact"].values)
        exact = predicted.quantities["in_context_exact"].values[place]
        mean, low = (table.quantities[f"in_context{end}"].values for end in ("", "_low"))
        # Replicates are independent; their visits, which share inputs, are not: no more is made of four than of one.
        allowed = (mean - low) / stats.t.ppf(0.975, 15) * stats.t.ppf(1 - 1e-5 / 8, 15)
        assert np.all(np.abs(mean - exact) < allowed), k
        refused += bool(np.any(np.abs(mean - 2 * exact) > allowed))
    assert refused == len(simulated)


def test_the_published_bound_is_broken_and_the_corrected_one_is_not(simulated: dict[int, Table]) -> None:
    shares = [float(table.quantities["below_published"].values) for table in simulated.values()]
    # One irrelevant example: the angle is beyond 130.6 degrees. Its share is known, and that of replicates varies.
    odds = np.exp(np.log(np.expm1(2 / (1 + 7 * np.exp(4)))) + np.log(7))
    exact = 1 - np.arccos(1 + np.log(odds) / 2) / np.pi
    assert shares[0] == pytest.approx(exact, abs=0.1)
    assert shares == sorted(shares, reverse=True)


def test_single_losses_lie_between_the_corrected_bounds(predicted: Table, simulated: dict[int, Table]) -> None:
    for place, table in enumerate(simulated.values()):
        lower, upper, published = (
            predicted.quantities[f"in_context_{name}"].values[place] for name in ("lower", "upper", "published")
        )
        single = table.quantities["in_context_quantiles"].values
        assert np.all(np.diff(single) > 0)
        # The floor of the attention moves a loss by 1e-11 at most.
        assert lower - 1e-10 < single[0] < single[-1] < upper + 1e-10
        below = float(table.quantities["below_published"].values)
        assert (single[0] < published) == (below > 0)
        assert (single[1] < published) == (below > 0.05)


def test_what_is_drawn(predicted: Table, simulated: dict[int, Table]) -> None:
    results = stacked("irrelevant", np.array(figure.IRRELEVANT), list(simulated.values()))
    for place, k in enumerate(figure.IRRELEVANT):
        with an_axis() as axis:
            drawn: dict[str, Any] = figure.draw_panel(axis, predicted, results, k)
        for name in ("root", "linear", "exact"):
            values = predicted.quantities[f"in_weight_{name}"].values
            assert drawn[f"in_weight_{name}"].get_ydata().tolist() == values.tolist()
        for name in ("upper", "lower", "exact", "published"):
            level = predicted.quantities[f"in_context_{name}"].values[place]
            assert set(drawn[f"in_context_{name}"].get_ydata()) == {level}
        means, ends = interval_of(drawn["in_context_simulated"])
        assert means == simulated[k].quantities["in_context"].values.tolist()
        assert [low for low, _ in ends] == pytest.approx(simulated[k].quantities["in_context_low"].values)
        single = simulated[k].quantities["in_context_quantiles"].values
        for name, ends in (("range", single[[0, -1]]), ("most", single[[1, -2]]), ("half", single[[2, -3]])):
            assert drawn[f"single_{name}"].get_segments()[0][:, 1] == pytest.approx(ends)
        assert drawn["single_median"].get_ydata() == [single[3]]
        assert drawn["crossing"].get_segments()[0][0, 0] == predicted.quantities["crossing"].values[place]


def test_made_and_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure, "QUICK", figure.Sampling(most_visits=8, replicates=2))
    files = made_twice("paper-bounds", tmp_path, monkeypatch, ("predictions", "simulation"))
    assert (tmp_path / "paper-bounds-predicted.csv") in files
