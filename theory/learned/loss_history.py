r"""Time averages of the in-context loss while the temperature is being learned.

A visit within the first :math:`N` steps is equally likely to be any of them, so the loss at such a visit follows the
average over :math:`t < N` of its laws at :math:`\beta(t)`. Needed are its moments and its characteristic function
:math:`\bar\varphi(u)`, and, since no step is visited twice, also the average of :math:`\varphi_t(u)^2`; this for own
and for noisy labels of the query, and the average of the product of the two.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.gating.curve import LARGEST_STEPS
from theory.in_context import InContextLoss, LossLaw, PromptLaw, PromptLaws
from theory.learned.temperature import TemperaturePath, prompt_loss
from theory.setting import TaskDistribution

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_SINGLE_STEPS = 32
"""Steps at the start that are summed one by one; later ones in panels, in which the temperature changes smoothly."""
_PANEL_RATIO = 1.5
_PANEL_NODES = 6
_LEAST_PROBABILITY = 1e-13
_MOST_VALUES = 256
_EXTRA_POINTS = 48
_WIDEST = 1000.0
_LEAST_SIZE = 0.3
"""Modulus of an averaged characteristic function below which its spread over time is not needed."""


@dataclass(frozen=True, eq=False)
class LossWaves:
    r"""Characteristic functions of the averaged losses at some frequencies :math:`u`, each of shape (frequencies,).

    Parameters
    ----------
    own, noisy : ndarray
        Averages over time of :math:`\varphi_t(u)`, given an own and given a noisy label.
    own_spread, noisy_spread, cross_spread : ndarray
        Averages of the squares and of the product of :math:`\varphi_t(u)/\bar\varphi(u) - 1`; 0 where
        :math:`\bar\varphi` is small.
    groups : tuple of ndarray
        As ``noisy``, given a noisy label of each of the groups ``InContextLoss.noisy_groups``.
    """

    own: ComplexArray
    noisy: ComplexArray
    own_spread: ComplexArray
    noisy_spread: ComplexArray
    cross_spread: ComplexArray
    groups: tuple[ComplexArray, ...]


@dataclass(frozen=True, eq=False)
class AverageLoss:
    """Loss at a random one of the steps so far.

    Parameters
    ----------
    loss : InContextLoss
        Laws on few values with the mean, the variance and the ends of the averaged laws.
    largest_frequency : float
        Up to which the characteristic functions are known.
    coefficients : ndarray, shape (number, 5 + number of groups)
        Chebyshev coefficients of the averages on [0, ``largest_frequency``].
    """

    loss: InContextLoss
    largest_frequency: float
    coefficients: ComplexArray

    def waves(self, frequencies: Array) -> LossWaves:
        """Characteristic functions at the frequencies."""
        x = 2 * frequencies / self.largest_frequency - 1
        values = np.polynomial.chebyshev.chebval(x, self.coefficients)
        own, noisy, own_square, noisy_square, product, *groups = values
        return LossWaves(
            own=own,
            noisy=noisy,
            own_spread=_spread(own_square, own, own),
            noisy_spread=_spread(noisy_square, noisy, noisy),
            cross_spread=_spread(product, own, noisy),
            groups=tuple(groups),
        )


def _spread(product: ComplexArray, first: ComplexArray, second: ComplexArray) -> ComplexArray:
    large = np.minimum(np.abs(first), np.abs(second)) > _LEAST_SIZE
    return np.asarray(np.where(large, product / np.where(large, first * second, 1.0) - 1, 0.0), dtype=np.complex128)


class LossHistory:
    """In-context loss of a class along the path of the temperature.

    Parameters
    ----------
    task : TaskDistribution
        The task.
    prompts : PromptLaws
        Laws of the prompts, given the query's label.
    path : TemperaturePath
        The temperature.
    floor : float
        Floor of the attention.
    largest_frequency : float
        Up to which characteristic functions are needed.
    """

    def __init__(
        self,
        task: TaskDistribution,
        prompts: PromptLaws,
        path: TemperaturePath,
        floor: float,
        largest_frequency: float,
    ) -> None:
        self._task, self._path, self._floor = task, path, floor
        self._largest_frequency = largest_frequency
        noisy = prompts.noisy_groups or ((1.0, prompts.noisy),)
        # A law that no query follows is not looked at.
        shares = [(1 - task.label_noise, prompts.own), *((task.label_noise * share, law) for share, law in noisy)]
        self._laws = [_possible(law, floor) for share, law in shares if share > 0]
        self._shares = np.array([share for share, _ in shares if share > 0])
        self._first_noisy = int(task.label_noise < 1)
        self._groups = range(self._first_noisy, len(self._laws)) if prompts.noisy_groups else range(0)
        widest = max(float(self._losses(law, np.array([path.start, path.limit])).max()) for law in self._laws)
        # Chebyshev's points; the square of the widest wave has twice its frequency.
        number = math.ceil(largest_frequency * min(widest, _WIDEST)) + _EXTRA_POINTS
        angles = (np.arange(number) + 0.5) * (math.pi / number)
        self._frequencies = largest_frequency * (1 + np.cos(angles)) / 2
        self._ends = [0]
        self._waves = [np.zeros((5 + len(self._groups), number), dtype=np.complex128)]

    def risk_at(self, beta: float) -> float:
        """Mean loss at an inverse temperature, in nats."""
        risks = [float(self._losses(law, np.array([beta]))[0] @ law.probabilities) for law in self._laws]
        return float(self._shares @ risks)

    def total_risk(self, steps: int) -> float:
        """Sum over the first steps of the mean loss of a visit there, in nats."""
        return float(self._shares @ self._moments_up_to(steps)[:, 0])

    def average(self, steps: int) -> AverageLoss:
        """Loss at a random one of the first ``steps`` steps, at least 1."""
        waves = self._waves_up_to(steps) / steps
        return AverageLoss(self.average_law(steps), self._largest_frequency, _chebyshev_coefficients(waves))

    def average_law(self, steps: int) -> InContextLoss:
        """Laws on few values with the mean, the variance and the ends of the average over the first steps."""
        # The temperature moves one way only, so that every prompt's loss does too.
        ends = self._path.at(np.array([0.0, steps - 1.0]))
        moments = self._moments_up_to(steps) / steps
        limits = np.array([[losses.min(), losses.max()] for losses in (self._losses(law, ends) for law in self._laws)])
        noisy_limits = limits[min(self._first_noisy, len(limits) - 1) :]
        own, noisy = self._own_and_noisy(moments)
        groups = tuple(
            (float(self._shares[i] / self._task.label_noise), _three_values(moments[i], *limits[i]))
            for i in self._groups
        )
        return InContextLoss(
            own=_three_values(own, *limits[0]),
            noisy=_three_values(noisy, noisy_limits[:, 0].min(), noisy_limits[:, 1].max()),
            noise=self._task.label_noise,
            noisy_groups=groups,
        )

    def _own_and_noisy(self, of_laws: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Averages given an own, and given any noisy label; where there is only one of them, that one twice."""
        if self._first_noisy == len(self._laws):
            return of_laws[0], of_laws[0]
        shares = self._shares[self._first_noisy :]
        noisy = np.tensordot(shares / shares.sum(), of_laws[self._first_noisy :], axes=1)
        return (of_laws[0] if self._first_noisy else noisy), noisy

    def _losses(self, law: PromptLaw, beta: Array) -> Array:
        """Losses of the prompts at inverse temperatures, shape (temperatures, prompts)."""
        task = self._task
        k = task.context_length - law.num_relevant
        floor = (task.total_labels, self._floor)
        return prompt_loss(law.relevant, law.irrelevant, law.num_relevant, k, beta[:, None], floor)

    @cached_property
    def _all_moments(self) -> tuple[list[int], Array]:
        """Ends of all panels, and the sums of the losses' first two moments up to each, shape (ends, laws, 2)."""
        ends = [0]
        while ends[-1] < LARGEST_STEPS:
            ends.append(_next_end(ends[-1]))
        panels = [_times(start, end) for start, end in pairwise(ends)]
        moments = self._moments(np.concatenate([times for times, _ in panels]))
        weighted = np.concatenate([weights for _, weights in panels])[:, None, None] * moments
        starts = np.cumsum([0, *(times.size for times, _ in panels[:-1])])
        return ends, np.concatenate(
            [np.zeros((1, len(self._laws), 2)), np.add.reduceat(weighted, starts).cumsum(axis=0)]
        )

    def _moments(self, times: Array) -> Array:
        """First two moments of the loss at the steps, for each law, shape (times, laws, 2)."""
        result = np.zeros((times.size, len(self._laws), 2))
        for i, law in enumerate(self._laws):
            losses = self._losses(law, self._path.at(times))
            result[:, i, 0] = (losses * law.probabilities).sum(axis=1)
            result[:, i, 1] = (losses * losses * law.probabilities).sum(axis=1)
        return result

    def _moments_up_to(self, steps: int) -> Array:
        ends, sums = self._all_moments
        place = bisect_right(ends, steps) - 1
        times, weights = _times(ends[place], steps)
        return np.asarray(sums[place] + (weights[:, None, None] * self._moments(times)).sum(axis=0))

    def _waves_up_to(self, steps: int) -> ComplexArray:
        while (end := _next_end(self._ends[-1])) <= steps:
            self._waves.append(self._waves[-1] + self._waves_over(self._ends[-1], end))
            self._ends.append(end)
        place = bisect_right(self._ends, steps) - 1
        return self._waves[place] + self._waves_over(self._ends[place], steps)

    def _waves_over(self, start: int, end: int) -> ComplexArray:
        """Sums over the steps from ``start`` to ``end - 1`` of the waves, their squares and their product."""
        times, weights = _times(start, end)
        betas, waves = self._path.at(times), []
        for law in self._laws:
            few = [few_values(losses, law.probabilities) for losses in self._losses(law, betas)]
            waves.append(np.array([self._wave(*pair) for pair in few]).reshape(times.size, self._frequencies.size))
        own, noisy = self._own_and_noisy(np.stack(waves))
        products = np.stack([own, noisy, own * own, noisy * noisy, own * noisy, *(waves[i] for i in self._groups)])
        return np.asarray((weights[:, None] * products).sum(axis=1), dtype=np.complex128)

    def _wave(self, loss: Array, chance: Array) -> ComplexArray:
        phase = loss[:, None] * self._frequencies
        real, imaginary = ((chance[:, None] * part).sum(axis=0) for part in (np.cos(phase), np.sin(phase)))
        return np.asarray(real + 1j * imaginary, dtype=np.complex128)


def _three_values(moments: Array, smallest: float, largest: float) -> LossLaw:
    """Law on the ends and the mean with the given mean and mean square."""
    mean, square = moments.tolist()
    below, above, variance = mean - smallest, largest - mean, square - mean * mean
    if variance <= 0 or below <= 0 or above <= 0:
        return LossLaw(np.array([mean]), np.ones(1))
    # A variance is at most the product of these two (Bhatia and Davis); rounding may go beyond.
    share = min(variance / (below * above), 1.0)
    outer = share * np.array([above, below]) / (below + above)
    return LossLaw(np.array([smallest, mean, largest]), np.array([outer[0], 1 - share, outer[1]]))


def _times(start: int, end: int) -> tuple[Array, Array]:
    """Steps from ``start`` to ``end - 1`` with weight 1 each, or nodes and weights of the integral over the panel."""
    if end - start <= _PANEL_NODES:
        return np.arange(start, end, dtype=np.float64), np.ones(end - start)
    nodes, weights = np.polynomial.legendre.leggauss(_PANEL_NODES)
    return start - 0.5 + (end - start) * (nodes + 1) / 2, weights * ((end - start) / 2)


def _next_end(end: int) -> int:
    return end + (1 if end < _SINGLE_STEPS else int(end * (_PANEL_RATIO - 1)))


def _chebyshev_coefficients(values: ComplexArray) -> ComplexArray:
    """Chebyshev coefficients, shape (number, functions), of functions from their values at Chebyshev's points."""
    from scipy.fft import dct

    scaled = np.asarray(dct(values.real) + 1j * dct(values.imag), dtype=np.complex128).T / values.shape[1]
    scaled[0] /= 2
    return np.asarray(scaled, dtype=np.complex128)


def few_values(loss: Array, weight: Array) -> tuple[Array, Array]:
    """At most 256 values with the same mean and variance: those in a narrow interval become two.

    Examples
    --------
    >>> loss, weight = few_values(np.linspace(0, 1, 1001) ** 2, np.full(1001, 1 / 1001))
    >>> loss.size <= 256, bool(np.isclose(weight @ loss**2, (np.linspace(0, 1, 1001) ** 4).mean()))
    (True, True)
    """
    if loss.size <= _MOST_VALUES or loss.max() == loss.min():
        return loss, weight
    number = _MOST_VALUES // 2
    width = (loss.max() - loss.min()) / number
    interval = np.minimum(((loss - loss.min()) / width).astype(np.intp), number - 1)
    total = np.bincount(interval, weights=weight, minlength=number)
    used = total > 0
    mean = np.bincount(interval, weights=weight * loss, minlength=number)[used] / total[used]
    deviation = loss - mean[np.cumsum(used)[interval] - 1]
    square = np.bincount(interval, weights=weight * deviation * deviation, minlength=number)[used] / total[used]
    half = np.asarray(total[used] / 2, dtype=np.float64)
    return np.concatenate([mean - np.sqrt(square), mean + np.sqrt(square)]), np.concatenate([half, half])


def _possible(prompts: PromptLaw, floor: float) -> PromptLaw:
    """The prompts that matter; those without the label, where there is no floor, have probability 0."""
    kept = prompts.probabilities > _LEAST_PROBABILITY
    if floor == 0:
        kept &= prompts.relevant + prompts.irrelevant > 0
    if not kept.any():
        # A label that no query has, in contexts that cannot carry it: its law has weight 0 wherever it is used.
        one, none = np.ones(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
        return PromptLaw(one, one, none, np.ones(1))
    weight = prompts.probabilities[kept]
    return PromptLaw(
        prompts.num_relevant[kept], prompts.relevant[kept], prompts.irrelevant[kept], weight / weight.sum()
    )
