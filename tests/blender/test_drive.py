# SPDX-License-Identifier: GPL-3.0-or-later
"""The foreground driver: answers, errors inside the generator, cancel, cleaning up."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest
from holdfast import compat
from holdfast.operators.drive import run_blocking
from holdfast.operators.steps import Progress, RenderJob, WorkerTask
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import Cancelled, InputError
from holdfast.pipeline.manifest import Manifest

TASKS = "tests.pure.worker_tasks"


@pytest.mark.checkout
def test_a_stage_gets_its_answers_and_returns_its_manifest() -> None:
    seen: list[float] = []

    def stage() -> Iterator[Any]:
        yield Progress(0.1, "Reading")
        answer = yield WorkerTask(f"{TASKS}:add", {"a": 1, "b": 2}, share=(0.2, 1.0))
        return answer

    assert run_blocking(stage(), Context(lambda fraction, message: seen.append(fraction))) == {"sum": 3}
    assert seen == [0.1, 1.0]


@pytest.mark.checkout
def test_an_error_arrives_inside_the_stage() -> None:
    cleaned: list[str] = []

    def stage() -> Iterator[Any]:
        try:
            yield WorkerTask(f"{TASKS}:refuse", {})
        finally:
            cleaned.append("scene put back")

    with pytest.raises(InputError, match="No sketch"):
        run_blocking(stage(), Context())
    assert cleaned == ["scene put back"]


def test_cancel_ends_a_stage_between_steps() -> None:
    context = Context()

    def stage() -> Iterator[Any]:
        yield Progress(0.0, "First")
        context.cancel.cancel()
        yield Progress(0.5, "Never seen")

    with pytest.raises(Cancelled):
        run_blocking(stage(), context)


def test_frames_are_rendered_and_the_range_is_put_back(tmp_path: Path) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.render.resolution_x, scene.render.resolution_y = 16, 8
    scene.render.filepath = str(tmp_path / "f_####")
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    scene.frame_start, scene.frame_end = 1, 50

    def stage() -> Iterator[Any]:
        yield RenderJob(scene, (3, 7))

    run_blocking(stage(), Context())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f_0003.png", "f_0007.png"]
    assert (scene.frame_start, scene.frame_end) == (1, 50)


def test_scenes_are_removed_without_a_window_in_the_context() -> None:
    """As in a timer, or in a command on an opened file; Blender 4 dies there of what Blender offers itself."""
    made = bpy.data.scenes.new("To go")
    with bpy.context.temp_override(window=None):
        assert bpy.context.window is None
        compat.remove_scene(made)
    assert "To go" not in bpy.data.scenes


def test_a_stage_has_a_window_where_the_file_has_one() -> None:
    seen: list[object] = []

    def stage() -> Any:
        seen.append(bpy.context.window)
        yield Progress(0.5, "half")
        seen.append(bpy.context.window)
        return Manifest("test", {}, {}, {})

    with bpy.context.temp_override(window=None):
        run_blocking(stage(), Context())
    assert seen == [bpy.context.window_manager.windows[0]] * 2
