r"""Least possible risk of an in-weight learner under a prior over label laws: an entropy, from its definition.

Label sequences are exchangeable, so the sum over all of them is one over the partitions of :math:`n`: how often the
distinct labels that occur do occur. The cost grows with the number of partitions, so these are for few visits.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import mpmath
import sympy

from theory.errors import SettingError
from theory.theorems.labels import CLASSES, LABEL_NOISE, NOISY_LABELS, mean_over_labels, two_level

_MOST_VISITS: Final = 40

Predicted = tuple[list[mpmath.mpf], mpmath.mpf]


def partitions(n: int, largest: int | None = None) -> Iterator[tuple[int, ...]]:
    """Ways to write ``n`` as a sum of positive whole numbers, largest first.

    Examples
    --------
    >>> list(partitions(3))
    [(3,), (2, 1), (1, 1, 1)]
    """
    if n == 0:
        yield ()
    for first in range(min(n, largest or n), 0, -1):
        for rest in partitions(n - first, first):
            yield (first, *rest)


def arrangements(counts: tuple[int, ...]) -> int:
    """Label sequences with these counts, for given labels of which those with equal counts are interchangeable.

    Times ``C (C - 1) ... (C - len(counts) + 1)`` it is the number of sequences over ``C`` labels with these counts.
    """
    sequences = math.factorial(sum(counts)) // math.prod(math.factorial(count) for count in counts)
    return sequences // math.prod(math.factorial(equal) for equal in Counter(counts).values())


def uniform_own_risk(n: mpmath.mpf, C: mpmath.mpf, noise: mpmath.mpf) -> mpmath.mpf:
    """Least risk when any label may be the own one, and the noise is spread over the others; see the SymPy function."""
    other = noise / (C - 1)

    def law(counts: tuple[int, ...]) -> tuple[mpmath.mpf, Predicted]:
        # Likelihood of the labels seen, for each label as the own one.
        seen = [(1 - noise) ** count * other ** (n - count) for count in counts]
        unseen = other**n
        total = mpmath.fsum(seen) + (C - len(counts)) * unseen
        if total == 0:
            return total, ([], total)
        predicted = [(own * (1 - noise) + (total - own) * other) / total for own in [*seen, unseen]]
        return total / C, (predicted[:-1], predicted[-1])

    return _mean_entropy(n, C, law)


def dirichlet_risk(n: mpmath.mpf, C: mpmath.mpf, b: mpmath.mpf) -> mpmath.mpf:
    """Least risk when the label law is drawn from Dirichlet(b, ..., b); see the SymPy function."""

    def law(counts: tuple[int, ...]) -> tuple[mpmath.mpf, Predicted]:
        probability = mpmath.fprod(mpmath.rf(b, count) for count in counts) / mpmath.rf(C * b, n)
        return probability, ([(count + b) / (n + C * b) for count in counts], b / (n + C * b))

    return _mean_entropy(n, C, law)


def _mean_entropy(
    n: mpmath.mpf, C: mpmath.mpf, law: Callable[[tuple[int, ...]], tuple[mpmath.mpf, Predicted]]
) -> mpmath.mpf:
    """Mean entropy of the next label given the labels of the visits, over all label sequences."""
    if n > _MOST_VISITS:
        raise SettingError("n", float(n), f"at most {_MOST_VISITS} visits: the sum goes over all partitions of n")
    total = mpmath.mpf(0)
    for counts in partitions(int(n)):
        labels = mpmath.fprod(C - i for i in range(len(counts)))
        if labels > 0:
            probability, (seen, unseen) = law(counts)
            entropy = mpmath.fsum(map(_entropy_of, seen)) + (C - len(counts)) * _entropy_of(unseen)
            total += arrangements(counts) * labels * probability * entropy
    return total


def _entropy_of(probability: mpmath.mpf) -> mpmath.mpf:
    return -probability * mpmath.log(probability) if probability > 0 else mpmath.mpf(0)


class UniformOwnRisk(sympy.Function):  # type: ignore[misc]
    r""":math:`H(Y_{n+1} \mid Y_1, \dots, Y_n)` of labels with an unknown own label; arguments ``n, C, label_noise``.

    The own label is uniform over the :math:`C` labels; given it the labels are independent, each the own one with
    probability :math:`1-\eta` and else any other.
    """

    nargs = 3
    mp_value = staticmethod(uniform_own_risk)

    def _latex(self, printer: Any) -> str:
        return _conditional_entropy(printer.doprint(self.args[0]))


class DirichletRisk(sympy.Function):  # type: ignore[misc]
    r""":math:`H(Y_{n+1} \mid Y_1, \dots, Y_n)` of labels from a law drawn from a prior; arguments ``n, C, b``.

    The prior is Dirichlet(b, ..., b); given the law the labels are independent.
    """

    nargs = 3
    mp_value = staticmethod(dirichlet_risk)

    def _latex(self, printer: Any) -> str:
        return _conditional_entropy(printer.doprint(self.args[0]))


def _conditional_entropy(n: str) -> str:
    return rf"\mathrm{{H}}(Y_{{{n}+1}} \mid Y_1, \dots, Y_{{{n}}})"


def symmetric_entropy(C: mpmath.mpf, noise: mpmath.mpf) -> mpmath.mpf:
    """Entropy of a label with symmetric noise."""
    return _entropy_of(1 - noise) + (C - 1) * _entropy_of(noise / (C - 1))


class SymmetricEntropy(sympy.Function):  # type: ignore[misc]
    r"""Entropy :math:`\mathrm{H}(\eta)` of a label with symmetric noise; arguments ``C, label_noise``."""

    nargs = 2
    mp_value = staticmethod(symmetric_entropy)

    def definition(self) -> sympy.Expr:
        """The mean over the two-level law with all other labels noisy."""
        entropy = two_level(mean_over_labels(lambda p: -sympy.log(p))).subs(NOISY_LABELS, CLASSES - 1)
        return entropy.subs({CLASSES: self.args[0], LABEL_NOISE: self.args[1]}, simultaneous=True)

    def _latex(self, printer: Any) -> str:
        return rf"\mathrm{{H}}({printer.doprint(self.args[1])})"


def mean_entropy(C: mpmath.mpf, b: mpmath.mpf) -> mpmath.mpf:
    """Mean entropy of a label law drawn from Dirichlet(b, ..., b)."""
    return mpmath.digamma(C * b + 1) - mpmath.digamma(b + 1)


class MeanEntropy(sympy.Function):  # type: ignore[misc]
    r""":math:`\psi(Cb+1) - \psi(b+1)`, mean entropy of a law drawn from Dirichlet(b, ..., b); arguments ``C, b``."""

    nargs = 2
    mp_value = staticmethod(mean_entropy)

    def definition(self) -> sympy.Expr:
        """The difference of digamma functions."""
        C, b = self.args
        return sympy.digamma(C * b + 1) - sympy.digamma(b + 1)

    def _latex(self, printer: Any) -> str:
        return str(printer.doprint(self.definition()))
