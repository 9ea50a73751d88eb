# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring in a file: from the file browser, dropped onto the window, or by the command; checked before it is imported."""

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import StringProperty

from ..assets.bring import SUFFIXES
from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.jobs import JobStore
from ..pipeline.project import ShotFolder
from ..pipeline.store import hash_file
from . import asset_choice, asset_form, asset_watch, assets, locate, remote_jobs, session
from .actions import _can_run as can_run
from .asset_identity import UNKNOWN, Identity
from .asset_read import safe_name
from .asset_remote import BRING, pool_of
from .steps import Progress, Stage, StageGenerator, StageOptions, StageState, WorkerTask

Result = set[str]
FROM_FILE = "file"
"""The provider of what came from a file."""
GLOB = ";".join(f"*{suffix}" for suffix in SUFFIXES)


def stage_of(path: Path, name: str = "", licence: str = "") -> Stage:
    """The stage that brings a file in; ``name`` of the asset (empty: the file's), ``licence`` as a person says it."""

    def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
        if not path.is_file():
            raise InputError("There is no such file", where=str(path), todo="Choose it again.")
        digest = hash_file(path)
        title = safe_name(name or path.stem, "part")
        slug = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-")[:40] or "mesh"
        identity = Identity(FROM_FILE, "", "", {}, licence or UNKNOWN, "", path.name)
        data = {
            "name": title,
            "label": path.name,
            "job": "",
            "model": "",
            "draft": False,
            "of": "",
            "identity": identity.to_json(),
        }
        request = {
            "files": [str(path)],
            "out": str(pool_of(shot) / f"{slug}-{digest[:8]}"),
            "data": data,
            "inputs": {},
        }
        brought = yield WorkerTask(BRING, request, (0.0, 0.7))
        yield Progress(0.7, "Bringing it into the scene")
        says = use(scene, shot, str(brought["id"]), title)
        yield Progress(1.0, says)
        return asset_choice.item(shot, str(brought["id"]))

    return Stage("assets", "Bring in", run, lambda scene, shot: StageState("missing"), edits_scene=True)


def use(scene: bpy.types.Scene, shot: ShotFolder, name: str, title: str = "") -> str:
    """Brings a mesh of the pool into the scene; what a remote model made becomes the stage's asset. Returns a sentence.

    Raises InputError.
    """
    item = asset_choice.item(shot, name)
    if item.data.get("model") and scene.holdfast.assets.provider != "offline":
        manifest = assets.choose(scene, shot, name)
        notes, many = manifest.data["notes"], len(manifest.data["assets"][0]["parts"])
    else:
        wish = asset_form.wish_of(scene, title or str(item.data["name"]))
        brought = asset_choice.bring(scene, shot, name, wish)
        notes, many = [*item.data["facts"]["notes"], *brought.notes], len(brought.objects)
    asset_watch.told(name, notes)
    _applied(str(item.data.get("job", "")))
    parts = "1 object" if many == 1 else f"{many} objects"
    return f"{item.data.get('label') or name}: {parts}." + "".join(
        f" {note[:1].upper()}{note[1:]}." for note in notes
    )


def _applied(job: str) -> None:
    """The result of a job was used. One that the index has lost is none the worse for it."""
    if job:
        store = JobStore(locate.project().root)
        with suppress(HoldfastError):
            remote_jobs.apply(store, [store.get(job)])


class HOLDFAST_OT_bring_in(bpy.types.Operator):
    """Brings a mesh file into the shot."""

    bl_idname = "holdfast.bring_in"
    bl_label = "Bring in a File"
    bl_description = (
        "Bring in a mesh made anywhere (GLB, glTF, FBX, OBJ, USD, STL, PLY): it is checked, copied into the project, "
        "and stands in the scene at the size and with the origin that are set in Assets"
    )
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        filepath: str
        directory: str
        filter_glob: str
        licence: str
    else:
        filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})
        directory: StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
        filter_glob: StringProperty(default=GLOB, options={"HIDDEN"})
        licence: StringProperty(
            name="Licence",
            description="What you may do with it, and whose it is; kept with the mesh",
            options={"SKIP_SAVE"},
        )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_run(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        if self.filepath:  # dropped onto the window
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            path = Path(bpy.path.abspath(self.filepath))
            session.enqueue(context.scene, [stage_of(path, licence=self.licence.strip())], StageOptions())
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class HOLDFAST_FH_mesh(bpy.types.FileHandler):
    """Mesh files that are dropped onto a 3D view. Blender asks where its own importers take the same kind of file."""

    bl_idname = "HOLDFAST_FH_mesh"
    bl_label = "Holdfast: Checked, at Real Size"
    bl_import_operator = HOLDFAST_OT_bring_in.bl_idname
    bl_file_extensions = ";".join(SUFFIXES)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return bool(bpy.data.filepath) and context.area is not None and context.area.type == "VIEW_3D"


CLASSES = (HOLDFAST_OT_bring_in, HOLDFAST_FH_mesh)
