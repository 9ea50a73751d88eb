# SPDX-License-Identifier: GPL-3.0-or-later
"""What a render of one frame is made of: every object and instance, with its matrix and, if asked, its mesh.

Blender evaluates a scene in another way for renders than for the window (levels of subdivision, what is hidden, counts
of instances), and hands that to render engines alone. So an engine of our own is registered for one render of a few
pixels, reads, and draws nothing.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ..pipeline.errors import InputError
from ..pipeline.truth import F64
from .drawn import COVERING, MESHED
from .geometry import Geometry, read_geometry
from .throwaway import MARK, copy_of, engines, rendered_layers

_READS = "holdfast_reads"
_READER = "HOLDFAST_READER"
_NO_LEVEL = 0x7FFFFFFF
_KINDS = {"CURVES": "hair", "POINTCLOUD": "a point cloud"}
_LINES = ("CURVE", "SURFACE", "FONT")
_RAYS = ("camera", "diffuse", "glossy", "transmission", "volume_scatter", "shadow")


@dataclass(frozen=True)
class Entry:
    """Something drawn: ``maker`` itself (``instance`` is None), or one of its instances by its persistent id.

    ``type`` is that of the object drawn, ``matrix`` (4, 4) float64 its world matrix in metres, ``flags`` what decides
    how rays see it, ``geometry`` its mesh where that was asked for, ``bounds`` the corners of its box (8, 3);
    ``empty`` is a mesh without faces.
    """

    maker: bpy.types.Object
    instance: tuple[int, ...] | None
    name: str
    type: str
    matrix: F64
    flags: dict[str, bool]
    geometry: Geometry | None
    bounds: F64
    empty: bool


def read(
    scene: bpy.types.Scene, meshes_of: Collection[bpy.types.Object] = (), later: float = 0.0
) -> list[Entry]:
    """Everything that covers pixels at the scene's current frame, with the meshes of the makers ``meshes_of``.

    ``later`` asks for another time, in frames from the current one; of throw-away scenes alone.

    Of a throw-away scene it is what a render makes of it, generators that were taken out of it by ``instances.realise``
    included; of the artist's own it is what the window shows, so that nothing is rendered.
    """
    found: dict[tuple[bpy.types.Object, tuple[int, ...] | None], Entry] = {}  # layers may show the same

    def look(depsgraph: bpy.types.Depsgraph) -> None:
        found.update({(each.maker, each.instance): each for each in _entries(depsgraph, meshes_of)})

    if scene.get(MARK):
        _render(_source(scene, later), look)
    else:
        for layer in rendered_layers(scene):
            look(layer.depsgraph)
    return list(found.values())


def keep_source(copy: bpy.types.Scene) -> None:
    """Makes the scene that is read in place of ``copy``, before anything is taken out of the copy."""
    _source(copy)


def _source(copy: bpy.types.Scene, later: float = 0.0) -> bpy.types.Scene:
    """The one untouched copy that is read, at the frame of ``copy``."""
    source = next((scene for scene in bpy.data.scenes if scene.get(_READS)), None)
    if source is None:
        source = copy_of(copy, "read")
        source[_READS] = True
        render = source.render
        render.use_compositing = render.use_freestyle = render.use_motion_blur = False
        render.resolution_x = render.resolution_y = 4
        render.resolution_percentage = 100
        render.use_persistent_data = True
    moment = copy.frame_current + copy.frame_subframe + later
    frame = math.floor(moment)
    if (source.frame_current, source.frame_subframe) != (frame, moment - frame):
        source.frame_set(frame, subframe=moment - frame)
    return source


def _render(scene: bpy.types.Scene, look: Callable[[bpy.types.Depsgraph], None]) -> None:
    """Has ``look`` see the scene as a render evaluates it."""
    failures: list[BaseException] = []

    def render(self: bpy.types.RenderEngine, depsgraph: bpy.types.Depsgraph) -> None:
        try:
            look(depsgraph)
        except BaseException as error:  # Blender would only print it
            failures.append(error)

    if not engines:
        members = {"bl_idname": _READER, "bl_label": "Holdfast", "render": render}
        engines.append(type(_READER, (bpy.types.RenderEngine,), members))
        bpy.utils.register_class(engines[0])
    reader: Any = engines[0]
    reader.render = render
    settings: Any = scene.render
    settings.engine = _READER
    with bpy.context.temp_override(scene=scene):  # its frame is the one that is rendered
        bpy.ops.render.render(scene=scene.name)
    if failures:
        raise failures[0]


def _entries(depsgraph: bpy.types.Depsgraph, meshes_of: Collection[bpy.types.Object]) -> list[Entry]:
    entries: list[Entry] = []
    meshes: dict[tuple[object, ...], Geometry] = {}
    lines: set[tuple[object, ...]] = set()
    each: Any
    for each in depsgraph.object_instances:
        thing, maker = each.object, each.parent if each.is_instance else each.object
        if thing.type not in COVERING or not each.show_self:
            continue
        key = tuple(n for n in each.persistent_id if n != _NO_LEVEL) if each.is_instance else ()
        if thing.type in _LINES:  # what is drawn of it is a mesh, which comes as an instance of its own
            lines.add((maker.original, thing.original, key))
            continue
        if (maker.original, thing.original, key[1:]) in lines:
            key = key[1:]
        geometry = None
        if maker.original in meshes_of:
            geometry = _shared(thing, meshes)
        flags = {
            f"visible_{ray}": getattr(thing, f"visible_{ray}") and getattr(maker, f"visible_{ray}")
            for ray in _RAYS
        }
        flags |= {
            name: getattr(thing, name) or getattr(maker, name) for name in ("is_holdout", "is_shadow_catcher")
        }
        matrix, box = np.array(each.matrix_world, np.float64), np.array(thing.bound_box, np.float64)
        empty = thing.type == "MESH" and not len(thing.data.polygons)
        entries.append(
            Entry(maker.original, key or None, thing.name, thing.type, matrix, flags, geometry, box, empty)
        )
    return entries


def _shared(thing: Any, meshes: dict[tuple[object, ...], Geometry]) -> Geometry:
    """The mesh of an evaluated object; one for all that share it. Raises InputError for what has none."""
    what = "" if thing.type in MESHED else _KINDS.get(thing.type, thing.type.lower())
    if any(system.settings.render_type == "PATH" for system in thing.particle_systems):
        what = "covered with hair"
    if what:
        todo = "Turn it into a mesh, give it a name that nothing else has, or mark the whole as one part."
        raise InputError(f"{thing.name} is {what}, which can't be told apart from others", todo=todo)
    materials = tuple(slot.material.original if slot.material else None for slot in thing.material_slots)
    key = (thing.type, thing.data.as_pointer(), materials)
    if key not in meshes:
        meshes[key] = read_geometry(thing, materials)
    return meshes[key]
