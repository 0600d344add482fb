"""The step engine as a whole equals the scalar twins of its parts on the same whole prompts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from simulate.blocks import PromptBlock
from simulate.episodes.sampler import episode_sampler
from simulate.lanes import Lanes
from simulate.learner import Learner
from simulate.prompts import Prompts, draw_prompts, statistics_of
from simulate.reference import reference_run
from simulate.reference_gates import reference_gate
from simulate.reference_predictors import ReferencePrompt, reference_in_context, reference_in_weight
from theory.setting import (
    AdaHedgeGate,
    BayesGate,
    ClassLaw,
    DirichletTable,
    EpisodeDistribution,
    ExponentiatedGradientGate,
    FixedShareGate,
    GatedPredictor,
    HedgeGate,
    KernelAttention,
    LabelPosterior,
    LabelRule,
    LearnedAttention,
    LogisticGate,
    LogisticRegression,
    MajorityVote,
    ProjectedGradientGate,
    RowKind,
    SphereInputs,
    TaskDistribution,
    UniversalMixtureGate,
)

TASK = TaskDistribution(num_high=2, num_low=4, p_high=0.8, context_length=5, p_relevant=0.7, label_noise=0.2)
SPHERE = EpisodeDistribution(
    classes=ClassLaw(num_high=2, num_low=4, p_high=0.8),
    rows=(
        RowKind(name="bursty", share=0.6, matches="exact", copies=2, distractor_copies=2),
        RowKind(name="plain", share=0.4, matches="iid"),
    ),
    context_length=5,
    inputs=SphereInputs(dimension=6, input_noise=0.2),
    labels=LabelRule(num_labels=3, label_noise=0.1),
)
MODELS = {
    "table, attention, Bayes": GatedPredictor(),
    "table, learned attention, Hedge": GatedPredictor(
        in_context=LearnedAttention(learning_rate=0.1), gate=HedgeGate(rate=0.4, per="query-and-relevance")
    ),
    "regression, posterior, fixed share": GatedPredictor(
        in_weight=LogisticRegression(), in_context=LabelPosterior(), gate=FixedShareGate(per="shared")
    ),
    "table, vote, logistic": GatedPredictor(
        in_context=MajorityVote(), gate=LogisticGate(features=("relevance", "query"))
    ),
    "regression, kernel, AdaHedge": GatedPredictor(
        in_weight=LogisticRegression(bias=False), in_context=KernelAttention(learning_rate=0.1), gate=AdaHedgeGate()
    ),
    "table, kernel, universal": GatedPredictor(
        in_weight=DirichletTable(pseudo_count=0.1),
        in_context=KernelAttention(temperature=0.5),
        gate=UniversalMixtureGate(nodes=20),
    ),
    "table, attention, exponentiated": GatedPredictor(gate=ExponentiatedGradientGate()),
    "table, attention, projected": GatedPredictor(gate=ProjectedGradientGate(learning_rate=0.1)),
}
STEPS = 120


def whole_block(task: Any, replicates: int) -> PromptBlock:
    """Prompts with everything that any part reads; inputs where the task has them."""
    lanes = []
    for replicate in range(replicates):
        if isinstance(task, TaskDistribution):
            prompts = draw_prompts(task, STEPS, np.random.default_rng(replicate))
            counted = vars(statistics_of(task, prompts))
            lanes.append({**vars(prompts), **{k: v for k, v in counted.items() if k != "label_offset"}})
        else:
            sampler = episode_sampler(task, "inputs")
            drawn = vars(sampler.draw(STEPS, sampler.streams(3, replicate), sampler.state(3, replicate)))
            lanes.append({k: v for k, v in drawn.items() if k != "row_kind"})
    return PromptBlock(**{name: np.stack([lane[name] for lane in lanes], axis=1) for name in lanes[0]})


def twin_losses(task: Any, model: GatedPredictor, block: PromptBlock, lane: int) -> np.ndarray:
    """Losses of g, h and f, one prompt at a time; shape (steps, 3)."""
    g, h = reference_in_weight(model.in_weight, task), reference_in_context(model.in_context, task)
    gate = reference_gate(model.gate, task)
    losses = []
    for row in range(block.rows):
        arrays = {k: None if a is None else a[row, lane].tolist() for k, a in vars(block).items()}
        prompt = ReferencePrompt(
            query=arrays["query"], label=arrays["label"], context_classes=arrays["context_classes"],
            context_labels=arrays["context_labels"], query_input=arrays["query_inputs"],
            context_inputs=arrays["context_inputs"],
        )  # fmt: skip
        relevant = prompt.context_classes.count(prompt.query)
        given = [part.predict(prompt)[prompt.label] for part in (g, h)]
        alpha = gate.weight(prompt.query, relevant)
        losses.append([-math.log(p) for p in (*given, alpha * given[0] + (1 - alpha) * given[1])])
        gate.learn(prompt.query, relevant, math.log(given[0]), math.log(given[1]))
        g.learn(prompt)
        h.learn(prompt)
    return np.array(losses)


@pytest.mark.parametrize("task", [TASK, SPHERE], ids=["task", "sphere"])
@pytest.mark.parametrize("name", MODELS)
def test_learner_equals_the_twins(name: str, task: Any) -> None:
    model, block = MODELS[name], whole_block(task, 2)
    learner = Learner(Lanes((task,), (model,), 2))
    parts = [learner.advance(block.part(start, end)) for start, end in ((0, 1), (1, 50), (50, STEPS))]
    for lane in range(2):
        expected = twin_losses(task, model, block, lane)
        for column, loss in enumerate(("in_weight", "in_context", "gated")):
            found = np.concatenate([getattr(part, loss)[:, lane] for part in parts])
            assert np.abs(found - expected[:, column]).max() < 1e-9


def test_the_twins_would_notice() -> None:
    block = whole_block(TASK, 1)
    model = GatedPredictor(gate=HedgeGate(rate=0.999))
    expected = twin_losses(TASK, GatedPredictor(), block, 0)
    found = Learner(Lanes((TASK,), (model,), 1)).advance(block).gated[:, 0]
    assert np.abs(found - expected[:, 2]).max() > 1e-6


def test_the_two_references_agree() -> None:
    """The scan engine's reference loop and the twins of the parts are two ways to say the same."""
    prompts: Prompts = draw_prompts(TASK, STEPS, np.random.default_rng(0))
    model = GatedPredictor(gate=BayesGate(per="query-and-relevance"))
    steps = reference_run(TASK, model, prompts)
    expected = twin_losses(TASK, model, whole_block(TASK, 1), 0)
    assert np.abs([[s.in_weight, s.in_context, s.gated] for s in steps] - expected).max() < 1e-12
