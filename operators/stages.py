# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages in order. Panel, command line and farm all read this one table."""

from ..pipeline.errors import UsageError
from . import assets, finish, ideate, physics, repair, style, truth, validate
from .steps import Stage

STAGES: tuple[Stage, ...] = (
    ideate.STAGE,
    assets.STAGE,
    physics.STAGE,
    truth.STAGE,
    style.STAGE,
    validate.STAGE,
    repair.STAGE,
    finish.STAGE,
)


def stage_named(name: str) -> Stage:
    """The stage called ``name``. Raises UsageError with the names that there are."""
    for stage in STAGES:
        if stage.name == name:
            return stage
    names = ", ".join(stage.name for stage in STAGES)
    raise UsageError(f"There is no stage {name!r}", todo=f"The stages are {names}.")


def stages_through(name: str) -> tuple[Stage, ...]:
    """All stages up to and including ``name``."""
    return STAGES[: STAGES.index(stage_named(name)) + 1]
