# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage from parts to proof, in Blender: what it writes, what it leaves, what it refuses."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

import bpy
import holdfast.operators.drive as drive
import holdfast.operators.physics as stage
import numpy as np
import pytest
from holdfast.operators.steps import StageOptions
from holdfast.physics import mass, meshes
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.errors import Cancelled, InputError
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.project import ShotFolder

sys.path.insert(0, str(Path(__file__).parent))
import physics_parts as parts_of

MOTION_HASH = "91291dcf733602e3c35822ccdaaa41214b0506813276e71ac30fd163849a18dd"
"""Of the lathe-made lantern's motion: the same in every process, on Blender 4.3, 4.5 and 5.2."""


def set_scene() -> bpy.types.Scene:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end, scene.render.fps = 1, 72, 24
    timing = scene.holdfast.physics.timing
    timing.align_frames, timing.insert_frames, timing.twist_frames = 16, 16, 16
    timing.click_frames, timing.hold_frames = 4, 20
    scene.holdfast.physics.pull_on_screen = True
    return scene


def run(
    scene: bpy.types.Scene, folder: Path, *, force: bool = False, context: Context | None = None
) -> Manifest:
    steps = stage.run(scene, ShotFolder(folder), StageOptions(frames=None, force=force))
    return drive.run_blocking(steps, context or Context())


def proof_of(folder: Path) -> Manifest:
    return Manifest.load(folder / "motion" / "proof.json", "holdfast/proof")


def counts() -> dict[str, int]:
    names = ("scenes", "objects", "meshes", "collections", "actions", "materials", "worlds", "node_groups")
    return {name: len(getattr(bpy.data, name)) for name in names}


def test_the_lantern_is_proven_and_the_result_is_plain_animation(tmp_path: Path) -> None:
    scene = set_scene()
    body, lid, peg = parts_of.lantern()
    before = {ob.name: meshes.digest(ob.data) for ob in (body, peg)}
    started = time.monotonic()
    made = run(scene, tmp_path)
    seconds = time.monotonic() - started
    proof = proof_of(tmp_path)
    for check in proof.data["checks"]:
        print(f"{check['id']}: {check['value']} against {check['limit']} {check['unit']}: {check['says']}")
    print(f"{proof.data['says']} ({seconds:.1f} s)")
    print(f"motion {made.data['motion_hash']}\nproof  {proof.digest}")
    assert proof.data["verdict"] == "engaged"
    assert {check["id"] for check in proof.data["checks"]} >= {
        "engaged.depth", "engaged.turned", "engaged.tilt", "engaged.lateral", "swept.penetration", "swept.meshes",
        "pull.held", "shake.held", "unlock.reverse_twist", "unlock.draw_only", "control.no_lugs", "control.unlocked",
    }  # fmt: skip
    assert proof.inputs["motion"] == made.digest

    stored = np.load(tmp_path / "motion" / "poses.npz")
    assert stored["poses"].shape == (72, 3, 4, 4) and stored["poses"].dtype == np.float64
    assert made.data["parts"] == ["body", "lid", "peg"] and made.data["frames"] == [1, 72]
    for frame in (52, 3, 71, 20, 1):
        scene.frame_set(frame)
        for index, ob in enumerate((body, lid, peg)):
            assert np.abs(np.array(ob.matrix_world) - stored["poses"][frame - 1, index]).max() < 1e-6
    for ob in (body, peg):
        assert mass.open_edges(meshes.triangles(ob.data)) == 0
        assert meshes.digest(ob.data) != before[ob.name]
        assert meshes.digest(meshes.original(ob)) == before[ob.name] and meshes.original(ob).use_fake_user
        assert ob.data.uv_layers and ob.data.materials[0].name == ob.name
    weights = {entry["part"]: entry["mass_g"] for entry in made.data["bodies"]}
    print("masses in grams:", weights)
    proxy = bpy.data.objects["lid proxy"]
    assert proxy.parent == lid and proxy.rigid_body.kinematic and proxy.hide_render
    assert proxy.rigid_body.mass == pytest.approx(weights["lid"] / 1e3, rel=1e-5)
    assert proxy.rigid_body.use_margin and proxy.rigid_body.collision_margin <= 2e-4


def test_a_second_run_is_fresh_and_a_forced_one_cuts_nothing_twice(tmp_path: Path) -> None:
    scene = set_scene()
    body, _, peg = parts_of.lantern()
    first = run(scene, tmp_path)
    shapes = [meshes.digest(ob.data) for ob in (body, peg)]
    left, proven = counts(), proof_of(tmp_path).digest
    assert stage.state(scene, ShotFolder(tmp_path))[0] == "fresh"
    started = time.monotonic()
    assert run(scene, tmp_path).digest == first.digest
    assert time.monotonic() - started < 0.5
    scene.frame_set(60)
    again = run(scene, tmp_path, force=True)
    assert again.digest == first.digest
    assert proof_of(tmp_path).digest == proven
    assert first.data["motion_hash"] == MOTION_HASH, (
        "the path has changed, or this machine rounds another way"
    )
    assert [meshes.digest(ob.data) for ob in (body, peg)] == shapes
    assert counts() == left
    scene.holdfast.physics.timing.twist_frames = 14
    assert stage.state(scene, ShotFolder(tmp_path))[0] == "stale"


def test_clearing_puts_the_parts_back(tmp_path: Path) -> None:
    scene = set_scene()
    body, _, peg = parts_of.lantern()
    body.location = (0.01, 0.02, 0.03)
    shapes = [meshes.digest(ob.data) for ob in (body, peg)]
    run(scene, tmp_path)
    assert stage.clear(scene) == 2
    scene.frame_set(30)
    assert [meshes.digest(ob.data) for ob in (body, peg)] == shapes
    assert tuple(body.location) == pytest.approx((0.01, 0.02, 0.03), abs=1e-6)
    assert body.animation_data is None or body.animation_data.action is None
    assert not [ob for ob in bpy.data.objects if "proxy" in ob.name]


class StopAt(CancelToken):
    """Asks to stop at its n-th question."""

    def __init__(self, asked: int) -> None:
        super().__init__()
        self.left = asked

    @property
    def cancelled(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("step", [1, 3, 8, 40, 90, -2])
def test_cancelled_anywhere_the_scene_is_as_it_was(tmp_path: Path, step: int) -> None:
    scene = set_scene()
    parts_of.lantern()
    before, left = dump(scene), counts()
    if step < 0:  # that many steps before the end, while rigid bodies are made and files are written
        step += sum(1 for _ in stage.run(scene, ShotFolder(tmp_path / "counted"), StageOptions(frames=None)))
        stage.clear(scene)
        assert (dump(scene), counts()) == (before, left)
    with pytest.raises(Cancelled):
        run(scene, tmp_path, context=Context(cancel=StopAt(step)))
    assert dump(scene) == before
    assert counts() == left
    assert not (tmp_path / "motion" / "motion.json").exists()


def test_an_undo_in_the_middle_ends_the_stage_with_a_sentence(tmp_path: Path) -> None:
    scene = set_scene()
    parts_of.lantern()
    bpy.ops.ed.undo_push(message="before")
    bpy.context.scene.frame_end = 73
    bpy.ops.ed.undo_push(message="a change")
    steps = stage.run(scene, ShotFolder(tmp_path), StageOptions(frames=None))
    for _ in range(45):
        next(steps)
    bpy.ops.ed.undo()
    assert bpy.context.scene.frame_end == 72
    with pytest.raises(InputError, match="changed while Physics ran"):
        list(steps)
    assert not [block for block in bpy.data.scenes if "lab" in block.name]
    assert run(bpy.context.scene, tmp_path).data["verdict"] == "engaged"


def test_a_proof_after_a_cancel_still_works(tmp_path: Path) -> None:
    scene = set_scene()
    parts_of.lantern()
    first = run(scene, tmp_path)
    scene.holdfast.physics.timing.hold_frames = 19
    with pytest.raises(Cancelled):
        run(scene, tmp_path, context=Context(cancel=StopAt(60)))
    scene.holdfast.physics.timing.hold_frames = 20
    assert stage.state(scene, ShotFolder(tmp_path))[0] == "fresh"
    assert run(scene, tmp_path).digest == first.digest


def dump(scene: bpy.types.Scene) -> str:
    """What the artist sees: every object's transform, parent, data and settings, and the scene's own settings."""
    seen = []
    for ob in sorted(scene.objects, key=lambda ob: ob.name):
        values = [
            tuple(round(x, 7) for row in ob.matrix_basis for x in row),
            ob.rotation_mode,
            ob.hide_render,
        ]
        shape = meshes.digest(ob.data) if ob.type == "MESH" else ""
        action = ob.animation_data.action.name if ob.animation_data and ob.animation_data.action else ""
        keys = sorted(key for key in ob.keys() if key != "holdfast")  # noqa: SIM118
        seen.append((ob.name, ob.parent.name if ob.parent else "", values, shape, action, ob.data.name, keys))
    own = [scene.frame_current, scene.frame_start, scene.frame_end, scene.rigidbody_world is not None]
    return hashlib.sha256(json.dumps([seen, own], default=str).encode()).hexdigest()


def test_parts_deleted_between_stages_are_named(tmp_path: Path) -> None:
    scene = set_scene()
    _, _, peg = parts_of.lantern()
    run(scene, tmp_path)
    bpy.data.objects.remove(peg)
    with pytest.raises(InputError, match="No part has a peg"):
        run(scene, tmp_path)
    assert stage.state(scene, ShotFolder(tmp_path))[0] == "failed"


def refuse(scene: bpy.types.Scene, folder: Path, sentence: str) -> None:
    before, left = dump(scene), counts()
    with pytest.raises(InputError, match=sentence) as caught:
        run(scene, folder)
    print(caught.value)
    assert (dump(scene), counts()) == (before, left)
    assert not list(folder.rglob("*.json"))


def test_bad_parts_are_refused_with_a_sentence(tmp_path: Path) -> None:
    scene = set_scene()
    refuse(scene, tmp_path, "The scene has no parts")
    body, lid, _ = parts_of.lantern()
    lid.scale = (1.0, 1.0, 1.2)
    refuse(scene, tmp_path, "'lid' is scaled unevenly")
    lid.scale = (-1.0, 1.0, 1.0)
    refuse(scene, tmp_path, "negative")
    lid.scale = (1.0, 1.0, 1.0)
    lid.constraints.new("COPY_LOCATION")
    refuse(scene, tmp_path, "constraints")
    lid.constraints.clear()
    body.keyframe_insert("location", frame=1)
    refuse(scene, tmp_path, "animated already")
    body.animation_data_clear()
    body.shape_key_add(name="Basis")
    refuse(scene, tmp_path, "shape keys")
    body.shape_key_clear()
    lid.holdfast.part = "peg"
    refuse(scene, tmp_path, "Two parts are called 'peg'")
    lid.holdfast.part = "lid"
    body["holdfast_feature"] = "{broken"
    refuse(scene, tmp_path, "can't be read")


def test_an_open_mesh_says_how_many_edges(tmp_path: Path) -> None:
    import bmesh

    scene = set_scene()
    _, lid, _ = parts_of.lantern()
    work = bmesh.new()
    work.from_mesh(lid.data)
    work.faces.ensure_lookup_table()
    bmesh.ops.delete(work, geom=[work.faces[100]], context="FACES")
    work.to_mesh(lid.data)
    work.free()
    refuse(scene, tmp_path, r"'lid' is open at 4 edges, so it has no volume\. Close its holes")


def test_a_thin_wall_and_an_edited_fit_are_refused(tmp_path: Path) -> None:
    scene = set_scene()
    body, _, _ = parts_of.lantern()
    for vertex in body.data.vertices:
        out = (vertex.co.x**2 + vertex.co.y**2) ** 0.5
        if out > 0.0101:
            vertex.co.x, vertex.co.y = vertex.co.x * 0.0098 / out, vertex.co.y * 0.0098 / out
    refuse(scene, tmp_path, r"would keep a wall of 0\.\d+ mm around the groove")


def test_an_edited_fit_is_not_overwritten(tmp_path: Path) -> None:
    scene = set_scene()
    body, _, _ = parts_of.lantern()
    run(scene, tmp_path)
    body.data.vertices[0].co.z -= 0.001
    with pytest.raises(InputError, match="was edited after its lock was fitted"):
        run(scene, tmp_path)


def test_parts_elsewhere_turned_and_scaled_engage_as_well(tmp_path: Path) -> None:
    scene = set_scene()
    body, lid, _ = parts_of.lantern()
    body.location, body.rotation_euler, body.scale = (0.3, -0.2, 0.1), (0.5, 1.1, -0.4), (0.5, 0.5, 0.5)
    lid.location, lid.rotation_euler, lid.scale = (0.1, 0.1, 0.4), (2.0, 0.1, 0.7), (0.5, 0.5, 0.5)
    run(scene, tmp_path)
    proof = proof_of(tmp_path)
    print(proof.data["says"])
    assert proof.data["verdict"] == "engaged"


def test_unmarked_features_are_found_in_the_shape(tmp_path: Path) -> None:
    scene = set_scene()
    body, _, peg = parts_of.lantern()
    del body["holdfast_feature"]
    joint = scene.holdfast.physics.joints.add()
    joint.peg, joint.socket, joint.depth_mm, joint.clearance_mm = peg, body, 10.0, 0.2
    made = run(scene, tmp_path)
    assert made.data["joints"][0]["frame"]["source"] == "detected"
    assert made.data["verdict"] == "engaged"


def test_a_motion_that_goes_through_its_body_is_not_called_engaged(tmp_path: Path) -> None:
    """A lid whose skirt reaches over the rim cuts the body: the meshes that are rendered say so."""
    scene = set_scene()
    _, lid, _ = parts_of.lantern()
    for vertex in lid.data.vertices:
        if vertex.co.z < 0.001 and vertex.co.x**2 + vertex.co.y**2 > 1e-4:
            vertex.co.z -= 0.002
    run(scene, tmp_path)
    proof = proof_of(tmp_path)
    assert proof.data["verdict"] == "not_engaged" and "cut each other" in proof.data["says"]
    assert stage.state(scene, ShotFolder(tmp_path))[0] == "failed"
