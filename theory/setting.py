"""What the world is like (:class:`TaskDistribution`) and what learns in it (:class:`GatedPredictor`).

Every class here is frozen, keyword-only and checked once, when it is made; a settings file holds the same names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from theory.checks import choice, integer, real
from theory.errors import SettingError

FREQUENCY_KEYS: dict[str, tuple[str, ...]] = {
    "two-level": ("num_high", "num_low", "p_high"),
    "zipf": ("num_classes", "zipf_exponent"),
    "uniform": ("num_classes",),
    "weights": ("weights",),
    "counts": ("counts", "class_names"),
}
"""For every frequency law the settings that belong to it."""

LABEL_NOISE_KINDS = ("cyclic", "symmetric")
LARGEST_ODDS = 1e100
LARGEST_LEARNING_RATE = 1000.0
PSEUDO_COUNTS = (1e-100, 1e15)
HEDGE_RATES = (1e-3, 100.0)
LARGEST_NUMBER = 10**15
"""Classes of a two-level task, and occurrences of a class, that double precision still counts one by one."""
MOST_LISTED_CLASSES = 10**8
"""Classes of a task whose classes are held one by one in memory."""
LONGEST_CONTEXT = 10_000


@dataclass(frozen=True, kw_only=True)
class TaskDistribution:
    r"""Law of the prompts: which class is asked for, what its context holds, how noisy the labels are.

    A class is an input cluster. Class :math:`x` has the label :math:`x \bmod C`: one of its own, unless ``num_labels``
    makes classes share labels. A query is of class :math:`x` with probability :math:`p_x`. With probability
    ``p_relevant`` its context of :math:`L` labelled examples is *relevant* and holds :math:`m \ge 1` examples of class
    :math:`x`; else :math:`m = 0`. The other :math:`k = L - m` examples come from :math:`p` restricted to the other
    classes (which may have the label of :math:`x`). Every label is a fresh noisy draw.

    Parameters
    ----------
    frequencies : {"two-level", "zipf", "uniform", "weights", "counts"}
        Law of the query classes; each has settings of its own, listed next.
    num_high, num_low : int
        Two-level: number of high- and of low-frequency classes (each at least 1).
    p_high : float
        Two-level: probability, in (0, 1), that a query is of one of the high-frequency classes.
    num_classes : int
        Zipf and uniform: number of classes, at least 2.
    zipf_exponent : float
        Zipf: :math:`p_x \propto (x+1)^{-a}` for :math:`x = 0, \dots`, with :math:`a \ge 0`.
    weights : sequence of float, shape (number of classes,)
        Weights: the class probabilities, not negative, summing to one (to 1e-9).
    counts : sequence of int, shape (number of classes,)
        Counts: occurrences of each class, not negative; :math:`p_x` is proportional to them.
    class_names : sequence of str, shape (number of classes,), optional
        Counts: a name for each class.
    num_labels : int, optional
        :math:`C`, number of labels, from 2 to the number of classes; classes share them in turn. ``None`` means a label
        of its own for every class.
    context_length : int
        :math:`L`, examples in a context, from 1 to 10,000.
    p_relevant : float
        Probability, in [0, 1], that a context is relevant.
    relevant_examples : int, optional
        :math:`m`, relevant examples of a relevant context, from 1 to ``context_length``. ``None`` is the natural
        law: Binomial(:math:`L`, :math:`p_x`) given that it is at least 1.
    label_noise : float
        Probability, in [0, 1], that a label is not that of its class.
    label_noise_kind : {"cyclic", "symmetric"}
        Where a noisy label goes: to the next label (after the last one comes the first), or to one of all other labels
        with equal probability.
    context_label_noise : float, optional
        Label noise of the context's examples; ``None`` means the same as ``label_noise``.

    Raises
    ------
    SettingError
        A setting is missing, does not belong to the frequency law, or is out of its range.

    Examples
    --------
    >>> task = TaskDistribution(num_high=5, num_low=95, p_high=0.9, context_length=8, relevant_examples=4)
    >>> task.total_classes, round(float(task.class_probabilities[0]), 9), task.irrelevant_examples
    (100, 0.18, 4)
    >>> TaskDistribution(frequencies="uniform", num_classes=1000, num_labels=32).total_labels
    32
    """

    frequencies: str = "two-level"
    num_high: int | None = None
    num_low: int | None = None
    p_high: float | None = None
    num_classes: int | None = None
    zipf_exponent: float | None = None
    weights: Sequence[float] | None = None
    counts: Sequence[int] | None = None
    class_names: Sequence[str] | None = None
    num_labels: int | None = None
    context_length: int = 1
    p_relevant: float = 1.0
    relevant_examples: int | None = None
    label_noise: float = 0.0
    label_noise_kind: str = "cyclic"
    context_label_noise: float | None = None

    def __post_init__(self) -> None:
        self._check_frequencies()
        if self.num_labels is not None:
            labels = integer("num_labels", self.num_labels, minimum=2)
            if labels > self.total_classes:
                raise SettingError("num_labels", labels, f"at most the number of classes, {self.total_classes:,}")
            self._set("num_labels", labels)
        length = integer("context_length", self.context_length, minimum=1, maximum=LONGEST_CONTEXT)
        self._set("context_length", length)
        self._set("p_relevant", real("p_relevant", self.p_relevant, minimum=0, maximum=1))
        if self.relevant_examples is not None:
            relevant = integer("relevant_examples", self.relevant_examples, minimum=1)
            if relevant > length:
                raise SettingError("relevant_examples", relevant, f"at most context_length = {length}")
            self._set("relevant_examples", relevant)
        self._set("label_noise", real("label_noise", self.label_noise, minimum=0, maximum=1))
        choice("label_noise_kind", self.label_noise_kind, LABEL_NOISE_KINDS)
        if self.context_label_noise is not None:
            noise = real("context_label_noise", self.context_label_noise, minimum=0, maximum=1)
            self._set("context_label_noise", noise)

    def _set(self, name: str, value: object) -> None:
        # A frozen dataclass normalises its own fields through object.__setattr__, and only here, while it is made.
        object.__setattr__(self, name, value)

    def _check_frequencies(self) -> None:
        law = choice("frequencies", self.frequencies, tuple(FREQUENCY_KEYS))
        own = FREQUENCY_KEYS[law]
        # In the order of their definition, so that the first of several mistakes is always the same one.
        for name in dict.fromkeys(key for keys in FREQUENCY_KEYS.values() for key in keys):
            given = getattr(self, name) is not None
            if given and name not in own:
                raise SettingError(
                    name, getattr(self, name), f"nothing, since frequencies = {law!r} has no such setting"
                )
            if not given and name in own and name != "class_names":
                raise SettingError(name, None, f"a value, since frequencies = {law!r} needs {', '.join(own)}")
        check = {
            "two-level": self._check_two_level,
            "zipf": self._check_zipf,
            "uniform": self._check_uniform,
            "weights": self._check_weights,
            "counts": self._check_counts,
        }
        check[law]()

    def _check_two_level(self) -> None:
        self._set("num_high", integer("num_high", self.num_high, minimum=1, maximum=LARGEST_NUMBER))
        self._set("num_low", integer("num_low", self.num_low, minimum=1, maximum=LARGEST_NUMBER))
        p_high = real("p_high", self.p_high, minimum=0, maximum=1, open_minimum=True, open_maximum=True)
        self._set("p_high", p_high)

    def _check_uniform(self) -> None:
        self._set("num_classes", integer("num_classes", self.num_classes, minimum=2, maximum=MOST_LISTED_CLASSES))

    def _check_zipf(self) -> None:
        self._check_uniform()
        self._set("zipf_exponent", real("zipf_exponent", self.zipf_exponent, minimum=0))
        self._need_two_likely_classes("zipf_exponent")

    def _check_weights(self) -> None:
        weights = _sequence("weights", self.weights)
        self._set("weights", tuple(real(f"weights[{i}]", w, minimum=0) for i, w in enumerate(weights)))
        total = math.fsum(self.weights or ())
        if abs(total - 1) > 1e-9:
            raise SettingError("weights", weights, f"numbers that sum to one (these sum to {total:.12g})")
        self._need_two_likely_classes("weights")

    def _check_counts(self) -> None:
        counts = _sequence("counts", self.counts)
        self._set(
            "counts", tuple(integer(f"counts[{i}]", c, minimum=0, maximum=LARGEST_NUMBER) for i, c in enumerate(counts))
        )
        self._need_two_likely_classes("counts")
        if self.class_names is not None:
            names = tuple(str(name) for name in _sequence("class_names", self.class_names))
            if len(names) != len(counts):
                raise SettingError("class_names", names, f"as many names as counts ({len(counts)})")
            if len(set(names)) < len(names):
                raise SettingError("class_names", names, "different names")
            self._set("class_names", names)

    def _need_two_likely_classes(self, name: str) -> None:
        likely = np.asarray(self._relative_frequencies())
        total = float(likely.sum()) if likely.size else 0.0
        if total == 0 or np.count_nonzero(likely) < 2 or 1 - float(likely.max()) / total < 1e-12:
            allowed = "at least two classes that occur, none of them with all but 1e-12 of the probability"
            raise SettingError(name, getattr(self, name), allowed)

    @property
    def total_classes(self) -> int:
        """Number of classes."""
        if self.num_high is not None and self.num_low is not None:
            return self.num_high + self.num_low
        if self.num_classes is not None:
            return self.num_classes
        return len(self.weights or self.counts or ())

    @property
    def total_labels(self) -> int:
        """Number of labels, :math:`C`: that of the classes, unless they share labels."""
        return self.total_classes if self.num_labels is None else self.num_labels

    @property
    def grouped(self) -> bool:
        """Whether classes come in the two groups ``high`` and ``low``."""
        return self.frequencies == "two-level"

    @cached_property
    def class_probabilities(self) -> NDArray[np.float64]:
        """Class probabilities :math:`p_x`, shape (number of classes,), read-only; high-frequency classes first."""
        probabilities = self._relative_frequencies()
        if not self.grouped:
            probabilities /= probabilities.sum()
        probabilities.flags.writeable = False
        return probabilities

    def _relative_frequencies(self) -> NDArray[np.float64]:
        if self.num_high is not None and self.num_low is not None:
            high, low = self.level_probabilities
            return np.repeat([high, low], [self.num_high, self.num_low])
        if self.num_classes is not None:
            ranks = np.arange(1, self.num_classes + 1, dtype=np.float64)
            return ranks ** -(self.zipf_exponent or 0.0)
        return np.asarray(self.weights or self.counts, dtype=np.float64)

    @property
    def level_probabilities(self) -> tuple[float, float]:
        """Two-level: probability of one high-frequency and of one low-frequency class."""
        if self.num_high is None or self.num_low is None or self.p_high is None:
            raise SettingError("frequencies", self.frequencies, "'two-level', which alone has two levels")
        return self.p_high / self.num_high, (1 - self.p_high) / self.num_low

    @property
    def irrelevant_examples(self) -> int | None:
        """:math:`k = L - m`, or ``None`` where the number of relevant examples is natural and so varies."""
        return None if self.relevant_examples is None else self.context_length - self.relevant_examples

    @property
    def noise_in_context(self) -> float:
        """Label noise of the context's examples."""
        return self.label_noise if self.context_label_noise is None else self.context_label_noise

    @property
    def noisy_labels(self) -> int:
        """How many labels share the noise: one if it is cyclic, all but the own one if it is symmetric."""
        return 1 if self.label_noise_kind == "cyclic" else self.total_labels - 1

    def name_of(self, index: int) -> str:
        """Name of a class: the user's own, or its number."""
        return self.class_names[index] if self.class_names else str(index)


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
class BayesGate:
    r"""Gate that weighs the two predictors by their posterior odds.

    After each visit of a cell its log-odds gain :math:`\log g(y) - \log h(y)`; :math:`\alpha` is their sigmoid.

    Parameters
    ----------
    prior_in_weight : float
        :math:`\alpha` before any visit, in (0, 1).
    per : {"query", "query-and-relevance"}
        What has a gate cell of its own: a query class, or a query class with relevant or with irrelevant contexts.
    """

    kind: ClassVar[str] = "bayes"
    rate: ClassVar[float] = 1.0
    prior_in_weight: float = 0.5
    per: str = "query"

    def __post_init__(self) -> None:
        _check_gate_cells(self)

    @property
    def prior_log_odds(self) -> float:
        """Log-odds of the in-weight predictor before any visit, in nats."""
        return _log_odds(self.prior_in_weight)


@dataclass(frozen=True, kw_only=True)
class HedgeGate:
    r"""Gate by exponential weights with a fixed learning rate (Hedge, ``cesabianchi2006prediction``).

    After each visit of a cell its log-odds gain :math:`\lambda\,(\log g(y) - \log h(y))`; at the rate 1 it is the
    :class:`BayesGate`. For rates up to 1 its regret against either predictor is at most
    :math:`\frac1\lambda\log\frac1{\text{prior}}` on every sequence, since log loss is mixable.

    Parameters
    ----------
    rate : float
        :math:`\lambda`, from 1e-3 to 100.
    prior_in_weight : float
        :math:`\alpha` before any visit, in (0, 1).
    per : {"query", "query-and-relevance"}
        As for the Bayes gate.
    """

    kind: ClassVar[str] = "hedge"
    rate: float = 0.5
    prior_in_weight: float = 0.5
    per: str = "query"

    def __post_init__(self) -> None:
        rate = real("model.gate.rate", self.rate, minimum=HEDGE_RATES[0], maximum=HEDGE_RATES[1])
        object.__setattr__(self, "rate", rate)
        _check_gate_cells(self)

    @property
    def prior_log_odds(self) -> float:
        """Log-odds of the in-weight predictor before any visit, in nats."""
        return _log_odds(self.prior_in_weight)


AnyGate = BayesGate | HedgeGate


def _check_gate_cells(gate: AnyGate) -> None:
    prior = real(
        "model.gate.prior_in_weight",
        gate.prior_in_weight,
        minimum=0,
        maximum=1,
        open_minimum=True,
        open_maximum=True,
    )
    object.__setattr__(gate, "prior_in_weight", prior)
    choice("model.gate.per", gate.per, ("query", "query-and-relevance"))


def _log_odds(prior: float) -> float:
    return float(np.log(prior) - np.log1p(-prior))


@dataclass(frozen=True, kw_only=True)
class GatedPredictor:
    r"""The model :math:`f = \alpha g + (1 - \alpha) h`.

    A part may be any frozen dataclass: :func:`theory.predict` raises :class:`theory.NoTheoryError` for one that it has
    no theory for, and the simulator for one that it has no implementation for.

    Parameters
    ----------
    in_weight : DirichletTable
        :math:`g`, learned from the stream.
    in_context : Attention or LearnedAttention
        :math:`h`, which copies labels from the prompt.
    gate : BayesGate or HedgeGate
        :math:`\alpha`, the weight on :math:`g`, learned online.
    """

    in_weight: DirichletTable = field(default_factory=DirichletTable)
    in_context: Attention | LearnedAttention = field(default_factory=Attention)
    gate: AnyGate = field(default_factory=BayesGate)


def _sequence(name: str, values: object) -> tuple[object, ...]:
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray) or np.ndim(values) == 0:
        raise SettingError(name, values, "a list with one entry for each class")
    # NumPy scalars and arrays become plain Python numbers, so that equality and files do not depend on the source.
    return tuple(value.item() if isinstance(value, np.generic) else value for value in values)
