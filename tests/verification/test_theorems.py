"""Every theorem of the catalogue against the toolkit's own simulator; see :mod:`tests.verification.theorem_check`."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import simulate.episodes.label_draws
import simulate.predictors
import simulate.statistics
import theory
from tests.verification.page import parameters_of
from tests.verification.theorem_check import (
    ERRORS,
    FALSE_ALARM,
    POWER,
    SEEN,
    Address,
    Check,
    Setting,
    Trajectories,
    Verdict,
    verdict,
)
from tests.verification.theorem_registry import CASES, NAMES, REFUTED, REGISTRY, REPEATS, name_of
from tests.verification.theorem_streams import sampler_of
from theory.setting import TaskDistribution

EVERY = pytest.mark.parametrize("case", CASES, ids=name_of)
WIDER = 1.2
"""A standard error is itself estimated."""


def test_every_theorem_is_checked() -> None:
    assert set(theory.theorem_names()) <= set(NAMES)
    assert {check.theorem for check in REGISTRY} == set(NAMES)


def test_every_theorem_has_several_settings_and_a_wrong_variant_that_can_be_told() -> None:
    number = Counter(check.theorem for check, _ in CASES)
    told = {check.theorem for check, i in CASES if check.settings[i].wrong}
    assert [name for name in NAMES if number[name] < 2 and name not in REFUTED] == []
    assert set(NAMES) - told == set()


def test_checks_of_a_theorem_are_told_apart() -> None:
    assert len({(check.theorem, check.simulated) for check in REGISTRY}) == len(REGISTRY)


@EVERY
def test_simulator_and_theorem_agree(case: tuple[Check, int]) -> None:
    check, number = case
    setting = check.settings[number]
    found = verdict(check, number)
    judge(check, setting, found)
    assert found.sees <= setting.sees


@pytest.mark.slow
@EVERY
def test_simulator_and_theorem_agree_on_many_draws(case: tuple[Check, int]) -> None:
    check, number = case
    setting = check.settings[number]
    found = verdict(check, number, REPEATS)
    judge(check, setting, found)
    if check.kind in ("every", "regret") or not check.random:
        assert found.sees <= setting.sees
    else:
        systematic = setting.allowed / abs(found.measured)
        assert found.sees - systematic <= WIDER * setting.sees / np.sqrt(REPEATS)


def judge(check: Check, setting: Setting, found: Verdict) -> None:
    if check.theorem in REFUTED:
        assert found.beyond > 1, found
        return
    assert found.beyond <= 1, found
    assert not setting.wrong or found.wrong_beyond > 1, found


# A simulator that is wrong has to be seen.


def broken(theorem: str, number: int = 0, **changed: float) -> Verdict:
    """Verdict on a theorem whose simulation runs at other parameters than the theorem is evaluated at."""
    check = next(check for check in REGISTRY if check.theorem == theorem)
    draw = check.draw

    def elsewhere(setting: Setting, size: int, address: Address) -> Any:
        return draw(replace(setting, point={**setting.point, **changed}), size, address)

    return verdict(replace(check, draw=elsewhere), number)


@pytest.mark.parametrize(
    ("theorem", "changed"),
    [
        ("in_weight_risk", {"b": 0.25}),
        ("in_weight_risk_total", {"n": 4}),
        ("in_weight_risk_total", {"label_noise": 0.33}),
        ("in_weight_risk_noiseless", {"b": 0.5000001}),
        ("decreasing_hedge_regret", {"rate": 0.5001}),
        ("adahedge_regret", {"n": 2}),
        ("in_weight_lower", {"n": 4}),
        ("laplace_upper_seen", {"b": 0.9}),
        ("expected_cumulative_loss", {"label_noise": 0.31}),
        ("risk_after_examples", {"N": 14}),
        ("dirichlet_bayes_risk", {"n": 8}),
        ("no_hypercompression", {"b": 1.0}),
        ("in_context_risk", {"odds": 3.5}),
        ("in_context_risk", {"floor": 0.02}),
        ("in_context_risk", {"noisy_labels": 1}),
        ("in_context_loss_lower_log", {"k": 2}),
        ("bayes_in_context_rate", {"m": 4}),
        ("attention_above_bayes", {"odds": 2.0}),
        ("bayes_gate_loss", {"prior": 0.1001}),
        ("hedge_regret", {"rate": 0.99}),
        ("composition", {"prior": 0.4}),
        ("learned_temperature", {"rate": 0.5001}),
        ("zipf_share_threshold", {"zipf_exponent": 1.45}),
        ("zipf_share_visits", {"N": 120}),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
def test_simulation_at_other_parameters_is_seen(theorem: str, changed: dict[str, float]) -> None:
    number = 1 if theorem == "in_weight_risk_noiseless" else 0
    assert broken(theorem, number, **changed).beyond > 1


# What the checks promise.


def coin_check(probability: float, draws: int, **more: Any) -> Check:
    """Draws of known mean against in_context_loss_upper, whose left side is log(2) at this point."""
    point = {"L": 2, "k": 1, "temperature": 1.0, "relevant_distance": 0.5, "irrelevant_distance": 0.5}

    def draw(_: Setting, size: int, address: Address) -> Any:
        return np.log(2) + probability + address.generator().standard_normal(size)

    setting = Setting(point=point, draws=draws)
    return Check(theorem="in_context_l1", simulated=f"noise {probability}", draw=draw, settings=(setting,), **more)


def test_error_rates_are_as_stated() -> None:
    """Under the theorem none of 2,000 checks fails; a deviation of SEEN standard errors is seen in 99 of 100."""
    from scipy.special import ndtr

    assert 3 * ndtr(-ERRORS) < FALSE_ALARM
    assert ndtr(SEEN - ERRORS) == pytest.approx(POWER, abs=1e-4)
    size, rejected, missed = 100, 0, 0
    for i in range(1000):
        check = replace(coin_check(1 - np.log(2), size), simulated=str(i))
        rejected += verdict(check, 0).beyond > 1
        off = replace(coin_check(1 - np.log(2) + SEEN / np.sqrt(size), size), simulated=f"off {i}")
        missed += verdict(off, 0).beyond <= 1
    assert rejected <= 1
    # 10 are expected; 30 or more have a probability below 1e-6, and Student's tails make it a little more.
    assert missed < 40


def test_trajectories_that_break_a_bound_are_seen() -> None:
    check = next(check for check in REGISTRY if check.kind == "regret" and check.theorem == "hedge_slow_regret")

    def one_too_many(setting: Setting, size: int, address: Address) -> Trajectories:
        drawn = check.draw(setting, size, address)
        assert isinstance(drawn, Trajectories)
        values = drawn.values.copy()
        values[7] = np.log(2) / setting.point["rate"] + 1e-6
        return Trajectories(values)

    assert verdict(replace(check, draw=one_too_many), 0).beyond > 1


def test_draws_are_addressed() -> None:
    """The same check has the same numbers; the slow tier begins with the fast one's."""
    check = next(check for check in REGISTRY if check.theorem == "expected_cumulative_loss")
    assert verdict(check, 0) == verdict(check, 0)
    assert verdict(check, 0, 2).measured != verdict(check, 0).measured


def leaky_matches(task: TaskDistribution) -> Any:
    """Relevant examples whose labels are never noisy."""
    del task
    return np.array([1.0, 0.0])


def noise_that_may_stay(uniforms: Any, noise: float, noisy_labels: int) -> Any:
    """Symmetric noise that leads to every label, the own one among them."""
    offset = np.floor(uniforms / noise * (noisy_labels + 1)) if noise else np.zeros(uniforms.shape)
    return np.where(uniforms < noise, offset, 0).astype(np.intp)


def loss_without_floor(mass: Any, labels: int, floor: float) -> Any:
    """Attention whose floor is added and not taken off the rest."""
    del labels
    return -np.log(mass + floor)


@pytest.mark.parametrize(
    ("place", "mistake", "theorem", "number"),
    [
        (simulate.statistics, leaky_matches, "in_context_risk", 0),
        (simulate.statistics, noise_that_may_stay, "in_weight_risk_total", 0),
        (simulate.statistics, noise_that_may_stay, "unvisited_floor", 2),
        (simulate.episodes.label_draws, noise_that_may_stay, "in_context_risk", 1),
        (simulate.episodes.label_draws, noise_that_may_stay, "bayes_in_context_risk", 0),
        (simulate.predictors, loss_without_floor, "in_context_risk", 0),
        (simulate.predictors, loss_without_floor, "gap_noiseless", 0),
    ],
)
def test_mistakes_in_the_simulator_are_seen(
    monkeypatch: pytest.MonkeyPatch, place: ModuleType, mistake: Any, theorem: str, number: int
) -> None:
    names = {
        leaky_matches: "match_probabilities",
        noise_that_may_stay: "noise_offset",
        loss_without_floor: "floored_loss",
    }
    cases = [case for case in CASES if case[0].theorem == theorem]
    sampler_of.cache_clear()
    monkeypatch.setattr(place, names[mistake], mistake)
    try:
        assert verdict(*cases[number]).beyond > 1
    finally:
        sampler_of.cache_clear()


def test_page_has_a_row_for_every_check() -> None:
    """``docs/verification.md`` was printed from this registry; its head says how to print it again."""
    text = (Path(__file__).parents[2] / "docs/verification.md").read_text(encoding="utf-8")
    printed = [line.split(" | ")[:3] for line in text.splitlines() if line.startswith("| ")][2:]
    expected = [[f"| {check.theorem}", check.simulated, parameters_of(check.settings[i])] for check, i in CASES]
    assert printed == expected
    assert "0 are not." in text
