"""The page itself: one file of HTML without scripts and without anything to fetch."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from typing import Any

from figures.report.contents import Contents
from figures.report.findings import (
    agreement_sentence,
    exactness_sentence,
    phase_sentences,
    simulated_sentence,
    uncertainty_sentence,
)
from figures.report.learner_tables import error_table, loss_table, regret_rows_table
from figures.report.parts_in_words import model_sentences
from figures.report.pictures import overlay_picture, simulated_picture
from figures.report.prediction_tables import agreement_table, predicted_table, simulated_table
from figures.report.tables import data_link
from figures.report.task_in_words import task_sentences
from simulate.agreements import agreement
from simulate.evaluation.absent import absent_out_of_base
from theory.errors import SettingError

VERSIONS = ("icl-iwl", "numpy", "scipy", "matplotlib")
_SETTING_SHOWN = 4_000
"""Characters of a settings file that are shown; thousands of counts are in the file only."""


@dataclass(frozen=True, kw_only=True)
class SettingText:
    """The settings file: what is shown of it, all of it as a ``data:`` address, and why there is none, if so."""

    shown: str = ""
    link: str = ""
    missing: str = ""


def report_page(contents: Contents, *, title: str = "a setting", command: Sequence[str] = ()) -> str:
    """Write the page.

    Parameters
    ----------
    contents : Contents
        From :func:`figures.report.contents.gather`.
    title : str
        What the setting is called.
    command : sequence of str
        The command that gives the same page, if there is one; else the page gives the Python code.

    Returns
    -------
    str
        HTML. The same contents give the same page: nothing in it depends on the time or the place.

    Examples
    --------
    >>> from figures.report.contents import gather
    >>> from theory.setting import TaskDistribution
    >>> task = TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=4, relevant_examples=1)
    >>> page = report_page(gather(task, steps=200, replicates=2, prompts=5), title="<b>mine</b>")
    >>> "<h1>&lt;b&gt;mine&lt;/b&gt;" in page, page.count("<h1>")
    (True, 1)
    """
    from jinja2 import Environment, StrictUndefined

    # A class may have any name: everything is escaped.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_file("page.html"))
    page: str = template.render(
        title=title,
        style=_file("page.css"),
        world=task_sentences(contents.task),
        learner=model_sentences(contents.model),
        **_predicted(contents),
        simulated=(simulated_sentence(contents.run), uncertainty_sentence(contents.run)),
        simulated_table=simulated_table(contents.run),
        **_asked(contents),
        setting=_setting_text(contents),
        command=shlex.join(command),
        code=_code(contents),
        versions=_versions(),
    )
    return page


def _file(name: str) -> str:
    return (resources.files("figures.report") / name).read_text(encoding="utf-8")


def _predicted(contents: Contents) -> dict[str, Any]:
    """What depends on whether there is a prediction."""
    prediction, run = contents.prediction, contents.run
    if prediction is None:
        return {
            "phases": (),
            "exactness": "",
            "predicted_table": None,
            "no_theory": contents.no_theory,
            "picture": simulated_picture(run),
            "agreement": "",
            "agreement_table": None,
        }
    rows = agreement(prediction, run)
    return {
        "phases": phase_sentences(prediction),
        "exactness": exactness_sentence(prediction),
        "predicted_table": predicted_table(prediction),
        "no_theory": "",
        "picture": overlay_picture(prediction, run),
        "agreement": agreement_sentence(rows),
        "agreement_table": agreement_table(rows, prediction),
    }


def _asked(contents: Contents) -> dict[str, Any]:
    """The evaluation and the regret, or why there is none."""
    evaluation, several = contents.evaluation, contents.asked_replicates > 1
    return {
        "asked": f"{contents.asked_replicates:,} replicate{'s' * several} of {contents.asked_steps:,} steps",
        "prompts": f"{contents.prompts:,}",
        "evaluation_tables": () if evaluation is None else (error_table(evaluation), loss_table(evaluation)),
        "not_asked": () if evaluation is None else _not_asked(contents),
        "no_evaluation": contents.no_evaluation,
        "regret_table": regret_rows_table(contents.regrets) if contents.regrets else None,
        "no_regrets": contents.no_regrets,
    }


def _not_asked(contents: Contents) -> tuple[str, ...]:
    """Groups that have no out-of-base questions, with the reason."""
    absent = absent_out_of_base(contents.task)
    return tuple(f"Not asked out-of-base: {group}, since {reason}." for group, reason in absent.items())


def _setting_text(contents: Contents) -> SettingText:
    from theory.setting_file import to_toml

    try:
        text = to_toml(contents.task, contents.model)
    except (SettingError, TypeError) as error:
        # An array or a part of a user's own, given in Python, has no name that a file could hold.
        return SettingText(missing=str(error))
    cut = "" if len(text) <= _SETTING_SHOWN else "\n... (the file has all)"
    return SettingText(shown=text[:_SETTING_SHOWN] + cut, link=data_link("text/plain;charset=utf-8", text.encode()))


def _code(contents: Contents) -> str:
    run = contents.run
    return (
        "import theory\n"
        "from figures.report.contents import gather\n"
        "from figures.report.page import report_page\n\n"
        'task, model = theory.load("task.toml")  # the setting above\n'
        f"contents = gather(task, model, steps={run.steps}, replicates={run.replicates}, seed={run.seed}, "
        f"prompts={contents.prompts})\n"
        "page = report_page(contents)"
    )


def _versions() -> str:
    found = [f"Python {platform.python_version()}"]
    return ", ".join([*found, *(f"{name} {metadata.version(name)}" for name in VERSIONS)])
