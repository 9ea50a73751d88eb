# SPDX-License-Identifier: GPL-3.0-or-later
"""The prompt contract in Blender: written, linted, kept, brought back, used by Style, and headless."""

from __future__ import annotations

import json
from dataclasses import replace

import bpy
import pytest

from . import validate_shot


@pytest.fixture
def shot(module, holdfast, tmp_path):
    found = validate_shot.new_file(tmp_path, holdfast.__name__)
    module("operators.state_cache").on_load_post()
    module("operators.state_cache").refresh(bpy.context.scene)
    yield found
    module("operators.state_cache").on_load_post()


@pytest.fixture
def settings(shot):
    return bpy.context.scene.holdfast.prompt


@pytest.fixture
def seen(module, settings):
    def read():
        module("operators.state_cache").refresh(bpy.context.scene)
        return module("operators.prompt_state").shown(bpy.context.scene)

    return read


def _write(settings):
    bpy.ops.holdfast.start_prompt()
    settings.role, settings.purpose = "a painter of storybook backgrounds", "a title sequence"
    settings.change_text = "ink and watercolour on rough paper; warm light from the left"
    settings.negative = "flicker, extra objects"
    settings.parts["lid"].says = "bayonet lid"


def test_a_contract_is_begun_with_what_is_known(settings, seen):
    assert not seen().begun
    bpy.context.scene.holdfast.style.prompt = "ink on paper"
    bpy.ops.holdfast.start_prompt()
    assert [row.name for row in settings.parts] == ["body", "lid", "peg"]
    assert settings.change_text == "ink on paper" and len(settings.keep) == 2
    found = seen()
    print(*found.findings, sep="\n")
    assert found.begun and {each.severity for each in found.findings} == {"hint"}, (
        "only role and purpose are empty"
    )
    assert "The body, the lid and the peg: each stays whole and rigid" in found.rendered.prompt


def test_lines_and_parts_come_and_go(settings, seen):
    _write(settings)
    assert not seen().findings
    bpy.ops.holdfast.edit_prompt(where="change")
    settings.change[2].text = "the bayonet lid melts"
    (found,) = seen().findings
    assert (found.rule, found.field, found.index) == ("deforms-part", "change", 2)
    bpy.ops.holdfast.edit_prompt(where="change", remove=2)
    bpy.ops.holdfast.edit_prompt(where="parts", remove=2)
    assert [each.rule for each in seen().findings] == ["part-unnamed"]
    bpy.ops.holdfast.fill_prompt_parts()
    assert not seen().findings and settings.parts["lid"].says == "bayonet lid"
    bpy.ops.holdfast.edit_prompt(where="references")
    settings.references[0].path = "//none.png"
    assert "reference-missing" in [each.rule for each in seen().findings]
    bpy.ops.holdfast.edit_prompt(where="nothing")


def test_the_camera_of_the_scene_counts(module, settings, seen):
    _write(settings)
    scene = bpy.context.scene
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(camera)
    camera_of = module("operators.prompt_state").camera_of
    assert camera_of(scene) == ""
    scene.camera = camera
    assert camera_of(scene) == "locked"
    settings.change_text = "ink, a slow zoom in"
    assert [each.rule for each in seen().findings] == ["camera-moves"]
    camera.keyframe_insert("location", frame=1)
    assert camera_of(scene) == "moves" and not seen().findings


def test_versions_are_kept_and_brought_back_with_their_criteria(module, shot, settings, seen):
    _write(settings)
    assert seen().latest is None and not bpy.ops.holdfast.prompt_history.poll()
    bpy.ops.holdfast.save_prompt()
    path = shot.prompts / "ink_wash" / "v001.json"
    before = path.read_bytes()
    assert seen().latest.name == "v001" and not seen().changes
    bpy.ops.holdfast.save_prompt()
    assert not (shot.prompts / "ink_wash" / "v002.json").exists(), "nothing was new"
    validate = bpy.context.scene.holdfast.validate
    validate.background, validate.palette_text, validate.readable = "STAYS", "#b7410e", "body"
    settings.purpose = "a poster"
    found = seen()
    assert found.criteria_differ and len(found.changes) == 4, found.changes
    bpy.ops.holdfast.restore_prompt(version=1, what="CRITERIA")
    assert validate.background == "FREE" and settings.purpose == "a poster"
    validate.background, validate.palette_text, validate.readable = "STAYS", "#b7410e", "body"
    bpy.ops.holdfast.save_prompt()
    assert seen().latest.name == "v002" and path.read_bytes() == before
    bpy.ops.holdfast.restore_prompt(version=1)
    assert (settings.purpose, validate.background, validate.palette_text) == ("a title sequence", "FREE", "")
    bpy.ops.holdfast.restore_prompt(version=2)
    intent = module("pipeline.intent").Intent.from_json(module("properties_validate").intent_of(validate))
    kept = seen().latest.contract
    assert intent == kept.criteria == module("pipeline.prompts.review").intent_of(kept)
    assert intent.readable == ("body",) and not seen().changes
    history = module("operators.prompt_kept").history(bpy.context.scene)
    assert [version.name for version, _changes in history] == ["v002", "v001"] and len(history[0][1]) == 4
    with pytest.raises(RuntimeError, match="There is no version 9"):
        bpy.ops.holdfast.restore_prompt(version=9)


def test_style_sends_the_newest_version_and_the_plain_field_without_one(module, settings, seen):
    scene, style = bpy.context.scene, module("operators.style")
    scene.holdfast.style.prompt = "the plain field"
    assert style.settings_of(scene)["prompt"] == "the plain field"
    _write(settings)
    assert style.settings_of(scene)["prompt"] == "the plain field", "what is not saved is not sent"
    bpy.ops.holdfast.save_prompt()
    sent = style.settings_of(scene)["prompt"]
    print(sent)
    assert sent.startswith("Ink and watercolour on rough paper.") and "bayonet lid" in sent
    kept, source = module("operators.prompt_kept"), {"look": "ink_wash", "version": 1}
    found = kept.style_text(scene)
    assert found.prompt == sent and source.items() <= found.source.items()
    aleph = module("clients.registry").catalogue()["runway/aleph2"]
    remote = kept.style_text(scene, aleph)
    assert "The picture is steady from frame to frame." in remote.prompt and not remote.negative
    other = replace(aleph, options={**aleph.options, "negative": {"kind": "text"}}, negative_max=7)
    assert kept.style_text(scene, other).negative == "flicker"
    scene.holdfast.style.look = "CEL"
    assert style.settings_of(scene)["prompt"] == "the plain field", "another look has a contract of its own"


def test_a_damaged_newest_version_is_said_and_no_older_one_is_sent(module, shot, settings, seen):
    scene, style = bpy.context.scene, module("operators.style")
    _write(settings)
    bpy.ops.holdfast.save_prompt()
    settings.purpose = "a poster"
    bpy.ops.holdfast.save_prompt()
    path = shot.prompts / "ink_wash" / "v002.json"
    path.write_text(path.read_text().replace("a poster", "a stamp"))
    with pytest.raises(
        module("pipeline.errors").InputError, match=r"changed by hand or damaged.*next number counts"
    ):
        style.settings_of(scene)
    assert seen().latest.name == "v001" and "v002.json" in seen().damaged
    bpy.ops.holdfast.save_prompt()
    assert seen().latest.name == "v003" and not seen().damaged
    assert "a poster" in style.settings_of(scene)["prompt"]


def test_the_text_follows_the_model(settings, seen):
    _write(settings)
    settings.model = "runway/aleph2"
    found = seen().rendered
    assert (found.fields.prompt, found.fields.unit) == ("promptText", "utf16") and found.length <= 1000
    settings.model = "dashscope/wan2.7-videoedit"
    assert seen().rendered.negative == "flicker, extra objects"
    settings.model = "no such model"
    assert seen().rendered is None and "Choose one of" in seen().problem
    assert not bpy.ops.holdfast.copy_prompt.poll()


def test_the_command_lints_renders_saves_and_lists(module, shot, settings, capsys, tmp_path):
    main = module("command_line").main
    _write(settings)
    assert main(["prompt", "--lint", "--fail-on", "error"]) == 0
    assert "Lint finds nothing" in capsys.readouterr().out
    assert main(["prompt", "--render", "aleph", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    (prompt,) = [each for each in events if each["event"] == "prompt"]
    assert prompt["model"] == "runway/aleph2" and prompt["length"] == len(prompt["prompt"]) <= prompt["most"]
    assert main(["prompt", "--save", "--history"]) == 0
    out = capsys.readouterr().out
    assert "Saved as v001 of ink_wash" in out and "v001  20" in out
    bad = [
        "prompt",
        "--set",
        "prompt.change_text=the lid melts; the peg vanishes",
        "--lint",
        "--fail-on",
        "error",
    ]
    assert main([*bad, "--json"]) == 10
    lines = capsys.readouterr().out.splitlines()
    print("\n".join(lines))
    rules = [json.loads(line)["rule"] for line in lines if '"event": "lint"' in line]
    assert rules == ["deforms-part", "hides-part"]
    assert main(["prompt", "--read", str(shot.prompts / "ink_wash" / "v001.json"), "--lint"]) == 0
    assert settings.change_text.startswith("ink and watercolour")
    assert main(["prompt", "--render", "zzz"]) == 2
    assert main(["prompt", "--read", str(tmp_path / "none.json")]) == 20
