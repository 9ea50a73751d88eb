# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives every instance that is a part, and every part whose name others have, a temporary object of its own name.

Cryptomatte knows objects by name alone, so the instances of one object are one to it. In a throw-away scene each part's
stand-ins are real objects, made from what a render evaluates at one frame and moved there frame by frame; what they
stand for is taken out of the scene's collections, and everything else stays before and behind them as it was. With motion
blur a stand-in moves as the instance does while the shutter is open, but does not change its shape.
"""

from collections.abc import Iterable, Iterator, Sequence

import bpy
from mathutils import Matrix

from ..pipeline.errors import InputError
from ..pipeline.truth import F64
from . import evaluated, shutter
from .geometry import mesh_of
from .part import Part, StandIn
from .throwaway import MARK

_READY = "holdfast_realised"
_EMPTY = f"{MARK} empty"


def needed(parts: Sequence[Part]) -> bool:
    """Whether ``realise`` has anything to do."""
    return any(part.stand_ins for part in parts)


def realise(copy: bpy.types.Scene, parts: Sequence[Part]) -> None:
    """Puts the stand-ins of ``parts`` into the throw-away scene ``copy`` as they are at its current frame.

    To be called before each single frame is rendered, after ``frame_set``. Raises InputError for an instance that has no
    number, and for one that can't be told apart.
    """
    wanted = {(each.object, each.instance): each for part in parts for each in part.stand_ins}
    if not wanted:
        return
    makers = {each.object for each in wanted.values()}
    evaluated.keep_source(copy)
    if not copy.get(_READY):
        _swap(copy, wanted.values(), makers)
        copy[_READY] = True
    things = {thing.name: thing for thing in bpy.data.objects if thing.get(MARK)}
    there: set[str] = set()
    moved = {end: _matrices(copy, end) for end in shutter.ends(copy)}
    for entry in evaluated.read(copy, makers):
        if entry.maker not in makers:
            continue
        key = (entry.maker, entry.instance)
        if key not in wanted:
            _refuse_unknown(entry, copy)
            continue
        thing = things[wanted[key].name]
        _show(thing, entry)
        others = {end: matrices[key] for end, matrices in moved.items() if key in matrices}
        shutter.move(thing.parent, copy.frame_current, entry.matrix, others)
        there.add(thing.name)
    for stand_in in wanted.values():
        things[stand_in.name].hide_render = stand_in.name not in there
    _forget_meshes()


def _matrices(
    copy: bpy.types.Scene, end: float
) -> dict[tuple[bpy.types.Object, tuple[int, ...] | None], F64]:
    return {(entry.maker, entry.instance): entry.matrix for entry in evaluated.read(copy, later=end)}


def _refuse_unknown(entry: evaluated.Entry, copy: bpy.types.Scene) -> None:
    if entry.empty:
        return  # it only has a surface to put its instances on, or nothing at all
    what = "an instance" if entry.instance else "geometry of its own"
    todo = f"Mark it per instance again at frame {copy.frame_current}, with the viewport showing what renders do."
    raise InputError(f"{entry.maker.name} shows {what} that has no number", where=entry.name, todo=todo)


def _show(thing: bpy.types.Object, entry: evaluated.Entry) -> None:
    """Makes the stand-in look like the entry. The matrix goes through the parent, so that it may be sheared."""
    assert entry.geometry is not None
    mesh = mesh_of(entry.geometry)
    if thing.data is not mesh:
        thing.data = mesh
    thing.matrix_parent_inverse = Matrix(entry.matrix.tolist())
    for name, value in entry.flags.items():
        setattr(thing, name, value)


def _swap(copy: bpy.types.Scene, stand_ins: Iterable[StandIn], makers: set[bpy.types.Object]) -> None:
    """Gives the copy collections of its own, in which the stand-ins are in place of their makers."""
    replaced: dict[bpy.types.Object, list[bpy.types.Object]] = {maker: [] for maker in makers}
    for each in stand_ins:
        replaced[each.object].append(_object(each.name))
    flags = [list(_flags(layer.layer_collection)) for layer in copy.view_layers]
    _fill(copy.collection, list(copy.collection.objects), list(copy.collection.children), replaced)
    for thing in (each for things in replaced.values() for each in things):
        if thing.name not in copy.objects:
            copy.collection.objects.link(thing)  # the maker is not in this copy
    for layer, kept in zip(copy.view_layers, flags, strict=True):
        for own, values in zip(_walk(layer.layer_collection), kept, strict=True):
            for name, value in values.items():
                setattr(own, name, value)


def _fill(
    target: bpy.types.Collection, objects: Sequence[bpy.types.Object], children: Sequence[bpy.types.Collection],
    replaced: dict[bpy.types.Object, list[bpy.types.Object]],
) -> None:  # fmt: skip
    """Puts into ``target`` what is in the artist's collection of these objects and children."""
    for child in list(target.children):
        target.children.unlink(child)
    present = set(target.objects)
    for thing in objects:
        if thing in replaced and thing in present:
            target.objects.unlink(thing)
        for each in replaced.get(thing, (thing,)):
            if each not in present:
                target.objects.link(each)
    for child in children:
        own = bpy.data.collections.new(child.name)
        own[MARK] = True
        own.hide_render = child.hide_render
        target.children.link(own)
        _fill(own, list(child.objects), list(child.children), replaced)


def _walk(layer: bpy.types.LayerCollection) -> Iterator[bpy.types.LayerCollection]:
    for child in layer.children:
        yield child
        yield from _walk(child)


def _flags(root: bpy.types.LayerCollection) -> Iterator[dict[str, bool]]:
    for each in _walk(root):
        yield {name: getattr(each, name) for name in ("exclude", "holdout", "indirect_only")}


def _object(name: str) -> bpy.types.Object:
    """The stand-in ``name``, made if it is not there; it hangs on a pivot at the origin."""
    thing = bpy.data.objects.get(name)
    if thing is None:
        empty = bpy.data.meshes.get(_EMPTY) or _marked(bpy.data.meshes.new(_EMPTY))
        thing = _marked(bpy.data.objects.new(name, empty))
        thing.parent = _marked(bpy.data.objects.new(f"{name} pivot", None))
        thing.hide_render = True
    return thing


def _marked(thing: bpy.types.ID) -> bpy.types.ID:
    thing[MARK] = True
    return thing


def _forget_meshes() -> None:
    for mesh in [
        mesh for mesh in bpy.data.meshes if mesh.get(MARK) and not mesh.users and mesh.name != _EMPTY
    ]:
        bpy.data.meshes.remove(mesh)
