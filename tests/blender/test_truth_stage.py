# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage: what it leaves on disk, what it leaves alone, how it resumes, chunks and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from holdfast.operators import drive
from holdfast.operators.steps import RenderJob, StageOptions
from holdfast.pipeline.errors import Cancelled, InputError
from holdfast.pipeline.manifest import Manifest
from holdfast.rendering import scenes as scenes_of
from holdfast.rendering import throwaway
from holdfast.rendering.parts import read_parts

from . import truth_scenes as scenes
from .scene_dump import users

SIZE = (64, 36)


@pytest.fixture
def scene() -> bpy.types.Scene:
    return scenes.two_parts(SIZE)


def _dump() -> dict[str, object]:
    """Everything a stage could disturb: counts of data, and every plain value of scene, layers, objects, nodes.

    Left out: the image "Render Result", which the first render makes. Users are named by whom they are, not by
    Blender's own count, which drifts (scene_dump.users says where).
    """
    found: dict[str, object] = {"users": users()}
    for kind in bpy.data.bl_rna.properties:
        items = getattr(bpy.data, kind.identifier)
        if kind.type == "COLLECTION" and kind.identifier not in {"images", "all_ids", "scenes"}:
            found[kind.identifier] = [item.name for item in items]
    found["scenes"] = [scene.name for scene in bpy.data.scenes]
    for scene in bpy.data.scenes:
        for what in ("render", "cycles", "eevee", "view_settings", "display_settings"):
            found[f"{scene.name} {what}"] = _values(getattr(scene, what))
        found[f"{scene.name} image"] = _values(scene.render.image_settings)
        found[scene.name] = _values(scene)
        for layer in scene.view_layers:
            found[f"{scene.name} {layer.name}"] = _values(layer)
        found[f"{scene.name} markers"] = [
            (m.name, m.frame, m.camera and m.camera.name) for m in scene.timeline_markers
        ]
    for kind in ("objects", "cameras", "lights", "materials", "meshes", "worlds"):
        found |= {f"{kind} {item.name}": _values(item) for item in getattr(bpy.data, kind)}
    found["selected"] = [(thing.name, thing.select_get()) for thing in bpy.context.scene.objects]
    found["context"] = (bpy.context.scene.name, bpy.context.scene.frame_current)
    return found


def _values(struct) -> dict[str, object]:
    found = {}
    for prop in struct.bl_rna.properties:
        if prop.type in {"POINTER", "COLLECTION"} or prop.identifier in {
            "is_evaluated",
            "session_uid",
            "users",
        }:
            continue
        value = getattr(struct, prop.identifier)
        found[prop.identifier] = tuple(value) if getattr(prop, "array_length", 0) else value
    return {name: repr(value) for name, value in found.items()}


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*.*")
        if path.is_file()
    }


def _told(name: str, files: dict[str, bytes]) -> object:
    """What a file says: of a frame's record all but how long it took."""
    if not name.startswith("frames/"):
        return files[name]
    return {key: value for key, value in json.loads(files[name]).items() if key != "seconds"}


def test_package_is_whole_and_fresh(scene, tmp_path: Path) -> None:
    before = _dump()
    truth = scenes.make(tmp_path)
    assert _dump() == before
    assert truth.frames == (1, 2, 3, 4) and truth.size == SIZE and truth.names == ("body", "lid")
    for frame in truth.frames:
        assert truth.beauty(frame).max() > 60
        for part in truth.parts:
            matte, own = truth.matte(part.name, frame), truth.ids(frame) == part.id
            assert 0 < matte.max() <= 1 and own.any()
            assert abs(float(matte.sum()) - own.sum()) < 0.1 * own.sum() + 8
        assert (truth.depth(frame)[truth.ids(frame) > 0] > 2).all()
    assert np.allclose(truth.pose("lid", 1)[:3, 3], [0, 0, 0.9])
    assert truth.colour["view"] == scene.view_settings.view_transform
    assert not (truth.folder / ".rendering").exists()
    shot = scenes.shot_in(tmp_path)
    assert scenes.STAGE.state(scene, shot).status == "fresh"
    rendered: list[int] = []
    again = scenes.drive(scenes.STAGE.run(scene, shot, StageOptions()), rendered)
    assert again.digest == truth.digest and rendered == []


def test_chunks_equal_the_whole(scene, tmp_path: Path) -> None:
    whole = scenes.make(tmp_path / "whole")
    shot = scenes.shot_in(tmp_path / "chunks")
    for chunk, status in (((3, 4), "partial"), ((1,), "partial"), ((2,), "fresh")):
        manifest = scenes.drive(scenes.STAGE.run(scene, shot, StageOptions(frames=chunk)))
        assert scenes.STAGE.state(scene, shot).status == status
        assert (manifest.data.get("state") == "partial") == (status == "partial")
    one, other = _bytes(whole.folder), _bytes(shot.truth)
    assert one.keys() == other.keys()
    assert [name for name in one if _told(name, one) != _told(name, other) and name != "truth.json"] == []
    assert Manifest.load(shot.truth / "truth.json", "holdfast/truth").digest == whole.digest


def test_only_what_is_missing_is_rendered(scene, tmp_path: Path) -> None:
    truth = scenes.make(tmp_path)
    truth.path("depth", 2).unlink()
    truth.path("beauty", 3).write_bytes(b"cut off")
    rendered: list[int] = []
    shot = scenes.shot_in(tmp_path)
    again = scenes.drive(scenes.STAGE.run(scene, shot, StageOptions(frames=(1, 2, 3, 4))), rendered)
    assert rendered == [2, 3] and again.digest == truth.digest
    rendered.clear()
    scenes.drive(scenes.STAGE.run(scene, shot, StageOptions(force=True)), rendered)
    assert rendered == [1, 2, 3, 4]


@pytest.mark.parametrize("error", [Cancelled(), RuntimeError("crash")])
@pytest.mark.parametrize("scene_engine", [True, False])
def test_nothing_is_left_after_a_stop(
    scene, tmp_path: Path, error: BaseException, scene_engine: bool
) -> None:
    scene.holdfast.truth.engine_from_scene = scene_engine
    scene.render.engine = "CYCLES" if scene_engine else "BLENDER_WORKBENCH"
    before = _dump()
    generator = scenes.STAGE.run(scene, scenes.shot_in(tmp_path), StageOptions())
    while not isinstance(next(generator), RenderJob):
        pass
    assert any(each.get(throwaway.MARK) for each in bpy.data.scenes)
    with pytest.raises(type(error)):
        generator.throw(error)
    assert _dump() == before
    assert not (scenes.shot_in(tmp_path).truth / "truth.json").exists()


def test_rendered_frames_are_kept_after_a_stop(scene, tmp_path: Path) -> None:
    shot = scenes.shot_in(tmp_path)
    generator = scenes.STAGE.run(scene, shot, StageOptions())
    step, answer = next(generator), None
    while not (isinstance(step, RenderJob) and step.scene.name.endswith("beauty")):
        if isinstance(step, RenderJob):
            scenes.render_frames(step, scenes.Context())
        step = generator.send(answer)
    half = RenderJob(step.scene, (1, 2))
    scenes.render_frames(half, scenes.Context())
    with pytest.raises(Cancelled):
        generator.throw(Cancelled())
    rendered: list[int] = []
    scenes.drive(scenes.STAGE.run(scene, shot, StageOptions()), rendered)
    assert rendered == [3, 4]


def test_artists_compositor_is_in_the_beauty_and_left_alone(scene, tmp_path: Path) -> None:
    scene.camera.data.dof.use_dof = False
    plain = scenes.make(tmp_path / "plain")
    scenes.inverting_compositor(scene)
    before = _dump()
    truth = scenes.make(tmp_path / "inverted")
    assert _dump() == before
    difference = truth.beauty(1).astype(int) - plain.beauty(1)
    assert np.abs(difference).mean() > 20
    assert (truth.matte("lid", 1) == plain.matte("lid", 1)).all()


def _bake(scene, tmp_path: Path, names=("body", "lid")) -> None:
    poses = np.empty((4, len(names), 4, 4))
    for row in range(4):
        scene.frame_set(row + 1)
        poses[row] = [np.array(scene.objects[name].matrix_world) for name in ("body", "lid")[: len(names)]]
    scene.frame_set(2)
    folder = scenes.shot_in(tmp_path).motion
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "poses.npz", poses=poses, frames=np.arange(1, 5, dtype=np.int32))
    data = {"parts": list(names), "poses": "poses.npz", "motion_hash": "abc"}
    Manifest("holdfast/motion", {}, {}, data).save(folder / "motion.json")


def test_motion_must_be_the_baked_one(scene, tmp_path: Path) -> None:
    _bake(scene, tmp_path)
    truth = scenes.make(tmp_path)
    assert truth.motion_hash == "abc"
    scene.objects["body"].location.x += 0.001
    with pytest.raises(InputError, match=r"body, frame 1.*Run Physics again"):
        scenes.make(tmp_path)


def test_deleted_parts_are_named(scene, tmp_path: Path) -> None:
    _bake(scene, tmp_path)
    bpy.data.objects.remove(scene.objects["lid"])
    with pytest.raises(InputError, match=r"no longer in the scene \(lid\)"):
        scenes.make(tmp_path)


def test_other_engines_take_their_mattes_from_cycles(scene, tmp_path: Path, monkeypatch) -> None:
    """The picture itself is Cycles' here: EEVEE and Workbench need a GPU, which test machines lack."""
    cycles = scenes.make(tmp_path / "cycles")
    scene.render.engine = "BLENDER_WORKBENCH"
    asked: list[str] = []

    def render(job: RenderJob, context) -> None:
        asked.append(job.scene.render.engine)
        job.scene.render.engine = "CYCLES"
        drive.render_frames(job, context)

    monkeypatch.setattr(scenes, "render_frames", render)
    truth = scenes.make(tmp_path / "workbench")
    assert asked == ["CYCLES", "CYCLES", "CYCLES", "BLENDER_WORKBENCH"]
    for frame in truth.frames:
        assert (truth.ids(frame) == cycles.ids(frame)).all()
        for part in truth.names:
            assert np.abs(truth.matte(part, frame) - cycles.matte(part, frame)).mean() < 0.01


def test_batches_equal_the_whole(scene, tmp_path: Path, monkeypatch) -> None:
    whole = scenes.make(tmp_path / "whole")
    monkeypatch.setattr(scenes.STAGE, "BATCH_FRAMES", 3)
    assert scenes.make(tmp_path / "batches").digest == whole.digest


def test_left_behind_raw_files_are_cleared(scene, tmp_path: Path) -> None:
    raw = scenes.shot_in(tmp_path).truth / ".rendering" / "of-another-scene"
    raw.mkdir(parents=True)
    (raw / "beauty.0001.png").write_bytes(b"old")
    scenes.make(tmp_path)
    assert not raw.parent.exists()


def test_scene_taken_away_is_a_sentence(scene, tmp_path: Path) -> None:
    generator = scenes.STAGE.run(scene, scenes.shot_in(tmp_path), StageOptions())
    while not isinstance(next(generator), RenderJob):
        pass
    with pytest.raises(InputError, match="taken away"):
        generator.throw(ReferenceError("StructRNA of type Scene has been removed"))


def test_copies_have_no_physics_of_their_own(scene, tmp_path: Path) -> None:
    """Two rigid-body worlds over the same bodies end in a crash when one is freed."""
    bpy.ops.rigidbody.world_add()
    with throwaway.copies():
        jobs = scenes_of.make(scene, tmp_path, scenes_of.Order(read_parts(scene), 1, True))
        assert len(jobs) > 2 and all(job.scene.rigidbody_world is None for job in jobs)
    assert scene.rigidbody_world is not None
