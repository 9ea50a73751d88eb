# SPDX-License-Identifier: GPL-3.0-or-later
"""Throw-away copies of the artist's scene, made to be looked at or rendered and removed again.

A copy shares every object with the original; only what belongs to the scene itself (render settings, view
layers, compositor, the list of what is linked to it) is changed, and only in the copy.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from .. import compat
from .held import animated_values

MARK = "holdfast_throwaway"
engines: list[type[bpy.types.RenderEngine]] = []
"""Render engines that are registered as long as throw-away scenes are there: taking one away frees what Cycles keeps."""
_STAMPS = "camera date filename frame frame_range hostname labels lens marker memory note render_time scene sequencer_strip time"


@contextmanager
def copies() -> Iterator[None]:
    """Whatever throw-away things are made inside are gone afterwards, whatever happens."""
    purge()
    with animated_values():
        try:
            yield
        finally:
            purge()


def purge() -> None:
    """Removes every throw-away thing, those of a run that crashed included."""
    for scene in [scene for scene in bpy.data.scenes if scene.get(MARK)]:
        scene.render.use_persistent_data = False  # frees what Cycles kept for it
        compat.remove_scene(scene)
    data: Any = bpy.data
    kinds = (data.objects, data.cameras, data.meshes, data.materials, data.node_groups, data.images)
    for things in (*kinds, data.collections, data.actions):
        for thing in [thing for thing in things if thing.get(MARK)]:
            things.remove(thing)
    while engines:
        bpy.utils.unregister_class(engines.pop())


def copy_of(scene: bpy.types.Scene, what: str) -> bpy.types.Scene:
    """A copy that renders every frame of the shot plainly: no stamps, no border, no sequencer, no physics of its own."""
    copy = scene.copy()
    copy[MARK] = True
    copy.name = f"{scene.name} {what}"
    _stop_physics(copy)
    render = copy.render
    render.use_file_extension = render.use_overwrite = True
    render.use_placeholder = render.use_sequencer = render.use_multiview = render.use_border = False
    copy.frame_step = 1
    for stamp in _STAMPS.split():  # dates in a file's metadata would make every run differ
        if hasattr(render, f"use_stamp_{stamp}"):
            setattr(render, f"use_stamp_{stamp}", False)
    render.use_stamp = False
    return copy


def show_only(copy: bpy.types.Scene, things: Iterable[bpy.types.Object]) -> None:
    """Leaves only ``things`` and the cameras in the copy, outside of all collections."""
    cameras = [copy.camera, *(marker.camera for marker in copy.timeline_markers)]
    kept = dict.fromkeys([*things, *(camera for camera in cameras if camera is not None)])
    root = copy.collection
    for child in list(root.children):
        root.children.unlink(child)
    for thing in list(root.objects):
        if thing not in kept:
            root.objects.unlink(thing)
    for thing in kept:
        if root.objects.get(thing.name) is not thing:
            root.objects.link(thing)


def seen_objects(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """What the camera may see in any view layer that is rendered, at one frame or another, in a fixed order."""
    found: dict[bpy.types.Object, None] = {}

    def walk(layer: bpy.types.LayerCollection) -> None:
        if layer.exclude or layer.indirect_only or layer.collection.hide_render:
            return
        found.update(dict.fromkeys(layer.collection.objects))
        for child in layer.children:
            walk(child)

    for layer in rendered_layers(scene):
        walk(layer.layer_collection)
    return list(found)


def holdouts(scene: bpy.types.Scene) -> list[str]:
    """Names of the objects and collections that cut a hole into the picture: nothing is seen where they are."""
    found = {thing.name for thing in scene.objects if thing.is_holdout and not thing.hide_render}

    def walk(layer: bpy.types.LayerCollection) -> None:
        if layer.holdout and not layer.exclude:
            found.add(layer.name)
        for child in layer.children:
            walk(child)

    for layer in rendered_layers(scene):
        walk(layer.layer_collection)
    return sorted(found)


def rendered_layers(scene: bpy.types.Scene) -> list[bpy.types.ViewLayer]:
    """The view layers that a render of the scene makes."""
    return [layer for layer in scene.view_layers if layer.use] or [scene.view_layers[0]]


def rendered_layer(scene: bpy.types.Scene) -> bpy.types.ViewLayer:
    """The first view layer that is rendered."""
    return rendered_layers(scene)[0]


def _stop_physics(copy: bpy.types.Scene) -> None:
    """Takes the rigid-body world out of the copy: two worlds would build, and free, the same shared bodies."""
    if copy.rigidbody_world is not None:
        with bpy.context.temp_override(scene=copy):
            bpy.ops.rigidbody.world_remove()
