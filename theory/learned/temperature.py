r"""The inverse temperature :math:`\beta = \log\rho` of attention: what it does to a prompt, and how learning moves it.

Stochastic gradient descent adds :math:`\lambda\, d\log h(y)/d\beta` after every step. As the learning rate
:math:`\lambda` goes to 0 (and the steps to infinity) its path becomes the deterministic *flow*

.. math:: \beta'(t) = \lambda F(\beta), \qquad F(\beta) = \sum_x p_x\, E_x\, \frac{d\log h(y)}{d\beta} ,

minus the gradient of the mean in-context risk. At a positive rate the path scatters around the flow by
:math:`O(\sqrt\lambda)`, and its mean lies :math:`O(\lambda)` beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import wrightomega

from theory.classes import class_kinds
from theory.gating.curve import LARGEST_STEPS
from theory.in_context import PromptLaw, prompt_laws
from theory.setting import LARGEST_ODDS, LearnedAttention, TaskDistribution

Array = NDArray[np.float64]

LARGEST_INVERSE_TEMPERATURE = math.log(LARGEST_ODDS)
WIDEST = 700.0
"""Inverse temperature beyond which it is no longer told apart from it: e^-700 is nearly the smallest number."""
_SCAN_STEP = 0.25
_SETTLED = 1e-11


# One prompt.


def prompt_loss(
    relevant: ArrayLike,
    irrelevant: ArrayLike,
    num_relevant: ArrayLike,
    num_irrelevant: ArrayLike,
    beta: ArrayLike,
    floor: tuple[int, ArrayLike],
) -> Array:
    r"""Loss :math:`-\log h(y)` in nats at an inverse temperature of any size and sign; arguments broadcast.

    Parameters
    ----------
    relevant, irrelevant, num_relevant, num_irrelevant : array_like
        :math:`A` of the :math:`m` relevant and :math:`B` of the :math:`k` irrelevant examples carry the label.
    beta : array_like
        Inverse temperature :math:`\beta`, the log-odds between a relevant and an irrelevant example.
    floor : (int, array_like)
        :math:`C` and :math:`\varepsilon`.

    Returns
    -------
    ndarray
        :math:`-\log[(1-C\varepsilon)(e^\beta A + B)/(e^\beta m + k) + \varepsilon]`; infinite where that is zero. Small
        losses keep their digits.

    Examples
    --------
    >>> float(prompt_loss(1, 0, 1, 3, 0.0, (4, 0.0)))  # log 4
    1.38629436...
    """
    total_labels, epsilon = floor[0], np.asarray(floor[1], dtype=np.float64)
    a, b, m, k = (np.asarray(v) for v in (relevant, irrelevant, num_relevant, num_irrelevant))
    high, low = _weights(m, k, np.asarray(beta, dtype=np.float64))
    total, kept = high * m + low * k, 1 - total_labels * epsilon
    h = kept * (high * a + low * b) / total + epsilon
    missing = kept * (high * (m - a) + low * (k - b)) / total + epsilon * (total_labels - 1)
    with np.errstate(divide="ignore"):
        loss = np.where(h > 0.5, -np.log1p(-np.where(h > 0.5, missing, 0.0)), -np.log(h))
    return np.asarray(loss + 0.0, dtype=np.float64)


def log_probability_slope(
    relevant: ArrayLike,
    irrelevant: ArrayLike,
    num_relevant: ArrayLike,
    num_irrelevant: ArrayLike,
    beta: ArrayLike,
    floor: tuple[int, float],
) -> Array:
    r"""Derivative :math:`d\log h(y)/d\beta` of the floored log-probability of a label; arguments broadcast.

    .. math:: \frac{d\log h(y)}{d\beta}
        = \frac{1-C\varepsilon}{h(y)}\,\frac{e^\beta (A k - m B)}{(e^\beta m + k)^2}

    Parameters
    ----------
    relevant, irrelevant, num_relevant, num_irrelevant : array_like
        :math:`A`, :math:`B`, :math:`m`, :math:`k`.
    beta : array_like
        Inverse temperature.
    floor : (int, float)
        :math:`C` and :math:`\varepsilon`.

    Examples
    --------
    >>> float(log_probability_slope(1, 0, 1, 3, 0.0, (4, 0.0)))  # the irrelevant examples' share of the attention
    0.75
    """
    total_labels, epsilon = floor
    a, b, m, k = (np.asarray(v) for v in (relevant, irrelevant, num_relevant, num_irrelevant))
    high, low = _weights(m, k, np.asarray(beta, dtype=np.float64))
    total = high * m + low * k
    kept = 1 - total_labels * epsilon
    h = kept * (high * a + low * b) / total + epsilon
    slope = kept * (high / total) * (low / total) * (a * k - m * b)
    return np.asarray(slope / np.where(h > 0, h, 1.0), dtype=np.float64)


def _weights(m: NDArray[np.int64], k: NDArray[np.int64], beta: Array) -> tuple[Array, Array]:
    """Weights of a relevant and of an irrelevant example, the larger one 1; both 1 where there is but one kind."""
    both = (m > 0) & (k > 0)
    beta = np.where(np.isinf(beta), beta, np.clip(beta, -WIDEST, WIDEST))
    return np.where(both, np.exp(np.minimum(beta, 0.0)), 1.0), np.where(both, np.exp(-np.maximum(beta, 0.0)), 1.0)


# The mean field.


@dataclass(frozen=True, eq=False)
class MeanSlope:
    r"""Mean of :math:`d\log h(y)/d\beta` over the prompts of the stream, :math:`F(\beta)`.

    Parameters
    ----------
    context_length, total_labels : int
        :math:`L` and :math:`C`.
    floor : float
        :math:`\varepsilon`.
    prompts : PromptLaw
        Law of the prompts of all classes together.
    """

    context_length: int
    total_labels: int
    floor: float
    prompts: PromptLaw

    @classmethod
    def of(cls, task: TaskDistribution, floor: float) -> MeanSlope:
        """The mean over all classes, their labels and contexts."""
        parts: list[tuple[Array, ...]] = []
        for kind in class_kinds(task)[0]:
            laws = prompt_laws(task, kind)
            for law, share in ((laws.own, 1 - task.label_noise), (laws.noisy, task.label_noise)):
                weight = kind.size * kind.probability * share * law.probabilities
                # Where both kinds of examples carry the label alike, the temperature does not matter.
                k = task.context_length - law.num_relevant
                moves = (law.relevant * k != law.num_relevant * law.irrelevant) & (weight > 0)
                parts.append(tuple(v[moves] for v in (law.num_relevant, law.relevant, law.irrelevant, weight)))
        m, a, b, weight = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        side = task.context_length + 1
        prompts, place = np.unique((m * side + a) * side + b, return_inverse=True)
        total = np.bincount(place.reshape(-1), weights=weight, minlength=prompts.size)
        whole = prompts.astype(np.int64)
        law = PromptLaw(whole // side**2, whole // side % side, whole % side, np.asarray(total, dtype=np.float64))
        return cls(task.context_length, task.total_labels, floor, law)

    def __call__(self, beta: float) -> float:
        """Value at one inverse temperature; 0 where it moves no prompt."""
        law = self.prompts
        k = self.context_length - law.num_relevant
        floor = (self.total_labels, self.floor)
        slopes = log_probability_slope(law.relevant, law.irrelevant, law.num_relevant, k, beta, floor)
        return float(slopes @ law.probabilities)

    def zero_beyond(self, start: float) -> float:
        """Where the flow from ``start`` comes to rest: the next zero in its direction, or an infinity."""
        speed = self(start)
        if speed == 0:
            return start
        direction = math.copysign(1.0, speed)
        before = start
        # Where the last rise of beta ends no odds are admissible that are higher; below, likewise.
        while abs(before) <= LARGEST_INVERSE_TEMPERATURE:
            after = before + direction * _SCAN_STEP
            value = self(after)
            if value * speed < 0:
                return float(brentq(self, before, after, xtol=1e-14, rtol=1e-15))
            before = after
        return direction * math.inf


# The flow.


@dataclass(frozen=True, eq=False)
class TemperaturePath:
    r"""Deterministic path :math:`\beta(t)` of the inverse temperature over the steps of the stream.

    Parameters
    ----------
    start, limit : float
        :math:`\beta(0)`, and the limit of :math:`\beta(t)` for many steps, which may be infinite.
    at : callable
        From steps :math:`t \ge 0`, shape (k,), to :math:`\beta(t)`, shape (k,).
    """

    start: float
    limit: float
    at: Callable[[Array], Array]


def temperature_path(task: TaskDistribution, attention: LearnedAttention) -> TemperaturePath:
    """Flow of the inverse temperature: in closed form where there is one, else integrated numerically.

    There is a closed form where every context has the same numbers of relevant and irrelevant examples, no label is
    noisy or shared by classes, and there is no floor (theorem ``learned_temperature``).

    Parameters
    ----------
    task, attention : TaskDistribution, LearnedAttention
        The setting.

    Examples
    --------
    >>> task = TaskDistribution(num_high=2, num_low=2, p_high=0.5, context_length=4, relevant_examples=1)
    >>> path = temperature_path(task, LearnedAttention(learning_rate=0.1, floor=0.0))
    >>> path.at(np.array([0.0, 100.0])).round(3).tolist(), path.limit
    ([0.0, 3.08], inf)
    """
    clear_labels = task.label_noise == 0 and task.noise_in_context == 0
    clear_labels = clear_labels and all(kind.own_collision == 0 for kind in class_kinds(task)[0])
    m, k = task.relevant_examples, task.irrelevant_examples
    # Without a floor all contexts are relevant, or the in-context risk were infinite.
    if clear_labels and attention.floor == 0 and task.p_relevant == 1 and m and k and attention.learning_rate > 0:
        return _closed_path(m, k, attention)
    return integrated_path(task, attention)


def _closed_path(m: int, k: int, attention: LearnedAttention) -> TemperaturePath:
    start, rate = attention.initial_inverse_temperature, attention.learning_rate
    sizes = np.array(float(m)), np.array(float(k))

    def at(steps: Array) -> Array:
        return inverse_temperature(*sizes, np.array(rate), np.array(start), np.asarray(steps, dtype=np.float64))

    return TemperaturePath(start, math.inf, at)


def integrated_path(task: TaskDistribution, attention: LearnedAttention) -> TemperaturePath:
    """Flow of the inverse temperature by numerical integration in the logarithm of time (error about 1e-8)."""
    slope = MeanSlope.of(task, attention.floor)
    start, rate = attention.initial_inverse_temperature, attention.learning_rate
    speed = abs(slope(start)) * rate
    limit = slope.zero_beyond(start) if rate > 0 else start
    if speed == 0 or abs(limit - start) <= _SETTLED:
        return TemperaturePath(start, limit, lambda steps: np.full(np.shape(steps), start))
    return TemperaturePath(start, limit, _integrated(slope, start, limit, rate))


def _integrated(slope: MeanSlope, start: float, limit: float, rate: float) -> Callable[[Array], Array]:
    from scipy.integrate import solve_ivp

    scale = 1 / (abs(slope(start)) * rate)
    end = math.log1p(LARGEST_STEPS / scale)

    def speed(log_time: float, beta: Array) -> list[float]:
        return [scale * rate * math.exp(log_time) * slope(float(beta[0]))]

    def settled(_: float, beta: Array) -> float:
        return abs(limit - float(beta[0])) - _SETTLED if math.isfinite(limit) else 1.0

    settled.terminal = True  # type: ignore[attr-defined]
    # In log(1 + t/scale) a logarithmic growth is a straight line; near a limit the equation is stiff.
    solution = solve_ivp(
        speed, (0.0, end), [start], method="LSODA", rtol=1e-10, atol=1e-11, dense_output=True, events=settled
    )
    if solution.status < 0:
        raise ArithmeticError(f"the flow of the inverse temperature could not be integrated: {solution.message}")
    last = float(solution.t[-1])

    def at(steps: Array) -> Array:
        log_time = np.log1p(np.asarray(steps, dtype=np.float64) / scale)
        if log_time.size == 0:
            return log_time
        values = solution.sol(np.minimum(log_time, last).reshape(-1))[0].reshape(log_time.shape)
        return np.asarray(values, dtype=np.float64)

    return at


def inverse_temperature(m: Array, k: Array, rate: Array, beta_0: Array, time: Array) -> Array:
    r""":math:`\beta(t) = c + \lambda t - W(\frac mk e^{c + \lambda t})`, at any size of the exponent.

    The flow for :math:`m` relevant and :math:`k` irrelevant noiseless examples, :math:`c = \beta_0 + \frac mk
    e^{\beta_0}`; see the theorem ``learned_temperature``. The Wright omega function :math:`\omega(z) = W(e^z)` does not
    overflow; one Newton step or two give what is gained on :math:`\beta_0` all its digits.
    """
    log_v = np.log(m / k) + beta_0
    v, flown = np.exp(log_v), rate * time
    # Where little is gained the first bound is nearly exact, and the difference of logarithms has no digits.
    gained = np.minimum(flown / (1 + v), np.maximum(np.log(wrightomega(log_v + v + flown)) - log_v, 0.0))
    for _ in range(3):
        gained = gained - (gained + v * np.expm1(gained) - flown) / (1 + v * np.exp(gained))
    return np.asarray(beta_0 + gained)
