# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene's own rigid-body world: opened for the proxies, made finer where need be, given back as it was."""

from collections.abc import Sequence

import bpy

from .shapes import ITERATIONS, steps_for

COLLECTION = "Holdfast proxies"
MADE = "holdfast_made"
"""Custom property of collections: Holdfast made this one; on that of the proxies: it opened the world for them."""
RAISED = "holdfast_raised"
"""Custom property of the collection of proxies: steps and iterations before, and those set instead."""


def there() -> bool:
    """Whether the file has proxies."""
    return COLLECTION in bpy.data.collections


def open_world(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The collection of proxies, hidden, in a scene with a rigid-body world; both are made where they are missing."""
    opened = scene.rigidbody_world is None
    if opened:
        with bpy.context.temp_override(scene=scene):
            bpy.ops.rigidbody.world_add()
    world = scene.rigidbody_world
    if world.collection is None:
        world.collection = bpy.data.collections.new("RigidBodyWorld")
        world.collection[MADE] = True
        world.point_cache.frame_start = scene.frame_start
        world.point_cache.frame_end = max(scene.frame_end, scene.frame_start + 1)
    found = scene.collection.children.get(COLLECTION)
    if found is None:
        found = bpy.data.collections.new(COLLECTION)
        scene.collection.children.link(found)
        found.hide_render = True
        found[MADE] = opened
        for layer in scene.view_layers:
            layer.layer_collection.children[found.name].hide_viewport = True
    return found


def close_world(scene: bpy.types.Scene) -> None:
    """Removes the collection of proxies, which must be empty, and what else ``open_world`` made for them."""
    found = bpy.data.collections.get(COLLECTION)
    if found is None:
        return
    calm(scene)
    opened = bool(found.get(MADE))
    bpy.data.collections.remove(found)
    world = scene.rigidbody_world
    if world is None:
        return
    held = world.collection
    if held is not None and held.objects:
        return
    if opened:
        with bpy.context.temp_override(scene=scene):
            bpy.ops.rigidbody.world_remove()
    if held is not None and held.get(MADE):
        bpy.data.collections.remove(held)


def refine(scene: bpy.types.Scene, thinnest: float, speed: float) -> list[str]:
    """Makes the solver fine enough for bodies of ``thinnest`` metres at ``speed`` m/s. Never lowers what is set.

    Returns the sentences that tell what was done.
    """
    world = scene.rigidbody_world
    wanted = steps_for(thinnest, speed, scene.render.fps / scene.render.fps_base)
    before = [world.substeps_per_frame, world.solver_iterations]
    after = [max(before[0], wanted), max(before[1], ITERATIONS)]
    said = []
    if after != before:
        collection = scene.collection.children[COLLECTION]
        kept = [int(value) for value in list(collection.get(RAISED) or before)[:2]]
        world.substeps_per_frame, world.solver_iterations = after
        collection[RAISED] = [*kept, *after]
        why = f"the thinnest body measures {1e3 * thinnest:.1f} mm and moves at up to {speed:g} m/s"
        said.append(
            f"The rigid-body world now solves {after[0]} steps a frame with {after[1]} iterations "
            f"(before: {before[0]} and {before[1]}), because {why}."
        )
    elif before[0] > wanted:
        said.append(f"The rigid-body world keeps its {before[0]} steps a frame; {wanted} would do.")
    said += _obstacles(scene)
    return said


def _obstacles(scene: bpy.types.Scene) -> list[str]:
    """What in the scene's world keeps bodies from moving as they should."""
    world, said = scene.rigidbody_world, []
    if not world.enabled:
        said.append(
            "The scene's rigid-body world is switched off: tick Rigid Body World in Scene properties."
        )
    if world.point_cache.is_baked:
        said.append("The scene's rigid bodies are baked: delete the bake to see the new ones move.")
    if world.point_cache.frame_start > scene.frame_start or world.point_cache.frame_end < scene.frame_end:
        said.append(
            "The cache of the rigid-body world is shorter than the scene: widen it in Scene properties."
        )
    if not scene.use_gravity:
        said.append("The scene has no gravity: bodies float.")
    return said


def calm(scene: bpy.types.Scene) -> None:
    """Gives the world back the steps and iterations it had before ``refine``, unless somebody has set others since."""
    collection, world = scene.collection.children.get(COLLECTION), scene.rigidbody_world
    raised: Sequence[int] = collection.get(RAISED, ()) if collection is not None else ()
    if len(raised) != 4 or world is None:
        return
    if [world.substeps_per_frame, world.solver_iterations] == [int(value) for value in raised[2:]]:
        world.substeps_per_frame, world.solver_iterations = int(raised[0]), int(raised[1])
    del collection[RAISED]
