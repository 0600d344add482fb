"""Speed of the step engine: what many replicates side by side gain."""

from __future__ import annotations

import statistics

import numpy as np

from benchmarks.measuring import head, row, seconds, spread
from simulate.lanes import Lanes
from simulate.learner import Learner
from simulate.prompts import draw_prompts
from simulate.reference import reference_run
from simulate.sources import PromptSource
from simulate.step_engine import learned_parts
from theory.setting import (
    AdaHedgeGate,
    ExponentiatedGradientGate,
    FixedShareGate,
    GatedPredictor,
    LearnedAttention,
    LogisticGate,
    LogisticRegression,
    ProjectedGradientGate,
    TaskDistribution,
    UniversalMixtureGate,
)

ROUNDS = 7
LANES = 1000
SMALL = TaskDistribution(num_high=5, num_low=5, p_high=0.9, context_length=8, relevant_examples=4, label_noise=0.05)
STEPPED = {
    "table, attention, Bayes gate": GatedPredictor(),
    "table, attention, fixed share": GatedPredictor(gate=FixedShareGate()),
    "table, attention, AdaHedge": GatedPredictor(gate=AdaHedgeGate()),
    "table, attention, exponentiated gradient": GatedPredictor(gate=ExponentiatedGradientGate()),
    "table, attention, projected gradient": GatedPredictor(gate=ProjectedGradientGate()),
    "table, attention, logistic gate": GatedPredictor(gate=LogisticGate()),
    "table, attention, universal mixture of 64": GatedPredictor(gate=UniversalMixtureGate(nodes=64)),
    "table, learned attention, Bayes gate": GatedPredictor(in_context=LearnedAttention(learning_rate=0.01)),
    "regression, attention, Bayes gate": GatedPredictor(in_weight=LogisticRegression()),
    "regression, learned attention, fixed share": GatedPredictor(
        in_weight=LogisticRegression(), in_context=LearnedAttention(learning_rate=0.01), gate=FixedShareGate()
    ),
}


def step_engine() -> None:
    """Cost of a replicate-step with one replicate against that with many."""
    print("\n## Step engine\n\nDrawing and learning, ten classes, L = 8: cost of a replicate-step with 1 replicate")
    print(f"divided by that with {LANES:,}. What is time-parallel at one replicate has less to gain.")
    head("model", "falls by a factor of", "ns a replicate-step with 1", f"with {LANES:,}")
    for name, model in STEPPED.items():
        ratios, one, many = [], [], []
        for _ in range(ROUNDS):
            one.append(learning(model, 1, 4000))
            many.append(learning(model, LANES, 400))
            ratios.append(one[-1] / many[-1])
        row(name, spread(ratios), f"{1e9 * statistics.median(one):,.0f}", f"{1e9 * statistics.median(many):,.0f}")
    ratios = [in_a_loop(GatedPredictor()) / learning(GatedPredictor(), LANES, 400) for _ in range(ROUNDS)]
    print("\nTable, attention and Bayes gate need no loop over time, so one replicate has none to share with others;")
    print(f"the reference loop, step by step and given its prompts, costs {spread(ratios)} times as much a step as")
    print(f"{LANES:,} replicates do.")


def in_a_loop(model: GatedPredictor) -> float:
    """Time of a step of the reference loop."""
    prompts = draw_prompts(SMALL, 4000, np.random.default_rng(0))
    return seconds(lambda: reference_run(SMALL, model, prompts)) / prompts.query.size


def learning(model: GatedPredictor, replicates: int, steps: int) -> float:
    """Time of a replicate-step."""
    lanes = Lanes((SMALL,), (model,), replicates)
    learner = Learner(lanes)
    source = PromptSource(lanes, learner.needs, 0)

    def work() -> None:
        for _ in learned_parts(source, learner, steps):
            pass

    return seconds(work) / (steps * replicates)
