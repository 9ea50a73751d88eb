# SPDX-License-Identifier: GPL-3.0-or-later
"""The artist's scene is left exactly as it was, wherever the stage is stopped: a deep dump before and after."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest
from holdfast.operators.steps import Progress, RenderJob, StageOptions
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import Cancelled, InputError
from holdfast.rendering import pack, throwaway

from . import real_scenes, real_settings, scene_dump
from . import truth_scenes as scenes


@pytest.fixture
def busy() -> bpy.types.Scene:
    """All that a stage could disturb at once: compositor, layers and their passes, cuts, selection, subframe, edit mode."""
    real_settings.artists_compositor()
    scene = bpy.context.scene
    second = bpy.data.objects.new("second", scene.camera.data.copy())
    second.matrix_world, second.data.dof.use_dof = scene.camera.matrix_world, True
    scene.collection.objects.link(second)
    scene.timeline_markers.new("cut", frame=2).camera = second
    scene.timeline_markers.new("start", frame=1).camera = scene.camera
    more = scene.view_layers.new("more")
    more.use_pass_z = more.use_pass_cryptomatte_object = more.use_pass_normal = True
    more.samples = 3
    scene.view_layers[0].material_override = bpy.data.materials.new("override")
    scene.render.use_stamp = scene.render.use_motion_blur = True
    scene.render.filepath, scene.render.resolution_percentage = "//artist/", 100
    scene.render.image_settings.file_format = "JPEG"
    scene.cycles.samples, scene.cycles.use_preview_denoising = 2, True
    bpy.ops.rigidbody.world_add()
    for thing in scene.objects:
        thing.select_set(thing.name == "lid")
    bpy.context.view_layer.objects.active = scene.objects["lid"]
    scene.frame_set(2, subframe=0.25)
    scene.objects["lid"].location.y = 0.02  # keyed, and changed without a key
    bpy.ops.object.mode_set(mode="EDIT")
    return scene


def _stopped(scene, folder: Path, after: int, error: BaseException) -> bool:
    """Drives the stage for ``after`` steps, then throws; False if the stage had ended by itself before that."""
    generator = scenes.STAGE.run(scene, scenes.shot_in(folder), StageOptions())
    answer = None
    for _step in range(after):
        try:
            step = generator.send(answer)
        except StopIteration:
            return False
        answer = None
        if isinstance(step, RenderJob):
            scenes.render_frames(step, Context())
        elif not isinstance(step, Progress):
            answer = pack.run(step.request, Context())
    with pytest.raises(type(error)):
        generator.throw(error)
    return True


def test_success_leaves_it(busy, tmp_path: Path) -> None:
    before = scene_dump.everything()
    scenes.make(tmp_path)
    assert scene_dump.differences(before, scene_dump.everything()) == []
    assert before["state"]["mode"] == "EDIT_MESH" and before["state"]["frame"] == 2.25


@pytest.mark.parametrize("error", [Cancelled(), InputError("the renderer gave up"), RuntimeError("crash")])
def test_a_stop_at_any_step_leaves_it(busy, tmp_path: Path, error: BaseException) -> None:
    before, steps = scene_dump.everything(), 1
    strides = {"Cancelled": 2, "InputError": 5, "RuntimeError": 7}
    while _stopped(busy, tmp_path / str(steps), steps, error):
        assert scene_dump.differences(before, scene_dump.everything()) == [], f"after step {steps}"
        assert not any(each.get(throwaway.MARK) for each in bpy.data.scenes)
        steps += strides[type(error).__name__]
    assert steps > 6


def test_a_stage_that_is_dropped_leaves_it(busy, tmp_path: Path) -> None:
    """Nobody goes on with the generator: the window was closed."""
    before = scene_dump.everything()
    generator = scenes.STAGE.run(busy, scenes.shot_in(tmp_path), StageOptions())
    while not isinstance(next(generator), RenderJob):
        pass
    generator.close()
    assert scene_dump.differences(before, scene_dump.everything()) == []


def test_users_are_counted_one_too_many_in_4_2_only(tmp_path: Path) -> None:
    """Blender's own: it counts what a removed copy of a scene used once too often, until the file is read again.

    The dump therefore names users (scene_dump.users); this is the proof, and tells when it no longer holds.
    """
    real_scenes.base()
    ball = bpy.context.scene.objects["ball"]
    before = ball.users
    for _copy in range(3):
        bpy.data.scenes.remove(bpy.context.scene.copy())
    assert ball.users - before == (3 if bpy.app.version < (4, 3) else 0)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert bpy.context.scene.objects["ball"].users == before
