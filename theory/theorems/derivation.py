"""Derivations: chains of small steps from definition to claim, each with its reason and a check that a machine runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Literal

import sympy

Relation = Literal["=", "<=", ">=", "~"]


class Status(StrEnum):
    """How much a verdict is worth, from most to least."""

    PROVED = "proved"
    DIGITS = "agrees to 50 digits"
    SAMPLED = "sampled"
    CITED = "cited"
    FAILED = "failed"


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Parameters
    ----------
    status : Status
        What was shown; nothing is called proved that was sampled or cited.
    method : str
        How it was shown, in a few words.
    """

    status: Status
    method: str

    @property
    def holds(self) -> bool:
        """Whether the step stands."""
        return self.status is not Status.FAILED

    def __str__(self) -> str:
        return f"{self.status} ({self.method})"


_LEAST_FIRST = (Status.FAILED, Status.CITED, Status.SAMPLED, Status.DIGITS, Status.PROVED)


def weakest(verdicts: Sequence[Verdict]) -> Verdict:
    """What rests on all the verdicts: the status that is worth least, and how all of them were found."""
    status = min((verdict.status for verdict in verdicts), key=_LEAST_FIRST.index)
    told = [verdict for verdict in verdicts if verdict.holds is (status is not Status.FAILED)]
    return Verdict(status, "; ".join(dict.fromkeys(verdict.method for verdict in told)))


def strongest(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that is worth most, where any of them is enough."""
    return max(verdicts, key=lambda verdict: _LEAST_FIRST.index(verdict.status))


Check = Callable[[sympy.Expr, Relation, sympy.Expr], Verdict]


@dataclass(frozen=True)
class Step:
    """One step: a relation between two expressions, why it holds, and the check that says so.

    Parameters
    ----------
    left : sympy.Expr
        Left side.
    relation : {"=", "<=", ">=", "~"}
        ``~``: equal in the limit that the reason names.
    right : sympy.Expr
        Right side.
    reason : str
        Why, as a sentence.
    check : callable
        Takes the two sides and the relation, returns a :class:`Verdict` (see ``theory.theorems.checks``).
    """

    left: sympy.Expr
    relation: Relation
    right: sympy.Expr
    reason: str
    check: Check

    def verdict(self) -> Verdict:
        """Run the check, once."""
        return _verdict(self)


@lru_cache(maxsize=4096)
def _verdict(step: Step) -> Verdict:
    return step.check(step.left, step.relation, step.right)


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """Lemmas, and a chain of steps from the left side of the claim to its right side.

    Parameters
    ----------
    lemmas : tuple of Step
        Facts that the reasons of the chain refer to.
    chain : tuple of Step
        The right side of each step is the left side of the next.
    """

    lemmas: tuple[Step, ...] = ()
    chain: tuple[Step, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """Lemmas and chain, in order."""
        return self.lemmas + self.chain

    def gap(self, left: sympy.Expr, relation: Relation, right: sympy.Expr) -> str | None:
        """Where the chain fails to lead from the left side of a claim to its right side; ``None`` if it does."""
        if not self.chain:
            return "the chain has no step"
        for before, after in zip(self.chain, self.chain[1:], strict=False):
            if before.right != after.left:
                return f"the chain breaks between {before.right} and {after.left}"
        if self.chain[0].left != left or self.chain[-1].right != right:
            return "the ends of the chain are not the sides of the claim"
        composed = compose([step.relation for step in self.chain])
        if composed is None or not _implies(composed, relation):
            return f"the steps compose to {composed}, not to {relation}"
        return None


def compose(relations: list[Relation]) -> Relation | None:
    """The relation that a chain of relations gives, ``None`` where it gives none."""
    strict = set(relations) - {"="}
    if not strict:
        return "="
    return strict.pop() if len(strict) == 1 else None


def _implies(found: Relation, claimed: Relation) -> bool:
    return found in (claimed, "=")
