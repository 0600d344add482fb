"""Bands of single runs against exact enumeration, where nothing is random, and at their edges."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import nbinom

from theory.gating.cell import GateCell
from theory.gating.curve import GroupCurve
from theory.prediction import ClassPrediction
from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, HedgeGate, TaskDistribution
from theory.single_runs.band import Band
from theory.single_runs.visit_law import has_been_below, stays_above
from theory.solver import predict


def task(**changes: Any) -> TaskDistribution:
    values: dict[str, Any] = {
        "num_high": 2, "num_low": 2, "p_high": 0.5, "context_length": 4, "relevant_examples": 2, "label_noise": 0.1,
    }  # fmt: skip
    return TaskDistribution(**{**values, **changes})


def cell_of(entry: ClassPrediction) -> GateCell:
    return entry.curve.parts[0][1].cells[0][1]


def enumerated(cell: GateCell, visits: int) -> list[float]:
    """Probability of having been below 1/2 at one of the first visits, over all labels and losses."""
    labels, b = cell.labels, cell.pseudo_count
    label_weights = [1 - labels.noise] + [labels.noise / labels.noisy_labels] * labels.noisy_labels
    outcomes = [
        (y, float(loss), weight * float(chance))
        for y, weight in enumerate(label_weights)
        for law in [cell.loss.own if y == 0 else cell.loss.noisy]
        for loss, chance in zip(law.values, law.probabilities, strict=True)
        if weight > 0
    ]
    fallen = np.zeros(visits + 1)
    for path in itertools.product(outcomes, repeat=visits):
        logit, seen, first = cell.prior_log_odds / cell.rate, [0] * len(label_weights), None
        for n, (y, loss, _) in enumerate(path):
            logit += loss + math.log((seen[y] + b) / (n + labels.total_labels * b))
            seen[y] += 1
            if logit < 0:
                first = n + 1
                break
        if first is not None:
            fallen[first:] += math.prod(weight for _, _, weight in path)
    return fallen.tolist()


@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
@pytest.mark.parametrize("gate", [BayesGate(prior_in_weight=0.85), HedgeGate(rate=0.5, prior_in_weight=0.7)])
def test_first_visits_below_against_all_paths(kind: str, gate: BayesGate | HedgeGate) -> None:
    setting = task(context_length=1, relevant_examples=1, label_noise=0.2, label_noise_kind=kind)
    cell = cell_of(predict(setting, GatedPredictor(gate=gate))["high"])
    law = has_been_below(cell)
    assert law is not None
    exact = enumerated(cell, 4)
    assert np.allclose(law.at(np.arange(5)), exact, atol=2e-3)
    assert not np.allclose(law.at(np.arange(1, 6)), exact, atol=0.05)


def test_a_tie_at_the_first_visit_is_told_from_a_fall() -> None:
    """Prior odds of C and a cheap copy: after one visit the log-odds are that copy's loss, hardly above 0."""
    setting = task(context_length=1, relevant_examples=1, label_noise=0.2)
    cell = cell_of(predict(setting, GatedPredictor(gate=BayesGate(prior_in_weight=0.8)))["high"])
    assert 0 < cell.loss.own.values.min() < 1e-3
    below, above = has_been_below(cell), stays_above(cell)
    assert below is not None
    assert above is not None
    assert np.allclose(below.at(np.arange(2)), enumerated(cell, 1), atol=1e-9)
    assert np.allclose(below.at(np.arange(5)), enumerated(cell, 4), atol=2e-3)
    # Whoever has never been below is above from the first visit on.
    assert above.at(1) == pytest.approx(1 - float(below.probability[-1]), abs=0.01)


def test_a_run_without_chance_has_its_boundary_at_a_visit() -> None:
    """Clean labels: every run crosses at the same visit, whose time is negative binomial."""
    setting = task(label_noise=0.0, relevant_examples=4, num_high=10, num_low=10)
    model = GatedPredictor(in_context=Attention(floor=1e-3))
    entry = predict(setting, model, confidence=0.9)["high"]
    cell, probability = cell_of(entry), entry.class_probability
    logit, last = cell.prior_log_odds, 0
    for n in range(20_000):
        logit += cell.loss.risk + math.log((n + 0.5) / (n + 10.0))
        if logit < 0:
            last = n + 1
    band = entry.band_steps
    assert band is not None
    # The visit after the last one below, counted in steps.
    low, high = (last + 1 + nbinom.ppf(q, last + 1, probability) for q in (0.05, 0.95))
    assert (band.lower, band.upper) == (low - 1, high)


def test_every_law_rises_and_bands_grow_with_confidence() -> None:
    entries = [predict(task(label_noise=0.2), confidence=c)["low"] for c in (0.5, 0.95, 0.999)]
    law = stays_above(cell_of(entries[0]))
    assert law is not None
    assert np.all(np.diff(law.probability) >= 0)
    assert law.probability[-1] == pytest.approx(1, abs=1e-6)
    bands = [entry.band_steps for entry in entries]
    ends = [(band.lower, band.upper) for band in bands if band is not None]
    assert len(ends) == 3
    assert ends[0][0] >= ends[1][0] >= ends[2][0]
    assert ends[0][1] < ends[1][1] < ends[2][1]


def test_rare_classes_have_later_bands() -> None:
    prediction = predict(task(num_high=2, num_low=20, p_high=0.9))
    high, low = prediction["high"].band_steps, prediction["low"].band_steps
    assert high is not None
    assert low is not None
    assert low.lower > 5 * high.lower
    assert low.upper > 5 * high.upper


def test_a_group_mixes_its_kinds() -> None:
    """One class of three has another neighbour: the group's band is none of a kind's own, and lies between them."""
    entry = predict(task(num_high=3, num_low=3, p_high=0.9, label_noise=0.25))["high"]
    assert entry.bands is not None
    assert isinstance(entry.curve, GroupCurve)
    band, kinds = entry.band_steps, []
    for _, curve in entry.curve.parts:
        alone = replace(entry.bands, curve=replace(entry.curve, parts=[(1.0, curve)])).vanish
        assert alone is not None
        kinds.append(alone)
    assert len(kinds) > 1
    assert band is not None
    assert min(kind.lower for kind in kinds) <= band.lower <= max(kind.lower for kind in kinds)
    assert min(kind.upper for kind in kinds) <= band.upper <= max(kind.upper for kind in kinds)


def test_where_there_is_no_band() -> None:
    persistent = predict(task(label_noise=0.0, relevant_examples=4), GatedPredictor(in_context=Attention(floor=0.0)))
    assert persistent["low"].band_steps is None
    both = GatedPredictor(gate=BayesGate(per="query-and-relevance"))
    assert predict(task(p_relevant=0.5), both)["low"].band_steps is None
    even = predict(task())["low"]
    assert even.band_emerge_steps is None
    assert even.to_dict()["emerge_steps"]["band"] is None
    impossible = TaskDistribution(frequencies="counts", counts=[3, 2, 0], context_length=4, label_noise=0.1)
    assert predict(impossible).entries[2].band_steps is None
    never = GatedPredictor(gate=BayesGate(prior_in_weight=1 - 1e-12))
    assert predict(task(), never)["low"].band_emerge_steps is None


def test_from_the_start_in_weights() -> None:
    entry = predict(task(), GatedPredictor(gate=BayesGate(prior_in_weight=1 - 1e-12)))["low"]
    assert entry.phase == "in-weight"
    assert entry.band_steps == Band(lower=0.0, upper=0.0, confidence=0.95)


def test_emergence_has_a_band_before_that_of_vanishing() -> None:
    model = GatedPredictor(in_weight=DirichletTable(pseudo_count=20.0), gate=BayesGate(prior_in_weight=0.99))
    entry = predict(task(context_length=8, relevant_examples=8, num_high=10, num_low=10, label_noise=0.02), model)[
        "high"
    ]
    emerge, vanish = entry.band_emerge_steps, entry.band_steps
    assert emerge is not None
    assert vanish is not None
    assert emerge.lower <= (entry.emerge_steps or 0) <= emerge.upper < vanish.upper
    assert entry.to_dict()["emerge_steps"]["band"] == [emerge.lower, emerge.upper]
    assert entry.to_dict()["vanish_steps"]["band"] == [vanish.lower, vanish.upper]


@pytest.mark.parametrize("probability", [1e-3, 1e-9])
def test_far_boundaries_are_as_quick_and_scale(probability: float) -> None:
    setting = TaskDistribution(
        num_high=1, num_low=1, p_high=1 - probability, context_length=8, relevant_examples=8, label_noise=0.1
    )
    entry = predict(setting, GatedPredictor(in_context=Attention(odds=1.0, floor=1e-9)))["low"]
    band = entry.band_steps
    assert band is not None
    assert entry.vanish_steps is not None
    assert band.lower < entry.vanish_steps < band.upper


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_a_run_without_chance_has_a_boundary_without_a_band(noise: float) -> None:
    """In visits, that is; losses that differ by less than they gain at a visit count as equal."""
    task = TaskDistribution(
        frequencies="uniform", num_classes=2, context_length=2, relevant_examples=2, label_noise=noise,
        label_noise_kind="symmetric",
    )  # fmt: skip
    model = GatedPredictor(
        in_weight=DirichletTable(pseudo_count=50.0), in_context=Attention(odds=1e100, floor=0.49999999)
    )
    entry = predict(task, model).entries[0]
    law = stays_above(cell_of(entry))
    assert law is not None
    below = law.at(np.arange(1, 400)) < 0.5
    assert set(law.at(np.arange(1, 400)).tolist()) <= {0.0, 1.0}
    assert entry.vanish_visits.sharp is not None
    assert int(below.sum()) == math.floor(entry.vanish_visits.sharp)
