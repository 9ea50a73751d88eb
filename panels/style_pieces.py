# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the panel Style for a shot that is longer than the model takes."""

from typing import Any

import bpy

from ..clients.descriptor import Descriptor
from ..operators import style_remote
from .base import sentence


def draw_pieces(layout: Any, context: bpy.types.Context, model: Descriptor) -> None:
    """How many pieces are sent and what they share; nothing where the model takes the shot whole."""
    what = style_remote.forecast(context.scene, model)
    overlap = context.scene.holdfast.style.overlap
    if len(what.counts) == 1 and not what.problem:
        return
    column = layout.column(align=True)
    column.prop(context.scene.holdfast.style, "overlap", text="Overlap" if overlap else "Overlap (as usual)")
    if what.problem:
        sentence(column, context, what.problem, icon="ERROR")
        return
    count, frames = len(what.counts), what.counts[0]
    says = (
        f"The shot is sent in {count} pieces of {frames} frames that share {what.shared}, and joined again."
    )
    sentence(column, context, says, icon="INFO")
