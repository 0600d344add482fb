"""Groups of classes that cannot be asked out-of-base, and why."""

from __future__ import annotations

from simulate.evaluation.query_groups import query_groups
from theory.setting import AnyTask
from theory.setting.label_flip import flip_where_possible

RELABELLED = "every episode has labels of its own: the weights know nothing that a move of labels would undo"
ALONE = "it has a single label, which has no other one of its group to move to"


def absent_out_of_base(task: AnyTask) -> dict[str, str]:
    """Reasons why groups of queries have no out-of-base questions, by the group's name; empty where all have some.

    Parameters
    ----------
    task : TaskDistribution or EpisodeDistribution
        What the world is like.

    Examples
    --------
    >>> from theory.setting import TaskDistribution
    >>> absent_out_of_base(TaskDistribution(num_high=1, num_low=3, p_high=0.9))
    {'high': 'it has a single label, which has no other one of its group to move to'}
    """
    groups = query_groups(task)
    if getattr(getattr(task, "labels", None), "relabel", "none") in {"permutation", "few-shot"}:
        return dict.fromkeys((group.name for group in groups), RELABELLED)
    new_label = flip_where_possible(task)
    own = {group.name: group.classes % task.total_labels for group in groups}
    return {name: ALONE for name, labels in own.items() if (new_label[labels] == labels).any()}
