# SPDX-License-Identifier: GPL-3.0-or-later
"""The window test of Validate's panel: findings, the person's word, what is drawn over the take, the table of takes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
from overlay_watch import unwatched, watched

from tests.blender import validate_shot

Check = Generator[float, None, str | None]
SIZE = (640, 360)
DRAWN = {"take_draw": ("_draw",)}


def validate_open(walk: Any) -> Check:
    """A shot with two takes: the table and the findings of the one that is clicked."""
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
    yield 0.3
    package = walk.module("operators").__name__.rpartition(".")[0]
    folder = walk.folder / "validate"
    folder.mkdir()
    validate_shot.new_file(folder, package, SIZE)
    only(walk, "_validate")
    yield from walk.hand.show_tab()
    bpy.ops.holdfast.refresh()
    yield 1.0
    walk.hand.picture("50-takes", walk.hand.sidebar)
    yield from walk.hand.press_button('choose_take(take="t001"', 0.16)
    yield 0.8
    assert _cached(walk).take == "t001"
    assert len(bpy.context.window_manager.holdfast.findings) == 5
    walk.hand.picture("51-findings", walk.hand.sidebar)
    return None


def _cached(walk: Any) -> Any:
    return walk.module("operators.state_cache").shown(bpy.context.scene)


def only(walk: Any, stage: str) -> None:
    """Takes the panels of the other stages away: buttons are looked for by moving the mouse over all there is. Brings
    this one back if another check took it."""
    for cls in walk.module("panels").CLASSES:
        if issubclass(cls, bpy.types.Panel):
            ours = cls.__name__.endswith(stage)
            if cls.is_registered and not ours:
                bpy.utils.unregister_class(cls)
            elif ours and not cls.is_registered:
                bpy.utils.register_class(cls)


def validate_jump(walk: Any) -> Check:
    """A click on a finding goes to its frame and selects its part; markers come, and go by one button."""
    scene = bpy.context.scene
    scene.frame_set(1)
    theirs = scene.timeline_markers.new("cut", frame=12)
    yield from walk.hand.press_button("jump_to_finding(index=1)")
    yield 0.4
    assert scene.frame_current == 16, scene.frame_current
    assert [thing.name for thing in bpy.context.selected_objects] == ["lid"]
    yield from walk.hand.press_button("mark_findings()")
    yield 0.5
    names = [marker.name for marker in scene.timeline_markers]
    assert len(names) == 6 and "! peg vanished" in names, names
    walk.hand.picture("52-marked")
    yield from walk.hand.press_button("clear_marks()", 0.93)
    yield 0.3
    assert [marker.name for marker in scene.timeline_markers] == ["cut"], names
    scene.timeline_markers.remove(theirs)
    return None


def validate_filter(walk: Any) -> Check:
    """The list shows only what the filters ask for."""
    view = bpy.context.window_manager.holdfast
    view.only_part = "lid"
    yield 0.6
    walk.hand.picture("53-filtered", walk.hand.sidebar)
    view.only_part = "*"
    view.only_word = "ALL"
    yield 0.3
    return None


def validate_word(walk: Any) -> Check:
    """The word is asked for with a note, stands in the list, and changes the verdict beside the machine's."""
    yield from walk.hand.press_button("jump_to_finding(index=0)")
    yield 0.4
    spot = yield from walk.hand.find_button("say_word(index=0, word='NOT_A_FAULT'", 0.82)
    assert spot is not None
    yield from walk.hand.click(*spot)
    yield 0.6
    for letter in "behind":
        walk.hand.window.event_simulate(letter.upper(), "PRESS", unicode=letter, x=spot[0], y=spot[1])
        yield 0.03
        walk.hand.window.event_simulate(letter.upper(), "RELEASE", x=spot[0], y=spot[1])
        yield 0.03
    yield 0.4
    walk.hand.picture("54-word-asked")
    for _again in range(2):  # the first ends the typing, the second says it
        yield from walk.hand.key("RET", *spot)
        yield 0.5
    yield 0.5
    words = _cached(walk).words["t001"]
    assert [(word.word, word.note) for word in words] == [("not_a_fault", "behind")], words
    walk.hand.picture("55-word-said", walk.hand.sidebar)
    for index in (1, 2, 3):
        bpy.ops.holdfast.say_word(index=index, word="NOT_A_FAULT")
    bpy.ops.holdfast.jump_to_finding(index=4)
    yield 0.8
    assert _cached(walk).table[0].with_word == "review", "what is unsure is left for the person"
    walk.hand.picture("56-unsure", walk.hand.sidebar)
    bpy.ops.holdfast.say_word(index=4, word="NOT_A_FAULT")
    yield 0.8
    row = _cached(walk).table[0]
    assert (row.verdict, row.with_word) == ("fail", "pass"), row
    walk.hand.picture("56-word-verdict", walk.hand.sidebar)
    for index in range(5):
        bpy.ops.holdfast.say_word(index=index, word="TAKE_BACK")
    return None


def validate_fit(walk: Any) -> Check:
    """Outlines and heat lie on the parts of a take that is scaled and shifted."""
    pictures, package = walk.module("pipeline.pictures"), walk.module("operators").__name__.rpartition(".")[0]
    cached, (width, height) = _cached(walk), SIZE
    fit = {"scale": [1.2, 1.1], "offset_px": [-90.0, 60.0], "shake_px": 0.0}
    by = np.array([[1.2, 0, -0.1 * width - 90 * width / 1920], [0, 1.1, -0.05 * height + 60 * width / 1920]])
    for path in Path(f"{cached.root}/takes/t001/frames").glob("*.png"):
        warped = cv2.warpAffine(pictures.read_picture(path), by, SIZE, borderMode=cv2.BORDER_REPLICATE)
        pictures.write_picture(path, warped)
    digests = cached.manifests["truth"].digest, cached.takes["t001"].digest
    validate_shot.report(Path(cached.root), package, "t001", *digests, validate_shot.FINDINGS, fit=fit)
    bpy.ops.holdfast.refresh()
    errors, _spent = watched(walk.module("operators.take_draw"), ("_draw",))
    for what in ("ALL", "HEAT"):
        bpy.ops.holdfast.overlay_take(what=what)
    bpy.ops.holdfast.view_take(take="t001")
    bpy.ops.holdfast.jump_to_finding(index=2)
    yield from _ready(walk)
    walk.hand.picture("65-fit")
    unwatched(walk.module("operators.take_draw"))
    assert not errors, errors[0]
    for what in ("ALL", "HEAT"):
        bpy.ops.holdfast.overlay_take(what=what)
    return None


def validate_plan(walk: Any) -> Check:
    """Repair's plan says which action waits for the person, and its button switches it on."""
    only(walk, "_repair")
    root = _cached(walk).root
    for folder in ("takes", "reports"):  # the take that was repaired already: nothing would be left to plan
        shutil.rmtree(f"{root}/{folder}/t002")
    bpy.ops.holdfast.refresh()
    yield 0.5
    bpy.ops.holdfast.plan_repair()
    yield 0.8
    view = bpy.context.window_manager.holdfast
    walk.hand.picture("62-plan", walk.hand.sidebar)
    actions = _cached(walk).plan[1].data["actions"]
    index = next(place for place, action in enumerate(actions) if action["asked"])
    view.active_action = index
    yield 0.6
    walk.hand.picture("63-plan-waits", walk.hand.sidebar)
    yield from walk.hand.press_button(f"switch_action(index={index}, enabled=True", 0.82)
    yield 0.8
    assert _cached(walk).plan[1].data["actions"][index]["enabled"]
    walk.hand.picture("64-plan-on", walk.hand.sidebar)
    only(walk, "_validate")
    yield 0.5
    return None


def validate_overlay(walk: Any) -> Check:
    """Outlines, heat map and strip are drawn over the take without an error, quickly, and go again."""
    editor = walk.hand.editor_beside(0.6)
    yield 0.5
    draw = walk.module("operators.take_draw")
    errors, spent = watched(draw, ("_draw",))
    bpy.context.scene.frame_set(9)
    yield from walk.hand.press_button("overlay_take(what='FINDING'")
    yield from _ready(walk)
    walk.hand.picture("57-outline")
    bpy.ops.holdfast.overlay_take(what="ALL")
    yield 0.6
    walk.hand.picture("58-outlines")
    for what in ("HEAT", "STRIP"):
        bpy.ops.holdfast.overlay_take(what=what)
    yield from _ready(walk)
    bpy.ops.holdfast.jump_to_finding(index=1)
    yield 0.8
    walk.hand.picture("59-heat-strip")
    spent.clear()
    for frame in range(1, 25):
        bpy.context.scene.frame_set(frame)
        editor.tag_redraw()
        yield 0.03
    slow = sorted(1000 * each for each in spent)
    unwatched(draw)
    assert not errors, errors[0]
    view = bpy.context.window_manager.holdfast
    assert view.outlines == "ALL" and view.heat and view.strip
    for what in ("HEAT", "ALL"):
        bpy.ops.holdfast.overlay_take(what=what)
    assert view.outlines == "NONE" and not view.heat
    return f"a redraw with all three: median {slow[len(slow) // 2]:.1f} ms, most {slow[-1]:.1f} ms"


def _ready(walk: Any) -> Check:
    """Waits until what is drawn is made."""
    overlay, began = walk.module("operators.take_overlay"), time.monotonic()
    yield 0.6
    while overlay.state.worker is not None:
        assert time.monotonic() - began < 30.0, "the outlines take too long"
        yield 0.1
    assert not overlay.state.failure, overlay.state.failure
    yield 0.6
    return None


def validate_strip(walk: Any) -> Check:
    """A click on the strip goes to that frame, and a drag scrubs."""
    strip = walk.module("operators.heat_strip")
    editor = next(area for area in walk.hand.window.screen.areas if area.type == "IMAGE_EDITOR")
    region = next(region for region in editor.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=walk.hand.window, area=editor, region=region):
        found = strip.here(bpy.context)
    assert found is not None
    where = found[2]
    row = next(index for index, part in enumerate(where.rows) if found[1].parts[part] == "lid")
    x = region.x + round(where.start + 17.5 * where.step)
    y = region.y + round(where.y(row) + 6)
    bpy.context.window_manager.holdfast.active_finding = 0
    yield from walk.hand.click(x, y)
    yield 0.4
    assert bpy.context.scene.frame_current == 18, bpy.context.scene.frame_current
    assert bpy.context.window_manager.holdfast.active_finding == 1
    walk.hand.picture("60-strip-clicked")
    bpy.ops.holdfast.overlay_take(what="STRIP")
    yield 0.4
    walk.hand.picture("61-all-off")
    return None


ALL = (
    validate_open,
    validate_jump,
    validate_filter,
    validate_word,
    validate_overlay,
    validate_strip,
    validate_fit,
    validate_plan,
)
