"""Sampler of episodes: the six steps put together, addressable by seed, replicate and purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulate.episodes.arrays import Episodes, joined
from simulate.episodes.class_draws import ClassDraws, class_draws
from simulate.episodes.context_draws import ContextDraws, context_draws
from simulate.episodes.input_draws import InputDraw, input_draw
from simulate.episodes.label_draws import LabelDraws, label_draws, label_map_pool
from simulate.episodes.stored_rows import StoredRows, forced_queries, sample_shares
from simulate.finite_law import FiniteLaws, finite_laws
from simulate.protocols import Needs
from simulate.streams import Purpose, stream
from theory.checks import choice, integer
from theory.errors import SettingError
from theory.setting import EpisodeDistribution, FiniteSample, TabularInputs

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Generators = Mapping[Purpose, np.random.Generator]

STORED_BLOCK = 1 << 13
MOST_STORED_NUMBERS = 1 << 31
"""Numbers that the stored rows of a replicate may hold: 16 GiB."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ReplicateState:
    """What one replicate draws once.

    Parameters
    ----------
    inputs : callable or None
        Draws inputs around the replicate's centres, if inputs are needed and are not the classes themselves.
    label_maps : ndarray of int, shape (pool_size, labels), or None
        The pool of label maps.
    sample : StoredRows or None
        The fixed sample that training draws from.
    """

    inputs: InputDraw | None = None
    label_maps: Indices | None = None
    sample: StoredRows | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class EpisodeSampler:
    """Everything that is computed once for a distribution; make one with :func:`episode_sampler`.

    Parameters
    ----------
    distribution : EpisodeDistribution
        What is sampled.
    needs : {"statistics", "labels", "inputs"}
        What is kept of the episodes: statistics, also the context's classes and labels, also all inputs.
    row_kinds : FiniteLaws
        Law of the kinds of rows.
    classes, contexts, labels : ClassDraws, ContextDraws, LabelDraws
        The steps.

    Examples
    --------
    >>> from theory import TaskDistribution, episodes_of
    >>> task = TaskDistribution(num_high=2, num_low=8, p_high=0.9, context_length=4)
    >>> sampler = episode_sampler(episodes_of(task), "labels")
    >>> drawn = sampler.draw(1000, sampler.streams(seed=1, replicate=0), sampler.state(seed=1, replicate=0))
    >>> drawn.context_classes.shape, bool(drawn.relevant_examples.min() >= 1)
    ((1000, 4), True)
    """

    distribution: EpisodeDistribution
    needs: Needs
    row_kinds: FiniteLaws
    classes: ClassDraws
    contexts: ContextDraws
    labels: LabelDraws

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """Streams that are used; what is certain uses none."""
        used: list[Purpose] = list(self._variates)
        if self._has_inputs:
            used += ["query-inputs", "context-inputs"]
        if isinstance(self.distribution.sampling, FiniteSample):
            used.append("stored-rows")
        return tuple(used)

    @property
    def _variates(self) -> dict[Purpose, int]:
        """Uniform variates of each row, by purpose."""
        used: dict[Purpose, int] = {"query": 1}
        if len(self.distribution.rows) > 1:
            used["row-kind"] = 1
        return used | self.contexts.variates | self.labels.variates

    @property
    def _has_inputs(self) -> bool:
        return self.needs == "inputs" and not isinstance(self.distribution.inputs, TabularInputs)

    def streams(self, seed: int, replicate: int, evaluation: int | None = None) -> dict[Purpose, np.random.Generator]:
        """The generators of one replicate: for its training, or for one of its evaluations by number."""
        return {purpose: stream(seed, replicate, purpose, evaluation) for purpose in self.purposes}

    def state(self, seed: int, replicate: int) -> ReplicateState:
        """What the replicate draws once: centres, label maps, stored rows."""
        part, count = self.distribution.inputs, self.distribution.total_classes
        inputs = input_draw(part, count, stream(seed, replicate, "centres")) if self._has_inputs else None
        maps = None
        if self.distribution.labels.relabel == "pool":
            maps = label_map_pool(self.distribution, stream(seed, replicate, "label-maps"))
        fresh = ReplicateState(inputs=inputs, label_maps=maps)
        if not isinstance(self.distribution.sampling, FiniteSample):
            return fresh
        return ReplicateState(inputs=inputs, label_maps=maps, sample=self._stored(seed, replicate, fresh))

    def draw(
        self,
        rows: int,
        streams: Generators,
        state: ReplicateState | None = None,
        *,
        query: ArrayLike | None = None,
        row_kind: str | None = None,
        fresh: bool = False,
    ) -> Episodes:
        """The next episodes of a replicate.

        Parameters
        ----------
        rows : int
            How many, at least 0.
        streams : dict of Generator
            From :meth:`streams`; every row uses as many variates of each as every other row.
        state : ReplicateState, optional
            From :meth:`state`; needed for inputs, a pool of label maps, and a finite sample.
        query : array_like of int, shape (rows,), optional
            Classes to ask for, held-out ones included, in place of drawn ones.
        row_kind : str, optional
            Name of the kind that all rows are to be of.
        fresh : bool
            Draw new rows where training sees a finite sample; so it is where queries or a kind of rows are asked for.

        Raises
        ------
        SettingError
            The state is missing, there is no such class or kind of rows, or the queries are not ``rows`` many.
        """
        rows = integer("rows", rows, minimum=0)
        state = state or ReplicateState()
        finite = isinstance(self.distribution.sampling, FiniteSample)
        if finite and query is None and row_kind is None and not fresh:
            if state.sample is None:
                raise SettingError("state", None, "the replicate's state, since it holds its sample of rows")
            chosen = streams["stored-rows"].random(rows) * state.sample.episodes.rows
            return state.sample.episodes.take(chosen.astype(np.intp))
        uniforms = {
            purpose: streams[purpose].random((rows, count))
            for purpose, count in self._variates.items()
            if not (purpose == "query" and query is not None) and not (purpose == "row-kind" and row_kind is not None)
        }
        asked = self._drawn_queries(uniforms) if query is None else self._asked_queries(query, rows)
        return self._episodes(asked, self._kinds(uniforms, rows, row_kind), uniforms, streams, state)

    def _drawn_queries(self, uniforms: dict[Purpose, Array]) -> Indices:
        return self.classes.draw(uniforms["query"][:, 0].copy())

    def _asked_queries(self, query: ArrayLike, rows: int) -> Indices:
        given = np.asarray(query)
        if given.shape != (rows,) or (rows and given.dtype.kind not in "iu"):
            raise SettingError("query", query, f"a list of {rows:,} class numbers")
        if rows and not 0 <= given.min() <= given.max() < self.distribution.total_classes:
            raise SettingError("query", query, f"class numbers from 0 to {self.distribution.total_classes - 1:,}")
        return given.astype(np.intp)

    def _kinds(self, uniforms: dict[Purpose, Array], rows: int, name: str | None) -> Indices:
        if name is not None:
            return np.full(rows, self.distribution.row_kind(name), dtype=np.intp)
        if "row-kind" not in uniforms:
            return np.zeros(rows, dtype=np.intp)
        return self.row_kinds.draw(uniforms["row-kind"][:, 0].copy())

    def _episodes(
        self,
        query: Indices,
        kinds: Indices,
        uniforms: dict[Purpose, Array],
        streams: Generators,
        state: ReplicateState,
    ) -> Episodes:
        context = self.contexts.draw(kinds, query, uniforms)
        label, context_labels = self.labels.draw(query, context, uniforms, state.label_maps)
        relevant, match = context == query[:, None], context_labels == label[:, None]
        examples, matches = relevant.sum(axis=1), match.sum(axis=1)
        relevant_matches = (relevant & match).sum(axis=1)
        keep = self.needs != "statistics"
        query_inputs, context_inputs = self._inputs(query, context, streams, state)
        return Episodes(
            row_kind=kinds,
            query=query,
            label=label,
            relevant_examples=examples,
            relevant_matches=relevant_matches,
            irrelevant_matches=matches - relevant_matches,
            context_classes=context if keep else None,
            context_labels=context_labels if keep else None,
            query_inputs=query_inputs,
            context_inputs=context_inputs,
        )

    def _inputs(
        self, query: Indices, context: Indices, streams: Generators, state: ReplicateState
    ) -> tuple[Array | None, Array | None]:
        if not self._has_inputs:
            return None, None
        if state.inputs is None:
            raise SettingError("state", None, "the replicate's state, since it holds the inputs' centres")
        return state.inputs(query, streams["query-inputs"]), state.inputs(context, streams["context-inputs"])

    def _stored(self, seed: int, replicate: int, state: ReplicateState) -> StoredRows:
        """The rows of a finite sample, drawn in blocks so that only they take memory."""
        sampling = self.distribution.sampling
        rows = sampling.rows if isinstance(sampling, FiniteSample) else 0
        self._check_memory(rows)
        streams = self.streams(seed, replicate)
        query = self.classes.draw(streams["query"].random(rows))
        if isinstance(sampling, FiniteSample) and sampling.coverage == "forced":
            query = forced_queries(self.distribution, query, stream(seed, replicate, "coverage"))
        blocks = [query[start : start + STORED_BLOCK] for start in range(0, rows, STORED_BLOCK)]
        episodes = joined([self._given(block, streams, state) for block in blocks])
        return StoredRows(episodes=episodes, shares=sample_shares(self.distribution, episodes))

    def _given(self, query: Indices, streams: Generators, state: ReplicateState) -> Episodes:
        """Fresh rows for given queries."""
        return self.draw(query.size, streams, state, query=query, fresh=True)

    def _check_memory(self, rows: int) -> None:
        numbers = 6 + (2 * self.distribution.context_length if self.needs != "statistics" else 0)
        if self._has_inputs:
            numbers += (1 + self.distribution.context_length) * int(getattr(self.distribution.inputs, "dimension", 0))
        if rows * numbers > MOST_STORED_NUMBERS:
            allowed = f"at most {MOST_STORED_NUMBERS // numbers:,}, since a row holds {numbers:,} numbers"
            raise SettingError("episodes.sampling.rows", rows, allowed)


def episode_sampler(distribution: EpisodeDistribution, needs: Needs = "statistics") -> EpisodeSampler:
    """Sampler of a distribution's episodes.

    Parameters
    ----------
    distribution : EpisodeDistribution
        Any one.
    needs : {"statistics", "labels", "inputs"}
        What is kept of the episodes.

    Raises
    ------
    SettingError
        ``needs`` is none of these.
    """
    choice("needs", needs, get_args(Needs))
    classes = class_draws(distribution.class_probabilities)
    return EpisodeSampler(
        distribution=distribution,
        needs=needs,
        row_kinds=finite_laws(np.array([[kind.share for kind in distribution.rows]])),
        classes=classes,
        contexts=context_draws(distribution, classes),
        labels=label_draws(distribution),
    )
