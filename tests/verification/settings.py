"""Settings spread over the whole box, drawn by a seeded generator: the same ones for every reader."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from theory.prediction import Prediction
from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, TaskDistribution
from theory.solver import predict


@dataclass(frozen=True)
class Case:
    """A setting whose classes are all equally frequent, with its prediction."""

    task: TaskDistribution
    model: GatedPredictor
    prediction: Prediction

    @property
    def steps(self) -> int:
        """Steps that reach well beyond the predicted boundary."""
        boundary = self.prediction.entries[0].vanish_steps
        assert boundary is not None
        return int(2.2 * boundary) + 10

    def __str__(self) -> str:
        task, model = self.task, self.model
        return (
            f"classes={task.total_classes} C={task.total_labels} L={task.context_length} m={task.relevant_examples} "
            f"noise={task.label_noise:.3g} {task.label_noise_kind} context={task.noise_in_context:.3g} "
            f"p_relevant={task.p_relevant:.2g} odds={model.in_context.odds:.3g} floor={model.in_context.floor:.1g} "
            f"b={model.in_weight.pseudo_count:.2g} prior={model.gate.prior_in_weight:.2g}"
        )


def draw_cases(
    number: int,
    seed: int,
    *,
    visits: tuple[float, float],
    kind: str = "cyclic",
    per: str = "query",
    shared: bool = False,
) -> list[Case]:
    """Settings whose predicted boundary lies in a range of visits; with ``shared``, their classes share labels."""
    generator = np.random.default_rng(seed)
    cases: list[Case] = []
    while len(cases) < number:
        task, model = draw_setting(generator, kind, per)
        if shared:
            if task.total_classes < 4:
                continue
            most = task.total_classes // 2
            task = replace(task, num_labels=int(np.exp(generator.uniform(np.log(2), np.log(most + 0.99)))))
        prediction = predict(task, model)
        boundary = prediction.entries[0].vanish_visits.sharp
        steps = prediction.entries[0].vanish_steps
        if boundary is not None and steps is not None and visits[0] <= boundary <= visits[1]:
            cases.append(Case(task, model, prediction))
    return cases


def draw_setting(generator: np.random.Generator, kind: str, per: str) -> tuple[TaskDistribution, GatedPredictor]:
    """One setting, whatever its prediction."""
    half = int(np.exp(generator.uniform(0, np.log(100))))
    length = int(np.exp(generator.uniform(0, np.log(32.99))))
    natural = generator.random() < 0.25
    noise = float(generator.choice([0.0, generator.uniform(0.001, 0.3)], p=[0.15, 0.85]))
    task = TaskDistribution(
        num_high=half,
        num_low=half,
        p_high=0.5,
        context_length=length,
        p_relevant=float(generator.choice([1.0, generator.uniform(0.5, 1.0)])),
        relevant_examples=None if natural else int(generator.integers(1, length + 1)),
        label_noise=noise,
        label_noise_kind=kind,
        context_label_noise=None if generator.random() < 0.7 else float(generator.uniform(0, 0.3)),
    )
    floor = min(10 ** generator.uniform(-6, -2), 0.5 / task.total_classes)
    model = GatedPredictor(
        in_weight=DirichletTable(pseudo_count=float(generator.choice([0.5, 0.5, 1.0, 0.1]))),
        in_context=Attention(odds=float(np.exp(generator.uniform(0, 5))), floor=float(floor)),
        gate=BayesGate(prior_in_weight=float(generator.choice([0.5, 0.5, generator.uniform(0.01, 0.99)])), per=per),
    )
    return task, model
