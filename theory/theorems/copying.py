r"""Mean loss of attention that copies labels, as a SymPy function: one example after the other, or as binomial sums."""

from __future__ import annotations

from typing import Any

import mpmath
import sympy


def copying_loss(m: Any, k: Any, match: Any, collision: Any, C: Any, odds: Any, floor: Any) -> mpmath.mpf:
    """Mean loss in mpmath's working precision: the law of the two counts, built up example by example."""
    relevant, irrelevant = _counted(int(m), match), _counted(int(k), collision)
    total = odds * m + k
    return mpmath.fsum(
        p * q * -mpmath.log((1 - C * floor) * (odds * a + b) / total + floor)
        for a, p in enumerate(relevant)
        for b, q in enumerate(irrelevant)
        if p * q > 0
    )


def _counted(examples: int, share: Any) -> list[Any]:
    """Law of how many of some examples carry a label that each of them carries with probability ``share``."""
    law = [mpmath.mpf(1)]
    for _ in range(examples):
        without, carrying = [*law, mpmath.mpf(0)], [mpmath.mpf(0), *law]
        law = [(1 - share) * w + share * c for w, c in zip(without, carrying, strict=True)]
    return law


class CopyingLoss(sympy.Function):  # type: ignore[misc]
    r""":math:`E\,\ell(A, B)` over :math:`m` relevant and :math:`k` irrelevant examples, by their labels one at a time.

    :math:`\ell(A, B) = -\log[(1-C\varepsilon)\frac{\rho A + B}{\rho m + k} + \varepsilon]`, where :math:`A` and
    :math:`B` count the relevant and irrelevant examples that carry the query's label, each of them independently with
    probability ``match`` and ``collision``; arguments ``m, k, match, collision, C, odds, floor``.
    """

    nargs = 7
    mp_value = staticmethod(copying_loss)

    def definition(self) -> sympy.Expr:
        """The sum over both counts."""
        m, k, match, collision, *rest = self.args
        a, b = sympy.symbols("a b", integer=True, nonnegative=True)
        inner = sympy.Sum(bernoulli_weight(k, collision, b) * loss_of_counts(a, b, m, k, *rest), (b, 0, k))
        return sympy.Sum(bernoulli_weight(m, match, a) * inner, (a, 0, m))

    def _latex(self, printer: Any) -> str:
        m, k, match, collision, *_ = (printer.doprint(argument) for argument in self.args)
        law = rf"A \sim \mathrm{{Bin}}({m}, {match}),\, B \sim \mathrm{{Bin}}({k}, {collision})"
        return rf"\mathbb{{E}}_{{{law}}} \ell(A, B)"


def bernoulli_weight(number: sympy.Expr, share: sympy.Expr, successes: sympy.Expr) -> sympy.Expr:
    """Binomial probability of a number of successes."""
    return sympy.binomial(number, successes) * share**successes * (1 - share) ** (number - successes)


def loss_of_counts(
    a: sympy.Expr, b: sympy.Expr, m: sympy.Expr, k: sympy.Expr, C: sympy.Expr, odds: sympy.Expr, floor: sympy.Expr
) -> sympy.Expr:
    """Loss of attention, ``a`` of whose relevant and ``b`` of whose irrelevant examples carry the query's label."""
    return -sympy.log((1 - C * floor) * (odds * a + b) / (odds * m + k) + floor)
