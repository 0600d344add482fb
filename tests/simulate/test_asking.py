"""Evaluations as a whole: that asking changes nothing, what results depend on, and bad input.

What learners answer is in ``test_evaluation.py``; traces, files and commands have tests of their own.
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simulate
from simulate.blocks import PromptBlock
from simulate.evaluation import exam as exam_module
from simulate.evaluation import training as training_module
from simulate.evaluation.evaluating import evaluate, follow, trace
from simulate.evaluation.exam import Exam
from simulate.evaluation.results import Evaluation
from simulate.evaluation.training import Training
from simulate.lanes import Lanes
from simulate.learner import Learner
from simulate.predictors import NoEngineError
from simulate.sources import PromptSource
from tests.simulate.stand_ins import Constant, Copying, Counting, Summing
from theory.errors import SettingError
from theory.setting import (
    AdaHedgeGate,
    Attention,
    BayesGate,
    ClassLaw,
    DirichletTable,
    EpisodeDistribution,
    FixedShareGate,
    GatedPredictor,
    KernelAttention,
    LabelPosterior,
    LearnedAttention,
    LogisticGate,
    LogisticRegression,
    MajorityVote,
    RowKind,
    SphereInputs,
    TaskDistribution,
)

Array = NDArray[np.float64]
TASK = TaskDistribution(num_high=3, num_low=4, p_high=0.8, context_length=4, relevant_examples=2)
NOISY = replace(TASK, label_noise=0.2)
LOOPS = GatedPredictor(in_weight=Counting(), in_context=Copying(), gate=Summing())
SPHERES = EpisodeDistribution(
    classes=ClassLaw(num_high=2, num_low=3, p_high=0.7),
    rows=(RowKind(name="relevant", share=0.8, matches="exact", copies=1),
          RowKind(name="irrelevant", share=0.2, matches="none")),
    context_length=3,
    inputs=SphereInputs(dimension=4, input_noise=0.1),
    held_out_classes=2,
)  # fmt: skip


# The real parts.


@pytest.mark.parametrize(
    "model",
    [
        GatedPredictor(in_weight=DirichletTable()),
        GatedPredictor(in_weight=LogisticRegression()),
        GatedPredictor(in_context=Attention()),
        GatedPredictor(in_context=LearnedAttention(learning_rate=0.1)),
        GatedPredictor(in_context=KernelAttention(learning_rate=0.1)),
        GatedPredictor(in_context=LabelPosterior()),
        GatedPredictor(in_context=MajorityVote()),
        GatedPredictor(gate=BayesGate(per="query-and-relevance")),
        GatedPredictor(gate=AdaHedgeGate()),
        GatedPredictor(gate=FixedShareGate(per="shared")),
        GatedPredictor(gate=LogisticGate()),
        GatedPredictor(in_weight=LogisticRegression(), in_context=LabelPosterior(), gate=FixedShareGate(per="shared")),
    ],
    ids=lambda model: "-".join(part.kind for part in vars(model).values()),
)
@pytest.mark.parametrize("task", [NOISY, SPHERES], ids=["tabular", "spheres"])
def test_asking_changes_nothing(model: GatedPredictor, task: Any) -> None:
    """All arrays of all states are the same bytes before and after, and so is what is learned next."""
    lanes = Lanes((task,), (model,), 3)
    asked, unasked = Learner(lanes), Learner(lanes)
    blocks = [PromptSource(lanes, asked.needs, 2) for _ in range(2)]
    first = blocks[0].draw(150)
    asked.advance(first)
    unasked.advance(blocks[1].draw(150))
    before = arrays_of(asked)
    needs = "inputs" if asked.needs == "inputs" else "labels"
    exam = Exam(task=task, replicates=3, seed=2, prompts=40, needs=needs)
    marks = exam.marks(asked)
    assert before
    assert {name: value.tobytes() for name, value in arrays_of(asked).items()} == {
        name: value.tobytes() for name, value in before.items()
    }
    assert np.array_equal(exam.marks(asked), marks)
    learned, expected = asked.advance(blocks[0].draw(50)), unasked.advance(blocks[1].draw(50))
    assert np.array_equal(learned.gated, expected.gated)
    assert np.array_equal(learned.path.after, expected.path.after)
    assert not np.array_equal(exam.marks(asked), marks)  # learning does change the answers


def arrays_of(thing: Any, name: str = "", seen: frozenset[int] = frozenset()) -> dict[str, Any]:
    """Copies of all arrays that an object holds, however deep."""
    if isinstance(thing, np.ndarray):
        return {name: thing.copy()}
    if id(thing) in seen or isinstance(thing, str | bytes | int | float | type(None)):
        return {}
    inner: dict[str, Any] = {}
    if isinstance(thing, dict):
        inner = {str(key): value for key, value in thing.items()}
    elif isinstance(thing, list | tuple):
        inner = {str(i): value for i, value in enumerate(thing)}
    elif hasattr(thing, "__dict__"):
        inner = vars(thing)
    found: dict[str, Any] = {}
    for key, value in inner.items():
        found |= arrays_of(value, f"{name}.{key}", seen | {id(thing)})
    return found


def test_a_learner_that_learns_from_questions_would_be_seen() -> None:
    lanes = Lanes((NOISY,), (LOOPS,), 2)

    class Cheating(Learner):
        def label_laws(self, block: PromptBlock) -> tuple[Array, Array, Array]:
            laws = super().label_laws(block)
            self.advance(block)
            return laws

    learner = Cheating(lanes)
    before = arrays_of(learner)
    exam = Exam(task=NOISY, replicates=2, seed=2, prompts=5)
    exam.marks(learner)
    after = arrays_of(learner)
    assert any(before[name].tobytes() != after[name].tobytes() for name in before)


def test_training_is_the_same_however_often_it_is_interrupted() -> None:
    often = trace(NOISY, steps=400, replicates=3, prompts=20, checkpoints=40)
    once = trace(NOISY, steps=400, replicates=3, prompts=20, checkpoints=[400])
    for first, second in zip(often.cells, once.cells, strict=True):
        for part in ("in_weight", "in_context", "gated"):
            a, b = (getattr(cell.cross_entropy, part).of_replicates[-1] for cell in (first, second))
            assert np.array_equal(a, b)
        assert np.array_equal(first.gate.of_replicates[-1], second.gate.of_replicates[-1])
    for many, one in zip(often.training, once.training, strict=True):
        assert many.visits.sum(axis=0).tolist() == one.visits[0].tolist()
        assert many.gated.sum(axis=0) == pytest.approx(one.gated[0], rel=1e-12)


def test_training_equals_a_run_without_evaluation() -> None:
    lanes = Lanes((NOISY,), (GatedPredictor(),), 3)
    exam = Exam(task=NOISY, replicates=3, seed=6, prompts=10)
    learner, alone = Learner(lanes), Learner(lanes)
    follow(exam, learner, PromptSource(lanes, "statistics", 6), np.array([10, 50, 51, 300]))
    alone.advance(PromptSource(lanes, "statistics", 6).draw(300))
    for name, value in arrays_of(alone).items():
        assert np.array_equal(arrays_of(learner)[name], value), name


def test_evaluation_and_run_learn_the_same_stream() -> None:
    """The scan sees other statistics of the same prompts, so that gates agree; of asked queries, hence not exactly."""
    task = replace(NOISY, p_relevant=0.7, label_noise=0.1)
    once = evaluate(task, None, 600, 3, 4, prompts=20)
    scanned = simulate.run(task, None, 600, 3, 4)
    last = scanned["high"].curve.gate[:, -1].mean()
    assert last == pytest.approx(once["in-base", "relevant", "high"].gate.mean, abs=0.05)


# What results depend on.


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = evaluate(NOISY, steps=100, replicates=2, prompts=30).to_dict()
    monkeypatch.setattr(exam_module, "LARGEST_CHUNK", 50)
    monkeypatch.setattr(training_module, "LARGEST_BLOCK", 100)
    for cell, expected in zip(evaluate(NOISY, steps=100, replicates=2, prompts=30).cells, whole["cells"], strict=True):
        assert cell.to_dict()["error"]["gated"]["mean"] == pytest.approx(expected["error"]["gated"]["mean"], rel=1e-12)
        assert cell.to_dict()["gate"]["mean"] == pytest.approx(expected["gate"]["mean"], rel=1e-12)


def test_replicates_are_addressable() -> None:
    few, many = (evaluate(NOISY, steps=200, replicates=r, seed=3, prompts=20) for r in (2, 5))
    for first, second in zip(few.cells, many.cells, strict=True):
        assert np.array_equal(first.error.gated.of_replicates, second.error.gated.of_replicates[:2])
        assert first.gate.of_replicates == pytest.approx(second.gate.of_replicates[:2], rel=1e-14)


def test_same_seed_same_numbers_other_seed_others() -> None:
    first, again, other = (evaluate(NOISY, steps=200, replicates=2, seed=s, prompts=20).to_dict() for s in (1, 1, 2))
    assert first == again
    assert first["cells"] != other["cells"]


def test_results_are_plain_json() -> None:
    found = evaluate(NOISY, steps=50, replicates=1, prompts=5)
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert len(data["cells"]) == 8
    assert data["cells"][0]["error"]["gated"]["standard_error"] is None
    assert data["setting"]["task"]["num_high"] == 3
    assert isinstance(found, Evaluation)
    assert (found.steps, found.replicates, found.prompts, found.seed) == (50, 1, 5, 0)


def test_laws_of_a_user_that_are_none_are_refused() -> None:
    model = replace(LOOPS, in_weight=Constant(law=(0.5, 0.6, *(0.1,) * 5)))
    with pytest.raises(ValueError, match="in_weight is not a probability law"):
        evaluate(TASK, model, steps=10, replicates=2, prompts=5)


# Bad input.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": -1}, "steps = -1"),
        ({"steps": 1.5}, "steps = 1.5"),
        ({"steps": float("nan")}, "steps = nan"),
        ({"replicates": 0}, "replicates = 0"),
        ({"replicates": True}, "replicates = True"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": 1.5}, "seed = 1.5"),
        ({"seed": "x"}, "seed = 'x'"),
        ({"prompts": 0}, "prompts = 0"),
        ({"prompts": float("inf")}, "prompts = inf"),
    ],
)
def test_bad_numbers_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        evaluate(TASK, **({"steps": 10} | arguments))
    with pytest.raises(SettingError, match=message):
        trace(TASK, **({"steps": 10} | arguments))


def test_attention_without_a_floor_is_not_evaluated() -> None:
    model = GatedPredictor(in_context=Attention(floor=0.0))
    with pytest.raises(SettingError, match=r"model\.in_context\.floor = 0\.0"):
        evaluate(TASK, model, 10, 1)


@pytest.mark.parametrize("changes", [{"task": "paper"}, {"model": "x"}, {"replicates": 10**9}])
def test_what_is_no_setting_is_refused(changes: dict[str, Any]) -> None:
    for work in (simulate.run, evaluate):
        with pytest.raises(SettingError, match=f"{next(iter(changes))} = "):
            work(**{"task": TASK, "steps": 10, "replicates": 1, **changes})


def test_an_unknown_part_is_named() -> None:
    with pytest.raises(NoEngineError, match=r"model\.gate = 'int' has no implementation"):
        evaluate(TASK, GatedPredictor(gate=1), steps=10)


def test_an_unknown_cell_is_a_key_error() -> None:
    found = evaluate(TASK, steps=0, replicates=1, prompts=1)
    with pytest.raises(KeyError):
        found["in-base", "relevant", "middle"]


def test_public_names() -> None:
    assert simulate.evaluate is evaluate
    assert simulate.trace is trace


def test_training_adds_up_what_was_lost() -> None:
    lanes = Lanes((NOISY,), (GatedPredictor(),), 2)
    exam = Exam(task=NOISY, replicates=2, seed=0, prompts=1)
    learner = Learner(lanes)
    twin = copy.deepcopy(learner)
    totals = Training(learner, PromptSource(lanes, "statistics", 1), exam.groups, 7).advance(200)
    block = PromptSource(lanes, "statistics", 1).draw(200)
    learned = twin.advance(block)
    for group, members in enumerate(exam.groups):
        here = np.isin(block.query, members.classes)
        expected = [here, *(np.where(here, loss, 0) for loss in (learned.in_weight, learned.in_context, learned.gated))]
        for row, values in enumerate(expected):
            assert totals[group, row] == pytest.approx(values.sum(axis=0), rel=1e-12)
