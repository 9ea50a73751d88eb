# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes out of Ideate, headless: the command, sheets, film, reference; and sketches from Grease Pencil and clipboard."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import pytest
from holdfast import command_line, compat
from holdfast.clients import idea_board
from holdfast.clients.offline.sketch import read_drawing
from holdfast.clients.registry import catalogue
from holdfast.operators import drive, ideate, ideate_out, ideate_sketches, ideate_turn, locate, steps
from holdfast.pipeline import secret
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.manifest import Manifest

from tests.loopback.painter import Painter, painted

SAMPLES = Path(__file__).parents[2] / "clients" / "offline" / "samples"
MODEL = "runway/gen4_image"


@pytest.fixture
def painter():
    with Painter() as server:
        yield server


@pytest.fixture
def scene(tmp_path: Path, painter: Painter, monkeypatch: pytest.MonkeyPatch) -> bpy.types.Scene:
    """A saved scene, whose project knows Runway at the loopback address; worker tasks run in this process."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    own = locate.project().root / "catalogue"
    own.mkdir(parents=True)
    (own / "runway.toml").write_text(
        f'[[service]]\nid = "runway"\nlabel = "Runway"\nbase = "{painter.url}"\nkeys = ["HOLDFAST_RUNWAY_KEY"]\n'
        'settings = { version = "2024-11-06", credit_micros = 10000 }\n'
    )
    secret.hold("HOLDFAST_RUNWAY_KEY", painter.key)

    def at_once(function: str, request: dict[str, Any], context: Context, *_more: object) -> Any:
        module, _, name = function.partition(":")
        return getattr(importlib.import_module(f"holdfast.{module}"), name)(request, context)

    monkeypatch.setattr(drive, "run_in_foreground", at_once)
    yield bpy.context.scene
    secret.hold("HOLDFAST_RUNWAY_KEY", "")


def command(*arguments: str) -> int:
    return command_line.main(["ideate", *arguments])


def run(scene: bpy.types.Scene, what: str) -> Manifest:
    stage = ideate_out.OUTPUTS[what]
    return drive.run_blocking(stage.run(scene, locate.shot_of(scene), steps.StageOptions()), Context())


def test_the_command_asks_branches_locks_and_makes(scene, painter, capsys):
    assert command("--provider", MODEL, "--brief", "A travel lantern", "--count", "2", "--no-save") == 0
    assert (
        command("--provider", MODEL, "--branch", "edit", "--of", "1b", "--words", "a red lid", "--no-save")
        == 0
    )
    assert command("--star", "1a", "2a", "--discard", "1b", "--lock", "2a") == 0
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    scene = bpy.context.scene
    assert scene.holdfast.ideate.idea == "2a", "the lock is saved"
    scene.holdfast.ideate.product, scene.holdfast.ideate.sheet_facts = "lantern", True
    capsys.readouterr()
    assert command("--make", "sheet", "--make", "reference", "--list", "--no-save") == 0
    said = capsys.readouterr().out
    assert "* 2a" in said and "edited from 1b" in said and "- 1b" in said and MODEL in said
    shot = locate.shot_of(scene)
    sheet = Manifest.load(shot.concepts / "sheet/sheet.json", ideate_out.SHEETS)
    assert sheet.data["ideas"] == ["1a", "2a"] and (shot.concepts / "sheet" / sheet.data["pdf"]).is_file()
    folder = locate.project().root / "references/lantern"
    reference = Manifest.load(folder / "reference.json", ideate_out.SCHEMA)
    assert reference.data["idea"] == "2a" and (folder / "reference.png").is_file()
    assert "dE" in said and "same outline" in said
    assert command("--lock", "9z", "--no-save") == 3 or "no idea '9z'" in capsys.readouterr().out
    assert command("--branch", "mix", "--of", "1a", "--provider", MODEL, "--no-save") != 0


def test_a_film_by_a_video_model_is_paid_once(scene, painter):
    settings, shot = scene.holdfast.ideate, locate.shot_of(scene)
    with pytest.raises(InputError, match="No picture is locked"):
        run(scene, "film")
    command("--provider", MODEL, "--brief", "A lantern", "--count", "1", "--no-save")
    ideate.keep_idea(shot, "1a")
    settings.idea, settings.film_provider, settings.film_seconds = "1a", "runway/gen4.5", 3.6
    made = run(scene, "film")
    assert (shot.concepts / "film" / made.data["film"]).read_bytes()[4:8] == b"ftyp"
    body = painter.of("POST", "/v1/image_to_video")[0].json
    assert body["duration"] == 4 and "push-in" in body["promptText"]
    run(scene, "film")
    assert len(painter.of("POST", "/v1/image_to_video")) == 1
    (job,) = [job for job in JobStore(locate.project().root).jobs() if job.purpose == "board"]
    assert job.step is Step.APPLIED and job.price == 480_000


def test_the_length_is_one_that_the_model_makes():
    for name, wanted, found in (
        ("runway/gen4.5", 3.6, 4.0),
        ("luma/ray-3.2-film", 6.0, 5.0),
        ("minimax/MiniMax-H3", 2.0, 5.0),
    ):
        options, seconds = ideate_out.film_options(catalogue()[name], wanted)
        assert (options["seconds"], seconds) == (found, found), name


def test_a_push_in_of_the_locked_look_is_a_film(scene, monkeypatch):
    from holdfast.clients import idea_film

    monkeypatch.setattr(idea_film, "LEAST_PX", 160)
    monkeypatch.setattr(idea_film, "MOST_PX", 160)
    shot = locate.shot_of(scene)
    (shot.concepts / "variants").mkdir(parents=True)
    (shot.concepts / "variants/v01.png").write_bytes(painted(0))
    data = {"assets": [], "locked": "v01", "sheet": "", "locked_picture": "variants/v01.png"}
    Manifest(ideate.SCHEMA, {}, {}, data).save(shot.concepts / ideate.MANIFEST)
    scene.holdfast.ideate.film_seconds = 1.0
    made = run(scene, "film")
    film = cv2.VideoCapture(str(shot.concepts / "film" / made.data["film"]))
    assert int(film.get(cv2.CAP_PROP_FRAME_COUNT)) == 24 and film.read()[1].shape == (160, 160, 3)
    assert made.data["method"] == "two layers"


def test_the_turnaround_shows_four_sides_and_leaves_nothing(scene, tmp_path, monkeypatch):
    from holdfast.operators import assets
    from holdfast.rendering import lookdev

    monkeypatch.setattr(lookdev, "SIZE_PX", 40)
    monkeypatch.setattr(lookdev, "SAMPLES", 2)
    for name in ("lantern_body",):
        shutil.copy(SAMPLES / f"{name}.jpg", tmp_path)
        sketch = scene.holdfast.sketches.add()
        sketch.name, sketch.path, sketch.height_mm = name, str(tmp_path / f"{name}.jpg"), 44.0
    scene.holdfast.ideate.variants = 1
    scene.holdfast.assets.detail, scene.holdfast.assets.texture_px = 16, 64
    shot = locate.shot_of(scene)
    for stage in (ideate, assets):
        drive.run_blocking(stage.STAGE.run(scene, shot, steps.StageOptions()), Context())
    counts = {
        kind: len(getattr(bpy.data, kind)) for kind in ("scenes", "objects", "meshes", "materials", "cameras")
    }
    made = run(scene, "reference")
    assert counts == {kind: len(getattr(bpy.data, kind)) for kind in counts}
    assert [each["view"] for each in made.data["views"]] == ["locked", *ideate_turn.SIDES]
    assert [each["name"] for each in made.data["materials"]] == ["Body", "Lid and further parts", "Mechanism"]
    folder = locate.project().root / "references/product"
    sides = [cv2.imread(str(folder / f"{side}.png")) for side in ideate_turn.SIDES]
    assert all(side.shape == (40, 40, 3) and side.std() > 5 for side in sides)
    assert not (shot.concepts / "turn").exists()


def pencil(points: np.ndarray, radius: float) -> bpy.types.Object:
    """A Grease Pencil object with one closed stroke, by the means of this version."""
    if hasattr(bpy.data, "grease_pencils_v3") or bpy.app.version >= (5, 0, 0):
        data = (bpy.data.grease_pencils if bpy.app.version >= (5, 0, 0) else bpy.data.grease_pencils_v3).new(
            "ring"
        )
        drawing = data.layers.new("ink").frames.new(1).drawing
        drawing.add_strokes([len(points)])
        stroke = drawing.strokes[0]
        for point, at in zip(stroke.points, points, strict=True):
            point.position, point.radius = at, radius
        stroke.cyclic = True
    else:
        data = bpy.data.grease_pencils.new("ring")
        stroke = data.layers.new("ink").frames.new(1).strokes.new()
        stroke.points.add(len(points))
        stroke.line_width, stroke.use_cyclic = round(radius * 2000), True
        for point, at in zip(stroke.points, points, strict=True):
            point.co, point.pressure = at, 1.0
    thing = bpy.data.objects.new("ring", data)
    bpy.context.collection.objects.link(thing)
    return thing


def test_grease_pencil_becomes_a_sketch_that_can_be_read(scene):
    heights = np.linspace(0, 1, 40)
    radii = 0.012 + 0.006 * np.sin(2.2 * np.pi * heights)
    side = np.stack([radii, 0 * heights, 0.05 * heights], 1)
    outline = np.concatenate([side, (side * (-1, 1, 1))[::-1]])
    thing = pencil(outline, 0.0004)
    thing.rotation_euler.z, thing.location = 0.6, (0.3, 0.1, 0.2)
    bpy.context.view_layer.update()
    assert compat.is_pencil(thing) and len(compat.pencil_strokes(thing)) == 1
    data, height_mm = ideate_sketches.from_pencil(thing)
    assert height_mm == pytest.approx(50.0, rel=0.01), "its real height"
    path = ideate_sketches.add(scene, data, ".png", thing.name, height_mm)
    ideate_sketches.add(scene, data, ".png", thing.name, height_mm)
    assert [sketch.name for sketch in scene.holdfast.sketches] == ["ring", "ring_2"]
    assert scene.holdfast.sketches[0].height_mm == pytest.approx(50.0, rel=0.01)
    assert len(list(path.parent.iterdir())) == 1, "the same picture is kept once"
    drawing = read_drawing(path, name="ring", height_mm=50.0, kind="AUTO")
    assert drawing.outline.method == "REVOLVE"
    bpy.context.view_layer.objects.active = thing
    assert bpy.ops.holdfast.sketch_from_pencil() == {"FINISHED"} and len(scene.holdfast.sketches) == 3
    with pytest.raises(InputError, match="empty"):
        ideate_sketches.from_pencil(
            pencil(np.zeros((0, 3)), 0.001) if bpy.app.version < (4, 3, 0) else _empty()
        )


def _empty() -> bpy.types.Object:
    return pencil(np.zeros((1, 3)), 0.001)


def test_the_clipboard_and_the_view(scene, tmp_path, monkeypatch):
    monkeypatch.setattr(ideate_sketches.ImageGrab, "grabclipboard", lambda: None)
    shutil.copy(SAMPLES / "lantern_lid.jpg", tmp_path / "a lid.jpg")
    data, suffix = ideate_sketches.from_clipboard(f'"{tmp_path / "a lid.jpg"}"')
    assert suffix in (".png", ".jpg") and len(data) > 1000
    with pytest.raises(InputError, match="no picture on the clipboard"):
        ideate_sketches.from_clipboard("hello")

    def refused() -> None:
        raise NotImplementedError("wl-paste or xclip is required")

    monkeypatch.setattr(ideate_sketches.ImageGrab, "grabclipboard", refused)
    with pytest.raises(InputError, match="xclip"):
        ideate_sketches.from_clipboard("")
    with pytest.raises(InputError, match="viewport"):
        ideate_sketches.from_view(bpy.context)


def test_the_board_is_refreshed_without_waiting(scene, painter):
    from holdfast.operators import ideate_watch

    command("--provider", MODEL, "--brief", "A lantern", "--count", "2", "--no-save")
    ideate_watch.refresh_now()
    assert list(ideate_watch.seen.board.ideas) == ["1a", "1b"] and ideate_watch.seen.unsent == 0
    assert ideate_watch.icon("1a") != 0 or bpy.app.background
    idea_board.mark(locate.shot_of(scene).concepts, "1a", "hidden", True)
    ideate_watch.refresh_now()
    assert ideate_watch.page_names() == ["1b"]
    bpy.context.window_manager.holdfast_ideas.which = "HIDDEN"
    assert ideate_watch.page_names() == ["1a"]
    bpy.context.window_manager.holdfast_ideas.which = "ALL"
