"""The inputs of an episode: noisy centres, or rows of a user's array."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.setting import AnyInputs, ArrayInputs, SphereInputs, TabularInputs

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
InputDraw = Callable[[Indices, np.random.Generator], Array]
"""Inputs of shape (..., dimension) for classes of any shape; every class uses a fixed number of variates."""


def input_draw(part: AnyInputs, classes: int, generator: np.random.Generator) -> InputDraw | None:
    """What draws the inputs of one replicate, ``None`` where the class itself is the input.

    Parameters
    ----------
    part : TabularInputs, SphereInputs, GaussianInputs or ArrayInputs
        The setting.
    classes : int
        Number of classes, held-out ones included.
    generator : numpy.random.Generator
        For the replicate's centres.

    Examples
    --------
    >>> part, generator = SphereInputs(dimension=3), np.random.default_rng(1)
    >>> inputs = input_draw(part, 5, generator)(np.array([2, 2, 4]), generator)
    >>> inputs.shape, bool((inputs[0] == inputs[1]).all()), (inputs**2).sum(axis=1).round(12).tolist()
    ((3, 3), True, [1.0, 1.0, 1.0])
    """
    if isinstance(part, TabularInputs):
        return None
    if isinstance(part, ArrayInputs):
        count = np.bincount(part.classes, minlength=classes)
        return _RowsOfArray(part.embeddings, part.classes.argsort(kind="stable"), count.cumsum() - count, count)
    centres = generator.standard_normal((classes, part.dimension))
    if isinstance(part, SphereInputs):
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
        return _NoisyCentres(centres, part.input_noise)
    scale = 1 / np.sqrt(part.dimension)
    if part.rescale:
        scale /= np.hypot(1.0, part.input_noise)
    return _NoisyCentres(centres * scale, part.input_noise * scale)


@dataclass(frozen=True, eq=False)
class _NoisyCentres:
    """Centres, shape (classes, dimension), and noise of the given standard deviation around them."""

    centres: Array
    deviation: float

    def __call__(self, classes: Indices, generator: np.random.Generator) -> Array:
        inputs = self.centres[classes]
        if self.deviation:
            noise = generator.standard_normal(inputs.shape)
            noise *= self.deviation
            inputs += noise
        return inputs


@dataclass(frozen=True, eq=False)
class _RowsOfArray:
    """Rows of an array ordered by class, with the first place and the number of each class."""

    embeddings: Array
    order: Indices
    first: Indices
    count: Indices

    def __call__(self, classes: Indices, generator: np.random.Generator) -> Array:
        place = (generator.random(classes.shape) * self.count[classes]).astype(np.intp)
        place = np.minimum(place, self.count[classes] - 1)
        return np.asarray(self.embeddings[self.order[self.first[classes] + place]], dtype=np.float64)
