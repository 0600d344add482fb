"""The labels of an episode: label map of the classes, relabelling, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulate.finite_law import FiniteLaws, finite_laws
from simulate.label_noise import noise_offset
from simulate.streams import Purpose
from theory.errors import SettingError
from theory.setting import EpisodeDistribution

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class LabelDraws:
    """Draws labels; make one with :func:`label_draws`.

    Parameters
    ----------
    distribution : EpisodeDistribution
        Whose labels.
    query_noise, context_noise : FiniteLaws or None
        Noisy label for each right one, where the noise is a matrix.
    """

    distribution: EpisodeDistribution
    query_noise: FiniteLaws | None
    context_noise: FiniteLaws | None

    @property
    def variates(self) -> dict[Purpose, int]:
        """Uniform variates of each row, by purpose; what is certain uses none."""
        rule, length = self.distribution.labels, self.distribution.context_length
        used: dict[Purpose, int] = {}
        if rule.label_noise or self.query_noise is not None:
            used["label"] = 1
        if rule.noise_in_context or self.context_noise is not None:
            used["context-labels"] = length
        of_episode = {"permutation": self.distribution.total_labels, "pool": 1, "few-shot": length + 1}
        if rule.relabel in of_episode:
            used["relabelling"] = of_episode[rule.relabel]
        return used

    def draw(
        self, query: Indices, context: Indices, uniforms: dict[Purpose, Array], label_maps: Indices | None
    ) -> tuple[Indices, Indices]:
        """Labels of the queries, shape (rows,), and of the contexts, shape (rows, context_length)."""
        classes = np.concatenate([query[:, None], context], axis=1)
        labels = self._right_labels(classes, uniforms, label_maps)
        rule = self.distribution.labels
        query_labels = self._noisy(labels[:, :1], uniforms.get("label"), rule.label_noise, self.query_noise)
        noise = rule.noise_in_context
        context_labels = self._noisy(labels[:, 1:], uniforms.get("context-labels"), noise, self.context_noise)
        return query_labels[:, 0], context_labels

    def _right_labels(self, classes: Indices, uniforms: dict[Purpose, Array], label_maps: Indices | None) -> Indices:
        relabel, count = self.distribution.labels.relabel, self.distribution.total_labels
        if relabel == "few-shot":
            return episode_labels(classes, uniforms["relabelling"])
        labels = classes if count == self.distribution.total_classes else classes % count
        if relabel == "none":
            return labels
        if relabel == "permutation":
            return np.take_along_axis(uniforms["relabelling"].argsort(axis=1), labels, axis=1)
        if label_maps is None:
            raise SettingError("state", None, "the replicate's state, since it holds the pool of label maps")
        chosen = (uniforms["relabelling"] * label_maps.shape[0]).astype(np.intp)
        return np.asarray(label_maps[chosen, labels], dtype=np.intp)

    def _noisy(self, labels: Indices, uniforms: Array | None, noise: float, matrix: FiniteLaws | None) -> Indices:
        if uniforms is None:
            return labels
        if matrix is not None:
            return matrix.draw(uniforms.reshape(-1), labels.reshape(-1)).reshape(labels.shape)
        count = self.distribution.total_labels
        moved = labels + noise_offset(uniforms, noise, self.distribution.noisy_labels)
        moved -= count * (moved >= count)
        return moved


def label_draws(distribution: EpisodeDistribution) -> LabelDraws:
    """Tables for a distribution's labels."""
    rule = distribution.labels
    if rule.noise_matrix is None:
        return LabelDraws(distribution, None, None)
    return LabelDraws(
        distribution, finite_laws(np.array(rule.noise_matrix)), finite_laws(np.array(rule.matrix_in_context))
    )


def label_map_pool(distribution: EpisodeDistribution, generator: np.random.Generator) -> Indices:
    """The replicate's pool of label maps, shape (pool_size, labels): uniform permutations."""
    size = distribution.labels.pool_size or 0
    return generator.random((size, distribution.total_labels)).argsort(axis=1)


def episode_labels(classes: Indices, keys: Array) -> Indices:
    """Labels 0, 1, ... in random order for the different classes of each row; shapes (rows, examples)."""
    rows = np.arange(classes.shape[0])[:, None]
    order = classes.argsort(axis=1)
    ordered = classes[rows, order]
    rank = np.zeros_like(order)
    rank[rows, order] = np.append(np.zeros_like(rows), (np.diff(ordered, axis=1) != 0).cumsum(axis=1), axis=1)
    # A uniform order of the ranks that occur: the others get keys beyond all uniforms.
    different = rank.max(axis=1, keepdims=True) + 1
    keys = np.where(np.arange(classes.shape[1]) < different, keys, 2.0)
    return np.take_along_axis(keys.argsort(axis=1).argsort(axis=1), rank, axis=1)
