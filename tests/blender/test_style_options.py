# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person chooses of a remote model in Style: options, references, and the settings of its service."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest
from holdfast.clients import settings
from holdfast.clients.registry import services
from holdfast.operators import locate, prompt_kept, style, style_options, style_remote
from holdfast.panels.style import HOLDFAST_PT_style
from holdfast.pipeline.errors import ProviderRejected, UsageError

from ..loopback import media

KLING, ALEPH, VACE = "kling/kling-3.0-omni", "runway/aleph2", "fal/fal-ai/wan-vace-14b/depth"


@pytest.fixture
def scene(tmp_path: Path) -> bpy.types.Scene:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end, scene.render.fps = 1, 96, 24
    scene.holdfast.style.provider = KLING
    for name in ("ink.png", "b.png"):
        (tmp_path / name).write_bytes(media.png())
    return scene


def rows(scene):
    return scene.holdfast.style.options


def settings_of(scene):
    return style.settings_of(scene)


def price(scene):
    return HOLDFAST_PT_style.words_of_button(HOLDFAST_PT_style, bpy.context)[0]


def test_a_model_brings_its_options_and_the_price_follows(scene):
    assert [row.name for row in rows(scene)] == ["resolution", "ratio", "seconds", "audio"]
    assert "options" not in settings_of(scene) and price(scene) == "Restyle for $0.67"
    rows(scene)["resolution"].choice = "720p"
    rows(scene)["seconds"].value = "5"
    assert settings_of(scene)["options"] == {"resolution": "720p", "seconds": 5}
    assert price(scene) == "Restyle for $0.50"
    rows(scene)["resolution"].choice = "-"
    assert settings_of(scene)["options"] == {"seconds": 5}
    rows(scene)["seconds"].value = "99"
    with pytest.raises(UsageError, match="3 to 15"):
        settings_of(scene)
    assert price(scene) == "Restyle for $0.67", "the panel is drawn all the same"


def test_another_model_keeps_what_fits(scene):
    rows(scene)["resolution"].choice, rows(scene)["ratio"].choice = "720p", "16:9"
    scene.holdfast.style.provider = VACE
    assert settings_of(scene)["options"] == {"resolution": "720p", "ratio": "16:9"}
    rows(scene)["resolution"].choice = "480p"
    scene.holdfast.style.provider = KLING
    assert settings_of(scene)["options"] == {"ratio": "16:9"}, "480p is none of its own"
    scene.holdfast.style.provider = "rehearsal"
    assert "options" not in settings_of(scene)
    scene.holdfast.style.provider = ALEPH
    assert settings_of(scene)["options"] == {"ratio": "16:9"}


def test_headless(scene):
    model = style_remote.chosen(ALEPH)
    scene.holdfast.style.provider = ALEPH
    style_options.choose(scene, model, "format=prores")
    assert settings_of(scene)["options"] == {"format": "prores"}
    style_options.choose(scene, model, "format=")
    assert "options" not in settings_of(scene)
    for text in ("format=vhs", "colour=1", "format"):
        with pytest.raises(UsageError):
            style_options.choose(scene, model, text)
    with pytest.raises(UsageError, match="no options"):
        style_options.choose(scene, None, "ratio=1:1")


def test_an_old_file_shows_its_options_by_a_click(scene):
    rows(scene).clear()
    assert bpy.ops.holdfast.fit_options() == {"FINISHED"} and len(rows(scene)) == 4


def test_references_are_one_list_with_the_prompt(scene):
    prompt = scene.holdfast.prompt
    each = prompt.references.add()
    each.path, each.role = str(Path(bpy.data.filepath).parent / "ink.png"), "style"
    before = settings_of(scene)["references"]
    assert [role for role, _hash in before] == ["reference"]
    prompt.change.add().text = "ink lines"
    prompt_kept.save(scene)
    assert settings_of(scene)["references"] == before
    text = prompt_kept.style_text(scene, style_remote.chosen(KLING))
    assert "@style" in text.prompt and text.references[0].path == each.path
    other = prompt.references.add()
    other.path = str(Path(bpy.data.filepath).parent / "b.png")
    assert settings_of(scene)["references"] == before, "the version that was saved is what is sent"
    scene.holdfast.style.provider = ALEPH
    assert "references" not in settings_of(scene)
    (Path(bpy.data.filepath).parent / "ink.png").write_bytes(media.png() + b"\0")
    scene.holdfast.style.provider = KLING
    assert settings_of(scene)["references"] != before, "another picture is another take"


def test_too_many_references_are_a_sentence(scene):
    for _ in range(8):
        scene.holdfast.prompt.references.add().path = str(Path(bpy.data.filepath).parent / "ink.png")
    with pytest.raises(ProviderRejected, match="7 references, not 8"):
        settings_of(scene)


def test_a_negative_goes_to_its_field_or_into_the_prompt(scene):
    prompt = scene.holdfast.prompt
    prompt.change.add().text, prompt.negative = "ink lines", "flicker"
    prompt_kept.save(scene)
    assert "negative" not in settings_of(scene) and "flicker" not in settings_of(scene)["prompt"]
    assert "steady" in settings_of(scene)["prompt"].lower()
    scene.holdfast.style.provider = VACE
    assert settings_of(scene)["negative"] == "flicker"


def test_a_bad_day_is_another_take(scene):
    scene.holdfast.style.provider = "rehearsal_remote/flat-drawing-1"
    assert "service" not in settings_of(scene)
    settings.write(locate.project().root, services()["rehearsal_remote"], "bad_day", "short")
    assert settings_of(scene)["service"] == {"bad_day": "short"}


def test_models_without_clips_are_not_offered():
    names = style_remote.names()
    assert KLING in names and "comfyui/workflow" not in names
