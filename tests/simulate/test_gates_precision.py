"""The gates against 50 digits on short sequences, and their gradients against differences of the loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest

from simulate.blocks import PromptBlock
from simulate.gates.adahedge import mixability_gap
from simulate.gates.logistic import posterior_gain
from simulate.gates.mixing import log_mixture
from simulate.implementations import gate_state
from simulate.lanes import Lanes
from theory.setting import (
    AdaHedgeGate,
    BayesGate,
    DecreasingHedgeGate,
    ExponentiatedGradientGate,
    FixedShareGate,
    GatedPredictor,
    HedgeGate,
    LogisticGate,
    ProjectedGradientGate,
    TaskDistribution,
    UniversalMixtureGate,
)

TASK = TaskDistribution(num_high=1, num_low=1, p_high=0.5)
Visits = list[tuple[Any, Any]]
Weight = Callable[[Visits], Any]

SEQUENCES = {
    "random": np.random.default_rng(3).normal(scale=1.5, size=12),
    "tiny": 1e-9 * np.random.default_rng(4).normal(size=12),
    "alternating": np.array([600.0, -600.0] * 5),
    "surprise": np.array([1e-9] * 4 + [500.0, 1.0, -1200.0, 2.0]),
    "tie": np.array([0.0, 0.0, 1.0, -1.0, 0.0, 0.5]),
}


def summed(visits: Visits) -> Any:
    return mpmath.fsum(g - h for g, h in visits)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


def log_odds(prior: float) -> Any:
    return mpmath.log(mpmath.mpf(prior) / (1 - mpmath.mpf(prior)))


def adahedge(visits: Visits) -> Any:
    total, lead = mpmath.mpf(0), mpmath.mpf(0)
    for g, h in visits:
        weight = adahedge_weight(total, lead)
        mean = -weight * g - (1 - weight) * h
        if total == 0:
            mixed = min(-g, lead - h) if lead >= 0 else min(-lead - g, -h)
        else:
            rate = mpmath.log(2) / total
            mixed = -mpmath.log(weight * mpmath.exp(rate * g) + (1 - weight) * mpmath.exp(rate * h)) / rate
        total, lead = total + mean - mixed, lead + g - h
    return adahedge_weight(total, lead)


def adahedge_weight(total: Any, lead: Any) -> Any:
    if total == 0:
        return (mpmath.sign(lead) + 1) / 2
    return sigmoid(mpmath.log(2) / total * lead)


def fixed_share(switch: float) -> Weight:
    def weight(visits: Visits) -> Any:
        alpha, s = mpmath.mpf("0.5"), mpmath.mpf(switch)
        for g, h in visits:
            kept = alpha * mpmath.exp(g) / (alpha * mpmath.exp(g) + (1 - alpha) * mpmath.exp(h))
            alpha = (1 - s) * kept + s * (1 - kept)
        return alpha

    return weight


def universal(visits: Visits) -> Any:
    """The integral over all constant gates: the product is a polynomial, its coefficients Beta integrals."""
    coefficients = [mpmath.mpf(1)]
    for g, h in visits:
        kept = [mpmath.mpf(0), *(c * mpmath.exp(g) for c in coefficients)]
        coefficients = [a + b * mpmath.exp(h) for a, b in zip(kept, [*coefficients, 0], strict=True)]
    n, half = len(visits), mpmath.mpf("0.5")
    above, below = (
        mpmath.fsum(c * mpmath.beta(j + half + more, n - j + half) for j, c in enumerate(coefficients))
        for more in (1, 0)
    )
    return above / below


def exponentiated(rate: float) -> Weight:
    def weight(visits: Visits) -> Any:
        odds = mpmath.mpf(0)
        for g, h in visits:
            alpha = sigmoid(odds)
            odds += rate * slope(alpha, g, h)
        return sigmoid(odds)

    return weight


def projected(rate: float) -> Weight:
    def weight(visits: Visits) -> Any:
        alpha = mpmath.mpf("0.5")
        for g, h in visits:
            alpha = min(max(alpha + rate * slope(alpha, g, h), 0), 1)
        return alpha

    return weight


def logistic(rate: float) -> Weight:
    def weight(visits: Visits) -> Any:
        constant = familiarity = mpmath.mpf(0)
        for i, (g, h) in enumerate(visits):
            alpha = sigmoid(constant + familiarity * mpmath.log(1 + i))
            step = rate * alpha * (1 - alpha) * slope(alpha, g, h)
            constant, familiarity = constant + step, familiarity + step * mpmath.log(1 + i)
        return sigmoid(constant + familiarity * mpmath.log(1 + len(visits)))

    return weight


def slope(alpha: Any, g: Any, h: Any) -> Any:
    return (mpmath.exp(g) - mpmath.exp(h)) / (alpha * mpmath.exp(g) + (1 - alpha) * mpmath.exp(h))


PRECISE: dict[str, tuple[Any, Weight]] = {
    "bayes": (BayesGate(prior_in_weight=0.3), lambda v: sigmoid(log_odds(0.3) + summed(v))),
    "hedge": (HedgeGate(rate=3.5), lambda v: sigmoid(mpmath.mpf(3.5) * summed(v))),
    "decreasing hedge": (
        DecreasingHedgeGate(rate=2.0, prior_in_weight=0.8),
        lambda v: sigmoid(log_odds(0.8) + 2 / mpmath.sqrt(len(v) + 1) * summed(v)),
    ),
    "adahedge": (AdaHedgeGate(), adahedge),
    "fixed share": (FixedShareGate(switch_rate=0.1), fixed_share(0.1)),
    "universal mixture": (UniversalMixtureGate(nodes=8), universal),
    "exponentiated gradient": (ExponentiatedGradientGate(learning_rate=0.7), exponentiated(0.7)),
    "projected gradient": (ProjectedGradientGate(learning_rate=0.2), projected(0.2)),
    "logistic": (LogisticGate(learning_rate=0.9, features=("constant", "familiarity")), logistic(0.9)),
}


def run(gate: Any, gains: np.ndarray) -> Any:
    lanes = Lanes((TASK,), (GatedPredictor(gate=gate),), 1)
    nothing = np.zeros((gains.size, 1), dtype=np.intp)
    block = PromptBlock(nothing, nothing, nothing, nothing, nothing)
    return gate_state(gate, lanes).advance(block, np.minimum(gains, 0)[:, None], np.minimum(-gains, 0)[:, None])


# Exponentiated gradient swings ever farther when surprised over and over; its log-odds of 1e260 need as many digits.
PAIRS = [
    (name, sequence)
    for name in PRECISE
    for sequence in SEQUENCES
    if (name, sequence) != ("exponentiated gradient", "alternating")
]


@pytest.mark.parametrize(("name", "sequence"), PAIRS)
def test_weights_and_predictions_to_fifty_digits(name: str, sequence: str) -> None:
    gate, weight = PRECISE[name]
    gains = SEQUENCES[sequence]
    path = run(gate, gains)
    with mpmath.workdps(700):
        visits = [(mpmath.mpf(min(gain, 0.0)), mpmath.mpf(min(-gain, 0.0))) for gain in gains.tolist()]
        for i, (g, h) in enumerate(visits):
            alpha = weight(visits[:i])
            predicted = mpmath.log(alpha * mpmath.exp(g) + (1 - alpha) * mpmath.exp(h))
            assert abs(path.before[i, 0] - float(alpha)) < 1e-12
            error = abs(path.log_predicted[i, 0] - float(predicted))
            # A projected weight is a double: near 1 its complement, and what it costs, has its spacing.
            spacing = 1e-15 / max(float(min(alpha, 1 - alpha)), 1e-15) if name == "projected gradient" else 0.0
            assert error < 1e-12 * max(1.0, abs(float(predicted))) + spacing
        assert abs(path.after[-1, 0] - float(weight(visits))) < 1e-12


@pytest.mark.parametrize("name", PRECISE)
def test_the_precise_comparison_sees_another_gate(name: str) -> None:
    """The wrong variant: a gate that did not learn from its third visit."""
    gate, weight = PRECISE[name]
    gains = SEQUENCES["random"]
    path = run(gate, gains)
    with mpmath.workdps(50):
        visits = [(mpmath.mpf(min(gain, 0.0)), mpmath.mpf(min(-gain, 0.0))) for gain in gains.tolist()]
        assert abs(path.before[3, 0] - float(weight(visits[:2]))) > 1e-4


def loss(alpha: Any, gain: float) -> Any:
    return -mpmath.log(alpha * mpmath.exp(gain) + 1 - alpha)


@pytest.mark.parametrize("gain", [-30.0, -1e-6, 0.4, 200.0])
def test_steps_follow_the_measured_slope(gain: float) -> None:
    rate, prior = 1e-3, 0.3
    with mpmath.workdps(60):
        step = mpmath.mpf(10) ** -20
        in_weight = (loss(prior - step, gain) - loss(prior + step, gain)) / (2 * step)
        in_log_odds = (loss(sigmoid(log_odds(prior) - step), gain) - loss(sigmoid(log_odds(prior) + step), gain)) / (
            2 * step
        )
        expected = {
            ExponentiatedGradientGate(learning_rate=rate, prior_in_weight=prior): sigmoid(
                log_odds(prior) + rate * in_weight
            ),
            ProjectedGradientGate(learning_rate=rate, prior_in_weight=prior): prior + rate * in_weight,
            LogisticGate(learning_rate=rate, prior_in_weight=prior, features=("constant",)): sigmoid(
                log_odds(prior) + rate * in_log_odds
            ),
        }
        for gate, after in expected.items():
            assert abs(run(gate, np.array([gain])).after[0, 0] - float(after)) < 1e-14, gate
            wrong = run(replace(gate, learning_rate=1.01 * rate), np.array([gain]))
            assert abs(wrong.after[0, 0] - float(after)) > 1e-3 * abs(float(after) - prior)


def test_the_mixability_gap_to_fifty_digits() -> None:
    points = [
        (x, size, rate)
        for x in (-900.0, -40.0, -1.0, -1e-8, 0.0, 3.0, 50.0)
        for size in (1e-9, 0.3, 20.0, 900.0)
        for rate in (1e-4, 0.5, 3.0)
    ]
    for x, size, rate in points:
        with mpmath.workdps(900):
            better, worse = sigmoid(mpmath.mpf(x)), sigmoid(-mpmath.mpf(x))
            exact = worse * size + mpmath.log(better + worse * mpmath.exp(-mpmath.mpf(rate) * size)) / mpmath.mpf(rate)
        found = float(mixability_gap(np.array(x), np.array(size), np.array(rate)))
        # Its error has to be small beside log(2)/rate, the sum that it is added to.
        assert abs(found - float(exact)) < 1e-14 * (np.log(2) / rate + float(exact)), (x, size, rate)


def test_products_that_do_not_cancel() -> None:
    with mpmath.workdps(900):
        for x, gain in ((0.0, 1e-18), (700.0, -1400.0), (-30.0, 1e-3), (2.0, 800.0)):
            exact = sigmoid(mpmath.mpf(x) + gain) - sigmoid(mpmath.mpf(x))
            assert float(posterior_gain(np.array(x), np.array(gain))) == pytest.approx(float(exact), rel=1e-12, abs=0)
            mixed = mpmath.log(sigmoid(mpmath.mpf(x)) * mpmath.exp(gain) + sigmoid(-mpmath.mpf(x)))
            found = float(log_mixture(np.array([x]), np.array([gain]), np.array([0.0]))[0])
            assert found == pytest.approx(float(mixed), rel=1e-12, abs=3e-16 * np.clip(gain, 0, 1))
