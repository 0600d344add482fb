"""The classes of a context, for each kind of rows: query's class, distractor, rest, shuffled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulate.episodes.class_draws import ClassDraws
from simulate.finite_law import FiniteLaws, finite_laws
from simulate.streams import Purpose
from theory.match_laws import law_of_kind
from theory.setting import EpisodeDistribution, RowKind

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ContextDraws:
    """Draws the context's classes; make one with :func:`context_draws`.

    Parameters
    ----------
    distribution : EpisodeDistribution
        Whose contexts.
    classes : ClassDraws
        Its class law.
    number : FiniteLaws or None
        Law of the number of matches less one, given that there is one, a row a frequency; if any kind needs it.
    frequency : ndarray of int, shape (classes,)
        Row of a class in ``number``.
    """

    distribution: EpisodeDistribution
    classes: ClassDraws
    number: FiniteLaws | None
    frequency: Indices

    @property
    def variates(self) -> dict[Purpose, int]:
        """Uniform variates of each row, by purpose; what is certain uses none."""
        length, kinds = self.distribution.context_length, self.distribution.rows
        used: dict[Purpose, int] = {"context-classes": length}
        if self.number is not None:
            used["relevant-examples"] = 1
        if any(kind.distractor_copies for kind in kinds):
            used["distractor"] = 1
        if length > 1 and any(needs_shuffling(kind) for kind in kinds):
            used["positions"] = length
        return used

    def draw(self, row_kind: Indices, query: Indices, uniforms: dict[Purpose, Array]) -> Indices:
        """Classes of the contexts, shape (rows, context_length)."""
        context = np.empty((query.size, self.distribution.context_length), dtype=np.intp)
        for number, kind in enumerate(self.distribution.rows):
            rows = np.flatnonzero(row_kind == number)
            if rows.size == query.size:
                return self._of_kind(kind, query, uniforms)
            if rows.size:
                own = {purpose: variates[rows] for purpose, variates in uniforms.items()}
                context[rows] = self._of_kind(kind, query[rows], own)
        return context

    def _of_kind(self, kind: RowKind, query: Indices, uniforms: dict[Purpose, Array]) -> Indices:
        if kind.matches == "iid":
            return self.classes.draw(uniforms["context-classes"])
        context = np.empty((query.size, self.distribution.context_length), dtype=np.intp)
        avoided = query[:, None]
        matches = self._matches(kind, query, uniforms)
        if kind.distractor_copies:
            distractor = self.classes.draw_without(uniforms["distractor"], avoided)
            if kind.rest != "iid":
                avoided = np.append(avoided, distractor, axis=1)
        self._fill_rest(kind, context, avoided, uniforms["context-classes"])
        if kind.distractor_copies:
            # Only kinds with a certain number of matches have a distractor.
            first = kind.copies or 0
            context[:, first : first + kind.distractor_copies] = distractor
        _fill_matches(context, query, matches)
        return (
            shuffled(context, uniforms["positions"]) if "positions" in uniforms and needs_shuffling(kind) else context
        )

    def _matches(self, kind: RowKind, query: Indices, uniforms: dict[Purpose, Array]) -> int | Indices:
        if kind.matches == "at-least-one" and self.number is not None:
            return 1 + self.number.draw(uniforms["relevant-examples"][:, 0].copy(), self.frequency[query])
        return kind.copies or 0

    def _fill_rest(self, kind: RowKind, context: Indices, avoided: Indices, uniforms: Array) -> None:
        """Fill at least the last places, from the last one on, as many as the rest may need."""
        length = context.shape[1]
        most = kind.rest_examples(length)[1]
        if most == 0:
            return
        if kind.rest != "unique":
            context[:, length - most :] = self.classes.draw_without(uniforms[:, length - most :], avoided)
            return
        for place in range(length - 1, length - most - 1, -1):
            context[:, place] = self.classes.draw_without(uniforms[:, [place]], avoided)[:, 0]
            avoided = np.append(avoided, context[:, [place]], axis=1)


def context_draws(distribution: EpisodeDistribution, classes: ClassDraws) -> ContextDraws:
    """Tables for a distribution's contexts."""
    natural = [kind for kind in distribution.rows if kind.matches == "at-least-one"]
    if not natural:
        return ContextDraws(distribution, classes, None, np.zeros(1, dtype=np.intp))
    frequencies, row = np.unique(distribution.class_probabilities, return_inverse=True)
    length = distribution.context_length
    laws = np.array([law_of_kind(natural[0], frequency, length)[1:] for frequency in frequencies.tolist()])
    return ContextDraws(distribution, classes, finite_laws(laws), row.reshape(-1))


def needs_shuffling(kind: RowKind) -> bool:
    """Whether places in the context would differ in law if its order were not shuffled."""
    return kind.matches in ("exact", "at-least-one") or kind.distractor_copies > 0 or kind.rest == "unique"


def shuffled(context: Indices, keys: Array) -> Indices:
    """Every row in the order of its random keys."""
    rows, length = context.shape
    order = keys.argsort(axis=1)
    order += np.arange(rows)[:, None] * length
    return context.reshape(-1).take(order)


def _fill_matches(context: Indices, query: Indices, matches: int | Indices) -> None:
    if isinstance(matches, int):
        context[:, :matches] = query[:, None]
    else:
        here = np.arange(context.shape[1])[None, :] < matches[:, None]
        np.copyto(context, query[:, None], where=here)
