# SPDX-License-Identifier: GPL-3.0-or-later
"""Import take: a film or folder of pictures made anywhere becomes a take; what it shows is found, a person confirms."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import bpy
from bpy.props import EnumProperty, StringProperty

from ..pipeline.context import Context
from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder, check_name
from ..pipeline.reporting import Reporter
from ..pipeline.take import SCHEMA
from ..pipeline.truth import made as made_truth
from ..validation.imported import FOUND, SAID, choose
from . import locate, session, state_cache
from .clip_actions import can_start
from .drive import run_blocking
from .steps import Stage, StageGenerator, StageOptions, StageState, WorkerTask

Result = set[str]
WORKER = "validation.imported:run"
CHOICES: Final = (
    (FOUND.upper(), "As Found", "Use the frames that the pictures show"),
    (SAID.upper(), "By Its Rate", "Use the frames that its frame rate says, from the first on"),
)


def stage_of(footage: Path, about: Mapping[str, Any]) -> Stage:
    """The stage that imports ``footage``; ``about``: provider, model, seed, look as far as a person tells them."""

    def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
        made_truth(shot.truth, "to compare the take with")
        if not footage.exists():
            raise InputError("There is no such film or folder", where=str(footage))
        name = check_name(options.take, "take") if options.take else shot.next_take()
        if (shot.takes / name / "take.json").exists():
            raise InputError(f"There is a take {name} already", where=shot.name, todo="Choose another name.")
        request = {
            "truth": str(shot.truth),
            "footage": str(footage),
            "out": str(shot.takes / name),
            "take": name,
            **about,
        }
        yield WorkerTask(WORKER, request)
        return Manifest.load(shot.takes / name / "take.json", SCHEMA)

    return Stage("import", "Import take", run, lambda scene, shot: StageState("missing"), verb="Import")


def waiting(shown: state_cache.Shown) -> Mapping[str, Any] | None:
    """What was found in the take that is looked at, if nobody has confirmed it yet."""
    take = shown.takes.get(shown.take)
    record = take.data.get("import") if take is not None else None
    return record if record and not record["chosen"] else None


class HOLDFAST_OT_import_take(bpy.types.Operator):
    """Brings in a film, or a folder of pictures, that was made elsewhere."""

    bl_idname = "holdfast.import_take"
    bl_label = "Import Take"
    bl_description = (
        "Bring in a film or numbered pictures made anywhere; which frames of the shot it shows is found"
    )

    if TYPE_CHECKING:
        filepath: str
        directory: str
        filter_glob: str
        provider: str
    else:
        filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})
        directory: StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
        filter_glob: StringProperty(
            default="*.mp4;*.mov;*.webm;*.mkv;*.m4v;*.png;*.jpg;*.jpeg;*.tif;*.tiff", options={"HIDDEN"}
        )
        provider: StringProperty(
            name="Made With", description="Service and model, kept with the take; may be empty"
        )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_start(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        chosen = Path(bpy.path.abspath(self.filepath or self.directory))
        numbered = chosen.suffix.lower() in (".png", ".jpg", ".jpeg", ".tif", ".tiff")
        footage = chosen.parent if numbered else chosen  # one of its pictures stands for the folder
        try:
            about = {"provider": self.provider} if self.provider else {}
            session.enqueue(context.scene, [stage_of(footage, about)], StageOptions())
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class HOLDFAST_OT_confirm_take(bpy.types.Operator):
    """Says which frames of the shot an imported take shows."""

    bl_idname = "holdfast.confirm_take"
    bl_label = "Confirm Frames"
    bl_description = "Say which frames of the shot the imported take shows; Validate measures through them"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        which: str
    else:
        which: EnumProperty(name="Frames", description="Which frame map to use", items=CHOICES)

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        shown = state_cache.shown(context.scene)
        try:
            choose(locate.shot_of(context.scene).takes / shown.take, self.which.lower())
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        state_cache.refresh(context.scene)
        return {"FINISHED"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("footage", type=Path, help="a film, or a folder of numbered pictures")
    parser.add_argument("--take", help="its name as a take (default: the next free one)")
    parser.add_argument("--provider", default="", help="what it was made with")
    parser.add_argument("--model", default="", help="and with which model")
    parser.add_argument("--seed", type=int, help="its seed, if known")
    parser.add_argument("--frames-by", choices=(FOUND, SAID), default="", help="which frame map to use: the one found in the pictures, "
                        "or the one its rate says (default: its rate's; what was found is printed)")  # fmt: skip


def run_command(scene: bpy.types.Scene, given: argparse.Namespace, reporter: Reporter) -> None:
    """Imports in the foreground and prints what was found. Raises InputError, StorageError."""
    about = {
        name: getattr(given, name)
        for name in ("provider", "model", "seed")
        if getattr(given, name) not in ("", None)
    }
    shot = locate.shot_of(scene)
    context = Context(lambda share, says: reporter.progress("import", share, says), reporter.log)
    manifest = run_blocking(
        stage_of(given.footage.absolute(), about).run(scene, shot, StageOptions(take=given.take)), context
    )
    record = manifest.data["import"]
    if given.frames_by:
        choose(shot.takes / manifest.data["take"], given.frames_by)
    for sentence in record["says"]:
        reporter.log(sentence)
    reporter.event(
        "imported", take=manifest.data["take"], says=record["says"], differs=record[SAID] != record[FOUND]
    )


CLASSES = (HOLDFAST_OT_import_take, HOLDFAST_OT_confirm_take)
