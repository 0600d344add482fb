"""Mean gate: exact against an enumeration of every history of losses."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verification.box import gates_after
from theory.gating.cell import GateCell, logit_spread, mean_logit
from theory.gating.mean_gate import mean_gate
from theory.in_context import InContextLoss, LossLaw
from theory.in_weight import LabelLaw, cumulative_loss


def cell(noise: float, prior: float = 0.0, total: int = 5, b: float = 0.5) -> GateCell:
    own = LossLaw(np.array([0.05, 0.9, 6.0]), np.array([0.7, 0.2, 0.1]))
    noisy = LossLaw(np.array([0.4, 5.0]), np.array([0.35, 0.65]))
    labels = LabelLaw(total_labels=total, noise=noise, noisy_labels=1)
    return GateCell(prior, labels, b, InContextLoss(own, noisy, noise))


def enumerated(gate: GateCell, visits: int, rate: float = 1.0) -> float:
    """Mean gate: a sum over every sequence of labels and in-context losses; the rate multiplies the log-odds."""
    noise, total = gate.labels.noise, 0.0
    outcomes = [
        (False, (1 - noise) * p, v) for v, p in zip(gate.loss.own.values, gate.loss.own.probabilities, strict=True)
    ]
    outcomes += [
        (True, noise * p, v) for v, p in zip(gate.loss.noisy.values, gate.loss.noisy.probabilities, strict=True)
    ]
    for history in itertools.product(outcomes, repeat=visits):
        weight = math.prod(p for _, p, _ in history)
        noisy = sum(is_noisy for is_noisy, _, _ in history)
        in_weight = float(cumulative_loss(visits, visits - noisy, noisy, gate.labels.total_labels, gate.pseudo_count))
        x = gate.prior_log_odds + sum(v for _, _, v in history) - in_weight
        total += weight / (1 + math.exp(-rate * x))
    return total


def several_labels(b: float, groups: int, rate: float = 1.0) -> GateCell:
    """Three noisy labels, whose losses are alike (one group) or not (two groups, of one and of two labels)."""
    laws = [LossLaw(np.array([0.2, 4.0]), np.array([0.9, 0.1])), LossLaw(np.array([2.5]), np.ones(1))]
    own, noise = LossLaw(np.array([0.05, 1.4]), np.array([0.7, 0.3])), 0.6
    pairs = ((1 / 3, laws[0]), (2 / 3, laws[1])) if groups == 2 else ((1.0, laws[0]),)
    values = np.concatenate([law.values for _, law in pairs])
    weights = np.concatenate([share * law.probabilities for share, law in pairs])
    loss = InContextLoss(own, LossLaw(values, weights), noise, noisy_groups=pairs if groups == 2 else ())
    labels = LabelLaw(total_labels=4, noise=noise, noisy_labels=3)
    return GateCell(0.4, labels, b, loss, rate=rate)


def enumerated_labels(gate: GateCell, visits: int) -> float:
    """Mean gate with three noisy labels: a sum over every sequence of labels and in-context losses, step by step."""
    laws = [gate.loss.own] + [law for share, law in gate.loss.noisy_groups for _ in range(round(3 * share))]
    laws += [gate.loss.noisy] * (4 - len(laws))
    chances = [1 - gate.labels.noise, *[gate.labels.noise / 3] * 3]
    outcomes = [
        (label, chances[label] * p, v)
        for label, law in enumerate(laws)
        for v, p in zip(law.values, law.probabilities, strict=True)
    ]
    total, b = 0.0, gate.pseudo_count
    for history in itertools.product(outcomes, repeat=visits):
        seen, gap = [0] * 4, 0.0
        for number, (label, _, loss) in enumerate(history):
            gap += loss + math.log((seen[label] + b) / (number + 4 * b))
            seen[label] += 1
        weight = math.prod(p for _, p, _ in history)
        total += weight / (1 + math.exp(-gate.prior_log_odds - gate.rate * gap))
    return total


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("b", [0.02, 0.5, 3.0])
@pytest.mark.parametrize("rate", [0.4, 1.0, 3.0])
def test_mean_gate_with_several_noisy_labels_equals_enumeration(b: float, groups: int, rate: float) -> None:
    gate = several_labels(b, groups, rate)
    for visits in range(5):
        assert mean_gate(gate, visits) == pytest.approx(enumerated_labels(gate, visits), abs=2e-6)


@pytest.mark.parametrize("visits", [40, 400, 4_000, 15_000])
@pytest.mark.parametrize("groups", [1, 2])
def test_mean_gate_with_very_many_visits_of_each_label(visits: int, groups: int) -> None:
    """Histories drawn by their counts, up to 3,000 noisy visits of each label; false-alarm rate 7e-6 for each."""
    base = several_labels(0.5, groups)
    # A prior that puts the transition at these visits, with the gate well above 1/2.
    prior = base.prior_log_odds - float(mean_logit(base, visits)) + 0.7 * float(logit_spread(base, visits))
    gate = GateCell(prior, base.labels, 0.5, base.loss)
    gates = gates_after(gate, visits, 40_000, np.random.default_rng(visits))
    assert 0.6 < gates.mean() < 0.9
    assert abs(mean_gate(gate, visits) - gates.mean()) < 4.5 * gates.std() / 200 + 1e-4


def test_enumeration_rejects_losses_that_do_not_know_their_label() -> None:
    """The wrong variant: the losses of both groups of noisy labels mixed, whichever labels came."""
    gate = several_labels(0.02, 2)
    mixed = GateCell(
        gate.prior_log_odds, gate.labels, gate.pseudo_count, InContextLoss(gate.loss.own, gate.loss.noisy, 0.6)
    )
    assert abs(mean_gate(mixed, 4) - enumerated_labels(gate, 4)) > 3e-3


@pytest.mark.parametrize("rate", [0.01, 0.5, 4.0])
def test_rate_of_hedge_scales_the_log_odds(rate: float) -> None:
    gate = cell(0.2, 0.7)
    hedge = GateCell(0.7, gate.labels, gate.pseudo_count, gate.loss, rate=rate)
    for visits in range(6):
        scaled = GateCell(0.7 / rate, gate.labels, gate.pseudo_count, gate.loss)
        assert mean_gate(hedge, visits) == pytest.approx(enumerated(scaled, visits, rate), abs=2e-9)
    assert float(mean_logit(hedge, 5)) == pytest.approx(0.7 + rate * (float(mean_logit(gate, 5)) - 0.7))


@pytest.mark.parametrize("noise", [0.0, 0.2, 0.9, 1.0])
@pytest.mark.parametrize("prior", [-4.0, 0.0, 2.5])
def test_mean_gate_equals_enumeration(noise: float, prior: float) -> None:
    gate = cell(noise, prior)
    for visits in range(6):
        assert mean_gate(gate, visits) == pytest.approx(enumerated(gate, visits), abs=2e-9)


def test_enumeration_rejects_the_normal_approximation() -> None:
    """The wrong variant: a normal law with the same mean and variance is off by per cents at few visits."""
    gate, visits = cell(0.2), 4
    from numpy.polynomial.hermite_e import hermegauss

    nodes, weights = hermegauss(60)
    second = sum(
        w * float(law.probabilities @ law.values**2) for w, law in ((0.8, gate.loss.own), (0.2, gate.loss.noisy))
    )
    spread = math.sqrt(visits * (second - gate.loss.risk**2))
    values = 1 / (1 + np.exp(-(float(mean_logit(gate, visits)) + spread * nodes)))
    assert abs(float(values @ weights) / math.sqrt(2 * math.pi) - enumerated(gate, visits)) > 1e-2


def test_mean_gate_of_a_large_lattice_equals_convolution() -> None:
    """Thirty visits with two loss values and noise: the law of the log-odds by explicit convolution."""
    own = LossLaw(np.array([0.0, 3.0]), np.array([0.8, 0.2]))
    noisy = LossLaw(np.array([1.0, 7.0]), np.array([0.4, 0.6]))
    labels = LabelLaw(total_labels=20, noise=0.15, noisy_labels=1)
    gate = GateCell(1.0, labels, 0.5, InContextLoss(own, noisy, 0.15))
    n, total = 30, 0.0
    for j, i, k in itertools.product(range(n + 1), range(n + 1), range(n + 1)):
        if i > n - j or k > j:
            continue
        weight = math.comb(n, j) * 0.15**j * 0.85 ** (n - j) * math.comb(n - j, i) * 0.2**i * 0.8 ** (n - j - i)
        weight *= math.comb(j, k) * 0.6**k * 0.4 ** (j - k)
        x = 1.0 + 3.0 * i + 7.0 * k + 1.0 * (j - k) - float(cumulative_loss(n, n - j, j, 20, 0.5))
        total += weight / (1 + math.exp(-x))
    assert mean_gate(gate, n) == pytest.approx(total, abs=1e-9)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.floats(0, 1), st.integers(0, 3000), st.floats(-5, 5), st.integers(2, 300), st.floats(0.05, 3))
def test_mean_gate_is_a_probability_and_grows_with_the_prior(
    noise: float, visits: int, prior: float, total: int, b: float
) -> None:
    low, high = (mean_gate(cell(noise, d, total, b), visits) for d in (prior, prior + 0.5))
    assert 0 <= low <= high + 1e-8
    assert high <= 1


@pytest.mark.parametrize("visits", [10**5, 10**8, 10**12])
def test_mean_gate_at_many_visits_is_decided(visits: int) -> None:
    gate = cell(0.2)
    better = float(mean_logit(gate, visits)) > 0
    assert mean_gate(gate, visits) == pytest.approx(float(better), abs=1e-6)


def test_smooth_sum_over_counts_meets_the_full_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond 20,000 visits counts are summed with a stride; the gate must not notice."""
    from theory.gating import given_counts as module

    own = LossLaw(np.array([0.05, 2.0]), np.array([0.9, 0.1]))
    noisy = LossLaw(np.array([0.4, 5.0]), np.array([0.35, 0.65]))
    labels = LabelLaw(total_labels=500, noise=0.05, noisy_labels=1)
    wide = GateCell(-800.0, labels, 0.5, InContextLoss(own, noisy, 0.05))
    visits = next(n for n in range(20_000, 400_000, 500) if float(mean_logit(wide, n)) > 0)
    smooth = mean_gate(wide, visits)
    module.in_weight_terms.cache_clear()
    monkeypatch.setattr(module, "EXACT_VISITS", 10**9)
    assert mean_gate(wide, visits) == pytest.approx(smooth, abs=1e-3)
    module.in_weight_terms.cache_clear()


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_share_of_the_visits_keeps_the_exact_mean_of_the_logit(share: float) -> None:
    """A cell that sees a share of the visits: the simulated mean log-odds equal the exact ones."""
    base = cell(0.2)
    gate = GateCell(0.3, base.labels, base.pseudo_count, base.loss, share)
    generator = np.random.default_rng(5)
    visits, replicates = 40, 20_000
    noisy = generator.random((replicates, visits)) < 0.2
    seen = generator.random((replicates, visits)) < share
    loss = np.where(
        noisy,
        generator.choice(gate.loss.noisy.values, (replicates, visits), p=gate.loss.noisy.probabilities),
        generator.choice(gate.loss.own.values, (replicates, visits), p=gate.loss.own.probabilities),
    )
    count = np.cumsum(noisy, axis=1) - noisy
    before = np.arange(visits)
    table = np.log((before + 5 * 0.5) / (np.where(noisy, count, before - count) + 0.5))
    logit = 0.3 + (seen * (loss - table)).sum(axis=1)
    error = logit.std() / math.sqrt(replicates)
    # False alarm 6e-5 for each of the two shares; a bias of 0.05 nats is ten standard errors.
    assert abs(logit.mean() - float(mean_logit(gate, visits))) < 4 * error
    assert abs((1 / (1 + np.exp(-logit))).mean() - mean_gate(gate, visits)) < 0.02


def test_rare_large_losses_beyond_twenty_thousand_visits() -> None:
    """A few dozen large losses make the mean gate a staircase: its revivals far from frequency 0 must be kept."""
    rate, large, small, n = 3e-4, -math.log(1e-12), 1e-7, 56_000
    law = LossLaw(np.array([small, large]), np.array([1 - rate, rate]))
    labels = LabelLaw(total_labels=120, noise=0.0, noisy_labels=1)
    gate = GateCell(0.0, labels, 0.5, InContextLoss(law, law, 0.0))
    count = np.arange(200)
    choose = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in count.tolist()]
    weights = np.exp(np.array(choose) + count * math.log(rate) + (n - count) * math.log1p(-rate))
    x = count * large + (n - count) * small - float(cumulative_loss(n, n, 0, 120, 0.5))
    exact = float(weights @ (1 / (1 + np.exp(-np.clip(x, -700, 700)))))
    assert 0.05 < exact < 0.95
    assert mean_gate(gate, n) == pytest.approx(exact, abs=1e-6)
