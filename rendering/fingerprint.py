# SPDX-License-Identifier: GPL-3.0-or-later
"""One digest over everything in a scene that decides its picture, and nothing that doesn't.

The scene's rendered view layer is walked through Blender's own description of its data (RNA): settings, objects,
and from pointer to pointer whatever they use. Left out are the state of the interface, what is selected, values
that Blender derives, and values that animation sets anew every frame (the curves themselves are in), and the names of data-blocks.
"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..pipeline.errors import HoldfastError
from ..pipeline.store import hash_file
from .throwaway import rendered_layer

_NOT_PICTURE = (
    "Brush", "Library", "Palette", "PaintCurve", "Scene", "Screen", "Sound", "Text", "WindowManager", "WorkSpace",
)  # fmt: skip
_DERIVED = frozenset((
    "animation_data", "asset_data", "bound_box", "library", "matrix", "matrix_basis",
    "matrix_channel", "matrix_local", "matrix_world", "name_full", "original", "override_library",
    "pixels", "point_cache", "point_caches", "preview", "rna_type", "session_uid", "tag",
    "use_extra_user", "use_fake_user", "users",
))  # fmt: skip
_INTERFACE = frozenset((
    "bl_description", "bl_icon", "color_tag", "display_bounds_type", "display_type",
    "empty_display_size", "empty_display_type", "bake", "ffmpeg", "filepath", "hide_select",
    "hide_viewport", "image_settings", "is_property_overridable_library", "lock_location",
    "lock_rotation", "lock_scale", "lineart", "lock_rotations_4d", "lock_rotation_w", "persistent_uid",
    "report", "threads", "threads_mode",
))  # fmt: skip
_STARTS = (
    "active", "is_runtime", "preview_", "select", "show_", "ui_", "use_stamp", "stamp_",
    "viewport_", "debug_",
)  # fmt: skip
_NODE_LOOKS = frozenset((
    "color", "dimensions", "height", "hide", "inputs", "internal_links", "label", "location",
    "location_absolute", "outputs", "panel_states", "parent", "select", "use_custom_color",
    "warning_propagation", "width",
))  # fmt: skip
_DEEPEST = 12
_Path = str
_PROPERTIES: dict[str, tuple[tuple[str, bool], ...]] = {}
"""By RNA type; Blender's own types don't change while it runs."""


def fingerprint(scene: bpy.types.Scene) -> str:
    """SHA-256 (hex). The same for the same scene in another process, after a reload and at another frame."""
    return _Walk(scene).digest()


class _Walk:
    def __init__(self, scene: bpy.types.Scene) -> None:
        self._scene = scene
        self._state = hashlib.sha256()
        self._queue: list[bpy.types.ID] = []
        self._known: dict[int, int] = {}
        self._animated: frozenset[str] = frozenset()

    def digest(self) -> str:
        self._walk_scene()
        while self._queue:
            self._walk_id(self._queue.pop(0))
        return self._state.hexdigest()

    def _add(self, *values: object) -> None:
        self._state.update(repr(values).encode())

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
        self._animated = frozenset(_animated_paths(scene))
        self._walk_animation(scene)
        self._add(scene.frame_start, scene.frame_end, scene.use_gravity)
        if scene.camera:
            self._refer(scene.camera)
        for name in ("render", "cycles", "eevee", "view_settings", "display_settings", "world"):
            self._walk_value(getattr(scene, name, None), name, 0)
        tree = getattr(scene, "compositing_node_group", None) or getattr(scene, "node_tree", None)
        if tree is not None and scene.render.use_compositing:
            self._refer(tree)
        for marker in scene.timeline_markers:
            if marker.camera:
                self._add(marker.frame)
                self._refer(marker.camera)
        for each in scene.view_layers:
            self._walk_struct(
                each, f'view_layers["{each.name}"]', 0, ("layer_collection", "objects", "depsgraph")
            )
            self._walk_layer(each.layer_collection)
        for thing in sorted(layer.objects, key=lambda thing: thing.name_full):
            self._refer(thing)

    def _walk_layer(self, layer: bpy.types.LayerCollection) -> None:
        self._add(layer.name, layer.exclude, layer.holdout, layer.indirect_only, layer.collection.hide_render)
        for child in layer.children:
            self._walk_layer(child)

    def _walk_id(self, thing: bpy.types.ID) -> None:
        self._add(thing.bl_rna.identifier)
        self._animated = frozenset(_animated_paths(thing))
        self._walk_animation(thing)
        if isinstance(thing, bpy.types.Mesh):
            self._walk_mesh(thing)
        elif isinstance(thing, bpy.types.Image):
            self._walk_image(thing)
        elif isinstance(thing, bpy.types.Collection):
            for each in sorted(thing.all_objects, key=lambda each: each.name_full):
                self._refer(each)
        elif isinstance(thing, bpy.types.Action):
            for curve in _curves(thing):
                self._walk_curve(curve)
        else:
            self._walk_struct(thing, "", 0, ())

    def _walk_animation(self, thing: bpy.types.ID) -> None:
        animation = getattr(thing, "animation_data", None)
        if animation is None:
            return
        if animation.action:
            self._refer(animation.action)
            self._add(getattr(animation, "action_slot_handle", 0))
        for curve in animation.drivers:
            self._walk_curve(curve)
            self._walk_struct(curve.driver, "", 0, ())
        for track in animation.nla_tracks:
            self._walk_struct(track, "", 0, ())

    def _walk_curve(self, curve: bpy.types.FCurve) -> None:
        self._add(curve.data_path, curve.array_index, curve.extrapolation, curve.mute)
        points = curve.keyframe_points
        for name, width, kind in (
            ("co", 2, np.float32), ("handle_left", 2, np.float32), ("handle_right", 2, np.float32),
            ("interpolation", 1, np.int32), ("easing", 1, np.int32),
        ):  # fmt: skip
            self._add_array(points, name, width, kind)
        for modifier in curve.modifiers:
            self._walk_struct(modifier, "", 0, ())

    def _add_array(self, items: Any, name: str, width: int, kind: Any) -> None:
        values = np.empty(len(items) * width, kind)
        items.foreach_get(name, values)
        self._state.update(values.tobytes())

    def _walk_mesh(self, mesh: bpy.types.Mesh) -> None:
        self._add_array(mesh.polygons, "loop_start", 1, np.int32)
        for attribute in sorted(mesh.attributes, key=lambda attribute: attribute.name):
            if attribute.name.startswith((".select", ".hide", ".uv_select", ".vs.", ".es.", ".pn.")):
                continue
            self._add(attribute.name, attribute.domain, attribute.data_type, len(attribute.data))
            self._walk_attribute(attribute)
        self._add(mesh.has_custom_normals)
        if mesh.shape_keys:
            self._refer(mesh.shape_keys)
        for material in mesh.materials:
            self._walk_value(material, "", 0)

    def _walk_attribute(self, attribute: bpy.types.Attribute) -> None:
        if not len(attribute.data):
            return
        sample = attribute.data[0]
        for name in ("vector", "color", "value"):
            value = getattr(sample, name, None)
            if value is None:
                continue
            if isinstance(value, str | bytes):
                self._add([getattr(item, name) for item in attribute.data])
                return
            flat = np.array(value, np.float32).size
            whole = (
                isinstance(value, int)
                or attribute.data_type.startswith("INT")
                or attribute.data_type == "BOOLEAN"
            )
            self._add_array(attribute.data, name, flat, np.int32 if whole else np.float32)
            return

    def _walk_image(self, image: Any) -> None:
        self._add(image.source, image.colorspace_settings.name, image.alpha_mode, image.type)
        if image.packed_file:
            self._state.update(hashlib.sha256(image.packed_file.data).digest())
        elif image.is_dirty or image.source == "GENERATED":
            pixels = np.empty(len(image.pixels), np.float32)
            image.pixels.foreach_get(pixels)
            self._state.update(pixels.tobytes())
        else:
            self._add(_content(bpy.path.abspath(image.filepath, library=image.library)))

    def _walk_struct(self, struct: Any, path: _Path, depth: int, leave: tuple[str, ...]) -> None:
        if isinstance(struct, bpy.types.NodeLink):
            ends = (
                struct.from_node.name,
                struct.from_socket.identifier,
                struct.to_node.name,
                struct.to_socket.identifier,
            )
            self._add(ends, struct.is_muted)
            return
        node = isinstance(struct, bpy.types.Node)
        for name, several in _properties(struct.bl_rna):
            if name in leave or (name == "name" and not path) or (node and name in _NODE_LOOKS):
                continue
            here = f"{path}.{name}" if path else name
            if here in self._animated:
                continue
            self._add(name)
            if several:
                self._walk_items(getattr(struct, name), here, depth)
            else:
                self._walk_value(getattr(struct, name), here, depth)
        if node:
            for way in ("inputs", "outputs"):
                self._walk_sockets(getattr(struct, way), f"{path}.{way}", depth)

    def _walk_items(self, items: Any, path: _Path, depth: int) -> None:
        self._add(len(items))
        for index, item in enumerate(items):
            name = getattr(item, "name", None)
            quoted = bpy.utils.escape_identifier(name) if isinstance(name, str) else ""
            self._walk_value(
                item, f'{path}["{quoted}"]' if isinstance(name, str) else f"{path}[{index}]", depth
            )

    def _walk_sockets(self, sockets: Any, path: _Path, depth: int) -> None:
        for index, socket in enumerate(sockets):
            here = f"{path}[{index}].default_value"
            if here not in self._animated and hasattr(socket, "default_value"):
                self._add(socket.identifier)
                self._walk_value(socket.default_value, here, depth)

    def _walk_value(self, value: Any, path: _Path, depth: int) -> None:
        if isinstance(value, bpy.types.ID) and not value.is_embedded_data:
            self._refer(value)
        elif isinstance(value, bpy.types.bpy_struct):
            if depth < _DEEPEST:
                self._walk_struct(value, path, depth + 1, ())
        elif hasattr(value, "__len__") and not isinstance(value, str | bytes | set):
            self._add(
                [
                    tuple(each) if hasattr(each, "__len__") and not isinstance(each, str) else each
                    for each in value
                ]
            )
        else:
            self._add(sorted(value) if isinstance(value, set) else value)


def _properties(rna: bpy.types.Struct) -> tuple[tuple[str, bool], ...]:
    """(name, whether it is a collection) of the properties of an RNA type that decide the picture."""
    known = _PROPERTIES.get(rna.identifier)
    if known is None:
        known = tuple(
            (prop.identifier, prop.type == "COLLECTION") for prop in rna.properties if _counts(prop)
        )
        _PROPERTIES[rna.identifier] = known
    return known


def _counts(prop: bpy.types.Property) -> bool:
    name = prop.identifier
    if name == "show_render":
        return True
    if name == "dimensions" and prop.type == "FLOAT":  # of an object; those of a curve are a setting
        return False
    if getattr(prop, "is_deprecated", False):  # told from 5.0 on; reading one is a warning
        return False
    if name in _DERIVED or name in _INTERFACE or name.startswith(_STARTS):
        return False
    if prop.type == "POINTER" and prop.is_runtime and name not in {"cycles", "cycles_visibility"}:
        return False  # settings of add-ons, ours among them
    if prop.type == "COLLECTION" and prop.is_runtime:
        return False
    return prop.type in {"POINTER", "COLLECTION"} or not prop.is_readonly


def _animated_paths(thing: bpy.types.ID) -> Iterator[str]:
    animation = getattr(thing, "animation_data", None)
    if animation is None:
        return
    yield from (curve.data_path for curve in animation.drivers)
    actions = [animation.action] if animation.action else []
    actions += [strip.action for track in animation.nla_tracks for strip in track.strips if strip.action]
    for action in actions:
        yield from (curve.data_path for curve in _curves(action))


def _curves(action: bpy.types.Action) -> Iterator[bpy.types.FCurve]:
    if hasattr(action, "fcurves"):
        yield from action.fcurves
        return
    for layer in action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                yield from bag.fcurves


def _content(path: str) -> str:
    """Hash of a picture file's content, remembered as long as the file does not change; its path if it is missing."""
    try:
        status = Path(path).stat()
        return _hashed(path, status.st_mtime_ns, status.st_size)
    except (OSError, HoldfastError):
        return path


@lru_cache(maxsize=256)
def _hashed(path: str, _changed: int, _size: int) -> str:
    return hash_file(path)
