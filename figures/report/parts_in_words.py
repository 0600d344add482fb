"""The parts of a model in words, one sentence each."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from figures.report.numbers_in_words import number_text
from theory.setting import (
    AdaHedgeGate,
    Attention,
    BayesGate,
    DecreasingHedgeGate,
    DirichletTable,
    ExponentiatedGradientGate,
    FixedShareGate,
    GatedPredictor,
    HedgeGate,
    KernelAttention,
    LabelPosterior,
    LearnedAttention,
    LogisticGate,
    LogisticRegression,
    MajorityVote,
    ProjectedGradientGate,
    UniversalMixtureGate,
)

_CELLS = {
    "query": "There is one gate for each query class.",
    "query-and-relevance": "There are two gates for each query class, for relevant and for irrelevant contexts.",
    "shared": "All queries share one gate.",
}


def model_sentences(model: GatedPredictor) -> tuple[str, ...]:
    """What each part of a model does: in-weight, in-context, gate.

    Examples
    --------
    >>> model_sentences(GatedPredictor())[0]
    'In weights, g is a table of label counts for each query class, with the pseudo-count 0.5 for every label.'
    """
    return (
        f"In weights, g is {part_words(model.in_weight)}.",
        f"In context, h is {part_words(model.in_context)}.",
        f"The gate α, the weight on g, is {part_words(model.gate)}." + _cells_and_prior(model.gate),
    )


def _cells_and_prior(gate: Any) -> str:
    prior, per = getattr(gate, "prior_in_weight", None), getattr(gate, "per", None)
    started = "" if prior is None else f" It starts at {number_text(prior)}."
    return started + ("" if per is None else f" {_CELLS[per]}")


@singledispatch
def part_words(part: object) -> str:
    """What a part is, in words; a user's own part is named by its class."""
    return f"a part of the kind {getattr(part, 'kind', type(part).__name__)}"


@part_words.register
def _(part: DirichletTable) -> str:
    return (
        "a table of label counts for each query class, with the pseudo-count "
        f"{number_text(part.pseudo_count)} for every label"
    )


@part_words.register
def _(part: LogisticRegression) -> str:
    bias = "with" if part.bias else "without"
    return f"multinomial logistic regression, learned at the rate {number_text(part.learning_rate)}, {bias} biases"


@part_words.register
def _(part: Attention) -> str:
    return (
        f"attention that copies labels: a relevant example weighs {number_text(part.odds)} times an irrelevant one"
        f"{_floor(part.floor)}"
    )


@part_words.register
def _(part: LearnedAttention) -> str:
    return (
        f"attention that copies labels and learns its temperature at the rate {number_text(part.learning_rate)}, from "
        f"the odds {number_text(part.initial_odds)} of a relevant against an irrelevant example{_floor(part.floor)}"
    )


@part_words.register
def _(part: KernelAttention) -> str:
    learned = f", learned at the rate {number_text(part.learning_rate)}" if part.learning_rate > 0 else ""
    return (
        f"attention over the distances of noisy inputs, at the temperature {number_text(part.temperature)}{learned}"
        f"{_floor(part.floor)}"
    )


@part_words.register
def _(_part: LabelPosterior) -> str:
    return "the Bayes rule from the noisy labels of the relevant examples"


@part_words.register
def _(part: MajorityVote) -> str:
    return f"a majority vote of the context's labels{_floor(part.floor)}"


def _floor(floor: float) -> str:
    return f"; every label has a probability of at least {number_text(floor)}" if floor > 0 else ""


@part_words.register
def _(_part: BayesGate) -> str:
    return "the posterior weight of g (a Bayes gate)"


@part_words.register
def _(part: HedgeGate) -> str:
    return f"Hedge with the learning rate {number_text(part.rate)}"


@part_words.register
def _(part: DecreasingHedgeGate) -> str:
    return f"Hedge with a learning rate that falls with the visits, from {number_text(part.rate)}"


@part_words.register
def _(_part: AdaHedgeGate) -> str:
    return "AdaHedge, which sets its learning rate by the losses seen so far"


@part_words.register
def _(part: FixedShareGate) -> str:
    rate = number_text(part.switch_rate)
    return f"Fixed Share: the better predictor may switch before every visit with probability {rate}"


@part_words.register
def _(_part: UniversalMixtureGate) -> str:
    return "the mean of all constant gates under their posterior (a universal mixture)"


@part_words.register
def _(part: ExponentiatedGradientGate) -> str:
    return f"exponentiated gradient with the learning rate {number_text(part.learning_rate)}"


@part_words.register
def _(part: ProjectedGradientGate) -> str:
    return f"projected online gradient descent with the learning rate {number_text(part.learning_rate)}"


@part_words.register
def _(part: LogisticGate) -> str:
    features = ", ".join(part.features)
    return f"a logistic regression on {features}, learned at the rate {number_text(part.learning_rate)}"
