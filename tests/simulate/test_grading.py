"""What an answer is worth: each measure against values by hand, and against wrong variants."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.evaluation.estimates import Estimate, plain
from simulate.evaluation.exam import CellName
from simulate.evaluation.grading import MEASURES, cross_entropy, expected_error, grade
from simulate.evaluation.questions import Questions, noisy_outcomes
from simulate.evaluation.results import EvaluationCell, cell_of, values_of

Array = NDArray[np.float64]


def questions(label: Any, outcomes: Any, chances: Any) -> Questions:
    """Questions of one lane with the labels given."""
    labels = np.array(label)[:, None]
    nothing = np.zeros_like(labels)
    return Questions(
        PromptBlock(nothing, labels, nothing, nothing, nothing), np.array(outcomes)[:, None], np.array(chances)
    )


def graded(asked: Questions, g: Any, h: Any, gate: Any) -> dict[str, float]:
    laws = (np.array(law, dtype=float)[:, None, :] for law in (g, h))
    return dict(zip(MEASURES, grade(asked, *laws, np.array(gate)[:, None])[:, 0].tolist(), strict=True))


def test_two_labels_by_hand() -> None:
    """Two questions with the right labels 0 and 1, noise 0.1 each, and the labels 0 and 0 drawn."""
    asked = questions([0, 0], [[0, 1], [1, 0]], [0.9, 0.1])
    found = graded(asked, g=[[0.8, 0.2], [0.4, 0.6]], h=[[0.3, 0.7], [0.5, 0.5]], gate=[0.5, 0.25])
    log = math.log
    expected = {
        "error_in_weight": 0 + 1,
        "error_in_context": 1 + 0.5,
        "error_gated": 0 + 1,  # f is (0.55, 0.45) and (0.475, 0.525)
        "cross_entropy_in_weight": -0.9 * log(0.8) - 0.1 * log(0.2) - 0.9 * log(0.6) - 0.1 * log(0.4),
        "cross_entropy_in_context": -0.9 * log(0.3) - 0.1 * log(0.7) - log(0.5),
        "cross_entropy_gated": -0.9 * log(0.55) - 0.1 * log(0.45) - 0.9 * log(0.525) - 0.1 * log(0.475),
        "gate": 0.75,
        "distance_to_in_weight": 0.5 * 1.0 + 0.75 * 0.2,
        "distance_to_in_context": 0.5 * 1.0 + 0.25 * 0.2,
    }
    assert found == pytest.approx(expected, rel=1e-14)


@settings(max_examples=50, deadline=None)
@given(
    arrays(np.float64, (2, 6, 2, 3), elements=st.floats(0.01, 1)),
    arrays(np.float64, (6, 2), elements=st.floats(0, 1)),
    st.integers(0, 2**32 - 1),
)
def test_measures_are_what_a_loop_over_questions_finds(raw: Array, gate: Array, seed: int) -> None:
    g, h = raw / raw.sum(axis=-1, keepdims=True)
    drawn = np.random.default_rng(seed)
    label, own = drawn.integers(3, size=(2, 6, 2))
    outcomes, chances = noisy_outcomes(own, 3, 0.3, 2)
    nothing = np.zeros_like(label)
    asked = Questions(PromptBlock(nothing, label, nothing, nothing, nothing), outcomes, chances)
    found = grade(asked, g, h, gate)
    expected = np.zeros_like(found)
    for row in range(6):
        for lane in range(2):
            laws = [g[row, lane], h[row, lane]]
            laws.append(gate[row, lane] * laws[0] + (1 - gate[row, lane]) * laws[1])
            q = np.full(3, 0.15)
            q[own[row, lane]] = 0.7
            best = [set(np.flatnonzero(law > law.max() * (1 - 1e-12)).tolist()) for law in laws]
            errors = [1 - (label[row, lane] in tied) / len(tied) for tied in best]
            losses = [-float(q @ np.log(law)) for law in laws]
            apart = [float(np.abs(laws[2] - laws[i]).sum()) for i in (0, 1)]
            expected[:, lane] += [*errors, *losses, gate[row, lane], *apart]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_ties_are_broken_evenly() -> None:
    law = np.array([0.4, 0.4, 0.2])
    assert [float(expected_error(law, np.array(label))) for label in range(3)] == [0.5, 0.5, 1.0]
    to_the_first = [float(law.argmax() != label) for label in range(3)]
    assert to_the_first == [0.0, 1.0, 1.0]  # what a bare argmax says


def test_rounding_is_no_preference() -> None:
    """Sums of the same weights in another order may differ in their last digit."""
    tie = np.array([0.1 + 0.2, 0.3, 0.4 - 1e-17])
    tie[2] = 0.3
    assert tie[0] > tie[1]
    assert float(expected_error(tie, np.array(1))) == pytest.approx(2 / 3, rel=1e-15)
    clear = np.array([0.3 + 1e-9, 0.3, 0.4])[:2]
    assert float(expected_error(clear, np.array(1))) == 1.0


def test_a_label_that_cannot_be_needs_no_probability() -> None:
    law, outcomes = np.array([0.0, 1.0]), np.array([1, 0])
    assert float(cross_entropy(law, outcomes, np.array([1.0, 0.0]))) == 0.0
    assert float(cross_entropy(law, outcomes, np.array([0.9, 0.1]))) == math.inf


@pytest.mark.parametrize(("noise", "kind"), [(0.0, 1), (0.2, 1), (0.2, 3), (1.0, 1), (1.0, 3)])
def test_noisy_outcomes_are_a_law(noise: float, kind: int) -> None:
    outcomes, chances = noisy_outcomes(np.array([2, 3]), 4, noise, kind)
    assert float(chances.sum()) == pytest.approx(1, rel=1e-15)
    assert (chances > 0).all()
    law = np.zeros((2, 4))
    np.put_along_axis(law, outcomes, np.broadcast_to(chances, outcomes.shape), axis=-1)
    expected = np.zeros((2, 4))
    for row, own in enumerate((2, 3)):
        expected[row, own] += 1 - noise
        for step in range(1, kind + 1):
            expected[row, (own + step) % 4] += noise / kind
    assert law == pytest.approx(expected, rel=1e-14)


GOOD = np.full((2, 1, 2), 0.5)
BAD_LAWS = {
    "NaN": np.where(np.arange(4).reshape(2, 1, 2) == 0, np.nan, 0.5),
    "negative": np.array([[[1.5, -0.5]], [[0.5, 0.5]]]),
    "no law": np.full((2, 1, 2), 0.4),
    "logarithms": np.log(GOOD),
    "infinite": np.full((2, 1, 2), np.inf),
}


@pytest.mark.parametrize("wrong", BAD_LAWS)
def test_what_is_no_law_is_refused(wrong: str) -> None:
    asked = questions([0, 1], [[0], [1]], [1.0])
    gate = np.full((2, 1), 0.5)
    assert np.isfinite(grade(asked, GOOD, GOOD, gate)).all()
    with pytest.raises(ValueError, match="in_weight is not a probability law"):
        grade(asked, BAD_LAWS[wrong], GOOD, gate)
    with pytest.raises(ValueError, match="in_context is not a probability law"):
        grade(asked, GOOD, BAD_LAWS[wrong], gate)


@pytest.mark.parametrize("gate", [np.full((2, 1), np.nan), np.full((2, 1), 1.1), np.full((2, 1), -0.1), np.zeros(2)])
def test_what_is_no_gate_is_refused(gate: Array) -> None:
    with pytest.raises(ValueError, match="gate: expected numbers from 0 to 1"):
        grade(questions([0, 1], [[0], [1]], [1.0]), GOOD, GOOD, gate)


def test_laws_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="label law of in_weight has the shape"):
        grade(questions([0, 1], [[0], [1]], [1.0]), GOOD[0], GOOD, np.zeros((2, 1)))


# Estimates.


@pytest.mark.parametrize("replicates", [4, 20])
def test_standard_errors_cover(replicates: int) -> None:
    """Of 4000 intervals for a Bernoulli share, about as many hold it as Student's law says.

    Means of 50 questions are near enough to normal that the coverage is 0.95 to within 0.01. The observed share has a
    standard deviation of 0.0034, so that leaving 0.95 +- 0.025 has a false-alarm rate below 1e-4, and a standard error
    that is too small by a quarter is seen.
    """
    student = {4: 3.1824, 20: 2.0930}[replicates]
    drawn = np.random.default_rng(3).binomial(50, 0.3, size=(4000, replicates)) / 50
    estimate = Estimate(drawn)
    apart = np.abs(estimate.mean - 0.3)

    def coverage(error: Array) -> float:
        return float((apart <= student * error).mean())

    assert coverage(estimate.standard_error) == pytest.approx(0.95, abs=0.025)
    without_root = drawn.std(axis=-1, ddof=1)
    assert coverage(without_root) > 0.975
    twice_divided = without_root / replicates
    assert coverage(twice_divided) < 0.925


def test_one_replicate_has_no_standard_error() -> None:
    assert Estimate(np.array([0.25])).standard_error is None
    assert Estimate(np.array([0.25])).to_dict() == {"mean": 0.25, "standard_error": None}


def test_infinite_losses_stay_infinite_and_are_no_number_of_json() -> None:
    estimate = Estimate(np.array([[np.inf, 1.0], [2.0, 4.0]]))
    assert estimate.mean.tolist() == [np.inf, 3.0]
    assert estimate.standard_error.tolist() == [np.inf, 1.0]
    assert estimate.to_dict() == {"mean": [None, 3.0], "standard_error": [None, 1.0]}


def test_plain_values() -> None:
    assert plain(None) is None
    assert plain(np.float64(0.5)) == 0.5
    assert plain(np.ma.masked_array([1.0, 2.0], [True, False])) == [None, 2.0]


# In-context share.


def cell(towards: Any, away: Any) -> EvaluationCell:
    """A cell with the distances of f from g and from h."""
    first, second = np.array(towards, dtype=float), np.array(away, dtype=float)
    values = np.zeros((len(MEASURES), *first.shape))
    values[-2:] = first, second
    return cell_of(CellName("in-base", "relevant", "low"), values)


@pytest.mark.parametrize("gate", [0.0, 0.2, 0.75, 1.0])
def test_share_is_one_less_the_gate_where_that_is_constant(gate: float) -> None:
    drawn = np.random.default_rng(1)
    g, h = drawn.dirichlet(np.ones(4), size=(2, 30, 3))
    own = drawn.integers(4, size=(30, 3))
    asked = Questions(PromptBlock(own, own, own, own, own), own[..., None], np.ones(1))
    values = grade(asked, g, h, np.full((30, 3), gate))
    share = cell_of(CellName("in-base", "relevant", "low"), values).in_context_share
    assert share is not None
    assert share.of_replicates == pytest.approx(np.full(3, 1 - gate), rel=1e-13, abs=0)


def test_share_weighs_questions_by_how_far_the_predictors_are_apart() -> None:
    asked = questions([0, 0], [[0], [0]], [1.0])
    found = graded(asked, g=[[1.0, 0.0], [0.5, 0.5]], h=[[0.0, 1.0], [0.6, 0.4]], gate=[0.9, 0.0])
    share = found["distance_to_in_weight"] / (found["distance_to_in_weight"] + found["distance_to_in_context"])
    assert share == pytest.approx((0.1 * 2 + 0.2) / 2.2, rel=1e-13)
    assert share != pytest.approx((0.1 + 1.0) / 2, rel=0.1)  # the unweighted mean


def test_where_the_predictors_agree_there_is_no_share() -> None:
    assert cell([0, 0], [0, 0]).in_context_share is None
    assert cell([0, 1], [0, 1]).in_context_share is None  # one replicate of two has none
    assert cell([0, 0], [0, 0]).to_dict()["in_context_share"] is None


def test_a_point_without_share_is_masked() -> None:
    share = cell([[0, 1], [1, 3]], [[0, 1], [3, 1]]).in_context_share
    assert share is not None
    assert share.mean.mask.tolist() == [True, False]
    assert float(share.mean[1]) == 0.5
    assert share.to_dict()["mean"] == [None, 0.5]
    assert share.to_dict()["standard_error"] == [None, 0.25]


def test_a_cell_keeps_its_values() -> None:
    values = np.random.default_rng(2).random((len(MEASURES), 5, 3))
    made = cell_of(CellName("out-of-base", "irrelevant", "high"), values)
    assert np.array_equal(values_of(made), values)
    assert np.array_equal(made.error.in_context.of_replicates, values[1])
    assert np.array_equal(made.cross_entropy.in_weight.of_replicates, values[3])
    assert np.array_equal(made.gate.of_replicates, values[6])
