# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes that no one made for the ground truth, each built by one function; tiny, two frames."""

from __future__ import annotations

import math
from pathlib import Path

import bpy
from holdfast import compat

from . import truth_scenes as scenes

SIZE = (48, 32)
TEMPLATES = Path(bpy.utils.system_resource("SCRIPTS"), "startup", "bl_app_templates_system")
ASSETS = Path(bpy.utils.system_resource("DATAFILES"), "assets")


def base() -> bpy.types.Scene:
    """A ball and a lid that moves, both parts, before a wall, one lamp; 48 x 32, two frames."""
    scene = scenes.new_scene(SIZE, 2)
    scenes.add_ball("ball", 0.5, (-0.6, 0, 0))
    lid = scenes.add_ball("lid", 0.4, (0.6, 0, 0))
    scenes.key(lid, "location", {1: (0.6, 0, 0), 2: (0.7, 0, 0.1)})
    wall = scenes.add_plane("wall", 6, part=False)
    wall.location.y, wall.rotation_euler.x = 3, math.pi / 2
    lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "SUN"))
    scene.collection.objects.link(lamp)
    scene.camera.location, scene.camera.rotation_euler = (0, -5, 0), (math.pi / 2, 0, 0)
    scene.camera.data.lens = 60
    bpy.context.view_layer.update()
    return scene


def part(name: str) -> bpy.types.Object:
    return bpy.context.scene.objects[name]


def shader(thing: bpy.types.Object, kind: str, **inputs: object) -> bpy.types.NodeTree:
    """Gives an object a material of one node."""
    material = bpy.data.materials.new(kind)
    tree = compat.node_tree_of(material)
    tree.nodes.clear()
    node, output = tree.nodes.new(f"ShaderNode{kind}"), tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(node.outputs[0], output.inputs["Volume" if kind.startswith("Volume") else "Surface"])
    for name, value in inputs.items():
        node.inputs[name.replace("_", " ")].default_value = value
    thing.data.materials.clear()
    thing.data.materials.append(material)
    return tree


def _open(path: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(path))
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.resolution_percentage, scene.cycles.samples = 100, 1
    scene.cycles.use_denoising, scene.holdfast.truth.samples = False, 1
    scene.holdfast.truth.engine_from_scene = False  # EEVEE takes minutes without a GPU
    scene.frame_start, scene.frame_end = 1, 2
    for thing in scene.objects:
        thing.holdfast.is_part = thing.type in {"MESH", "GREASEPENCIL", "GPENCIL", "CURVES"}


def template_general() -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    path = Path(bpy.app.tempdir) / "general.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    _open(path)


def template_2d_animation() -> None:
    _open(TEMPLATES / "2D_Animation/startup.blend")


def template_sculpting() -> None:
    _open(TEMPLATES / "Sculpting/startup.blend")


def template_vfx() -> None:
    _open(TEMPLATES / "VFX/startup.blend")


def template_video_editing() -> None:
    _open(TEMPLATES / "Video_Editing/startup.blend")


def hair_curves_with_asset() -> None:
    """Hair of the bundled node groups on a ball."""
    scene = base()
    data = bpy.data.hair_curves.new("hair")
    data.add_curves([4] * 12)
    for number, point in enumerate(data.points):
        angle = (number // 4) * math.tau / 12
        point.position = (0.5 * math.cos(angle), 0.5 * math.sin(angle), 0.1 * (number % 4) + 0.2)
    data.set_types(type="CATMULL_ROM") if hasattr(data, "set_types") else None
    hair = bpy.data.objects.new("hair", data)
    scene.collection.objects.link(hair)
    hair.holdfast.is_part, hair.location.x = True, -0.6
    data.surface = part("ball")
    found = next(ASSETS.rglob("procedural_hair_node_assets.blend"), None)
    if found:
        with bpy.data.libraries.load(str(found)) as (there, here):
            here.node_groups = [name for name in there.node_groups if name == "Set Hair Curve Profile"]
        hair.modifiers.new("profile", "NODES").node_group = bpy.data.node_groups["Set Hair Curve Profile"]


def hair_particles() -> None:
    base()
    ball = part("ball")
    ball.modifiers.new("fur", "PARTICLE_SYSTEM")
    settings = ball.particle_systems[0].settings
    settings.type, settings.count, settings.hair_length = "HAIR", 20, 0.5


def volume() -> None:
    scene = base()
    shader(part("ball"), "VolumePrincipled", Density=4.0)
    fog = scenes.add_ball("fog", 2.0, (0, 1, 0))
    fog.holdfast.is_part = False
    shader(fog, "VolumeScatter", Density=0.2)
    scene.cycles.volume_step_rate = 5


def transparent() -> None:
    """A part half transparent, one that is not there for the eye, one cut out by alpha."""
    base()
    tree = shader(part("ball"), "BsdfPrincipled", Alpha=0.5)
    assert tree
    shader(part("lid"), "BsdfTransparent")


def glass_before_a_part() -> None:
    base()
    pane = scenes.add_plane("pane", 1.5, part=False)
    pane.location.y, pane.rotation_euler.x = -1.5, math.pi / 2
    shader(pane, "BsdfGlass")


def seen_through_glass() -> None:
    glass_before_a_part()
    part("pane").holdfast.see_through = True


def instances() -> None:
    """Geometry nodes scatter, a collection instance, both parts."""
    scene = base()
    tree = bpy.data.node_groups.new("scatter", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    ends = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    place, ball = tree.nodes.new("GeometryNodeInstanceOnPoints"), tree.nodes.new("GeometryNodeMeshIcoSphere")
    ball.inputs["Radius"].default_value = 0.1
    tree.links.new(ends[0].outputs[0], place.inputs["Points"])
    tree.links.new(ball.outputs[0], place.inputs["Instance"])
    tree.links.new(place.outputs[0], ends[1].inputs[0])
    field = scenes.add_mesh("field", [(x * 0.4 - 0.4, -1, z * 0.4) for x in range(3) for z in range(2)], [])
    field.modifiers.new("scatter", "NODES").node_group = tree
    inside = bpy.data.collections.new("inside")
    inside.objects.link(scenes.add_ball("inner", 0.2, (0, 0, 0)))
    scene.collection.objects.unlink(part("inner"))
    bpy.data.objects["inner"].holdfast.is_part = False
    empty = bpy.data.objects.new("instance", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", inside
    empty.location, empty.holdfast.is_part = (0, -1, -0.5), True
    scene.collection.objects.link(empty)


def linked_library() -> None:
    """A linked object, an instance of a linked collection and a library override, all parts."""
    path = Path(bpy.app.tempdir) / "library.blend"
    base()
    kit = bpy.data.collections.new("kit")
    for name, x in (("bolt", -0.2), ("nut", 0.2)):
        thing = scenes.add_ball(name, 0.15, (x, -1, -0.6))
        thing.holdfast.is_part = False
        kit.objects.link(thing)
    bpy.data.libraries.write(str(path), {kit})
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = base()
    with bpy.data.libraries.load(str(path), link=True) as (_there, here):
        here.collections = ["kit"]
    kit = bpy.data.collections["kit"]
    empty = bpy.data.objects.new("kit instance", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", kit
    empty.holdfast.is_part = True
    scene.collection.objects.link(empty)
    scene.collection.objects.link(kit.objects["bolt"])
    bolt = kit.objects["bolt"].override_create(remap_local_usages=True)
    bolt.name, bolt.location.z, bolt.holdfast.is_part = "own bolt", 0.6, True


def same_name_in_library() -> None:
    """An override that keeps the name of what it overrides, both in the picture."""
    linked_library()
    part("own bolt").name = "bolt"


def names_of_the_world() -> None:
    base()
    part("ball").name = "Kugel Ä/ß: 球 😀"
    part("lid").name = "..\\крышка*?"


def zero_scale() -> None:
    base()
    part("ball").scale = (0, 0, 0)
    part("lid").scale.x = 0


def five_hundred_parts() -> None:
    base()
    mesh = bpy.data.meshes.new("chip")
    mesh.from_pydata([(-0.04, 0, -0.04), (0.04, 0, -0.04), (0, 0, 0.05)], [], [(0, 1, 2)])
    for number in range(498):
        chip = bpy.data.objects.new(f"chip {number}", mesh)
        chip.location = (number % 25 * 0.1 - 1.2, -1, number // 25 * 0.09 - 0.9)
        chip.holdfast.is_part = True
        bpy.context.scene.collection.objects.link(chip)


def missing_texture() -> None:
    base()
    image = bpy.data.images.new("lost", 4, 4)
    image.source, image.filepath = "FILE", "//not there.png"
    node = shader(part("ball"), "Emission").nodes.new("ShaderNodeTexImage")
    node.image = image
    packed = bpy.data.images.new("packed", 4, 4)
    packed.pack()
    shader(part("lid"), "Emission").nodes.new("ShaderNodeTexImage").image = packed


def edit_mode() -> None:
    base()
    bpy.context.view_layer.objects.active = part("ball")
    bpy.ops.object.mode_set(mode="EDIT")


def text_and_curves() -> None:
    scene = base()
    for kind, at in (("FONT", -0.8), ("CURVE", 0.4)):
        data = bpy.data.curves.new(kind, kind)
        data.extrude = 0.05
        if kind == "FONT":
            data.body = "Ωm"
        else:
            data.dimensions, data.bevel_depth = "3D", 0.1
            data.splines.new("BEZIER").bezier_points.add(1)
            data.splines[0].bezier_points[1].co = (0.5, 0, 0.5)
        thing = bpy.data.objects.new(kind.lower(), data)
        thing.location, thing.rotation_euler.x, thing.holdfast.is_part = (at, -1, -0.6), math.pi / 2, True
        scene.collection.objects.link(thing)
    ball = bpy.data.objects.new("meta", bpy.data.metaballs.new("meta"))
    ball.data.elements.new().radius = 0.5
    ball.location, ball.holdfast.is_part = (0, -1, 0.6), True
    scene.collection.objects.link(ball)


def empty_mesh() -> None:
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("x", None))
    base()
    scenes.add_mesh("nothing", [], [])
