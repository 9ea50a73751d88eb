# SPDX-License-Identifier: GPL-3.0-or-later
"""Free dynamics against textbook mechanics, in the settings that are chosen; what it leaves; that it repeats."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest
from holdfast.physics import dynamics, imported, settle
from holdfast.physics.ballistic import ball
from holdfast.physics.bounce import Plane
from holdfast.physics.freed import freed
from holdfast.physics.lab import lab_scene
from holdfast.physics.links import Link
from holdfast.physics.rigid import inverse, multiply, rotation, translation
from holdfast.physics.simulation import Body, Simulation
from holdfast.pipeline.errors import UsageError

sys.path.insert(0, str(Path(__file__).parent))
import physics_truths as truths_of
from bodies_parts import make, proxy_of, same, shapes
from physics_truths import cube, floor, heap, run, sphere
from scene_dump import dump

pytestmark = pytest.mark.sweep


def counts() -> dict[str, int]:
    names = ("scenes", "objects", "meshes", "collections", "actions", "materials", "worlds", "node_groups")
    return {name: len(getattr(bpy.data, name)) for name in names}


def test_falls_are_the_parabola() -> None:
    for row, limit in ((truths_of.free_fall(), 5e-6), (truths_of.fall_among_others(), 3e-4)):
        print(row)
        assert abs(row.error) < limit


@pytest.mark.parametrize("length", [1.0, 0.03])
def test_a_pendulum_keeps_time(length: float) -> None:
    row = truths_of.pendulum(length)
    print(row)
    assert abs(row.error) < 1e-4


def test_friction_holds_and_brakes() -> None:
    for row, limit in ((truths_of.slip_angle(0.03), 0.05), (truths_of.sliding_stop(), 0.01)):
        print(row)
        assert abs(row.error) < limit


def test_a_ball_rolls_and_a_spring_turns() -> None:
    for row in (truths_of.rolling(), truths_of.torsion()):
        print(row)
        assert abs(row.error) < 1e-3


def test_a_cube_slides_down_a_slope_at_its_acceleration() -> None:
    row = truths_of.sliding_down()
    print(row)
    assert abs(row.error) < 5e-3


def test_where_bullet_cannot_the_exact_path_can() -> None:
    rows = [truths_of.bounce(True), truths_of.long_spin(True)]
    print(*rows, truths_of.bounce(False), truths_of.long_spin(False), sep="\n")
    assert abs(rows[0].error) < 1e-3 and abs(rows[1].found) < 0.05


def test_a_collision_keeps_the_momentum() -> None:
    momentum, speed = truths_of.collision()
    print(momentum, speed, sep="\n")
    assert abs(momentum.error) < 1e-4 and abs(speed.error) < 0.15


@pytest.mark.parametrize("kind, mass, lever", [
    ("FIXED", 1.0, 0.0), ("FIXED", 0.01, 0.0), ("FIXED", 0.01, 0.03), ("FIXED", 0.01, 0.1), ("HINGE", 0.01, 0.03),
])  # fmt: skip
def test_links_let_go_at_their_force(kind: str, mass: float, lever: float) -> None:
    row = truths_of.release(kind, mass, lever, 20.0, step=0.005)
    print(row)
    assert abs(row.error) <= 0.01


def test_a_weld_does_not_open_and_a_stack_stands() -> None:
    for row, limit in ((truths_of.welded_drop(), 1e-4), (truths_of.stack(), 0.1)):
        print(row)
        assert abs(row.error) < limit


def test_a_weld_weighs_what_its_members_weigh_and_flies_about_their_centre() -> None:
    members = [cube("a", 0.02, (0, 0, 0.5), mass=0.01), cube("b", 0.02, (0.03, 0, 0.5), mass=0.03)]
    whole = dynamics.weld("whole", members, spin=(0.0, 0.0, 4.0))
    assert whole.body.mass == pytest.approx(0.04)
    assert np.allclose(whole.body.pose[:3, 3], (0.0225, 0, 0.5))
    motion = run(dynamics.simulate([], welds=[whole], fps=24, frames=13))
    assert motion.names == ("a", "b")
    centre = 0.25 * motion.poses[:, 0, :3, 3] + 0.75 * motion.poses[:, 1, :3, 3]
    t = np.arange(13) / 24
    assert np.abs(centre[:, :2] - (0.0225, 0)).max() < 1e-6
    assert np.abs(centre[:, 2] - (0.5 - 0.5 * 9.81 * t * t)).max() < 1e-5
    turn = multiply(motion.poses[1, 0], inverse(motion.poses[0, 0]))
    assert np.arctan2(turn[1, 0], turn[0, 0]) == pytest.approx(4.0 / 24, rel=1e-4)


def test_what_hangs_swings_about_its_point_and_falls_when_it_breaks() -> None:
    at = np.array((0.0, 0.0, 1.0))
    load = cube("load", 0.02, (0.05, 0, 1.0), mass=0.1)
    anchor, rope = dynamics.hung("rope", "anchor", "load", at)
    motion = run(dynamics.simulate([anchor, load], [rope], fps=24, frames=49))
    reach = np.sqrt(np.square(motion.poses[:, 1, :3, 3] - at).sum(axis=1))
    print(f"hung: distance from the point strays by {1000 * np.abs(reach - 0.05).max():.4f} mm")
    assert np.abs(reach - 0.05).max() < 1e-4 and not motion.breaks
    anchor, rope = dynamics.hung("rope", "anchor", "load", at, break_n=2.0)
    motion = run(dynamics.simulate([anchor, load], [rope], fps=24, frames=49))
    assert [(event.link, event.force_n) for event in motion.breaks] == [("rope", 2.0)]
    assert motion.poses[-1, 1, 2, 3] < 0.5


def test_a_soft_link_that_comes_back_has_not_broken() -> None:
    tilt = multiply(translation((0, 0, 0.1)), rotation(1, 0.5))
    pair = [
        replace(body, pose=multiply(tilt, body.pose))
        for body in (cube("a", 0.02, (0, 0, 0), mass=0.02), cube("b", 0.02, (0.021, 0, 0), mass=0.02))
    ]
    for force, broken in ((5000.0, 0), (1.0, 1)):
        link = Link("joint", "FIXED", "a", "b", multiply(tilt, translation((0.0105, 0, 0))), break_n=force)
        motion = run(dynamics.simulate([floor(), *pair], [link], fps=24, frames=37))
        print(f"joint of {force} N: {motion.breaks}")
        assert len(motion.breaks) == broken


def test_a_bouncing_ball_takes_the_exact_path_and_says_why() -> None:
    body = Body("ball", "SPHERE", (sphere(0.015),), translation((0, 0, 0.5)), mass=0.01, restitution=0.8)
    motion = run(dynamics.simulate([floor(), body], fps=24, frames=2))
    assert "bounce" in motion.says[0]
    plane = Plane(np.zeros(3), np.array((0.0, 0.0, 1.0)))
    exact = run(dynamics.exact(body, ball(0.01, 0.015, 0.8), plane, fps=240, frames=480))
    height = exact.poses[:, 0, 2, 3]
    first = np.sqrt(2 * 0.485 / 9.81)
    apex = height[int(240 * first) + 1 :].max()
    print(f"first apex {apex:.6f} of {0.015 + 0.64 * 0.485:.6f} m")
    assert apex == pytest.approx(0.015 + 0.64 * 0.485, abs=2e-5) and height.min() > 0.015 - 1e-9


def test_a_box_bounces_exactly_and_settles_in_bullet() -> None:
    solid = dynamics.solid_of(cube("die", 0.02, (0, 0, 0), mass=0.01, restitution=0.5))
    pose = multiply(translation((0, 0, 0.2)), rotation(0, 0.4), rotation(1, 0.3))
    body = Body("die", "BOX", (0.01 * truths_of.CUBE,), pose, mass=0.01, restitution=0.5)
    plane = Plane(np.zeros(3), np.array((0.0, 0.0, 1.0)))
    motion = run(dynamics.exact(body, solid, plane, fps=24, frames=60, ground=[floor()]))
    assert motion.poses.shape == (60, 1, 4, 4)
    lows = [(0.01 * truths_of.CUBE @ p[0, :3, :3].T + p[0, :3, 3])[:, 2].min() for p in motion.poses]
    print(f"die: lowest corner {1000 * min(lows):.3f} mm, at the end {1000 * lows[-1]:.4f} mm")
    assert min(lows) > -5e-4 and abs(lows[-1]) < 5e-5
    assert motion.poses[-1, 0, 2, 3] == pytest.approx(0.01, abs=1e-4)


def test_led_bodies_push_and_links_can_be_made_and_let_go() -> None:
    hand = cube("hand", 0.02, (0, 0, 0.3), kind="KINEMATIC")
    load = cube("load", 0.02, (0, 0, 0.27), mass=0.02)
    with lab_scene("led") as lab:
        simulation = Simulation(lab, [hand, load], [Link("grip", "FIXED", "hand", "load", hand.pose)])
        for frame in range(24):
            simulation.step(targets={"hand": translation((0.002 * frame, 0, 0.3))})
        held = simulation.pose("load")[:3, 3]
        simulation.remove_link("grip")
        for _ in range(12):
            simulation.step(targets={"hand": simulation.pose("hand")})
        fallen = simulation.pose("load")[2, 3]
        with pytest.raises(UsageError):
            simulation.add_link(Link("x", "FIXED", "hand", "nobody", np.eye(4)))
    assert np.abs(held - (0.046, 0, 0.27)).max() < 5e-4
    assert fallen < 0.27 - 0.9 * 0.5 * 9.81 * 0.25


def test_the_lab_leaves_nothing_also_when_stopped() -> None:
    scene = bpy.context.scene
    scene.frame_set(7)
    scene.gravity = (1.0, 2.0, 3.0)
    before = counts()
    link = Link("joint", "FIXED", "body 0000", "body 0001", np.eye(4))
    steps = dynamics.simulate(heap(6), [link], fps=24, frames=20)
    for _ in range(5):
        next(steps)
    steps.close()
    assert counts() == before
    reference = run(dynamics.simulate(heap(6), [link], fps=24, frames=10)).poses
    assert counts() == before and scene.frame_current == 7 and scene.rigidbody_world is None
    scene.gravity, scene.render.fps = (0.0, 0.0, 0.0), 60
    assert np.array_equal(run(dynamics.simulate(heap(6), [link], fps=24, frames=10)).poses, reference)


def test_the_artists_scene_is_deeply_the_same_after_every_lab() -> None:
    """Settle test, simulation, exact path, also when stopped or failing, in a scene with bodies and keys of its own."""
    scene = bpy.context.scene
    parts = shapes()
    make(parts, live=True)
    parts[0].keyframe_insert("hide_viewport", frame=1)
    lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "POINT"))
    scene.collection.objects.link(lamp)
    lamp.keyframe_insert("location", frame=3)
    lamp.modifiers.clear()
    scene.frame_set(5)
    bodies = [run(freed(imported.read(part))).body for part in parts]
    before, kept = dump(), len(list(bpy.data.user_map()))
    for part in parts[:2]:
        run(settle.test_body(settle.subject_of(proxy_of(part)), settle.world_of(scene)))
        same(before)
    run(dynamics.simulate([floor(), *bodies], fps=24, frames=8))
    same(before)
    plane = Plane(np.zeros(3), np.array((0.0, 0.0, 1.0)))
    run(dynamics.exact(bodies[2], dynamics.solid_of(bodies[2]), plane, fps=24, frames=60, ground=[floor()]))
    same(before)
    for stop in (1, 4):
        steps = dynamics.simulate([floor(), *bodies], fps=24, frames=8)
        for _ in range(stop):
            next(steps)
        steps.close()
        same(before)
    with pytest.raises(UsageError):
        run(dynamics.simulate([floor(), floor()], fps=24, frames=8))
    same(before)
    assert len(list(bpy.data.user_map())) == kept and scene.frame_current == 5


def digest() -> str:
    """Of a heap with a weld, a rope and a joint that breaks."""
    bodies = heap(12)
    members = [cube("weld a", 0.02, (0, 0, 0.3), mass=0.01), cube("weld b", 0.02, (0.02, 0, 0.3), mass=0.05)]
    whole = dynamics.weld("whole", members, spin=(2.0, 9.0, 1.0))
    anchor, rope = dynamics.hung("rope", "anchor", "body 0003", bodies[4].pose[:3, 3] + (0.0, 0.0, 0.02))
    link = Link("joint", "FIXED", "body 0004", "body 0005", bodies[5].pose, break_n=0.5)
    first = run(dynamics.simulate([*bodies, anchor], [rope, link], welds=[whole], fps=24, frames=48))
    second = run(dynamics.simulate(bodies, fps=24, frames=48))
    state = hashlib.sha256(first.poses.tobytes() + second.poses.tobytes() + repr(first.breaks).encode())
    return state.hexdigest()


@pytest.mark.checkout  # starts Python with bpy, which an executable is not
def test_every_process_gives_the_same_bits() -> None:
    here = digest()
    print("dynamics", here)
    code = (
        "import sys; sys.path[:0] = ['.', 'tests/blender']; import tests.conftest, test_physics_dynamics as t;"
        "print('digest', t.digest())"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120)
    assert f"digest {here}" in done.stdout, done.stdout + done.stderr
