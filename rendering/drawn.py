# SPDX-License-Identifier: GPL-3.0-or-later
"""What the renderer draws of each object, and under which names Cryptomatte's object layer has it.

Measured with Cycles of Blender 4.2 to 5.2: the name is that of the object drawn, without its library; an instance has
the name of the object that it repeats, or of its generator where geometry nodes made the geometry themselves; a family
of metaballs is drawn as its first member; a material slot without material is called ``default_surface``. Volumes and
grease pencil have no coverage.
"""

import re
from collections.abc import Iterator
from typing import Any, TypeGuard

import bpy

from .. import compat
from .throwaway import seen_objects

COVERING = frozenset(("MESH", "CURVE", "SURFACE", "META", "FONT", "CURVES", "POINTCLOUD"))
"""Types of objects that Cryptomatte has."""
MESHED = frozenset(("MESH", "META"))
"""Those of the types that a render sees which can be a mesh; it sees curves, surfaces and texts as meshes already."""
NO_MATERIAL = "default_surface"


Source = bpy.types.Object | bpy.types.Collection
"""What instances repeat."""


class Drawn:
    """Who draws what in the scene, at one frame or another. It is read from the settings, not from one frame's picture.

    ``objects`` are those that a render may show themselves; ``makers[name]`` all objects through which something of that
    name gets into the picture.
    """

    def __init__(self, scene: bpy.types.Scene) -> None:
        seen = [thing for thing in seen_objects(scene) if not thing.hide_render or _is_shown_later(thing)]
        self._trees: dict[bpy.types.NodeTree, set[Source]] = {}
        self._made = {thing: self._repeated(thing) for thing in seen}
        hidden = {
            child
            for thing in seen
            if thing.instance_type in ("VERTS", "FACES")
            for child in thing.children_recursive
        }
        self.objects = {thing for thing in seen if thing not in hidden}
        self.makers: dict[str, set[bpy.types.Object]] = {}
        for thing in self.objects:
            for each in (thing, *self._made[thing]):
                if each.type in COVERING:
                    self.makers.setdefault(each.name, set()).add(thing)

    def made_by(self, thing: bpy.types.Object) -> list[bpy.types.Object]:
        """The objects that ``thing`` may repeat as its instances, by name."""
        return sorted(self._made.get(thing, ()), key=lambda each: each.name_full)

    def _repeated(self, thing: bpy.types.Object) -> set[bpy.types.Object]:
        found: set[bpy.types.Object] = set()
        left = list(self._sources(thing))
        while left:
            source = left.pop()
            objects = source.all_objects if isinstance(source, bpy.types.Collection) else (source,)
            for each in objects:
                if each not in found and each != thing:
                    found.add(each)
                    left += self._sources(each)
        return found

    def _sources(self, thing: Any) -> Iterator[Source]:
        if thing.instance_type == "COLLECTION" and thing.instance_collection:
            yield thing.instance_collection
        elif thing.instance_type in ("VERTS", "FACES"):
            yield from thing.children
        for modifier in thing.modifiers:
            if modifier.type == "PARTICLE_SYSTEM":
                made_of = modifier.particle_system.settings
                source = {"OBJECT": made_of.instance_object, "COLLECTION": made_of.instance_collection}
                if source.get(made_of.render_type):
                    yield source[made_of.render_type]
            elif modifier.type == "NODES" and modifier.node_group:
                yield from filter(_is_source, compat.node_group_inputs(modifier))
                yield from self._of_tree(modifier.node_group)

    def _of_tree(self, tree: Any) -> set[Source]:
        """What the nodes of a tree name, those of its groups included."""
        if tree not in self._trees:
            found = self._trees[tree] = set()
            for node in tree.nodes:
                found |= {
                    each
                    for socket in node.inputs
                    if _is_source(each := getattr(socket, "default_value", None))
                }
                if getattr(node, "node_tree", None):
                    found |= self._of_tree(node.node_tree)
        return self._trees[tree]


def _is_source(value: object) -> TypeGuard[Source]:
    return isinstance(value, bpy.types.Object | bpy.types.Collection)


def _is_shown_later(thing: bpy.types.Object) -> bool:
    """Whether it is animated when the object is hidden in renders."""
    animation = thing.animation_data
    if animation is None:
        return False
    curves = [*animation.drivers, *(compat.fcurves_of(animation.action) if animation.action else ())]
    return any(curve.data_path == "hide_render" for curve in curves)


def shown_with(thing: bpy.types.Object) -> list[bpy.types.Object]:
    """The objects that a scene must have to show ``thing``: its children too where it repeats those."""
    return [thing, *(thing.children_recursive if thing.instance_type in ("VERTS", "FACES") else ())]


def family_of(thing: bpy.types.Object, scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The metaballs that are drawn as one, under the name of the first: their names differ in nothing but the number."""
    stem = _stem(thing.name)
    family = [each for each in scene.objects if each.type == "META" and _stem(each.name) == stem]
    return sorted(family, key=lambda each: (len(each.name), each.name))


def _stem(name: str) -> str:
    return re.sub(r"\.\d+$", "", name)
