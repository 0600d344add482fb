r"""Cumulative losses of the two predictors on a sequence of visits, as SymPy functions.

A derivation uses nothing of them but that they start at 0: what it proves holds for every sequence. A number is that of
the evenly switching sequence: in the first of :math:`S+1` equal blocks of visits the in-weight predictor pays ``gap``
nats a visit and the in-context predictor nothing, in the second block the reverse, and so on. No switch gives constant
losses, :math:`S = n - 1` alternating ones.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import sympy

from theory.catalogue.letters import n
from theory.theorems.checks.sums import VISIT

S: Final = sympy.Symbol("S", integer=True, nonnegative=True)
gap: Final = sympy.Symbol("gap", nonnegative=True)


@lru_cache(maxsize=1 << 14)
def visits_paid_by_g(i: int, visits: int, switches: int) -> int:
    r"""How many of the first i visits lie in an even block: those on which the in-weight predictor pays.

    Examples
    --------
    >>> [visits_paid_by_g(i, 4, 1) for i in range(5)]
    [0, 1, 2, 2, 2]
    """
    return sum(((t * (switches + 1)) // visits) % 2 == 0 for t in range(i))


def _loss_of_g(i: Any, visits: Any, switches: Any, gap: Any) -> Any:
    return gap * visits_paid_by_g(int(i), int(visits), int(switches))


def _loss_of_h(i: Any, visits: Any, switches: Any, gap: Any) -> Any:
    return gap * (int(i) - visits_paid_by_g(int(i), int(visits), int(switches)))


class _CumulativeLoss(sympy.Function):  # type: ignore[misc]
    nargs = 4
    is_real = True
    is_nonnegative = True
    letter = ""

    @classmethod
    def eval(cls, i: sympy.Expr, *_: sympy.Expr) -> sympy.Expr | None:
        """Nothing is paid before the first visit."""
        return sympy.Integer(0) if i == 0 else None

    def _latex(self, printer: Any) -> str:
        return f"{self.letter}_{{{printer.doprint(self.args[0])}}}"


class LossOfG(_CumulativeLoss):
    """Cumulative loss of the in-weight predictor after i visits; arguments ``i, n, S, gap``."""

    letter = "G"
    mp_value = staticmethod(_loss_of_g)


class LossOfH(_CumulativeLoss):
    """Cumulative loss of the in-context predictor after i visits; arguments ``i, n, S, gap``."""

    letter = "H"
    mp_value = staticmethod(_loss_of_h)


def loss_of_g(i: sympy.Expr) -> sympy.Expr:
    r""":math:`G_i`."""
    return LossOfG(i, n, S, gap)


def loss_of_h(i: sympy.Expr) -> sympy.Expr:
    r""":math:`H_i`."""
    return LossOfH(i, n, S, gap)


# What the two predictors pay at visit i.
G_PAYS: Final = loss_of_g(VISIT) - loss_of_g(VISIT - 1)
H_PAYS: Final = loss_of_h(VISIT) - loss_of_h(VISIT - 1)


def loss_of_gate(weight_of_g: sympy.Expr) -> sympy.Expr:
    r""":math:`-\log[\alpha_i e^{-g_i} + (1-\alpha_i)e^{-h_i}]`: what the gate pays at visit i."""
    return -sympy.log(weight_of_g * sympy.exp(-G_PAYS) + (1 - weight_of_g) * sympy.exp(-H_PAYS))
