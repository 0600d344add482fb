"""Rigorous brackets: their pieces against exact values, and where they have none."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import xlogy
from scipy.stats import binom

from theory.errors import SettingError
from theory.gating.cell import GateCell
from theory.in_context import InContextLoss, LossLaw
from theory.in_weight import LabelLaw
from theory.numerics.redundancy import pointwise_redundancy, pointwise_slope
from theory.numerics.special import log_rising
from theory.prediction import ClassPrediction
from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, TaskDistribution
from theory.setting_file import load
from theory.single_runs.bracket import Bracket, in_steps, visit_bracket, widest
from theory.single_runs.tail_bounds import log_return_probability, log_spread_moments, side_probability
from theory.solver import predict

TASK = TaskDistribution(num_high=5, num_low=5, p_high=0.9, context_length=4, relevant_examples=1, label_noise=0.1)


def high(confidence: float = 0.95, pseudo_count: float = 0.5, per: str = "query", **changes: object) -> ClassPrediction:
    task = replace(TASK, **changes)  # type: ignore[arg-type]
    model = GatedPredictor(in_weight=DirichletTable(pseudo_count=pseudo_count), gate=BayesGate(per=per))
    return predict(task, model, confidence=confidence)["high"]


# Pointwise redundancy.


@given(
    counts=st.lists(st.integers(0, 300), min_size=1, max_size=6).filter(lambda counts: sum(counts) > 0),
    more=st.integers(0, 50),
    log_b=st.floats(-3, 2),
)
def test_no_sequence_has_more_redundancy(counts: list[int], more: int, log_b: float) -> None:
    b, total, n = 10**log_b, max(2, len(counts) + more), sum(counts)
    redundancy = log_rising(total * b, n) - xlogy(n, n) + sum(xlogy(k, k) - log_rising(b, k) for k in counts)
    bound = pointwise_redundancy(n, total, len(counts), b)
    assert redundancy <= bound + 1e-9 * max(1.0, abs(float(bound)))


@pytest.mark.parametrize("b", [0.01, 0.2, 0.5, 1.0, 7.0])
def test_redundancy_is_reached(b: float) -> None:
    # One label only (b >= 1/2); equal counts, where the bound for smaller b leaves what b = 1/2 leaves.
    n, total = 600, 9
    single = log_rising(total * b, n) - log_rising(b, n)
    equal = log_rising(total * b, n) - xlogy(n, n) + 3 * (xlogy(200, 200) - log_rising(b, 200))
    gap = float(pointwise_redundancy(n, total, 3, b) - max(single, equal))
    assert gap == pytest.approx(0, abs=1e-9) if b >= 0.5 else 0 <= gap < 3


@pytest.mark.parametrize(
    ("total", "support", "b"), [(10, 2, 0.05), (3, 2, 0.01), (2, 2, 0.1), (10, 2, 0.5), (9, 3, 4.0)]
)
def test_redundancy_grows_at_most_along_its_slope(total: int, support: int, b: float) -> None:
    n = np.geomspace(1, 1e7, 300)
    value = pointwise_redundancy(n, total, support, b)
    slope = np.array([pointwise_slope(x, total, support, b) for x in n])
    above = value[None, :] - value[:, None] - slope[:, None] * (n[None, :] - n[:, None])
    assert above[np.triu_indices(n.size)].max() <= 1e-9


# Cumulant of several noisy labels.


@pytest.mark.parametrize(("total", "labels", "b"), [(6, 2, 0.5), (12, 3, 1.0), (25, 9, 0.1), (40, 5, 0.5)])
def test_spread_moments_are_those_of_the_multinomial_law(total: int, labels: int, b: float) -> None:
    tilts = np.array([0.01, 0.3, 0.9])
    found = log_spread_moments(np.arange(total - 3, total + 4, dtype=np.float64), labels, b, tilts)[3]
    for value, tilt in zip(found.tolist(), tilts.tolist(), strict=True):
        with mpmath.workdps(30):
            terms = [mpmath.rf(b, k) ** tilt / mpmath.factorial(k) for k in range(total + 1)]
            power = [mpmath.mpf(1)] + [mpmath.mpf(0)] * total
            for _ in range(labels):
                power = [mpmath.fsum(power[j] * terms[k - j] for j in range(k + 1)) for k in range(total + 1)]
            exact = float(mpmath.log(power[total] * mpmath.factorial(total) / mpmath.mpf(labels) ** total))
        assert value == pytest.approx(exact, abs=1e-6)
        assert value >= exact - 1e-9


# Tail bounds against exact probabilities.


def small_cell(prior: float = 0.0, noise: float = 0.25) -> GateCell:
    loss = InContextLoss(LossLaw(np.array([0.5]), np.ones(1)), LossLaw(np.array([1.5]), np.ones(1)), noise)
    return GateCell(prior, LabelLaw(total_labels=4, noise=noise, noisy_labels=1), 0.5, loss)


@pytest.mark.parametrize("visits", [1, 5, 20, 60])
def test_chernoff_bound_is_above_the_exact_probability(visits: int) -> None:
    cell = small_cell()
    # Both losses are functions of the label counts here: the probability is a binomial sum.
    noisy = np.arange(visits + 1)
    loss = log_rising(2.0, visits) - log_rising(0.5, visits - noisy) - log_rising(0.5, noisy)
    risen = 0.5 * (visits - noisy) + 1.5 * noisy >= loss
    exact = float(binom.pmf(noisy, visits, 0.25)[risen].sum())
    assert exact - 1e-12 <= side_probability(cell, visits, "above") <= 1


def test_return_probability_falls_and_is_never_above_one() -> None:
    values = [log_return_probability(small_cell(), n) for n in (1, 10, 100, 300, 1000)]
    assert values == sorted(values, reverse=True)
    assert values[0] == 0
    assert values[-1] < -20


# Brackets.


def test_brackets_hold_the_sharp_boundary_and_are_nested() -> None:
    previous: ClassPrediction | None = None
    for confidence in (0.5, 0.9, 0.99, 0.9999):
        entry = high(confidence)
        for sharp, bracket in (
            (entry.vanish_visits.sharp, entry.vanish_visits.rigorous),
            (entry.vanish_steps, entry.rigorous_steps),
        ):
            assert sharp is not None
            assert bracket is not None
            assert bracket.lower <= sharp <= bracket.upper
            assert bracket.confidence == confidence
        if previous is not None:
            assert previous.vanish_visits.rigorous is not None
            assert entry.vanish_visits.rigorous is not None
            assert entry.vanish_visits.rigorous.upper > previous.vanish_visits.rigorous.upper
            assert entry.vanish_visits.rigorous.lower <= previous.vanish_visits.rigorous.lower
        previous = entry


@pytest.mark.parametrize("pseudo_count", [0.05, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_every_pseudo_count_and_noise_has_a_bracket(pseudo_count: float, kind: str) -> None:
    entry = high(pseudo_count=pseudo_count, label_noise_kind=kind)
    assert entry.vanish_visits.rigorous is not None
    assert entry.rigorous_steps is not None


@pytest.mark.parametrize(("probability", "confidence"), [(0.3, 0.9), (0.01, 0.95), (1e-4, 0.99)])
def test_steps_leave_the_other_half_to_the_times_of_the_visits(probability: float, confidence: float) -> None:
    visits = Bracket(lower=7.0, upper=30.0, confidence=confidence)
    asked = []

    def known(_: GateCell, inner: float) -> Bracket:
        asked.append(inner)
        return visits

    steps = in_steps(known, small_cell(), probability, confidence)
    assert steps is not None
    assert asked == [pytest.approx((1 + confidence) / 2)]
    quarter = (1 - confidence) / 4
    # The 30th visit comes later than the upper end, the 7th before the lower one, with a quarter of the rest each.
    late = [binom.cdf(29, n, probability) for n in (steps.upper - 1, steps.upper)]
    early = [binom.sf(6, n - 1, probability) for n in (steps.lower, steps.lower + 1)]
    assert late[0] > quarter >= late[1] * (1 - 1e-9)
    assert early[1] > quarter >= early[0] * (1 - 1e-9)


def test_there_is_no_bracket_where_no_bound_is_known_or_learning_persists() -> None:
    assert high(per="query-and-relevance", p_relevant=0.5).vanish_visits.rigorous is None
    # With relevant contexts alone there is one cell, which sees every visit.
    assert high(per="query-and-relevance").vanish_visits.rigorous is not None
    clean = TaskDistribution(num_high=2, num_low=2, p_high=0.5, context_length=1, relevant_examples=1)
    floorless = predict(clean, GatedPredictor(in_context=Attention(floor=0.0)))["high"]
    assert floorless.phase == "persistent"
    assert floorless.vanish_visits.rigorous is None
    assert floorless.rigorous_steps is None


def test_noiseless_boundary_is_certain() -> None:
    # Every run is the same here; what remains is the resolution of the tilts.
    clean = TaskDistribution(num_high=1, num_low=1, p_high=0.5, context_length=1, relevant_examples=1)
    entry = predict(clean)["high"]
    bracket = entry.vanish_visits.rigorous
    assert bracket is not None
    assert entry.vanish_visits.sharp is not None
    assert bracket.upper - bracket.lower <= 1e-3 * bracket.upper
    assert bracket.lower <= entry.vanish_visits.sharp <= bracket.upper


def test_a_group_has_the_widest_bracket_of_its_classes() -> None:
    one, other = (Bracket(lower=a, upper=z, confidence=0.9) for a, z in ((1.0, 5.0), (2.0, 9.0)))
    assert widest([one, other]) == Bracket(lower=1.0, upper=9.0, confidence=0.9)
    assert widest([one, None]) is None
    assert widest([]) is None


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 1.5, float("nan"), "high", None, True])
def test_confidence_is_a_probability(confidence: object) -> None:
    with pytest.raises(SettingError, match=r"confidence .*expected a number above 0 and below 1"):
        predict(*load("paper"), confidence=confidence)  # type: ignore[arg-type]


def test_lower_end_uses_what_it_can() -> None:
    lower = visit_bracket(small_cell(prior=-12.0), 0.9)
    assert lower is not None
    assert lower.lower >= 1
