# SPDX-License-Identifier: GPL-3.0-or-later
"""Small scenes of instances, seen straight from above, and what each part of them covers."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from holdfast.compat import node_tree_of
from holdfast.rendering import cryptomatte, exr, instances, parts, throwaway
from holdfast.rendering.scenes import Order, _geometry

from . import truth_scenes as scenes

SIZE = (96, 32)


def from_above() -> bpy.types.Scene:
    """A camera that looks straight down at 12 x 4 metres, 8 pixels a metre."""
    scene = scenes.new_scene(SIZE, 3)
    camera = scene.camera
    camera.data.type, camera.data.ortho_scale, camera.location = "ORTHO", 12, (0, 0, 5)
    return scene


def scatter(points, thing: bpy.types.Object | None, name: str = "bolts") -> bpy.types.Object:
    """An object whose geometry nodes put ``thing`` (None: a generated square) on each of its points."""
    maker = scenes.add_mesh(name, points, [], part=False)
    tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    new, link = tree.nodes.new, tree.links.new
    on_points = new("GeometryNodeInstanceOnPoints")
    link(new("NodeGroupInput").outputs[0], on_points.inputs["Points"])
    if thing is None:
        source = new("GeometryNodeMeshGrid")
        source.inputs["Vertices X"].default_value = source.inputs["Vertices Y"].default_value = 2
        link(source.outputs["Mesh"], on_points.inputs["Instance"])
    else:
        source = new("GeometryNodeObjectInfo")
        source.inputs["Object"].default_value, source.inputs["As Instance"].default_value = thing, True
        link(source.outputs["Geometry"], on_points.inputs["Instance"])
    link(on_points.outputs[0], new("NodeGroupOutput").inputs[0])
    maker.modifiers.new("nodes", "NODES").node_group = tree
    return maker


def square(name: str = "bolt", half: float = 0.5, shown: bool = False) -> bpy.types.Object:
    thing = scenes.add_plane(name, half, part=False)
    if not shown:
        bpy.context.scene.collection.objects.unlink(thing)
    return thing


def ball() -> bpy.types.Object:
    thing = scenes.add_ball("ball", 0.4, (0, 0, 0))
    bpy.context.scene.collection.objects.unlink(thing)
    thing.holdfast.is_part = False
    return thing


def covered(scene, folder: Path, frames=(1,), gone=()) -> list[tuple[list[parts.Part], np.ndarray]]:
    """The parts, and (P, H, W) which pixels each covers, frame by frame, through a throw-away scene."""
    scene.view_layers[0].update()
    found, result = parts.read_parts(scene), []
    with throwaway.copies():
        copy = _geometry(scene, "ids", folder, Order(found, 1, False), None)
        for frame in frames:
            copy.frame_set(frame)
            if instances.needed(found):
                instances.realise(copy, found)
            copy.frame_start = copy.frame_end = frame
            bpy.ops.render.render(animation=True, scene=copy.name)
            channels = exr.read_channels(folder / f"ids.{frame:04d}.exr")
            names = [name for part in found for name in part.cover]
            assert not len(cryptomatte.shares(channels, gone).share), "shown twice"
            shares = cryptomatte.shares(channels, names)
            hit = shares.foremost()
            numbers = {name: number for number, name in enumerate(names, 1)}
            result.append(np.array([np.isin(hit, [numbers[name] for name in part.cover]) for part in found]))
            poses = parts.poses(copy, found)
            assert np.isfinite(poses).all()
    assert not [thing for kind in (bpy.data.objects, bpy.data.meshes, bpy.data.collections, bpy.data.scenes)
                for thing in kind if thing.get(throwaway.MARK)]  # fmt: skip
    return [(found, each) for each in result]


def middle(mask: np.ndarray) -> tuple[float, float, int]:
    """World x and y of the middle of a mask, and how many pixels it has."""
    rows, columns = np.nonzero(mask)
    return (columns.mean() + 0.5) / 8 - 6, 2 - (rows.mean() + 0.5) / 8, len(rows)


def coverage(channels, names) -> np.ndarray:
    shares = cryptomatte.shares(channels, names)
    total = np.zeros(shares.shape, np.float32)
    np.add.at(total.reshape(-1), shares.pixel, shares.share)
    return total


def natural(scene, folder: Path, names) -> np.ndarray:
    """(H, W) which pixels anything of these names covers, in the scene as it is."""
    with throwaway.copies():
        copy = _geometry(scene, "plain", folder, Order([], 1, False), None)
        copy.frame_start = copy.frame_end = scene.frame_current
        bpy.ops.render.render(animation=True, scene=copy.name)
        channels = exr.read_channels(folder / f"plain.{scene.frame_current:04d}.exr")
    return cryptomatte.shares(channels, names).foremost() > 0


def collection_of(name: str, *things: bpy.types.Object) -> bpy.types.Collection:
    made = bpy.data.collections.new(name)
    for thing in things:
        made.objects.link(thing)
    return made


def empty_showing(collection: bpy.types.Collection, name: str, at) -> bpy.types.Object:
    empty = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(empty)
    empty.instance_type, empty.instance_collection, empty.location = "COLLECTION", collection, at
    return empty


def by_nodes(scene) -> list[bpy.types.Object]:
    stretched = bpy.data.objects.new("stretched", None)
    stretched.scale, stretched.rotation_euler = (2, 0.7, 1), (0.2, 0.3, 0.4)
    scene.collection.objects.link(stretched)
    bolt = square(half=0.3)
    bolt.rotation_euler.z = 0.5  # unlike the maker's scale: the instances' matrices are sheared
    grown = bolt.modifiers.new("grown", "ARRAY")
    grown.show_viewport, grown.count = False, 2
    maker = scatter([(-2, 0, 0), (0, 1, 0), (1, -1, 0)], bolt)
    maker.rotation_euler.z, maker.parent = 0.6, stretched
    return [maker]


def by_collection(scene) -> list[bpy.types.Object]:
    one, two = square("one", 0.4), square("two", 0.3)
    two.location.x = 1
    pair = collection_of("pair", one, two)
    return [empty_showing(pair, "left", (-4, 0, 0)), empty_showing(pair, "right", (2, 0.5, 0))]


def by_vertices(scene) -> list[bpy.types.Object]:
    maker, bolt = (
        scenes.add_mesh("maker", [(-3, 0, 0), (0, 0, 0), (3, 1, 0)], [], part=False),
        square(shown=True),
    )
    bolt.parent, maker.instance_type, maker.location.y = maker, "VERTS", 1
    return [maker]


def by_faces(scene) -> list[bpy.types.Object]:
    maker, bolt = scenes.add_plane("maker", 1, part=False), square(half=0.2, shown=True)
    bolt.parent, maker.instance_type, maker.location.x = maker, "FACES", 2
    bolt.location.z = 0.5
    return [maker]


def by_particles(scene) -> list[bpy.types.Object]:
    maker = scenes.add_plane("maker", 3, part=False)
    system = maker.modifiers.new("hair", "PARTICLE_SYSTEM").particle_system
    system.settings.particle_size = 1
    system.settings.type, system.settings.count, system.settings.hair_length = "HAIR", 5, 1
    maker.show_instancer_for_render = maker.show_instancer_for_viewport = False
    system.settings.render_type, system.settings.instance_object = "OBJECT", ball()
    return [maker]


def other_kinds(scene) -> list[bpy.types.Object]:
    """Text, a curve and (not drawn as an instance) metaballs, in a collection in a collection, shown twice."""
    text = bpy.data.objects.new("text", bpy.data.curves.new("text", "FONT"))
    text.data.body, text.data.size = "A", 2
    line = bpy.data.objects.new("line", bpy.data.curves.new("line", "CURVE"))
    line.data.dimensions, line.data.bevel_depth, line.location.x = "3D", 0.3, 2
    line.data.splines.new("POLY").points.add(1)
    line.data.splines[0].points[1].co = (0, 1, 0, 1)
    drop = bpy.data.objects.new("drop", bpy.data.metaballs.new("drop"))
    drop.data.elements.new().radius, drop.location.x = 0.8, 3
    inner = empty_showing(collection_of("inner", line, drop), "inner", (0, 0, 0))
    scene.collection.objects.unlink(inner)
    outer = collection_of("outer", text, inner)
    left, right = empty_showing(outer, "left", (-5, -1, 0)), empty_showing(outer, "right", (0.8, 0, 0))
    right.scale, right.rotation_euler.z = (0.8, 0.5, 1), 0.2
    return [left, right]


def half_clear(scene) -> list[bpy.types.Object]:
    """A material that is clear on one side, told by the UV map."""
    bolt = square()
    layer = bolt.data.uv_layers.new(name="map")
    layer.data.foreach_set("uv", [0, 0, 1, 0, 1, 1, 0, 1])
    material = bpy.data.materials.new("half clear")
    tree = node_tree_of(material)
    tree.nodes.clear()
    new, link = tree.nodes.new, tree.links.new
    uv, apart, over = new("ShaderNodeUVMap"), new("ShaderNodeSeparateXYZ"), new("ShaderNodeMath")
    mix, clear, end = (
        new("ShaderNodeMixShader"),
        new("ShaderNodeBsdfTransparent"),
        new("ShaderNodeOutputMaterial"),
    )
    uv.uv_map, over.operation, over.inputs[1].default_value = "map", "GREATER_THAN", 0.5
    link(uv.outputs[0], apart.inputs[0])
    link(apart.outputs["X"], over.inputs[0])
    link(over.outputs[0], mix.inputs[0])
    link(clear.outputs[0], mix.inputs[1])
    link(new("ShaderNodeBsdfDiffuse").outputs[0], mix.inputs[2])
    link(mix.outputs[0], end.inputs[0])
    bolt.data.materials.append(material)
    return [scatter([(-4, 0, 0), (1, 0, 0), (4, 1, 0)], bolt)]


KINDS = (by_nodes, by_collection, by_vertices, by_faces, by_particles, other_kinds, half_clear)


def growing() -> bpy.types.Object:
    """A maker that shows one instance more each frame from 1 to 3, all of them longer each time, and moves."""
    maker = scatter([(-4, 0, 0), (0, 0, 0), (4, 0, 0)], None)
    tree = maker.modifiers[0].node_group
    time, index, later = (tree.nodes.new(kind) for kind in (
        "GeometryNodeInputSceneTime", "GeometryNodeInputIndex", "FunctionNodeCompare"))  # fmt: skip
    later.data_type, later.operation = "FLOAT", "GREATER_THAN"
    on_points = next(node for node in tree.nodes if node.bl_idname == "GeometryNodeInstanceOnPoints")
    grid = next(node for node in tree.nodes if node.bl_idname == "GeometryNodeMeshGrid")
    tree.links.new(time.outputs["Frame"], later.inputs[0])
    tree.links.new(index.outputs[0], later.inputs[1])
    tree.links.new(later.outputs[0], on_points.inputs["Selection"])
    tree.links.new(time.outputs["Frame"], grid.inputs["Size X"])
    scenes.key(maker, "location", {1: (0, 0, 0), 3: (0, 1, 0)})
    return maker
