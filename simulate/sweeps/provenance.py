"""Where a result comes from: versions, platform, time."""

from __future__ import annotations

import math
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


def check_provenance(said: object) -> None:
    """Raise ``ValueError`` where a file's provenance is not what :func:`provenance` gives."""
    if not isinstance(said, dict):
        raise ValueError("the provenance is no table")
    seconds, versions = said.get("seconds"), said.get("versions")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise ValueError(f"the provenance says that it took {seconds!r} seconds")
    if not isinstance(versions, dict) or not all(isinstance(version, str) for version in versions.values()):
        raise ValueError("the provenance has no versions")


@cache
def _surroundings() -> dict[str, Any]:
    return {
        "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}},
        "platform": {"system": platform.platform(), "machine": platform.machine(), "node": platform.node()},
    }
