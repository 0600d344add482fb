"""Parameters of a stream of examples that visits a query now and then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import sympy

from theory.catalogue.letters import n
from theory.theorems.parameters import Parameter

N = sympy.Symbol("N", integer=True, nonnegative=True)
p_x = sympy.Symbol("p_x", nonnegative=True)

EXAMPLES: Final = Parameter(
    symbol=N, latex="N", meaning="examples of the stream", lowest=0, highest=1e12, corners=(1e6, 1e9)
)
QUERY_PROBABILITY: Final = Parameter(
    symbol=p_x, latex="p_x", meaning="probability that an example visits the query", lowest=0, highest=1
)
VISITS_IID: Final = "each example visits the query with probability p_x, independently"


def over_visits(function: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Sum:
    r""":math:`E F(n)` over the visits :math:`n \sim \mathrm{Bin}(N, p_x)`, written out as a sum."""
    return sympy.Sum(sympy.binomial(N, n) * p_x**n * (1 - p_x) ** (N - n) * function(n), (n, 0, N))
