"""Tables of a settings file turned into frozen settings; unknown keys are errors that suggest the nearest known one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from theory.errors import SettingError, unknown_name
from theory.setting import (
    AdaHedgeGate,
    Attention,
    BayesGate,
    DecreasingHedgeGate,
    DirichletTable,
    ExponentiatedGradientGate,
    FixedShareGate,
    HedgeGate,
    KernelAttention,
    LabelPosterior,
    LearnedAttention,
    LogisticGate,
    LogisticRegression,
    MajorityVote,
    ProjectedGradientGate,
    UniversalMixtureGate,
)

_KINDS: dict[str, tuple[type, ...]] = {
    "in_weight": (DirichletTable, LogisticRegression),
    "in_context": (Attention, LearnedAttention, KernelAttention, LabelPosterior, MajorityVote),
    "gate": (
        BayesGate,
        HedgeGate,
        DecreasingHedgeGate,
        AdaHedgeGate,
        FixedShareGate,
        UniversalMixtureGate,
        ExponentiatedGradientGate,
        ProjectedGradientGate,
        LogisticGate,
    ),
}
PARTS: dict[str, dict[str, type]] = {
    role: {part.kind: part for part in parts}  # type: ignore[attr-defined]
    for role, parts in _KINDS.items()
}
"""For every role in the model the kinds of parts that a settings file can name."""


def made(place: str, setting: type, table: Mapping[str, Any], known: Sequence[str] | None = None) -> Any:
    """A frozen setting from its table, whose keys are its fields."""
    names = [f.name for f in fields(setting)] if known is None else known
    for key in table:
        if key not in names:
            raise unknown_name(f"{place} key", key, names)
    check_complete(place, setting, table)
    return setting(**table)


def made_of_kind(place: str, kinds: Mapping[str, type], table: Mapping[str, Any]) -> Any:
    """A frozen setting of the kind that its table names, by default of the first one."""
    values = dict(table)
    kind = kind_of(place, kinds, values.pop("kind", next(iter(kinds))))
    known = [f.name for f in fields(kinds[kind])]
    for key in values:
        if key not in known:
            raise _unknown_key(place, kinds, key, known)
    check_complete(place, kinds[kind], values, f"kind = {kind!r} has no default for it")
    return kinds[kind](**values)


def kind_of(place: str, kinds: Mapping[str, type], kind: object) -> str:
    """The name of a kind, if it is one."""
    if not isinstance(kind, str) or kind not in kinds:
        raise unknown_name(f"{place}.kind", str(kind), kinds)
    return kind


def check_complete(place: str, setting: type, table: Mapping[str, Any], reason: str = "it has no default") -> None:
    """Raise :class:`SettingError` for a setting that is needed and not there."""
    for needed in (f.name for f in fields(setting) if f.default is MISSING and f.default_factory is MISSING):
        if needed not in table:
            raise SettingError(f"{place}.{needed}", None, f"a value, since {reason}")


def _unknown_key(place: str, kinds: Mapping[str, type], key: str, known: Sequence[str]) -> SettingError:
    owners = [other for other, part in kinds.items() if key in {f.name for f in fields(part)}]
    if owners:
        return SettingError(f"{place} key", key, f"one of kind, {', '.join(known)} (kind {owners[0]!r} has it)")
    return unknown_name(f"{place} key", key, ("kind", *known))


def checked_table(name: str, value: object) -> Mapping[str, Any]:
    """A value that has to be a table."""
    if not isinstance(value, Mapping):
        raise SettingError(name, value, "a table of settings, such as [task] or [model.gate], with its settings")
    return value


def kept_for_kind(kinds: Mapping[str, type], part: Mapping[str, Any], kind: object) -> dict[str, Any]:
    """Settings of a part that its new kind has too, such as a floor."""
    new = kinds.get(kind) if isinstance(kind, str) else None
    known = {f.name for f in fields(new)} if new is not None else set()
    return {name: value for name, value in part.items() if name in known}


def part_keys() -> list[str]:
    """Dotted names of the settings that the model's parts have."""
    return [f"model.{role}.{f.name}" for role, kinds in PARTS.items() for kind in kinds.values() for f in fields(kind)]
