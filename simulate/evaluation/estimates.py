"""Means over replicates with their standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Estimate:
    r"""A quantity in every replicate.

    Parameters
    ----------
    of_replicates : ndarray, shape (replicates,) or (k, replicates)
        Its value in each replicate; in a trace, at each of the k points. Masked where it does not exist at a point.

    Examples
    --------
    >>> estimate = Estimate(np.array([1.0, 2.0, 3.0, 6.0]))
    >>> float(estimate.mean), round(float(estimate.standard_error), 6)
    (3.0, 1.080123)
    """

    of_replicates: Array

    @property
    def mean(self) -> Any:
        """Mean over the replicates: a number, or an array of shape (k,)."""
        return self.of_replicates.mean(axis=-1)

    @property
    def standard_error(self) -> Any:
        r"""Standard error of the mean over R replicates, :math:`\sqrt{s^2/R}` with the unbiased :math:`s^2`.

        A number, or an array of shape (k,); ``None`` for one replicate, and infinite where the mean is.
        """
        replicates = self.of_replicates.shape[-1]
        if replicates < 2:
            return None
        mean = self.mean
        # A loss may be infinite, where a predictor excludes what happens; its deviations have no meaning then.
        finite = np.isfinite(mean)
        spread = np.where(finite[..., None], self.of_replicates - np.where(finite, mean, 0.0)[..., None], np.inf)
        error = np.sqrt((spread**2).sum(axis=-1) / (replicates * (replicates - 1)))
        return np.ma.masked_array(error, np.ma.getmaskarray(mean)) if np.ma.isMaskedArray(mean) else error

    def to_dict(self) -> dict[str, Any]:
        """Mean and standard error as plain numbers or lists; ``None`` for what does not exist or is infinite."""
        return {"mean": plain(self.mean), "standard_error": plain(self.standard_error)}


def plain(values: Any) -> Any:
    """Numbers that JSON knows: a float or list of floats, ``None`` where there is no finite one."""
    if values is None:
        return None
    known = np.isfinite(np.ma.getdata(values)) & ~np.ma.getmaskarray(values)
    unknown = np.full(known.shape, None, dtype=object)
    return np.where(known, np.ma.getdata(values), unknown).tolist()
