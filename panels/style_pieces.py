# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the panel Style for a shot that is longer than the model takes, and what a person should know of a take."""

from collections.abc import Sequence
from typing import Any

import bpy

from ..operators import style_remote
from .base import sentence

MOST_NOTES = 4


def draw_pieces(layout: Any, context: bpy.types.Context, model: Any) -> None:
    """How many pieces are sent and what they share; nothing where the model takes the shot whole."""
    what = style_remote.forecast(context.scene, model)
    if len(what.counts) == 1 and not what.problem:
        return
    column = layout.column(align=True)
    column.prop(context.scene.holdfast.style, "overlap")
    if what.problem:
        sentence(column, context, what.problem, icon="ERROR")
        return
    count, frames = len(what.counts), what.counts[0]
    says = (
        f"The shot is sent in {count} pieces of {frames} frames that share {what.shared}, and joined again."
    )
    sentence(column, context, says, icon="INFO")


def draw_notes(layout: Any, context: bpy.types.Context, notes: Sequence[str]) -> None:
    """What was odd about the newest take when it came back."""
    for note in notes[:MOST_NOTES]:
        sentence(layout, context, note, icon="INFO")
    if len(notes) > MOST_NOTES:
        layout.label(text=f"{len(notes) - MOST_NOTES} more in take.json")
