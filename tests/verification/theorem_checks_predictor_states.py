"""Checks of the predictors of the step engine: what they give all labels, and what they lose on the way."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.implementations import in_context_state, in_weight_state
from simulate.in_context.kernel_weights import KernelAttentionState
from simulate.lanes import Lanes
from simulate.prompts import Prompts, draw_prompts
from tests.verification.theorem_check import Address, Check, Setting, Trajectories
from tests.verification.theorem_checks_attention import ON_SPHERE
from tests.verification.theorem_checks_emergence import extrapolated, flow
from tests.verification.theorem_checks_in_context import copying, noisy, risk_task
from tests.verification.theorem_checks_in_weight import law
from tests.verification.theorem_checks_sequences import labels_in_random_order
from tests.verification.theorem_streams import label_offsets, label_task
from theory.setting import (
    Attention,
    DirichletTable,
    GatedPredictor,
    KernelAttention,
    LabelPosterior,
    LearnedAttention,
    TaskDistribution,
)

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


def lanes_of(task: TaskDistribution, number: int, **part: Any) -> Lanes:
    return Lanes((task,), (GatedPredictor(**part),), replicates=number)


def visits_of(labels: Indices) -> PromptBlock:
    """Visits of one query with given labels, shape (visits, lanes); its own label is 0."""
    none = np.zeros(labels.shape, dtype=np.intp)
    return PromptBlock(query=none, label=labels, relevant_examples=none, relevant_matches=none, irrelevant_matches=none)


def block_of(prompts: Prompts) -> PromptBlock:
    """Explicit prompts, each for a lane of its own."""
    relevant = prompts.context_classes == prompts.query[:, None]
    match = prompts.context_labels == prompts.label[:, None]
    return PromptBlock(
        query=prompts.query[None],
        label=prompts.label[None],
        relevant_examples=relevant.sum(axis=1)[None],
        relevant_matches=(relevant & match).sum(axis=1)[None],
        irrelevant_matches=(~relevant & match).sum(axis=1)[None],
        context_classes=prompts.context_classes[None],
        context_labels=prompts.context_labels[None],
    )


# The table.


def table_losses(setting: Setting, labels: Indices) -> tuple[Any, Array]:
    """State of a table after given labels, and what it lost at each of them."""
    part = DirichletTable(pseudo_count=setting.point["b"])
    state = in_weight_state(part, lanes_of(label_task(setting.point["C"]), labels.shape[1], in_weight=part))
    return state, -state.advance(visits_of(labels))


def table_excess(setting: Setting, number: int, address: Address) -> Array:
    """Divergence of the table from the true law, over all labels."""
    point = setting.point
    labels = label_offsets(point, point["n"], number, address)
    state, _ = table_losses(setting, labels)
    predicted = state.label_law(visits_of(np.zeros((1, number), dtype=np.intp)))[0]
    truth = [1 - point["label_noise"]] + [point["label_noise"] / point["noisy_labels"]] * point["noisy_labels"]
    seen = predicted[:, : len(truth)]
    return np.asarray((np.array(truth) * np.log(np.array(truth) / seen)).sum(axis=1))


def table_loss_at_end(setting: Setting, number: int, address: Address) -> Array:
    labels = label_offsets(setting.point, setting.point["n"] + 1, number, address)
    return np.asarray(table_losses(setting, labels)[1][-1])


def table_sums(setting: Setting, number: int, address: Address) -> Trajectories:
    labels = labels_in_random_order(setting, number, address)
    return Trajectories(table_losses(setting, labels)[1].sum(axis=0))


# Attention and the Bayes rule on explicit prompts.


def attention_losses(setting: Setting, number: int, address: Address) -> Array:
    point = setting.point
    task = risk_task(point["L"], point["m"], point["C"], point["label_noise"], point["noisy_labels"])
    part = Attention(odds=point["odds"], floor=point["floor"])
    state = in_context_state(part, lanes_of(task, number, in_context=part))
    return np.asarray(-state.advance(block_of(draw_prompts(task, number, address.generator())))[0])


def posterior(setting: Setting, number: int, address: Address, excess: bool = True) -> Array:
    """Loss of the part that knows the noise; with ``excess`` its divergence from the own label's law."""
    m, noise, C = setting.point["m"], setting.point["label_noise"], setting.point.get("C", 2)
    task, part = risk_task(max(m, 1), m, C, noise, C - 1), LabelPosterior(floor=0.0)
    prompts = draw_prompts(task, number, address.generator())
    state = in_context_state(part, lanes_of(task, number, in_context=part))
    if not excess:
        return np.asarray(-state.advance(block_of(prompts))[0])
    truth = np.where(prompts.query[:, None] == np.arange(C), 1 - noise, noise / (C - 1))
    return np.asarray((truth * np.log(truth / state.label_law(block_of(prompts))[0])).sum(axis=1))


# Attention over inputs.


def on_sphere(setting: Setting, number: int, address: Address, what: str) -> Trajectories:
    """Random inputs of unit norm; the last examples of a context are relevant and carry the query's label.

    With ``sorted`` the irrelevant inputs are beyond the relevant ones. The distances are soft means.
    """
    L, k, temperature = (setting.point[name] for name in ("L", "k", "temperature"))
    inputs = address.generator().standard_normal((number, L + 1, 2))
    inputs /= np.linalg.norm(inputs, axis=2, keepdims=True)
    distances = ((inputs[:, 1:] - inputs[:, :1]) ** 2).sum(axis=2)
    if setting.how["sorted"]:
        order = np.argsort(-distances, axis=1)
        distances = np.take_along_axis(distances, order, axis=1)
        inputs[:, 1:] = np.take_along_axis(inputs[:, 1:], order[:, :, None], axis=1)
    labels = np.where(np.arange(L) < k, 1 + np.arange(L), 0)
    task, part = label_task(L + 1, context_length=L), KernelAttention(temperature=temperature, floor=0.0)
    state = KernelAttentionState(lanes_of(task, number, in_context=part))
    block = PromptBlock(
        **{name: np.zeros((1, number), dtype=np.intp) for name in ("query", "label", "relevant_examples")},
        **{name: np.zeros((1, number), dtype=np.intp) for name in ("relevant_matches", "irrelevant_matches")},
        context_labels=np.broadcast_to(labels, (1, number, L)),
        query_inputs=inputs[None, :, 0],
        context_inputs=inputs[None, :, 1:],
    )
    values = {
        "loss": lambda: -state.advance(block)[0],
        "mass": lambda: state.label_law(block)[0][:, 1:].sum(axis=1),
        "l1": lambda: np.abs(state.label_law(block)[0] - (np.arange(L + 1) == 0)).sum(axis=1),
    }
    own = {
        name: np.clip(-temperature * np.log(np.exp(-part / temperature).mean(axis=1)), 0, 4)
        for name, part in (("irrelevant_distance", distances[:, :k]), ("relevant_distance", distances[:, k:]))
    }
    return Trajectories(values[what](), own)


# The learned temperature.


def learned_temperature(setting: Setting, number: int, address: Address) -> Array:
    """Read off the loss after descents in ever smaller steps."""
    del number, address
    m, k, rate, beta_0, time = (setting.point[name] for name in ("m", "k", "rate", "beta_0", "time"))
    task = label_task(m + k + 1, context_length=m + k, relevant_examples=m)
    found = []
    for steps in (32 * 2**level for level in range(7)):
        part = LearnedAttention(learning_rate=rate * time / steps, initial_odds=math.exp(beta_0), floor=0.0)
        state = in_context_state(part, lanes_of(task, 1, in_context=part))
        none, relevant = np.zeros((steps + 1, 1), dtype=np.intp), np.full((steps + 1, 1), m)
        block = PromptBlock(
            query=none, label=none, relevant_examples=relevant, relevant_matches=relevant, irrelevant_matches=none
        )
        loss = -float(state.advance(block)[-1, 0])
        found.append(-math.log(math.expm1(loss) * m / k))
    return np.array([extrapolated(found)])


TABLE = "the step engine's table, labels of the sampler"
POSTERIOR = "the step engine's label posterior on explicit prompts"
SPHERE = "the step engine's kernel attention over random unit-norm inputs"


def of_sphere(theorem: str, what: str, sees: float, hot: float, wrong: bool = True) -> Check:
    """At a temperature where the inputs' places matter, and at one where they hardly do."""
    how = {"sorted": theorem.endswith("upper")}
    settings = (
        Setting(point=ON_SPHERE, draws=20_000, sees=sees, wrong=wrong, how=how),
        Setting(point={"L": 3, "k": 1, "temperature": 20.0}, draws=20_000, sees=hot, how=how),
    )
    draw = partial(on_sphere, what=what)
    return Check(theorem=theorem, simulated=SPHERE, draw=draw, settings=settings, kind="every")


CHECKS = (
    Check(
        theorem="in_weight_risk",
        simulated=f"{TABLE}: its law after n visits",
        draw=table_excess,
        settings=(
            Setting(point=law(3, 4, 0.3, 3, b=0.2), draws=60_000, sees=0.04),
            Setting(point=law(20, 3, 0.6, 1, b=0.5), draws=20_000, sees=0.04),
        ),
    ),
    Check(
        theorem="in_weight_risk_total",
        simulated=f"{TABLE}: its loss at the visit after n visits",
        draw=table_loss_at_end,
        settings=(Setting(point=law(8, 60, 0.1, 59, b=1.0), draws=40_000, sees=0.02),),
    ),
    Check(
        theorem="cumulative_loss",
        simulated="the step engine's table, the labels in random orders",
        draw=table_sums,
        settings=(
            Setting(point={"n": 50, "C": 6, "b": 0.5, "own": 20, "noisy_labels": 3}, draws=300),
            Setting(point={"n": 300, "C": 200, "b": 0.01, "own": 101, "noisy_labels": 199}, draws=20),
        ),
        kind="every",
    ),
    Check(
        theorem="in_context_risk",
        simulated="the step engine's attention on explicit prompts",
        draw=attention_losses,
        settings=(Setting(point=copying(6, 2, 4, 0.2, 3, 3.0, 0.01), draws=100_000, sees=0.03),),
    ),
    of_sphere("attention_mass_lower", "mass", 0.5, 1e-3),
    of_sphere("attention_mass_upper", "mass", 0.3, 1e-3, wrong=False),
    of_sphere("in_context_loss_lower_log", "loss", 0.5, 1e-3),
    of_sphere("in_context_loss_lower", "loss", 0.5, 0.3, wrong=False),
    of_sphere("in_context_loss_upper", "loss", 0.2, 1e-3),
    of_sphere("in_context_l1", "l1", 1e-9, 1e-9),
    *(
        Check(
            theorem=theorem,
            simulated=POSTERIOR,
            draw=posterior,
            settings=(
                Setting(point=noisy(3, 4, 0.3), draws=100_000, sees=0.05, wrong=False),
                Setting(point=point, draws=draws, sees=sees),
            ),
        )
        for theorem, point, draws, sees in (
            ("bayes_in_context_floor", noisy(0, 2, 0.3), 100, 1e-9),
            ("bayes_in_context_rate", noisy(8, 2, 0.2), 100_000, 0.15),
            ("bayes_in_context_ceiling", noisy(6, 2, 0.1), 100_000, 0.3),
        )
    ),
    Check(
        theorem="bayes_in_context_risk",
        simulated=POSTERIOR,
        draw=partial(posterior, excess=False),
        settings=(Setting(point={"m": 3, "label_noise": 0.2}, draws=100_000, sees=0.02),),
    ),
    Check(
        theorem="learned_temperature",
        simulated="the step engine's attention in ever smaller steps, extrapolated",
        draw=learned_temperature,
        settings=(
            Setting(point=flow(1, 7, 0.5, 0.0, time=2.0)),
            Setting(point=flow(4, 28, 0.2, 1.5, time=40.0)),
        ),
        random=False,
    ),
)
