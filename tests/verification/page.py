"""The page ``docs/verification.md``: what every check found. ``python -m tests.verification.page [--repeats N]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from tests.verification.theorem_check import FALSE_ALARM, POWER, Check, Setting, Verdict, verdict
from tests.verification.theorem_registry import CASES, NAMES, REFUTED, REPEATS


def _false_alarm(check: Check) -> float:
    """No true theorem fails on what is not random, or where every trajectory has to obey it."""
    return FALSE_ALARM if check.random and check.kind not in ("every", "regret") else 0.0


HEAD = f"""# Theorems against the simulator

Printed by `{{command}}`. Each row: a theorem of the [catalogue](theorems.md) at one setting, and the same quantity
simulated by the toolkit's own samplers and engines (`tests/verification/theorem_checks_*.py`; the theorems' tests under
`tests/theorems` have simulations of their own, which share no code with the simulator).

* *Measured*: the mean of the draws with its standard error (of a probability: the frequency; of a high-probability
  bound: the quantile); of a statement on every trajectory the value that came nearest to the bound. *Theory*: the
  theorem's left side where that is what was drawn, which then has to be equal; else its right side.
* *Seen*: the smallest relative deviation that the check sees with probability {POWER:g}; of trajectories: by how much
  the bound could be lowered before one of them breaks it; of what is not random: rounding. Where the theorem is about a
  limit, what is left out at finite settings is part of it.
* *Off*: by how much simulation and theorem differ, in units of what is allowed: above 1 the check fails. A true
  theorem and a right simulator fail one check with a probability of at most *false alarm* (normal tails for means,
  exact binomial ones for events; none on what is not random or holds on every trajectory), and any of the {len(CASES)}
  checks with at most {sum(_false_alarm(check) for check, _ in CASES):.1e}.
* *Wrong*: the same for the theorem's deliberately wrong variant on the same draws: above 1 it is told apart. In
  brackets where this setting cannot tell it, which another one of the theorem then does.

Every setting is seeded: the page is the same whenever it is printed. The slow tier (`pytest -m slow`) repeats every
random row with {REPEATS} times the draws.

{{summary}}

| theorem | simulated | setting | draws | measured | theory | false alarm | seen | off | wrong |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


def rows(repeats: int) -> Iterator[tuple[str, bool]]:
    """One row for each setting, and whether it is as it should be."""
    for check, number in CASES:
        setting = check.settings[number]
        found = verdict(check, number, repeats)
        cells = (
            check.theorem,
            check.simulated,
            parameters_of(setting),
            f"{setting.draws * (repeats if check.random else 1):,}",
            f"{found.measured:.6g}" + (f" ± {found.error:.1g}" if found.error > 1e-9 * abs(found.measured) else ""),
            f"{found.theory:.6g}",
            f"{_false_alarm(check):.0e}" if _false_alarm(check) else "0",
            f"{found.sees:.2g}",
            _ratio(found.beyond),
            _ratio(found.wrong_beyond) if setting.wrong else f"({_ratio(found.wrong_beyond)})",
        )
        yield "| " + " | ".join(cells) + " |", _as_it_should(check, setting, found)


def _as_it_should(check: Check, setting: Setting, found: Verdict) -> bool:
    if check.theorem in REFUTED:
        return found.beyond > 1
    return found.beyond <= 1 and (found.wrong_beyond > 1 or not setting.wrong)


def parameters_of(setting: Setting) -> str:
    """The theorem's parameters in a setting."""
    return ", ".join(f"{name} = {value:.6g}" for name, value in setting.point.items()) or "every step's own"


def _ratio(value: float) -> str:
    if value <= 0:
        return "< 0"
    return f"{value:.2f}" if 0.01 <= value < 100 else f"{value:.0e}"


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1, help="batches of draws (default: 1, the fast tier)")
    repeats = parser.parse_args().repeats
    lines, kept = zip(*rows(repeats), strict=True)
    command = "python -m tests.verification.page" + (f" --repeats {repeats}" if repeats > 1 else "")
    summary = (
        f"{len(NAMES) - len(REFUTED)} theorems and {len(REFUTED)} erratum (which has to be refuted), {len(CASES)} "
        f"settings: {sum(kept)} are as they should be, {len(kept) - sum(kept)} are not."
    )
    sys.stdout.write(HEAD.format(command=command, summary=summary) + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
