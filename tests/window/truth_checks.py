# SPDX-License-Identifier: GPL-3.0-or-later
"""The window test of Ground Truth's panel: parts, their colours, their check, a render, every pass, the flick."""

from __future__ import annotations

import statistics
import time
from typing import Any

import bpy
from overlay_watch import unwatched, watched
from truth_table import NAMES, Check, select, settle, table

REDRAWS = 12


def truth_parts(walk: Any) -> Check:
    """Five things are marked by a click, and stand in the list with their colours."""
    yield from table(walk)
    select(*NAMES)
    yield from walk.hand.press_button("holdfast.mark_parts(source='SELECTION'")
    yield from settle(walk)
    rows = walk.module("operators.part_rows").rows(bpy.context.scene)
    assert sorted(row.name for row in rows) == sorted(NAMES), rows
    assert len({row.id for row in rows}) == 5 and all(row.id for row in rows), rows
    bpy.ops.object.select_all(action="DESELECT")
    yield 0.6
    walk.hand.picture("40-truth-parts", walk.hand.sidebar)
    return None


def truth_colours(walk: Any) -> Check:
    """The parts are tinted in the viewport, quickly, and a hidden one is not."""
    overlay, view = walk.module("operators.part_overlay"), bpy.context.window_manager.holdfast
    errors, spent = tint_watched(overlay)
    view.part_colours = True
    yield 0.8
    for _again in range(REDRAWS):
        walk.hand.area.tag_redraw()
        yield 0.02
    tinted = walk.hand.picture("41-truth-colours")
    bpy.data.objects["body"].hide_set(True)
    yield 0.6
    walk.hand.picture("41-truth-colours-hidden")
    bpy.data.objects["body"].hide_set(False)
    yield 0.4
    tint_unwatched(overlay)
    assert not errors, errors[0]
    assert tinted.exists() and spent
    return f"a redraw of five parts: median {1000 * statistics.median(spent):.2f} ms, first {1000 * spent[0]:.2f} ms"


def tint_watched(overlay: Any) -> tuple[list[BaseException], list[float]]:
    """Errors and seconds of the tint, until ``tint_unwatched``."""
    noted = watched(overlay, ("_draw_tints", "_draw_names"))
    bpy.ops.holdfast.refresh()  # it has lost its rows
    return noted


def tint_unwatched(overlay: Any) -> None:
    unwatched(overlay)
    bpy.ops.holdfast.refresh()


def truth_check(walk: Any) -> Check:
    """The check says which part is hidden and which is too small, and its button goes to the frame."""
    preflight, scene = walk.module("operators.preflight"), bpy.context.scene
    spot = yield from walk.hand.find_button("holdfast.check_parts")
    assert spot is not None
    began = time.monotonic()
    with walk.hand.watch() as gaps:
        yield from walk.hand.click(*spot)
        while preflight.shown(scene) is None or preflight.progress(scene) is not None:
            assert time.monotonic() - began < 60.0, "the check does not end"
            yield 0.05
    seconds = time.monotonic() - began
    yield 0.6
    found = preflight.shown(scene)
    said = [finding.says for finding in found.findings]
    assert any(each.startswith("foot is never seen") for each in said), said
    assert any(each.startswith("knob has only") for each in said), said
    assert not found.stale
    bpy.context.window_manager.holdfast.part_colours = True
    yield 0.8
    walk.hand.picture("42-truth-check", walk.hand.sidebar)
    walk.hand.picture("42-truth-check-window")
    bpy.context.window_manager.holdfast.part_colours = False
    scene.frame_set(2)
    yield from walk.hand.press_button("holdfast.show_finding", 0.82)
    selected = [thing.name for thing in bpy.context.selected_objects]
    assert any((each.frame, [each.part]) == (scene.frame_current, selected) for each in found.findings), (
        selected
    )
    own = sorted(1000 * own for _wall, own in gaps)
    return f"{len(said)} findings in {seconds:.1f} s; main thread's longest hold-up {own[-1]:.0f} ms; {'; '.join(said)}"


def truth_render(walk: Any) -> Check:
    """One frame is tried, then the shot is rendered, by clicks; the estimate says what it rests on."""
    yield from walk.hand.press_button("holdfast.time_frame")
    yield from walk.wait()
    yield from settle(walk)
    shown = walk.module("operators.state_cache").shown(bpy.context.scene)
    assert shown.estimate.seconds is not None, shown.estimate
    first = f"{shown.estimate.time_words()}, {shown.estimate.disk_words()}; {shown.estimate.basis()}"
    walk.hand.picture("43-truth-estimate", walk.hand.sidebar)
    spot = yield from walk.hand.find_button('holdfast.run_stage(stage="truth"')
    assert spot is not None
    yield from walk.hand.click(*spot)
    yield 2.5
    walk.hand.picture("43-truth-rendering")
    yield from walk.wait()
    status = walk.status("truth")
    assert status[0] == "fresh", status
    return f"{first} In the end: {walk.module('operators.state_cache').shown(bpy.context.scene).estimate.basis()}"


def truth_views(walk: Any) -> Check:
    """Every pass is shown, in an Image Editor beside the viewport; the flick goes to the beauty and back."""
    viewer, view = walk.module("operators.viewer"), bpy.context.window_manager.holdfast
    editor = walk.hand.editor_beside(0.5)
    yield 0.5
    manifest = walk.module("operators.state_cache").shown(bpy.context.scene).manifests["truth"]
    bpy.context.scene.frame_set(2)
    waits = []
    for kind in viewer.offered(manifest):
        view.active_part = 4 if kind == "whole" else 0  # the foot, which the body hides
        view.channel = kind
        began = time.monotonic()
        if not viewer.is_viewer(editor.spaces.active):
            yield from walk.hand.press_button("holdfast.view_pass", 0.93)
        while viewer.state.shown is None or viewer.state.shown.name != kind:
            assert time.monotonic() - began < 30.0, (kind, viewer.state)
            yield 0.05
        waits.append(time.monotonic() - began)
        while viewer.progress() is not None:
            yield 0.05
        yield 0.5
        walk.hand.picture(f"44-view-{kind}")
        assert not viewer.state.failure, viewer.state.failure
    view.channel = "depth"
    yield 0.8
    yield from walk.hand.press_button("holdfast.flick")
    assert viewer.showing() == viewer.BEAUTY, viewer.showing()
    bpy.ops.holdfast.flick()
    assert viewer.showing().name == "depth", viewer.showing()
    yield from walk.hand.key("F", editor.x + editor.width // 2, editor.y + editor.height // 2)
    yield 0.4
    assert viewer.showing() == viewer.BEAUTY, viewer.showing()
    return (
        f"{len(waits)} passes, each there after {statistics.median(waits):.2f} s (longest {max(waits):.2f} s)"
    )


def truth_pixels(walk: Any) -> Check:
    """The values under the mouse are read in the Image Editor, whose sidebar has the chooser too."""
    viewer = walk.module("operators.viewer")
    editor = next(area for area in walk.hand.window.screen.areas if area.type == "IMAGE_EDITOR")
    region = next(region for region in editor.regions if region.type == "WINDOW")
    editor.spaces.active.show_region_ui = True
    bpy.context.window_manager.holdfast.channel = "depth"
    yield 2.0
    side = next(region for region in editor.regions if region.type == "UI")
    side.active_panel_category = "Holdfast"
    with bpy.context.temp_override(window=walk.hand.window, area=editor, region=region):
        bpy.ops.holdfast.read_pixel("INVOKE_DEFAULT")
    said = []
    for share in range(20):
        x, y = region.view2d.view_to_region(0.2 + 0.02 * share, 0.5, clip=False)
        yield from walk.hand.move(region.x + x, region.y + y)
        yield 0.2
        said.append(viewer.state.reading)
    walk.hand.picture("45-pixels")
    assert any("body (1)" in each and " m  " in each and "moves" in each for each in said), said
    yield from walk.hand.key("ESC", region.x + x, region.y + y)
    yield 0.3
    assert not viewer.state.reading
    return next(each for each in reversed(said) if "body (1)" in each)


def truth_many(walk: Any) -> Check:
    """Five hundred parts, one of them of half a million triangles, are tinted quickly, each in its own colour."""
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
    yield 0.3
    scene = bpy.context.scene
    bpy.ops.mesh.primitive_uv_sphere_add(segments=16, ring_count=8, radius=0.3)
    first = bpy.context.object
    bpy.ops.mesh.primitive_grid_add(
        x_subdivisions=500, y_subdivisions=500, size=3.0, location=(0.0, 0.0, -5.0)
    )
    things = [first, bpy.context.object]
    for number in range(498):
        thing = first.copy()
        thing.location = (0.8 * (number % 25 - 12), 0.0, 0.8 * (number // 25 - 9))
        scene.collection.objects.link(thing)
        things.append(thing)
    walk.module("operators.marking").mark_objects(scene, things)
    overlay = walk.module("operators.part_overlay")
    bpy.context.window_manager.holdfast.part_colours = True
    space = walk.hand.area.spaces[0]
    space.region_3d.view_perspective, space.region_3d.view_distance = "PERSP", 26.0
    space.region_3d.view_rotation = (0.7071, 0.7071, 0.0, 0.0)
    yield from settle(walk)
    errors, spent = tint_watched(overlay)
    yield 2.0
    spent.clear()
    for _again in range(8):
        walk.hand.area.tag_redraw()
        yield 0.05
    yield 1.0
    tint_unwatched(overlay)
    walk.hand.picture("46-many")
    assert not errors, errors[0]
    whole = [tints + names for tints, names in zip(spent[::2], spent[1::2], strict=False)]
    bpy.context.window_manager.holdfast.part_colours = False
    return f"500 parts: median {1000 * statistics.median(whole):.1f} ms a redraw, most {1000 * max(whole):.1f} ms"


ALL = (truth_parts, truth_colours, truth_check, truth_render, truth_views, truth_pixels, truth_many)
