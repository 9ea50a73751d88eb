# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of lint about contradictions: of one line against another, a criterion, the camera or the clip."""

import re
from collections.abc import Iterator

from ..intent import STAYS
from .colours import WORDS, outside
from .reading import HELD, LOCKED, MOVES, Case, Found, Line, denied, wanted
from .vocabulary import (
    ANY_COLOUR,
    BACKGROUND_MOVES,
    BACKGROUND_NEW,
    CAMERA_LOCKED,
    CAMERA_MOVES,
    COLOUR_OVER_TIME,
    LIGHT_OVER_TIME,
    RETIMES,
)

ASKING = ("change", "purpose", "output")


def change_and_keep(case: Case) -> Iterator[Found]:
    kept = [(line, case.subjects(line.text)) for line in case.lines("keep")]
    kept += [(Line("criteria", -1, f"{name} must be readable"), {(name, "lettering")})
             for name in case.contract.criteria.readable]  # fmt: skip
    for line in case.lines("change"):
        text = wanted(line.text)
        asked = case.subjects(text)
        for other, held in kept:
            both = sorted(pair for pair in asked if any(_same(pair, one) for one in held))
            if both or other.text.casefold() == text.strip().casefold():
                said = " and ".join(_said(pair) for pair in both[:2]) or text
                says = f"Change and Keep both name {said}: “{line.text}”, “{other.text}”."
                todo = "Say which of it changes and which stays: its surface, its shape, its colour."
                yield Found(line.field, line.index, 0, len(text), says, todo)


def _same(asked: tuple[str, str], held: tuple[str, str]) -> bool:
    if asked[1] == held[1]:
        return asked[0] == held[0] or not held[0] or not asked[0]
    return held[1] == "itself" and asked[0] == held[0] and asked[1] in HELD


def _said(pair: tuple[str, str]) -> str:
    part, aspect = pair
    if not part:
        return f"the {aspect}"
    return part if aspect == "itself" else f"the {aspect} of {part}"


def asked_and_forbidden(case: Case) -> Iterator[Found]:
    for line in case.lines("negative"):
        bare = re.sub(r"^no\s+", "", line.text, flags=re.IGNORECASE)
        pattern = re.compile(rf"(?<![\w-]){re.escape(bare)}(?![\w-])", re.IGNORECASE)
        for other in case.lines("change"):
            match = pattern.search(wanted(other.text))
            if match and not denied(other.text, match.start()):
                says = f"“{bare}” stands in Change and in Negative."
                yield Found(line.field, line.index, 0, len(line.text), says, "Take it out of one of them.")


def _each(case: Case, pattern: re.Pattern[str], says: str, todo: str) -> Iterator[Found]:
    for line in case.lines(*ASKING):
        for match in pattern.finditer(wanted(line.text)):
            if not denied(line.text, match.start()):
                yield Found(line.field, line.index, *match.span(), f"“{match[0]}”: {says}", todo)


def new_background(case: Case) -> Iterator[Found]:
    if case.contract.criteria.background == STAYS:
        yield from _each(
            case, BACKGROUND_NEW, "the background must stay one place, and a new one is another in every chunk.",
            "Describe the one place that it is for the whole shot, or set Background to Free.",
        )  # fmt: skip


def background_moves(case: Case) -> Iterator[Found]:
    if case.contract.criteria.background == STAYS:
        yield from _each(case, BACKGROUND_MOVES, "the background must stay; Validate fails one that moves or boils.",
                         "Take it out, or set Background to Free.")  # fmt: skip


def outside_palette(case: Case) -> Iterator[Found]:
    palette = case.contract.criteria.palette
    if not palette:
        return
    todo = "Add the colour to the palette, or take the word out."
    for line in case.lines("change"):
        text = wanted(line.text)
        for match in WORDS.finditer(text):
            if outside(match[0], palette) and not denied(text, match.start()):
                yield Found(
                    line.field,
                    line.index,
                    *match.span(),
                    f"“{match[0]}” is in no colour of the palette.",
                    todo,
                )
        for match in ANY_COLOUR.finditer(text):
            says = f"“{match[0]}” asks for more colours than the palette's {len(palette)}."
            yield Found(line.field, line.index, *match.span(), says, todo)


def colour_over_time(case: Case) -> Iterator[Found]:
    if not case.contract.criteria.recolour:
        yield from _each(case, COLOUR_OVER_TIME, "each part must keep one colour over the shot.",
                         "Take it out, or allow Parts May Change Colour.")  # fmt: skip


def light_over_time(case: Case) -> Iterator[Found]:
    if not case.contract.criteria.relight:
        yield from _each(case, LIGHT_OVER_TIME, "the light must stay even; Validate finds flicker.",
                         "Animate the light in the scene, or allow Light May Change.")  # fmt: skip


def camera_moves(case: Case) -> Iterator[Found]:
    if case.about.camera != LOCKED:
        return
    for line in case.lines("change", "purpose", "output", "role"):
        for match in CAMERA_MOVES.finditer(line.text):
            if not denied(line.text, match.start()):
                says = f"“{match[0]}”: the camera of the shot is locked."
                todo = "Animate the camera in the scene, or take the word out: every part would lie beside its place."
                yield Found(line.field, line.index, *match.span(), says, todo)


def camera_locked(case: Case) -> Iterator[Found]:
    if case.about.camera != MOVES:
        return
    for line in case.lines("change", "keep", "output"):
        for match in CAMERA_LOCKED.finditer(line.text):
            says = f"“{match[0]}”: the camera of the shot moves."
            yield Found(line.field, line.index, *match.span(), says, "Say “the camera of the clip”.")


def retimes(case: Case) -> Iterator[Found]:
    yield from _each(case, RETIMES, "the take must have the frames of the clip, in their order.",
                     "Change the time in the scene, or in the edit afterwards.")  # fmt: skip
