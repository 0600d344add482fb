"""Settings over the whole box that the sharp boundary is claimed for, and histories of single gates by their counts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln

from tests.verification.settings import Case
from theory.gating.cell import GateCell
from theory.gating.mean_gate import mean_gate
from theory.in_context import LossLaw
from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, HedgeGate, TaskDistribution
from theory.solver import predict

Array = NDArray[np.float64]

VISITS = (3.0, 1e5)
_BLOCK = 1 << 22


def draw_box(number: int, seed: int) -> list[Case]:
    """Settings with a predicted boundary between 3 and 100,000 visits, otherwise spread over the whole box.

    2 to 1,000 equally frequent classes, label noise 0 to 0.3 of either kind, contexts of 1 to 32 examples, odds 1 to
    e^5, floors 1e-6 to 1e-2 (below 1/C), priors 0.01 to 0.99, any number of relevant examples or the natural law.
    """
    generator = np.random.default_rng(seed)
    cases: list[Case] = []
    while len(cases) < number:
        task, model = _draw(generator)
        prediction = predict(task, model)
        boundary = prediction.entries[0].vanish_visits.sharp
        if boundary is not None and VISITS[0] <= boundary <= VISITS[1]:
            cases.append(Case(task, model, prediction))
    return cases


def _draw(generator: np.random.Generator) -> tuple[TaskDistribution, GatedPredictor]:
    classes = round(math.exp(generator.uniform(math.log(2), math.log(1000))))
    length = int(generator.integers(1, 33))
    task = TaskDistribution(
        frequencies="uniform",
        num_classes=classes,
        context_length=length,
        p_relevant=float(generator.choice([1.0, generator.uniform(0.2, 1.0)])),
        relevant_examples=None if generator.random() < 0.25 else int(generator.integers(1, length + 1)),
        label_noise=float(generator.choice([0.0, generator.uniform(0, 0.3)], p=[0.15, 0.85])),
        label_noise_kind=str(generator.choice(["cyclic", "symmetric"])),
        context_label_noise=None if generator.random() < 0.7 else float(generator.uniform(0, 0.3)),
    )
    prior = float(generator.uniform(0.01, 0.99))
    rate = float(generator.choice([1.0, 1.0, generator.uniform(0.2, 2.0)]))
    gate = BayesGate(prior_in_weight=prior) if rate == 1 else HedgeGate(rate=rate, prior_in_weight=prior)
    model = GatedPredictor(
        in_weight=DirichletTable(pseudo_count=float(generator.choice([0.5, 0.5, 1.0, 0.1]))),
        in_context=Attention(
            odds=float(np.exp(generator.uniform(0, 5))),
            floor=float(min(10 ** generator.uniform(-6, -2), 0.99 / classes)),
        ),
        gate=gate,
    )
    return task, model


def only_cell(case: Case) -> GateCell:
    """The gate cell of a case: all its classes are alike."""
    ((_, curve),) = case.prediction.entries[0].curve.parts
    ((_, cell),) = curve.cells
    return cell


def gates_after(cell: GateCell, visits: int, runs: int, generator: np.random.Generator) -> Array:
    """Gates of independent histories after so many visits, drawn by how often each label and each loss came.

    Only the order of the visits is left out, on which neither sum of losses depends.
    """
    labels, b = cell.labels, cell.pseudo_count
    number = labels.noisy_labels if labels.noise > 0 else 1
    rows = max(1, _BLOCK // max(number, cell.loss.own.values.size, cell.loss.noisy.values.size))
    gates = []
    for start in range(0, runs, rows):
        size = min(rows, runs - start)
        noise = generator.binomial(visits, labels.noise, size)
        counts = generator.multinomial(noise, np.full(number, 1 / number))
        total = labels.total_labels * b
        in_weight = gammaln(visits + total) - gammaln(total) + gammaln(b) - gammaln(visits - noise + b)
        in_weight -= (gammaln(counts + b) - gammaln(b)).sum(axis=1)
        in_context = _summed(cell.loss.own, visits - noise, generator)
        for law, members in _laws(cell, number):
            in_context += _summed(law, counts[:, members].sum(axis=1), generator)
        gates.append(expit(cell.prior_log_odds + cell.rate * (in_context - in_weight)))
    return np.concatenate(gates)


def _laws(cell: GateCell, number: int) -> list[tuple[LossLaw, slice]]:
    groups = cell.loss.noisy_groups or ((1.0, cell.loss.noisy),)
    ends = np.rint(np.cumsum([share for share, _ in groups]) * number).astype(int).tolist()
    return [(law, slice(a, z)) for (_, law), a, z in zip(groups, [0, *ends[:-1]], ends, strict=True)]


def _summed(law: LossLaw, draws: NDArray[np.int64], generator: np.random.Generator) -> Array:
    """Sum of so many independent losses."""
    weights = law.probabilities / law.probabilities.sum()
    return np.asarray(generator.multinomial(draws, weights) @ law.values, dtype=np.float64)


def gate_at_boundary(case: Case, factor: float, runs: int, generator: np.random.Generator) -> tuple[float, float]:
    """Simulated mean gate at the predicted boundary times a factor, between two integers, and its standard error."""
    boundary = case.prediction.entries[0].vanish_visits.sharp
    assert boundary is not None
    below = math.floor(factor * boundary)
    share = factor * boundary - below
    cell = only_cell(case)
    gates = [gates_after(cell, visits, runs, generator) for visits in (below, below + 1)]
    weights = (1 - share, share)
    mean = sum(w * float(gate.mean()) for w, gate in zip(weights, gates, strict=True))
    variance = sum(w * w * float(gate.var()) / runs for w, gate in zip(weights, gates, strict=True))
    return mean, math.sqrt(variance)


def slope_at_boundary(case: Case) -> float:
    """Predicted change of the mean gate for a relative change of the visits, at the boundary."""
    boundary = case.prediction.entries[0].vanish_visits.sharp
    assert boundary is not None
    cell = only_cell(case)
    low, high = math.floor(0.97 * boundary), math.ceil(1.03 * boundary)
    return boundary * (mean_gate(cell, high) - mean_gate(cell, low)) / (high - low)
