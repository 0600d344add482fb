"""Where a result comes from: versions, platform, time."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from typing import Any

from simulate.sweeps.configuration import SCHEMA

_PACKAGES = ("icl-iwl", "numpy", "scipy")


def provenance(seconds: float) -> dict[str, Any]:
    """What is said of a result beside its configuration.

    Parameters
    ----------
    seconds : float
        How long it took.

    Examples
    --------
    >>> sorted(provenance(0.5))
    ['finished', 'platform', 'schema', 'seconds', 'versions']
    """
    return {
        "schema": SCHEMA,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 6),
        **_surroundings(),
    }


@cache
def _surroundings() -> dict[str, Any]:
    return {
        "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}},
        "platform": {"system": platform.platform(), "machine": platform.machine(), "node": platform.node()},
    }
