"""What an example of a class looks like: nothing but its class, a noisy centre, or a row of a user's array."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.checks import integer, real
from theory.errors import SettingError

LARGEST_DIMENSION = 100_000
LARGEST_INPUT_NOISE = 1e6
LARGEST_EMBEDDING = 1e100


@dataclass(frozen=True, kw_only=True)
class TabularInputs:
    """An input is its class: there is nothing else to see, and no array of inputs is drawn."""

    kind: ClassVar[str] = "tabular"


@dataclass(frozen=True, kw_only=True)
class SphereInputs:
    r"""A centre of unit length for every class, and noise around it.

    Centre: :math:`u/\lVert u\rVert` with :math:`u\sim N(0, I)`. Input: centre plus :math:`\sigma z` with
    :math:`z\sim N(0, I)`, so that the noise has a length of about :math:`\sigma\sqrt d` (``chan2025toward``).

    Parameters
    ----------
    dimension : int
        :math:`d`, from 1 to 100,000.
    input_noise : float
        :math:`\sigma`, from 0 to 1e6.

    Raises
    ------
    SettingError
        A setting is out of its range.
    """

    kind: ClassVar[str] = "sphere"
    dimension: int = 64
    input_noise: float = 0.0

    def __post_init__(self) -> None:
        _check_geometry(self)


@dataclass(frozen=True, kw_only=True)
class GaussianInputs:
    r"""A Gaussian centre for every class, and noise on the centre's own scale (``reddy2024mechanistic``).

    Centre: :math:`c\sim N(0, I/d)`. Input: :math:`(c + \epsilon z)/\sqrt{1+\epsilon^2}` with :math:`z\sim N(0, I/d)`;
    without ``rescale`` the denominator is 1.

    Parameters
    ----------
    dimension : int
        :math:`d`, from 1 to 100,000.
    input_noise : float
        :math:`\epsilon`, from 0 to 1e6.
    rescale : bool
        Whether inputs have the same mean squared length whatever the noise.

    Raises
    ------
    SettingError
        A setting is out of its range.
    """

    kind: ClassVar[str] = "gaussian"
    dimension: int = 64
    input_noise: float = 0.0
    rescale: bool = True

    def __post_init__(self) -> None:
        _check_geometry(self)
        if not isinstance(self.rescale, bool):
            raise SettingError("episodes.inputs.rescale", self.rescale, "true or false")


@dataclass(frozen=True, kw_only=True, eq=False)
class ArrayInputs:
    """A user's own inputs: an example of a class is one of its rows, uniformly.

    Parameters
    ----------
    embeddings : array_like, shape (rows, dimension)
        The inputs, finite and at most 1e100 in size; kept as a read-only copy.
    classes : array_like of int, shape (rows,)
        Class of each row. Every class of the distribution has to have one, held-out classes too.
    file : str, optional
        Where they come from; only then a settings file can name them.

    Raises
    ------
    SettingError
        The arrays do not fit together, or a number is not finite.

    Examples
    --------
    >>> ArrayInputs(embeddings=[[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]], classes=[0, 1, 1]).dimension
    2
    """

    kind: ClassVar[str] = "array"
    embeddings: Any
    classes: Any
    file: str | None = None

    def __post_init__(self) -> None:
        embeddings = _finite_rows(self.embeddings)
        classes = _class_ids(self.classes, embeddings.shape[0])
        for name, array in (("embeddings", embeddings), ("classes", classes)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ArrayInputs):
            return NotImplemented
        same = np.array_equal(self.embeddings, other.embeddings) and np.array_equal(self.classes, other.classes)
        return bool(same)

    def __hash__(self) -> int:
        return hash((self.embeddings.tobytes(), self.classes.tobytes()))

    @property
    def dimension(self) -> int:
        """Length of an input."""
        return int(self.embeddings.shape[1])

    @classmethod
    def from_file(cls, path: str | Path) -> ArrayInputs:
        """Inputs from an ``.npz`` file with the arrays ``embeddings`` and ``classes``; pickles are refused.

        Raises
        ------
        SettingError
            The file cannot be read, or an array is missing or not admissible.
        """
        field = "episodes.inputs.file"
        found = {}
        try:
            with np.load(path, allow_pickle=False) as archive:
                for name in ("embeddings", "classes"):
                    if name in archive:
                        found[name] = archive[name]
        except OSError as error:
            raise SettingError(field, str(path), f"a readable .npz file ({error.strerror or error})") from error
        # NumPy's readers fail in many ways on a file that is none of theirs (zip, header and pickle errors).
        except Exception as error:
            raise SettingError(field, str(path), f"an .npz file of plain arrays ({error})") from error
        for name in ("embeddings", "classes"):
            if name not in found:
                raise SettingError(field, str(path), f"an .npz file with the array {name!r}")
        return cls(**found, file=str(Path(path).resolve()))


AnyInputs = TabularInputs | SphereInputs | GaussianInputs | ArrayInputs
INPUT_KINDS: dict[str, type] = {part.kind: part for part in (TabularInputs, SphereInputs, GaussianInputs, ArrayInputs)}
"""Kinds of inputs by the name that a settings file gives them."""


def _check_geometry(part: SphereInputs | GaussianInputs) -> None:
    dimension = integer("episodes.inputs.dimension", part.dimension, minimum=1, maximum=LARGEST_DIMENSION)
    noise = real("episodes.inputs.input_noise", part.input_noise, minimum=0, maximum=LARGEST_INPUT_NOISE)
    object.__setattr__(part, "dimension", dimension)
    object.__setattr__(part, "input_noise", noise)


def _finite_rows(values: ArrayLike) -> NDArray[np.float64]:
    field, allowed = "episodes.inputs.embeddings", "a table of finite numbers, a row an input"
    try:
        given = np.array(values)
    except ValueError as error:
        raise SettingError(field, values, allowed) from error
    if given.ndim != 2 or given.size == 0 or given.dtype.kind not in "fiu":
        raise SettingError(field, values, allowed)
    rows = given.astype(np.float64)
    # Larger numbers would overflow when they are squared.
    if not (np.isfinite(rows).all() and np.abs(rows).max() <= LARGEST_EMBEDDING):
        raise SettingError(field, values, f"{allowed}, of at most {LARGEST_EMBEDDING:g} in size")
    return rows


def _class_ids(values: ArrayLike, rows: int) -> NDArray[np.intp]:
    field = "episodes.inputs.classes"
    allowed = f"a list of {rows:,} class numbers, one for each row of the embeddings"
    try:
        given = np.array(values)
    except ValueError as error:
        raise SettingError(field, values, allowed) from error
    if given.shape != (rows,) or given.dtype.kind not in "iu" or (given < 0).any():
        raise SettingError(field, values, allowed)
    return given.astype(np.intp)
