"""Which label an example carries: label map of the classes, per-episode relabelling, noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from theory.checks import choice, integer, real
from theory.errors import SettingError

NOISE_KINDS = ("cyclic", "symmetric", "matrix")
RELABELLINGS = ("none", "permutation", "pool", "few-shot")
LARGEST_POOL = 1_000_000
Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class LabelRule:
    r"""Label map, relabelling and noise of the labels.

    Class :math:`x` has the label :math:`x \bmod C`. Then the episode may rename labels; then each label, that of the
    query and those of the context, may turn into a wrong one, independently.

    Parameters
    ----------
    num_labels : int, optional
        :math:`C`, from 2 to the number of classes; ``None`` means a label of its own for every class.
    label_noise : float
        Probability, in [0, 1], that the query's label is not the right one; 0 for the kind ``matrix``.
    context_label_noise : float, optional
        The same for the context's labels; ``None`` means as for the query.
    label_noise_kind : {"cyclic", "symmetric", "matrix"}
        A noisy label is the next one (after the last comes the first); one of all others with equal probability; or
        drawn from the row of a matrix.
    noise_matrix : sequence of sequences of float, shape (C, C), optional
        For ``matrix``: probability of each label (column) given the right one (row); rows sum to one (to 1e-9).
    context_noise_matrix : the same, optional
        For the context's labels; ``None`` means ``noise_matrix``.
    relabel : {"none", "permutation", "pool", "few-shot"}
        How an episode renames the labels. ``permutation``: by a fresh uniform permutation. ``pool``: by one of
        ``pool_size`` permutations, uniformly, which are drawn once for each replicate. ``few-shot``: the
        :math:`w` classes of the episode, the query's included, get the labels :math:`0, \dots, w-1` in random order
        (``chan2022data``); so the query's class has a label of its own that no example carries when the context
        has none of its examples, and classes that share a label otherwise get different ones.
    pool_size : int, optional
        For ``pool``: number of label maps, at least 1.

    Raises
    ------
    SettingError
        A setting is out of its range, or does not go with the others.

    Examples
    --------
    >>> LabelRule(label_noise=0.1).noise_in_context
    0.1
    """

    num_labels: int | None = None
    label_noise: float = 0.0
    context_label_noise: float | None = None
    label_noise_kind: str = "cyclic"
    noise_matrix: Sequence[Sequence[float]] | None = None
    context_noise_matrix: Sequence[Sequence[float]] | None = None
    relabel: str = "none"
    pool_size: int | None = None

    def __post_init__(self) -> None:
        if self.num_labels is not None:
            self._set("num_labels", integer(_field("num_labels"), self.num_labels, minimum=2))
        self._set("label_noise", real(_field("label_noise"), self.label_noise, minimum=0, maximum=1))
        if self.context_label_noise is not None:
            noise = real(_field("context_label_noise"), self.context_label_noise, minimum=0, maximum=1)
            self._set("context_label_noise", noise)
        choice(_field("label_noise_kind"), self.label_noise_kind, NOISE_KINDS)
        self._check_matrices()
        choice(_field("relabel"), self.relabel, RELABELLINGS)
        if self.relabel == "pool":
            if self.pool_size is None:
                raise SettingError(_field("pool_size"), None, "a whole number, since relabel = 'pool' needs it")
            size = integer(_field("pool_size"), self.pool_size, minimum=1, maximum=LARGEST_POOL)
            self._set("pool_size", size)
        else:
            self._refuse("pool_size", f"relabel = {self.relabel!r}")

    def _set(self, name: str, value: object) -> None:
        # A frozen dataclass normalises its own fields through object.__setattr__, and only here, while it is made.
        object.__setattr__(self, name, value)

    def _refuse(self, name: str, reason: str) -> None:
        if getattr(self, name) is not None:
            raise SettingError(_field(name), getattr(self, name), f"nothing, since {reason} has no such setting")

    def _check_matrices(self) -> None:
        if self.label_noise_kind != "matrix":
            for name in ("noise_matrix", "context_noise_matrix"):
                self._refuse(name, f"label_noise_kind = {self.label_noise_kind!r}")
            return
        if self.label_noise:
            raise SettingError(_field("label_noise"), self.label_noise, "0, since the matrix says how noisy labels are")
        self._refuse("context_label_noise", "label_noise_kind = 'matrix'")
        if self.noise_matrix is None:
            raise SettingError(_field("noise_matrix"), None, "a matrix, since label_noise_kind = 'matrix' needs it")
        self._set("noise_matrix", stochastic_matrix(_field("noise_matrix"), self.noise_matrix))
        if self.context_noise_matrix is not None:
            field = _field("context_noise_matrix")
            self._set("context_noise_matrix", stochastic_matrix(field, self.context_noise_matrix))

    def check_labels(self, labels: int) -> None:
        """Raise :class:`SettingError` unless the matrices are for so many labels."""
        for name in ("noise_matrix", "context_noise_matrix"):
            matrix = getattr(self, name)
            if matrix is not None and len(matrix) != labels:
                raise SettingError(_field(name), matrix, f"a matrix with a row for each of the {labels:,} labels")

    @property
    def noise_in_context(self) -> float:
        """Label noise of the context's examples (0 for the kind ``matrix``)."""
        return self.label_noise if self.context_label_noise is None else self.context_label_noise

    @property
    def matrix_in_context(self) -> Sequence[Sequence[float]] | None:
        """Noise matrix of the context's labels, if there is one."""
        return self.noise_matrix if self.context_noise_matrix is None else self.context_noise_matrix


def _field(name: str) -> str:
    return f"episodes.labels.{name}"


def stochastic_matrix(field: str, values: object) -> Matrix:
    """A square matrix of probabilities whose rows sum to one, as tuples of plain numbers."""
    allowed = "a square matrix, a list of at least two rows of probabilities"
    given = values.tolist() if isinstance(values, np.ndarray) else values
    if isinstance(given, str) or not isinstance(given, Sequence) or len(given) < 2:
        raise SettingError(field, values, allowed)
    return tuple(_probability_row(f"{field}[{i}]", row, len(given), allowed) for i, row in enumerate(given))


def _probability_row(field: str, row: object, length: int, allowed: str) -> tuple[float, ...]:
    given = row.tolist() if isinstance(row, np.ndarray) else row
    if isinstance(given, str) or not isinstance(given, Sequence) or len(given) != length:
        raise SettingError(field, row, allowed)
    plain = tuple(real(f"{field}[{j}]", entry, minimum=0, maximum=1) for j, entry in enumerate(given))
    total = math.fsum(plain)
    if abs(total - 1) > 1e-9:
        raise SettingError(field, plain, f"probabilities that sum to one (these sum to {total:.12g})")
    return plain
