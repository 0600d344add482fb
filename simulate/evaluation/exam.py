"""All kinds of questions, in-base and out-of-base, put to all lanes of a learner."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.evaluation.absent import absent_out_of_base
from simulate.evaluation.drawing import QuestionKind, QuestionSource
from simulate.evaluation.grading import MEASURES, grade
from simulate.evaluation.query_groups import QueryGroup, query_groups
from simulate.learner import LearnedBlock
from simulate.protocols import Needs
from theory.setting import AnyTask
from theory.setting.label_flip import flip_where_possible

Array = NDArray[np.float64]

BASES = ("in-base", "out-of-base")
CONTEXTS = ("relevant", "irrelevant")
LARGEST_CHUNK = 1 << 22
"""Numbers that one array of label laws may have."""


class OnlineLearner(Protocol):
    """What can be trained and asked; :class:`simulate.learner.Learner` is one."""

    lanes: int

    def advance(self, block: PromptBlock) -> LearnedBlock:
        """Predict and learn, row by row."""
        ...

    def label_laws(self, block: PromptBlock) -> tuple[Array, Array, Array]:
        """Laws of g and h, shape (rows, lanes, labels), and the gate, shape (rows, lanes); nothing is learned."""
        ...


class CellName(NamedTuple):
    """Place in the grid of questions."""

    base: str
    context: str
    group: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Exam:
    """The same questions whenever it is taken: learners are compared, over time too, on common random numbers.

    Out-of-base questions are the in-base ones with all labels, of context and query, moved to the next label of their
    frequency group: what the weights know is wrong then, and only copying can be right. A group whose only label has
    nowhere to go is asked in-base alone, and so are all where every episode has labels of its own.

    Parameters
    ----------
    task : TaskDistribution or EpisodeDistribution
        What the world is like. Whether a context is relevant is part of the question here, whatever ``p_relevant``.
    replicates, seed : int
        Every replicate has questions of its own, and the same ones in a larger run.
    prompts : int
        Questions in each cell of the grid.
    needs : {"labels", "inputs"}
        What the learner reads of a prompt.
    """

    task: AnyTask
    replicates: int
    seed: int
    prompts: int
    needs: Needs = "labels"

    @cached_property
    def groups(self) -> tuple[QueryGroup, ...]:
        """Groups of queries."""
        return query_groups(self.task)

    @cached_property
    def absent(self) -> dict[str, str]:
        """Groups without out-of-base questions, and why."""
        return absent_out_of_base(self.task)

    @cached_property
    def cells(self) -> tuple[CellName, ...]:
        """Names of the grid's cells, in the order of :meth:`marks`."""
        grid = (CellName(*names) for names in product(BASES, CONTEXTS, [group.name for group in self.groups]))
        return tuple(name for name in grid if name.base == "in-base" or name.group not in self.absent)

    def marks(self, learner: OnlineLearner) -> Array:
        """Mean of every measure over the questions, shape (cells, measures, replicates); the learner stays as it is."""
        sums = {name: np.zeros((len(MEASURES), self.replicates)) for name in self.cells}
        for number, (context, group) in enumerate(product(CONTEXTS, self.groups)):
            kind = QuestionKind(number=number, relevant=context == "relevant", group=group)
            source = QuestionSource(self.task, kind, self.replicates, self.seed, self.needs)
            for rows in chunks(self.prompts, self._rows):
                questions = source.draw(rows)
                for base in BASES:
                    name = CellName(base, context, group.name)
                    if name in sums:
                        asked = questions if base == "in-base" else questions.moved(self._new_label)
                        sums[name] += grade(asked, *learner.label_laws(asked.prompts))
        return np.stack([sums[name] for name in self.cells]) / self.prompts

    @cached_property
    def _new_label(self) -> NDArray[np.intp]:
        return np.asarray(flip_where_possible(self.task), dtype=np.intp)

    @property
    def _rows(self) -> int:
        """Questions at a time, so that memory stays bounded."""
        width = max(self.task.total_labels, self.width)
        return max(1, LARGEST_CHUNK // (self.replicates * width))

    @property
    def width(self) -> int:
        """Numbers that the largest array of prompts has for each of them."""
        inputs = getattr(self.task, "inputs", None)
        dimension = getattr(inputs, "dimension", 1) if self.needs == "inputs" else 1
        return int(self.task.context_length * dimension)


def chunks(total: int, largest: int) -> list[int]:
    """Sizes of the parts of ``total``, none above ``largest``.

    Examples
    --------
    >>> chunks(10, 4), chunks(0, 4)
    ([4, 4, 2], [])
    """
    whole, rest = divmod(total, largest)
    return [largest] * whole + [rest] * (rest > 0)
