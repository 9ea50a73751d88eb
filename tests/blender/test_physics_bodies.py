# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigid bodies on any part: what is made, how it rests and moves, and that nothing else changes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy
import holdfast.operators.bodies as bodies
import numpy as np
import pytest
from holdfast.operators.bodies import Request
from holdfast.physics import imported, mass, settle
from holdfast.pipeline.errors import InputError
from holdfast.properties_object import MATERIALS
from mathutils import Matrix, Quaternion

sys.path.insert(0, str(Path(__file__).parent))
import settle_parts
from bodies_parts import P, add, done, make, proxy_of, same, shapes, world_points
from scene_dump import differences, dump


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


def test_eight_parts_of_30_mm_rest_on_the_face_they_are_put_on() -> None:
    found = make(settle_parts.parts(), test=True)
    assert len(found.verdicts) == 8 and not found.refused
    for name, verdict in found.verdicts.items():
        print(settle_parts.line(name, found.records[name], verdict))
        assert verdict.stable, verdict.says
        assert verdict.gap_mm <= verdict.margin_mm and verdict.jitter_mm <= 0.01
        assert verdict.penetration_mm <= 0.1 * verdict.margin_mm and verdict.turned_deg < 1.0
        if name != "sphere":  # its facets stand off the ball
            assert abs(verdict.seen_gap_mm) < 0.02
    standing = {name for name, verdict in found.verdicts.items() if verdict.stands}
    assert standing == {"cube", "cylinder", "lantern", "hollow cup", "ring", "L-bracket"}


def test_a_part_that_would_fall_over_as_it_is_says_so() -> None:
    pin = add("pin", P.primitive_cone_add, radius1=0.015, depth=0.03)
    pin.rotation_euler.x = np.pi  # on its tip
    bpy.context.view_layer.update()
    verdict = make([pin], test=True).verdicts["pin"]
    print(verdict.says)
    assert (
        verdict.stable and not verdict.stands and verdict.says.endswith("as it is turned now it falls over")
    )
    turn = np.array(Quaternion(verdict.rest).to_matrix()) @ np.array(proxy_of(pin).matrix_world.to_3x3()).T
    assert (
        np.abs(np.abs((turn @ np.array(pin.matrix_world.to_3x3()))[2]) - (0, 0, 1)).max() < 1e-3
    )  # on its base


def verdict_of(ob: bpy.types.Object) -> settle.Verdict:
    return done(settle.settle(bpy.context.scene, proxy_of(ob)))


def test_planted_faults_are_seen_and_named() -> None:
    scene = bpy.context.scene
    cone, small = shapes()[3], add("small", size=0.003, location=(0.0, 0.1, 0.1))
    make([cone, small])
    proxy = proxy_of(cone)
    proxy.rigid_body.use_margin = False  # Blender's own: 40 mm
    floats = verdict_of(cone)
    print(floats.says)
    assert not floats.stable and floats.gap_mm == pytest.approx(40.0, abs=0.1)
    assert floats.says.endswith("because its margin is 40.000 mm and its shape was made for 0.030 mm")
    proxy.rigid_body.use_margin, proxy.rigid_body.collision_shape = True, "MESH"
    with pytest.raises(InputError, match="not for moving bodies"):
        settle.subject_of(proxy)
    assert verdict_of(small).stable
    scene.rigidbody_world.substeps_per_frame, scene.rigidbody_world.solver_iterations = 1, 1
    coarse = verdict_of(small)
    print(coarse.says)
    assert not coarse.stable and "the world solves 1 steps a frame and it needs 30" in coarse.says


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


def test_fifty_parts_at_once_and_one_undo() -> None:
    first = shapes()
    parts = list(first)
    for index in range(45):
        twin = first[index % 5].copy()
        twin.location = (0.1 * (index % 10), 0.1 * (1 + index // 10), 0.1)
        bpy.context.scene.collection.objects.link(twin)
        parts.append(twin)
    bpy.context.view_layer.update()
    for part in parts:
        part.select_set(True)
    bpy.ops.ed.undo_push(message="before")
    before = dump()
    assert bpy.ops.holdfast.make_bodies("EXEC_DEFAULT", True, mode="LIVE", trust_size=True) == {"FINISHED"}
    proxies = [ob for ob in bpy.data.objects if ob.get("holdfast_settle")]
    assert len(proxies) == 50 and all(json.loads(ob["holdfast_settle"])["stable"] for ob in proxies)
    bpy.ops.ed.undo()
    same(before)


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
