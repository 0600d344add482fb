r"""No in-weight learner does better: what it cannot know of a query that it has not visited costs :math:`\log C`."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy
from scipy.special import xlog1py, xlogy

from theory.catalogue.least_risk import uniform_own_risk
from theory.catalogue.letters import LABEL_NOISE_LEVEL, NUM_CLASSES, C, label_noise, n
from theory.catalogue.stream import EXAMPLES, QUERY_PROBABILITY, VISITS_IID, N, over_visits, p_x
from theory.catalogue.two_level_law import Array
from theory.catalogue.visit_integrals import sum_over_visits
from theory.theorems.bayes_risk import SymmetricEntropy, UniformOwnRisk
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import cited
from theory.theorems.checks.reductions import using
from theory.theorems.derivation import Derivation, Step
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_MOST_EXAMPLES: Final = 8
_ENTROPY: Final = SymmetricEntropy(C, label_noise)
_UNVISITED: Final = (1 - p_x) ** N
_LEAST: Final = over_visits(lambda n: UniformOwnRisk(n, C, label_noise))
_AT_ZERO: Final = UniformOwnRisk(sympy.Integer(0), C, label_noise)


def _visited(value: sympy.Expr) -> sympy.Sum:
    """The part of the mean over visits that has at least one."""
    return sympy.Sum(over_visits(lambda _: value).function, (n, 1, N))


_GIBBS: Final = Step(
    sympy.Function("LearnerRisk")(n, C, label_noise),
    ">=",
    UniformOwnRisk(n, C, label_noise),
    "Gibbs' inequality: no prediction has less mean log loss than the law of the label given all that was seen, "
    "and only the visits tell of the query's own label.",
    cited("cover2006elements"),
)
_UNSEEN: Final = Step(
    _AT_ZERO,
    "=",
    sympy.log(C),
    "Without a visit every label is as likely as any other.",
    to_fifty_digits({C: (2, 60), label_noise: (0, 1)}),
)
_SOME_VISIT: Final = Step(
    _visited(sympy.Integer(1)),
    "=",
    1 - _UNVISITED,
    "The probability of a visit.",
    to_fifty_digits({N: (1, 30), p_x: (0, 1)}),
)
_SPLIT: Final = _UNVISITED * _AT_ZERO + _visited(UniformOwnRisk(n, C, label_noise))
_KNOWN: Final = _UNVISITED * sympy.log(C) + _visited(UniformOwnRisk(n, C, label_noise))
_ENTROPY_ONLY: Final = _UNVISITED * sympy.log(C) + _visited(sympy.Integer(1)) * _ENTROPY
_FLOOR: Final = _UNVISITED * sympy.log(C) + (1 - _UNVISITED) * _ENTROPY
_RANGES: Final = {N: (1, 6), C: (2, 9), p_x: (0, 1), label_noise: (0, 1)}
_CHAIN: Final = (
    Step(_LEAST, "=", _SPLIT, "The query was visited or it was not.", to_fifty_digits(_RANGES)),
    Step(_SPLIT, "=", _KNOWN, "Without a visit the risk is log C.", using(_UNSEEN, simplifies)),
    Step(
        _KNOWN,
        ">=",
        _ENTROPY_ONLY,
        "Conditioning lowers entropy: who knows the own label, too, still pays the entropy of the noise.",
        cited("cover2006elements", _RANGES),
    ),
    Step(_ENTROPY_ONLY, "=", _FLOOR, "The probability of a visit.", using(_SOME_VISIT, simplifies)),
)


def _least_risk(N: Array, p_x: Array, C: Array, label_noise: Array) -> Array:
    return sum_over_visits(lambda n: uniform_own_risk(int(n.flat[0]), C, label_noise), N, p_x)


def entropy(C: Array, label_noise: Array) -> Array:
    """Entropy of a label with symmetric noise."""
    own = -xlog1py(1 - label_noise, -label_noise)
    return np.asarray(own - xlogy(label_noise, label_noise) + label_noise * np.log(C - 1))


def floor(N: Array, p_x: Array, C: Array, label_noise: Array) -> Array:
    r""":math:`(1-p_x)^N\log C + (1-(1-p_x)^N)\,\mathrm{H}(\eta)`, at any :math:`N`."""
    log_unvisited = xlog1py(N, -p_x)
    return np.asarray(np.exp(log_unvisited) * np.log(C) - np.expm1(log_unvisited) * entropy(C, label_noise))


def _entropy_for_all(N: Array, p_x: Array, C: Array, label_noise: Array) -> Array:
    return np.asarray(np.exp(xlog1py(N, -p_x)) * np.log(C) + entropy(C, label_noise))


THEOREMS: Final = (
    Theorem(
        name="unvisited_floor",
        title="No in-weight learner does better after N examples, on average over the own label",
        family="in-weight",
        kind="lower",
        source=DERIVED_HERE,
        parameters=(EXAMPLES, QUERY_PROBABILITY, NUM_CLASSES, LABEL_NOISE_LEVEL),
        premises=(
            VISITS_IID,
            "the own label of each query is uniform over the labels, independently of all other queries",
            "label noise is symmetric and independent",
        ),
        left=_LEAST,
        relation=">=",
        right=_FLOOR,
        derivation=Derivation(lemmas=(_GIBBS, _UNSEEN, _SOME_VISIT), chain=_CHAIN),
        evaluate_left=_least_risk,
        evaluate_right=floor,
        hunted_up_to={"N": _MOST_EXAMPLES},
        value_meaning="mean risk of any in-weight learner at least (the Bayes risk included), nats",
        wrong=WrongVariant(
            mistake="the entropy of the noise added for queries without a visit, too",
            right=_UNVISITED * sympy.log(C) + _ENTROPY,
            evaluate=_entropy_for_all,
        ),
    ),
)
