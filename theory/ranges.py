"""Values that a user writes on a command line: ``low:high:count``, ``low:high:count:log`` or ``v1,v2,...``."""

from __future__ import annotations

import math

from theory.checks import integer
from theory.errors import SettingError
from theory.setting_file import parse_value


def parse_values(option: str, text: str, spec: str, *, most: int = 10_000) -> list[float]:
    """Numbers that a specification lists or spans, in the order in which it gives them.

    Parameters
    ----------
    option : str
        Option that the text came from, for messages.
    text : str
        All that the user typed there, for messages.
    spec : str
        ``low:high:count`` (evenly spaced), ``low:high:count:log`` or ``v1,v2,...``.
    most : int
        Largest count of a range.

    Raises
    ------
    SettingError
        The text has another form.

    Examples
    --------
    >>> parse_values("--set", "n=1:100:3:log", "1:100:3:log")
    [1.0, 10.0, 100.0]
    """
    if ":" not in spec:
        return [_number(option, text, part) for part in spec.split(",")]
    parts = spec.split(":")
    if len(parts) not in (3, 4) or (len(parts) == 4 and parts[3] != "log"):
        raise SettingError(option, text, "key=low:high:count or key=low:high:count:log")
    low, high = _number(option, text, parts[0]), _number(option, text, parts[1])
    count = integer(f"{option} count", parse_value(parts[2]), minimum=2, maximum=most)
    if not low < high or (len(parts) == 4 and low <= 0):
        raise SettingError(option, text, "low < high (and both positive for a logarithmic axis)")
    shares = [i / (count - 1) for i in range(1, count - 1)]
    if len(parts) == 4:
        inner = [math.exp(math.log(low) * (1 - share) + math.log(high) * share) for share in shares]
    else:
        inner = [low * (1 - share) + high * share for share in shares]
    # The ends stay as they were typed; between them a few digits are enough and easier to read.
    return [low, *(float(f"{value:.6g}") for value in inner), high]


def _number(option: str, text: str, part: str) -> float:
    try:
        value = float(part)
    except ValueError:
        raise SettingError(option, text, f"numbers as values, not {part!r}") from None
    if not math.isfinite(value):
        raise SettingError(option, text, "finite values")
    return value
