# SPDX-License-Identifier: GPL-3.0-or-later
"""Ideate and Assets driven like the command line drives them, on the lantern's own sketches, at thumbnail size."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import bpy
import pytest

Module = Callable[[str], ModuleType]
SAMPLES = Path(__file__).parents[2] / "clients" / "offline" / "samples"


@pytest.fixture
def scene(module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bpy.types.Scene:
    lookdev = module("rendering.lookdev")
    monkeypatch.setattr(lookdev, "SIZE_PX", 48)
    monkeypatch.setattr(lookdev, "SAMPLES", 2)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    settings = bpy.context.scene.holdfast
    for name, height_mm in (("lantern_body", 44.0), ("lantern_lid", 30.0)):
        shutil.copy(SAMPLES / f"{name}.jpg", tmp_path)
        sketch = settings.sketches.add()
        sketch.name, sketch.path, sketch.height_mm = name, str(tmp_path / f"{name}.jpg"), height_mm
    settings.ideate.variants = 2
    settings.assets.detail, settings.assets.texture_px = 24, 64
    return bpy.context.scene


def _run(module: Module, stage: str, scene: bpy.types.Scene, **options: object) -> object:
    steps, context = module("operators.steps"), module("pipeline.context").Context()
    shot = module("operators.locate").shot_of(scene)
    generator = module(f"operators.{stage}").STAGE.run(scene, shot, steps.StageOptions(**options))
    return module("operators.drive").run_blocking(generator, context)


def _state(module: Module, stage: str, scene: bpy.types.Scene) -> str:
    shot = module("operators.locate").shot_of(scene)
    return str(module(f"operators.{stage}").STAGE.state(scene, shot)[0])


def _blocks() -> dict[str, int]:
    kinds = ("scenes", "objects", "meshes", "materials", "lights", "cameras", "worlds", "actions")
    pictures = sum(image.source == "FILE" for image in bpy.data.images)
    return {kind: len(getattr(bpy.data, kind)) for kind in kinds} | {"pictures": pictures}


def test_sketches_become_parts(module: Module, scene: bpy.types.Scene) -> None:
    blocks = _blocks()
    assert _state(module, "ideate", scene) == "missing"
    concepts = _run(module, "ideate", scene)
    assert _blocks() == blocks
    shot = module("operators.locate").shot_of(scene)
    assert all((shot.concepts / name).exists() for name in concepts.files)
    assert concepts.data["locked"] == "v01" and len(concepts.data["assets"][0]["variants"]) == 2
    assert _state(module, "ideate", scene) == "fresh" and _state(module, "assets", scene) == "missing"

    made = _run(module, "assets", scene)
    assert [part["name"] for asset in made.data["assets"] for part in asset["parts"]] == [
        "body",
        "lid",
        "peg",
    ]
    assert all(part["quality"]["watertight"] for asset in made.data["assets"] for part in asset["parts"])
    body, lid, peg = (bpy.data.objects[name] for name in ("body", "lid", "peg"))
    bpy.context.view_layer.update()
    assert body.dimensions.z == pytest.approx(0.044, abs=1e-4) and peg.parent == lid
    assert lid.matrix_world.translation.z == pytest.approx(0.044, abs=1e-4)
    assert _state(module, "assets", scene) == "fresh"
    assert _run(module, "assets", scene).digest == made.digest

    bpy.data.objects.remove(peg)
    assert _state(module, "assets", scene) == "stale"
    assert _run(module, "assets", scene).digest == made.digest
    assert bpy.data.objects["peg"].parent == lid

    scene.holdfast.ideate.locked = "v02"
    assert _state(module, "ideate", scene) == "stale"
    before = concepts.files["variants/v02.png"]
    relocked = _run(module, "ideate", scene)
    assert relocked.data["locked"] == "v02" and relocked.files["variants/v02.png"] == before
    assert _state(module, "assets", scene) == "stale"


def test_bad_sketches(module: Module, scene: bpy.types.Scene, tmp_path: Path) -> None:
    errors = module("pipeline.errors")
    (tmp_path / "lantern_lid.jpg").write_text("no picture")
    with pytest.raises(errors.InputError, match="picture"):
        _run(module, "ideate", scene)
    (tmp_path / "lantern_lid.jpg").unlink()
    with pytest.raises(errors.InputError, match="missing"):
        _run(module, "ideate", scene)
    scene.holdfast.ideate.locked = "v09"
    shutil.copy(SAMPLES / "lantern_lid.jpg", tmp_path)
    with pytest.raises(errors.UsageError, match="v09"):
        _run(module, "ideate", scene)
    scene.holdfast.sketches.clear()
    with pytest.raises(errors.InputError, match="no sketch"):
        _run(module, "ideate", scene)
    with pytest.raises(errors.InputError, match="Run Ideate"):
        _run(module, "assets", scene)
