# SPDX-License-Identifier: GPL-3.0-or-later
"""What the grid of ideas is pointed at: on the window manager, so that no .blend carries it."""

from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from . import ideate_watch

WHICH = (
    ("ALL", "All", "All but the discarded"),
    ("STARRED", "Starred", "Only those with a star"),
    ("HIDDEN", "Discarded", "Those that were discarded; they are kept on the disk"),
)


def _turned(view: Any, _context: bpy.types.Context) -> None:
    ideate_watch.turn()


def _chosen(view: Any, _context: bpy.types.Context) -> None:
    view["page"] = 0
    ideate_watch.turn()


def _ideas(view: Any, _context: bpy.types.Context, text: str) -> list[str]:
    return [name for name in ideate_watch.seen.board.ideas if text in name and name != view.active]


class HOLDFAST_PG_ideas_view(bpy.types.PropertyGroup):
    """What is shown of the board: `WindowManager.holdfast_ideas`."""

    if TYPE_CHECKING:
        page: int
        which: str
        active: str
        other: str
        words: str
        count: int
    else:
        page: IntProperty(name="Page", description="The page of the grid", min=0, update=_turned)
        which: EnumProperty(name="Show", description="Which ideas are shown", items=WHICH, update=_chosen)
        active: StringProperty(name="Idea", description="The idea that is worked on")
        other: StringProperty(
            name="Second Idea",
            description="The idea to compare or mix with; Shift-click on a picture's name picks it too",
            search=_ideas,
        )
        words: StringProperty(
            name="Instruction", description="What to change, for an edit; what to take from each, for a mix"
        )
        count: IntProperty(
            name="How Many", description="How many pictures to ask for", default=2, min=1, max=32
        )


CLASSES = (HOLDFAST_PG_ideas_view,)
