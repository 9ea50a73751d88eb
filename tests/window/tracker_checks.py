# SPDX-License-Identifier: GPL-3.0-or-later
"""The window test of remote models in Validate and Repair: parts tracked by a click, the price of drawing again."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from typing import Any

import bpy
from validate_checks import SIZE, only

from tests.blender import validate_shot

Check = Generator[float, None, str | None]
MODEL = "rehearsal_remote/flat-drawing-1"
SERVICE = """
[[service]]
id = "rehearsal_remote"
label = "Rehearsal, as if remote"
base = "http://127.0.0.1"
settings = { seconds = 0.2 }
[[model]]
provider = "rehearsal_remote"
model = "flat-drawing-1"
mode = "video_restyle"
label = "Rehearsal, with a price"
adapter = "offline.remote:RemoteRehearsal"
network = true
inputs.source_video = { kinds = ["path"] }
seed = { strength = "exact", range = [0, 4294967295] }
price = { per_second_micros = 240000, as_of = "2026-11-22" }
[model.controls]
count = { step = 4, offset = 1 }
kinds = { beauty = { field = "source_video" } }
evidence = { count = "ours", kinds = "ours" }
"""


def trackers_run(walk: Any) -> Check:
    """A model is chosen, its price stands on the button, a click tracks the parts; J and F stand below."""
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
    yield 0.3
    package = walk.module("operators").__name__.rpartition(".")[0]
    folder = walk.folder / "trackers"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    validate_shot.new_file(folder, package, SIZE)
    own = folder / "shot.holdfast" / "catalogue"
    own.mkdir(parents=True)
    (own / "rehearsal.toml").write_text(SERVICE)
    panel = walk.module("panels.trackers")
    panel.ID, panel.CLOSED = "holdfast_trackers_of_the_test", False
    only(walk, "_validate")
    yield from walk.hand.show_tab()
    yield from _read(walk)
    yield from walk.hand.press_button('choose_take(take="t002"', 0.16)
    bpy.context.scene.holdfast.validate.track = "MODEL"
    yield from _read(walk)
    walk.hand.picture("90-trackers", walk.hand.sidebar)
    yield from walk.hand.press_button("track_parts()")
    yield from walk.wait()
    yield from _read(walk)
    walk.hand.picture("91-tracked", walk.hand.sidebar)
    made = walk.module("operators.state_cache").shown(bpy.context.scene).masks
    assert list(made) == ["t002"], walk.status("masks")
    return str(made["t002"].data["summary"])


def repair_price(walk: Any) -> Check:
    """What drawing a span again costs stands in the plan and on the button."""
    shot = walk.module("operators.locate").shot_of(bpy.context.scene)
    manifest = walk.module("pipeline.manifest").Manifest
    shutil.rmtree(shot.takes / "t002")
    take = manifest.load(shot.takes / "t001/take.json", "holdfast/take")
    drawn = {**take.data, "provider": "rehearsal_remote", "model": "flat-drawing-1"}
    made = manifest("holdfast/take", {}, take.inputs, drawn)
    made.save(shot.takes / "t001/take.json")
    package = walk.module("operators").__name__.rpartition(".")[0]
    validate_shot.report(
        shot.root, package, "t001", take.inputs["truth"], made.digest, validate_shot.FINDINGS[:2]
    )
    only(walk, "_repair")
    yield from walk.hand.show_tab()
    yield from _read(walk)
    yield from walk.hand.press_button("plan_repair()")
    yield from _read(walk)
    bpy.context.window_manager.holdfast.active_action = 1
    yield 0.5
    walk.hand.picture("92-repair-price", walk.hand.sidebar)
    panel = walk.module("panels.repair").HOLDFAST_PT_repair
    words = str(panel.words_of_button(panel, bpy.context)[0])
    assert words == "Run Plan (over the budget)", words
    bpy.context.scene.holdfast.repair.budget = 1.0
    yield from _read(walk)
    walk.hand.picture("92-repair-price-2", walk.hand.sidebar)
    words = str(panel.words_of_button(panel, bpy.context)[0])
    assert words.startswith("Run Plan for $"), words
    bpy.ops.holdfast.edit_action("INVOKE_DEFAULT")
    yield 0.6
    walk.hand.picture("93-edit-action")
    yield from walk.hand.key("ESC")
    return words


def _read(walk: Any) -> Check:
    """All that panels draw is read again."""
    bpy.ops.holdfast.refresh()
    walk.module("operators.job_cache").refresh_now(bpy.context.scene)
    walk.hand.sidebar.tag_redraw()
    yield 0.8
    return None


ALL = (trackers_run, repair_price)
