# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances and same-named objects are parts of their own: rendered, and compared with where they are."""

from __future__ import annotations

import time

import bpy
import numpy as np
import pytest
from holdfast.operators.marking import mark_instances, mark_objects
from holdfast.pipeline.errors import InputError
from holdfast.rendering import exr, instances, parts, throwaway
from holdfast.rendering.scenes import Order, _geometry

from . import instance_scenes as made
from . import truth_scenes as scenes


@pytest.fixture
def scene() -> bpy.types.Scene:
    return made.from_above()


@pytest.mark.parametrize("generated", [False, True])
def test_instances_of_one_mesh_stay_apart(scene, tmp_path, generated: bool) -> None:
    places = [(-4, 0, 0), (-1, 1, 0), (3, -1, 0)]
    maker = made.scatter(places, None if generated else made.square())
    scene.view_layers[0].update()
    assert mark_instances(scene, [maker], False) == 3
    found, masks = made.covered(scene, tmp_path)[0]
    assert [part.name for part in found] == ["bolts 1", "bolts 2", "bolts 3"]
    for part, mask, place in zip(found, masks, places, strict=True):
        x, y, pixels = made.middle(mask)
        print(part.name, x - place[0], y - place[1], pixels)
        assert (x, y, pixels) == (place[0], place[1], 64)
        assert part.bounds == ((-0.5, -0.5, 0), (0.5, 0.5, 0))


@pytest.mark.parametrize("position", ["START", "CENTER", "END"])
def test_motion_blur(scene, tmp_path, position: str) -> None:
    """Coverage of stand-ins under an open shutter is that of what they stand for."""
    maker = made.scatter([(-4, 0, 0), (0, 0, 0), (4, 0, 0)], made.square())
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
            results.append(made.coverage(channels, names))
    natural, told_apart = results
    print(position, "largest difference of coverage", np.abs(natural - told_apart).max(), natural.sum())
    assert np.abs(natural - told_apart).max() < 0.05 and ((natural > 0.1) & (natural < 0.9)).sum() > 60
    assert len(bpy.data.actions) == 1


@pytest.mark.parametrize("make", made.KINDS)
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
    found, masks = made.covered(scene, tmp_path, gone=sources)[0]
    shown = made.natural(scene, tmp_path, sorted(sources))
    pixels = masks.sum((1, 2))
    print(make.__name__, count, pixels.tolist(), int(np.abs(masks.sum(0) - shown).sum()))
    assert count == len(found) >= 3 - (make is made.by_faces) and (pixels > 0).sum() >= count - 2
    assert (masks.sum(0) == shown).all()


def test_instances_come_and_go_and_change(scene, tmp_path) -> None:
    maker = made.growing()
    scene.frame_set(1)
    assert mark_instances(scene, [maker], False) == 1
    first = parts.read_parts(scene)[0]
    scene.frame_set(2)
    with pytest.raises(InputError, match=r"has no number.*frame 2"):
        made.covered(scene, tmp_path, (2,))
    assert mark_instances(scene, [maker], True) == 3 and scene.frame_current == 2
    assert parts.read_parts(scene)[0] == first
    for frame, (found, masks) in enumerate(made.covered(scene, tmp_path, (1, 2, 3)), 1):
        assert [part.name for part in found] == ["bolts 1", "bolts 2", "bolts 3"]
        assert len({part.id for part in found}) == 3
        assert [int(mask.sum()) for mask in masks] == [64 * frame * (place < frame) for place in range(3)]
        assert made.middle(masks[0])[1] == pytest.approx((frame - 1) / 2, abs=0.01)


def test_poses_of_instances(scene) -> None:
    places = [(-4, 0, 0), (-1, 1, 0)]
    maker = made.scatter(places, made.square())
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
    maker = made.scatter([(-4, 0, 0), (0, 0, 0), (4, 0, 0)], made.square())
    lids = [made.square(f"lid {place}", 0.5, True) for place in range(3)]
    for place, (lid, kind) in enumerate(zip(lids, ("holdout", "exclude", "plain"), strict=True)):
        lid.location = (4 * place - 4, 0.5, 1)
        scene.collection.objects.unlink(lid)
        inner = made.collection_of(kind, lid)
        outer = bpy.data.collections.new(f"around {kind}")
        outer.children.link(inner)
        scene.collection.children.link(outer)
        if kind != "plain":
            setattr(scene.view_layers[0].layer_collection.children[-1].children[0], kind, True)
    scene.view_layers[0].update()
    mark_instances(scene, [maker], False)
    _, masks = made.covered(scene, tmp_path)[0]
    assert masks.sum((1, 2)).tolist() == [32, 64, 32]


def test_same_names_in_different_libraries(scene, tmp_path) -> None:
    """Cryptomatte calls them all alike; each is a part, and what is no part does not count for one."""
    for library, x in (("a", 0), ("b", 3)):
        linked = made.square("Cube", 0.4)
        linked.location.x, linked.holdfast.is_part, linked.holdfast.part = (
            x,
            library == "a",
            f"Cube {library}",
        )
        bpy.data.libraries.write(str(tmp_path / f"{library}.blend"), {linked})
        bpy.data.objects.remove(linked)
    made.square("Cube", 0.5, True).location.x = -3
    for library in ("a", "b"):
        with bpy.data.libraries.load(str(tmp_path / f"{library}.blend"), link=True) as (_, target):
            target.objects = ["Cube"]
        scene.collection.objects.link(target.objects[0])
    cubes = [thing for thing in scene.objects if thing.type == "MESH"]
    assert len(cubes) == 3
    mark_objects(scene, [cube for cube in cubes if cube.library is None])
    found, masks = made.covered(scene, tmp_path)[0]
    assert len(found) == 2 and all(part.realised for part in found)
    for part, mask in zip(found, masks, strict=True):
        assert made.middle(mask)[0] == part.object.location.x, part
        assert mask.sum() == (64 if part.object.location.x else 36)


def test_what_can_not_be_told_apart_is_refused(scene, tmp_path) -> None:
    hair = bpy.data.objects.new("tuft", bpy.data.hair_curves.new("tuft"))
    hair.data.add_curves([4])
    empty = made.empty_showing(made.collection_of("wig", hair), "wig", (0, 0, 0))
    scene.view_layers[0].update()
    mark_instances(scene, [empty], False)
    with pytest.raises(InputError, match="tuft is hair, which can't be told apart"):
        made.covered(scene, tmp_path)


def test_instances_with_hair_are_refused(scene, tmp_path) -> None:
    bolt = made.square()
    bolt.modifiers.new("fur", "PARTICLE_SYSTEM").particle_system.settings.type = "HAIR"
    maker = made.scatter([(0, 0, 0)], bolt)
    scene.view_layers[0].update()
    mark_instances(scene, [maker], False)
    with pytest.raises(InputError, match="bolt is covered with hair, which can't be told apart"):
        made.covered(scene, tmp_path)


def test_one_part_that_shows_instances(scene, tmp_path) -> None:
    """It has them all, as long as nothing else shows the same object."""
    maker = made.scatter([(-4, 0, 0), (0, 0, 0)], made.square())
    scene.view_layers[0].update()
    mark_objects(scene, [maker])
    found, masks = made.covered(scene, tmp_path)[0]
    assert found[0].cover == ("bolts", "bolt") and masks[0].sum() == 128 and not found[0].realised
    scene.collection.objects.link(bpy.data.objects["bolt"])
    with pytest.raises(InputError, match="bolts shows bolt, as others do"):
        parts.read_parts(scene)


def test_an_object_that_is_repeated_elsewhere(scene, tmp_path) -> None:
    """A part that others repeat as an instance is only where it stands itself."""
    bolt = made.square(shown=True)
    bolt.location.x = 4
    made.scatter([(-4, 0, 0), (0, 0, 0)], bolt)
    scene.view_layers[0].update()
    mark_objects(scene, [bolt])
    found, masks = made.covered(scene, tmp_path)[0]
    assert found[0].realised and made.middle(masks[0]) == (4, 0, 64)


def test_many_instances(scene) -> None:
    """A frame of five hundred, and the next in which they have moved."""
    maker = made.scatter([(x * 0.2 - 5, y * 0.2 - 2, 0) for x in range(25) for y in range(20)], made.ball())
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
