"""Checked settings from nested dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from theory.errors import SettingError, unknown_name
from theory.setting import AnyTask, GatedPredictor, TaskDistribution, task_of
from theory.setting_file.episode_tables import assemble_episodes
from theory.setting_file.parts import PARTS, checked_table, made_of_kind

TASK_KEYS = tuple(f.name for f in fields(TaskDistribution))
SECTIONS = ("task", "episodes", "model")
Setting = dict[str, dict[str, Any]]


def assemble(setting: Mapping[str, Any]) -> tuple[AnyTask, GatedPredictor]:
    """Checked task (or episode distribution) and model from nested dictionaries."""
    for section in setting:
        if section not in SECTIONS:
            raise unknown_name("section", section, SECTIONS)
    model = checked_table("model", setting.get("model", {}))
    for role in model:
        if role not in PARTS:
            raise unknown_name("model part", role, PARTS)
    parts = {
        role: made_of_kind(f"model.{role}", PARTS[role], checked_table(f"model.{role}", model.get(role, {})))
        for role in PARTS
    }
    return _world(setting), GatedPredictor(**parts)


def assemble_task(setting: Mapping[str, Any]) -> tuple[TaskDistribution, GatedPredictor]:
    """The same where there has to be theory: an episode distribution has to be a task in other clothes.

    Raises
    ------
    NoTheoryError
        It is none.
    """
    task, model = assemble(setting)
    return task_of(task), model


def _world(setting: Mapping[str, Any]) -> AnyTask:
    if "episodes" in setting:
        if "task" in setting:
            raise SettingError("section", "task", "either [task] or [episodes], not both")
        return assemble_episodes(checked_table("episodes", setting["episodes"]))
    task = checked_table("task", setting.get("task", {}))
    for key in task:
        if key not in TASK_KEYS:
            raise unknown_name("task key", key, TASK_KEYS)
    return TaskDistribution(**task)
