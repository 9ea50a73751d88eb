# SPDX-License-Identifier: GPL-3.0-or-later
"""States a peg or socket by one click on its side, or two: the second on the edge of its tip or rim."""

import json
from typing import TYPE_CHECKING, Any, Final

import bpy
import numpy as np
from bpy.props import BoolProperty, EnumProperty, FloatVectorProperty, StringProperty
from bpy_extras.view3d_utils import region_2d_to_origin_3d, region_2d_to_vector_3d
from mathutils import Vector

from ..physics import features, meshes
from ..physics.assembly import shoulder_hint
from ..physics.axis import find_cylinder
from ..physics.features import Feature
from ..physics.units import MM
from ..pipeline.errors import HoldfastError, InputError
from . import overlay, state_cache
from .moves import active_joint

Result = set[str]
SIDES: Final = (
    ("PEG", "Peg", "The part that goes in"),
    ("SOCKET", "Socket", "The part with the bore"),
)
EDGES: Final = {"PEG": "the edge of its tip", "SOCKET": "its rim"}


def find(ob: bpy.types.Object, side: str, point: Vector | None = None, end: Vector | None = None) -> Feature:
    """The peg or socket of an object from points in the world on its side and at its end. Raises InputError."""
    if ob.type != "MESH" or not ob.holdfast.is_part:
        raise InputError(f"{ob.name!r} is no part of this scene", todo="Mark the object as a part first.")
    mesh, home = meshes.original(ob), ob.matrix_world.inverted()
    picked, picked_end = (None if p is None else np.array(home @ p, dtype=np.float64) for p in (point, end))
    hint = shoulder_hint(ob) if end is None else None
    return find_cylinder(
        meshes.vertices(mesh), meshes.triangles(mesh), side.lower(), ob.name, hint, picked, picked_end
    )


def restated(text: str, part: str, feature: Feature, number: int) -> str:
    """What a part states, with ``feature`` in place of its ``number``-th one of that kind, or after the others.

    Raises InputError where what it states can't be read.
    """
    found = features.parse(text, part)
    same = [index for index, other in enumerate(found) if other.kind == feature.kind]
    if number < len(same):
        found[same[number]] = feature
    else:
        found.append(feature)
    records = [each.to_json() for each in found]
    return json.dumps(records[0] if len(records) == 1 else records)


def state(scene: bpy.types.Scene, ob: bpy.types.Object, side: str, feature: Feature) -> None:
    """States a feature on its object, and makes that the peg or socket of the active joint."""
    joint, number = active_joint(scene), 0
    if joint is not None:
        setattr(joint, side.lower(), ob)
        before = list(scene.holdfast.physics.joints)[: scene.holdfast.physics.active_joint]
        number = sum(getattr(other, side.lower()) == ob for other in before)
    ob[features.PROPERTY] = restated(ob.get(features.PROPERTY, "[]"), ob.name, feature, number)
    state_cache.on_change()


def words(ob: bpy.types.Object, feature: Feature) -> str:
    """What was found, in a sentence."""
    scale = float(np.array(ob.matrix_world.to_scale(), dtype=np.float64).mean()) / MM
    long = "long" if feature.kind == "peg" else "deep"
    radius, length = feature.radius * scale, feature.length * scale
    return f"{feature.kind.capitalize()} of {ob.name}: radius {radius:.2f} mm, {length:.2f} mm {long}"


class HOLDFAST_OT_pick_axis(bpy.types.Operator):
    """Finds the axis of a peg or socket where it is clicked."""

    bl_idname = "holdfast.pick_axis"
    bl_label = "Click the Axis"
    bl_description = (
        "Click the side of the peg or the wall of the bore in the viewport, and its axis is found there"
    )
    bl_options = {"UNDO"}

    if TYPE_CHECKING:
        side: str
        part: str
        point: Any
        end: Any
        use_point: bool
        use_end: bool
    else:
        side: EnumProperty(name="Side", description="Which side of the joint to find", items=SIDES)
        part: StringProperty(name="Object", description="Name of the object; empty takes that of the joint")
        point: FloatVectorProperty(name="Point", description="A point on its side, in the world", size=3)
        end: FloatVectorProperty(
            name="End", description="A point at the edge of its tip or rim, in the world", size=3
        )
        use_point: BoolProperty(name="Use Point", description="Look near the point")
        use_end: BoolProperty(name="Use End", description="Take this end for the one that goes in")

    def execute(self, context: bpy.types.Context) -> Result:
        try:
            ob = self._chosen(context)
            if ob is None:
                raise InputError("No object is chosen", todo="Choose the object in the joint, or name it.")
            point = Vector(self.point) if self.use_point else None
            feature = find(ob, self.side, point, Vector(self.end) if self.use_end else None)
            state(context.scene, ob, self.side, feature)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, words(ob, feature))
        return {"FINISHED"}

    def _chosen(self, context: bpy.types.Context) -> bpy.types.Object | None:
        if self.part:
            return context.scene.objects.get(self.part)
        joint = active_joint(context.scene)
        return None if joint is None else getattr(joint, self.side.lower())

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        self._first: tuple[bpy.types.Object, Vector] | None = None
        self._area = context.area
        self._ask(context, f"Click {'the side of the peg' if self.side == 'PEG' else 'the wall of the bore'}")
        context.window.cursor_modal_set("EYEDROPPER")
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        if event.type in {"ESC", "RIGHTMOUSE"}:
            return self._end(context, {"CANCELLED"})
        if event.type != "LEFTMOUSE" or event.value != "PRESS":
            return {"PASS_THROUGH"}
        region = _viewport(context, event)
        if region is None:
            return {"PASS_THROUGH"}
        hit = self._hit(context, region, event)
        if hit is None:
            self._ask(context, "Nothing there: click the part itself")
            return {"RUNNING_MODAL"}
        return self._clicked(context, *hit)

    def cancel(self, context: bpy.types.Context) -> None:
        """The window closes or a file is opened before the click."""
        self._end(context, {"CANCELLED"})

    def _clicked(self, context: bpy.types.Context, ob: bpy.types.Object, point: Vector) -> Result:
        """The first click finds, or the second one with it; else the click counts as a new first one."""
        tries: list[tuple[Vector, Vector | None]] = [(point, None)]
        if self._first is not None and self._first[0] == ob:
            tries.insert(0, (self._first[1], point))
        says = ""
        for picked, end in tries:
            try:
                feature = find(ob, self.side, picked, end)
                state(context.scene, ob, self.side, feature)
            except HoldfastError as error:
                says = says or str(error)
                continue
            self.part, self.point, self.use_point = ob.name, picked, True
            self.end, self.use_end = end or (0.0, 0.0, 0.0), end is not None
            self.report({"INFO"}, words(ob, feature))
            return self._end(context, {"FINISHED"})
        self._first = ob, point
        self._ask(
            context,
            says if "click" in says.lower() else f"{says}    Click {EDGES[self.side]}, or its side again",
        )
        return {"RUNNING_MODAL"}

    def _hit(self, context: bpy.types.Context, region: tuple[bpy.types.Region, bpy.types.RegionView3D],
             event: bpy.types.Event) -> tuple[bpy.types.Object, Vector] | None:  # fmt: skip
        """The part under the mouse and the point on it, in the world; the joint's own object also behind others."""
        at = (event.mouse_x - region[0].x, event.mouse_y - region[0].y)
        origin, way = region_2d_to_origin_3d(*region, at), region_2d_to_vector_3d(*region, at)
        graph, chosen = context.evaluated_depsgraph_get(), self._chosen(context)
        if chosen is None:
            there, point, _, _, ob, _ = context.scene.ray_cast(graph, origin, way)
            return (ob.original, point) if there else None
        home = chosen.matrix_world.inverted()
        shown = chosen.evaluated_get(graph)
        there, point, _, _ = shown.ray_cast(home @ origin, (home.to_3x3() @ way).normalized())
        return (chosen, chosen.matrix_world @ point) if there else None

    def _ask(self, context: bpy.types.Context, says: str) -> None:
        if self._area is not None:
            self._area.header_text_set(f"{says}    (Esc cancels)")

    def _end(self, context: bpy.types.Context, result: Result) -> Result:
        if context.window is not None:
            context.window.cursor_modal_restore()
        if self._area is not None:
            self._area.header_text_set(None)
        overlay.redraw()
        return result


def _viewport(context: bpy.types.Context, event: bpy.types.Event
              ) -> tuple[bpy.types.Region, bpy.types.RegionView3D] | None:  # fmt: skip
    """The 3D viewport under the mouse, unless a toolbar or sidebar lies over it there."""
    for area in context.window.screen.areas:
        if area.type != "VIEW_3D":
            continue
        under = [region for region in area.regions if _inside(region, event)]
        if any(region.type != "WINDOW" for region in under):
            return None
        if under:
            return under[0], area.spaces.active.region_3d
    return None


def _inside(region: bpy.types.Region, event: bpy.types.Event) -> bool:
    x, y = event.mouse_x - region.x, event.mouse_y - region.y
    return region.width > 1 and 0 <= x < region.width and 0 <= y < region.height


CLASSES = (HOLDFAST_OT_pick_axis,)
