"""Commands of ``python -m theory`` about theorems: list, show, bound, check, page; SymPy loads when one runs."""

from __future__ import annotations

import argparse
import math
import os
import textwrap
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final

from theory.checks import integer
from theory.command import number, print_json, print_table, whole_number

if TYPE_CHECKING:
    from theory.theorems.claim import Claim
    from theory.theorems.report import Report
    from theory.theorems.theorem import Theorem

Commands = Any
_BUDGET: Final = 100_000
_LEAST_BUDGET: Final = 100
_CHECK_LEGEND: Final = """steps: proved + agreeing to 50 digits + sampled + cited. Slack of the claim as a ratio of its
sides, 1 where it is an equality: smallest, median and largest over all points (inf: one side is 0). wrong: whether the
deliberately wrong variant was refuted."""


def add_theorem_commands(commands: Commands) -> None:
    """Add the sub-commands to the parser of ``python -m theory``."""
    listing = commands.add_parser("list", help="list the theorems")
    listing.add_argument("--json", action="store_true", help="print as JSON")
    listing.set_defaults(run=_list)
    _add_show(commands)
    _add_bound(commands)
    _add_check(commands)
    page = commands.add_parser("page", help="print the page of all theorems (docs/theorems.md)")
    page.set_defaults(run=_page)


def _add_show(commands: Commands) -> None:
    parser = commands.add_parser("show", help="statement, assumptions and derivation of a theorem, with verdicts")
    parser.add_argument("name", metavar="NAME", help="one of: theory list")
    parser.add_argument("--latex", action="store_true", help="formulas as LaTeX")
    parser.set_defaults(run=_show)


def _add_bound(commands: Commands) -> None:
    parser = commands.add_parser("bound", help="evaluate a theorem: the bound with its constants")
    parser.add_argument("name", metavar="NAME", help="one of: theory list")
    parser.add_argument(
        "--set",
        metavar="NAME=VALUES",
        action="append",
        nargs="+",
        default=[],
        dest="settings",
        help="parameters: n=1000, n=1,10,100 or n=1:1e6:7:log; several ranges give all combinations",
    )
    parser.add_argument(
        "--solve", metavar="NAME=TARGET", help="find the parameter at which the value is TARGET: --solve n=0.01"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print comma-separated values, in full precision")
    form.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=_bound)


def _add_check(commands: Commands) -> None:
    parser = commands.add_parser(
        "check",
        help="check every derivation again and hunt for counterexamples; exit code 1 when anything fails",
        description=_CHECK_LEGEND,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="theorems; by default all")
    parser.add_argument("--budget", metavar="N", default=_BUDGET, help=f"points for each theorem (default {_BUDGET:,})")
    parser.add_argument("--seed", metavar="S", default=0, help="where the hunt looks (default 0)")
    parser.add_argument("--workers", metavar="N", help="processes (default: one for each core)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print as JSON")
    form.add_argument("--markdown", action="store_true", help="print as the page docs/falsification.md")
    parser.set_defaults(run=_check)


def _list(arguments: argparse.Namespace) -> None:
    from theory.catalogue import ERRATA, THEOREMS

    rows: list[tuple[str, ...]] = [(t.name, t.family, t.kind, t.title) for t in THEOREMS]
    rows += [(e.name, e.family, "erratum", e.title) for e in ERRATA]
    if arguments.json:
        print_json({"theorems": [dict(zip(("name", "about", "kind", "title"), row, strict=True)) for row in rows]})
        return
    width = max(len(row[0]) for row in rows)
    for name, family, kind, title in rows:
        print(f"{name:{width}s}  {family:10s}  {kind:16s}  {title}")


def _show(arguments: argparse.Namespace) -> None:
    from theory.catalogue import find_claim
    from theory.theorems.theorem import Erratum, Theorem

    claim = find_claim(arguments.name)
    kind = "erratum" if isinstance(claim, Erratum) else claim.kind
    print(f"{claim.name}: {claim.title}\n{claim.family}, {kind}; source: {claim.source}\n")
    print(f"Claim\n  {claim.latex()}\n" if arguments.latex else f"Claim\n{_indented(str_claim(claim))}\n")
    print("Assumptions")
    for premise in claim.premises:
        print(_indented(premise))
    for parameter in claim.parameters:
        default = "" if parameter.default is None else f"; {parameter.default:g} unless given"
        if isinstance(claim, Theorem) and parameter.name not in claim.value_names:
            default += "; not in the value"
        print(_indented(f"{parameter.assumption}: {parameter.meaning}{default}"))
    if isinstance(claim, Erratum):
        print(f"\nFalse: {claim.explanation} What is true: {claim.corrected}.")
    if isinstance(claim, Theorem):
        print(f"\nValue\n{_indented(claim.value_meaning)}")
        _show_derivation(claim, latex=arguments.latex)
        print(f"\nWrong variant (must be refuted)\n{_indented(claim.wrong.mistake)}")
        if claim.hunted_up_to:
            print(
                "\nThe falsifier attacks it up to " + ", ".join(f"{n} <= {v:g}" for n, v in claim.hunted_up_to.items())
            )


def _show_derivation(theorem: Theorem, *, latex: bool) -> None:
    from theory.theorems.claim import SIGNS

    for heading, steps in (("Lemmas", theorem.derivation.lemmas), ("Derivation", theorem.derivation.chain)):
        if steps:
            print(f"\n{heading}")
        for index, step in enumerate(steps, 1):
            left, right = (theorem.latex_of(side) if latex else str(side) for side in (step.left, step.right))
            print(textwrap.fill(f"{index}. {step.reason} [{step.verdict()}]", 100, subsequent_indent="   "))
            relation = SIGNS[step.relation] if latex else step.relation
            print(f"     {left}\n  {relation:>3s} {right}")


def str_claim(claim: Claim) -> str:
    """The claim in one line of plain text."""
    return f"{claim.left} {claim.relation} {claim.right}"


def _indented(text: str) -> str:
    return textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="    ", break_long_words=False)


def _bound(arguments: argparse.Namespace) -> None:
    from theory.catalogue import find_theorem
    from theory.theorems.calculator import bound_table, solved

    theorem = find_theorem(arguments.name)
    settings = [text for group in arguments.settings for text in group]
    if arguments.solve is not None:
        settings.append(solved(theorem, settings, arguments.solve))
    table = bound_table(theorem, settings)
    if arguments.csv:
        print(table.to_csv(), end="")
    elif arguments.json:
        print_json(table.to_dict())
    else:
        print(f"{theorem.name} ({theorem.kind}): {theorem.value_meaning}")
        columns = table.columns
        rows = zip(*columns.values(), strict=True)
        print_table(
            tuple(columns), [tuple(number(None if math.isnan(v) else float(v), 6) for v in row) for row in rows]
        )


def _check(arguments: argparse.Namespace) -> int:
    from theory.catalogue import ERRATA, THEOREMS, find_claim
    from theory.theorems.page import falsification_page

    names = arguments.names or [claim.name for claim in (*THEOREMS, *ERRATA)]
    for name in names:
        find_claim(name)
    budget = integer("--budget", whole_number(arguments.budget), minimum=_LEAST_BUDGET)
    seed = integer("--seed", whole_number(arguments.seed), minimum=0)
    workers = min(len(names), _workers(arguments.workers))
    plain = not (arguments.json or arguments.markdown)
    reports = []
    width = max(len(name) for name in names)
    if plain:
        columns = ("steps", "points", "tightest", "median", "loosest")
        print(f"{'theorem':{width}s}  {' '.join(f'{column:>9s}' for column in columns)}  wrong")
    for report in _reports(names, budget, seed, workers):
        reports.append(report)
        if plain:
            print(f"{report.name:{width}s}  {_row(report)}", flush=True)
    failed = [report for report in reports if report.failures]
    if arguments.json:
        print_json({"budget": budget, "seed": seed, "theorems": [report.to_dict() for report in reports]})
    elif arguments.markdown:
        print(falsification_page(reports, seed), end="")
    else:
        print(f"{_CHECK_LEGEND}\n{len(reports) - len(failed)} of {len(reports)} passed")
    return 1 if failed else 0


def _workers(given: object) -> int:
    if given is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return integer("--workers", whole_number(given), minimum=1)


def _reports(names: Sequence[str], budget: int, seed: int, workers: int) -> Iterator[Report]:
    if workers == 1:
        yield from (_report(name, budget, seed) for name in names)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_report, names, [budget] * len(names), [seed] * len(names))


def _report(name: str, budget: int, seed: int) -> Report:
    from theory.catalogue import find_claim
    from theory.theorems.report import check_claim

    return check_claim(find_claim(name), budget, seed)


def _row(report: Report) -> str:
    slack = " ".join(f"{ratio:9.5g}" for ratio in (report.hunt.tightest, report.hunt.median, report.hunt.loosest))
    failures = "".join(f"\n  FAILED {failure}" for failure in report.failures)
    return f"{report.steps:>9s} {report.hunt.points:9,d} {slack}  {report.fate}{failures}"


def _page(_: argparse.Namespace) -> None:
    from theory.catalogue import ERRATA, THEOREMS
    from theory.theorems.page import page

    print(page(THEOREMS, ERRATA), end="")
