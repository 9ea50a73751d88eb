# SPDX-License-Identifier: GPL-3.0-or-later
"""The rigid-body constraint of a free joint, as an artist finds it in the file: an empty between the two proxies.

While the proxies follow the keys it does nothing. Made live in the panel Rigid Bodies, they move as the joint lets them.
"""

import bpy
from mathutils import Matrix

from .assembly import Joint
from .bodyworld import MADE, open_world
from .dropped import held_by
from .proxies import RECORD, proxies_of
from .rigid import Array, multiply, translation

COLLECTION = "Holdfast joints"
JOINT = "holdfast_constraint"
"""Custom property of the empty: name of the joint; with it go the two parts."""
PEG, SOCKET = "holdfast_peg", "holdfast_socket"


def join(scene: bpy.types.Scene, joint: Joint, rim: Array) -> bpy.types.Object:
    """Makes (or makes anew) the constraint of a joint whose rim stands at ``rim`` (4, 4) in the world, engaged."""
    open_world(scene)
    for old in [ob for ob in made(scene) if ob.get(JOINT) == joint.spec.name]:
        bpy.data.objects.remove(old)
    ob = bpy.data.objects.new(f"{joint.spec.name} joint", None)
    _collection(scene).objects.link(ob)
    ob.hide_render, ob.empty_display_size = True, joint.mechanism.length
    ob.matrix_world = Matrix(
        multiply(rim, translation((0.0, 0.0, joint.kind.pivot(joint.mechanism)))).tolist()
    )
    ob[JOINT], ob[PEG], ob[SOCKET] = joint.spec.name, joint.peg.ob, joint.socket.ob
    world = scene.rigidbody_world
    if world.constraints is None:
        world.constraints = bpy.data.collections.new("RigidBodyConstraints")
        world.constraints[MADE] = True
    world.constraints.objects.link(ob)
    seconds = scene.render.fps_base / (scene.render.fps * world.substeps_per_frame)
    held_by(joint, "socket", "peg", rim).apply(ob.rigid_body_constraint, None, None, seconds)
    retarget(scene)
    return ob


def retarget(scene: bpy.types.Scene) -> None:
    """Points every constraint at the present proxies of its two parts, which come and go."""
    for ob in made(scene):
        rule = ob.rigid_body_constraint
        if rule is not None:
            rule.object1, rule.object2 = _proxy(ob.get(SOCKET)), _proxy(ob.get(PEG))


def made(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The constraints of our joints in a scene."""
    world = scene.rigidbody_world
    if world is None or world.constraints is None:
        return []
    return [ob for ob in world.constraints.objects if ob.get(JOINT) is not None]


def part(scene: bpy.types.Scene) -> None:
    """Removes all of them, and the collections that were made for them."""
    for ob in made(scene):
        bpy.data.objects.remove(ob)
    world = scene.rigidbody_world
    if (
        world is not None
        and world.constraints is not None
        and world.constraints.get(MADE)
        and not world.constraints.objects
    ):
        bpy.data.collections.remove(world.constraints)
    found = bpy.data.collections.get(COLLECTION)
    if found is not None and not found.objects:
        bpy.data.collections.remove(found)


def _collection(scene: bpy.types.Scene) -> bpy.types.Collection:
    found = scene.collection.children.get(COLLECTION)
    if found is None:
        found = bpy.data.collections.new(COLLECTION)
        scene.collection.children.link(found)
        found.hide_render = True
        for layer in scene.view_layers:
            layer.layer_collection.children[found.name].hide_viewport = True
    return found


def _proxy(ob: bpy.types.Object | None) -> bpy.types.Object | None:
    found = [proxy for proxy in proxies_of(ob) if proxy.get(RECORD) is not None] if ob is not None else []
    return found[0] if found else None
