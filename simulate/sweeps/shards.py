"""Parts of a sweep for jobs that know nothing of each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from theory.errors import SettingError

AnyCell = TypeVar("AnyCell")


def shard_of(cells: Sequence[AnyCell], shard: str) -> Sequence[AnyCell]:
    """Every n-th cell from the i-th on, for a shard ``i/n``.

    Neighbours, which cost alike, go to different shards.

    Raises
    ------
    SettingError
        It is no shard.

    Examples
    --------
    >>> shard_of(("a", "b", "c", "d"), "2/3")
    ('b',)
    """
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", str(shard))
    i, n = map(int, found.groups()) if found else (0, 0)
    if not 1 <= i <= n:
        raise SettingError("shard", shard, "i/n with 1 <= i <= n, such as 2/3")
    return cells[i - 1 :: n]
