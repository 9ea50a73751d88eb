# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints that a hand leads, joints that move of themselves, and the finale, through the whole stage on real meshes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bpy
import holdfast.operators.bodies as bodies
import holdfast.operators.drive as drive
import holdfast.operators.physics as stage
import numpy as np
import pytest
from holdfast.operators.steps import StageOptions
from holdfast.physics.joints import KINDS
from holdfast.pipeline.context import Context
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.project import ShotFolder

sys.path.insert(0, str(Path(__file__).parent))
import physics_parts as parts_of

pytestmark = [pytest.mark.sweep, pytest.mark.usefixtures("remembered")]


def run(folder: Path) -> tuple[Manifest, Manifest]:
    shot = ShotFolder(folder)
    made = drive.run_blocking(stage.run(bpy.context.scene, shot, StageOptions()), Context())
    return made, Manifest.load(folder / "motion" / "proof.json", "holdfast/proof")


def lantern(kind: str = "TWIST_LOCK", mode: str = "AUTHORED") -> Any:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end, scene.render.fps = 1, 10, 24
    parts_of.lantern()
    joint = scene.holdfast.physics.joints.add()
    joint.name, joint.kind, joint.mode = "joint", kind, mode
    return joint


def checks(proof: Manifest) -> dict[str, Any]:
    return {check["id"]: check for check in proof.data["checks"]}


@pytest.mark.parametrize("aside", [0.0, 0.1, 0.2])
def test_a_lock_that_contacts_lead_engages(aside: float, tmp_path: Path) -> None:
    joint = lantern(mode="SIMULATED")
    joint.hand_mm = aside
    _, proof = run(tmp_path)
    assert proof.data["verdict"] == "engaged", [c for c in proof.data["checks"] if not c["ok"]]
    found = checks(proof)
    depth, turned = found["engaged.depth"]["value"], found["engaged.turned"]["value"]
    print(f"{aside} mm off axis: depth error {depth} mm, turn error {turned} deg, "
          f"penetration {found['swept.penetration']['value']} mm")  # fmt: skip
    assert abs(depth) <= 0.01 and abs(turned) <= 0.1
    track = proof.data["motion"]
    entering = track["lateral_mm"][track["times"].index(float(track["spans"]["insert"][0] + 4))]
    assert entering == pytest.approx(aside, abs=0.03)  # the hand really is off the axis


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if kind.name != "TWIST_LOCK"])
def test_other_kinds_led_by_contacts(kind: str, tmp_path: Path) -> None:
    lantern(kind, "SIMULATED")
    _, proof = run(tmp_path)
    assert proof.data["verdict"] == "engaged", [c for c in proof.data["checks"] if not c["ok"]]


@pytest.mark.parametrize("kind", ["DROP", "THROW", "HANG"])
def test_the_locked_product_moves_as_one(kind: str, tmp_path: Path) -> None:
    lantern()
    finale = bpy.context.scene.holdfast.physics.finale
    finale.kind, finale.free_frames = kind, 30
    made, proof = run(tmp_path)
    assert proof.data["verdict"] == "engaged", [c for c in proof.data["checks"] if not c["ok"]]
    print(proof.data["says"], proof.data["finale"], checks(proof)["held.drift"])
    first, last = made.data["events"]["free"]
    poses = np.load(tmp_path / "motion" / "poses.npz")["poses"]
    names = made.data["parts"]
    body = poses[:, names.index("body")]
    assert np.abs(body[first + 4, :3, 3] - body[first - 2, :3, 3]).max() > 0.004
    lid = np.linalg.inv(body) @ poses[:, names.index("lid")]
    assert np.abs(lid[first - 2 :] - lid[first - 2]).max() < 1e-6
    assert last == made.data["frames"][1]
    assert not proof.data["finale"]["breaks"]


def test_a_dropped_product_falls_as_gravity_has_it(tmp_path: Path) -> None:
    lantern()
    finale = bpy.context.scene.holdfast.physics.finale
    finale.kind, finale.free_frames, finale.height_mm, finale.tilt_deg = "DROP", 10, 500.0, 0.0
    made, _ = run(tmp_path)
    poses = np.load(tmp_path / "motion" / "poses.npz")["poses"][:, made.data["parts"].index("body")]
    start = made.data["events"]["lift"][1]
    times = np.arange(7) / 24.0
    fell = poses[start - 1, 2, 3] - poses[start - 1 : start + 6, 2, 3]
    # with the usual air drag of 4 % a second, as a shot has it
    error = np.abs(fell - 0.5 * 9.81 * times**2)
    print(f"falls off the parabola by {1e3 * error.max():.3f} mm in {times[-1]:.3f} s")
    assert error.max() < 1.2e-3


def test_a_joint_breaks_at_its_force_and_not_below(tmp_path: Path) -> None:
    joint = lantern()
    finale = bpy.context.scene.holdfast.physics.finale
    finale.kind, finale.free_frames = "HANG", 20
    joint.break_n = 0.02  # the lower half weighs more
    made, proof = run(tmp_path / "weak")
    assert proof.data["finale"]["breaks"], proof.data["says"]
    assert "breaks at frame" in made.data["says"]
    joint.break_n = 500.0
    _, proof = run(tmp_path / "strong")
    assert not proof.data["finale"]["breaks"] and proof.data["verdict"] == "engaged"


@pytest.mark.parametrize("kind", ["HINGE", "SLIDER", "BALL"])
def test_free_joints_move_of_themselves_within_their_stops(kind: str, tmp_path: Path) -> None:
    lantern(kind, "FREE")
    weight = parts_of.lathe("weight", ((0.0, 0.0), (0.004, 0.0), (0.004, 0.008), (0.0, 0.008)))
    weight.parent = bpy.data.objects["lid"]  # off the axis, or nothing would turn it
    weight.location.y = -0.012
    weight.holdfast.is_part, weight.holdfast.part, weight.holdfast.part_id = True, "weight", 9
    weight.holdfast.material = "STEEL"
    finale = bpy.context.scene.holdfast.physics.finale
    finale.kind, finale.free_frames, finale.tilt_deg, finale.height_mm = "HANG", 40, 70.0, 80.0
    made, proof = run(tmp_path)
    assert proof.data["verdict"] == "engaged", [c for c in proof.data["checks"] if not c["ok"]]
    poses = np.load(tmp_path / "motion" / "poses.npz")["poses"]
    names = made.data["parts"]
    lid = np.linalg.inv(poses[:, names.index("body")]) @ poses[:, names.index("lid")]
    start = made.data["events"]["lift"][1] - 1
    moved = float(np.abs(lid[start:] - lid[start]).max())
    print(f"{kind}: moves by {moved:.4f}, penetration {checks(proof)['swept.penetration']['value']} mm")
    assert np.abs(lid[: start + 1] - lid[0]).max() < 1e-6
    assert moved > 1e-3


def test_a_free_joint_stays_as_a_constraint_between_the_proxies(tmp_path: Path) -> None:
    scene = bpy.context.scene
    joint = lantern("HINGE", "FREE")
    joint.break_n = 40.0
    run(tmp_path)
    (rule,) = [ob.rigid_body_constraint for ob in scene.rigidbody_world.constraints.objects]
    assert rule.type == "GENERIC" and rule.object1.parent.name == "body" and rule.object2.parent.name == "peg"
    assert rule.limit_ang_z_lower == pytest.approx(-np.pi / 2) and rule.limit_ang_z_upper == pytest.approx(
        0.0
    )
    seconds = 1.0 / (24 * scene.rigidbody_world.substeps_per_frame)
    assert rule.breaking_threshold == pytest.approx(40.0 * seconds, rel=1e-5)
    stage.clear(scene)
    assert not [ob for ob in bpy.data.objects if ob.rigid_body_constraint is not None]
    assert "RigidBodyConstraints" not in bpy.data.collections


def test_the_constraint_joins_the_bodies_when_they_are_made_live(tmp_path: Path) -> None:
    scene = bpy.context.scene
    lantern("HINGE", "FREE")
    run(tmp_path)
    parts = [bpy.data.objects[name] for name in ("body", "lid", "peg")]
    for root in parts[:2]:
        root.animation_data_clear()
    drive.run_blocking(
        bodies.make(scene, parts, bodies.Request(live=True, trust=True, test=False)), Context()
    )
    (rule,) = [ob.rigid_body_constraint for ob in scene.rigidbody_world.constraints.objects]
    assert rule.object1 is not None and rule.object1 != rule.object2
    assert not rule.object1.rigid_body.kinematic


def test_the_product_comes_to_rest_on_the_set(tmp_path: Path) -> None:
    lantern()
    bpy.ops.mesh.primitive_cube_add(size=1.0)
    table = bpy.context.object
    table.scale, table.location = (0.4, 0.4, 0.02), (0.0, 0.0, -0.06)  # its top lies 14 mm under the product
    table.holdfast.is_part, table.holdfast.part, table.holdfast.part_id = True, "table", 9
    table.holdfast.role = "SET"
    finale = bpy.context.scene.holdfast.physics.finale
    finale.kind, finale.height_mm, finale.tilt_deg, finale.free_frames = "DROP", 20.0, 0.0, 24
    made, proof = run(tmp_path)
    assert proof.data["verdict"] == "engaged"
    poses = np.load(tmp_path / "motion" / "poses.npz")["poses"][:, made.data["parts"].index("body")]
    over = -0.036 + poses[-1, 2, 3] + 0.05
    print(f"it rests {1e3 * over:.4f} mm over the table")
    assert abs(over) < 2e-4
    assert np.abs(poses[-1] - poses[-2]).max() < 1e-5
