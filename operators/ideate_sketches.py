# SPDX-License-Identifier: GPL-3.0-or-later
"""Sketches from the clipboard, from Grease Pencil and from the viewport: each becomes a picture in the shot's concepts."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import cv2
import gpu
import numpy as np
from PIL import Image, ImageGrab

from .. import compat
from ..clients.idea_ink import ink, plane_of
from ..clients.idea_pictures import cleaned
from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.pictures import U8
from ..pipeline.store import write_bytes
from . import locate, state_cache
from .editing import HOLDFAST_OT_add_sketches

Result = set[str]
FOLDER = "sketches"
MOST_MM = 100000.0
FRONT = np.array([0.0, -1.0, 0.0])
LONGEST_VIEW_PX = 1600


def add(scene: bpy.types.Scene, data: bytes, suffix: str, name: str, height_mm: float = 0.0) -> Path:
    """Keeps a picture under its hash in the shot's concepts and puts it on the list. Raises InputError, StorageError."""
    path = locate.shot_of(scene).concepts / FOLDER / f"{hashlib.sha256(data).hexdigest()[:16]}{suffix}"
    if not path.exists():
        write_bytes(path, data)
    settings = scene.holdfast
    taken = {sketch.name for sketch in settings.sketches}
    base = bpy.path.clean_name(name)[:48].strip("_-.") or "sketch"
    base = base if base[0].isalnum() else f"s_{base}"
    free = next(each for each in (base, *(f"{base}_{n}" for n in range(2, 1000))) if each not in taken)
    sketch = settings.sketches.add()
    sketch.name, sketch.path = free, locate.beside(path)
    if 1.0 <= height_mm <= MOST_MM:
        sketch.height_mm = height_mm
    settings.active_sketch = len(settings.sketches) - 1
    state_cache.on_change()
    return path


def from_clipboard(text: str) -> tuple[bytes, str]:
    """The picture on the clipboard, or in the file that its text names. Raises InputError if there is none."""
    todo = "Copy a picture, or a picture's file, then try again."
    try:
        found: Any = ImageGrab.grabclipboard()
    except (NotImplementedError, OSError, ChildProcessError) as error:
        found, todo = None, f"{todo} This computer may not hand pictures on ({error})."
    if isinstance(found, list) and found:
        text = str(found[0])
    elif isinstance(found, Image.Image):
        return _bytes_of(found)
    path = Path(text.strip().strip('"').removeprefix("file://"))
    try:
        there = bool(text.strip()) and len(text) < 4096 and path.is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        raise InputError("There is no picture on the clipboard", todo=todo)
    data, suffix, _size = cleaned(path, 1 << 14, 1 << 28)
    return data, suffix


def _bytes_of(picture: Image.Image) -> tuple[bytes, str]:
    rgba = picture.convert("RGBA")
    paper = Image.new("RGB", rgba.size, (255, 255, 255))
    paper.paste(rgba, mask=rgba.getchannel("A"))
    return _png(np.asarray(paper, np.uint8)), ".png"


def _png(rgb: U8) -> bytes:
    _done, data = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return data.tobytes()


def from_pencil(thing: bpy.types.Object, towards: np.ndarray = FRONT) -> tuple[bytes, float]:
    """A Grease Pencil object as ink on paper, seen square to the plane that it was drawn in from the side of ``towards``, and
    its real height in millimetres. Raises InputError if nothing is drawn."""
    world = np.array(thing.matrix_world)
    scale = float(np.cbrt(abs(np.linalg.det(world[:3, :3]))))
    strokes = []
    for points, radii, closed in compat.pencil_strokes(thing):
        at = np.array([tuple(point) for point in points], np.float64).reshape(-1, 3)
        strokes.append((at @ world[:3, :3].T + world[:3, 3], np.array(radii, np.float64) * scale, closed))
    every = np.concatenate([points for points, _, _ in strokes]) if strokes else np.zeros((0, 3))
    right, up, _normal = plane_of(every, towards)
    picture, size = ink(strokes, right, up)
    return _png(picture), size[1] * 1000.0


def from_view(context: bpy.types.Context) -> bytes:
    """What the 3D viewport shows, without overlays. Raises InputError without a viewport or a graphics card."""
    area = context.area
    region = next((each for each in area.regions if each.type == "WINDOW"), None) if area else None
    if area is None or area.type != "VIEW_3D" or region is None or bpy.app.background:
        raise InputError("There is no 3D viewport to take a picture of", todo="Do it in Blender's window.")
    space: Any = area.spaces.active
    scale = LONGEST_VIEW_PX / max(region.width, region.height)
    width, height = max(2, round(region.width * scale)), max(2, round(region.height * scale))
    view = space.region_3d
    kind: Any = gpu.types.GPUOffScreen
    screen = kind(width, height)
    try:
        with _without_overlays(space):
            screen.draw_view3d(
                context.scene, context.view_layer, space, region, view.view_matrix, view.window_matrix,
                do_color_management=True,
            )  # fmt: skip
        raw = screen.texture_color.read()
        raw.dimensions = width * height * 4
        pixels = np.array(raw, np.float32).reshape(height, width, 4)
    finally:
        screen.free()
    if pixels.max() > 1.5:  # some drivers hand bytes back
        pixels = pixels / 255.0
    return _png(np.ascontiguousarray(np.clip(pixels[::-1, :, :3] * 255.0 + 0.5, 0, 255).astype(np.uint8)))


@contextmanager
def _without_overlays(space: Any) -> Iterator[None]:
    before = space.overlay.show_overlays
    space.overlay.show_overlays = False
    try:
        yield
    finally:
        space.overlay.show_overlays = before


class _FromSomewhere:
    """An operator that adds one sketch; what goes wrong is one sentence."""

    bl_options = {"UNDO", "INTERNAL"}

    def execute(self, context: bpy.types.Context) -> Result:
        try:
            self.take(context)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))  # type: ignore[attr-defined]
            return {"CANCELLED"}
        return {"FINISHED"}

    def take(self, context: bpy.types.Context) -> None:
        raise NotImplementedError


class HOLDFAST_OT_sketch_from_clipboard(_FromSomewhere, bpy.types.Operator):
    """Takes the picture on the clipboard as a sketch."""

    bl_idname = "holdfast.sketch_from_clipboard"
    bl_label = "From the Clipboard"
    bl_description = "Add the picture on the clipboard, or the picture file whose path was copied"

    def take(self, context: bpy.types.Context) -> None:
        data, suffix = from_clipboard(context.window_manager.clipboard)
        add(context.scene, data, suffix, "clipboard")


class HOLDFAST_OT_sketch_from_pencil(_FromSomewhere, bpy.types.Operator):
    """Takes a Grease Pencil drawing as a sketch."""

    bl_idname = "holdfast.sketch_from_pencil"
    bl_label = "From Grease Pencil"
    bl_description = "Add the active Grease Pencil object as ink on paper, seen square to its plane; its real height goes with it"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not compat.is_pencil(context.object):
            cls.poll_message_set("Select a Grease Pencil object first")
            return False
        return True

    def take(self, context: bpy.types.Context) -> None:
        space: Any = context.space_data
        towards = FRONT
        if getattr(space, "region_3d", None) is not None:
            towards = np.array(space.region_3d.view_rotation.to_matrix().col[2], np.float64)
        data, height_mm = from_pencil(context.object, towards)
        add(context.scene, data, ".png", context.object.name, height_mm)


class HOLDFAST_OT_sketch_from_view(_FromSomewhere, bpy.types.Operator):
    """Takes the viewport as a sketch."""

    bl_idname = "holdfast.sketch_from_view"
    bl_label = "From the Viewport"
    bl_description = "Add a picture of what this 3D viewport shows, without its overlays"

    def take(self, context: bpy.types.Context) -> None:
        add(context.scene, from_view(context), ".png", "view")


class HOLDFAST_FH_sketches(bpy.types.FileHandler):
    """Pictures that are dropped onto the sidebar become sketches; anywhere else Blender does with them what it does."""

    bl_idname = "HOLDFAST_FH_sketches"
    bl_label = "Holdfast sketches"
    bl_import_operator = HOLDFAST_OT_add_sketches.bl_idname
    bl_file_extensions = ".png;.jpg;.jpeg;.webp;.tif;.tiff;.bmp"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        area, region = context.area, context.region
        return area is not None and area.type == "VIEW_3D" and region is not None and region.type == "UI"


CLASSES = (
    HOLDFAST_OT_sketch_from_clipboard,
    HOLDFAST_OT_sketch_from_pencil,
    HOLDFAST_OT_sketch_from_view,
    HOLDFAST_FH_sketches,
)
