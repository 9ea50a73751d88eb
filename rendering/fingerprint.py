# SPDX-License-Identifier: GPL-3.0-or-later
"""One digest over everything in a scene that decides its picture, and nothing that doesn't.

The scene's rendered view layer is walked through Blender's own description of its data (RNA): settings, objects,
and from pointer to pointer whatever they use. Left out are the state of the interface, what is selected, values
that Blender derives, values that animation sets anew every frame (the curves themselves are in), the names of
data-blocks, and values at their default: so Blender 4.2 to 5.2 tell the same scene the same way (docs/truth.md
says where they can't).
"""

import hashlib
from collections.abc import Generator, Iterable
from typing import Any

import bpy

from .. import compat
from . import fingerprint_data as data
from . import fingerprint_nodes as nodes
from .fingerprint_rules import Property, plain, properties
from .throwaway import rendered_layer

_NOT_PICTURE = (
    "Brush", "Library", "Palette", "PaintCurve", "Scene", "Screen", "Sound", "WindowManager", "WorkSpace",
)  # fmt: skip
_BY_NAME = frozenset(
    ("bone", "child", "children", "paired_output_node", "parent", "reference_key", "relative_key")
)
"""Pointers back into data that is told where it belongs."""
_BULK = {
    "Armature": "-",
    "Mesh": "*",
    "Image": "*",
    "Curves": "points curves attributes color_attributes normals curve_offset_data position_data",
    "PointCloud": "points attributes color_attributes",
    "ShapeKey": "data points",
    "Spline": "points bezier_points",
}
_DEEPEST = 12
_SLICE = 8
"""Data-blocks between two pauses."""
_Path = str


def fingerprint(scene: bpy.types.Scene) -> str:
    """SHA-256 (hex). The same for the same scene in another process, after a reload and at another frame."""
    steps = fingerprinting(scene)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return str(stop.value)


def fingerprinting(scene: bpy.types.Scene) -> Generator[None, None, str]:
    """The same in slices: pauses after some data-blocks, and after each that is large."""
    state = hashlib.sha256()
    yield from Walk(scene, state).steps()
    return state.hexdigest()


class Walk:
    """Tells a scene to ``state``, which has hashlib's ``update``."""

    def __init__(self, scene: bpy.types.Scene, state: Any) -> None:
        self._scene, self._state = scene, state
        self._queue: list[bpy.types.ID] = []
        self._known: dict[int, int] = {}
        self._animated: frozenset[str] = frozenset()
        self._weighted: set[int] = set()
        self._above: list[str] = []  # names of what is being walked, of which nothing was told yet

    def steps(self) -> Generator[None, None, None]:
        """Goes through the scene; may be stopped and gone on with as long as nobody changes the scene."""
        self._walk_scene()
        done = 0
        while self._queue:
            thing = self._queue.pop(0)
            self._add(thing.bl_rna.identifier)
            self._walk_id(thing)
            done += 1
            if isinstance(thing, bpy.types.Mesh | bpy.types.Image) or done % _SLICE == 0:
                yield

    def _add(self, *values: object) -> None:
        for value in (*self._above, *values):
            self._state.update(value if isinstance(value, bytes) else f"{value!r}\n".encode())
        self._above.clear()

    def _add_each(self, values: Iterable[object]) -> None:
        for value in values:
            self._add(value)

    def _refer(self, thing: bpy.types.ID) -> None:
        """Says which ID is used, by the order in which they are met (names decide nothing); has it walked once."""
        kind = thing.bl_rna.identifier
        new = thing.as_pointer() not in self._known
        self._add(kind, self._known.setdefault(thing.as_pointer(), len(self._known)))
        base = thing.bl_rna.base.identifier if thing.bl_rna.base else ""
        if kind not in _NOT_PICTURE and base not in _NOT_PICTURE and new:
            self._queue.append(thing)

    def _walk_scene(self) -> None:
        scene, layer = self._scene, rendered_layer(self._scene)
        self._animated = frozenset(data.animated_paths(scene))
        self._walk_animation(scene)
        self._add(scene.frame_start, scene.frame_end, scene.use_gravity)
        cuts = [marker for marker in scene.timeline_markers if marker.camera]
        if scene.camera and not cuts:  # with cuts it changes from frame to frame
            self._refer(scene.camera)
        engine = str(scene.render.engine)
        told = ["render", "cycles", "cycles_curves", "view_settings", "display_settings", "world"]
        told += ["eevee"] if "EEVEE" in engine else ["display"] if "WORKBENCH" in engine else []
        for name in told:
            self._walk_value(getattr(scene, name, None), name, 0)
        tree = compat.compositor_of(scene)
        if tree is not None and scene.render.use_compositing:
            self._walk_id(tree)
        for marker in sorted(cuts, key=lambda marker: marker.frame):
            self._add(marker.frame)
            self._refer(marker.camera)
        for each in scene.view_layers:
            leave = ("layer_collection", "objects", "depsgraph")
            self._walk_struct(each, f'view_layers["{each.name}"]', 0, leave)
            self._walk_layer(each.layer_collection)
        for thing in sorted(layer.objects, key=lambda thing: thing.name_full):
            self._refer(thing)

    def _walk_layer(self, layer: bpy.types.LayerCollection) -> None:
        self._add(layer.name, layer.exclude, layer.holdout, layer.indirect_only, layer.collection.hide_render)
        for child in layer.children:
            self._walk_layer(child)

    def _walk_id(self, thing: bpy.types.ID) -> None:
        outside, self._animated = self._animated, frozenset(data.animated_paths(thing))
        self._walk_animation(thing)
        if isinstance(thing, bpy.types.Collection):
            for each in sorted(thing.all_objects, key=lambda each: each.name_full):
                self._refer(each)
        elif isinstance(thing, bpy.types.Action):
            self._walk_curves(compat.fcurves_of(thing), thing)
        else:
            self._walk_custom(thing)
            self._walk_struct(thing, "", 0, ())
        if isinstance(thing, bpy.types.Object) and thing.type == "MESH" and thing.vertex_groups:
            self._weighted.add(thing.data.as_pointer())
        self._animated = outside

    def _walk_custom(self, thing: bpy.types.ID) -> None:
        """Custom properties: shaders and drivers can read them. Ours, and the groups of add-ons, are not asked for."""
        for key in sorted(thing.keys()):
            value, path = thing[key], f'["{bpy.utils.escape_identifier(key)}"]'
            asked = not key.startswith(("holdfast", "cycles", "_")) and not hasattr(value, "keys")
            if asked and path not in self._animated:
                self._add(key, plain(value))

    def _walk_animation(self, thing: bpy.types.ID) -> None:
        animation = getattr(thing, "animation_data", None)
        if animation is None:
            return
        if animation.action:
            self._add(animation.action_blend_type, animation.action_extrapolation, animation.action_influence)
            self._walk_curves(compat.fcurves_used(animation), thing)
        for curve in sorted(animation.drivers, key=lambda curve: (curve.data_path, curve.array_index)):
            self._walk_curves([curve], thing)
            self._walk_struct(curve.driver, "", 0, ())
        for track in animation.nla_tracks:
            self._walk_struct(track, "", 0, ())

    def _walk_curves(self, curves: list[bpy.types.FCurve], owner: bpy.types.ID) -> None:
        for curve in sorted(curves, key=lambda curve: (curve.data_path, curve.array_index)):
            self._add(nodes.told_path(owner, curve.data_path))
            self._add_each(data.keys(curve))
            for modifier in curve.modifiers:
                self._walk_struct(modifier, "", 0, ())

    def _walk_struct(self, struct: Any, path: _Path, depth: int, leave: tuple[str, ...]) -> None:
        rna = struct.bl_rna
        if isinstance(struct, bpy.types.NodeTree):
            self._walk_tree(struct, depth)
            leave = nodes.TOLD_APART
        if bulk := _BULK.get(rna.identifier):
            self._walk_bulk(struct)
            leave = (*leave, *bulk.split())
        if rna.identifier == "NodesModifier":
            self._walk_inputs(struct, path)
            leave = (*leave, "properties")
        if compat.nodes_are_off(struct) or nodes.is_plain_lamp(struct):
            leave = (*leave, "node_tree")
        for prop in properties(rna) if "*" not in leave else ():
            if prop.name in leave or (prop.name == "name" and not path):
                continue
            here = f"{path}.{prop.name}" if path else prop.name
            if here in self._animated:
                continue
            value = getattr(struct, prop.name)
            if prop.several:
                if len(value):
                    self._add(prop.told)
                    self._walk_items(value, here, depth)
            elif isinstance(value, bpy.types.bpy_struct):
                self._above.append(prop.told)
                elsewhere = prop.name in _BY_NAME and not isinstance(value, bpy.types.ID)
                self._walk_value(value.name if elsewhere else value, here, depth)
                del self._above[-1:]
            elif value is not None and plain(value) != prop.default:
                self._walk_plain(struct, prop, value)

    def _walk_plain(self, struct: Any, prop: Property, value: Any) -> None:
        if prop.told.endswith("filepath"):
            value = data.content(value, struct.id_data.library) if value else ""
        self._add(prop.told, prop.values.get(value, value) if isinstance(value, str) else plain(value))

    def _walk_bulk(self, struct: Any) -> None:
        if isinstance(struct, bpy.types.Mesh):
            self._add_each(data.mesh(struct, struct.as_pointer() in self._weighted))
            for each in (struct.shape_keys, *struct.materials):
                self._walk_value(each, "", 0)
        elif isinstance(struct, bpy.types.Image):
            self._add_each(data.image(struct))
        elif isinstance(struct, bpy.types.ShapeKey):
            self._add(data.block(struct.data, "co", 3, data.np.float32))
        elif isinstance(struct, bpy.types.Armature):
            self._add_each((bone.name, plain(bone.matrix_local), bone.length) for bone in struct.bones)
        elif isinstance(struct, bpy.types.Spline):
            self._add_each(data.spline(struct))
        else:
            self._add_each(data.attributes(struct))
            for offset in getattr(struct, "curve_offset_data", ()):
                self._add(offset.value)

    def _walk_inputs(self, modifier: Any, path: _Path) -> None:
        for name, value, attribute in compat.modifier_inputs(modifier):
            if f'{path}["{name}"]' not in self._animated:
                self._add(name, attribute)
                self._walk_value(value, "", 0)

    def _walk_tree(self, tree: bpy.types.NodeTree, depth: int) -> None:
        self._add_each(nodes.interface(tree))
        for node in sorted(tree.nodes, key=lambda node: node.name):
            path = f'nodes["{bpy.utils.escape_identifier(node.name)}"]'
            self._add(node.bl_idname, node.name)
            self._walk_struct(node, path, depth + 1, ())
            for name, here, value in nodes.sockets(node, path):
                if here not in self._animated:
                    self._add(name)
                    self._walk_value(value, here, depth)
        self._add(*nodes.links(tree))

    def _walk_items(self, items: Any, path: _Path, depth: int) -> None:
        self._add(len(items))
        for index, item in enumerate(items):
            name = getattr(item, "name", None)
            quoted = bpy.utils.escape_identifier(name) if isinstance(name, str) else ""
            self._walk_value(
                item, f'{path}["{quoted}"]' if isinstance(name, str) else f"{path}[{index}]", depth
            )

    def _walk_value(self, value: Any, path: _Path, depth: int) -> None:
        if isinstance(value, bpy.types.ID):
            if value.is_embedded_data:
                self._walk_id(value)
            else:
                self._refer(value)
        elif isinstance(value, bpy.types.bpy_struct):
            if depth < _DEEPEST:
                self._walk_struct(value, path, depth + 1, ())
        else:
            self._add(plain(value))
