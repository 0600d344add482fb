"""In-weight predictors: what learns from the stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from theory.checks import real

PSEUDO_COUNTS = (1e-100, 1e15)


@dataclass(frozen=True, kw_only=True)
class DirichletTable:
    r"""In-weight predictor: a table over queries, :math:`g_x(y) = (N_y + b)/(n + C b)` after :math:`n` visits.

    Parameters
    ----------
    pseudo_count : float
        :math:`b`, from 1e-100 to 1e15; 1 is Laplace's estimator, 1/2 that of Krichevsky and
        Trofimov (``krichevsky1981performance``).
    """

    kind: ClassVar[str] = "dirichlet"
    pseudo_count: float = 0.5

    def __post_init__(self) -> None:
        value = real(
            "model.in_weight.pseudo_count", self.pseudo_count, minimum=PSEUDO_COUNTS[0], maximum=PSEUDO_COUNTS[1]
        )
        object.__setattr__(self, "pseudo_count", value)
