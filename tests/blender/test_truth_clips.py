# SPDX-License-Identifier: GPL-3.0-or-later
"""Control clips in Blender: encoded by a child of the very Blender that runs the test, made and kept like a stage."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest
from holdfast.command_line import main
from holdfast.operators import clip_actions, clip_models, clips, drive, encoders, locate, state_cache, steps
from holdfast.operators import truth as truth_stage
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError, UsageError
from holdfast.pipeline.fitting import Fit
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import read_gray, read_picture
from holdfast.pipeline.truth import GroundTruth
from holdfast.rendering.clips import make

from . import truth_scenes as scenes

spec = importlib.util.spec_from_file_location(
    "clip_truth", Path(__file__).parents[1] / "pure" / "clip_truth.py"
)
analytic = importlib.util.module_from_spec(spec)
spec.loader.exec_module(analytic)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bpy.types.Scene:
    """A saved scene with an analytic package, and Blender as the only encoder."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    fresh = steps.Stage("truth", "", truth_stage.STAGE.run, lambda scene, shot: steps.StageState("fresh", ""))
    monkeypatch.setattr(truth_stage, "STAGE", fresh)
    monkeypatch.setattr(clips, "encoders", lambda: {**encoders.encoders(), "ffmpeg": []})
    scene = bpy.context.scene
    views = [analytic.View((0.02 * i, 0, 0.03 * i)) for i in range(5)]
    analytic.write(locate.shot_of(scene).truth, views, fps=(24000, 1001))
    return scene


def run(scene: bpy.types.Scene, **options: object) -> Manifest:
    generator = clips.STAGE.run(scene, locate.shot_of(scene), steps.StageOptions(**options))
    return drive.run_blocking(generator, Context())


def state(scene: bpy.types.Scene) -> steps.StageState:
    return clips.STAGE.state(scene, locate.shot_of(scene))


def folder(scene: bpy.types.Scene, name: str) -> Path:
    return locate.shot_of(scene).controls / name


def frames_of(path: Path) -> list[np.ndarray]:
    film, frames = cv2.VideoCapture(str(path)), []
    while (got := film.read())[0]:
        frames.append(got[1][..., ::-1])
    return frames


def test_films_of_blenders_encoder_hold_what_was_drawn(scene: bpy.types.Scene) -> None:
    scene.holdfast.clips.model = "comfyui/wan-vace"
    scene.holdfast.clips.kinds = {"depth", "edges", "matte"}
    scene.holdfast.clips.parts = "box"
    made = run(scene)
    out = folder(scene, "comfyui-wan-vace")
    assert made.data["frame_map"] == [1, 2, 4, 5, 5] and made.data["fps"] == [16, 1]
    assert Fit.of(made.data["fit"]).clip == (160, 96) and list(made.data["clips"]) == [
        "depth",
        "edges",
        "matte-box",
    ]
    for name, limit in (("depth", 4), ("edges", 6), ("matte-box", 0)):
        record = made.data["clips"][name]
        assert record["encoder"] == "blender" and record["file"] in made.files
        shown = frames_of(out / record["file"])
        drawn = [read_gray(out / record["pictures"].format(index=i)) for i in range(1, 6)]
        worst = max(
            int(np.abs(a.astype(int) - b[..., None]).max()) for a, b in zip(shown, drawn, strict=True)
        )
        print(
            f"{bpy.app.version_string} {name} {record['codec']}: {len(shown)} frames, worst error {worst} of 255"
        )
        assert len(shown) == 5 and worst <= limit


def test_clips_are_kept_and_go_stale_with_what_they_are_made_of(scene: bpy.types.Scene) -> None:
    settings = scene.holdfast.clips
    settings.model, settings.kinds = "any/pictures", {"depth", "matte", "keys"}
    assert state(scene).status == "missing"
    made = run(scene)
    assert state(scene).status == "fresh" and run(scene).made == made.made
    assert made.data["clips"]["keys"]["at"][-1] == {"frame": 5, "index": 5, "seconds": 0.166833}
    settings.key_frames = "2,4"
    assert [at["frame"] for at in run(scene).data["clips"]["keys"]["at"]] == [2, 4]
    settings.key_frames = ""
    run(scene)
    assert made.data["clips"]["matte"]["parts"] == ["box", "none"]
    out = folder(scene, "any-pictures")
    stamp = (out / "depth" / "0003.png").stat().st_mtime_ns
    settings.parts = "*"
    assert state(scene) == ("stale", "setting 'clips' changed")
    made = run(scene)
    assert {"matte-box", "matte-none"} <= set(made.data["clips"]) and state(scene).status == "fresh"
    assert (out / "depth" / "0003.png").stat().st_mtime_ns == stamp
    assert read_gray(out / "depth" / "0003.png").dtype == np.uint16
    analytic.write(locate.shot_of(scene).truth, [analytic.View()] * 3)
    assert state(scene) == ("stale", "truth changed")
    assert run(scene, frames=(2, 3)).data["frame_map"] == [2, 3] and state(scene).status == "fresh"


def test_the_panel_finds_what_was_made(scene: bpy.types.Scene) -> None:
    scene.holdfast.clips.kinds = {"first"}
    run(scene)
    state_cache.refresh(scene)
    shown = state_cache.shown(scene)
    assert shown.states["clips"].status == "fresh"
    picture = folder(scene, "any-pictures") / shown.controls["any-pictures"].data["clips"]["first"][
        "file"
    ].format(index=1)
    assert np.array_equal(read_picture(picture), GroundTruth.open(locate.shot_of(scene).truth).beauty(1))
    data, first = {"frame_map": [1, 2, 4, 5, 5]}, {"at": [{"frame": 1, "index": 1}]}
    assert clip_actions._index(data, first, 4, "first") == 1
    assert [clip_actions._index(data, {}, frame, "c") for frame in range(1, 6)] == [1, 2, 2, 3, 4]
    with pytest.raises(InputError, match="from 1 to 5"):
        clip_actions._index(data, {}, 6, "c")
    assert (
        clip_models.known("runway/aleph2").label == "Runway Aleph 2" and clip_models.known("nobody") is None
    )


def test_what_can_not_be_is_said(scene: bpy.types.Scene) -> None:
    scene.holdfast.clips.parts = "lid"
    with pytest.raises(UsageError, match="no part 'lid'"):
        run(scene)
    scene.holdfast.clips.model = "nobody"
    with pytest.raises(UsageError, match="runway/aleph2"):
        run(scene)
    (locate.shot_of(scene).truth / "truth.json").unlink()
    with pytest.raises(InputError, match="Run Ground truth first"):
        run(scene)


def test_mattes_have_names_that_every_system_takes() -> None:
    known = {"body": "body", "крышка/2": "kryshka-2", "b" * 80: "b" * 64}
    names = [clip["name"] for clip in clips._mattes("*", True, known)]
    assert names[:2] == ["matte-body", "matte-kryshka-2"] and len(names[2]) < 70
    both = clips._mattes("body, body ; крышка/2,body; body", True, known)
    assert [clip["parts"] for clip in both] == [["body"], ["крышка/2", "body"]]


OWN = """
[[model]]
provider = "studio"
model = "next"
mode = "video_restyle"
label = "Studio"
network = true
[model.controls.kinds]
depth = { white = "far", codec = "png" }
"""


def test_the_command(scene: bpy.types.Scene, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["clips", "--list"]) == 0
    assert "runway/aleph2: beauty, keys; any frames" in capfd.readouterr().out
    assert main(["clips", "--model", "pictures", "--kinds", "depth,matte", "--parts", "box", "--keep"]) == 0
    made = Manifest.load(folder(scene, "any-pictures") / make.MANIFEST, make.SCHEMA)
    assert made.data["clips"]["matte-box"]["change"] is False
    assert main(["clips", "--model", "aleph2", "--kinds", "depth"]) == 2
    assert "Runway Aleph 2 takes no depth" in "".join(capfd.readouterr())
    own = locate.project().root / "catalogue" / "mine.toml"
    own.parent.mkdir()
    own.write_text(OWN)
    assert main(["clips", "--model", "studio/next"]) == 0
    assert (
        Manifest.load(folder(scene, "studio-next") / make.MANIFEST, make.SCHEMA).data["clips"]["depth"][
            "white"
        ]
        == "far"
    )
    assert main(["clips", "--model", "fal-ai/wan-vace-14b/depth", "--frames", "1-5:2"]) == 20
    assert "one span" in "".join(capfd.readouterr())


def test_a_rendered_plane_is_the_formula_while_the_camera_moves(tmp_path: Path) -> None:
    """The whole way: Blender's depth pass, the shot's range, the clip's size; against the plane's equation."""
    scene = scenes.new_scene((64, 36), 3)
    tilted, part = scenes.add_plane("floor", 30, part=False), scenes.add_plane("card", 0.5)
    tilted.rotation_euler, tilted.location = (math.radians(-20), 0, 0), (0, 0, -1)
    part.location = (1.2, 0, 0.2)
    camera = scene.camera
    scenes.key(camera, "location", {1: (0, -3.0, 2.0), 3: (0.6, -2.4, 1.5)})
    camera.rotation_euler = (math.radians(55), 0, 0)
    truth = scenes.make(tmp_path)
    kind = {"depth": {"codec": "png", "bits": 16}}
    asked = {
        "truth": str(truth.folder), "out": str(tmp_path / "c"), "range": str(tmp_path / "range.json"), "model": "m",
        "label": "M", "contract": {"kinds": kind, "size": {"exact": [[48, 32]]}}, "frames": None, "keys": [],
        "clips": [{"name": "depth", "kind": "depth", "parts": [], "change": True}], "inputs": {}, "settings": {},
        "encoders": {},
    }  # fmt: skip
    make.run(asked, Context())
    made = Manifest.load(tmp_path / "c" / make.MANIFEST, make.SCHEMA)
    near, far, fit = made.data["depth"]["near"], made.data["depth"]["far"], Fit.of(made.data["fit"])
    turned = tilted.matrix_world.to_3x3()
    normal = np.array(turned.col[2])
    worst, compared = 0.0, 0
    for index, frame in enumerate(truth.frames, 1):
        seen = read_gray(tmp_path / "c" / f"depth/{index:04d}.png") / 65535
        rows, columns = np.mgrid[0:32, 0:48] + 0.5
        points = fit.to_source(np.stack([columns, rows], -1))
        view = truth.camera(frame)
        rays = view.unproject(points, np.ones(points.shape[:2])) - np.linalg.inv(view.world_to_camera)[:3, 3]
        start = np.linalg.inv(view.world_to_camera)[:3, 3]
        depth = ((np.array(tilted.location) - start) @ normal) / (rays @ normal)
        wanted = np.clip((1 / depth - 1 / far) / (1 / near - 1 / far), 0, 1)
        ids = cv2.dilate((truth.ids(frame) > 0).astype(np.uint8), np.ones((7, 7), np.uint8))
        at = np.clip(points.astype(int), 1, np.array(truth.size) - 2)
        free = (ids[at[..., 1], at[..., 0]] == 0) & (
            points == np.clip(points, 1, np.array(truth.size) - 1)
        ).all(-1)
        worst = max(worst, float(np.abs(seen - wanted)[free].max()))
        compared += int((free & (wanted > 0) & (wanted < 1)).sum())
    print(
        f"{bpy.app.version_string}: worst error of a rendered plane {worst:.2e} of the range over {compared} pixels"
    )
    assert compared > 300 and worst < 1 / 255
