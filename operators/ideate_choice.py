# SPDX-License-Identifier: GPL-3.0-or-later
"""The chosen remote model of Ideate, for a panel that draws it."""

from typing import Any

import bpy

from ..clients import idea_ask
from ..clients.descriptor import Descriptor
from ..clients.idea_board import WAYS, Idea
from ..clients.registry import catalogue
from ..pipeline.money import words
from ..properties_ideate import OFFLINE
from . import job_cache


def known(provider: str) -> Descriptor | None:
    """The remote model that ``provider`` names, without reading a file, for a panel that draws it."""
    if provider in ("", OFFLINE):
        return None
    model = (job_cache.services.catalogue.models or catalogue()).get(provider)
    return model if model is not None and model.adapter and model.network else None


def values_of(provider: str, option: str) -> list[str]:
    """The values that a model has for an option; none where it is free or not there."""
    model = known(provider)
    rule = model.options.get(option) if model is not None else None
    return [str(each) for each in rule] if isinstance(rule, list) else []


def idea_ask_options(context: bpy.types.Context, model: Descriptor) -> dict[str, Any]:
    """The options that decide the price, as far as they are known to the model."""
    ideate = context.scene.holdfast.ideate
    wanted = {name: getattr(ideate, name) for name in ("ratio", "resolution")}
    return {
        name: value
        for name, value in wanted.items()
        if value and value in map(str, model.options.get(name) or ())
    }


def price_text(model: Descriptor, count: int, options: dict[str, Any]) -> str:
    """ " for $0.32", as it stands on a button."""
    if not model.price.as_of:
        return " (price unknown)"
    return f" for {words(idea_ask.price_of(model, count, options), model.price.currency)}"


def room_for_ideas(model: Descriptor) -> int:
    """How many ideas a model can be given at a time."""
    return sum(count for role, count in idea_ask.room(model).items() if role != "sketch")


def came(idea: Idea) -> str:
    """How an idea came about: "edited from 1b"."""
    return f"{WAYS.get(idea.how, idea.how)} {' and '.join(idea.parents)}"
