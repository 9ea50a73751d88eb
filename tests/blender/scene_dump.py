# SPDX-License-Identifier: GPL-3.0-or-later
"""A deep dump of the file as an artist knows it: every setting of every data-block, to be compared before and after."""

from __future__ import annotations

from typing import Any

import bpy

KINDS = (
    "scenes",
    "objects",
    "meshes",
    "collections",
    "actions",
    "materials",
    "worlds",
    "node_groups",
    "texts",
)
SKIPPED = {
    "rna_type",
    "session_uid",
    "original",
    "users",
    "is_evaluated",
    "tag",
    "preview",
    "use_nodes",
    "bl_system_properties_get",
}
NESTED = {
    "holdfast",
    "rigid_body",
    "rigidbody_world",
    "point_cache",
    "constraints",
    "modifiers",
    "animation_data",
}
DERIVED = {
    "matrix_world",
    "layer_collection",
    "depsgraph",
    "view_layers",
    "is_updated",
    "is_updated_data",
    "is_runtime_data",
}


def custom(held: Any) -> Any:
    """A custom property without the addresses that its text would show."""
    if isinstance(held, bpy.types.ID):
        return f"{type(held).__name__} {held.name}"
    if hasattr(held, "to_dict"):
        return str(held.to_dict())
    return str(held.to_list()) if hasattr(held, "to_list") else str(held)


def value(thing: Any, depth: int) -> Any:
    """Something that compares by what it holds."""
    if isinstance(thing, bpy.types.ID):
        return f"{type(thing).__name__} {thing.name}"
    if isinstance(thing, bpy.types.bpy_struct):
        return block(thing, depth + 1) if depth < 3 else type(thing).__name__
    if isinstance(thing, (str, int, float, bool, type(None))):
        return thing
    if hasattr(thing, "bl_rna") or hasattr(thing, "keys"):
        return (
            [value(item, depth) for item in list(thing)[:64]] if not hasattr(thing, "items") else len(thing)
        )
    try:
        return [value(item, depth) for item in thing][:64]
    except TypeError:
        return str(type(thing))


def block(thing: Any, depth: int = 0) -> dict[str, Any]:
    """Every property of a block, and its custom ones; what hangs on it is followed where it belongs to it."""
    seen: dict[str, Any] = {}
    for prop in thing.bl_rna.properties:
        name = prop.identifier
        if name in SKIPPED | DERIVED or (prop.type == "POINTER" and depth > 0 and name not in NESTED):
            continue
        found = getattr(thing, name, None)
        if prop.type == "COLLECTION":
            whole = name in NESTED
            seen[name] = (
                [value(item, depth) for item in found]
                if whole
                else sorted(getattr(i, "name", "") for i in found)
            )
        elif prop.type == "POINTER" and name not in NESTED and not isinstance(found, bpy.types.ID):
            continue
        else:
            seen[name] = value(found, depth)
    if isinstance(thing, bpy.types.ID):
        seen["custom"] = {key: custom(thing[key]) for key in sorted(thing.keys()) if key != "holdfast"}
    if isinstance(thing, bpy.types.Mesh):
        seen["points"] = [tuple(vertex.co) for vertex in thing.vertices]
    return seen


def dump() -> dict[str, dict[str, Any]]:
    """Every data-block of the file by kind and name, and the points of its meshes."""
    bpy.context.view_layer.update()
    return {f"{kind} {item.name}": block(item) for kind in KINDS for item in getattr(bpy.data, kind)}


def users() -> dict[str, list[str]]:
    """By data-block, which others use it, as Blender finds it by looking.

    Not ``ID.users``, which is a running count: Blender 4.2 (not 4.3) leaves the objects and collections directly in a
    scene with one too many when a copy of the scene is removed, and Blender 5.2 counts a scene twice when a
    Render Layers node is made. Both count anew on load. An artist can notice one thing of it, in 4.2: an object deleted
    afterwards stays in the file, unused, until that was saved and opened again.
    """
    result_of_a_render = ("Render Result", "Viewer Node")
    return {
        f"{type(item).__name__} {item.name_full}": sorted(
            f"{type(user).__name__} {user.name_full}" for user in by
        )
        for item, by in bpy.data.user_map().items()
        if item.name not in result_of_a_render
    }


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What is not the same, for the message of a failing test."""
    lines = [f"gone: {name}" for name in before if name not in after]
    lines += [f"new: {name}" for name in after if name not in before]
    for name in before.keys() & after.keys():
        for key in before[name].keys() | after[name].keys():
            if before[name].get(key) != after[name].get(key):
                lines.append(f"{name}.{key}: {before[name].get(key)!r} became {after[name].get(key)!r}")
    return lines


# `storage_type`: reading a constant attribute spreads it out, from 5.1 on
_ALWAYS_MOVING = {"session_uid", "users", "is_evaluated", "original", "rna_type", "preview", "bl_rna", "is_updated", "is_updated_data",
                  "is_updated_transform", "is_updated_geometry", "depsgraph", "storage_type", "tag", "bl_system_properties_get"}  # fmt: skip
_BLOCKS = {"vertices", "edges", "loops", "polygons", "loop_triangles", "vertex_normals", "polygon_normals",
           "corner_normals", "points", "pixels", "packed_files", "bl_icon", "particles", "child_particles", "keyframe_points", "vertex_paint_masks"}  # fmt: skip
_NOT_THE_FILE = {"screens", "workspaces", "window_managers", "brushes", "palettes", "paint_curves", "all_ids"}
_RESULTS = {"Render Result", "Viewer Node"}


def everything() -> dict[str, dict[str, Any]]:
    """Every setting of every data-block, through all that belongs to it: passes, nodes, links, selection, mode, frames.

    Left out are screens, the pictures that any render makes, and Blender's count of users (see `users`).
    """
    bpy.context.view_layer.update()
    found: dict[str, dict[str, Any]] = {"users": dict(users())}
    for kind in bpy.data.bl_rna.properties:
        if kind.type != "COLLECTION" or kind.identifier in _NOT_THE_FILE:
            continue
        items = [item for item in getattr(bpy.data, kind.identifier) if item.name not in _RESULTS]
        found[kind.identifier] = {"names": [item.name_full for item in items if hasattr(item, "name_full")]}
        for item in items:
            if isinstance(item, bpy.types.ID):
                found[f"{kind.identifier} {item.name_full}"] = _deep(item)
    for window in bpy.context.window_manager.windows:
        found["window"] = {
            "scene": window.scene.name,
            "layer": window.view_layer.name,
            "workspace": window.workspace.name,
        }
    scene, layer = bpy.context.scene, bpy.context.view_layer
    found["state"] = {
        "scene": scene.name, "layer": layer.name, "frame": scene.frame_current_final, "mode": bpy.context.mode,
        "active": layer.objects.active and layer.objects.active.name_full,
        "selected": [thing.name_full for thing in scene.objects if thing.select_get()],
        "hidden": [thing.name_full for thing in scene.objects if thing.hide_get()],
    }  # fmt: skip
    return found


def _deep(block_: bpy.types.ID) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    _walk(block_, "", 0, seen)
    for key in sorted(block_.keys()):
        if key not in {"holdfast", "cycles"}:
            seen[f'["{key}"]'] = custom(block_[key])
    for attribute in getattr(block_, "attributes", ()):
        seen[f"attribute {attribute.name}"] = (attribute.domain, attribute.data_type, len(attribute.data))
    if isinstance(block_, bpy.types.Mesh):
        seen["points"] = [tuple(vertex.co) for vertex in block_.vertices[:2000]]
    return seen


def _walk(struct: Any, path: str, depth: int, seen: dict[str, Any]) -> None:
    for prop in struct.bl_rna.properties:
        name = prop.identifier
        if name in _ALWAYS_MOVING or name in _BLOCKS or getattr(prop, "is_deprecated", False):
            continue
        if (
            path == ".tool_settings" and prop.type == "POINTER"
        ):  # brushes; 4.2 crashes on one that isn't there
            continue
        try:
            found = getattr(struct, name)
        except (AttributeError, RuntimeError, TypeError):
            continue
        _tell(found, prop, f"{path}.{name}", depth, seen)


def _tell(found: Any, prop: bpy.types.Property, path: str, depth: int, seen: dict[str, Any]) -> None:
    if prop.type == "COLLECTION":
        seen[path] = len(found)
        for number, item in enumerate(found[:100] if len(found) else ()):
            if isinstance(item, bpy.types.ID):
                seen[f"{path}[{number}]"] = f"{type(item).__name__} {item.name_full}"
            elif item is not None and depth < 6:
                _walk(item, f"{path}[{number}]", depth + 1, seen)
    elif isinstance(found, bpy.types.ID) and not found.is_embedded_data:
        seen[path] = f"{type(found).__name__} {found.name_full}"
    elif isinstance(found, bpy.types.bpy_struct):
        own = not path.endswith(
            (".parent", ".from_node", ".to_node", ".from_socket", ".to_socket", ".node", ".child")
        )
        if depth < 6 and own:
            _walk(found, path, depth + 1, seen)
        else:
            seen[path] = getattr(found, "name", "")
    elif hasattr(found, "__len__") and not isinstance(found, str | bytes | set):
        seen[path] = [
            tuple(each) if hasattr(each, "__len__") and not isinstance(each, str) else each for each in found
        ]
    else:
        seen[path] = sorted(found) if isinstance(found, set) else found
