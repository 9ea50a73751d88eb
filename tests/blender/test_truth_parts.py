# SPDX-License-Identifier: GPL-3.0-or-later
"""What a part is: kinds, numbers that stay, names, and what is refused with a sentence."""

from __future__ import annotations

import time
from pathlib import Path

import bpy
import numpy as np
import pytest
from holdfast.operators import marking
from holdfast.pipeline.errors import InputError
from holdfast.rendering import parts
from holdfast.rendering.part_numbers import Numbers, renumber

from . import truth_scenes as scenes


@pytest.fixture
def scene() -> bpy.types.Scene:
    return scenes.new_scene((32, 32), 1)


def read(scene) -> dict[str, parts.Part]:
    scene.view_layers[0].update()
    return {part.name: part for part in parts.read_parts(scene)}


def numbers(scene) -> dict[str, int]:
    return {name: part.id for name, part in read(scene).items()}


def collection(scene, name: str, *things: bpy.types.Object, inside=None) -> bpy.types.Collection:
    made = bpy.data.collections.new(name)
    (inside or scene.collection).children.link(made)
    for thing in things:
        scene.collection.objects.unlink(thing)
        made.objects.link(thing)
    return made


def select(scene, *things) -> None:
    scene.view_layers[0].update()
    for thing in scene.objects:
        thing.select_set(thing in things)
    scene.view_layers[0].objects.active = things[0]


def planes(count: int) -> list[bpy.types.Object]:
    return [scenes.add_plane(f"plane {number}", 0.5, part=False) for number in range(1, count + 1)]


def test_numbers_stay_when_parts_come_go_and_are_renamed(scene, tmp_path: Path) -> None:
    one, two, three = planes(3)
    marking.mark_objects(scene, [one, two])
    assert numbers(scene) == {"plane 1": 1, "plane 2": 2}
    two.holdfast.is_part = False
    marking.mark_objects(scene, [three])
    two.name, one.name = "another", "name"
    assert numbers(scene) == {"plane 1": 1, "plane 3": 3}, "what was a part keeps its number to itself"
    marking.mark_objects(scene, [two])
    bpy.data.objects.remove(three)
    four = scenes.add_plane("plane 4", 1, part=False)
    marking.mark_objects(scene, [four])
    assert numbers(scene) == {"plane 1": 1, "plane 2": 2, "plane 4": 4}
    three = scenes.add_plane("plane 3", 1, part=False)
    marking.mark_objects(scene, [three])
    assert numbers(scene)["plane 3"] == 3, "what comes back under its name gets its number back"
    before = numbers(scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    assert numbers(bpy.context.scene) == before


def test_linked_parts_keep_their_numbers(scene, tmp_path: Path) -> None:
    body, lid = planes(2)
    marking.mark_objects(scene, [body, lid])
    bpy.data.libraries.write(str(tmp_path / "set.blend"), {body, lid})
    for thing in (body, lid):
        bpy.data.objects.remove(thing)
    with bpy.data.libraries.load(str(tmp_path / "set.blend"), link=True) as (_, target):
        target.objects = ["plane 1", "plane 2"]
    for thing in target.objects:
        scene.collection.objects.link(thing)
    assert numbers(scene) == {"plane 1": 1, "plane 2": 2}
    own = scenes.add_plane("own", 1, part=False)
    own.holdfast.is_part, own.holdfast.part_id = True, 2
    with pytest.raises(InputError, match=r"same part number \(2\)\. Renumber Parts"):
        read(scene)
    assert bpy.ops.holdfast.renumber_parts() == {"FINISHED"}
    assert numbers(scene) == {"plane 1": 1, "plane 2": 2, "own": 3}, "the linked ones keep theirs"
    assert renumber(scene) == []


def test_an_override_keeps_its_number_when_it_is_marked_again(scene, tmp_path: Path) -> None:
    (body,) = planes(1)
    body.holdfast.part_id = 12
    bpy.data.libraries.write(str(tmp_path / "set.blend"), {body})
    bpy.data.objects.remove(body)
    with bpy.data.libraries.load(str(tmp_path / "set.blend"), link=True) as (_, target):
        target.objects = ["plane 1"]
    own = target.objects[0].override_create(remap_local_usages=True)
    scene.collection.objects.link(own)
    marking.mark_objects(scene, [own])
    assert numbers(scene) == {"plane 1": 12}


def test_two_libraries_with_one_number(scene, tmp_path: Path) -> None:
    for name in ("a", "b"):
        thing = scenes.add_plane(name, 1)
        thing.holdfast.part_id = 7
        bpy.data.libraries.write(str(tmp_path / f"{name}.blend"), {thing})
        bpy.data.objects.remove(thing)
        with bpy.data.libraries.load(str(tmp_path / f"{name}.blend"), link=True) as (_, target):
            target.objects = [name]
        scene.collection.objects.link(target.objects[0])
    with pytest.raises(InputError, match="b and a have the same number and are linked"):
        renumber(scene)


def test_a_duplicate_that_is_marked_gets_its_own_name_and_number(scene) -> None:
    (body,) = planes(1)
    marking.mark_objects(scene, [body])
    twin = body.copy()
    scene.collection.objects.link(twin)
    with pytest.raises(InputError, match="same part name"):
        read(scene)
    marking.mark_objects(scene, [twin])
    assert numbers(scene) == {"plane 1": 1, "plane 1.001": 2}


def test_more_parts_than_eight_bits(scene) -> None:
    (first, second) = planes(2)
    first.holdfast.is_part, first.holdfast.part_id = True, 65534
    given = Numbers(scene)
    assert (given.give("x"), given.give("y")) == (65535, 1)
    marking.mark_objects(scene, [second])
    assert numbers(scene)["plane 2"] == 2


def test_unmarked_numbers_are_the_same_whatever_the_order(scene) -> None:
    for name in ("c", "a", "b"):
        scenes.add_plane(name, 1)
    scene.objects["b"].holdfast.part_id = 1
    assert numbers(scene) == {"a": 2, "b": 1, "c": 3}
    assert scene.objects["a"].holdfast.part_id == 0, "reading changes nothing"


def test_a_collection_is_one_part(scene) -> None:
    body, lid, peg, inner, decor = planes(5)
    outer = collection(scene, "lamp", body, lid)
    collection(scene, "nested", inner, decor, inside=outer)
    collection(scene, "other", peg)
    lid.parent, inner.parent, decor.holdfast.role = body, body, "SET"
    body.location.x = 2
    assert marking.mark_collection(scene, outer) == 1
    marking.mark_objects(scene, [peg])
    found = read(scene)
    lamp = found["lamp"]
    assert set(found) == {"lamp", "plane 3"} and lamp.kind == "COLLECTION" and lamp.object == body
    assert set(lamp.cover) == {"plane 1", "plane 2", "plane 4"} and lamp.record()["bounds"] is None
    assert parts.poses(scene, [lamp])[0, 0, 3] == 2
    body.name = "zz"
    outer.name = "renamed"
    assert read(scene)["lamp"].object == body
    marking.mark_objects(scene, [inner])
    found = read(scene)
    assert set(found) == {"lamp", "plane 3", "plane 4"} and set(found["lamp"].cover) == {"zz", "plane 2"}
    lid.hide_render = True
    assert read(scene)["lamp"].cover == ("zz",)
    inner.holdfast.is_part, outer.hide_render = False, True
    with pytest.raises(InputError, match="Nothing of the part lamp is shown"):
        read(scene)


def test_a_collection_with_a_collection_instance(scene) -> None:
    bolt = scenes.add_plane("bolt", 0.2, part=False)
    source = collection(scene, "source", bolt)
    scene.collection.children.unlink(source)
    holder = bpy.data.objects.new("holder", None)
    holder.instance_type, holder.instance_collection = "COLLECTION", source
    (body,) = planes(1)
    scene.collection.objects.link(holder)
    lamp = collection(scene, "lamp", body, holder)
    marking.mark_collection(scene, lamp)
    assert set(read(scene)["lamp"].cover) == {"plane 1", "bolt"}


def test_material_slots(scene) -> None:
    thing = scenes.add_mesh("lamp", [(x, y, 0) for x in range(4) for y in range(2)],
                            [(0, 1, 3, 2), (2, 3, 5, 4), (4, 5, 7, 6)], part=False)  # fmt: skip
    for name in ("red", "never", None, "blue"):
        thing.data.materials.append(name and bpy.data.materials.new(name))
    thing.data.polygons.foreach_set("material_index", [0, 2, 3])
    assert marking.mark_slots(scene, [thing]) == 3
    found = read(scene)
    kinds = {name: (part.kind, part.material, part.cover) for name, part in found.items()}
    assert kinds == {
        "lamp red": ("SLOT", "red", ("lamp",)),
        "lamp 3": ("SLOT", "default_surface", ("lamp",)),
        "lamp blue": ("SLOT", "blue", ("lamp",)),
    }
    before = numbers(scene)
    bpy.data.materials["red"].name = "rouge"
    thing.name = "lampe"
    assert numbers(scene) == before and read(scene)["lamp red"].material == "rouge"
    thing.data.polygons.foreach_set("material_index", [0, 1, 3])
    assert set(read(scene)) == {*before, "lamp never"}, "a slot that came into use since"
    thing.data.materials[1] = thing.data.materials[0]
    with pytest.raises(InputError, match="Slots 1 and 2 of lampe have the same material"):
        read(scene)


def _add(scene, name: str, data) -> bpy.types.Object:
    thing = bpy.data.objects.new(name, data)
    scene.collection.objects.link(thing)
    thing.holdfast.is_part = True
    return thing


def _pencil():
    return getattr(bpy.data, "grease_pencils_v3", bpy.data.grease_pencils).new("pencil")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: None, r"thing \(empty\) has no coverage"),
        (lambda: bpy.data.lights.new("l", "AREA"), r"thing \(light\) has"),
        (lambda: bpy.data.armatures.new("a"), r"\(armature\) has"),
        (lambda: bpy.data.lattices.new("a"), r"\(lattice\) has"),
        (lambda: bpy.data.cameras.new("a"), r"\(camera\) has"),
        (lambda: bpy.data.volumes.new("v"), r"\(volume\) has"),
        (_pencil, r"grease pencil.*\) has no coverage"),
        (lambda: bpy.data.curves.new("c", "CURVE"), ""),
        (lambda: bpy.data.curves.new("t", "FONT"), ""),
        (lambda: bpy.data.metaballs.new("m"), ""),
        (lambda: bpy.data.hair_curves.new("h"), ""),
        (lambda: bpy.data.pointclouds.new("p"), ""),
        (lambda: bpy.data.meshes.new("none"), ""),
    ],
)
def test_kinds_of_objects(scene, make, says: str) -> None:
    _add(scene, "thing", make())
    if says:
        with pytest.raises(InputError, match=says):
            read(scene)
    else:
        assert read(scene)["thing"].cover == ("thing",)


def test_metaballs_are_drawn_as_their_family(scene) -> None:
    for name in ("drop", "drop.001"):
        _add(scene, name, bpy.data.metaballs.new(name)).holdfast.is_part = False
    marking.mark_objects(scene, [scene.objects["drop.001"]])
    with pytest.raises(InputError, match=r"drop\.001 is drawn as a piece of drop"):
        read(scene)
    scene.objects["drop.001"].holdfast.is_part = False
    marking.mark_objects(scene, [scene.objects["drop"]])
    assert {thing.name for thing in read(scene)["drop"].objects} == {"drop", "drop.001"}


def test_zero_scale_and_hidden_for_a_while(scene) -> None:
    flat, late = planes(2)
    marking.mark_objects(scene, [flat, late])
    flat.scale = (0, 0, 0)
    late.hide_render = True
    late.keyframe_insert("hide_render", frame=1)
    late.hide_render = False
    late.keyframe_insert("hide_render", frame=2)
    scene.frame_set(1)
    found = read(scene)
    assert len(found) == 2 and np.isfinite(parts.poses(scene, list(found.values()))).all()


def test_collections_that_hide_a_part(scene) -> None:
    (body,) = planes(1)
    marking.mark_objects(scene, [body])
    collection(scene, "hidden", body).hide_render = True
    with pytest.raises(InputError, match="plane 1 is hidden in renders"):
        read(scene)


def test_names_become_folders(scene) -> None:
    names = ["тело/крышка", "Body", "body", "con", "a.b.c", "x" * 62]
    for name in names:
        scenes.add_plane(name, 1)
    found = read(scene)
    folders = [part.folder for part in found.values()]
    print(folders)
    assert set(found) == set(names) and len({folder.lower() for folder in folders}) == len(names)
    assert "/" not in "".join(folders) and found["a.b.c"].folder == "a.b.c"


def test_operators(scene) -> None:
    first, second, third = planes(3)
    select(scene, first, second)
    assert bpy.ops.holdfast.mark_parts() == {"FINISHED"}
    assert numbers(scene) == {"plane 1": 1, "plane 2": 2}
    assert bpy.ops.holdfast.unmark_parts() == {"FINISHED"}
    with pytest.raises(InputError, match="no parts"):
        read(scene)
    select(scene, second, third)
    assert bpy.ops.holdfast.mark_parts(pieces="WHOLE") == {"FINISHED"}
    assert {name: set(part.cover) for name, part in read(scene).items()} == {
        "plane 2": {"plane 2", "plane 3"}
    }
    select(scene, third)
    assert bpy.ops.holdfast.unmark_parts() == {"FINISHED"}
    made = collection(scene, "made", first)
    layer = scene.view_layers[0].layer_collection.children[made.name]
    scene.view_layers[0].active_layer_collection = layer
    assert bpy.ops.holdfast.mark_parts(source="COLLECTION", pieces="WHOLE") == {"FINISHED"}
    assert [part.kind for part in read(scene).values()] == ["COLLECTION"]
    assert bpy.ops.holdfast.unmark_parts(source="COLLECTION") == {"FINISHED"}
    assert bpy.ops.holdfast.mark_parts(source="COLLECTION") == {"FINISHED"}
    assert [part.kind for part in read(scene).values()] == ["OBJECT"]


def test_rigid_bodies(scene) -> None:
    things = planes(3)
    bpy.ops.rigidbody.world_add()
    scene.rigidbody_world.collection = bpy.data.collections.new("Bodies")
    for thing in things[:2]:
        scene.rigidbody_world.collection.objects.link(thing)
    things[1].hide_render = True
    scene.view_layers[0].update()
    assert bpy.ops.holdfast.mark_parts(source="RIGID_BODIES") == {"FINISHED"}
    assert [thing.holdfast.is_part for thing in things] == [True, False, False]


def test_nothing_to_mark(scene) -> None:
    select(scene, scene.camera)
    assert bpy.ops.holdfast.mark_parts() == {"CANCELLED"}


def test_five_hundred_parts(scene) -> None:
    things = planes(500)
    started = time.perf_counter()
    marking.mark_objects(scene, things)
    scene.view_layers[0].update()
    marked = time.perf_counter()
    found = read(scene)
    end = time.perf_counter()
    print(f"500 parts: marked in {marked - started:.3f} s, read in {end - marked:.3f} s")
    assert [part.id for part in found.values()] == list(range(1, 501))
