# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh file through Blender's own importer, in a scene that is thrown away: what stays is one plain mesh an object.

The file was checked by a worker before (room ``assets``). Nothing of it that could act comes along: no drivers, no
animation, no modifiers, no constraints, no custom properties; a skin or a shape key is left at rest, instances are real.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
from mathutils import Matrix

from .. import compat
from ..pipeline.errors import InputError

MOST_OBJECTS = 2000
MOST_FACES = 20_000_000
LONGEST_NAME = 58
"""Bytes of an object's name, with room for Blender's own ".001"."""
KINDS = ("objects", "meshes", "materials", "images", "node_groups", "textures", "armatures", "actions", "cameras", "lights",
         "collections", "worlds", "curves", "lattices", "scenes", "texts", "sounds", "movieclips", "cache_files", "volumes",
         "pointclouds", "fonts", "metaballs", "speakers", "lightprobes", "hair_curves")  # fmt: skip
"""Where an importer may leave something; not all versions have all."""


@dataclass
class Raw:
    """One object of the file: its mesh in the file's world, Z up as the importer turned it, and its safe name."""

    name: str
    mesh: bpy.types.Mesh


@dataclass
class Contents:
    """What a file holds. ``notes`` are sentences on what was left out or made plain."""

    raws: list[Raw]
    notes: list[str] = field(default_factory=list)


def read(path: Path, kind: str) -> Contents:
    """The meshes of a checked file; ``kind`` as ``pipeline.sniff`` tells it. Raises InputError. What the importer makes
    beside the meshes and what they wear is gone again, whatever happens."""
    before = {name: {each.as_pointer() for each in _all(name)} for name in KINDS}
    contents = Contents([])
    try:
        with _scene() as scene:
            _import(path, kind)
            _stand_still(
                contents, [thing for thing in _all("objects") if thing.as_pointer() not in before["objects"]]
            )
            contents.raws = _plain(scene, contents)
        for raw in contents.raws:
            _undress(raw.mesh)
        _leave_out_foreign(contents, path.parent)
        return contents
    finally:
        _sweep(before, [raw.mesh for raw in contents.raws])


def safe_name(text: str, other: str) -> str:
    """A name that any part of Blender and any folder list can show: no control or bidirectional marks, one line, not
    too long; ``other`` if nothing is left."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    plain = re.sub(r"[\\/:]+", "_", " ".join(plain.split())).strip(". ")
    while len(plain.encode()) > LONGEST_NAME:
        plain = plain[:-1]
    return plain or other


def _all(name: str) -> Iterable[Any]:
    return getattr(bpy.data, name, ())


@contextmanager
def _scene() -> Iterator[bpy.types.Scene]:
    """A new scene in the first window, which importers take for the artist's; theirs is back afterwards.

    Importers that switch modes need a window; overriding the scene alone leaves them without an active object.
    """
    windows = bpy.context.window_manager.windows
    if not windows:
        raise InputError("Blender has no window to import in", todo="Open a file first.")
    window = bpy.context.window or windows[0]
    shown, layer = window.scene, window.view_layer
    made = bpy.data.scenes.new("Holdfast import")
    name = made.name
    try:
        window.scene = made
        with bpy.context.temp_override(window=window):
            yield made
    finally:
        window.scene = shown
        window.view_layer = layer
        left = bpy.data.scenes.get(name)
        if left is not None:
            compat.remove_scene(left)


def _import(path: Path, kind: str) -> None:
    operator, options = _importer(path, kind)
    try:
        done = operator(filepath=str(path), **options)
    except RuntimeError as error:
        says = [line for line in str(error).splitlines() if line.strip()]
        reason = says[-1].strip() if says else "no reason was given"
        raise InputError(f"Blender can't import {path.name}: {reason[:200]}", where=str(path)) from error
    except AttributeError as error:  # of an operator that is not there: some builds leave USD out
        todo = "Export it as GLB, or use Blender's own build."
        raise InputError(
            f"This Blender has no importer for {kind.upper()}", where=str(path), todo=todo
        ) from error
    if "FINISHED" not in done:
        raise InputError(f"Blender can't import {path.name}", where=str(path), todo="Its log may say why.")


def _importer(path: Path, kind: str) -> tuple[Callable[..., set[str]], dict[str, Any]]:
    """The operator for a kind of file and what it is told. Raises InputError for a kind that there is none for."""
    if kind in ("glb", "gltf"):
        return bpy.ops.import_scene.gltf, {"disable_bone_shape": True, "guess_original_bind_pose": True}
    if kind == "fbx":
        return compat.fbx_importer(), {"use_anim": False, "use_custom_props": False}
    if kind == "usd":
        options = {"set_frame_range": False, "import_cameras": False, "import_lights": False, "import_curves": False,
                   "import_volumes": False, "import_points": False, "create_world_material": False,
                   "import_textures_mode": "IMPORT_PACK"}  # fmt: skip
        return bpy.ops.wm.usd_import, options
    if kind == "obj":
        return bpy.ops.wm.obj_import, {"use_split_objects": True, "use_split_groups": False}
    if kind in ("stl", "ply"):
        axes = {"forward_axis": "Y", "up_axis": "Z"}
        return (bpy.ops.wm.stl_import if kind == "stl" else bpy.ops.wm.ply_import), axes
    raise InputError(
        f"{path.name} is no mesh that can be brought in",
        where=str(path),
        todo="GLB, glTF, FBX, OBJ, USD, STL and PLY can.",
    )


def _stand_still(contents: Contents, things: Iterable[Any]) -> None:
    """Takes from new objects all that moves or acts; says so."""
    moved: dict[str, int] = {}

    def count(what: str, there: object) -> None:
        if there:
            moved[what] = moved.get(what, 0) + 1

    for thing in things:
        animated = [block for block in (thing, thing.data) if getattr(block, "animation_data", None)]
        keys = getattr(thing.data, "shape_keys", None)
        count("animated", animated or (keys is not None and keys.animation_data))
        for block in (*animated, *([keys] if keys is not None else [])):
            block.animation_data_clear()
        count("skinned", thing.type == "MESH" and thing.find_armature())
        count("with shape keys", keys)
        for key in keys.key_blocks if keys is not None else ():
            key.value = 0.0
        if thing.type == "ARMATURE":
            thing.data.pose_position = "REST"
        thing.constraints.clear()
        thing.modifiers.clear()
    for what, many in moved.items():
        contents.notes.append(
            f"{many} {'object is' if many == 1 else 'objects are'} {what}: brought in at rest"
        )


def _plain(scene: bpy.types.Scene, contents: Contents) -> list[Raw]:
    """A mesh of its own for every object that shows one, instances included, in world space. Raises InputError."""
    layer = scene.view_layers[0]
    layer.update()
    depsgraph = layer.depsgraph
    shown: list[tuple[Any, Any, bool]] = []
    other: set[str] = set()
    for entry in depsgraph.object_instances:
        thing = entry.object
        if thing.type == "MESH" and (entry.is_instance or entry.show_self):
            shown.append((thing.original, entry.matrix_world.copy(), entry.is_instance))
        elif thing.type not in ("EMPTY", "ARMATURE", "MESH"):
            other.add(thing.type.replace("_", " ").lower())
        if len(shown) > MOST_OBJECTS:
            raise InputError(f"It holds more than {MOST_OBJECTS} objects", todo="Join some of them first.")
    faces = sum(len(thing.data.polygons) for thing, _matrix, _again in shown)
    if faces > MOST_FACES:
        raise InputError(
            f"It has {faces:,} faces once its instances are real", todo="Bring in fewer of them."
        )
    raws = [_raw(thing, matrix, depsgraph) for thing, matrix, _again in shown if len(thing.data.polygons)]
    again = sum(each for _thing, _matrix, each in shown)
    if again:
        contents.notes.append(f"{again} instances were made real")
    if len(raws) < len(shown):
        contents.notes.append(f"{len(shown) - len(raws)} objects without faces were left out")
    if other:
        contents.notes.append(f"Left out: {', '.join(sorted(other))}")
    if not raws:
        raise InputError("There is no face in it", todo="Choose a file that holds a mesh.")
    return raws


def _raw(thing: Any, matrix: Matrix, depsgraph: bpy.types.Depsgraph) -> Raw:
    shown = thing.evaluated_get(depsgraph)
    mesh = bpy.data.meshes.new_from_object(shown, preserve_all_data_layers=True, depsgraph=depsgraph)
    for index, slot in enumerate(shown.material_slots):
        if slot.link == "OBJECT" and index < len(mesh.materials):
            mesh.materials[index] = slot.material.original if slot.material else None
    mesh.transform(matrix)
    if matrix.determinant() < 0.0:
        mesh.flip_normals()
    return Raw(safe_name(thing.name, "part"), mesh)


def _undress(mesh: bpy.types.Mesh) -> None:
    """Leaves a mesh with its shape and materials alone: no custom properties of the file, nothing that moves."""
    for block in (mesh, *(each for each in mesh.materials if each)):
        for key in list(block.keys()):
            del block[key]
        block.animation_data_clear()
        tree = compat.shader_nodes_of(block) if isinstance(block, bpy.types.Material) else None
        if tree is not None:
            tree.animation_data_clear()


def _leave_out_foreign(contents: Contents, folder: Path) -> None:
    """Pictures that lie outside the file's folder are none of it, whatever path it names them by."""
    home, left = folder.resolve(), set()
    for material in {each for raw in contents.raws for each in raw.mesh.materials if each}:
        for node in _nodes(compat.shader_nodes_of(material)):
            image = getattr(node, "image", None)
            if image is None or image.packed_file or image.source == "GENERATED":
                continue
            place = Path(bpy.path.abspath(image.filepath)).resolve()
            if not place.is_relative_to(home):
                left.add(image.name)
                node.image = None
    if left:
        what = (
            "1 picture outside its folder was"
            if len(left) == 1
            else f"{len(left)} pictures outside its folder were"
        )
        contents.notes.append(f"{what} left out: put them beside the file")


def _sweep(before: dict[str, set[int]], meshes: list[bpy.types.Mesh]) -> None:
    """Removes what the importer left, but for the meshes and what they wear."""
    kept = {mesh.as_pointer() for mesh in meshes}
    for material in {each for mesh in meshes for each in mesh.materials if each}:
        kept.add(material.as_pointer())
        kept |= {each.as_pointer() for each in _used(compat.shader_nodes_of(material))}
    gone = [
        each for name in KINDS for each in _all(name)
        if each.as_pointer() not in before[name] and each.as_pointer() not in kept
    ]  # fmt: skip
    bpy.data.batch_remove(gone)


def _nodes(tree: bpy.types.NodeTree | None) -> Iterator[Any]:
    """All nodes of a tree and of the groups in it."""
    for node in tree.nodes if tree is not None else ():
        yield node
        yield from _nodes(getattr(node, "node_tree", None))


def _used(tree: bpy.types.NodeTree | None) -> Iterator[bpy.types.ID]:
    """Images and groups in a tree of shader nodes."""
    for node in _nodes(tree):
        yield from (
            block for block in (getattr(node, "image", None), getattr(node, "node_tree", None)) if block
        )
