"""Law of the query classes: two levels, Zipf, uniform, weights or counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

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

LARGEST_NUMBER = 10**15
"""Classes of a two-level task, and occurrences of a class, that double precision still counts one by one."""
MOST_LISTED_CLASSES = 10**8
"""Classes of a task whose classes are held one by one in memory."""


@dataclass(frozen=True, kw_only=True)
class ClassLaw:
    r"""Law of the query classes :math:`p_x`.

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

    Raises
    ------
    SettingError
        A setting is missing, does not belong to the frequency law, or is out of its range.

    Examples
    --------
    >>> ClassLaw(num_high=1, num_low=3, p_high=0.4).class_probabilities.round(3).tolist()
    [0.4, 0.2, 0.2, 0.2]
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

    def __post_init__(self) -> None:
        self._check_frequencies()

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
        weights = sequence_of_classes("weights", self.weights)
        self._set("weights", tuple(real(f"weights[{i}]", w, minimum=0) for i, w in enumerate(weights)))
        total = math.fsum(self.weights or ())
        if abs(total - 1) > 1e-9:
            raise SettingError("weights", weights, f"numbers that sum to one (these sum to {total:.12g})")
        self._need_two_likely_classes("weights")

    def _check_counts(self) -> None:
        counts = sequence_of_classes("counts", self.counts)
        self._set(
            "counts", tuple(integer(f"counts[{i}]", c, minimum=0, maximum=LARGEST_NUMBER) for i, c in enumerate(counts))
        )
        self._need_two_likely_classes("counts")
        if self.class_names is not None:
            names = tuple(str(name) for name in sequence_of_classes("class_names", self.class_names))
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

    def name_of(self, index: int) -> str:
        """Name of a class: the user's own, or its number."""
        return self.class_names[index] if self.class_names else str(index)


def sequence_of_classes(name: str, values: object) -> tuple[object, ...]:
    """A list with one entry for each class, as a tuple of plain Python values."""
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray) or np.ndim(values) == 0:
        raise SettingError(name, values, "a list with one entry for each class")
    # NumPy scalars and arrays become plain Python numbers, so that equality and files do not depend on the source.
    return tuple(value.item() if isinstance(value, np.generic) else value for value in values)
