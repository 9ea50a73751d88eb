# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Style."""

from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import CollectionProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from .operators import style_options

LOOKS = (
    ("INK_WASH", "Ink and wash", "Ink lines over a watered wash on paper"),
    ("CLAY", "Clay", "Soft clay shading with a thin contour"),
    ("CEL", "Flat cel", "Few flat tones with a bold contour"),
    ("PENCIL", "Pencil", "Graphite hatching on rough paper"),
)


def _style_providers(settings: Any, context: bpy.types.Context, text: str) -> list[str]:
    """The rehearsal, and every remote model that restyles films."""
    from .operators.style_remote import (
        names,
    )  # the operators' modules are not there yet while this is registered

    return [name for name in names() if text.casefold() in name.casefold()]


def _fit(style: Any, _context: object) -> None:
    """Another model was chosen: its options, with the values that fit it."""
    from .operators.style_choice import known

    style_options.fit(style, known(style.provider))


class HOLDFAST_PG_style(bpy.types.PropertyGroup):
    """Settings of Style."""

    if TYPE_CHECKING:
        provider: str
        look: str
        prompt: str
        seed: int
        grain: float
        ink: float
        defects: str
        overlap: int
        options: bpy.types.bpy_prop_collection[style_options.HOLDFAST_PG_option]
    else:
        provider: StringProperty(
            name="Provider",
            description="Who restyles the frames: the offline rehearsal, or a remote model by its id",
            default="rehearsal",
            search=_style_providers,
            update=_fit,
        )
        look: EnumProperty(name="Look", description="The look of the restyled frames", items=LOOKS)
        prompt: StringProperty(name="Prompt", description="What the look is and what must not change")
        seed: IntProperty(
            name="Seed",
            description="Another number gives another grain and line; the same number the same take",
            default=1,
            min=0,
        )
        grain: FloatProperty(
            name="Grain",
            description="Strength of paper and grain",
            default=0.35,
            min=0.0,
            max=1.0,
            subtype="FACTOR",
        )
        ink: FloatProperty(
            name="Ink",
            description="Strength of the drawn lines",
            default=0.7,
            min=0.0,
            max=1.0,
            subtype="FACTOR",
        )
        defects: StringProperty(
            name="Planted Defects",
            description="JSON list of faults to plant in the take, to rehearse a bad day; empty plants none",
        )
        overlap: IntProperty(
            name="Overlap",
            description="Frames that two pieces share at least, where a shot is longer than the model takes; "
            "0 is a third of a second, less if the model is short",
            default=0,
            min=0,
            max=1000,
        )
        options: CollectionProperty(
            type=style_options.HOLDFAST_PG_option,
            name="Options",
            description="What was chosen of the options of remote models",
        )


CLASSES = (style_options.HOLDFAST_PG_option, HOLDFAST_PG_style)
