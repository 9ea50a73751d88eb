# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of fault that Validate can say, in one table: its words, its unit and what to do about it.

The order is that of explanation: a fault further up takes with it the signs of those below that it causes
(``explain.py`` says which). Nothing else in the extension lists kinds.
"""

from dataclasses import dataclass

TAKE, PART, PAIR, CRITERION = "take", "part", "pair", "criterion"


@dataclass(frozen=True)
class Kind:
    """``scope`` what it is said of: the take, a part, a part and another one, a criterion of the prompt contract.

    ``phrase`` completes "lid ..." in lists and markers; ``sentence`` is for people, with {part}, {others}, {value},
    {limit}, {unit}, {mm}, {amount}; ``measure`` is the one that is responsible, in ``unit`` (px: of a picture 1920 wide).
    """

    name: str
    scope: str
    phrase: str
    sentence: str
    measure: str
    unit: str
    suggestion: str


KINDS: tuple[Kind, ...] = (
    Kind("frames_missing", TAKE, "frames missing", "", "missing", "frames", "Rerun the missing frames."),
    Kind("frame_map", TAKE, "timing", "", "time map", "frames", "Re-time the take by the map found, or rerun it."),
    Kind("frozen", TAKE, "stands still", "", "repeated", "frames", "Rerun these frames."),
    Kind("black", TAKE, "is black", "", "brightness", "", "Rerun these frames."),
    Kind("frame_size", TAKE, "picture shape", "", "aspect", "", "Ask the provider for the shot's own size."),
    Kind("frame_fit", TAKE, "picture cropped, scaled or shifted", "", "registration", "px", "Undo it by the fit found."),
    Kind("colour_range", TAKE, "colour range", "", "levels", "", "Read the take with the other range."),
    Kind("vanished", PART, "vanished", "{part} is not there: its outline and its colours are missing where the render shows it.", "absence", "", "Put the real part back in these frames."),
    Kind("not_back", PART, "does not come back", "{part} was hidden and does not come back.", "absence", "", "Put the real part back in these frames."),
    Kind("partly_vanished", PART, "partly vanished", "{value:.0%} of {part} is not there.", "gone", "share", "Put the real part back in these frames."),
    Kind("not_hidden", PAIR, "shows where it should be hidden", "{part} shows through {others} that should hide it.", "shown", "share", "Rerun this span with stronger depth control."),
    Kind("swapped", PAIR, "swapped", "{part} and {others} have changed places.", "swap", "", "Put the real parts back, or rerun the span."),
    Kind("merged", PAIR, "merged", "{part} and {others} have become one: the border between them is gone.", "merge", "share", "Rerun this span with stronger edge control."),
    Kind("ghost", PART, "doubled", "A second {part} shows where the render has none.", "ghost", "likeness", "Rerun this span."),
    Kind("intruder", PART, "followed by something new", "Something that the render does not have moves like {part}.", "stranger", "share", "Rerun this span."),
    Kind("rubber", PART, "bends", "{part} bends by {value:.1f} px although it is rigid.", "bend", "px", "Rerun this span with stronger control."),
    Kind("joint", PAIR, "moves wrongly against another part", "{part} moves {value:.1f} {unit} otherwise against {others} than it was simulated.", "joint", "deg", "Rerun this span with stronger control."),
    Kind("wrong_motion", PART, "moves wrongly", "{part} moves otherwise than it was simulated, by up to {value:.1f} px.", "path", "px", "Rerun this span with stronger control."),
    Kind("shifted", PART, "shifted", "{part} lies {value:.1f} px ({mm}) away from where the render has it.", "shift", "px", "Move it back by the displacement found, or put the real part back."),
    Kind("scaled", PART, "scaled", "{part} has another size than rendered: its rim lies {value:.1f} px off.", "scale", "px", "Warp it back, or put the real part back."),
    Kind("turned", PART, "turned", "{part} is turned in the picture: its rim lies {value:.1f} px off.", "turn", "px", "Warp it back, or put the real part back."),
    Kind("outline", PART, "outline changed", "The outline of {part} is not where the render has it, {amount}.", "outline", "px", "Rerun this span with stronger edge control."),
    Kind("wobble", PART, "outline wobbles", "The outline of {part} wobbles by {value:.1f} px.", "wobble", "px", "Rerun this span with stronger edge control."),
    Kind("sliding", PART, "texture slides", "The texture of {part} slides over it by {value:.1f} px while its outline stays.", "slide", "px", "Rerun this span, or put the real part back."),
    Kind("text", PART, "texture garbled", "What is drawn on {part} is garbled: its patches are no longer alike.", "garble", "share", "Put the real part back."),
    Kind("material", PART, "material swapped", "{part} has become another material.", "material", "", "Rerun this span."),
    Kind("boiling", PART, "texture boils", "The texture of {part} boils: it changes from frame to frame.", "boil", "", "Deflicker, or rerun the span."),
    Kind("flicker", PART, "flickers", "{part} flickers by {value:.1f} L from frame to frame.", "flicker", "L", "Deflicker, or rerun the span."),
    Kind("colour_drift", PART, "changed colour", "{part} changes its colour by {value:.0f} dE beyond what the light does.", "drift", "dE", "Hold the part's colour, or rerun the span."),
    Kind("palette", CRITERION, "outside the palette", "", "palette", "dE", "Grade the take, or rerun it."),
    Kind("background", CRITERION, "background changed", "", "background", "share", "Rerun the take with a fixed background."),
    Kind("readable", CRITERION, "not readable", "", "likeness", "share", "Put the real part back."),
)  # fmt: skip
"""``sentence`` is empty where what is said is made with the finding (a take's frame map, a criterion)."""
BY_NAME = {kind.name: kind for kind in KINDS}


def phrase(name: str) -> str:
    """The words for a kind; a name that an older or newer report uses, with spaces."""
    return BY_NAME[name].phrase if name in BY_NAME else name.replace("_", " ")
