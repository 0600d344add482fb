"""What checking a theorem found: every step's verdict, the hunt for counterexamples, the fate of the wrong variant."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from theory.theorems.claim import Claim
from theory.theorems.derivation import Status, Verdict
from theory.theorems.falsifier import Hunt, hunt
from theory.theorems.theorem import Theorem

# A mistake shows soon or not at all.
_WRONG_BUDGET: Final = 20_000


@dataclass(frozen=True, kw_only=True)
class Report:
    """Findings on one theorem or erratum.

    Parameters
    ----------
    name, kind : str
        Which, and what it claims.
    verdicts : tuple of Verdict
        One for each step of the derivation; empty for an erratum.
    gap : str, optional
        Where the derivation fails to lead to the claim.
    hunt : Hunt
        The attack on the claim.
    wrong_hunt : Hunt, optional
        The attack on its wrong variant; an erratum has none.
    """

    name: str
    kind: str
    verdicts: tuple[Verdict, ...]
    gap: str | None
    hunt: Hunt
    wrong_hunt: Hunt | None

    @property
    def failures(self) -> tuple[str, ...]:
        """What went wrong, in words; empty when the theorem passes (an erratum passes when it is refuted)."""
        if self.wrong_hunt is None:
            return () if self.hunt.refuted else ("no counterexample was found",)
        failed = [f"step {i}: {v.method}" for i, v in enumerate(self.verdicts, 1) if not v.holds]
        failed += [f"derivation: {self.gap}"] if self.gap else []
        if self.hunt.counterexample is not None:
            failed.append(f"counterexample at {shown(self.hunt.counterexample)}")
        if self.hunt.evaluator_error is not None:
            failed.append(f"inaccurate evaluator at {shown(self.hunt.evaluator_error)}")
        if not self.wrong_hunt.refuted:
            failed.append("the wrong variant was not refuted")
        return tuple(failed)

    @property
    def steps(self) -> str:
        """Numbers of steps that are proved, agree to 50 digits, were sampled, and are cited."""
        worth = (Status.PROVED, Status.DIGITS, Status.SAMPLED, Status.CITED)
        return "+".join(str(sum(verdict.status is status for verdict in self.verdicts)) for status in worth)

    @property
    def fate(self) -> str:
        """What became of the wrong variant (of an erratum: of itself)."""
        attacked = self.wrong_hunt or self.hunt
        return "refuted" if attacked.refuted else "NOT refuted"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; ratios that are not finite become ``null``."""
        return {
            "name": self.name,
            "kind": self.kind,
            "passed": not self.failures,
            "failures": list(self.failures),
            "steps": [{"status": str(v.status), "method": v.method} for v in self.verdicts],
            "points": self.hunt.points,
            "tightest": _finite(self.hunt.tightest),
            "tightest_point": dict(self.hunt.tightest_point),
            "median": _finite(self.hunt.median),
            "loosest": _finite(self.hunt.loosest),
            "counterexample": dict(self.hunt.counterexample) if self.hunt.counterexample else None,
            "wrong_variant_refuted_at": (
                dict(self.wrong_hunt.counterexample) if self.wrong_hunt and self.wrong_hunt.counterexample else None
            ),
        }


def check_claim(claim: Claim, budget: int, seed: int) -> Report:
    """Check the derivation of a theorem, attack it, and attack its wrong variant.

    Parameters
    ----------
    claim : Claim
        A theorem or an erratum.
    budget : int
        Number of points of the attack.
    seed : int
        Each theorem has a stream of its own, so that its findings do not depend on what else is checked.

    Returns
    -------
    Report
        All findings; ``failures`` is empty when it passes.
    """
    stream = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(claim.name.encode()),))
    first, second = (np.random.default_rng(child) for child in stream.spawn(2))
    if not isinstance(claim, Theorem):
        return Report(
            name=claim.name, kind="erratum", verdicts=(), gap=None, hunt=hunt(claim, budget, first), wrong_hunt=None
        )
    return Report(
        name=claim.name,
        kind=claim.kind,
        verdicts=tuple(step.verdict() for step in claim.derivation.steps),
        gap=claim.derivation.gap(claim.left, claim.relation, claim.right),
        hunt=hunt(claim, budget, first),
        wrong_hunt=hunt(claim.wrong_claim, min(budget, _WRONG_BUDGET), second),
    )


def shown(point: Any) -> str:
    """A point as a user would type it."""
    return " ".join(f"{name}={value:.17g}" for name, value in point.items())


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
