# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes that no one made for the checks: a ball and a moving box above a floor, with something odd about them."""

from __future__ import annotations

import bpy

from . import truth_scenes as scenes

SIZE = (72, 54)
CUBE = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def look_down(scene: bpy.types.Scene, height: float = 2.0) -> None:
    scene.camera.location = (0, 0, height)


def add_cubes(name: str, places, half: float) -> bpy.types.Object:
    """One object of many cubes."""
    vertices = [(x + half * a, y + half * b, z + half * c) for x, y, z in places for a, b, c in CUBE]
    faces = [tuple(8 * index + corner for corner in face) for index in range(len(places)) for face in FACES]
    return scenes.add_mesh(name, vertices, faces)


def painted(thing: bpy.types.Object, kind: str) -> bpy.types.Node:
    """Gives it a material of one shader node; the node."""
    material = bpy.data.materials.new(kind)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    node, output = tree.nodes.new(kind), tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(node.outputs[0], output.inputs["Surface"])
    thing.data.materials.append(material)
    return node


def base() -> bpy.types.Scene:
    """Three frames, four samples; what is odd is added to it."""
    scene = scenes.new_scene(SIZE, 3, samples=4)
    look_down(scene)
    scenes.add_ball("ball", 0.25, (-0.25, 0.1, 0))
    box = add_cubes("box", [(0, 0, 0)], 0.18)
    box.location, box.rotation_euler = (0.25, -0.1, 0.2), (0.4, 0.5, 0.2)
    scenes.key(box, "location", {1: (0.3, -0.1, 0.1), 3: (0.1, 0.0, 0.3)})
    scenes.add_plane("floor", 3, part=False).location.z = -0.4
    return scene


def plain(scene: bpy.types.Scene) -> None:
    pass


def far_from_the_origin(scene: bpy.types.Scene) -> None:
    for thing in scene.objects:
        thing.delta_location = (9000, -6000, 1500)


def mirrored_and_uneven(scene: bpy.types.Scene) -> None:
    scene.objects["box"].scale = (-1.0, 0.5, 1.4)
    scene.objects["ball"].scale = (1, 1, 0.4)


def scaled_to_nothing(scene: bpy.types.Scene) -> None:
    scene.objects["ball"].scale = (0, 0, 0)
    scene.objects["box"].scale = (1, 1, 0)


def through_the_near_plane(scene: bpy.types.Scene) -> None:
    scene.camera.data.clip_start = 1.5
    scene.camera.data.clip_end = 1.95


def camera_cut(scene: bpy.types.Scene) -> None:
    other = scene.camera.copy()
    scene.collection.objects.link(other)
    other.location.x += 0.4
    for frame, camera in ((1, scene.camera), (2, other)):
        scene.timeline_markers.new(f"cut {frame}", frame=frame).camera = camera


def smeared(scene: bpy.types.Scene) -> None:
    scene.render.use_motion_blur, scene.render.motion_blur_shutter = True, 1.0
    scene.camera.data.dof.use_dof, scene.camera.data.dof.aperture_fstop = True, 0.2
    scene.camera.data.dof.focus_distance = 1.0


def deforming(scene: bpy.types.Scene) -> None:
    ball = scene.objects["ball"]
    ball.shape_key_add(name="Basis")
    squashed = ball.shape_key_add(name="squashed")
    for point in squashed.data:
        point.co.x *= 2.2
    for frame, value in ((1, 0.0), (3, 1.0)):
        squashed.value = value
        squashed.keyframe_insert("value", frame=frame)
    wave = scene.objects["box"].modifiers.new("wave", "WAVE")
    wave.height = 0.2


def transparent(scene: bpy.types.Scene) -> None:
    painted(scene.objects["ball"], "ShaderNodeBsdfTransparent")
    painted(scene.objects["box"], "ShaderNodeBsdfPrincipled").inputs["Alpha"].default_value = 0.3


def refracting(scene: bpy.types.Scene) -> None:
    painted(scene.objects["ball"], "ShaderNodeBsdfGlass")


def hairy(scene: bpy.types.Scene) -> None:
    ball = scene.objects["ball"]
    ball.modifiers.new("hair", "PARTICLE_SYSTEM")
    hair = ball.particle_systems[0].settings
    hair.type, hair.count, hair.hair_length = "HAIR", 300, 0.15


def foggy(scene: bpy.types.Scene) -> None:
    fog = add_cubes("fog", [(0, 0, 0)], 1.0)
    fog.holdfast.is_part = False
    material = bpy.data.materials.new("fog")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    node, output = tree.nodes.new("ShaderNodeVolumePrincipled"), tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(node.outputs[0], output.inputs["Volume"])
    fog.data.materials.append(material)


def finer_in_the_render(scene: bpy.types.Scene) -> None:
    smooth = scene.objects["box"].modifiers.new("smooth", "SUBSURF")
    smooth.levels, smooth.render_levels = 0, 3
    scene.objects["ball"].modifiers.new("unseen", "SOLIDIFY").show_viewport = False
    scene.objects["ball"].modifiers["unseen"].thickness = -0.15


def coincident(scene: bpy.types.Scene) -> None:
    twin = scene.objects["box"].copy()
    twin.name = twin.holdfast.part = "twin"
    scene.collection.objects.link(twin)


def switched_off_in_a_frame(scene: bpy.types.Scene) -> None:
    box = scene.objects["box"]
    for frame, hidden in ((1, False), (2, True), (3, False)):
        box.hide_render = hidden
        box.keyframe_insert("hide_render", frame=frame)
    scene.frame_set(1)


def spinning(scene: bpy.types.Scene) -> None:
    scenes.key(scene.objects["box"], "rotation_euler", {1: (0, 0, 0), 3: (3.1, 2.0, 0)})


def orthographic(scene: bpy.types.Scene) -> None:
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 1.6
    scene.camera.data.shift_x = 0.1


def panning(scene: bpy.types.Scene) -> None:
    scenes.key(scene.camera, "rotation_euler", {1: (0.05, 0, 0), 3: (0.1, -0.06, 0.1)})


def zooming(scene: bpy.types.Scene) -> None:
    lens = scene.camera.data
    for frame, focal, shift in ((1, 45.0, 0.0), (3, 60.0, 0.12)):
        lens.lens, lens.shift_x, lens.shift_y = focal, shift, -shift / 2
        for path in ("lens", "shift_x", "shift_y"):
            lens.keyframe_insert(path, frame=frame)


def orthographic_zoom(scene: bpy.types.Scene) -> None:
    orthographic(scene)
    for frame, scale in ((1, 1.6), (3, 1.3)):
        scene.camera.data.ortho_scale = scale
        scene.camera.data.keyframe_insert("ortho_scale", frame=frame)


def orthographic_panning(scene: bpy.types.Scene) -> None:
    orthographic(scene)
    panning(scene)
    scenes.key(scene.camera, "location", {1: (0, 0, 2), 3: (0.1, -0.05, 1.8)})
    scenes.key(scene.objects["ball"], "rotation_euler", {1: (0, 0, 0), 3: (0.5, 0.2, 0)})


def constrained(scene: bpy.types.Scene) -> None:
    arm = bpy.data.objects.new("arm", None)
    scene.collection.objects.link(arm)
    scenes.key(arm, "rotation_euler", {1: (0, 0, 0), 3: (0.2, 0.1, 0.9)})
    scene.objects["ball"].parent = arm
    looks = scene.camera.constraints.new("TRACK_TO")
    looks.target, looks.track_axis, looks.up_axis = scene.objects["box"], "TRACK_NEGATIVE_Z", "UP_Y"
    follows = scene.objects["box"].constraints.new("COPY_ROTATION")
    follows.target = arm


ODD = {
    plain: "ball box", far_from_the_origin: "ball box", mirrored_and_uneven: "ball box", scaled_to_nothing: "ball box",
    through_the_near_plane: "ball box", camera_cut: "ball box", smeared: "ball box", deforming: "",
    transparent: "", refracting: "ball box", hairy: "box", foggy: "ball box", finer_in_the_render: "ball box",
    coincident: "ball box twin", switched_off_in_a_frame: "ball", spinning: "ball box", orthographic: "ball box",
    panning: "ball box", zooming: "ball box", orthographic_zoom: "ball box", constrained: "ball box", orthographic_panning: "ball box",
}  # fmt: skip
"""Scenes, and which of their parts are held against their geometry."""
