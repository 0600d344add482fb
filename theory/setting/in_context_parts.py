"""In-context predictors: what answers from the prompt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from theory.checks import real

LARGEST_ODDS = 1e100
LARGEST_LEARNING_RATE = 1000.0
TEMPERATURES = (1e-6, 1e6)


@dataclass(frozen=True, kw_only=True)
class Attention:
    r"""In-context predictor: softmax attention that copies labels, with a floor.

    A relevant example weighs :math:`\rho` times an irrelevant one, so that label :math:`y`, carried by :math:`A_y` of
    the :math:`m` relevant and :math:`B_y` of the :math:`k` irrelevant examples, gets
    :math:`h(y) = (1 - C\varepsilon)\,(\rho A_y + B_y)/(\rho m + k) + \varepsilon`.

    Parameters
    ----------
    odds : float
        :math:`\rho`, from 1 (all examples count alike) to 1e100.
    floor : float
        :math:`\varepsilon \ge 0`, with :math:`C\varepsilon < 1`.
    """

    kind: ClassVar[str] = "attention"
    odds: float = 20.0855
    floor: float = 1e-4

    def __post_init__(self) -> None:
        odds = real("model.in_context.odds", self.odds, minimum=1, maximum=LARGEST_ODDS)
        floor = real("model.in_context.floor", self.floor, minimum=0, maximum=1, open_maximum=True)
        object.__setattr__(self, "odds", odds)
        object.__setattr__(self, "floor", floor)


@dataclass(frozen=True, kw_only=True)
class LearnedAttention:
    r"""In-context predictor: attention as :class:`Attention`, but its temperature is learned online.

    All queries share one scaled inverse temperature :math:`\beta`, the logarithm of the odds :math:`\rho` between a
    relevant and an irrelevant example. After every step of the stream, with the loss :math:`-\log h(y)` of its prompt,
    :math:`\beta` gains :math:`\lambda\, d\log h(y)/d\beta`; the step itself is predicted with :math:`\beta` before
    that.

    Parameters
    ----------
    learning_rate : float
        :math:`\lambda`, per step, from 0 (the temperature stays) to 1000.
    initial_odds : float
        :math:`\rho` at the start, from 1 (temperature parameter zero: all examples count alike) to 1e100.
    floor : float
        :math:`\varepsilon \ge 0`, with :math:`C\varepsilon < 1`.

    Examples
    --------
    >>> LearnedAttention(learning_rate=0.01).initial_inverse_temperature
    0.0
    """

    kind: ClassVar[str] = "learned-attention"
    learning_rate: float
    initial_odds: float = 1.0
    floor: float = 1e-4

    def __post_init__(self) -> None:
        rate = real("model.in_context.learning_rate", self.learning_rate, minimum=0, maximum=LARGEST_LEARNING_RATE)
        odds = real("model.in_context.initial_odds", self.initial_odds, minimum=1, maximum=LARGEST_ODDS)
        floor = real("model.in_context.floor", self.floor, minimum=0, maximum=1, open_maximum=True)
        object.__setattr__(self, "learning_rate", rate)
        object.__setattr__(self, "initial_odds", odds)
        object.__setattr__(self, "floor", floor)

    @property
    def initial_inverse_temperature(self) -> float:
        r""":math:`\beta_0 = \log\rho_0`."""
        return math.log(self.initial_odds)


@dataclass(frozen=True, kw_only=True)
class KernelAttention:
    r"""In-context predictor: softmax attention over noisy inputs, with a temperature that is fixed or learned.

    The example at :math:`x^l` weighs :math:`\exp(-\beta\,\lVert x^l - x\rVert^2)` with the inverse temperature
    :math:`\beta = 1/T`. With a learning rate :math:`\lambda > 0`, :math:`\beta` gains
    :math:`\lambda\,d\log h(y)/d\beta` after every step.

    Parameters
    ----------
    temperature : float
        :math:`T` (at the start, if it is learned), from 1e-6 to 1e6, in squared units of the inputs.
    learning_rate : float
        :math:`\lambda`, from 0 (the temperature stays) to 1000.
    floor : float
        :math:`\varepsilon \ge 0`, with :math:`C\varepsilon < 1`.
    """

    kind: ClassVar[str] = "kernel-attention"
    temperature: float = 1.0
    learning_rate: float = 0.0
    floor: float = 1e-4

    def __post_init__(self) -> None:
        temperature = real(
            "model.in_context.temperature", self.temperature, minimum=TEMPERATURES[0], maximum=TEMPERATURES[1]
        )
        rate = real("model.in_context.learning_rate", self.learning_rate, minimum=0, maximum=LARGEST_LEARNING_RATE)
        object.__setattr__(self, "temperature", temperature)
        object.__setattr__(self, "learning_rate", rate)
        _set_floor(self)


@dataclass(frozen=True, kw_only=True)
class LabelPosterior:
    r"""In-context predictor: the Bayes rule from the noisy labels of the relevant examples.

    It knows the law of the noise, and nothing of the query's class: its prior for the own label is uniform. With
    :math:`A_c` of the relevant examples at label :math:`c`, :math:`h(y) = \sum_c \pi(c)\,K(y\mid c)`, where
    :math:`\pi(c)\propto \prod_{c'} K'(c'\mid c)^{A_{c'}}` with the noise :math:`K'` of the context and :math:`K` of
    the query. Without a relevant example it is uniform. An impossible label (:math:`K' = 0`) counts as one of
    probability 1e-300, and no :math:`\pi(c)` is less than that: where no :math:`c` explains all labels, those do best
    that explain most of them.

    Parameters
    ----------
    floor : float
        :math:`\varepsilon \ge 0`, with :math:`C\varepsilon < 1`.
    """

    kind: ClassVar[str] = "label-posterior"
    floor: float = 1e-4

    def __post_init__(self) -> None:
        _set_floor(self)


@dataclass(frozen=True, kw_only=True)
class MajorityVote:
    r"""In-context predictor: all mass on the label that most relevant examples carry, shared equally between ties.

    Without a relevant example all examples vote.

    Parameters
    ----------
    floor : float
        :math:`\varepsilon > 0`, with :math:`C\varepsilon < 1`.
    """

    kind: ClassVar[str] = "majority-vote"
    floor: float = 1e-4

    def __post_init__(self) -> None:
        _set_floor(self, positive=True)


def _set_floor(part: KernelAttention | LabelPosterior | MajorityVote, positive: bool = False) -> None:
    floor = real("model.in_context.floor", part.floor, minimum=0, maximum=1, open_minimum=positive, open_maximum=True)
    object.__setattr__(part, "floor", floor)
