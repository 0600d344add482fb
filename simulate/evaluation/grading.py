"""What the answers to questions are worth: error, cross-entropy, gate, and whom the gated predictor follows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulate.evaluation.questions import Questions

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

PARTS = ("in_weight", "in_context", "gated")
MEASURES = (
    *(f"error_{part}" for part in PARTS),
    *(f"cross_entropy_{part}" for part in PARTS),
    "gate",
    "distance_to_in_weight",
    "distance_to_in_context",
)
"""Rows of :func:`grade`."""
_TIE = 1e-12
_LAW_ROUNDING = 1e-6


def grade(questions: Questions, in_weight: Array, in_context: Array, gate: Array) -> Array:
    r"""Sums over the questions of every measure, shape (measures, lanes), in the order of ``MEASURES``.

    With :math:`f = \alpha g + (1-\alpha) h`: expected 0-1 error against the drawn label, cross-entropy against the
    law of the label in nats, each of g, h and f; :math:`\alpha`; :math:`\lVert f-g\rVert_1` and
    :math:`\lVert f-h\rVert_1`.

    Parameters
    ----------
    questions : Questions
        What was asked, rows times lanes.
    in_weight, in_context : ndarray, shape (rows, lanes, labels)
        Laws of g and h.
    gate : ndarray, shape (rows, lanes)
        Weight on g.

    Raises
    ------
    ValueError
        A law or gate is none: of another shape, negative, not a number, or not summing to one.
    """
    _check_answers(questions, in_weight, in_context, gate)
    weight = gate[..., None]
    gated = weight * in_weight + (1 - weight) * in_context
    laws = (in_weight, in_context, gated)
    apart = np.abs(in_weight - in_context).sum(axis=-1)
    return np.stack(
        [
            *(expected_error(law, questions.prompts.label).sum(axis=0) for law in laws),
            *(cross_entropy(law, questions.outcomes, questions.chances).sum(axis=0) for law in laws),
            gate.sum(axis=0),
            # f - g = (1 - alpha) (h - g), and f - h = alpha (g - h): exactly zero where f follows one of them alone.
            ((1 - gate) * apart).sum(axis=0),
            (gate * apart).sum(axis=0),
        ]
    )


def expected_error(law: Array, label: Indices) -> Array:
    """Probability that the most probable label is not the drawn one, where ties are broken evenly.

    Parameters
    ----------
    law : ndarray, shape (..., labels)
        Probabilities of all labels; those within a relative 1e-12 of the largest are tied with it.
    label : ndarray of int, shape (...)
        The drawn label.

    Examples
    --------
    >>> law = np.array([[0.4, 0.4, 0.2], [0.1, 0.1, 0.8], [1 / 3, 1 / 3, 1 / 3]])
    >>> expected_error(law, np.array([1, 2, 0])).round(3).tolist()
    [0.5, 0.0, 0.667]
    """
    tied = law >= law.max(axis=-1, keepdims=True) * (1 - _TIE)
    hit = np.take_along_axis(tied, label[..., None], axis=-1)[..., 0]
    return np.where(hit, 1 - 1 / tied.sum(axis=-1), 1.0)


def cross_entropy(law: Array, outcomes: Indices, chances: Array) -> Array:
    r"""Expected log loss :math:`-\sum_y q_y \log p_y` in nats, infinite if a possible label has no probability.

    Parameters
    ----------
    law : ndarray, shape (..., labels)
        Probabilities :math:`p_y` of all labels.
    outcomes, chances : ndarray, shape (..., k)
        Labels :math:`y` that can occur, and their probabilities :math:`q_y`.

    Examples
    --------
    >>> law = np.array([[0.25, 0.5, 0.25]])
    >>> cross_entropy(law, np.array([[1, 2]]), np.array([0.5, 0.5])).round(6).tolist()
    [1.039721]
    """
    with np.errstate(divide="ignore"):
        losses = -np.log(np.take_along_axis(law, outcomes, axis=-1))
    return np.asarray((chances * np.where(chances > 0, losses, 0.0)).sum(axis=-1), dtype=np.float64)


def _check_answers(questions: Questions, in_weight: Array, in_context: Array, gate: Array) -> None:
    shape = questions.prompts.query.shape
    for name, law in (("in_weight", in_weight), ("in_context", in_context)):
        if law.ndim != 3 or law.shape[:2] != shape:
            raise ValueError(f"label law of {name} has the shape {law.shape}, expected {(*shape, 'labels')}")
        # Written so that NaN fails too.
        if not (law.min() >= 0 and np.abs(law.sum(axis=-1) - 1).max() <= _LAW_ROUNDING):
            raise ValueError(f"label law of {name} is not a probability law: expected numbers >= 0 that sum to one")
    if gate.shape != shape or not (gate.min() >= 0 and gate.max() <= 1):
        raise ValueError(f"gate: expected numbers from 0 to 1 of the shape {shape}")
