# SPDX-License-Identifier: GPL-3.0-or-later
"""The grid of ideas: pictures as they come, what was thought of them, and what can be made of the one that is picked."""

from typing import Any

import bpy

from ..operators import ideate_watch
from ..operators.ideate_actions import (
    HOLDFAST_OT_branch_idea,
    HOLDFAST_OT_lock_idea,
    HOLDFAST_OT_mark_idea,
    HOLDFAST_OT_pick_idea,
    HOLDFAST_OT_resend_ideas,
    HOLDFAST_OT_turn_idea_page,
    HOLDFAST_OT_view_ideas,
)
from ..operators.ideate_choice import came, idea_ask_options, known, price_text, room_for_ideas
from ..pipeline.money import words
from .base import explain, fact, sentence

TILE_PX = 118
"""Least width of a tile at a UI scale of 1."""
NEAR_SAYS = (
    "dE is the mean CIEDE2000 between the two palettes, each colour against the nearest of the other: below 5 a person calls "
    "the colours the same, above 10 other ones. The outline is the share that both shapes have in common at one size, with the "
    "view that fits best: 90 % and more is the same outline, below 75 % another. Light and angle count too."
)


def draw_board(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The whole board; nothing before the first idea was asked for."""
    seen, view = ideate_watch.seen, context.window_manager.holdfast_ideas
    if seen.problem:
        sentence(layout.box(), context, seen.problem, icon="ERROR")
    if not seen.board.rounds:
        return
    names = seen.board.shown(view.which)
    waiting = len(seen.board.waiting())
    head = layout.row(align=True)
    head.label(text=f"Ideas: {len(seen.board.ideas)}" + (f", {waiting} to come" if waiting else ""))
    head.prop(view, "which", text="")
    if seen.unsent:
        row = layout.row(align=True)
        row.label(text=f"{seen.unsent} failed", icon="ERROR")
        row.operator(HOLDFAST_OT_resend_ideas.bl_idname, icon="FILE_REFRESH")
    if not names:
        empty = {"STARRED": "No idea has a star.", "HIDDEN": "None is discarded."}
        layout.label(text=empty.get(view.which, "All are discarded."))
    _draw_tiles(layout, context, view)
    if len(names) > ideate_watch.PAGE:
        _draw_pages(layout, view, len(names))
    if view.active in seen.board.ideas:
        _draw_idea(layout.box(), context, view, seen.board.ideas[view.active])


def _draw_tiles(layout: bpy.types.UILayout, context: bpy.types.Context, view: Any) -> None:
    scale = context.preferences.system.ui_scale
    room = max(120.0, context.region.width - 40 * scale)
    columns = max(2, min(6, int(room / (TILE_PX * scale))))
    grid = layout.grid_flow(row_major=True, columns=columns, even_columns=True, even_rows=True)
    size = max(3.0, room / columns / (20 * scale) - 1.0)
    for name in ideate_watch.page_names():
        _draw_tile(grid.column(align=True), context, view, name, size)


def _draw_tile(
    column: bpy.types.UILayout, context: bpy.types.Context, view: Any, name: str, size: float
) -> None:
    board = ideate_watch.seen.board
    box = column.box()
    icon = ideate_watch.icon(name)
    if icon:
        box.template_icon(icon_value=icon, scale=size)
    else:
        _draw_placeholder(box, name, size, there=name in board.ideas)
    row = column.row(align=True)
    locked = context.scene.holdfast.ideate.idea == name
    text = f"{name} (2)" if name == view.other else name
    picked = row.operator(
        HOLDFAST_OT_pick_idea.bl_idname, text=text, icon="LOCKED" if locked else "NONE", depress=name in (view.active, view.other)
    )  # fmt: skip
    picked.idea = name
    if name in board.ideas:
        starred, hidden = name in board.starred, name in board.hidden
        _mark(row, name, "starred", "SOLO_ON" if starred else "SOLO_OFF", starred)
        _mark(row, name, "hidden", "LOOP_BACK" if hidden else "X", False)


def _mark(row: bpy.types.UILayout, name: str, which: str, icon: Any, on: bool) -> None:
    button = row.operator(HOLDFAST_OT_mark_idea.bl_idname, text="", icon=icon, depress=on)
    button.idea, button.which = name, which


def _draw_placeholder(box: bpy.types.UILayout, name: str, size: float, there: bool) -> None:
    """As high as a picture is, so that nothing jumps when it comes."""
    column = box.column()
    word, says = ("loading", "") if there else ideate_watch.words(name)
    column.separator(factor=max(0.0, size - 1.0) * 1.45)
    middle = column.row()
    middle.alignment = "CENTER"
    middle.active = word != "not sent"
    middle.alert = word in ("failed", "asks you")
    middle.label(text=word)
    if says:
        explain(middle, "What became of it", says, icon="INFO")
    column.separator(factor=max(0.0, size - 1.0) * 1.45)


def _draw_pages(layout: bpy.types.UILayout, view: Any, count: int) -> None:
    first = min(view.page, (count - 1) // ideate_watch.PAGE) * ideate_watch.PAGE
    row = layout.row(align=True)
    back = row.row(align=True)
    back.enabled = first > 0
    back.operator(HOLDFAST_OT_turn_idea_page.bl_idname, text="", icon="TRIA_LEFT").by = -1
    middle = row.row()
    middle.alignment = "CENTER"
    middle.label(text=f"{first + 1} to {min(count, first + ideate_watch.PAGE)} of {count}")
    on = row.row(align=True)
    on.enabled = first + ideate_watch.PAGE < count
    on.operator(HOLDFAST_OT_turn_idea_page.bl_idname, text="", icon="TRIA_RIGHT").by = 1


def _draw_idea(box: bpy.types.UILayout, context: bpy.types.Context, view: Any, idea: Any) -> None:
    ideate = context.scene.holdfast.ideate
    head = box.row(align=True)
    head.label(text=f"Idea {idea.name}", icon="IMAGE_DATA")
    locked = ideate.idea == idea.name
    lock = head.operator(
        HOLDFAST_OT_lock_idea.bl_idname, text="Locked" if locked else "Lock", icon="LOCKED" if locked else "UNLOCKED",
        depress=locked,
    )  # fmt: skip
    lock.idea = idea.name
    facts = box.column(align=True)
    if idea.parents:
        fact(facts, "Came", came(idea))
    fact(facts, "Model", idea.model)
    if idea.seed is not None:
        fact(facts, "Seed", str(idea.seed))
    fact(
        facts,
        "Cost",
        words(idea.cost, idea.currency) if idea.cost_told else f"~{words(idea.cost, idea.currency)}",
    )
    fact(facts, "Size", f"{idea.size[0]} x {idea.size[1]}")
    sentence(box, context, idea.prompt)
    near = ideate_watch.seen.match.get(idea.name)
    if near:
        row = box.row()
        row.label(text="Against the reference sheet:", icon="CON_SIZELIKE")
        explain(row, "What the numbers mean", NEAR_SAYS, icon="QUESTION")
        sentence(box, context, near["says"])
    look = box.row(align=True)
    look.operator(HOLDFAST_OT_view_ideas.bl_idname, text="Large", icon="FULLSCREEN_ENTER").both = False
    two = look.row(align=True)
    two.enabled = view.other in ideate_watch.seen.board.ideas
    two.operator(HOLDFAST_OT_view_ideas.bl_idname, text="Compare", icon="ARROW_LEFTRIGHT").both = True
    look.prop(view, "other", text="", placeholder="with")
    model = known(ideate.provider)
    if model is None:
        sentence(box, context, "Choose an image model as the provider to branch from this idea.", icon="INFO")
        return
    _draw_branches(box, context, view, model)


def _draw_branches(box: bpy.types.UILayout, context: bpy.types.Context, view: Any, model: Any) -> None:
    most = room_for_ideas(model)
    if most == 0:
        sentence(
            box,
            context,
            f"{model.label} takes no pictures, so ideas can't be branched with it.",
            icon="INFO",
        )
        return
    box.separator(factor=0.3)
    row = box.row(align=True)
    row.prop(view, "count", text="How Many")
    row.label(text=price_text(model, view.count, idea_ask_options(context, model)).strip())
    column = box.column(align=True)
    _branch(column, "more", "More Like This", "ADD")
    column.separator(factor=0.5)
    column.prop(view, "words", text="", placeholder="what to change, or what to mix")
    buttons = column.row(align=True)
    _branch(buttons, "edit", "Edit", "GREASEPENCIL")
    mix = buttons.row(align=True)
    mix.enabled = most >= 2 and view.other in ideate_watch.seen.board.ideas
    _branch(mix, "mix", f"Mix with {view.other}" if mix.enabled else "Mix", "AUTOMERGE_ON")
    if most < 2:
        sentence(box, context, f"{model.label} takes one picture, so it can't mix two.", icon="INFO")


def _branch(row: bpy.types.UILayout, how: str, text: str, icon: Any) -> None:
    row.operator(HOLDFAST_OT_branch_idea.bl_idname, text=text, icon=icon).how = how
