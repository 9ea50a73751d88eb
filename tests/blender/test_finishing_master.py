# SPDX-License-Identifier: GPL-3.0-or-later
"""The master through a child of the very Blender that runs the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np
import pytest

Module = Callable[[str], ModuleType]


@pytest.fixture
def frames(module: Module, tmp_path: Path) -> Path:
    folder = tmp_path / "comp with spaces"
    ramp = np.repeat(np.linspace(40, 215, 64).astype(np.uint8)[None, :, None], 36, 0)
    for number in range(1, 14):
        picture = np.concatenate([ramp, 255 - ramp, np.full_like(ramp, 60 + number)], 2)
        module("pipeline.pictures").write_picture(folder / f"{number:04d}.png", picture)
    return folder


@pytest.mark.parametrize("fps", [(24, 1), (24000, 1001), (30000, 1001)])
def test_child_blender_writes_what_it_was_asked_for(
    module: Module, frames: Path, tmp_path: Path, fps: tuple[int, int]
) -> None:
    encode, context = module("pipeline.encode"), module("pipeline.context")
    tools = {**module("operators.finish").encoders(), "ffmpeg": []}
    heard: list[float] = []
    out = tmp_path / "delivery" / "master.mp4"
    clip = encode.Clip(str(frames), 13, (64, 36), fps, 16)
    track, name = encode.encode(
        clip, out, encode.Encoders(**tools), context.Context(lambda fraction, message: heard.append(fraction))
    )
    assert name == "blender" and track.fps == Fraction(*fps) and track.frames == 13
    assert track.colour == (1, 1, 1) and track.full_range is False
    assert heard and heard[-1] == 1.0
    assert [path.name for path in out.parent.iterdir()] == ["master.mp4"]


def test_a_missing_frame_fails_and_leaves_nothing(module: Module, tmp_path: Path) -> None:
    encode, errors = module("pipeline.encode"), module("pipeline.errors")
    tools = {**module("operators.finish").encoders(), "ffmpeg": [], "blender": ["/no/such/program"]}
    clip = encode.Clip(str(tmp_path), 3, (64, 36), (24, 1), 16)
    with pytest.raises(errors.HoldfastError):
        encode.encode(
            clip, tmp_path / "out" / "m.mp4", encode.Encoders(**tools), module("pipeline.context").Context()
        )
    assert not list((tmp_path / "out").iterdir())


def test_blenders_typefaces_are_found(module: Module) -> None:
    fonts = module("operators.finish").fonts()
    assert all(Path(font).is_file() for font in fonts)
    lettering = module("finishing.lettering").Lettering(tuple(fonts))
    font = lettering.font("Lantern", 32)
    assert 60 < font.getlength("Lantern") < 300
    widths = {
        letter: font.getlength(letter) for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    }
    assert {letter: width for letter, width in widths.items() if not 4 < width < 40} == {}


def test_finish_settings_are_plain_numbers(module: Module) -> None:
    finish = bpy.context.scene.holdfast.finish
    finish.exposure, finish.title = 0.3, "Lantern\\nproven"
    settings = module("operators.finish").settings_of(bpy.context.scene)
    assert settings["exposure"] == 0.3 and settings["title"] == "Lantern\nproven"


def test_without_a_take_both_stages_say_what_to_run(module: Module, tmp_path: Path) -> None:
    steps, errors = module("operators.steps"), module("pipeline.errors")
    shot = module("pipeline.project").ShotFolder(tmp_path / "p.holdfast" / "sh010")
    for name, todo in (("repair", "Run Style, then Validate"), ("finish", "Run Style first")):
        stage = module(f"operators.{name}").STAGE
        assert stage.state(bpy.context.scene, shot)[0] == "missing"
        with pytest.raises(errors.InputError, match=todo):
            next(stage.run(bpy.context.scene, shot, steps.StageOptions()))
