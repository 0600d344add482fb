"""What the world is like, in the six steps that the literature's generators share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.checks import integer
from theory.errors import SettingError, unknown_name
from theory.setting.class_law import MOST_LISTED_CLASSES, ClassLaw
from theory.setting.input_parts import AnyInputs, ArrayInputs, TabularInputs
from theory.setting.label_rule import LabelRule
from theory.setting.rows import LARGEST_CONTEXT, RowKind
from theory.setting.sampling_parts import AnySampling, FiniteSample, Stream

LEAST_MASS_LEFT = 1e-9
"""Probability that has to be left when classes are drawn without others: double precision tells them apart then."""


@dataclass(frozen=True, kw_only=True)
class EpisodeDistribution:
    r"""Law of the episodes: a query, its labelled context, and how labels and inputs come about.

    An episode is drawn in six steps: the query's class, the kind of its row, the context's classes, inputs, labels, and
    whether training sees fresh rows or a fixed sample of them. With the right parts this is the distribution of
    ``chan2022data``, ``singh2023transient``, ``reddy2024mechanistic`` or ``chan2025toward``; see ``theory presets``.

    Parameters
    ----------
    classes : ClassLaw
        Law of the query classes, :math:`p_x`.
    rows : sequence of RowKind
        Kinds of rows; their shares sum to one (to 1e-9), their names differ.
    context_length : int
        :math:`L`, examples in a context, from 1 to 10,000.
    inputs : TabularInputs, SphereInputs, GaussianInputs or ArrayInputs
        What an example of a class looks like.
    labels : LabelRule
        Label map, relabelling, noise.
    sampling : Stream or FiniteSample
        Where training rows come from.
    held_out_classes : int
        Classes that have probability 0 and the ids after all others; an evaluation can ask for them.

    Raises
    ------
    SettingError
        A setting is out of its range, or the parts do not fit together.

    Examples
    --------
    >>> bursty = RowKind(name="bursty", share=0.9, matches="exact", copies=3, distractor_copies=3)
    >>> plain = RowKind(name="plain", share=0.1, matches="iid")
    >>> classes = ClassLaw(frequencies="uniform", num_classes=4)
    >>> episodes = EpisodeDistribution(classes=classes, rows=(bursty, plain), context_length=8, held_out_classes=2)
    >>> episodes.total_classes, episodes.relevance_of_class.round(3).tolist()
    (6, [0.99, 0.99, 0.99, 0.99, 0.9, 0.9])
    """

    classes: ClassLaw
    rows: Sequence[RowKind]
    context_length: int = 1
    inputs: AnyInputs = field(default_factory=TabularInputs)
    labels: LabelRule = field(default_factory=LabelRule)
    sampling: AnySampling = field(default_factory=Stream)
    held_out_classes: int = 0

    def __post_init__(self) -> None:
        _check_part("classes", self.classes, ClassLaw)
        _check_part("inputs", self.inputs, AnyInputs)
        _check_part("labels", self.labels, LabelRule)
        _check_part("sampling", self.sampling, AnySampling)
        length = integer("episodes.context_length", self.context_length, minimum=1, maximum=LARGEST_CONTEXT)
        held_out = integer("episodes.held_out_classes", self.held_out_classes, minimum=0, maximum=MOST_LISTED_CLASSES)
        object.__setattr__(self, "context_length", length)
        object.__setattr__(self, "held_out_classes", held_out)
        object.__setattr__(self, "rows", _row_kinds(self.rows))
        for kind in self.rows:
            self._check_room(kind)
        self._check_labels()
        self._check_array()
        self._check_sample()

    def _check_room(self, kind: RowKind) -> None:
        """That the examples of a kind of rows fit into the context, and that there are classes to draw them from."""
        place = f"episodes.rows.{kind.name}"
        least, most = kind.rest_examples(self.context_length)
        if least < 0:
            taken = (kind.copies or 0) + kind.distractor_copies
            raise SettingError(
                f"{place}.copies",
                taken,
                f"at most context_length = {self.context_length}, with those of the distractor",
            )
        avoided = 1 + (kind.distractor_copies > 0 and kind.rest != "iid" and most > 0)
        if kind.rest == "unique":
            avoided += max(most - 1, 0)
        if avoided > 1 and self._least_mass_without(avoided) < LEAST_MASS_LEFT:
            raise SettingError(
                f"{place}.rest",
                kind.rest,
                f"another one: without any {avoided} classes others have to be left, with {LEAST_MASS_LEFT:g} of the "
                f"probability, to fill a context of {self.context_length}",
            )

    def _least_mass_without(self, number: int) -> float:
        """Probability that is left without so many classes, the most frequent ones."""
        if self.classes.total_classes <= number:
            return 0.0
        return math.fsum(np.sort(self.classes.class_probabilities)[:-number].tolist())

    def _check_labels(self) -> None:
        labels = self.total_labels
        if labels > self.total_classes:
            raise SettingError(
                "episodes.labels.num_labels", labels, f"at most the number of classes, {self.total_classes:,}"
            )
        self.labels.check_labels(labels)
        if self.labels.relabel == "few-shot":
            most = max(kind.most_classes(self.context_length) for kind in self.rows)
            if min(most, self.total_classes) > labels:
                allowed = f"another one, since an episode may have {most} classes and there are {labels} labels"
                raise SettingError("episodes.labels.relabel", "few-shot", allowed)

    def _check_array(self) -> None:
        if not isinstance(self.inputs, ArrayInputs):
            return
        field_name, classes = "episodes.inputs.classes", self.total_classes
        largest = int(self.inputs.classes.max())
        if largest >= classes:
            raise SettingError(field_name, largest, f"class numbers below the number of classes, {classes:,}")
        missing = np.flatnonzero(np.bincount(self.inputs.classes, minlength=classes) == 0)
        if missing.size:
            raise SettingError(field_name, None, f"a row for every class; class {int(missing[0])} has none")

    def _check_sample(self) -> None:
        if isinstance(self.sampling, FiniteSample) and self.sampling.coverage == "forced":
            needed = int(np.count_nonzero(self.class_probabilities))
            if self.sampling.rows < needed:
                allowed = f"at least the number of classes that occur, {needed:,}, since coverage = 'forced'"
                raise SettingError("episodes.sampling.rows", self.sampling.rows, allowed)

    @property
    def total_classes(self) -> int:
        """Number of classes, held-out ones included."""
        return self.classes.total_classes + self.held_out_classes

    @property
    def total_labels(self) -> int:
        """Number of labels, :math:`C`: that of all classes, unless they share labels."""
        return self.total_classes if self.labels.num_labels is None else self.labels.num_labels

    @cached_property
    def class_probabilities(self) -> NDArray[np.float64]:
        """Class probabilities :math:`p_x`, shape (number of classes,), read-only; at the end 0 for held-out ones."""
        probabilities = np.append(self.classes.class_probabilities, np.zeros(self.held_out_classes))
        probabilities.flags.writeable = False
        return probabilities

    @cached_property
    def relevance_of_class(self) -> NDArray[np.float64]:
        r""":math:`P(M\ge 1)` for a query of each class, shape (number of classes,), read-only."""
        certain = sum(kind.share for kind in self.rows if kind.matches in ("exact", "at-least-one"))
        natural = sum(kind.share for kind in self.rows if kind.matches == "iid")
        some = -np.expm1(self.context_length * np.log1p(-self.class_probabilities))
        relevance: NDArray[np.float64] = np.minimum(certain + natural * some, 1.0)
        relevance.flags.writeable = False
        return relevance

    @property
    def grouped(self) -> bool:
        """Whether classes come in the two groups ``high`` and ``low`` (and the held-out ones)."""
        return self.classes.grouped

    @property
    def num_high(self) -> int | None:
        """Two-level: number of high-frequency classes."""
        return self.classes.num_high

    @property
    def num_low(self) -> int | None:
        """Two-level: number of low-frequency classes."""
        return self.classes.num_low

    @property
    def level_probabilities(self) -> tuple[float, float]:
        """Two-level: probability of one high-frequency and of one low-frequency class."""
        return self.classes.level_probabilities

    @property
    def num_labels(self) -> int | None:
        """Number of labels where classes share them."""
        return self.labels.num_labels

    @property
    def label_noise(self) -> float:
        """Label noise of the query."""
        return self.labels.label_noise

    @property
    def label_noise_kind(self) -> str:
        """Where a noisy label goes."""
        return self.labels.label_noise_kind

    @property
    def noise_in_context(self) -> float:
        """Label noise of the context's examples."""
        return self.labels.noise_in_context

    @property
    def noisy_labels(self) -> int:
        """How many labels may share the noise: one if it is cyclic, else all but the own one."""
        return 1 if self.label_noise_kind == "cyclic" else self.total_labels - 1

    def name_of(self, index: int) -> str:
        """Name of a class: the user's own, or its number."""
        return self.classes.name_of(index) if index < self.classes.total_classes else str(index)

    def row_kind(self, name: str) -> int:
        """Position of a kind of rows."""
        names = [kind.name for kind in self.rows]
        if name not in names:
            raise unknown_name("row_kind", name, names)
        return names.index(name)


def _check_part(name: str, value: object, allowed: Any) -> None:
    if not isinstance(value, allowed):
        names = [part.__name__ for part in getattr(allowed, "__args__", (allowed,))]
        raise SettingError(f"episodes.{name}", value, f"a {' or '.join(names)}")


def _row_kinds(rows: object) -> tuple[RowKind, ...]:
    if not isinstance(rows, Sequence) or not rows or not all(isinstance(kind, RowKind) for kind in rows):
        raise SettingError("episodes.rows", rows, "a list of at least one RowKind")
    names = [kind.name for kind in rows]
    if len(set(names)) < len(names):
        raise SettingError("episodes.rows", names, "kinds of rows with different names")
    total = math.fsum(kind.share for kind in rows)
    if abs(total - 1) > 1e-9:
        raise SettingError(
            "episodes.rows", [kind.share for kind in rows], f"shares that sum to one (sum: {total:.12g})"
        )
    return tuple(rows)
