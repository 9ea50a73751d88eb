# SPDX-License-Identifier: GPL-3.0-or-later
"""Style driven like the command line drives it, on an analytic ground truth."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import bpy
import pytest

Module = Callable[[str], ModuleType]


@pytest.fixture
def scene(module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bpy.types.Scene:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    steps, truth = module("operators.steps"), module("operators.truth")
    always_fresh = steps.Stage(
        "truth", "", truth.STAGE.run, lambda scene, shot: steps.StageState("fresh", "")
    )
    monkeypatch.setattr(truth, "STAGE", always_fresh)
    return bpy.context.scene


def _truth(module: Module, scene: bpy.types.Scene) -> None:
    path = Path(__file__).parents[1] / "pure" / "style_truth.py"
    spec = importlib.util.spec_from_file_location("style_truth", path)
    analytic = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(analytic)
    analytic.write_package(module("operators.locate").shot_of(scene).truth, (1, 2, 3), (80, 45))


def _run(module: Module, scene: bpy.types.Scene, **options: object) -> object:
    steps, context = module("operators.steps"), module("pipeline.context").Context()
    shot = module("operators.locate").shot_of(scene)
    generator = module("operators.style").STAGE.run(scene, shot, steps.StageOptions(**options))
    return module("operators.drive").run_blocking(generator, context)


def _state(module: Module, scene: bpy.types.Scene) -> str:
    return str(module("operators.style").STAGE.state(scene, module("operators.locate").shot_of(scene))[0])


def test_takes(module: Module, scene: bpy.types.Scene) -> None:
    with pytest.raises(module("pipeline.errors").InputError, match="Run Ground truth first"):
        _run(module, scene)
    assert _state(module, scene) == "missing"
    _truth(module, scene)
    part = _run(module, scene, frames=(2,))
    assert part.data["take"] == "t001" and part.data["frames"] == [2] and _state(module, scene) == "partial"
    first = _run(module, scene)
    assert first.data["take"] == "t001" and first.data["frames"] == [1, 2, 3]
    assert _state(module, scene) == "fresh" and _run(module, scene).digest == first.digest
    assert first.files["frames/0002.png"] == part.files["frames/0002.png"]

    scene.holdfast.style.look = "CEL"
    assert _state(module, scene) == "stale"
    assert _run(module, scene).data["take"] == "t002"
    scene.holdfast.style.look = "INK_WASH"
    assert _run(module, scene).digest == first.digest
    assert module("operators.locate").shot_of(scene).take_names() == ["t001", "t002"]


def test_every_look_of_the_panel_exists(module: Module) -> None:
    offered = {look[0] for look in module("properties_style").LOOKS}
    known = module("clients.registry").model_of("rehearsal", "video_restyle").options["look"]
    assert offered == set(known) == set(module("clients.offline.looks").LOOKS)


@pytest.mark.parametrize(
    ("script", "words"), [("[{", "not JSON"), ("{}", "list"), ('[{"kind": "melt"}]', "melt")]
)
def test_bad_scripts(module: Module, scene: bpy.types.Scene, script: str, words: str) -> None:
    _truth(module, scene)
    scene.holdfast.style.defects = script
    with pytest.raises(module("pipeline.errors").UsageError, match=words):
        _run(module, scene)
    assert not module("operators.locate").shot_of(scene).take_names()
