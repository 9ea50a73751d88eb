# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages in order. Panel, command line and farm all read this one table."""

import time
from contextlib import suppress
from pathlib import Path

import bpy

from ..pipeline.errors import Cancelled, HoldfastError, UsageError
from ..pipeline.ledger import Ledger
from ..pipeline.project import ShotFolder
from ..pipeline.store import read_json, write_json
from . import assets, clips, finish, ideate, locate, masks_remote, physics, repair, style, truth, validate
from .steps import Stage, StageGenerator, StageOptions, StageState

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
SIDE_STAGES: tuple[Stage, ...] = (clips.STAGE, masks_remote.STAGE)
"""Made on demand, beside the order."""


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


def running(stage: Stage, scene: bpy.types.Scene, options: StageOptions) -> StageGenerator:
    """The stage's generator, with its outcome kept: failures for the panel, what was made for the ledger."""
    shot = locate.shot_of(scene)
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        manifest = yield from stage.run(scene, shot, options)
    except Cancelled:
        raise
    except HoldfastError as error:
        if shot.root.is_dir():
            with suppress(HoldfastError):  # a full disk must not hide the reason
                write_json(_failure(shot, stage), {"sentence": str(error), "code": int(error.exit_code)})
        raise
    _failure(shot, stage).unlink(missing_ok=True)
    if manifest.made["at"] >= started:  # a fresh result is older
        fields = {"stage": stage.name, "schema": manifest.schema, "digest": manifest.digest}
        Ledger(locate.project().ledger).record("made", shot=shot.name, inputs=dict(manifest.inputs), **fields)
    return manifest


def state_of(stage: Stage, scene: bpy.types.Scene) -> StageState:
    """What the panel and ``status`` say of a stage. Raises HoldfastError if there is no project yet."""
    shot = locate.shot_of(scene)
    failure = _failure(shot, stage)
    try:
        if failure.exists():
            return StageState("failed", str(read_json(failure)["sentence"]))
        return StageState(*stage.state(scene, shot))
    except HoldfastError as error:
        return StageState("failed", str(error))


def _failure(shot: ShotFolder, stage: Stage) -> Path:
    return shot.root / f"{stage.name}.failed.json"
