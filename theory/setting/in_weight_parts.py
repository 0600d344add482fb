"""In-weight predictors: what learns from the stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from theory.checks import real
from theory.errors import SettingError

PSEUDO_COUNTS = (1e-100, 1e15)
LEARNING_RATES = (1e-6, 100.0)


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


@dataclass(frozen=True, kw_only=True)
class LogisticRegression:
    r"""In-weight predictor: multinomial logistic regression on the query's input, by online gradient descent.

    :math:`g(y\mid x) \propto \exp(w_y\cdot x + c_y)`, from zero; after each step
    :math:`w_y \mathrel{+}= \lambda\,(\mathbb 1[y = y_t] - g(y\mid x_t))\,x_t` and :math:`c_y` likewise with 1 in
    place of :math:`x_t`. A tabular query is the indicator of its class.

    Parameters
    ----------
    learning_rate : float
        :math:`\lambda`, from 1e-6 to 100.
    bias : bool
        Whether there are the :math:`c_y`.
    """

    kind: ClassVar[str] = "logistic-regression"
    learning_rate: float = 0.5
    bias: bool = True

    def __post_init__(self) -> None:
        rate = real(
            "model.in_weight.learning_rate", self.learning_rate, minimum=LEARNING_RATES[0], maximum=LEARNING_RATES[1]
        )
        object.__setattr__(self, "learning_rate", rate)
        if not isinstance(self.bias, bool):
            raise SettingError("model.in_weight.bias", self.bias, "true or false")
