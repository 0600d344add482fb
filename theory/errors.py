"""The errors of all three packages: every one is a ``ValueError`` and says what came and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable


class SettingError(ValueError):
    """A setting is not admissible.

    Parameters
    ----------
    field : str
        Name of the setting, dotted as in a settings file (``model.in_context.odds``).
    value : object
        What was given; ``None`` where nothing was.
    allowed : str
        What would have been accepted, as a phrase.

    Examples
    --------
    >>> print(SettingError("p_high", 1.5, "a number between 0 and 1"))
    p_high = 1.5 is not allowed: expected a number between 0 and 1
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field = field
        self.value = value
        self.allowed = allowed
        found = f"{field} is missing" if value is None else f"{field} = {shortened(value)} is not allowed"
        super().__init__(f"{found}: expected {allowed}")


class NoTheoryError(ValueError):
    """A part of the model has no theory; the message names it.

    Parameters
    ----------
    role : str
        The role in the model: ``in_weight``, ``in_context`` or ``gate``; or a place in the episodes, such as
        ``episodes.inputs``.
    part : object
        The part that the theory does not cover.
    setting : str
        The setting of it that there is no theory for, as ``per = 'shared'``, if others are covered.
    """

    def __init__(self, role: str, part: object, setting: str = "") -> None:
        self.role = role
        self.part = part
        place = role if role.startswith("episodes") else f"model.{role}"
        name = getattr(part, "kind", None) or getattr(part, "name", None) or type(part).__name__
        where = f" with {setting}" if setting else ""
        super().__init__(
            f"{place} = {name!r}{where} has no theory: theory.predict never approximates in silence; "
            "simulate it instead"
        )


class OutputError(ValueError):
    """A result cannot be written where it was asked for."""

    def __init__(self, path: object, reason: object) -> None:
        super().__init__(f"cannot write {str(path)!r}: {reason}")


def unknown_name(field: str, value: str, known: Iterable[str]) -> SettingError:
    """Error for a name that is not known, with the nearest known one as a suggestion."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(value, names, n=1)
    suggestion = f" (did you mean {near[0]!r}?)" if near else ""
    return SettingError(field, value, f"one of {', '.join(names)}{suggestion}")


def shortened(value: object, limit: int = 60) -> str:
    """``repr`` of a value, cut so that a message stays one readable line."""
    try:
        text = repr(value)
    except ValueError:
        # Python refuses to spell out whole numbers of more than 4300 digits.
        text = "a number with thousands of digits"
    return text if len(text) <= limit else text[: limit - 3] + "..."
