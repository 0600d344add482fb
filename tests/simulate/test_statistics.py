"""Sufficient statistics have the explicit sampler's law, and both have the law that theory computes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulate import statistics as module
from simulate.binomial_draws import binomial_inverse
from simulate.prompts import PromptStatistics, draw_prompts, statistics_of
from simulate.statistics import statistics_sampler
from theory.classes import class_kinds, kind_of_class
from theory.in_context import floored_loss, in_context_loss, label_mass
from theory.setting import Attention, TaskDistribution

TASKS: dict[str, TaskDistribution] = {
    "natural": TaskDistribution(num_high=3, num_low=7, p_high=0.8, context_length=5, p_relevant=0.7, label_noise=0.2),
    "fixed": TaskDistribution(num_high=2, num_low=3, p_high=0.7, context_length=4, relevant_examples=2,
                              label_noise=0.1),
    "symmetric": TaskDistribution(
        num_high=3, num_low=4, p_high=0.8, context_length=4, p_relevant=0.6, relevant_examples=3, label_noise=0.3,
        label_noise_kind="symmetric", context_label_noise=0.15,
    ),
    "zipf": TaskDistribution(frequencies="zipf", num_classes=6, zipf_exponent=1.0, context_length=3, label_noise=0.25,
                             label_noise_kind="symmetric"),
    "counts": TaskDistribution(frequencies="counts", counts=[50, 20, 0, 9, 1], context_length=3, label_noise=0.1),
    "all relevant": TaskDistribution(num_high=2, num_low=2, p_high=0.6, context_length=3, relevant_examples=3,
                                     label_noise=0.2),
    "none relevant": TaskDistribution(num_high=2, num_low=2, p_high=0.6, context_length=3, p_relevant=0.0,
                                      label_noise=1.0),
    "shared": TaskDistribution(num_high=3, num_low=8, p_high=0.6, num_labels=4, context_length=4, p_relevant=0.7,
                               relevant_examples=2, label_noise=0.2),
    "shared, symmetric": TaskDistribution(
        frequencies="zipf", num_classes=7, zipf_exponent=1.0, num_labels=3, context_length=4, label_noise=0.3,
        label_noise_kind="symmetric", context_label_noise=0.15,
    ),
    "shared, two labels": TaskDistribution(
        frequencies="counts", counts=[50, 20, 0, 9, 1], num_labels=2, context_length=3, label_noise=0.1,
        label_noise_kind="symmetric",
    ),
}  # fmt: skip
NUMBER = 400_000
FALSE_ALARM = 1e-6


def codes(task: TaskDistribution, drawn: PromptStatistics) -> np.ndarray:
    """Each prompt's whole statistics as one number."""
    side = task.context_length + 1
    code = drawn.query * task.total_classes + drawn.label_offset
    for part in (drawn.relevant_examples, drawn.relevant_matches, drawn.irrelevant_matches):
        code = code * side + part
    return code


def same_law(first: np.ndarray, second: np.ndarray) -> bool:
    """Two-sample chi-square test over the occupied codes, rare ones pooled; false alarms 1e-6."""
    from scipy.stats import chi2

    size = int(max(first.max(), second.max())) + 1
    a, b = (np.bincount(x, minlength=size).astype(float) for x in (first, second))
    rare = a + b < 25
    a = np.append(a[~rare], a[rare].sum())
    b = np.append(b[~rare], b[rare].sum())
    used = a + b > 0
    statistic = float(((a - b)[used] ** 2 / (a + b)[used]).sum())
    return statistic < chi2.isf(FALSE_ALARM, max(int(used.sum()) - 1, 1))


def fast(task: TaskDistribution, seed: int) -> PromptStatistics:
    sampler = statistics_sampler(task)
    return sampler.draw(NUMBER, sampler.streams(seed, 0))


def explicit(task: TaskDistribution, seed: int) -> PromptStatistics:
    return statistics_of(task, draw_prompts(task, NUMBER, np.random.default_rng(seed)))


@pytest.mark.parametrize("name", TASKS)
def test_statistics_have_the_explicit_samplers_law(name: str) -> None:
    task = TASKS[name]
    assert same_law(codes(task, fast(task, 1)), codes(task, explicit(task, 2)))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("natural", {"p_relevant": 0.68}),
        ("natural", {"label_noise": 0.21}),
        ("fixed", {"p_high": 0.68}),
        ("fixed", {"context_label_noise": 0.11}),
        ("symmetric", {"label_noise_kind": "cyclic"}),
        ("zipf", {"zipf_exponent": 1.05}),
        ("shared", {"num_labels": 5}),
        ("shared", {"num_labels": None}),
        ("shared, symmetric", {"num_labels": 4}),
        ("shared, symmetric", {"label_noise_kind": "cyclic"}),
    ],
)
def test_a_wrong_law_is_rejected(name: str, wrong: dict[str, Any]) -> None:
    task = TASKS[name]
    assert not same_law(codes(task, fast(replace(task, **wrong), 1)), codes(task, explicit(task, 2)))


@pytest.mark.parametrize("name", ["symmetric", "zipf", "natural", "shared", "shared, symmetric"])
def test_inversion_in_place_of_tables_has_the_same_law(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    task = TASKS[name]
    monkeypatch.setattr(module, "LARGEST_TABLE", 0)
    assert statistics_sampler(task).irrelevant.table is None
    assert same_law(codes(task, fast(task, 3)), codes(task, explicit(task, 2)))


@pytest.mark.parametrize("name", TASKS)
def test_mean_loss_equals_the_exact_risk(name: str) -> None:
    """Per class, within 4.9 standard errors (false alarms 1e-6 each)."""
    task, attention = TASKS[name], Attention(odds=7.0, floor=1e-3)
    kinds, _ = class_kinds(task)
    of_class = kind_of_class(task)
    drawn = fast(task, 4)
    m = drawn.relevant_examples
    mass = label_mass(drawn.relevant_matches, drawn.irrelevant_matches, m, task.context_length - m, attention.odds)
    losses = floored_loss(mass, task.total_labels, attention.floor)
    for x in range(task.total_classes):
        own = losses[drawn.query == x]
        if task.class_probabilities[x] == 0:
            assert own.size == 0
            continue
        exact = in_context_loss(task, attention, kinds[of_class[x]]).risk
        assert abs(own.mean() - exact) <= 4.9 * own.std() / np.sqrt(own.size) + 1e-12


@pytest.mark.parametrize("name", [name for name in TASKS if name.startswith("shared")])
def test_explicit_labels_are_those_of_the_definition(name: str) -> None:
    """Without noise every example carries its class modulo the number of labels, and offsets are 0."""
    task = replace(TASKS[name], label_noise=0.0, context_label_noise=0.0)
    prompts = draw_prompts(task, 2000, np.random.default_rng(8))
    assert np.array_equal(prompts.label, prompts.query % task.num_labels)
    assert np.array_equal(prompts.context_labels, prompts.context_classes % task.num_labels)
    drawn = statistics_of(task, prompts)
    assert not drawn.label_offset.any()
    # An irrelevant example may carry the query's label all the same: that of another class.
    assert drawn.irrelevant_matches.any()


def test_drawing_in_blocks_gives_the_same_steps() -> None:
    task = TASKS["natural"]
    sampler = statistics_sampler(task)
    whole = sampler.draw(1000, sampler.streams(5, 2))
    streams = sampler.streams(5, 2)
    parts = [sampler.draw(size, streams) for size in (1, 99, 400, 500)]
    for field in PromptStatistics.__dataclass_fields__:
        assert np.array_equal(getattr(whole, field), np.concatenate([getattr(part, field) for part in parts]))


def test_what_is_certain_uses_no_stream() -> None:
    assert "relevance" not in statistics_sampler(TASKS["fixed"]).purposes
    assert "relevant-examples" not in statistics_sampler(TASKS["fixed"]).purposes
    assert "relevance" in statistics_sampler(TASKS["natural"]).purposes


def test_matches_are_within_their_numbers() -> None:
    for task in TASKS.values():
        drawn = fast(task, 6)
        assert np.all(drawn.relevant_matches <= drawn.relevant_examples)
        assert np.all(drawn.irrelevant_matches <= task.context_length - drawn.relevant_examples)
        assert drawn.query.min() >= 0
        assert drawn.query.max() < task.total_classes


@pytest.mark.parametrize(("trials", "probability"), [(1000, 0.6), (2000, 0.4), (10_000, 0.08), (10_000, 1.0), (5, 0.3)])
def test_long_binomials_by_inversion(trials: int, probability: float) -> None:
    """Where no success at all has a probability below 1e-308, too: draws equal SciPy's inverse."""
    from scipy.stats import binom

    uniforms = np.random.default_rng(1).random(2000)
    drawn = binomial_inverse(uniforms, np.full(2000, trials), np.full(2000, probability))
    assert np.mean(drawn != binom.ppf(uniforms, trials, probability)) < 1e-3
    assert drawn.mean() == pytest.approx(trials * probability, rel=0.05)


@pytest.mark.parametrize("relevant", [3, 700])
def test_long_contexts_have_the_exact_risk(relevant: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contexts of 1,500 examples, inverted: mean loss of each class within 4.9 standard errors of the exact risk."""
    monkeypatch.setattr(module, "LARGEST_TABLE", 0)
    task = TaskDistribution(
        num_high=1, num_low=3, p_high=0.8, context_length=1500, relevant_examples=relevant, label_noise=0.3,
        context_label_noise=0.5,
    )  # fmt: skip
    attention = Attention(odds=50.0, floor=1e-6)
    sampler = statistics_sampler(task)
    drawn = sampler.draw(20_000, sampler.streams(9, 0))
    m = drawn.relevant_examples
    mass = label_mass(drawn.relevant_matches, drawn.irrelevant_matches, m, 1500 - m, attention.odds)
    losses = floored_loss(mass, 4, attention.floor)
    kinds, _ = class_kinds(task)
    for x, kind in enumerate(kind_of_class(task).tolist()):
        own = losses[drawn.query == x]
        exact = in_context_loss(task, attention, kinds[kind]).risk
        assert abs(own.mean() - exact) < 4.9 * own.std() / np.sqrt(own.size)
