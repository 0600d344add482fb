"""Traces: checkpoints, curves, training losses, files."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulate
import simulate.cli
from simulate.evaluation.evaluating import checkpoint_steps, trace
from simulate.evaluation.results import values_of
from simulate.evaluation.trace_file import load_trace, save_trace
from simulate.evaluation.traces import Trace, TrainingLosses, losses_of
from simulate.lanes import Lanes
from simulate.learner import Learner
from simulate.sources import PromptSource
from tests.simulate.stand_ins import Copying, Counting, Summing
from theory.errors import OutputError, SettingError
from theory.setting import GatedPredictor, TaskDistribution
from theory.setting_file import load

TASK = TaskDistribution(
    num_high=2, num_low=3, p_high=0.8, context_length=3, relevant_examples=1, label_noise=0.1, p_relevant=0.8
)


@pytest.fixture(scope="module")
def traced() -> Trace:
    return trace(TASK, steps=200, replicates=3, seed=2, prompts=10, checkpoints=[0, 1, 20, 200])


# Checkpoints.


@pytest.mark.parametrize(
    ("steps", "points", "expected"),
    [
        (1000, 3, [10, 100, 1000]),
        (1000, 1, [1000]),
        (5, 40, [5]),
        (10, 40, [10]),
        (12, 40, [10, 11, 12]),
        (100, [3, 7], [3, 7]),
        (100, np.array([100]), [100]),
        (100, (0, 100), [0, 100]),
    ],
)
def test_checkpoints(steps: int, points: Any, expected: list[int]) -> None:
    assert checkpoint_steps(steps, points).tolist() == expected


def test_default_checkpoints_grow_evenly_up_to_the_last_step() -> None:
    points = checkpoint_steps(10**6, 40)
    assert (points.size, points[0], points[-1]) == (40, 10, 10**6)
    ratios = points[20:] / points[19:-1]
    assert ratios == pytest.approx(np.full(20, (10**5) ** (1 / 39)), rel=0.01)


@pytest.mark.parametrize(
    "points", [0, -1, 1.5, True, "x", None, [], [5, 5], [7, 3], [-1], [101], [1.5], [math.nan], [[1, 2]], [math.inf]]
)
def test_bad_checkpoints_are_named(points: Any) -> None:
    with pytest.raises(SettingError, match="checkpoints"):
        trace(TASK, steps=100, checkpoints=points)


def test_a_trace_needs_a_step() -> None:
    with pytest.raises(SettingError, match="steps = 0"):
        trace(TASK, steps=0)


# Curves.


def test_curves_are_the_evaluations_at_the_checkpoints(traced: Trace) -> None:
    for place, steps in enumerate(traced.steps.tolist()):
        found = simulate.evaluate(TASK, steps=steps, replicates=3, seed=2, prompts=10)
        for cell, expected in zip(traced.cells, found.cells, strict=True):
            assert values_of(cell)[:, place] == pytest.approx(values_of(expected), rel=1e-13, abs=1e-15)


def test_curve_names_what_it_is_asked_for(traced: Trace) -> None:
    name = ("out-of-base", "relevant", "low")
    mean, error = traced.curve("in_context", "cross_entropy", *name)
    assert mean.tolist() == traced[name].cross_entropy.in_context.mean.tolist()
    assert (mean.shape, error.shape) == ((4,), (4,))
    with pytest.raises(SettingError, match="part = 'gate'"):
        traced.curve("gate", "error", *name)
    with pytest.raises(SettingError, match="measure = 'loss'"):
        traced.curve("gated", "loss", *name)
    with pytest.raises(KeyError):
        traced.curve("gated", "error", "base", "relevant", "low")
    with pytest.raises(SettingError, match="part = 'f'"):
        traced.training_loss("f", "low")
    with pytest.raises(KeyError):
        traced.training_loss("gated", "held-out")


def test_one_replicate_has_no_standard_errors() -> None:
    alone = trace(TASK, steps=20, replicates=1, prompts=5, checkpoints=[20])
    assert alone.curve("gated", "error", "in-base", "relevant", "low")[1] is None
    assert alone.training_loss("gated", "high")[1] is None
    assert json.loads(json.dumps(alone.to_dict(), allow_nan=False))["training"][0]["loss"]["gated"]["mean"][0] > 0


# Training losses.


def test_training_losses_are_those_between_the_checkpoints(traced: Trace) -> None:
    lanes = Lanes((TASK,), (GatedPredictor(),), 3)
    block = PromptSource(lanes, "statistics", 2).draw(200)
    learned = Learner(lanes).advance(block)
    high = block.query < 2
    for place, (start, end) in enumerate([(0, 0), (0, 1), (1, 20), (20, 200)]):
        here = high[start:end]
        assert traced.training[0].visits[place].tolist() == here.sum(axis=0).tolist()
        for part in ("in_weight", "in_context", "gated"):
            losses = getattr(learned, part)[start:end]
            assert getattr(traced.training[0], part)[place] == pytest.approx((losses * here).sum(axis=0), rel=1e-12)
    mean, _ = traced.training_loss("gated", "high")
    assert mean.mask.tolist() == [True, *(not high[s:e].any() for s, e in [(0, 1), (1, 20), (20, 200)])]
    assert float(mean[3]) == pytest.approx(learned.gated[20:][high[20:]].mean(), rel=1e-12)


def test_standard_error_of_a_ratio_covers() -> None:
    """Mean losses of visits whose number varies: 3000 runs of 20 replicates, Student's 95 % interval.

    A share of 0.95 has a standard deviation of 0.004; outside of 0.95 +- 0.025 (ratios are only nearly normal) the
    false-alarm rate is below 1e-5, and a standard error that is too small by a quarter is seen.
    """
    drawn = np.random.default_rng(8)
    visits = drawn.binomial(60, 0.5, size=(3000, 20))
    sums = drawn.gamma(visits * 2.0 + 1e-12, 0.5)
    losses = losses_of("low", np.stack([visits, sums, sums, sums]).astype(float))
    mean, error = losses.mean("gated")
    apart = np.abs(mean - 1.0)
    assert float((apart <= 2.093 * error).mean()) == pytest.approx(0.95, abs=0.025)
    assert float((apart <= 2.093 * 0.75 * error).mean()) < 0.925
    without_root = error * np.sqrt(20)
    assert float((apart <= 2.093 * without_root).mean()) > 0.975


def test_equal_visits_give_the_ordinary_standard_error() -> None:
    sums = np.random.default_rng(1).random((1, 6)) * 4
    losses = losses_of("low", np.stack([np.full((1, 6), 4.0), sums, sums, sums]))
    mean, error = losses.mean("in_weight")
    each = sums[0] / 4
    assert float(mean[0]) == pytest.approx(each.mean(), rel=1e-13)
    assert float(error[0]) == pytest.approx(each.std(ddof=1) / math.sqrt(6), rel=1e-13)


def test_intervals_without_enough_visits_are_masked() -> None:
    visits = np.array([[0.0, 0.0], [3.0, 0.0], [1.0, 1.0]])
    sums = np.array([[0.0, 0.0], [6.0, 0.0], [1.0, 3.0]])
    losses: TrainingLosses = losses_of("low", np.stack([visits, sums, sums, sums]))
    mean, error = losses.mean("gated")
    assert (mean.mask.tolist(), error.mask.tolist()) == ([True, False, False], [True, True, False])
    assert losses.to_dict()["loss"]["gated"] == {"mean": [None, 2.0, 2.0], "standard_error": [None, None, 1.0]}


def test_infinite_losses_are_no_accident_of_arithmetic() -> None:
    sums = np.array([[np.inf, 1.0]])
    losses = losses_of("low", np.stack([np.ones((1, 2)), sums, sums, sums]))
    assert [float(x[0]) for x in losses.mean("gated")] == [math.inf, math.inf]
    assert losses.to_dict()["loss"]["gated"] == {"mean": [None], "standard_error": [None]}


# Files.


def same(first: Trace, second: Trace) -> bool:
    losses = zip(first.training, second.training, strict=True)
    return (
        first.to_dict() == second.to_dict()
        and all(np.array_equal(values_of(a), values_of(b)) for a, b in zip(first.cells, second.cells, strict=True))
        and all(np.array_equal(a.visits, b.visits) and np.array_equal(a.gated, b.gated) for a, b in losses)
        and (first.task, first.model) == (second.task, second.model)
    )


def test_a_trace_survives_its_file(traced: Trace, tmp_path: Path) -> None:
    save_trace(traced, tmp_path / "trace.npz")
    assert same(load_trace(tmp_path / "trace.npz"), traced)
    assert [path.name for path in tmp_path.iterdir()] == ["trace.npz"]


def test_a_trace_of_episodes_survives_its_file(tmp_path: Path) -> None:
    task, model = load("chan2022")
    made = trace(task, model, steps=20, replicates=2, prompts=3, checkpoints=[0, 20])
    save_trace(made, tmp_path / "trace.npz")
    assert same(load_trace(tmp_path / "trace.npz"), made)


def test_infinite_values_survive_a_file(traced: Trace, tmp_path: Path) -> None:
    cell = traced.cells[0]
    losses = replace(cell.cross_entropy, gated=type(cell.gate)(np.full((4, 3), np.inf)))
    infinite = replace(traced, cells=(replace(cell, cross_entropy=losses), *traced.cells[1:]))
    save_trace(infinite, tmp_path / "trace.npz")
    assert same(load_trace(tmp_path / "trace.npz"), infinite)


def test_a_users_own_part_can_be_saved_and_says_why_it_is_not_loaded(tmp_path: Path) -> None:
    model = GatedPredictor(in_weight=Counting(), in_context=Copying(), gate=Summing())
    save_trace(trace(TASK, model, steps=20, replicates=2, prompts=3, checkpoints=1), tmp_path / "trace.npz")
    with np.load(tmp_path / "trace.npz", allow_pickle=False) as file:
        assert file["values"].shape == (8, 9, 1, 2)
    with pytest.raises(SettingError, match="Counting"):
        load_trace(tmp_path / "trace.npz")


def spoiled(path: Path, **changes: Any) -> Path:
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file) | changes
    target = path.with_name("spoiled.npz")
    np.savez(target, **{name: array for name, array in arrays.items() if array is not None})
    return target


@pytest.mark.parametrize(
    "changes",
    [
        {"values": np.zeros((1, 2))},
        {"values": np.full((8, 9, 4, 3), np.nan)},
        {"training": np.zeros((2, 4, 4, 2))},
        {"training": None},
        {"summary": np.array("no JSON")},
        {"summary": np.array("{}")},
        {"summary": np.array("[1, 2]")},
        {"summary": np.array('{"format": 99}')},
        {"steps": np.array(["a", "b", "c", "d"])},
        {"measures": np.array(["gate"])},
        {"cells": np.array(["a"] * 8)},
        {"values": np.array([{}], dtype=object)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_files_that_are_no_traces_are_refused(traced: Trace, tmp_path: Path, changes: dict[str, Any]) -> None:
    save_trace(traced, tmp_path / "trace.npz")
    with pytest.raises(SettingError, match="trace file"):
        load_trace(spoiled(tmp_path / "trace.npz", **changes))


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 not a zip", b"\x93NUMPY\x01\x00"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.npz").write_bytes(content)
    with pytest.raises(SettingError, match="trace file"):
        load_trace(tmp_path / "other.npz")


def test_missing_files_and_folders(traced: Trace, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="trace file"):
        load_trace(tmp_path / "none.npz")
    with pytest.raises(OutputError):
        save_trace(traced, tmp_path / "missing" / "trace.npz")
