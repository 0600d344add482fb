"""Exact identities of the engine on common random numbers; each with a wrong identity that the same test refutes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logit

from simulate.predictors import in_context_losses
from simulate.prompts import PromptStatistics
from simulate.scan import Scan
from simulate.simulation import run
from simulate.statistics import statistics_sampler
from theory.setting import (
    Attention,
    BayesGate,
    DirichletTable,
    GatedPredictor,
    HedgeGate,
    LearnedAttention,
    TaskDistribution,
)

Array = NDArray[np.float64]
STEPS = 4000
TASK = TaskDistribution(
    frequencies="uniform",
    num_classes=12,
    context_length=5,
    p_relevant=0.8,
    relevant_examples=2,
    label_noise=0.2,
    label_noise_kind="symmetric",
)
MODEL = GatedPredictor(
    in_weight=DirichletTable(pseudo_count=0.7), in_context=Attention(odds=6.0), gate=BayesGate(prior_in_weight=0.4)
)
EVERY_GATE = pytest.mark.parametrize(
    "gate",
    [
        BayesGate(prior_in_weight=0.4),
        HedgeGate(rate=0.6),
        BayesGate(per="query-and-relevance"),
        HedgeGate(rate=1.7, per="query-and-relevance"),
    ],
    ids=["bayes", "hedge", "bayes by relevance", "hedge by relevance"],
)
SUMS = ("visits", "in_weight", "in_context", "gated")


def stream(seed: int = 3, task: TaskDistribution = TASK, steps: int = STEPS) -> PromptStatistics:
    sampler = statistics_sampler(task)
    return sampler.draw(steps, sampler.streams(seed, 0))


def where(drawn: PromptStatistics, kept: Any) -> PromptStatistics:
    return PromptStatistics(**{name: values[kept] for name, values in vars(drawn).items()})


def learned(drawn: PromptStatistics, model: GatedPredictor = MODEL, task: TaskDistribution = TASK) -> Scan:
    scan = Scan(task, model, np.array([drawn.steps]))
    scan.advance(drawn)
    return scan


def state(scan: Scan) -> Array:
    """Sums and gates of every cell; shape (5, cells)."""
    totals = scan.totals()
    return np.array([*(getattr(totals, name) for name in SUMS), scan.gates])


def cells_of(classes: NDArray[np.intp], gate: BayesGate | HedgeGate) -> NDArray[np.intp]:
    return classes if gate.per == "query" else (2 * classes[:, None] + np.arange(2)).ravel()


def alike(a: Array, b: Array) -> bool:
    return bool(np.allclose(a, b, rtol=1e-11, atol=1e-12))


@EVERY_GATE
def test_names_of_classes_do_not_matter(gate: BayesGate | HedgeGate) -> None:
    """Classes that change names take their cells along."""
    model, drawn = replace(MODEL, gate=gate), stream()
    names = np.random.default_rng(1).permutation(12)
    renamed = state(learned(replace(drawn, query=names[drawn.query]), model))
    before = state(learned(drawn, model))
    assert alike(renamed[:, cells_of(names, gate)], before)
    # Wrong: the cells stay where they were.
    assert not alike(renamed, before)


@EVERY_GATE
def test_names_of_labels_do_not_matter(gate: BayesGate | HedgeGate) -> None:
    """What the table learns of a class depends on which labels are alike, not on which they are."""
    model, drawn = replace(MODEL, gate=gate), stream()
    names = np.random.default_rng(2).permuted(np.tile(np.arange(12), (12, 1)), axis=1)
    renamed = state(learned(replace(drawn, label_offset=names[drawn.query, drawn.label_offset]), model))
    before = state(learned(drawn, model))
    assert alike(renamed, before)
    # Wrong: two labels with one name.
    merged = np.where(drawn.label_offset == 2, 1, drawn.label_offset)
    assert not alike(state(learned(replace(drawn, label_offset=merged), model)), before)


def test_the_order_of_visits_does_not_matter_to_a_bayes_gate() -> None:
    drawn = stream()
    reverse = np.arange(STEPS)[::-1]
    assert alike(state(learned(where(drawn, reverse))), state(learned(drawn)))
    # Wrong: nor to the losses of a Hedge gate of another rate (its log-odds at the end are a sum still).
    hedge = replace(MODEL, gate=HedgeGate(rate=0.5))
    a, b = (state(learned(stream_, hedge)) for stream_ in (where(drawn, reverse), drawn))
    assert alike(a[[0, 1, 2, 4]], b[[0, 1, 2, 4]])
    assert not alike(a[3], b[3])


def test_a_class_learns_from_its_own_visits_alone() -> None:
    drawn = stream()
    own = drawn.query == 5
    for gate in (MODEL.gate, HedgeGate(rate=0.5)):
        model = replace(MODEL, gate=gate)
        assert alike(state(learned(where(drawn, own), model))[:, 5], state(learned(drawn, model))[:, 5])
    # Wrong: also where all queries share a learned temperature.
    shared = replace(MODEL, in_context=LearnedAttention(learning_rate=0.05))
    assert not alike(state(learned(where(drawn, own), shared))[:, 5], state(learned(drawn, shared))[:, 5])


@pytest.mark.parametrize("rate", [0.3, 1.0, 2.5])
def test_the_prior_shifts_the_log_odds(rate: float) -> None:
    """By its own log-odds, after any history and at any rate."""
    drawn = stream(steps=30)
    even, shifted = (logit(learned(drawn, with_gate(rate, prior)).gates) for prior in (0.5, 0.9))
    # A gate that is next to 0 or 1 has no digits left of its log-odds.
    inside = np.maximum(np.abs(even), np.abs(shifted)) < 12
    assert inside.sum() > 4
    assert np.allclose(shifted[inside] - even[inside], logit(0.9), rtol=1e-7)
    # Wrong: halfway.
    assert not np.allclose(shifted[inside] - even[inside], 0.5 * logit(0.9), rtol=1e-7)


def with_gate(rate: float, prior: float) -> GatedPredictor:
    return replace(MODEL, gate=HedgeGate(rate=rate, prior_in_weight=prior))


def test_the_rate_scales_the_log_odds() -> None:
    drawn = stream(steps=30)
    bayes, slow = (logit(learned(drawn, with_gate(rate, 0.5)).gates) for rate in (1.0, 0.25))
    inside = np.abs(bayes) < 12
    assert inside.sum() > 6
    assert np.allclose(slow[inside], 0.25 * bayes[inside], rtol=1e-7, atol=1e-9)
    # Wrong: half of the rate's effect.
    assert not np.allclose(slow[inside], 0.5 * bayes[inside], rtol=1e-7, atol=1e-9)


def test_a_context_twice_says_the_same() -> None:
    """Attention is a share: every example twice leaves it."""
    drawn = stream()
    twice = replace(TASK, context_length=10, relevant_examples=4)
    doubled = {
        name: 2 * getattr(drawn, name) for name in ("relevant_examples", "relevant_matches", "irrelevant_matches")
    }
    part = Attention(odds=6.0, floor=1e-3)
    before = in_context_losses(part, TASK)(drawn)
    assert alike(in_context_losses(part, twice)(replace(drawn, **doubled)), before)
    # Wrong: only the relevant examples twice.
    doubled["irrelevant_matches"] = drawn.irrelevant_matches
    assert not alike(in_context_losses(part, twice)(replace(drawn, **doubled)), before)


def test_odds_do_not_matter_where_all_examples_are_alike() -> None:
    task = replace(TASK, relevant_examples=5, p_relevant=1.0)
    drawn = stream(task=task)
    a, b = (in_context_losses(Attention(odds=odds, floor=1e-3), task)(drawn) for odds in (1.0, 50.0))
    assert alike(a, b)
    # Wrong: also where they are not.
    a, b = (in_context_losses(Attention(odds=odds, floor=1e-3), TASK)(stream()) for odds in (1.0, 50.0))
    assert not alike(a, b)


def test_two_labels_have_one_kind_of_noise() -> None:
    """With two labels cyclic and symmetric noise are the same runs to the last digit."""
    two = TaskDistribution(frequencies="uniform", num_classes=2, context_length=3, label_noise=0.2)
    three = replace(two, num_classes=3)

    def curve(task: TaskDistribution, kind: str) -> Array:
        return run(replace(task, label_noise_kind=kind), MODEL, 2000, 3, 9).strata[0].curve.gate

    assert np.array_equal(curve(two, "cyclic"), curve(two, "symmetric"))
    # Wrong: with three labels, too.
    assert not alike(curve(three, "cyclic"), curve(three, "symmetric"))


def test_one_class_law_has_one_run() -> None:
    """Groups, weights and counts that say the same give the same random numbers, and so the same run."""
    settings: dict[str, Any] = {"context_length": 3, "relevant_examples": 1, "label_noise": 0.1}
    groups = TaskDistribution(num_high=1, num_low=3, p_high=0.4, **settings)
    weights = TaskDistribution(frequencies="weights", weights=(0.4, 0.2, 0.2, 0.2), **settings)
    counts = TaskDistribution(frequencies="counts", counts=(2, 1, 1, 1), **settings)
    other = TaskDistribution(frequencies="counts", counts=(3, 1, 1, 1), **settings)

    def regret(task: TaskDistribution) -> Array:
        found = run(task, MODEL, 3000, 2, 4)
        return np.array([found.regret.in_weight, found.regret.in_context])

    assert alike(regret(weights), regret(groups))
    assert alike(regret(counts), regret(groups))
    assert not alike(regret(other), regret(groups))
