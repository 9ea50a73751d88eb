# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Validate: what the look is allowed to change. The default is strict."""

import re
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatVectorProperty,
    IntProperty,
    StringProperty,
)

from . import compat
from .pipeline.intent import FREE, STAYS
from .pipeline.retune import MOST_PX

BACKGROUNDS = (
    ("FREE", "Free", "The background may be anything, and may move and change"),
    ("STAYS", "Stays", "The background is one place and stays as it is, whatever it shows"),
)
_COLOUR = re.compile(r"#?([0-9a-fA-F]{6})")
_SEPARATORS = re.compile(r"[\s,;]+")


def hex_of(colour: Any) -> str:
    """ "#rrggbb" of display-referred sRGB 0..1."""
    return "#" + "".join(f"{round(min(max(channel, 0.0), 1.0) * 255):02x}" for channel in colour)


class HOLDFAST_PG_colour(bpy.types.PropertyGroup):
    """A colour of the palette, display-referred."""

    if TYPE_CHECKING:
        colour: Any
    else:
        colour: FloatVectorProperty(
            name="Colour", description="A colour that the look may use", subtype="COLOR_GAMMA", size=3,
            min=0.0, max=1.0, default=(0.8, 0.8, 0.8),
        )  # fmt: skip


def _palette_text(settings: Any) -> str:
    return " ".join(hex_of(each.colour) for each in settings.palette)


def _set_palette_text(settings: Any, text: str) -> None:
    words = [word for word in _SEPARATORS.split(text) if word]
    found = [match[1] for word in words if (match := _COLOUR.fullmatch(word))]
    settings.palette_wrong = " ".join(word for word in words if not _COLOUR.fullmatch(word))
    settings.palette.clear()
    for digits in dict.fromkeys(digits.lower() for digits in found):
        settings.palette.add().colour = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]


TRACKERS = (
    ("NONE", "None", "No masks are compared"),
    ("FILE", "File", "Masks that a tracker made elsewhere: a folder of PNGs, or a film"),
    (
        "MODEL",
        "Model",
        "A tracking model of a service follows each part through the take; the price is on the button",
    ),
)


def _trackers(settings: Any, context: bpy.types.Context, text: str) -> list[str]:
    """Every model that masks can be asked of."""
    from .operators.masks_remote import names  # not there yet while this is registered

    return [name for name in names() if text.casefold() in name.casefold()]


class HOLDFAST_PG_validate(bpy.types.PropertyGroup):
    """Settings of Validate."""

    if TYPE_CHECKING:
        recolour: bool
        relight: bool
        outline_px: int
        background: str
        palette: bpy.types.bpy_prop_collection[HOLDFAST_PG_colour]
        palette_text: str
        palette_wrong: str
        readable: str
        coarse_first: bool
        track: str
        track_file: str
        track_model: str
    else:
        track: EnumProperty(
            name="Track Parts With",
            description="Compare a tracker's masks of the take with the render, beside the report",
            items=TRACKERS,
            default="NONE",
        )
        track_file: StringProperty(
            name="Masks",
            description="Folder of PNGs, or a film, with the masks of the take",
            subtype="FILE_PATH",
            options=compat.relative_path(),
        )
        track_model: StringProperty(
            name="Model", description="The tracking model, by its id", search=_trackers,
            default="rehearsal_remote/flow-tracker-1",
        )  # fmt: skip
        recolour: BoolProperty(
            name="Parts May Change Colour",
            description="The look may change the colours of parts over the shot, as in a dream or a colour cycle. "
            "Off: each part keeps the colour that the look gave it",
        )
        relight: BoolProperty(
            name="Light May Change",
            description="The light on the parts may change over the shot; of their colour only hue and chroma count",
        )
        outline_px: IntProperty(
            name="Outlines May Grow",
            description="By how much drawn outlines may lie off the rendered ones, in pixels of a picture 1920 wide: for "
            "fur, felt, loose ink",
            min=0,
            max=MOST_PX,
            subtype="PIXEL",
        )
        background: EnumProperty(
            name="Background", description="What the background may do", items=BACKGROUNDS
        )
        palette: CollectionProperty(
            type=HOLDFAST_PG_colour, name="Palette", description="The colours that may show; none means any"
        )
        palette_text: StringProperty(
            name="Palette",
            description="The colours that may show, as #rrggbb with spaces between; empty means any",
            get=_palette_text,
            set=_set_palette_text,
        )
        palette_wrong: StringProperty(
            name="Not Understood",
            description="What was typed as a palette and is no colour",
            options={"SKIP_SAVE"},
        )
        readable: StringProperty(
            name="Must Be Readable",
            description="Names of the parts whose logo or lettering must stay readable, with commas between",
        )
        coarse_first: BoolProperty(
            name="First Look",
            description="Look quickly at a small picture first and say what that shows, then look closely",
            default=True,
        )


def names_in(text: str) -> list[str]:
    """The names of a list with commas, each once."""
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def intent_of(settings: Any) -> dict[str, Any]:
    """The intent (see pipeline.intent) that ``Scene.holdfast.validate`` says, as plain data."""
    return {
        "recolour": bool(settings.recolour),
        "relight": bool(settings.relight),
        "outline_px": float(settings.outline_px),
        "background": STAYS if settings.background == "STAYS" else FREE,
        "palette": list(dict.fromkeys(hex_of(each.colour) for each in settings.palette)),
        "readable": names_in(settings.readable),
    }


CLASSES = (HOLDFAST_PG_colour, HOLDFAST_PG_validate)
