"""Evidence for attention that learns its temperature: the differential equation itself, and gradient descent."""

from __future__ import annotations

import itertools
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from tests.theorems.evidence import Exact, Simulated

Array = NDArray[np.float64]


def solved_equation(m: int, k: int, rate: float, beta_0: float, time: float) -> mpmath.mpf:
    """Position by mpmath's Taylor solver of the flow, which falls along the gradient of the loss."""
    speed = mpmath.mpf(rate)
    with mpmath.workdps(25):
        flow = mpmath.odefun(lambda _, beta: speed * k / (k + m * mpmath.exp(beta)), 0, mpmath.mpf(beta_0))
        return flow(mpmath.mpf(time))


def time_along_the_loss(m: int, k: int, rate: float, beta_0: float, loss_share: float) -> mpmath.mpf:
    """Time until a share of the loss is left: the loss L falls by itself, at the speed rate (1 - exp(-L))^2."""
    start = mpmath.log(1 + mpmath.mpf(k) / m * mpmath.exp(-mpmath.mpf(beta_0)))
    inverse = lambda loss: 1 / (mpmath.mpf(rate) * mpmath.expm1(-loss) ** 2)  # noqa: E731 (an integrand)
    ends = [start * mpmath.mpf(loss_share) ** (mpmath.mpf(i) / 20) for i in range(20, -1, -1)]
    return mpmath.quad(inverse, ends)


def gradient(beta: Array | float, m: int, k: int) -> Any:
    """Gradient of the loss of real attention: minus the mass on the irrelevant examples."""
    weights = np.concatenate([np.ones(m), np.full(k, np.exp(-beta))])
    return -weights[m:].sum() / weights.sum()


def descend(m: int, k: int, rate: float, beta_0: float, time: float, steps: int) -> float:
    beta = beta_0
    for _ in range(steps):
        beta -= rate * time / steps * gradient(beta, m, k)
    return float(beta)


def descents(_: np.random.Generator, replicates: int, **setting: Any) -> Array:
    """Gradient descent with ever smaller steps, extrapolated to steps of no size (Richardson)."""
    counts = [4 * 2**level for level in range(9)]
    found = [descend(**setting, steps=steps) for steps in counts]
    for order in range(1, len(found)):
        factor = 2**order
        found = [(factor * fine - coarse) / (factor - 1) for coarse, fine in itertools.pairwise(found)]
    return np.full(replicates, found[0])


def flight_times(
    generator: np.random.Generator, replicates: int, *, m: int, k: int, rate: float, beta_0: float, loss_share: float
) -> Array:
    """Times of random flights: equal steps of the inverse temperature, each at the speed of a random point in it.

    The mean of such a time is that of the flow, whatever the number of steps.
    """
    start = np.log1p(k / m * np.exp(-beta_0))
    # Where the loss has fallen to its share, by bisection.
    low, high = beta_0, beta_0 + 50
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.log1p(k / m * np.exp(-middle)) > loss_share * start else (low, middle)
    steps = 20
    visited = beta_0 + (high - beta_0) * (np.arange(steps) + generator.random((replicates, steps))) / steps
    inverse_speed = (k + m * np.exp(visited)) / (rate * k)
    return np.asarray((high - beta_0) / steps * inverse_speed.sum(axis=1))


def setting(m: int, k: int, rate: float, beta_0: float, **last: float) -> dict[str, float]:
    return {"m": m, "k": k, "rate": rate, "beta_0": beta_0, **last}


EXACT = {
    "learned_temperature": Exact(
        (setting(1, 7, 0.5, 0.0, time=6.0), setting(3, 1, 2.0, 1.5, time=0.5), setting(2, 9, 0.1, 0.25, time=3.0)),
        solved_equation,
        solved_equation,
    ),
    "emergence_time": Exact(
        (
            setting(1, 7, 0.5, 0.0, loss_share=0.25),
            setting(3, 1, 2.0, 1.5, loss_share=0.9),
            setting(2, 9, 1.0, 0.5, loss_share=0.01),
        ),
        time_along_the_loss,
        time_along_the_loss,
    ),
}
SIMULATED = {
    "learned_temperature": Simulated(setting(1, 7, 0.5, 0.0, time=2.0), descents, 2),
    "emergence_time": Simulated(setting(1, 7, 0.5, 0.0, loss_share=0.25), flight_times, 2000),
}
