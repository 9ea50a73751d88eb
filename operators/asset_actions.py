# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist does with meshes: ask for them, use one, pay for the final of a draft, choose pictures and models."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, IntProperty, StringProperty

from ..pipeline.errors import HoldfastError
from ..pipeline.project import ShotFolder
from ..properties_assets import VIEWS
from . import asset_drawn, asset_file, asset_form, asset_remote, asset_watch, locate, state_cache, window
from .actions import _can_run as can_run

Result = set[str]
PICTURE_GLOB = "*.png;*.jpg;*.jpeg;*.webp"


class _Working:
    """An operator on the shot; what goes wrong is one sentence."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_run(cls, context)  # type: ignore[arg-type]

    def execute(self, context: bpy.types.Context) -> Result:
        operator: Any = self
        try:
            says = self.work(context, locate.shot_of(context.scene))
        except HoldfastError as error:
            operator.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        operator.report({"INFO"}, says)
        asset_watch.show_soon()
        state_cache.on_change()
        window.redraw()
        return {"FINISHED"}

    def work(self, context: bpy.types.Context, shot: ShotFolder) -> str:
        raise NotImplementedError


class HOLDFAST_OT_ask_meshes(_Working, bpy.types.Operator):
    """Asks the chosen models."""

    bl_idname = "holdfast.ask_meshes"
    bl_label = "Ask for Meshes"
    bl_description = (
        "Send the pictures and the words to the chosen models. Meshes appear below as they come; nothing waits, and "
        "what was asked for before is not paid for again"
    )
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        force: bool
    else:
        force: BoolProperty(name="Again", description="Ask and pay for the same again", options={"SKIP_SAVE"})

    def work(self, context: bpy.types.Context, shot: ShotFolder) -> str:
        scene = context.scene
        pictures = asset_form.pictures_of(scene, asset_form.concepts_of(shot), shot.concepts)
        asks = asset_form.asks_of(scene, pictures)
        asset_remote.asking(scene, shot, asks, self.force)
        return f"{len(asks)} {'mesh is' if len(asks) == 1 else 'meshes are'} on the way."


class HOLDFAST_OT_refine_mesh(_Working, bpy.types.Operator):
    """Pays for the final of a draft."""

    bl_idname = "holdfast.refine_mesh"
    bl_label = "Refine"
    bl_description = "Send this draft to be painted and finished; it costs what the button says"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        item: str
    else:
        item: StringProperty(options={"HIDDEN"}, description="Id of the mesh in the pool")

    def work(self, context: bpy.types.Context, shot: ShotFolder) -> str:
        asset_remote.asking(context.scene, shot, [asset_remote.refine_ask(context.scene, shot, self.item)])
        return "The final is on its way."


class HOLDFAST_OT_use_mesh(_Working, bpy.types.Operator):
    """Brings a mesh of the list into the scene."""

    bl_idname = "holdfast.use_mesh"
    bl_label = "Use"
    bl_description = (
        "Bring this mesh into the scene, at the size and with the origin that are set above; the one that it "
        "replaces stays in the list"
    )
    bl_options = {"UNDO", "INTERNAL"}

    if TYPE_CHECKING:
        item: str
    else:
        item: StringProperty(options={"HIDDEN"}, description="Id of the mesh in the pool")

    def work(self, context: bpy.types.Context, shot: ShotFolder) -> str:
        return asset_file.use(context.scene, shot, self.item)


class HOLDFAST_OT_add_mesh_pictures(bpy.types.Operator):
    """Adds pictures to the form."""

    bl_idname = "holdfast.add_mesh_pictures"
    bl_label = "Add Pictures"
    bl_description = "Choose one picture or several of the thing, from one side or from many"
    bl_options = {"UNDO", "INTERNAL"}

    if TYPE_CHECKING:
        files: Any
        directory: str
        filter_glob: str
    else:
        files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})
        directory: StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
        filter_glob: StringProperty(default=PICTURE_GLOB, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        settings = context.scene.holdfast.assets
        known = {view for view, _label, _says in VIEWS}
        for each in self.files:
            path = Path(self.directory) / each.name
            row = settings.pictures.add()
            row.path = str(path)
            told = [word for word in path.stem.lower().replace("-", "_").split("_") if word in known]
            taken = {other.view for other in settings.pictures[:-1]}
            row.view = told[-1] if told else "main" if "main" not in taken and not told else "front"
        window.redraw()
        return {"FINISHED"}


class HOLDFAST_OT_remove_mesh_picture(bpy.types.Operator):
    """Takes a picture off the form."""

    bl_idname = "holdfast.remove_mesh_picture"
    bl_label = "Take Off"
    bl_description = "Do not send this picture; its file stays"
    bl_options = {"UNDO", "INTERNAL"}

    if TYPE_CHECKING:
        index: int
    else:
        index: IntProperty(options={"HIDDEN"}, description="Which of the pictures")

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        context.scene.holdfast.assets.pictures.remove(self.index)
        return {"FINISHED"}


def _offered(_operator: object, _context: object) -> list[tuple[str, str, str]]:
    """Kept, since Blender does not."""
    found = [(name, name, "") for name in asset_form.names()[1:]]
    if found != _kept:
        _kept[:] = found
    return _kept


_kept: list[tuple[str, str, str]] = []


class HOLDFAST_OT_compare_model(bpy.types.Operator):
    """Asks one more model."""

    bl_idname = "holdfast.compare_model"
    bl_label = "Compare with"
    bl_description = "Ask another model the same, to compare what they make"
    bl_options = {"UNDO", "INTERNAL"}
    bl_property = "model"

    if TYPE_CHECKING:
        model: str
    else:
        model: EnumProperty(name="Model", description="Another model", items=_offered)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        context.window_manager.invoke_search_popup(self)
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        settings = context.scene.holdfast.assets
        if self.model != settings.provider and self.model not in settings.compare:
            settings.compare.add().name = self.model
        window.redraw()
        return {"FINISHED"}


class HOLDFAST_OT_drop_model(bpy.types.Operator):
    """Asks one model less."""

    bl_idname = "holdfast.drop_model"
    bl_label = "Do Not Ask"
    bl_description = "Do not ask this model"
    bl_options = {"UNDO", "INTERNAL"}

    if TYPE_CHECKING:
        model: str
    else:
        model: StringProperty(options={"HIDDEN"}, description="Id of the model")

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        rows = context.scene.holdfast.assets.compare
        index = rows.find(self.model)
        if index >= 0:
            rows.remove(index)
        return {"FINISHED"}


class HOLDFAST_OT_fit_mesh_options(bpy.types.Operator):
    """Makes the rows, in a file that chose its model before there were any."""

    bl_idname = "holdfast.fit_mesh_options"
    bl_label = "Show Options"
    bl_description = "Show the options that this model alone has"
    bl_options = {"UNDO", "INTERNAL"}

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        asset_drawn.fit(context.scene.holdfast.assets)
        return {"FINISHED"}


CLASSES = (
    HOLDFAST_OT_ask_meshes,
    HOLDFAST_OT_refine_mesh,
    HOLDFAST_OT_use_mesh,
    HOLDFAST_OT_add_mesh_pictures,
    HOLDFAST_OT_remove_mesh_picture,
    HOLDFAST_OT_compare_model,
    HOLDFAST_OT_drop_model,
    HOLDFAST_OT_fit_mesh_options,
)
