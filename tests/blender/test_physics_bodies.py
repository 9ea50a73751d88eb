# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigid bodies on any part: what is made, what is refused with which sentence, and that nothing else changes."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
import holdfast.operators.bodies as bodies
import numpy as np
import pytest
from holdfast.command_line import main
from holdfast.operators.bodies import Outcome, Request
from holdfast.physics import imported, mass, proxies, settle
from holdfast.pipeline.errors import InputError
from holdfast.properties_object import MATERIALS
from mathutils import Matrix

sys.path.insert(0, str(Path(__file__).parent))
from scene_dump import differences, dump

P = bpy.ops.mesh


def add(name: str, make: Any = P.primitive_cube_add, **how: Any) -> bpy.types.Object:
    make(**(how or {"size": 0.03}))
    ob = bpy.context.object
    ob.name = name
    bpy.context.view_layer.update()
    return ob


def shapes() -> list[bpy.types.Object]:
    """One 30 mm part of each kind of shape."""
    return [
        add("box", size=0.03, location=(0.0, 0.0, 0.1)),
        add("can", P.primitive_cylinder_add, radius=0.01, depth=0.03, location=(0.1, 0.0, 0.1)),
        add("ball", P.primitive_uv_sphere_add, radius=0.015, location=(0.2, 0.0, 0.1)),
        add("cone", P.primitive_cone_add, radius1=0.015, depth=0.03, location=(0.3, 0.0, 0.1)),
        add("ring", P.primitive_torus_add, major_radius=0.011, minor_radius=0.004, location=(0.4, 0.0, 0.1)),
    ]


def done(work: Generator[Any, None, Outcome]) -> Outcome:
    try:
        while True:
            next(work)
    except StopIteration as stop:
        return stop.value


def make(objects: list[bpy.types.Object], **request: Any) -> Outcome:
    return done(bodies.make(bpy.context.scene, objects, Request(**{"trust": True, "test": False} | request)))


def proxy_of(ob: bpy.types.Object) -> bpy.types.Object:
    return settle.body_of(ob)


def world_points(ob: bpy.types.Object) -> np.ndarray:
    graph = bpy.context.evaluated_depsgraph_get()
    mesh = ob.evaluated_get(graph).to_mesh()
    found = np.array([ob.matrix_world @ vertex.co for vertex in mesh.vertices], dtype=np.float64)
    ob.evaluated_get(graph).to_mesh_clear()
    return found


def test_each_shape_of_30_mm_comes_to_rest() -> None:
    found = make(shapes(), test=True)
    kinds = {name: record.shape.kind for name, record in found.records.items()}
    for name, verdict in found.verdicts.items():
        print(f"{name:5} {kinds[name]:12} gap {verdict.gap_mm:.5f} mm (margin {verdict.margin_mm:.3f}), "
              f"jitter {verdict.jitter_mm:.5f} mm a frame, penetration {verdict.penetration_mm:.5f} mm")  # fmt: skip
    assert kinds == {
        "box": "BOX", "can": "CYLINDER", "ball": "SPHERE", "cone": "CONVEX_HULL", "ring": "COMPOUND",
    }  # fmt: skip
    for verdict in found.verdicts.values():
        assert verdict.stable, verdict.says
        assert verdict.gap_mm <= verdict.margin_mm and verdict.jitter_mm <= 0.01
        assert verdict.penetration_mm <= verdict.margin_mm


def test_a_body_that_rocks_says_why() -> None:
    ob = add("box", size=0.03)
    make([ob])
    proxy = proxy_of(ob)
    proxy.rigid_body.use_margin = False  # Blender's own: 40 mm
    verdict = done(settle.settle(bpy.context.scene, proxy))
    print(verdict.says)
    assert not verdict.stable or verdict.margin_mm == 40.0
    proxy.rigid_body.collision_shape = "MESH"
    with pytest.raises(InputError, match="not for moving bodies"):
        settle.subject_of(proxy)


@pytest.mark.parametrize("live", [False, True])
def test_made_and_removed_the_file_is_as_it_was(live: bool) -> None:
    parts = shapes()
    make(parts, live=live)  # sizes are confirmed now
    bodies.remove(bpy.context.scene, parts)
    before = dump()
    make(parts, live=live, test=True)
    assert differences(before, dump())
    assert bodies.remove(bpy.context.scene, parts) == len(parts)
    same(before)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("steps", [0, 2, 8, 60, -2])
def test_stopped_anywhere_the_file_is_as_it_was(live: bool, steps: int) -> None:
    parts = shapes()
    make(parts[:2], live=not live)
    parts[0].scale = (2.0, 2.0, 2.0)
    bpy.context.view_layer.update()
    bpy.context.scene.rigidbody_world.substeps_per_frame = 12
    before = dump()
    request = Request(live=live, trust=True, sizes={"box": 0.04}, speed=3.0)
    if steps < 0:
        steps += sum(1 for _ in bodies.make(bpy.context.scene, parts, request))
        parts[0].scale, parts[0].holdfast.size_mm = (2.0, 2.0, 2.0), 30.0
        before = dump()
    work = bodies.make(bpy.context.scene, parts, request)
    for _ in range(steps):
        next(work)
    work.close()
    same(before)


def test_one_undo_brings_everything_back() -> None:
    parts = shapes()
    bpy.context.scene.frame_set(1)
    for part in parts:
        part.select_set(True)
    bpy.ops.ed.undo_push(message="before")
    before = dump()
    assert bpy.ops.holdfast.make_bodies("EXEC_DEFAULT", True, mode="LIVE", trust_size=True) == {"FINISHED"}
    assert differences(before, dump())
    made = dump()
    assert bpy.ops.holdfast.remove_bodies("EXEC_DEFAULT", True) == {"FINISHED"}
    bpy.ops.ed.undo()
    assert differences(made, dump()) == []
    bpy.ops.ed.undo()
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


def test_a_parent_and_its_child_are_scaled_once_each() -> None:
    body, knob = add("body", size=2.0), add("knob", size=0.5, location=(0.0, 0.0, 1.2))
    knob.parent = body
    bpy.context.view_layer.update()
    make([body, knob], sizes={"body": 0.1, "knob": 0.02})
    sizes = {ob.name: imported.read(ob).extent for ob in (body, knob)}
    assert sizes == pytest.approx({"body": 0.1, "knob": 0.02}, rel=1e-6)


def scaled(name: str) -> bpy.types.Object:
    return add(name, P.primitive_cone_add, radius1=0.015, depth=0.03)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("case", ["uneven", "mirrored", "sheared", "turned"])
def test_scale_mirror_and_shear_are_in_the_points(case: str, live: bool) -> None:
    ob = scaled("part")
    if case == "uneven":
        ob.scale, ob.rotation_euler = (1.0, 2.0, 0.5), (0.3, 1.0, -0.2)
    elif case == "mirrored":
        ob.scale, ob.location = (-1.0, 1.0, 1.5), (0.1, 0.2, 0.3)
    elif case == "sheared":
        parent = bpy.data.objects.new("parent", None)
        bpy.context.scene.collection.objects.link(parent)
        parent.scale, parent.rotation_euler = (1.0, 3.0, 1.0), (0.0, 0.0, 0.4)
        ob.parent, ob.rotation_euler = parent, (0.5, 0.0, 0.7)
    else:
        ob.rotation_euler, ob.location = (1.0, 2.0, 3.0), (1.0, 1.0, 1.0)
    bpy.context.view_layer.update()
    at = ob.matrix_world.copy()
    points = world_points(ob)
    found = make([ob], live=live)
    bpy.context.view_layer.update()
    proxy = proxy_of(ob)
    rigid = np.array(proxy.matrix_world, dtype=np.float64)[:3, :3]
    print(f"{case}: proxy off rigid by {np.abs(rigid.T @ rigid - np.eye(3)).max():.1e}")
    assert np.abs(rigid.T @ rigid - np.eye(3)).max() < 2e-6 and np.linalg.det(rigid) > 0.0
    inner = world_points(proxy)
    margin = found.records["part"].shape.margin
    assert np.abs(np.abs(inner.min(0) - points.min(0))).max() < 4.0 * margin + 1e-6
    assert np.abs(np.abs(inner.max(0) - points.max(0))).max() < 4.0 * margin + 1e-6
    solid = mass.weigh_solid(*_solid(ob), 1.0)
    assert tuple(proxy.matrix_world.translation) == pytest.approx(solid.mass.com, abs=1e-6)
    assert np.abs(np.array(ob.matrix_world) - np.array(at)).max() < 1e-6


def _solid(ob: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    mesh = ob.data
    mesh.calc_loop_triangles()
    corners = np.array([tuple(triangle.vertices) for triangle in mesh.loop_triangles], dtype=np.int64)
    points = np.array([ob.matrix_world @ vertex.co for vertex in mesh.vertices], dtype=np.float64)
    return points, corners if np.linalg.det(np.array(ob.matrix_world)[:3, :3]) > 0 else corners[:, ::-1]


def floor() -> bpy.types.Object:
    ob = add("floor", size=1.0, location=(0.0, 0.0, -0.5))
    scene = bpy.context.scene
    scene.rigidbody_world.collection.objects.link(ob)
    body = ob.rigid_body
    body.type, body.collision_shape, body.use_margin, body.collision_margin = "PASSIVE", "BOX", True, 1e-5
    return ob


def test_pressing_play_the_parts_fall_and_rest_on_the_floor() -> None:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 60
    scene.frame_set(1)
    parent = bpy.data.objects.new("parent", None)
    scene.collection.objects.link(parent)
    parts = [
        add("cone", P.primitive_cone_add, radius1=0.015, depth=0.03, location=(0.0, 0.0, 0.03)),
        add("wedge", size=0.03, location=(0.1, 0.0, 0.03)),
        add("ring", P.primitive_torus_add, major_radius=0.011, minor_radius=0.004, location=(0.2, 0.0, 0.02)),
    ]
    parts[0].parent, parts[0].scale = parent, (1.0, 1.2, -0.8)
    parts[1].data.vertices[0].co.z -= 0.004
    bpy.context.view_layer.update()
    start = [part.matrix_world.copy() for part in parts]
    make(parts, live=True)
    floor()
    assert proxy_of(parts[0]).rigid_body.kinematic is False
    for frame in range(1, 61):
        scene.frame_set(frame)
        if frame == 1:
            for part, before in zip(parts, start, strict=True):
                assert np.abs(np.array(part.matrix_world) - np.array(before)).max() < 1e-6
    graph = bpy.context.evaluated_depsgraph_get()
    for part, before in zip(parts, start, strict=True):
        moved = Matrix(part.evaluated_get(graph).matrix_world) @ before.inverted()
        turn = np.array(moved.to_3x3())
        lowest = world_points(part)[:, 2].min()
        print(
            f"{part.name}: lowest point {1e3 * lowest:+.4f} mm, strain {np.abs(turn.T @ turn - np.eye(3)).max():.1e}"
        )
        assert abs(lowest) < 4e-4 and before.translation.z - part.matrix_world.translation.z > 0.002
        assert np.abs(turn.T @ turn - np.eye(3)).max() < 1e-4
    scene.frame_set(1)
    bodies.remove(scene, parts)
    bpy.context.view_layer.update()
    for part, before in zip(parts, start, strict=True):
        assert np.abs(np.array(part.matrix_world) - np.array(before)).max() < 1e-6


def test_animated_bodies_follow_their_parts() -> None:
    ob = add("part", size=0.03)
    make([ob])
    ob.location, ob.rotation_euler = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
    bpy.context.view_layer.update()
    proxy = proxy_of(ob)
    assert proxy.rigid_body.kinematic and proxy.hide_render and not proxy.visible_get()
    assert np.abs(np.array(proxy.matrix_world) - np.array(ob.matrix_world)).max() < 1e-6


def test_modifiers_shape_keys_and_shared_meshes_count() -> None:
    plain = add("plain", size=0.03)
    thick = add("thick", size=0.03)
    thick.modifiers.new("array", "ARRAY").constant_offset_displace = (0.0, 0.0, 0.0)
    thick.modifiers["array"].relative_offset_displace = (2.0, 0.0, 0.0)
    keyed = add("keyed", size=0.03)
    keyed.shape_key_add(name="Basis")
    key = keyed.shape_key_add(name="long")
    for point in key.data:
        point.co.x *= 2.0
    key.value = 1.0
    twin = bpy.data.objects.new("twin", plain.data)
    bpy.context.scene.collection.objects.link(twin)
    bpy.context.view_layer.update()
    found = make([plain, thick, keyed, twin]).records
    grams = {name: 1e3 * record.mass.mass for name, record in found.items()}
    assert grams == pytest.approx({"plain": 28.08, "thick": 56.16, "keyed": 56.16, "twin": 28.08}, rel=1e-5)
    assert found["thick"].shape.kind == "COMPOUND" and len(found["thick"].shape.pieces) == 2
    assert found["thick"].shape.volume_error == pytest.approx(0.0, abs=1e-3)
    assert found["twin"].weighed is found["plain"].weighed


def same(before: dict[str, Any]) -> None:
    """The file is as it was; prints what is not."""
    changed = differences(before, dump())
    print(*changed, sep="\n")
    assert not changed


def refused(ob: bpy.types.Object, sentence: str) -> None:
    before = dump()
    with pytest.raises(InputError, match=sentence) as caught:
        make([ob])
    print(caught.value)
    same(before)


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


def test_the_world_is_made_finer_and_never_coarser() -> None:
    scene = bpy.context.scene
    bpy.ops.rigidbody.world_add()
    world = scene.rigidbody_world
    world.collection = bpy.data.collections.new("mine")
    world.substeps_per_frame, world.solver_iterations = 200, 5
    told = make([add("small", size=0.004)]).told
    print(told)
    assert world.substeps_per_frame == 200 and world.solver_iterations == 50
    assert any("200 steps" in line and "before: 200 and 5" in line for line in told)
    bodies.remove(scene, list(scene.objects))
    assert (world.substeps_per_frame, world.solver_iterations) == (200, 5)
    assert scene.rigidbody_world is not None and world.collection.name == "mine"


def test_own_mass_and_density_and_every_material() -> None:
    assert {item[0] for item in MATERIALS} == set(mass.MATERIALS)
    ob = add("part", size=0.03)
    ob.holdfast.material = "CORK"
    assert make([ob]).records["part"].mass.mass == pytest.approx(160.0 * 2.7e-5, rel=1e-5)
    ob.holdfast.density = 2000.0
    assert make([ob]).records["part"].mass.mass == pytest.approx(0.054, rel=1e-5)
    ob.holdfast.mass_g = 12.0
    assert make([ob]).records["part"].mass.mass == pytest.approx(0.012, rel=1e-6)
    assert proxy_of(ob).rigid_body.mass == pytest.approx(0.012, rel=1e-6)


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
