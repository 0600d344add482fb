"""Errors by examples: exact errors against independent sums and simulation, and what is drawn."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from figures.exact_errors import predicted_errors, table_answers
from figures.gallery import errors_by_examples as figure
from simulate.sweeps.grid import Grid
from simulate.sweeps.sweeping import stored_sweep, sweep
from tests.figures.gallery_checks import an_axis, interval_of
from theory.errors import NoTheoryError
from theory.setting_file import read

OVERRIDES = ["label_noise=0.1", "num_high=2", "num_low=3"]
REPLICATES = 60
LAST = 200


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    setting = read("paper", overrides=OVERRIDES)
    options = {"prompts": 60, "checkpoints": 4}
    grid = Grid(setting=setting, axes=(), steps=LAST, replicates=REPLICATES, measure="trace", options=options)
    folder = tmp_path_factory.mktemp("trace")
    sweep(grid, folder, 1)
    simulated = stored_sweep(folder)
    steps = simulated.coordinates["checkpoint"].tolist()
    return {"predicted": predicted_errors(setting, steps), "simulated": simulated}


def test_errors_are_those_of_simulated_learners(results: dict[str, Any]) -> None:
    """44 means within 5 standard errors of t with 59 degrees of freedom: one false alarm in 4,000 seeds."""
    predicted, simulated = results["predicted"], results["simulated"]
    away = []
    for base, group in product(("in-base", "out-of-base"), ("high", "low")):
        for context in ("relevant", "irrelevant"):
            _, exact = figure._exact(predicted, base, context, group)
            for part, expected in exact.items():
                at = {"base": base, "context": context, "class": group}
                mean = np.asarray(simulated.values(f"error_{part}", **at))
                error = np.maximum(np.asarray(simulated.values(f"error_{part}_standard_error", **at)), 1e-3)
                assert np.all(np.abs(mean - expected) < 5 * error), (base, group, context, part)
                away.append(np.abs(mean - (expected - 0.08)) > 5 * error)
    # Errors that are 0.08 lower, the least possible ones of a noise of 0.02, are rejected nearly everywhere.
    assert np.mean(away) > 0.7


def test_table_answers_as_a_plain_double_sum_says() -> None:
    noise, probability, steps = 0.2, 0.15, [0, 1, 7, 40]
    found = table_answers(noise, probability, steps)
    for column, count in zip(found.T, steps, strict=True):
        expected = np.zeros(3)
        for n in range(count + 1):
            for k in range(n + 1):
                chance = binom.pmf(n, count, probability) * binom.pmf(k, n, 1 - noise)
                place = 2 if n == 0 else (0 if 2 * k > n else 1)
                shares = np.array([0.5, 0.5, 0]) if n and 2 * k == n else np.eye(3)[place]
                expected += chance * shares
        assert column == pytest.approx(expected, rel=1e-11, abs=1e-15)
        assert column.sum() == pytest.approx(1, rel=1e-12)


def test_answers_of_long_histories_are_the_own_label() -> None:
    own, noisy, none = table_answers(0.05, 0.2, [3000])[:, 0]
    assert own == pytest.approx(1, rel=1e-12)
    assert 0 <= noisy < 1e-15
    assert none < 1e-200


def test_copying_is_counted_over_all_labels(results: dict[str, Any]) -> None:
    """Relevant contexts: the copied and the drawn label are alike with both noisy or neither."""
    found = results["predicted"].quantities["error_in_context"].values
    assert found[:, 0] == pytest.approx(1 - (0.9**2 + 0.1**2), rel=1e-12)
    # A frequent query, an irrelevant context: alike only where one of the two labels of neighbours is noisy.
    weights = np.array([0.45, 0.45, 0.1 / 3, 0.1 / 3, 0.1 / 3])
    laws = [{own: 0.9, (own + 1) % 5: 0.1} for own in range(5)]
    errors = []
    for query in (0, 1):
        others = [c for c in range(5) if c != query]
        alike = [sum(laws[query][y] * laws[c].get(y, 0.0) for y in laws[query]) for c in others]
        errors.append(1 - float(np.average(alike, weights=weights[others])))
    assert found[0, 1, 0] == pytest.approx(np.mean(errors), rel=1e-12)


@pytest.mark.parametrize(
    "override",
    ["context_length=2", "label_noise_kind=symmetric", "num_labels=5", "context_label_noise=0.2", "label_noise=0.5"],
)
def test_other_tasks_are_refused(override: str) -> None:
    with pytest.raises(NoTheoryError):
        predicted_errors(read("paper", overrides=["label_noise=0.1", override]), [10])


def test_lines_and_points_are_the_numbers(results: dict[str, Any]) -> None:
    predicted, simulated = results["predicted"], results["simulated"]
    with an_axis() as axis:
        drawn = figure.draw_errors(axis, results, "out-of-base", "relevant", "low")
    assert drawn["in_weight"].get_ydata().tolist() == predicted.quantities["error_in_weight"].values[1, 1].tolist()
    assert set(drawn["in_context"].get_ydata()) == {predicted.quantities["error_in_context"].values[1, 0, 1]}
    assert drawn["crossing"].get_xdata()[0] == predicted.quantities["crossing_steps"].values[1]
    assert drawn["band"].get_x() + drawn["band"].get_width() == predicted.quantities["band_high"].values[1]
    at = {"base": "out-of-base", "context": "relevant", "class": "low"}
    mean = np.asarray(simulated.values("error_gated", **at))
    error = np.asarray(simulated.values("error_gated_standard_error", **at))
    points, ends = interval_of(drawn["simulated-gated"])
    assert points == mean.tolist()
    assert np.array(ends) == pytest.approx(np.stack([mean - 2 * error, mean + 2 * error], axis=1))


def test_every_kind_of_question_has_panels(results: dict[str, Any]) -> None:
    drawn = figure.draw(results)
    assert len(drawn.axes) == 2 * len(figure.QUESTIONS)
    for axis in drawn.axes:
        assert {"$g$", "$h$", "$f$"} <= {text.get_text() for text in axis.texts}
    handles = drawn.legends[0].get_texts()
    assert len(handles) == 7
    assert {axis.get_xlabel() for axis in drawn.axes[-2:]} == {"steps of the stream, $N$"}
