# SPDX-License-Identifier: GPL-3.0-or-later
"""The bulk of a scene for its fingerprint: vertices, curves, keys, pictures. Read in blocks, told as bytes."""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..pipeline.errors import HoldfastError
from ..pipeline.store import hash_file

_EDITING = (".select", ".hide", ".uv_select", ".vs.", ".es.", ".pn.", ".sculpt", "custom_normal")
"""Attributes that decide nothing, and custom normals, which every version stores in another way."""


def block(items: Any, name: str, width: int, kind: Any) -> bytes:
    """All values ``name`` of a collection at once."""
    values = np.empty(len(items) * width, kind)
    items.foreach_get(name, values)
    return values.tobytes()


def mesh(mesh: bpy.types.Mesh, weights: bool) -> Iterator[object]:
    """``weights``: vertex groups are in use."""
    yield block(mesh.polygons, "loop_start", 1, np.int32)
    yield from attributes(mesh)
    yield [layer.name for layer in mesh.uv_layers if layer.active_render]
    colours = mesh.color_attributes
    if 0 <= colours.render_color_index < len(colours):
        yield colours[colours.render_color_index].name
    if mesh.has_custom_normals:
        yield block(mesh.corner_normals, "vector", 3, np.float32)
    if weights:
        yield [(group.group, group.weight) for vertex in mesh.vertices for group in (*vertex.groups, _END)]
    if not mesh.use_auto_texspace:
        yield [*mesh.texspace_location, *mesh.texspace_size]


class _END:
    group, weight = -1, 0.0


def attributes(owner: Any) -> Iterator[object]:
    """Of a mesh, hair curves, a point cloud or a drawing."""
    for attribute in sorted(owner.attributes, key=lambda attribute: attribute.name):
        if not attribute.name.startswith(_EDITING):
            yield attribute.name, attribute.domain, attribute.data_type, len(attribute.data)
            yield from _attribute(attribute)


def _attribute(attribute: bpy.types.Attribute) -> Iterator[object]:
    if not len(attribute.data):
        return
    sample = attribute.data[0]
    for name in ("vector", "color", "value"):
        value = getattr(sample, name, None)
        if value is None:
            continue
        if isinstance(value, str | bytes):
            yield [getattr(item, name) for item in attribute.data]
            return
        kind: Any = np.int32 if attribute.data_type.startswith("INT") else np.float32
        if attribute.data_type == "BOOLEAN":
            kind = np.bool_
        yield block(attribute.data, name, np.array(value, np.float32).size, kind)
        return


def spline(spline: Any) -> Iterator[object]:
    """Points of a spline of a (legacy) curve."""
    if spline.type == "BEZIER":
        for name in ("co", "handle_left", "handle_right"):
            yield block(spline.bezier_points, name, 3, np.float32)
        points = spline.bezier_points
        yield [(point.handle_left_type, point.handle_right_type) for point in points]
    else:
        points = spline.points
        yield block(points, "co", 4, np.float32)
    yield block(points, "tilt", 1, np.float32) + block(points, "radius", 1, np.float32)


def keys(curve: bpy.types.FCurve) -> Iterator[object]:
    """Keyframes of a curve of an action, and how it goes on beyond them."""
    yield curve.array_index, curve.extrapolation, curve.mute
    for name, width, kind in (
        ("co", 2, np.float32), ("handle_left", 2, np.float32), ("handle_right", 2, np.float32),
        ("interpolation", 1, np.int32), ("easing", 1, np.int32), ("amplitude", 1, np.float32),
        ("back", 1, np.float32), ("period", 1, np.float32),
    ):  # fmt: skip
        yield block(curve.keyframe_points, name, width, kind)


def animated_paths(thing: bpy.types.ID) -> Iterator[str]:
    """Data paths of what drivers and actions set anew in every frame."""
    animation = getattr(thing, "animation_data", None)
    if animation is None:
        return
    yield from (curve.data_path for curve in animation.drivers)
    if animation.action:
        yield from (curve.data_path for curve in compat.fcurves_used(animation))
    for action in [strip.action for track in animation.nla_tracks for strip in track.strips if strip.action]:
        yield from (curve.data_path for curve in compat.fcurves_of(action))


def image(image: Any) -> Iterator[object]:
    """Content of a picture: packed, painted, generated or in files."""
    yield image.source, image.colorspace_settings.name, image.alpha_mode, image.type
    if image.packed_file:
        yield from (hashlib.sha256(packed.data).digest() for packed in image.packed_files)
    elif image.is_dirty or image.source == "GENERATED":
        pixels = np.empty(len(image.pixels), np.float32)
        image.pixels.foreach_get(pixels)
        yield pixels.tobytes()
    elif image.source == "TILED":
        for tile in image.tiles:
            yield tile.number, content(image.filepath.replace("<UDIM>", str(tile.number)), image.library)
    else:
        yield content(image.filepath, image.library)


def content(stored: str, library: bpy.types.Library | None) -> str:
    """Hash of a file's content, remembered as long as it does not change; its path as stored if it is missing."""
    path = bpy.path.abspath(stored, library=library)
    try:
        status = Path(path).stat()
        return _hashed(path, status.st_mtime_ns, status.st_size)
    except (OSError, HoldfastError):
        return stored.replace("\\", "/")


@lru_cache(maxsize=256)
def _hashed(path: str, _changed: int, _size: int) -> str:
    return hash_file(path)
