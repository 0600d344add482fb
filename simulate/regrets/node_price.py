r"""What the universal mixture pays at most when it averages over few nodes and many visits."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import xlogy

_AT_ONCE = 1 << 20


@lru_cache(maxsize=256)
def mixture_price(visits: int, nodes: int) -> float:
    r"""Regret against the best constant gate at most, in nats.

    Up to :math:`K^2` visits with :math:`K` nodes it is :math:`\frac12\log(4n+1)`. Beyond, the nodes are too far apart
    for that, and the price is that of the worst monomial,

    .. math:: \max_j -\log\frac{\frac1K\sum_k a_k^j (1-a_k)^{n-j}}{(j/n)^j (1-j/n)^{n-j}} ,

    which grows like :math:`\pi^2 n/(8K^2)`.

    Parameters
    ----------
    visits : int
        :math:`n \ge 1`.
    nodes : int
        :math:`K \ge 2`.

    Notes
    -----
    The product of the mixed predictions is a sum of monomials :math:`a^j(1-a)^{n-j}` with coefficients of at least 0,
    so that its mean over the nodes is, relative to its largest value, at least that of the worst monomial
    (``cover1996universal``). That no monomial is worse than :math:`\frac12\log(4n+1)` up to :math:`K^2` visits is not
    proved but counted: it was verified for every :math:`n \le K^2` with :math:`K` = 2, 3, 4, 5, 8, 12, 16, 24 and 32,
    and at :math:`n = K^2` for 64, 128, 320 and 512; the first violations come after :math:`1.13\,K^2` visits.

    Examples
    --------
    >>> round(mixture_price(64, 8), 4), mixture_price(6400, 8) > 100
    (2.7745, True)
    """
    if visits <= nodes**2:
        return float(np.log1p(4 * visits) / 2)
    return worst_monomial(visits, nodes)


def worst_monomial(visits: int, nodes: int) -> float:
    """The regret of the mixture over the nodes on the worst monomial, in nats."""
    angle = np.pi * (2 * np.arange(nodes) + 1) / (4 * nodes)
    log_share, log_other = 2 * np.log(np.sin(angle)), 2 * np.log(np.cos(angle))
    worst, chunk = -np.inf, max(_AT_ONCE // nodes, 1)
    # The nodes are symmetric, and so are the monomials.
    for start in range(0, visits // 2 + 1, chunk):
        wins = np.arange(start, min(start + chunk, visits // 2 + 1))
        losses = visits - wins
        best = xlogy(wins, wins / visits) + xlogy(losses, losses / visits)
        relative = np.outer(wins, log_share) + np.outer(losses, log_other) - best[:, None]
        nearest = relative.max(axis=1)
        worst = max(worst, float((-nearest - np.log(np.exp(relative - nearest[:, None]).mean(axis=1))).max()))
    return worst
