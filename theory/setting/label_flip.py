"""Stand-in until helper A's module of the same name is merged."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.errors import SettingError


def flip_within_groups(task: Any) -> NDArray[np.intp]:
    """Next label within the frequency group."""
    total = task.total_labels
    if not task.grouped or task.num_labels is not None:
        return np.asarray((np.arange(total) + 1) % total, dtype=np.intp)
    if min(task.num_high, task.num_low) < 2:
        raise SettingError("num_high", task.num_high, "at least two classes in each group")
    high = (np.arange(task.num_high) + 1) % task.num_high
    low = (np.arange(task.num_low) + 1) % task.num_low
    return np.asarray(np.concatenate([high, task.num_high + low]), dtype=np.intp)
