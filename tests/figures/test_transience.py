"""The figure of transience: exact risks along the training, and simulated means with their errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import comb

from figures.gallery import find_figure
from figures.gallery.transience import GROUPS, draw, draw_gates, draw_losses
from figures.recipe import canvas
from figures.style import style
from figures.training_table import predicted_training
from simulate.sweeps.grid import Grid
from simulate.sweeps.sweeping import stored_sweep, sweep
from theory.in_weight import LabelLaw, risk
from theory.setting_file import read

STEPS = [10, 60, 400, 2000]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    setting = read("transient", overrides=["num_high=2", "num_low=4", "context_length=4", "relevant_examples=2"])
    options = {"prompts": 40, "checkpoints": 6}
    grid = Grid(setting=setting, axes=(), steps=2000, replicates=24, measure="trace", options=options)
    folder = tmp_path_factory.mktemp("trace")
    sweep(grid, folder, 1)
    return {"predicted": predicted_training(setting, STEPS), "simulated": stored_sweep(folder)}


def test_loss_of_the_table_is_averaged_over_visits(results: dict[str, Any]) -> None:
    labels = LabelLaw(total_labels=6, noise=0.05, noisy_labels=1)
    found = results["predicted"].quantities["loss_in_weight"].values
    for row, probability in zip(found, (0.45, 0.025), strict=True):
        for value, number in zip(row[:2], STEPS[:2], strict=True):
            n = np.arange(number + 1)
            weights = comb(number, n) * probability**n * (1 - probability) ** (number - n)
            assert value == pytest.approx(float(weights @ risk(n, labels, 0.5)), rel=1e-9)
    # Not the risk at the mean number of visits, which Jensen's inequality puts below.
    assert found[1, 1] > 1.02 * risk(60 * 0.025, labels, 0.5)


def test_simulation_agrees_within_its_errors(results: dict[str, Any]) -> None:
    predicted, simulated = results["predicted"], results["simulated"]
    at = {"base": "in-base", "context": "relevant", "checkpoint": 2000}
    for place, group in enumerate(GROUPS):
        for part, expected in (
            ("in_weight", predicted.quantities["loss_in_weight"].values[place, -1]),
            ("in_context", predicted.quantities["loss_in_context"].values[place]),
        ):
            mean = float(simulated.values(f"cross_entropy_{part}", **at, **{"class": group}))
            error = float(simulated.values(f"cross_entropy_{part}_standard_error", **at, **{"class": group}))
            # Four numbers within 4.5 standard errors of t with 23 degrees of freedom: one false alarm in 1,500 seeds.
            assert abs(mean - expected) < 4.5 * error
            assert abs(mean - 1.5 * expected) > 4.5 * error


def test_lines_and_points_are_the_tables(results: dict[str, Any]) -> None:
    predicted, simulated = results["predicted"].quantities, results["simulated"]
    for place, group in enumerate(GROUPS):
        _, axes = canvas(3.4, 4.0, 2, 1)
        losses, gates = draw_losses(axes[0, 0], results, group), draw_gates(axes[1, 0], results, group)
        assert losses["in_weight"].get_xdata().tolist() == STEPS
        assert losses["in_weight"].get_ydata().tolist() == predicted["loss_in_weight"].values[place].tolist()
        assert set(losses["in_context"].get_ydata()) == {predicted["loss_in_context"].values[place]}
        assert gates["gate"].get_ydata().tolist() == predicted["gate"].values[place].tolist()
        assert gates["share"].get_ydata().tolist() == (1 - predicted["gate"].values[place]).tolist()
        at = {"base": "in-base", "context": "relevant", "class": group}
        points, _, (bars,) = losses["simulated-gated"]
        mean = simulated.values("cross_entropy_gated", **at)
        assert points.get_ydata().tolist() == mean.compressed().tolist()
        half = 2 * simulated.values("cross_entropy_gated_standard_error", **at).filled(0.0)
        lengths = [segment[1, 1] - segment[0, 1] for segment in bars.get_segments()]
        assert lengths == pytest.approx((2 * half[~np.ma.getmaskarray(mean)]).tolist(), rel=1e-9)
        assert not {"gated"} & set(losses)
        for axis in axes[:, 0]:
            ends = {str(line.get_gid()): line.get_xdata()[0] for line in axis.lines}
            assert ends["overtaking"] == predicted["overtaking_steps"].values[place]
            assert ends["crossing"] == predicted["crossing_steps"].values[place]


def test_g_overtakes_h_where_their_risks_are_equal(results: dict[str, Any]) -> None:
    labels = LabelLaw(total_labels=6, noise=0.05, noisy_labels=1)
    found = {name: table.values for name, table in results["predicted"].quantities.items()}
    for place, probability in enumerate((0.45, 0.025)):
        visits = found["overtaking_steps"][place] * probability
        before, after = (float(risk(number, labels, 0.5)) for number in (visits - 1, visits + 1))
        assert after < found["loss_in_context"][place] < before
        assert found["overtaking_steps"][place] < found["crossing_steps"][place]


def test_figure_has_frequent_classes_beside_rare_ones(results: dict[str, Any]) -> None:
    with style():
        figure = draw(results)
    assert [axis.get_title() for axis in figure.axes[:2]] == ["high-frequency classes", "low-frequency classes"]
    assert figure.axes[0].get_ylabel() == "mean loss, nats"
    said = " ".join(text.get_text() for text in figure.legends[0].get_texts())
    assert all(word in said for word in ("lines: predicted", "markers: simulated", "overtakes", "ends"))
    assert figure.axes[2].get_xlabel() == "steps of the stream, $N$"
    assert find_figure("transience").draw is draw
