r"""The larger root of :math:`n\Delta = a\log n + \kappa`, as a SymPy function.

With :math:`w = n\Delta/a` it is the larger root of :math:`w - \log w = u`, :math:`u = \kappa/a + \log(a/\Delta)`.
"""

from __future__ import annotations

from typing import Any, Final

import mpmath
import sympy

_NEWTON_STEPS: Final = 200


def last_root(log_weight: Any, gap: Any, constant: Any) -> mpmath.mpf:
    """The larger root in mpmath, by Newton's method from above: the function is convex and grows there."""
    beyond = constant / log_weight + mpmath.log(log_weight / gap) - 1
    w = 1 + mpmath.sqrt(2 * beyond) + beyond
    for _ in range(_NEWTON_STEPS):
        step = (w - mpmath.log(w) - 1 - beyond) * w / (w - 1)
        w -= step
        if abs(step) <= mpmath.eps * w:
            break
    return log_weight / gap * w


class LastRoot(sympy.Function):  # type: ignore[misc]
    r""":math:`\max\{n : n\Delta = a\log n + \kappa\}`; arguments ``log_weight, gap, constant``."""

    nargs = 3
    mp_value = staticmethod(last_root)

    def _eval_is_positive(self) -> bool:
        return True

    def _latex(self, printer: Any) -> str:
        weight, gap, constant = (printer.doprint(argument) for argument in self.args)
        return rf"\max\left\{{n : n {gap} = {weight} \log n + {constant}\right\}}"
