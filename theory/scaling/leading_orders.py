r"""Scaling laws of the boundary: how it grows with each parameter, as a formula with its range of validity.

After many visits the boundary is :math:`n = -\frac a\Delta W_{-1}\bigl(-\frac\Delta a e^{-\kappa'/a}\bigr)`, which is
:math:`\frac a\Delta` times a logarithm (``boundary_lambert``, ``boundary_leading_order``). A law puts the leading order
of :math:`\Delta` (or of :math:`a` and :math:`\kappa`) in one parameter in there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.errors import SettingError, unknown_name

if TYPE_CHECKING:
    import sympy

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ScalingLaw:
    """One law: a quantity as a formula in parameters.

    Parameters
    ----------
    parameter : str
        In which parameter it is the leading order.
    quantity : str
        What the formula is, with its unit.
    formula : sympy.Expr
        The leading order; its symbols are named as in ``variables``.
    validity : str
        Where it holds, in words.
    theorem : str
        Name of the theorem in the catalogue that it rests on.
    """

    parameter: str
    quantity: str
    formula: sympy.Expr
    validity: str
    theorem: str

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the formula's symbols, in alphabetical order."""
        return tuple(sorted(str(symbol) for symbol in self.formula.free_symbols))

    def leading_order(self, **values: ArrayLike) -> Array:
        """The formula at values of its variables, which broadcast together.

        Raises
        ------
        SettingError
            A variable is missing or unknown, or the law has no value there.
        """
        import sympy

        for name in values:
            if name not in self.variables:
                raise unknown_name("variable", name, self.variables)
        for name in self.variables:
            if name not in values:
                raise SettingError(name, None, f"a number, as for {', '.join(self.variables)}")
        symbols = sorted(self.formula.free_symbols, key=str)
        function = sympy.lambdify(symbols, self.formula, "scipy")
        arrays = [np.asarray(values[str(symbol)], dtype=np.float64) for symbol in symbols]
        with np.errstate(all="ignore"):
            found = np.asarray(function(*arrays))
        if not np.all(np.isfinite(found)) or np.any(np.abs(found.imag) > 0):
            raise SettingError(self.parameter, dict(values), f"values within the law's range: {self.validity}")
        return np.asarray(found.real, dtype=np.float64)


def scaling_laws() -> tuple[ScalingLaw, ...]:
    r"""The scaling laws of the boundary, and of the in-context share.

    Returns
    -------
    tuple of ScalingLaw
        Each in one parameter. ``log_weight`` and ``constant`` are :math:`a` and :math:`\kappa' = \kappa - d_0` of
        the table's cumulative loss, ``m`` and ``k`` the relevant and irrelevant examples, ``b`` the pseudo-count.

    Examples
    --------
    >>> laws = {law.parameter: law for law in scaling_laws()}
    >>> laws["class_probability"].formula
    visits/class_probability
    >>> law = laws["floor"]
    >>> law.variables
    ('C', 'constant', 'floor', 'log_weight')
    """
    import sympy

    names = (
        "log_weight constant C floor k m odds label_noise b gap visits class_probability N threshold a normalisation"
    )
    s: dict[str, Any] = {name: sympy.Symbol(name, positive=name != "constant", real=True) for name in names.split()}
    weight, constant, C, floor, k, m = (s[name] for name in names.split()[:6])

    def boundary(gap: sympy.Expr) -> sympy.Expr:
        return -weight / gap * sympy.LambertW(-gap / weight * sympy.exp(-constant / weight), -1)

    def loss(share: sympy.Expr) -> sympy.Expr:
        return -sympy.log((1 - C * floor) * share + floor)

    irrelevant = k / (m * s["odds"])
    noise, a = s["label_noise"], s["a"]
    slope = m * (loss(1 - 1 / m) - loss(sympy.Integer(1))) + loss(sympy.Integer(0)) - loss(sympy.Integer(1))
    noisy_gap = loss(sympy.Integer(1)) + noise * (slope - 1 + sympy.log(noise))
    visits, clean = "boundary in visits", "no label noise, relevant contexts only"
    few = f"{clean}; k/(m odds) small, and large beside (C - 1) floor"
    return (
        ScalingLaw(
            parameter="class_probability",
            quantity="boundary in steps",
            formula=s["visits"] / s["class_probability"],
            validity="fixed m, irrelevant labels alike for all classes, and many visits (more than about 10)",
            theorem="boundary_lambert",
        ),
        ScalingLaw(
            parameter="floor",
            quantity=visits,
            formula=boundary((C - 1) * floor),
            validity=f"{clean}, no irrelevant examples; (C - 1) floor small",
            theorem="gap_noiseless",
        ),
        ScalingLaw(
            parameter="odds", quantity=visits, formula=boundary(irrelevant), validity=few, theorem="gap_noiseless"
        ),
        ScalingLaw(
            parameter="context_length",
            quantity=visits,
            formula=boundary(irrelevant).subs(k, sympy.Symbol("context_length", positive=True) - m),
            validity=few,
            theorem="gap_noiseless",
        ),
        ScalingLaw(
            parameter="relevant_examples",
            quantity=visits,
            formula=boundary(irrelevant),
            validity=f"{few}; at a fixed number k of irrelevant examples",
            theorem="gap_noiseless",
        ),
        ScalingLaw(
            parameter="num_classes",
            quantity=visits,
            formula=-C * s["b"] / s["gap"] * sympy.LambertW(-s["gap"] / sympy.E, -1),
            validity="no label noise, an even prior, C large at a fixed small gap: linear in C, without a logarithm",
            theorem="cumulative_loss_many_labels",
        ),
        ScalingLaw(
            parameter="label_noise",
            quantity=visits,
            formula=boundary(noisy_gap),
            validity="cyclic noise of query and context alike, small, with label_noise * visits large; no irrelevant "
            "examples; the gap stays positive",
            theorem="gap_label_noise",
        ),
        ScalingLaw(
            parameter="prior_log_odds",
            quantity="relative move of the boundary for a nat of the prior log-odds",
            formula=-1 / (s["visits"] * s["gap"] - weight),
            validity="many visits; small moves",
            theorem="boundary_elasticity_prior",
        ),
        ScalingLaw(
            parameter="N",
            quantity="share of the query mass answered in context",
            formula=s["normalisation"] ** (-1 / a) / (a - 1) * (s["N"] / s["threshold"]) ** (-(1 - 1 / a)),
            validity="Zipf frequencies with exponent a > 1 and normalisation zeta(a); N p_1 far beyond the threshold "
            "in visits, N p_M far below it",
            theorem="zipf_share_threshold",
        ),
    )
