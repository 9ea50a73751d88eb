# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigid bodies: what is refused or asked for, with which sentence, in Blender and headless."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy
import holdfast.operators.bodies as bodies
import numpy as np
import pytest
from holdfast.command_line import main
from holdfast.physics import proxies
from holdfast.pipeline.errors import InputError

sys.path.insert(0, str(Path(__file__).parent))
from bodies_parts import P, add, make, proxy_of, same
from scene_dump import dump


def refused(ob: bpy.types.Object, sentence: str) -> None:
    before = dump()
    with pytest.raises(InputError, match=sentence) as caught:
        make([ob])
    print(caught.value)
    same(before)


def test_the_size_is_asked_for_and_never_guessed() -> None:
    ob, asset = add("toy", size=2.0), add("lid", size=0.03)
    asset["holdfast_part"], asset["holdfast_source"] = "lid", "digest"
    with pytest.raises(InputError, match=r"not known: toy \(now 2000 mm\)\. Confirm it"):
        make([ob, asset], trust=False)
    assert not proxies.there()
    make([ob, asset], trust=False, sizes={"toy": 0.03})
    assert tuple(ob.scale) == pytest.approx((0.015,) * 3) and ob.holdfast.size_mm == pytest.approx(30.0)
    assert json.loads(proxy_of(ob)["holdfast_body"])["mass_g"] == pytest.approx(28.08, rel=1e-4)
    make([ob], trust=False)  # known now
    ob.scale = (0.02,) * 3
    bpy.context.view_layer.update()
    with pytest.raises(InputError, match="not known"):  # and no longer what was confirmed
        make([ob], trust=False)


def test_what_cannot_be_a_body_says_so() -> None:
    scene = bpy.context.scene
    mesh = bpy.data.meshes.new("nothing")
    empty = bpy.data.objects.new("nothing", mesh)
    scene.collection.objects.link(empty)
    refused(empty, "'nothing' has no faces")
    refused(add("flat", P.primitive_plane_add, size=0.03), "'flat' is open at 4 edges")
    squashed = add("squashed")
    for vertex in squashed.data.vertices:
        vertex.co.z = 0.0
    refused(squashed, "holds no volume")
    squeezed = add("squeezed")
    squeezed.scale.z = 0.0
    bpy.context.view_layer.update()
    refused(squeezed, "a scale is zero")
    tray = add("tray")
    _delete_faces(tray, 1)
    refused(tray, r"open at 4 edges, and inside and outside can't be told apart\. Close its holes")
    bpy.ops.object.text_add()
    refused(bpy.context.object, r"no mesh but a font object\. Convert it")
    bpy.ops.curve.primitive_bezier_circle_add()
    refused(bpy.context.object, r"no mesh but a curve object\. Convert it")
    holder = bpy.data.objects.new("instance", None)
    scene.collection.objects.link(holder)
    holder.instance_type, holder.instance_collection = "COLLECTION", bpy.data.collections.new("kit")
    refused(holder, r"instance of a collection\. Make its objects real")
    dots = add("dots")
    dots.instance_type = "VERTS"
    refused(dots, "puts instances on its verts")
    dots.instance_type = "NONE"
    moving = add("moving")
    moving.keyframe_insert("scale", frame=1)
    with pytest.raises(InputError, match="The scale of 'moving' is animated"):
        make([moving], sizes={"moving": 1.0})
    scene.unit_settings.scale_length = 0.001
    refused(dots, r"A unit of this scene is 0\.001 m")
    scene.unit_settings.scale_length = 1.0
    for index in range(2):
        make([add(f"own {index}", size=0.03)])
    own = bpy.data.objects["own 0"]
    scene.rigidbody_world.collection.objects.link(own)
    refused(own, "is a rigid body itself")


def _delete_faces(ob: bpy.types.Object, count: int) -> None:
    import bmesh

    work = bmesh.new()
    work.from_mesh(ob.data)
    work.faces.ensure_lookup_table()
    bmesh.ops.delete(work, geom=work.faces[:count], context="FACES")
    work.to_mesh(ob.data)
    work.free()


def test_inside_out_and_nearly_closed_meshes_are_weighed_and_noted() -> None:
    turned = add("turned", size=0.03)
    turned.data.flip_normals()
    holed = add("holed", P.primitive_uv_sphere_add, radius=0.015)
    _delete_faces(holed, 3)
    found = make([turned, holed]).records
    assert (
        found["turned"].mass.mass == pytest.approx(0.02808, rel=1e-5)
        and "inwards" in found["turned"].notes[0]
    )
    exact = 1040.0 * 4.0 / 3.0 * np.pi * 0.015**3
    print(f"holed ball: estimated mass off by {found['holed'].mass.mass / exact - 1.0:+.2%}")
    assert not found["holed"].weighed.exact and found["holed"].mass.mass == pytest.approx(exact, rel=0.03)
    assert "estimates" in found["holed"].notes[0]


def test_some_refused_the_others_get_theirs() -> None:
    found = make([add("good"), add("flat", P.primitive_plane_add, size=0.03)])
    assert list(found.records) == ["good"] and list(found.refused) == ["flat"]


def test_linked_parts_are_refused_and_overrides_get_bodies(tmp_path: Path) -> None:
    add("part", size=0.03)
    library = tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(library))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(library), link=True) as (_, into):
        into.objects = ["part"]
    linked = into.objects[0]
    bpy.context.scene.collection.objects.link(linked)
    bpy.context.view_layer.update()
    refused(linked, r"'part' is linked from another file\. Make a library override")
    bpy.context.scene.collection.objects.unlink(linked)
    ours = linked.override_create()
    bpy.context.scene.collection.objects.link(ours)
    bpy.context.view_layer.update()
    for live in (False, True):
        assert make([ours], live=live).records["part"].mass.mass == pytest.approx(0.02808, rel=1e-5)
    assert ours.constraints[0].name == "Holdfast body"
    bodies.remove(bpy.context.scene, [ours])
    assert not ours.constraints


def test_overrides_that_cannot_be_edited_are_refused(tmp_path: Path) -> None:
    part = add("part", size=0.03)
    kit = bpy.data.collections.new("kit")
    kit.objects.link(part)
    bpy.context.scene.collection.children.link(kit)
    library = tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(library))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(library), link=True) as (_, into):
        into.collections = ["kit"]
    scene = bpy.context.scene
    scene.collection.children.link(into.collections[0])
    root = into.collections[0].override_hierarchy_create(scene, bpy.context.view_layer)
    ours = root.objects[0]
    assert ours.override_library.is_system_override
    refused(ours, r"'part' is an override that may not be edited\. Make it editable")


def test_shapes_that_change_keep_that_of_the_frame_and_say_so() -> None:
    keyed = add("keyed", size=0.03)
    keyed.shape_key_add(name="Basis")
    long = keyed.shape_key_add(name="long")
    for point in long.data:
        point.co.z *= 2.0
    long.value = 0.0
    long.keyframe_insert("value", frame=1)
    long.value = 1.0
    long.keyframe_insert("value", frame=10)
    waving = add("waving", size=0.03, location=(0.1, 0.0, 0.0))
    waving.modifiers.new("wave", "WAVE")
    bpy.context.scene.frame_set(10)
    found = make([keyed, waving]).records
    assert found["keyed"].mass.mass == pytest.approx(2.0 * 0.02808, rel=1e-5)
    for record in found.values():
        assert record.notes[0] == "it changes its shape; the body keeps that of frame 10"


def test_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ob = add("toy", size=2.0)

    def run(*argv: str) -> tuple[int, str]:
        code = main(["bodies", *argv])
        out = capfd.readouterr()
        assert "Traceback" not in out.out + out.err
        return code, out.out

    assert run("toy")[0] == 20  # never saved
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "toy.blend"))
    assert run("other")[0] == 2
    code, said = run("toy")
    assert code == 20 and "The real size of these parts is not known: toy (now 2000 mm)" in said
    assert run("toy", "--size", "toy=30")[0] == 2 and run("toy", "--size", "boy=30mm")[0] == 2
    code, said = run("toy", "--size", "toy=30mm", "--live", "--json")
    print(said)
    assert code == 0 and '"event": "settled"' in said and "BOX of 1, 28.08 g" in said
    assert tuple(ob.scale) == pytest.approx((0.015,) * 3)
    assert run("toy", "--test")[0] == 0
    code, said = run("toy", "--remove")
    assert code == 0 and "1 bodies removed" in said and not proxies.there()
