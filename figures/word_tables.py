"""Words of Python's own documentation: when each is answered from weights, predicted and simulated."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any

import numpy as np

from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import Table, quantity
from theory.scaling.many_classes import context_share
from theory.setting import GatedPredictor, TaskDistribution
from theory.setting_file import Setting, assemble_task, read
from theory.solver import step_gate
from theory.transitions.crossing import geometric_integers, last_rise_between_integers

PRESET = "words"


def word_setting() -> Setting:
    """Preset ``words`` with the counts that come with this package (``examples/count_words.py`` has made them)."""
    with resources.as_file(_counts()) as path:
        return read(PRESET, counts=path)


def counts_digest() -> str:
    """Tells the counts from any others.

    Examples
    --------
    >>> len(counts_digest())
    16
    """
    return hashlib.sha256(_counts().read_bytes()).hexdigest()[:16]


def predicted_words(counts: str, words: list[str], steps: list[int]) -> Table:
    """Predicted boundaries of some words, and the share of all tokens that is answered in context.

    Parameters
    ----------
    counts : str
        :func:`counts_digest`.
    words : list of str
        Which words.
    steps : list of int
        Tokens at which the share is wanted.

    Returns
    -------
    Table
        ``class_probability`` and ``predicted_steps`` along ``word``, ``context_share`` along ``steps``.
    """
    if counts != counts_digest():
        raise ValueError(f"counts with the digest {counts} are not those of this package")
    task, model = assemble_task(word_setting())
    place = {task.name_of(number): number for number in range(task.total_classes)}
    probabilities = task.class_probabilities[[place[word] for word in words]]
    boundaries = [_boundary(task, model, word) for word in words]
    share = context_share(task, model, steps).share
    crossing = "predicted: where the mean gate last rises through 1/2"
    return Table(
        coordinates={"word": np.array(words), "steps": np.array(steps)},
        quantities={
            "class_probability": quantity(["word"], probabilities, "", "share of the word among all tokens"),
            "predicted_steps": quantity(["word"], np.array(boundaries), "steps", crossing),
            "context_share": quantity(["steps"], share, "", "predicted share of tokens that is answered in context"),
        },
    )


def simulated_words(simulated: SweepTable) -> Table:
    """Simulated boundaries of all words, the most frequent first."""
    probability = np.asarray(simulated.values("class_probability"))
    order = np.argsort(-probability, kind="stable")

    def column(name: str, unit: str, meaning: str) -> Any:
        return quantity(["word"], simulated.values(name)[order], unit, meaning)

    crossing = "simulated: where the mean gate last rises through 1/2"
    return Table(
        coordinates={"word": simulated.coordinates["class"][order]},
        quantities={
            "class_probability": column("class_probability", "", "share of the word among all tokens"),
            "simulated_steps": column("crossing_steps", "steps", crossing),
            "simulated_low": column("crossing_low", "steps", "lower end of its 95 % interval"),
            "simulated_high": column("crossing_high", "steps", "upper end of its 95 % interval"),
        },
    )


def simulated_shares(simulated: SweepTable) -> Table:
    r"""Simulated share of tokens that is answered in context.

    Summed over the strata, :math:`\sum_s m_s p_s (1 - \bar\alpha_s)`; their gates are learned apart from each other, so
    that the squares of their standard errors add up.
    """
    members, probability = simulated.values("stratum_members"), simulated.values("stratum_class_probability")
    mass = np.asarray(members * probability)[:, None]
    share = (mass * (1 - np.asarray(simulated.values("gate")))).sum(axis=0)
    error = np.sqrt(((mass * np.asarray(simulated.values("gate_standard_error"))) ** 2).sum(axis=0))
    meaning = "simulated share of tokens that is answered in context"
    return Table(
        coordinates={"steps": simulated.coordinates["checkpoint"]},
        quantities={
            "context_share": quantity(["steps"], share, "", meaning),
            "context_share_standard_error": quantity(["steps"], error, "", "its standard error over replicates"),
        },
    )


def _counts() -> Any:
    return resources.files("figures") / "data" / "python_words.csv"


def _boundary(task: TaskDistribution, model: GatedPredictor, word: str) -> float:
    gate = step_gate(task, model, word)
    steps = geometric_integers(1, gate.last, 1.2)
    return last_rise_between_integers(gate.at, steps, np.array([gate.at(n) for n in steps.tolist()]), 0.5)
