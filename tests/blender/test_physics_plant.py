# SPDX-License-Identifier: GPL-3.0-or-later
"""Peg and bore put into bodies that have none: bumpy, hollow, asymmetric, open; and fits on rough pegs and bores."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import bmesh
import bpy
import holdfast.operators.drive as drive
import holdfast.operators.physics as stage
import numpy as np
import pytest
from holdfast.operators.steps import StageOptions
from holdfast.physics import assembly, fit, mass, mending, meshes, plant, wall
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.project import ShotFolder
from mathutils import Matrix

FLAT = ((0.0, 0.0, 0.002), (0.0, 0.0, 1.0))


def ball(radius: float, hollow: float = 0.0, bump: float = 0.0, stretch: float = 1.0) -> bpy.types.Object:
    """A ball with bumps of ``bump`` radii, ``stretch`` times as wide along +x, and a round hollow."""
    work = bmesh.new()
    bmesh.ops.create_icosphere(work, subdivisions=4, radius=radius)
    for vertex in work.verts:
        x, y, z = vertex.co / radius
        vertex.co *= 1.0 + bump * math.sin(9.0 * x) * math.cos(11.0 * y) * math.sin(7.0 * z + 1.0)
        vertex.co.x *= stretch if vertex.co.x > 0.0 else 1.0
    if hollow:
        inner = bmesh.ops.create_icosphere(work, subdivisions=4, radius=hollow)["verts"]
        bmesh.ops.reverse_faces(work, faces=list({face for vertex in inner for face in vertex.link_faces}))
    mesh = bpy.data.meshes.new("ball")
    work.to_mesh(mesh)
    work.free()
    ob = bpy.data.objects.new("ball", mesh)
    bpy.context.scene.collection.objects.link(ob)
    return ob


def volume(ob: bpy.types.Object) -> float:
    return mass.mass_properties(meshes.vertices(ob.data), meshes.triangles(ob.data), 1.0, ob.name).volume


def fitted(made: plant.Divided) -> assembly.Joint:
    """The joint of the two halves, with their lock on them, as the stage does it."""
    for number, (name, ob) in enumerate((("below", made.below), ("above", made.above)), 1):
        ob.holdfast.is_part, ob.holdfast.part, ob.holdfast.part_id = True, name, number
    (joint,) = assembly.read(bpy.context.scene).joints
    for side, part, frame in (
        ("peg", joint.peg, joint.peg_frame),
        ("socket", joint.socket, joint.socket_frame),
    ):
        fit.apply(part.ob, fit.fit(side, part.ob, frame, part.scale, joint.mechanism))
        assert mass.open_edges(meshes.triangles(part.ob.data)) == 0
    return joint


@pytest.mark.parametrize(
    ("body", "boss"),
    [
        (lambda: ball(0.025, bump=0.06), False),
        (lambda: ball(0.022, bump=0.03, stretch=1.8), False),
        (lambda: ball(0.025, hollow=0.0225, bump=0.02), True),
    ],
    ids=["bumpy", "asymmetric", "hollow"],
)
def test_a_body_is_cut_in_two_and_locked(body: Callable[[], bpy.types.Object], boss: bool) -> None:
    ob = body()
    whole = volume(ob)
    made = plant.divide(ob, plant.plane_at(*FLAT))
    print(made.planted.says, made.done)
    assert made.planted.boss is boss and made.done == ()
    spec = plant.measures(made.planted.radius)
    peg = math.pi * made.planted.radius**2 * made.planted.length
    bore = math.pi * spec.bore_radius**2 * spec.bore_depth
    if not boss:
        error = (volume(made.above) + volume(made.below) - whole - peg + bore) / peg
        print(f"volume off by {100 * error:.3f} % of the peg")
        assert abs(error) < 0.005
    fitted(made)


def test_the_stage_proves_a_planted_lock(tmp_path: Path) -> None:
    made = plant.divide(ball(0.025, hollow=0.0225, bump=0.02), plant.plane_at((0, 0, 0.001), (0.2, 0.1, 1.0)))
    for number, (name, ob) in enumerate((("below", made.below), ("above", made.above)), 1):
        ob.holdfast.is_part, ob.holdfast.part, ob.holdfast.part_id = True, name, number
    steps = stage.run(bpy.context.scene, ShotFolder(tmp_path), StageOptions(frames=None))
    proven = drive.run_blocking(steps, Context())
    print(proven.data["says"])
    assert proven.data["verdict"] == "engaged"


def test_scaled_and_moved_objects_state_their_features_in_their_own_units() -> None:
    ob = ball(1.0)
    ob.scale, ob.location, ob.rotation_euler = (0.02, 0.02, 0.02), (0.3, 0.1, -0.2), (0.4, 0.2, 0.1)
    bpy.context.view_layer.update()
    made = plant.divide(ob, plant.plane_at((0.3, 0.1, -0.2), (0.0, 0.0, 1.0)))
    stated = json.loads(made.above["holdfast_feature"])[0]
    assert stated["radius"] == pytest.approx(made.planted.radius / 0.02, rel=1e-6)
    fitted(made)


def test_open_doubled_and_inverted_meshes_are_mended() -> None:
    ob = ball(0.02, bump=0.03)
    sound = volume(ob)
    work = bmesh.new()
    work.from_mesh(ob.data)
    work.faces.ensure_lookup_table()
    bmesh.ops.delete(work, geom=[work.faces[7], work.faces[300], work.faces[301]], context="FACES")
    bmesh.ops.split_edges(work, edges=list(work.edges)[::5])
    bmesh.ops.reverse_faces(work, faces=work.faces[:])
    work.to_mesh(ob.data)
    work.free()
    done = mending.mend(ob.data, "ball")
    print(done)
    assert volume(ob) == pytest.approx(sound, rel=2e-3)
    assert any("closed" in words for words in done) and any("welded" in words for words in done)


def test_what_can_not_be_mended_is_made_anew() -> None:
    ob = ball(0.02)
    before = volume(ob)
    print(mending.remake(ob.data, "ball", 60))
    assert volume(ob) == pytest.approx(before, rel=0.05)


def test_a_part_too_thin_is_left_as_it_was() -> None:
    ob = ball(0.0045)
    before, blocks = meshes.digest(ob.data), (len(bpy.data.meshes), len(bpy.data.objects))
    with pytest.raises(plant.NoRoom, match="no room for a lock") as caught:
        plant.divide(ob, plant.plane_at(*FLAT))
    print(caught.value)
    assert meshes.digest(ob.data) == before and (len(bpy.data.meshes), len(bpy.data.objects)) == blocks
    with pytest.raises(InputError, match="misses"):
        plant.divide(ob, plant.plane_at((0.0, 0.0, 0.1), (0.0, 0.0, 1.0)))


def test_slices_see_hollows_and_crossing_shells() -> None:
    ob = ball(0.02, hollow=0.015)
    picture = wall.slices(meshes.vertices(ob.data), meshes.triangles(ob.data), [0.0])
    shell = picture.solid[0].sum() * picture.pixel**2
    full = picture.filled().solid[0].sum() * picture.pixel**2
    assert shell == pytest.approx(math.pi * (0.02**2 - 0.015**2), rel=0.03)
    assert full == pytest.approx(math.pi * 0.02**2, rel=0.02)
    twice = np.concatenate((meshes.vertices(ob.data), meshes.vertices(ob.data) + np.array((0.004, 0.0, 0.0))))
    corners = meshes.triangles(ob.data)
    outer = corners[(np.linalg.norm(meshes.vertices(ob.data)[corners], axis=2) > 0.017).all(axis=1)]
    both = np.concatenate((outer, outer + len(ob.data.vertices)))
    assert (
        wall.slices(twice, both, [0.0]).solid[0].sum()
        == wall.slices(twice, both, [0.0]).filled().solid[0].sum()
    )


def rough(made: plant.Divided, part: str, amount: float) -> None:
    """Bumps of ``amount`` radii on the shaft or in the bore."""
    ob = made.above if part == "peg" else made.below
    stated = json.loads(ob["holdfast_feature"])[0]
    radius, size = stated["radius"], stated["length" if part == "peg" else "depth"]
    work = bmesh.new()
    work.from_mesh(ob.data)
    origin = np.array(stated["origin"])

    def on(vertex: bmesh.types.BMVert) -> bool:
        x, y, z = np.array(vertex.co) - origin
        return abs(math.hypot(x, y) - radius) < 0.02 * radius and -size - 1e-6 < z < -1e-6

    edges = [e for e in work.edges if all(math.hypot(*(np.array(v.co) - origin)[:2]) < 1.02 * radius for v in e.verts)
             and abs(e.verts[0].co.z - e.verts[1].co.z) > 0.5 * size]  # fmt: skip
    bmesh.ops.subdivide_edges(work, edges=edges, cuts=6, use_grid_fill=True)
    for vertex in work.verts:
        if on(vertex):
            x, y, z = np.array(vertex.co) - origin
            turn = math.atan2(y, x)
            swell = 1.0 + amount * math.sin(5.0 * turn + 900.0 * z)
            vertex.co.x, vertex.co.y = origin[0] + x * swell, origin[1] + y * swell
    bmesh.ops.triangulate(work, faces=work.faces[:])
    work.to_mesh(ob.data)
    work.free()


@pytest.mark.parametrize("part", ["peg", "socket"])
def test_a_rough_peg_is_turned_and_a_rough_bore_reamed(part: str) -> None:
    made = plant.divide(ball(0.025), plant.plane_at(*FLAT))
    rough(made, part, 0.08)
    found = fitted(made)
    lock = found.mechanism
    ob, frame = (found.peg.ob, found.peg_frame) if part == "peg" else (found.socket.ob, found.socket_frame)
    points = (meshes.vertices(ob.data) - frame[:3, 3]) @ frame[:3, :3]
    out = np.hypot(points[:, 0], points[:, 1])
    below = (points[:, 2] < -1e-5) & (points[:, 2] > -lock.length + 1e-5)
    if part == "peg":
        worst = float(out[below & (out < 2.0 * lock.lug_radius)].max()) - lock.lug_radius
    else:
        near = below & (out < lock.bore_radius)
        worst = lock.bore_radius - float(out[near].min()) if near.any() else 0.0
    print(f"{part}: {worst * 1e3:.4f} mm beyond")
    assert worst < 1e-5


def test_what_stands_over_a_rim_is_faced_off() -> None:
    made = plant.divide(ball(0.025), plant.plane_at(*FLAT))
    lump = ball(0.001)
    x, y, _ = made.planted.origin
    reach = plant.measures(made.planted.radius).bore_radius + 0.0009
    work = bmesh.new()
    work.from_mesh(made.below.data)
    lump.data.transform(Matrix.Translation((x + reach + 0.0006, y, 0.002)))
    work.from_mesh(lump.data)
    work.to_mesh(made.below.data)
    work.free()
    bpy.data.objects.remove(lump)
    found = fitted(made)
    points = meshes.vertices(found.socket.ob.data)
    near = np.hypot(points[:, 0] - x, points[:, 1] - y) < reach + 0.0005
    print(f"{(points[near, 2].max() - 0.002) * 1e3:.4f} mm over the rim")
    assert points[near, 2].max() < 0.002 + 3e-5
