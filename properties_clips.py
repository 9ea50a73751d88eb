# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the control clips: for which model, which kinds, which parts."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from .operators.clip_models import names

KINDS = (
    ("beauty", "Beauty", "The rendered picture itself, at the model's size and rate"),
    ("depth", "Depth", "Distance as grey, with near and far fixed for the whole shot"),
    ("edges", "Edges", "Lines where the geometry ends or folds; not from the picture"),
    ("normals", "Normals", "Directions of the surface as colours"),
    ("matte", "Matte", "Where the parts are, with the polarity that the model wants"),
    ("ids", "Part Colours", "One flat colour per part; only in a form that keeps colours exact"),
    ("first", "First Frame", "The first rendered picture"),
    ("last", "Last Frame", "The last rendered picture"),
    ("keys", "Key Frames", "Chosen rendered pictures"),
)


def _search(settings: bpy.types.PropertyGroup, context: bpy.types.Context, text: str) -> Iterable[str]:
    return names()


class HOLDFAST_PG_clips(bpy.types.PropertyGroup):
    """Settings of the control clips."""

    if TYPE_CHECKING:
        model: str
        kinds: set[str]
        parts: str
        change: bool
        key_frames: str
    else:
        model: StringProperty(
            name="Model",
            description="The model that the clips are for: size, frame count, rate, polarity and codec follow from it",
            default="any/pictures",
            search=_search,
            search_options={"SORT"},
        )
        kinds: EnumProperty(
            name="Kinds",
            description="Which clips to make; none chosen means all that the model takes as they are",
            items=[(*item, "NONE", 1 << number) for number, item in enumerate(KINDS)],
            options={"ENUM_FLAG"},
        )
        parts: StringProperty(
            name="Parts",
            description="Parts of the matte, with commas; a semicolon begins another matte, * makes one for each part, empty is all parts in one",
        )
        change: BoolProperty(
            name="Change the Parts",
            description="The model changes these parts and keeps the rest; off, it keeps them and changes the rest",
            default=True,
        )
        key_frames: StringProperty(
            name="Key Frames",
            description="Frames to send as key frames, as 1,24,48; empty is three of the shot",
        )


CLASSES = (HOLDFAST_PG_clips,)
