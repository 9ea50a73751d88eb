# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of joint through the whole stage on real meshes, and several joints in one shot."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy
import holdfast.operators.drive as drive
import holdfast.operators.physics as stage
import pytest
from holdfast.operators.steps import StageOptions
from holdfast.physics import mass, meshes
from holdfast.physics.joints import KINDS
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.project import ShotFolder

sys.path.insert(0, str(Path(__file__).parent))
import physics_parts as parts_of

pytestmark = [pytest.mark.sweep, pytest.mark.usefixtures("remembered")]

BORE, DEEP = 0.0077, 0.012


def run(scene: bpy.types.Scene, folder: Path) -> tuple[Manifest, Manifest]:
    made = drive.run_blocking(stage.run(scene, ShotFolder(folder), StageOptions()), Context())
    return made, Manifest.load(folder / "motion" / "proof.json", "holdfast/proof")


def mark(*things: bpy.types.Object) -> None:
    for number, thing in enumerate(things, 1):
        thing.holdfast.is_part, thing.holdfast.part, thing.holdfast.part_id = True, thing.name, number


def two_ended_body() -> bpy.types.Object:
    """A body with a bore from either end."""
    profile = ((0, DEEP - 0.036), (BORE, DEEP - 0.036), (BORE, -0.036), (0.016, -0.036), (0.018, -0.018),
               (0.016, 0.0), (BORE, 0.0), (BORE, -DEEP), (0, -DEEP))  # fmt: skip
    body = parts_of.lathe("body", profile)
    bores = [{"kind": "socket", "radius": BORE, "depth": DEEP, "axis": [0, 0, way], "origin": [0, 0, z]}
             for way, z in ((1, 0.0), (-1, -0.036))]  # fmt: skip
    body["holdfast_feature"] = json.dumps(bores)
    return body


def two_joints(scene: bpy.types.Scene, *, together: bool) -> bpy.types.Object:
    scene.frame_start, scene.frame_end, scene.render.fps = 1, 10, 24
    body, lid, peg = two_ended_body(), parts_of.lathe("lid", parts_of.PROFILE_LID), parts_of.peg()
    knob, pin = parts_of.lathe("knob", parts_of.PROFILE_LID), parts_of.peg()
    pin.name = "pin"
    peg.parent, pin.parent = lid, knob
    mark(body, lid, peg, knob, pin)
    joints = scene.holdfast.physics.joints
    for name, kind, plug in (("lock", "TWIST_LOCK", peg), ("swing", "HINGE", pin)):
        joint = joints.add()
        joint.name, joint.kind, joint.peg, joint.socket = name, kind, plug, body
    joints[1].together = together
    return body


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_every_kind_engages_on_real_meshes(kind: str, tmp_path: Path) -> None:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end, scene.render.fps = 1, 40, 24
    body, _, peg = parts_of.lantern()
    joint = scene.holdfast.physics.joints.add()
    joint.name, joint.kind = "joint", kind
    made, proof = run(scene, tmp_path)
    print(f"{kind}: {proof.data['says']}")
    for check in proof.data["checks"]:
        print(f"  {check['id']}: {check['value']} against {check['limit']} {check['unit']}: {check['says']}")
    assert proof.data["verdict"] == "engaged", [c for c in proof.data["checks"] if not c["ok"]]
    assert sum(check["id"].startswith("control.") for check in proof.data["checks"]) >= 3
    assert made.data["joints"][0]["kind"] == kind
    for thing in (body, peg):
        assert mass.open_edges(meshes.triangles(thing.data)) == 0
    page = (tmp_path / "motion" / "proof.html").read_text(encoding="utf-8")
    assert "<svg" in page and str(proof.data["says"]).split(";")[0] in page


@pytest.mark.parametrize("together", [False, True], ids=["one after the other", "at once"])
def test_two_joints_of_two_kinds_share_one_body(together: bool, tmp_path: Path) -> None:
    scene = bpy.context.scene
    body = two_joints(scene, together=together)
    made, proof = run(scene, tmp_path)
    assert proof.data["verdict"] == "engaged", [c for c in proof.data["checks"] if not c["ok"]]
    assert [one["joint"]["name"] for one in proof.data["proofs"]] == ["lock", "swing"]
    events = made.data["events"]
    assert (events["swing rest"][0] == 1) == together
    assert together or events["swing rest"][0] == events["lock hold"][1] + 1
    assert mass.open_edges(meshes.triangles(body.data)) == 0
    assert stage.state(scene, ShotFolder(tmp_path))[0] == "fresh"
    scene.holdfast.physics.joints[1].swing_deg = 70.0
    assert stage.state(scene, ShotFolder(tmp_path))[0] == "stale"
    stage.clear(scene)
    assert meshes.of(body).get(meshes.ORIGINAL) is None


def test_joints_that_make_no_tree_are_refused(tmp_path: Path) -> None:
    scene = bpy.context.scene
    two_joints(scene, together=False)
    joints = scene.holdfast.physics.joints
    joints[1].peg = joints[0].peg
    with pytest.raises(InputError, match="Two joints move 'lid'"):
        run(scene, tmp_path)


def test_a_joint_can_have_moves_of_its_own(tmp_path: Path) -> None:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 10
    parts_of.lantern()
    joint = scene.holdfast.physics.joints.add()
    joint.name, joint.delay_frames = "lock", 4
    moves = (
        ("ALIGN", 10),
        ("INSERT", 8),
        ("TWIST", 8),
        ("CLICK", 4),
        ("HOLD", 4),
        ("UNTWIST", 8),
        ("EXTRACT", 8),
    )
    for phase, frames in moves:
        step = joint.steps.add()
        step.phase, step.frames = phase, frames
    made, proof = run(scene, tmp_path)
    assert proof.data["verdict"] == "engaged", [c for c in proof.data["checks"] if not c["ok"]]
    assert made.data["events"]["align"] == [5, 14] and made.data["events"]["extract"] == [47, 54]
    assert made.data["frames"] == [1, 54]
