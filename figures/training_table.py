"""What is predicted along the training: mean gates, and losses of the two predictors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulate.sweeps.tables import Table, quantity
from theory.in_weight import LabelLaw, risk
from theory.numerics.special import binomial_law
from theory.setting_file import Setting, assemble_task
from theory.solver import predict


def predicted_training(setting: Setting, steps: Sequence[int], version: int = 2) -> Table:  # noqa: ARG001 (of the key)
    r"""Predictions for both groups of a two-level task after numbers of steps.

    Along ``class`` and ``steps``: ``gate``, and ``loss_in_weight``, the binomial average :math:`E R_n` with
    :math:`n\sim\mathrm{Bin}(N, p_x)`. Along ``class``: ``loss_in_context``, ``bayes_risk``, ``overtaking_steps``, where
    the risk of g falls below that of h (missing if it does not), and ``crossing_steps``, where the mean gate crosses
    1/2.

    Parameters
    ----------
    setting : dict
        Nested settings, from :func:`theory.setting_file.read`.
    steps : sequence of int
        Increasing.
    version : int
        Of this computation, as part of the key under which its table is kept.
    """
    prediction = predict(*assemble_task(setting))
    task, table = prediction.task, prediction.model.in_weight
    labels = LabelLaw(total_labels=task.total_labels, noise=task.label_noise, noisy_labels=task.noisy_labels)

    def in_weight(number: int, probability: float) -> float:
        visits, weights = binomial_law(number, probability)
        return float(weights @ risk(visits, labels, table.pseudo_count))

    entries, both = prediction.entries, ("class", "steps")
    losses = [[in_weight(number, entry.class_probability) for number in steps] for entry in entries]
    risks = [entry.in_context_risk for entry in entries]
    overtaking = [_in_steps(entry.vanish_visits.instantaneous, entry.class_probability) for entry in entries]
    crossing = [entry.vanish_steps for entry in entries]
    return Table(
        coordinates={"class": np.array([entry.name for entry in entries]), "steps": np.array(steps, dtype=np.int64)},
        quantities={
            "gate": quantity(both, np.array([entry.mean_gate(steps) for entry in entries]), "", "predicted mean gate"),
            "loss_in_weight": quantity(both, losses, "nats", "predicted mean loss of g"),
            "loss_in_context": quantity(["class"], risks, "nats", "predicted mean loss of h"),
            "bayes_risk": quantity(["class"], [e.bayes_risk for e in entries], "nats", "least possible mean loss"),
            "overtaking_steps": quantity(["class"], overtaking, "steps", "where the risk of g falls below that of h"),
            "crossing_steps": quantity(["class"], crossing, "steps", "where the predicted mean gate crosses 1/2"),
        },
    )


def _in_steps(visits: float | None, probability: float) -> float | None:
    """Visits come at ``visits / p_x`` steps on average."""
    return None if visits is None else visits / probability
