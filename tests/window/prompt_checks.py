# SPDX-License-Identifier: GPL-3.0-or-later
"""The window test of the Prompt panel: a contract is begun, written, linted, kept and copied by clicks."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import bpy
from validate_checks import only

from tests.blender import validate_shot

Check = Generator[float, None, str | None]


def prompt_contract(walk: Any) -> Check:
    """The contract of a shot: what lint finds while it is written, the text for a model, a version, its history."""
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
    yield 0.3
    folder = walk.folder / "prompt"
    folder.mkdir()
    validate_shot.new_file(folder, walk.module("operators").__name__.rpartition(".")[0])
    only(walk, "_style")
    _bring(walk)
    yield from walk.hand.show_tab()
    walk.hand.sidebar.tag_redraw()
    bpy.ops.holdfast.refresh()
    yield 1.0
    yield from walk.hand.press_button("start_prompt()")
    yield 0.8
    settings = bpy.context.scene.holdfast.prompt
    assert [part.name for part in settings.parts] == ["body", "lid", "peg"]
    settings.role, settings.purpose = "a painter of storybook backgrounds", "opening shot of a title sequence"
    settings.change_text = (
        "hand-drawn ink lines and watercolour on rough paper; the lid melts into the wash, no clutter"
    )
    settings.keep_text = "the shape, place and motion of every part; the lettering on the body"
    settings.parts["lid"].says = "bayonet lid"
    settings.negative = "flicker, extra objects, purple haze"
    settings.model = "runway/aleph2"
    validate = bpy.context.scene.holdfast.validate
    validate.background, validate.palette_text, validate.readable = "STAYS", "#b7410e #f2e6d0 #22304a", "body"
    yield 1.2
    seen = walk.module("operators.prompt_state").shown(bpy.context.scene)
    assert [each.rule for each in seen.findings] == ["deforms-part", "negative-words"], seen.findings
    yield from walk.hand.pictures_of_sidebar("70-prompt-lint")
    settings.change[1].text = "runs of paint on the surface of the lid, warm light from the left"
    yield 1.2
    assert not walk.module("operators.prompt_state").shown(bpy.context.scene).findings
    yield from walk.hand.press_button("save_prompt()")
    yield 0.8
    settings.change.add().text = "a plain, pale wall behind the lantern"
    yield 1.0
    bpy.ops.holdfast.save_prompt()
    yield 0.8
    yield from walk.hand.pictures_of_sidebar("71-prompt-saved")
    yield from walk.hand.press_button("prompt_history()", 0.93)
    yield 0.8
    walk.hand.picture("72-prompt-history")
    yield from walk.hand.key("ESC")
    yield 0.4
    yield from walk.hand.press_button("copy_prompt(", 0.93)
    yield 0.3
    text = walk.module("operators.prompt_state").shown(bpy.context.scene).rendered.prompt
    assert bpy.context.window_manager.clipboard == text
    return f"{len(text)} characters for Runway"


def _bring(walk: Any) -> None:
    """The panel itself, which is none of a stage."""
    cls = walk.module("panels.prompt").HOLDFAST_PT_prompt
    if not cls.is_registered:
        bpy.utils.register_class(cls)


ALL = (prompt_contract,)
