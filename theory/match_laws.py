"""Law of the number of matches: how many context examples are of the query's class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from theory.checks import integer
from theory.numerics.special import binomial_log_probability
from theory.setting import EpisodeDistribution, RowKind

Array = NDArray[np.float64]
_SMALLEST = 1e-150


def match_law(distribution: EpisodeDistribution, query: int, row_kind: str | None = None) -> Array:
    r"""Law of :math:`M`, the number of context examples of the query's class.

    A mixture over the kinds of rows: a point mass at the number of copies, or at 0; Binomial(:math:`L`, :math:`p_x`);
    or the same given :math:`M\ge 1`, which for a class of probability 0 is read as its limit, :math:`M = 1`.

    Parameters
    ----------
    distribution : EpisodeDistribution
        The distribution.
    query : int
        Class of the query, held-out ones included.
    row_kind : str, optional
        Only this kind of rows.

    Returns
    -------
    ndarray, shape (context_length + 1,)
        :math:`P(M = m)` for :math:`m = 0, \dots, L`.

    Raises
    ------
    SettingError
        There is no such class or kind of rows.

    Examples
    --------
    >>> from theory import TaskDistribution, episodes_of
    >>> task = TaskDistribution(frequencies="uniform", num_classes=2, context_length=2, p_relevant=0.75)
    >>> match_law(episodes_of(task), 0).round(9).tolist()
    [0.25, 0.5, 0.25]
    """
    query = integer("query", query, minimum=0, maximum=distribution.total_classes - 1)
    probability = float(distribution.class_probabilities[query])
    kinds = distribution.rows if row_kind is None else [distribution.rows[distribution.row_kind(row_kind)]]
    laws = [law_of_kind(kind, probability, distribution.context_length) for kind in kinds]
    shares = [kind.share for kind in kinds] if row_kind is None else [1.0]
    return np.asarray(np.array(shares) @ np.array(laws), dtype=np.float64)


def law_of_kind(kind: RowKind, probability: float, context_length: int) -> Array:
    """The same for one kind of rows and a class of the given probability."""
    law = np.zeros(context_length + 1)
    if kind.matches in ("exact", "none"):
        law[kind.copies or 0] = 1.0
        return law
    least = 1 if kind.matches == "at-least-one" else 0
    if probability < _SMALLEST:
        law[least] = 1.0
        return law
    log_law = binomial_log_probability(np.arange(least, context_length + 1), context_length, probability)
    # Given what is possible: dividing by the sum is exact for the truncated law and puts rounding right for the whole.
    weights = np.exp(log_law - log_law.max())
    law[least:] = weights / weights.sum()
    return law
