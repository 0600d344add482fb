"""Laws of what a table of two labels does on random sequences, as SymPy functions; by enumeration of counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import mpmath
import sympy

# Two numbers this close, relatively, are the same: probabilities and likelihoods may tie exactly.
_TIE: Final = mpmath.mpf(10) ** -40


def probability_of_compression(
    n: mpmath.mpf, C: mpmath.mpf, b: mpmath.mpf, label_noise: mpmath.mpf, delta: mpmath.mpf
) -> mpmath.mpf:
    r"""That within ``n`` labels the table's likelihood ever exceeds the true law's by more than :math:`1/\delta`.

    Walks through the counts; ``ratio[k]`` is the likelihood ratio after ``i`` labels, ``k`` of them noisy, and
    ``alive[k]`` the probability of being there without having exceeded the level.
    """
    level, ever = (1 + _TIE) / delta, mpmath.mpf(0)
    ratio, alive = {0: mpmath.mpf(1)}, {0: mpmath.mpf(1)}
    for i in range(int(n)):
        total = i + C * b
        moved: dict[int, mpmath.mpf] = {}
        weights: dict[int, mpmath.mpf] = {}
        for k, probability in alive.items():
            for step, chance, seen in ((0, 1 - label_noise, i - k), (1, label_noise, k)):
                if chance > 0:
                    moved[k + step] = ratio[k] * (seen + b) / (total * chance)
                    weights[k + step] = weights.get(k + step, mpmath.mpf(0)) + probability * chance
        ever += mpmath.fsum(weights[k] for k in weights if moved[k] > level)
        ratio = moved
        alive = {k: weight for k, weight in weights.items() if moved[k] <= level}
    return ever


class CompressionProbability(sympy.Function):  # type: ignore[misc]
    r"""Probability that the table ever compresses labels by :math:`\log(1/\delta)` nats more than their own law.

    Arguments ``n, C, b, label_noise, delta``; within ``n`` labels, of which each is noisy (one other label) with
    probability ``label_noise``.
    """

    nargs = 5
    mp_value = staticmethod(probability_of_compression)

    def _latex(self, printer: Any) -> str:
        n, _, _, _, delta = (printer.doprint(argument) for argument in self.args)
        loss = r"-\log y^*(y_j)"
        return rf"\Pr\bigl(\exists\, i \le {n}: \Lambda_i < \sum_{{j \le i}} {loss} - \log\tfrac{{1}}{{{delta}}}\bigr)"


def quantile(function: Callable[[int], Any], n: mpmath.mpf, label_noise: mpmath.mpf, level: mpmath.mpf) -> mpmath.mpf:
    r"""What :math:`F(K)`, :math:`K \sim \mathrm{Bin}(n, \eta)`, exceeds with probability ``level`` at most."""
    visits = int(n)
    outcomes = []
    for k in range(visits + 1):
        weight = mpmath.binomial(visits, k) * label_noise**k * (1 - label_noise) ** (visits - k)
        if weight > 0:
            outcomes.append((function(k), weight))
    outcomes.sort(reverse=True)
    beyond = mpmath.mpf(0)
    for value, weight in outcomes:
        beyond += weight
        if beyond > level * (1 + _TIE):
            # A divergence that is 0 but for rounding is 0.
            return value if value > mpmath.mpf(10) ** (10 - mpmath.mp.dps) else mpmath.mpf(0)
    return outcomes[-1][0]


def _divergence(first: tuple[Any, Any], second: tuple[Any, Any]) -> Any:
    return mpmath.fsum(p * mpmath.log(p / q) for p, q in zip(first, second, strict=True) if p > 0)


def excess_quantile(
    n: mpmath.mpf, C: mpmath.mpf, b: mpmath.mpf, label_noise: mpmath.mpf, level: mpmath.mpf
) -> mpmath.mpf:
    """Quantile of the table's excess risk after ``n`` labels."""
    law = (1 - label_noise, label_noise)
    total = n + C * b
    return quantile(lambda k: _divergence(law, ((n - k + b) / total, (k + b) / total)), n, label_noise, level)


def distance_quantile(n: mpmath.mpf, label_noise: mpmath.mpf, level: mpmath.mpf) -> mpmath.mpf:
    """Quantile of the l1 distance between the empirical law of ``n`` labels and their law."""
    return quantile(lambda k: 2 * abs(k / n - label_noise), n, label_noise, level)


def divergence_quantile(n: mpmath.mpf, label_noise: mpmath.mpf, level: mpmath.mpf) -> mpmath.mpf:
    """Quantile of the relative entropy of the empirical law of ``n`` labels against their law."""
    law = (1 - label_noise, label_noise)
    return quantile(lambda k: _divergence(((n - k) / n, k / n), law), n, label_noise, level)


class Quantile(sympy.Function):  # type: ignore[misc]
    """A quantile: what is exceeded with a probability of at most the last argument, ``level``."""

    of = ""

    @property
    def visits(self) -> sympy.Expr:
        """Number of labels, the first argument."""
        return self.args[0]

    @property
    def label_noise(self) -> sympy.Expr:
        """Probability of the noisy label, the last argument but one."""
        return self.args[-2]

    @property
    def level(self) -> sympy.Expr:
        """With what probability it is exceeded at most."""
        return self.args[-1]

    def outcome(self, share: sympy.Expr) -> sympy.Expr:
        """What it is a quantile of, where the noisy label has a share of the visits strictly between 0 and 1."""
        raise NotImplementedError

    def _latex(self, printer: Any) -> str:
        return rf"Q_{{{printer.doprint(self.args[-1])}}}\bigl({self.of}\bigr)"


class ExcessQuantile(Quantile):
    """Of the excess risk; arguments ``n, C, b, label_noise, level``."""

    nargs = 5
    mp_value = staticmethod(excess_quantile)
    of = r"R(\hat g_n) - H"

    def outcome(self, share: sympy.Expr) -> sympy.Expr:
        """Relative entropy of the law against the table."""
        n, C, b, noise, _ = self.args
        log, rest = sympy.log, 1 - noise
        table = noise * log(n * share + b) + rest * log(n * (1 - share) + b)
        return noise * log(noise) + rest * log(rest) + log(n + C * b) - table


class DistanceQuantile(Quantile):
    """Of the l1 distance of the empirical law; arguments ``n, label_noise, level``."""

    nargs = 3
    mp_value = staticmethod(distance_quantile)
    of = r"\|\hat p_n - y^*\|_1"

    def outcome(self, share: sympy.Expr) -> sympy.Expr:
        """Twice the difference of the shares."""
        return 2 * sympy.Abs(self.label_noise - share)


class DivergenceQuantile(Quantile):
    """Of the relative entropy of the empirical law; arguments ``n, label_noise, level``."""

    nargs = 3
    mp_value = staticmethod(divergence_quantile)
    of = r"\mathrm{KL}(\hat p_n \| y^*)"

    def outcome(self, share: sympy.Expr) -> sympy.Expr:
        """Relative entropy of the shares against the law."""
        noise = self.label_noise
        return share * sympy.log(share / noise) + (1 - share) * sympy.log((1 - share) / (1 - noise))
