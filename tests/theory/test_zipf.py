"""Zipf shares against sums over every class, and their laws against deliberately wrong ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, gamma, zeta

from theory.classes import kinds_at
from theory.errors import SettingError
from theory.scaling.rank_sums import sum_over_ranks
from theory.scaling.zipf import zipf_share
from theory.setting import Attention, GatedPredictor, TaskDistribution
from theory.solver import class_curves

Array = NDArray[np.float64]
EXPONENTS = (1.3, 1.6, 2.0)
STEPS = [10**5, 10**6, 10**7, 10**8]
CLASSES = 2_000_000


@dataclass(frozen=True)
class Geometric:
    """A gate with E alpha_n = 1 - r^n: its mean over binomial visits is elementary."""

    ratio: float

    @property
    def nodes(self) -> tuple[NDArray[np.int64], Array]:
        visits = np.arange(1, int(40 / (1 - self.ratio)))
        return visits, self.interpolated(visits)

    def interpolated(self, visits: ArrayLike) -> Array:
        return np.asarray(1 - self.ratio ** np.asarray(visits, dtype=np.float64))

    def at_steps(self, steps: int, class_probability: float) -> float:
        return float(-np.expm1(steps * np.log1p(-class_probability * (1 - self.ratio))))


def frequencies(exponent: float, classes: int) -> Array:
    weights = np.arange(1, classes + 1, dtype=np.float64) ** -exponent
    return np.asarray(weights / weights.sum())


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_threshold_against_the_sum_over_two_million_classes(exponent: float) -> None:
    p = frequencies(exponent, CLASSES)
    found = zipf_share(exponent, STEPS, threshold=55.0, num_classes=CLASSES)
    direct = np.array([p[p * n < 55.0].sum() for n in STEPS])
    assert found.share == pytest.approx(direct, rel=1e-9)
    assert np.all(np.abs(found.law - direct) <= found.error_bound * (1 + 1e-9))
    assert found.law == pytest.approx(direct, rel=0.01)


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_own_gate_against_the_sum_over_two_million_classes(exponent: float) -> None:
    p, ratio = frequencies(exponent, CLASSES), 0.97
    found = zipf_share(exponent, STEPS, curve=Geometric(ratio), num_classes=CLASSES)
    direct = np.array([p @ np.exp(n * np.log1p(-p * (1 - ratio))) for n in STEPS])
    assert found.share == pytest.approx(direct, rel=2e-7)
    assert np.all(np.abs(found.law - direct) <= found.error_bound * (1 + 1e-9) + 2e-7 * direct)
    assert found.law == pytest.approx(direct, rel=2e-3)
    s = 1 - 1 / exponent
    constant = p[0] ** (1 / exponent) / exponent * gamma(s) * (1 - ratio) ** -s
    assert found.constant == pytest.approx(constant, rel=1e-6)


def test_a_real_gate_against_the_sum_over_visits_and_classes() -> None:
    task = TaskDistribution(num_high=5, num_low=5, p_high=0.5, context_length=4, relevant_examples=2)
    model = GatedPredictor(in_context=Attention(odds=3.0, floor=1e-2))
    (curve,) = class_curves(task, model, kinds_at(task, np.array([1])))
    visits = curve.nodes[0]
    left = 1 - curve.interpolated(np.arange(visits[-1] + 1))
    steps, p = 30_000, frequencies(1.6, 50_000)
    falls = left - np.append(left[1:], 0.0)
    large = np.flatnonzero(np.abs(falls) > 1e-11)
    direct = sum(falls[n] * float(p @ bdtr(float(n), steps, p)) for n in large.tolist())
    found = zipf_share(1.6, [steps], curve=curve, num_classes=50_000)
    assert found.share[0] == pytest.approx(direct, rel=1e-6)
    assert abs(found.law[0] - direct) <= found.error_bound[0]


@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize("given", [{"threshold": 55.0}, {"curve": Geometric(0.97)}], ids=["threshold", "curve"])
def test_without_a_last_class_it_is_a_power_law(exponent: float, given: dict[str, Any]) -> None:
    found = zipf_share(exponent, [10**8, 10**10], **given)
    assert found.power_law == pytest.approx(found.share, rel=2e-4)
    slope = float(np.log(found.share[1] / found.share[0]) / np.log(100))
    assert slope == pytest.approx(-(1 - 1 / exponent), abs=1e-4)
    # Wrong variants: the exponent 1/a, and the constant without the normalisation.
    assert abs(slope + 1 / exponent) > 0.1 or exponent == 2.0
    without = found.power_law * zeta(exponent) ** (1 / exponent)
    assert np.all(np.abs(without - found.share) > 100 * np.abs(found.power_law - found.share))
    wrong_constant = found.power_law * (exponent - 1) / exponent
    assert np.all(np.abs(wrong_constant - found.share) > 100 * np.abs(found.power_law - found.share))


def test_the_power_law_ends_at_the_last_class_and_the_law_does_not() -> None:
    # The threshold is at ranks 10 and 576 of 1000: without its end the power law is 1 % and 136 % too large.
    found = zipf_share(2.0, [10**4, 3 * 10**7], threshold=55.0, num_classes=1000)
    assert found.power_law / found.law == pytest.approx([1.01, 2.36], rel=0.01)
    assert np.all(np.abs(found.law - found.share) <= found.error_bound)
    # The bound is (a - 1)/X of the share, before the end.
    assert found.error_bound[0] == pytest.approx(found.share[0] / 10.4, rel=0.01)
    done = zipf_share(2.0, [10**12], threshold=55.0, num_classes=1000)
    assert (done.share[0], done.law[0]) == (0.0, 0.0)


def test_before_any_class_has_crossed_everything_is_in_context() -> None:
    found = zipf_share(2.0, [10], threshold=55.0)
    assert (found.share[0], found.law[0]) == (1.0, 1.0)


@pytest.mark.parametrize("number", range(2, 40))
def test_the_class_at_the_threshold_has_crossed(number: int) -> None:
    """Where N p_x is the threshold exactly, rounding decides nothing: two classes of probability 2/3 and 1/3."""
    p = frequencies(1.5, number)
    for rank in range(1, number + 1):
        found = zipf_share(1.5, [1000], threshold=1000 * p[rank - 1] * (1 + 1e-12), num_classes=number)
        assert found.share[0] == pytest.approx(p[rank - 1 :].sum(), rel=1e-12)
        found = zipf_share(1.5, [1000], threshold=1000 * p[rank - 1] * (1 - 1e-12), num_classes=number)
        assert found.share[0] == pytest.approx(p[rank:].sum(), rel=1e-12)


@pytest.mark.parametrize(("first", "last"), [(1, 10), (1, 3000), (7, 10**6), (0, 50_000)])
def test_sums_over_ranks(first: int, last: int) -> None:
    x = np.arange(first, last + 1, dtype=np.float64)
    for function in (lambda x: (x + 1) ** -1.2, lambda x: np.exp(-x / 5000) / (1 + x), np.ones_like):
        assert sum_over_ranks(function, first, last) == pytest.approx(function(x).sum(), rel=2e-7)


def test_a_narrow_transition_is_not_missed() -> None:
    x = np.arange(1, 10**6 + 1, dtype=np.float64)

    def falls(x: Array) -> Array:
        return np.asarray(1 / (1 + np.exp(np.clip((x - 654_321) / 500, -700, 700))))

    assert sum_over_ranks(falls, 1, 10**6) == pytest.approx(falls(x).sum(), rel=1e-7)


def test_an_empty_sum() -> None:
    assert sum_over_ranks(np.ones_like, 5, 4) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"zipf_exponent": 1.0}, "zipf_exponent = 1.0 is not allowed: expected a finite number above 1"),
        ({"steps": [0]}, "steps = 0 is not allowed"),
        ({"steps": [1.5]}, "steps = 1.5 is not allowed"),
        ({"threshold": 0.0}, "threshold = 0.0 is not allowed"),
        ({"num_classes": 1}, "num_classes = 1 is not allowed"),
    ],
)
def test_bad_input_is_named(arguments: dict[str, Any], message: str) -> None:
    values: dict[str, Any] = {"zipf_exponent": 1.5, "steps": [100], "threshold": 5.0, **arguments}
    with pytest.raises(SettingError, match=message):
        zipf_share(values.pop("zipf_exponent"), values.pop("steps"), **values)


@pytest.mark.parametrize("given", [{}, {"threshold": 3.0, "curve": Geometric(0.5)}])
def test_exactly_one_gate(given: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=r"threshold .* either this or a curve"):
        zipf_share(1.5, [10], **given)


def test_no_law_where_in_context_learning_persists() -> None:
    task = TaskDistribution(num_high=5, num_low=5, p_high=0.5, context_length=4, relevant_examples=4)
    (curve,) = class_curves(task, GatedPredictor(in_context=Attention(floor=0.0)), kinds_at(task, np.array([0])))
    with pytest.raises(SettingError, match="a mean gate that tends to 1"):
        zipf_share(1.5, [10], curve=curve)


@pytest.mark.parametrize("gate", [{"threshold": 50.0}, {"curve": Geometric(0.98)}], ids=["threshold", "own gate"])
def test_shares_and_their_law_are_at_most_one(gate: dict[str, Any]) -> None:
    """Before the most frequent class has learned, the power law alone would be above 1."""
    found = zipf_share(1.5, [1, 10, 1000], **gate)
    assert found.power_law[0] > 1
    assert (found.share <= 1).all()
    assert (found.law <= 1).all()
