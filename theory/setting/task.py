"""What the world is like: the law of the prompts, as far as mathematics has closed forms for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from theory.checks import choice, integer, real
from theory.errors import SettingError
from theory.setting.class_law import ClassLaw

LABEL_NOISE_KINDS = ("cyclic", "symmetric")
LONGEST_CONTEXT = 10_000
CLASS_SETTINGS = tuple(f.name for f in fields(ClassLaw))


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
        for name in CLASS_SETTINGS:
            self._set(name, getattr(self.classes, name))
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

    @cached_property
    def classes(self) -> ClassLaw:
        """Law of the query classes."""
        return ClassLaw(**{name: getattr(self, name) for name in CLASS_SETTINGS})

    @property
    def total_classes(self) -> int:
        """Number of classes."""
        return self.classes.total_classes

    @property
    def total_labels(self) -> int:
        """Number of labels, :math:`C`: that of the classes, unless they share labels."""
        return self.total_classes if self.num_labels is None else self.num_labels

    @property
    def grouped(self) -> bool:
        """Whether classes come in the two groups ``high`` and ``low``."""
        return self.classes.grouped

    @property
    def class_probabilities(self) -> NDArray[np.float64]:
        """Class probabilities :math:`p_x`, shape (number of classes,), read-only; high-frequency classes first."""
        return self.classes.class_probabilities

    @property
    def level_probabilities(self) -> tuple[float, float]:
        """Two-level: probability of one high-frequency and of one low-frequency class."""
        return self.classes.level_probabilities

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
        return self.classes.name_of(index)
