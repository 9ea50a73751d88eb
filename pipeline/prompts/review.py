# SPDX-License-Identifier: GPL-3.0-or-later
"""The review criteria of a contract: each is a setting of ``Intent``, and a kind of finding that Validate has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..intent import STAYS, Intent
from .colours import colour_name
from .contract import PromptContract
from .spoken import listed

Says = Callable[[Intent, Mapping[str, str]], str]


@dataclass(frozen=True)
class Criterion:
    """``name`` of the setting, ``kinds`` of finding that measure it (validation/kinds.py), and what it asks of a model."""

    name: str
    label: str
    kinds: tuple[str, ...]
    says: Says


def _palette(intent: Intent, _spoken: Mapping[str, str]) -> str:
    if not intent.palette:
        return ""
    return f"Use only these colours, lighter and darker: {', '.join(map(colour_name, intent.palette))}"


def _readable(intent: Intent, spoken: Mapping[str, str]) -> str:
    if not intent.readable:
        return ""
    names = listed([spoken.get(name, name) for name in intent.readable])
    return f"The lettering on {names} stays sharp and readable, letter for letter"


CRITERIA: tuple[Criterion, ...] = (
    Criterion("palette", "Palette", ("palette",), _palette),
    Criterion("background", "Background", ("background",), lambda intent, _spoken: (
        "The background is one place and stands still for the whole shot" if intent.background == STAYS else "")),
    Criterion("readable", "Must be readable", ("readable",), _readable),
    Criterion("recolour", "Parts may change colour", ("colour_drift",), lambda intent, _spoken: (
        "" if intent.recolour else "Each part keeps one colour for the whole shot")),
    Criterion("relight", "Light may change", ("flicker", "colour_drift"), lambda intent, _spoken: (
        "" if intent.relight else "The light stays even from frame to frame")),
    Criterion("outline_px", "Outlines may grow", ("outline", "wobble"), lambda intent, _spoken: (
        "" if intent.outline_px else "Outlines lie on the outlines of the clip")),
)  # fmt: skip
"""In the order in which a prompt says them."""
ALWAYS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Every part is there, whole and once", ("vanished", "partly_vanished", "not_back", "ghost", "merged", "swapped")),
    ("Rigid parts stay rigid, in their shape and outline", ("rubber", "outline", "wobble", "scaled")),
    ("Parts are where the render has them and move as simulated", ("shifted", "turned", "wrong_motion", "joint")),
    ("What is drawn on a part stays on it", ("sliding", "text", "material", "boiling")),
    ("Time and picture are those of the clip", ("frames_missing", "frame_map", "frozen", "frame_size", "frame_fit")),
)  # fmt: skip
"""What Validate checks of every take without being asked, and its kinds of finding."""


def intent_of(contract: PromptContract) -> Intent:
    """What Validate is to check. Names of readable parts may be said as people say them."""
    names = {way.casefold(): part.name for part in contract.parts for way in part.ways}
    readable = tuple(dict.fromkeys(names.get(name.casefold(), name) for name in contract.criteria.readable))
    record = {**contract.criteria.to_json(), "readable": list(readable)}
    return Intent.from_json(record)


def asked(contract: PromptContract) -> list[tuple[Criterion, str]]:
    """(criterion, sentence) of everything that the criteria ask of the model."""
    intent = intent_of(contract)
    spoken = {part.name: part.spoken for part in contract.parts}
    told = [(each, each.says(intent, spoken)) for each in CRITERIA]
    return [(each, says) for each, says in told if says]
