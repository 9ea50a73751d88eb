# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Ideate: who draws, what is asked for, how many, what is locked."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty, StringProperty

OFFLINE = "offline"


def _providers(settings: Any, context: bpy.types.Context, text: str) -> list[str]:
    """The offline looks, and every remote model that makes pictures."""
    from .operators.ideate_models import names  # the operators are not there yet while this is registered

    return [name for name in names() if text.casefold() in name.casefold()]


def _film_providers(settings: Any, context: bpy.types.Context, text: str) -> list[str]:
    """The offline push-in, and every remote model that makes a film of a picture."""
    from .operators.ideate_models import film_names

    return [name for name in film_names() if text.casefold() in name.casefold()]


def _values(option: str) -> Callable[[Any, bpy.types.Context, str], list[str]]:
    def search(settings: Any, context: bpy.types.Context, text: str) -> list[str]:
        from .operators.ideate_choice import values_of

        return [name for name in values_of(settings.provider, option) if text.casefold() in name.casefold()]

    return search


class HOLDFAST_PG_ideate(bpy.types.PropertyGroup):
    """Settings of Ideate."""

    if TYPE_CHECKING:
        variants: int
        seed: int
        locked: str
        provider: str
        brief: str
        count: int
        ratio: str
        resolution: str
        send_sketches: bool
        idea: str
        film_provider: str
        film_words: str
        film_seconds: float
        sheet_facts: bool
        product: str
    else:
        variants: IntProperty(
            name="Variants", description="How many looks to draw of each sketch", default=4, min=1, max=16
        )
        seed: IntProperty(
            name="Seed",
            description="Another number gives other variants; the same number gives the same ones",
            default=1,
            min=0,
        )
        locked: StringProperty(
            name="Locked Variant", description="The variant that the assets follow; empty means the first one"
        )
        provider: StringProperty(
            name="Provider",
            description="Who draws the variants: looks rendered on this computer, or a remote image model by its id",
            default=OFFLINE,
            search=_providers,
        )
        brief: StringProperty(
            name="Brief",
            description="What the product is and how it should look; it is sent with the sketches",
        )
        count: IntProperty(
            name="Variants", description="How many pictures to ask for at a time", default=4, min=1, max=32
        )
        ratio: StringProperty(
            name="Ratio",
            description="Width to height of the pictures; empty leaves it to the model",
            search=_values("ratio"),
        )
        resolution: StringProperty(
            name="Resolution",
            description="Size of the pictures; empty leaves it to the model",
            search=_values("resolution"),
        )
        send_sketches: BoolProperty(
            name="Send Sketches",
            description="Send the sketches with the brief, made smaller and without what the camera wrote into them",
            default=True,
        )
        idea: StringProperty(
            name="Locked Idea", description="The remote variant that the assets follow; empty means none"
        )
        film_provider: StringProperty(
            name="Film By",
            description="Who moves the locked picture: a push-in made on this computer, or a remote video model",
            default=OFFLINE,
            search=_film_providers,
        )
        film_words: StringProperty(
            name="Movement", description="What moves and how the camera goes; for a remote video model"
        )
        film_seconds: FloatProperty(
            name="Length (s)",
            description="Length of the moving board, in seconds",
            default=4.0,
            min=1.0,
            max=15.0,
            precision=1,
        )
        product: StringProperty(
            name="Product",
            description="Name of the reference sheet; shots of this project that name the same product share it",
            default="product",
            maxlen=60,
        )
        sheet_facts: BoolProperty(
            name="Prompt, Seed and Cost",
            description="Write beside each picture of the contact sheet what it was asked with and what it cost",
        )


CLASSES = (HOLDFAST_PG_ideate,)
