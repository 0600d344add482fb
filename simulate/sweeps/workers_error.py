"""The error of workers that cannot go on."""

from __future__ import annotations


class WorkersError(ValueError):
    """The workers of a sweep cannot start or go on; what is stored stays, and the same call goes on from there.

    Examples
    --------
    >>> print(WorkersError("no worker process could start"))
    no worker process could start
    """
