# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances and same-named objects are parts of their own: rendered, and compared with where they are."""

from __future__ import annotations

import time
from pathlib import Path

import bpy
import numpy as np
import pytest
from holdfast.compat import node_tree_of
from holdfast.operators.marking import mark_collection, mark_instances, mark_objects, mark_slots
from holdfast.pipeline.errors import InputError
from holdfast.rendering import cryptomatte, exr, instances, parts, throwaway
from holdfast.rendering.scenes import Order, _geometry

from . import truth_scenes as scenes
from .scene_dump import dump

SIZE = (96, 32)


@pytest.fixture
def scene() -> bpy.types.Scene:
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


@pytest.mark.parametrize("generated", [False, True])
def test_instances_of_one_mesh_stay_apart(scene, tmp_path, generated: bool) -> None:
    places = [(-4, 0, 0), (-1, 1, 0), (3, -1, 0)]
    maker = scatter(places, None if generated else square())
    scene.view_layers[0].update()
    assert mark_instances(scene, [maker], False) == 3
    found, masks = covered(scene, tmp_path)[0]
    assert [part.name for part in found] == ["bolts 1", "bolts 2", "bolts 3"]
    for part, mask, place in zip(found, masks, places, strict=True):
        x, y, pixels = middle(mask)
        print(part.name, x - place[0], y - place[1], pixels)
        assert (x, y, pixels) == (place[0], place[1], 64)
        assert part.bounds == ((-0.5, -0.5, 0), (0.5, 0.5, 0))


@pytest.mark.parametrize("position", ["START", "CENTER", "END"])
def test_motion_blur(scene, tmp_path, position: str) -> None:
    """Coverage of stand-ins under an open shutter is that of what they stand for."""
    maker = scatter([(-4, 0, 0), (0, 0, 0), (4, 0, 0)], square())
    scenes.key(maker, "location", {1: (-1, 0, 0), 3: (1, 0.5, 0)})
    scenes.key(maker, "rotation_euler", {1: (0, 0, 0), 3: (0, 0, 0.6)})
    scene.frame_set(2)
    scene.render.use_motion_blur, scene.render.motion_blur_shutter = True, 0.8
    scene.render.motion_blur_position = position
    mark_instances(scene, [maker], False)
    found, results = parts.read_parts(scene), []
    with throwaway.copies():
        for realised in (False, True):
            copy = _geometry(scene, f"blur{realised}", tmp_path, Order(found, 1, False), None)
            copy.cycles.samples = 64
            copy.frame_set(2)
            if realised:
                instances.realise(copy, found)
            copy.frame_start = copy.frame_end = 2
            bpy.ops.render.render(animation=True, scene=copy.name)
            channels = exr.read_channels(tmp_path / f"blur{realised}.0002.exr")
            names = [name for part in found for name in part.cover] if realised else ["bolt"]
            results.append(_coverage(channels, names))
    natural, told_apart = results
    print(position, "largest difference of coverage", np.abs(natural - told_apart).max(), natural.sum())
    assert np.abs(natural - told_apart).max() < 0.05 and ((natural > 0.1) & (natural < 0.9)).sum() > 60
    assert len(bpy.data.actions) == 1


def _coverage(channels, names) -> np.ndarray:
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


def _by_nodes(scene) -> list[bpy.types.Object]:
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


def _by_collection(scene) -> list[bpy.types.Object]:
    one, two = square("one", 0.4), square("two", 0.3)
    two.location.x = 1
    pair = collection_of("pair", one, two)
    return [empty_showing(pair, "left", (-4, 0, 0)), empty_showing(pair, "right", (2, 0.5, 0))]


def _by_vertices(scene) -> list[bpy.types.Object]:
    maker, bolt = (
        scenes.add_mesh("maker", [(-3, 0, 0), (0, 0, 0), (3, 1, 0)], [], part=False),
        square(shown=True),
    )
    bolt.parent, maker.instance_type, maker.location.y = maker, "VERTS", 1
    return [maker]


def _by_faces(scene) -> list[bpy.types.Object]:
    maker, bolt = scenes.add_plane("maker", 1, part=False), square(half=0.2, shown=True)
    bolt.parent, maker.instance_type, maker.location.x = maker, "FACES", 2
    bolt.location.z = 0.5
    return [maker]


def _by_particles(scene) -> list[bpy.types.Object]:
    maker = scenes.add_plane("maker", 3, part=False)
    system = maker.modifiers.new("hair", "PARTICLE_SYSTEM").particle_system
    system.settings.particle_size = 1
    system.settings.type, system.settings.count, system.settings.hair_length = "HAIR", 5, 1
    maker.show_instancer_for_render = maker.show_instancer_for_viewport = False
    system.settings.render_type, system.settings.instance_object = "OBJECT", ball()
    return [maker]


def _other_kinds(scene) -> list[bpy.types.Object]:
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


def _half_clear(scene) -> list[bpy.types.Object]:
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


KINDS = (_by_nodes, _by_collection, _by_vertices, _by_faces, _by_particles, _other_kinds, _half_clear)


@pytest.mark.parametrize("make", KINDS)
def test_every_kind_of_instance(scene, tmp_path, make) -> None:
    """All parts together cover just what the scene shows, and none of them twice."""
    before = scenes.add_plane("before", 0.5, part=False)
    before.location.z = 2
    makers = make(scene)
    scene.view_layers[0].update()
    count = mark_instances(scene, makers, False)
    graph = scene.view_layers[0].depsgraph
    sources = {each.object.name for each in graph.object_instances if each.is_instance}
    sources |= {maker.name for maker in makers}
    found, masks = covered(scene, tmp_path, gone=sources)[0]
    shown = natural(scene, tmp_path, sorted(sources))
    pixels = masks.sum((1, 2))
    print(make.__name__, count, pixels.tolist(), int(np.abs(masks.sum(0) - shown).sum()))
    assert count == len(found) >= 3 - (make is _by_faces) and (pixels > 0).sum() >= count - 2
    assert (masks.sum(0) == shown).all()


def test_instances_come_and_go_and_change(scene, tmp_path) -> None:
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
    scene.frame_set(1)
    assert mark_instances(scene, [maker], False) == 1
    first = parts.read_parts(scene)[0]
    scene.frame_set(2)
    with pytest.raises(InputError, match=r"has no number.*frame 2"):
        covered(scene, tmp_path, (2,))
    assert mark_instances(scene, [maker], True) == 3 and scene.frame_current == 2
    assert parts.read_parts(scene)[0] == first
    for frame, (found, masks) in enumerate(covered(scene, tmp_path, (1, 2, 3)), 1):
        assert [part.name for part in found] == ["bolts 1", "bolts 2", "bolts 3"]
        assert len({part.id for part in found}) == 3
        assert [int(mask.sum()) for mask in masks] == [64 * frame * (place < frame) for place in range(3)]
        assert middle(masks[0])[1] == pytest.approx((frame - 1) / 2, abs=0.01)


def test_poses_of_instances(scene) -> None:
    places = [(-4, 0, 0), (-1, 1, 0)]
    maker = scatter(places, square())
    maker.location.z = 0.25
    scene.view_layers[0].update()
    mark_instances(scene, [maker], False)
    found = parts.read_parts(scene)
    with throwaway.copies():
        copy = throwaway.copy_of(scene, "data")
        copy.frame_set(1)
        before = parts.poses(copy, found)
        instances.realise(copy, found)
        after = parts.poses(copy, found)
    assert np.allclose(before[:, :3, 3], np.add(places, (0, 0, 0.25))) and (before == after).all()
    maker.modifiers[0].show_render = maker.modifiers[0].show_viewport = False
    scene.view_layers[0].update()
    gone = parts.poses(scene, found)
    assert (gone[:, :3, :3] == 0).all() and np.allclose(gone[:, :3, 3], (0, 0, 0.25))


def test_layers_and_collections_stay_as_they_were(scene, tmp_path) -> None:
    """What stands before an instance in a holdout or hidden collection does what it did."""
    maker = scatter([(-4, 0, 0), (0, 0, 0), (4, 0, 0)], square())
    lids = [square(f"lid {place}", 0.5, True) for place in range(3)]
    for place, (lid, kind) in enumerate(zip(lids, ("holdout", "exclude", "plain"), strict=True)):
        lid.location = (4 * place - 4, 0.5, 1)
        scene.collection.objects.unlink(lid)
        inner = collection_of(kind, lid)
        outer = bpy.data.collections.new(f"around {kind}")
        outer.children.link(inner)
        scene.collection.children.link(outer)
        if kind != "plain":
            setattr(scene.view_layers[0].layer_collection.children[-1].children[0], kind, True)
    scene.view_layers[0].update()
    mark_instances(scene, [maker], False)
    _, masks = covered(scene, tmp_path)[0]
    assert masks.sum((1, 2)).tolist() == [32, 64, 32]


def test_same_names_in_different_libraries(scene, tmp_path) -> None:
    """Cryptomatte calls them all alike; each is a part, and what is no part does not count for one."""
    for library, x in (("a", 0), ("b", 3)):
        linked = square("Cube", 0.4)
        linked.location.x, linked.holdfast.is_part, linked.holdfast.part = (
            x,
            library == "a",
            f"Cube {library}",
        )
        bpy.data.libraries.write(str(tmp_path / f"{library}.blend"), {linked})
        bpy.data.objects.remove(linked)
    square("Cube", 0.5, True).location.x = -3
    for library in ("a", "b"):
        with bpy.data.libraries.load(str(tmp_path / f"{library}.blend"), link=True) as (_, target):
            target.objects = ["Cube"]
        scene.collection.objects.link(target.objects[0])
    cubes = [thing for thing in scene.objects if thing.type == "MESH"]
    assert len(cubes) == 3
    mark_objects(scene, [cube for cube in cubes if cube.library is None])
    found, masks = covered(scene, tmp_path)[0]
    assert len(found) == 2 and all(part.realised for part in found)
    for part, mask in zip(found, masks, strict=True):
        assert middle(mask)[0] == part.object.location.x, part
        assert mask.sum() == (64 if part.object.location.x else 36)


def test_what_can_not_be_told_apart_is_refused(scene, tmp_path) -> None:
    hair = bpy.data.objects.new("tuft", bpy.data.hair_curves.new("tuft"))
    hair.data.add_curves([4])
    empty = empty_showing(collection_of("wig", hair), "wig", (0, 0, 0))
    scene.view_layers[0].update()
    mark_instances(scene, [empty], False)
    with pytest.raises(InputError, match="tuft is hair, which can't be told apart"):
        covered(scene, tmp_path)


def test_one_part_that_shows_instances(scene, tmp_path) -> None:
    """It has them all, as long as nothing else shows the same object."""
    maker = scatter([(-4, 0, 0), (0, 0, 0)], square())
    scene.view_layers[0].update()
    mark_objects(scene, [maker])
    found, masks = covered(scene, tmp_path)[0]
    assert found[0].cover == ("bolts", "bolt") and masks[0].sum() == 128 and not found[0].realised
    scene.collection.objects.link(bpy.data.objects["bolt"])
    with pytest.raises(InputError, match="bolts shows bolt, as others do"):
        parts.read_parts(scene)


@pytest.mark.parametrize(("make", "pixels"), [(_by_vertices, (96, 160)), (_by_collection, (16, 52))])
def test_one_part_through_the_stage(scene, tmp_path, make, pixels) -> None:
    """The whole matte of one part is all of its instances, hidden ones too."""
    scene.frame_end = 1
    makers = make(scene)
    for other in makers[1:]:
        bpy.data.objects.remove(other)
    lid = square("lid", 0.5, True)
    lid.location = (*makers[0].location[:2], 2)
    scene.view_layers[0].update()
    mark_objects(scene, makers[:1])
    truth = scenes.make(tmp_path)
    seen, whole = (each(truth.parts[0].name, 1).sum() for each in (truth.matte, truth.whole))
    print(make.__name__, seen, whole)
    assert (seen, whole) == pixels


def test_an_object_that_is_repeated_elsewhere(scene, tmp_path) -> None:
    """A part that others repeat as an instance is only where it stands itself."""
    bolt = square(shown=True)
    bolt.location.x = 4
    scatter([(-4, 0, 0), (0, 0, 0)], bolt)
    scene.view_layers[0].update()
    mark_objects(scene, [bolt])
    found, masks = covered(scene, tmp_path)[0]
    assert found[0].realised and middle(masks[0]) == (4, 0, 64)


def test_through_the_stage(scene, tmp_path) -> None:
    """Package of a shot with all four kinds of parts; instances move, and one is hidden at first."""
    scene.frame_end = 2
    maker = scatter([(-4, 1, 0), (-2, 1, 0)], square())
    scenes.key(maker, "location", {1: (0, 0, 0), 2: (0, -2, 0)})
    plate = scenes.add_mesh(
        "plate", [(x, y, 0) for x in (1, 2, 3) for y in (0, 1)], [(0, 2, 3, 1), (2, 4, 5, 3)], False
    )
    for face, name in enumerate(("red", "blue")):
        plate.data.materials.append(bpy.data.materials.new(name))
        plate.data.polygons[face].material_index = face
    pair = [square(f"{side} of pair", 0.25, True) for side in "ab"]
    for x, thing in zip((4, 5), pair, strict=True):
        thing.location.x = x
        scene.collection.objects.unlink(thing)
    together = collection_of("pair", *pair)
    scene.collection.children.link(together)
    cover = square("cover", 0.5, True)
    cover.location = (-4, 1, 1)
    scene.frame_set(1)
    mark_instances(scene, [maker], False)
    mark_slots(scene, [plate])
    mark_collection(scene, together)
    before = dump()
    truth = scenes.make(tmp_path)
    assert dump() == before
    assert [(part.name, part.id) for part in truth.parts] == [
        ("bolts 1", 1), ("bolts 2", 2), ("plate red", 3), ("plate blue", 4), ("pair", 5)]  # fmt: skip
    for frame, hidden in ((1, 0), (2, 64)):
        pixels = {part.name: int((truth.ids(frame) == part.id).sum()) for part in truth.parts}
        assert pixels == {"bolts 1": hidden, "bolts 2": 64, "plate red": 64, "plate blue": 64, "pair": 32}, (
            frame
        )
        for part in truth.parts:
            seen, alone = truth.matte(part.name, frame), truth.whole(part.name, frame)
            assert abs(seen.sum() - pixels[part.name]) < 8
            assert abs(alone.sum() - (64 if part.name == "bolts 1" else pixels[part.name])) < 8, part.name
    move = truth.pose("bolts 2", 2) - truth.pose("bolts 2", 1)
    assert np.allclose(move[:3, 3], (0, -2, 0)) and np.allclose(truth.pose("pair", 1)[:3, 3], (4, 0, 0))
    vectors = truth.vector(1)[truth.ids(1) == 2]
    assert np.allclose(vectors[:, :2], (0, 16), atol=0.05)


def test_many_instances(scene) -> None:
    """A frame of five hundred, and the next in which they have moved."""
    maker = scatter([(x * 0.2 - 5, y * 0.2 - 2, 0) for x in range(25) for y in range(20)], ball())
    scenes.key(maker, "location", {1: (0, 0, 0), 3: (0, 1, 0)})
    scene.frame_set(1)
    started = time.perf_counter()
    mark_instances(scene, [maker], False)
    marked = time.perf_counter()
    found = parts.read_parts(scene)
    print(f"marked in {marked - started:.3f} s, read in {time.perf_counter() - marked:.3f} s")
    with throwaway.copies():
        copy = throwaway.copy_of(scene, "ids")
        for frame in (1, 2, 3):
            copy.frame_set(frame)
            started = time.perf_counter()
            instances.realise(copy, found)
            print(f"frame {frame} made real in {time.perf_counter() - started:.3f} s")
        copy.view_layers[0].update()
        stand_in = copy.objects[found[7].cover[0]]
        assert np.allclose(stand_in.matrix_world.translation, (-5, 0.4, 0), atol=1e-5)
        meshes = {thing.data for thing in copy.objects if thing.type == "MESH" and not thing.hide_render}
        assert len(found) == 500 and len(meshes) == 1
