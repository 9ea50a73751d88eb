# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done about each kind of fault, in the order in which it is tried, and why the rest can't."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RERUN, RESTORE, WARP = "rerun_span", "restore_part", "warp_part"
RETIME, HOLD, DEFLICKER, ASK = "retime", "hold_colour", "deflicker", "ask"
KINDS = (RESTORE, WARP, HOLD, DEFLICKER, RETIME, RERUN, ASK)
WARP_LIMIT_PX = 12.0
"""Offsets up to this many px at 1080p are undone by a warp; beyond, what was hidden would have to be invented."""
GAP_LIMIT = 2
"""Missing frames in a row that are made from their neighbours; more would smear."""
LADDER: Mapping[str, tuple[str, ...]] = {
    "frames_missing": (RETIME, RERUN, ASK),
    "frame_map": (RETIME, RERUN, ASK),
    "frozen": (RETIME, RERUN, ASK),
    "black": (RETIME, RERUN, ASK),
    "frame_size": (ASK,),
    "frame_fit": (WARP, RERUN, ASK),
    "colour_range": (HOLD, ASK),
    "vanished": (RESTORE, RERUN, ASK),
    "not_back": (RESTORE, RERUN, ASK),
    "partly_vanished": (RESTORE, RERUN, ASK),
    "not_hidden": (RERUN, RESTORE, ASK),
    "swapped": (RESTORE, RERUN, ASK),
    "merged": (RERUN, RESTORE, ASK),
    "ghost": (RERUN, ASK),
    "intruder": (RERUN, ASK),
    "rubber": (RERUN, RESTORE, ASK),
    "joint": (RERUN, RESTORE, ASK),
    "wrong_motion": (WARP, RERUN, RESTORE, ASK),
    "shifted": (WARP, RESTORE, RERUN, ASK),
    "scaled": (WARP, RESTORE, RERUN, ASK),
    "turned": (WARP, RESTORE, RERUN, ASK),
    "outline": (RERUN, RESTORE, ASK),
    "wobble": (WARP, RERUN, RESTORE, ASK),
    "sliding": (RERUN, RESTORE, ASK),
    "text": (RESTORE, RERUN, ASK),
    "material": (RERUN, RESTORE, ASK),
    "boiling": (DEFLICKER, RERUN, ASK),
    "flicker": (DEFLICKER, RERUN, ASK),
    "colour_drift": (HOLD, RERUN, RESTORE, ASK),
    "palette": (ASK,),
    "background": (RERUN, ASK),
    "readable": (RESTORE, RERUN, ASK),
}
"""Every kind of Validate, in its order; one that is not here is for a person."""
BECAUSE: Mapping[str, str] = {
    "frames_missing": "frames are missing",
    "frame_map": "the frames come at the wrong time",
    "frozen": "the picture stands still",
    "black": "the picture is black",
    "frame_size": "the picture has another shape than the shot",
    "frame_fit": "the picture is cropped, scaled or shifted",
    "colour_range": "the whole picture has the wrong range of levels",
    "vanished": "the part is missing and the render knows exactly where it belongs",
    "not_back": "the part did not come back and the render knows exactly where it belongs",
    "partly_vanished": "a piece of the part is missing and the render knows exactly where it belongs",
    "not_hidden": "the part shows through what should hide it",
    "swapped": "two parts have changed places",
    "merged": "two parts have grown into one",
    "ghost": "something is in the picture that was never rendered",
    "intruder": "something new moves along that was never rendered",
    "rubber": "a rigid part bends, so its pixels can't be trusted",
    "joint": "the part moves wrongly against its mate",
    "wrong_motion": "the part does not move as it was simulated",
    "shifted": "the part is not where the render has it",
    "scaled": "the part has another size than rendered",
    "turned": "the part is turned in the picture",
    "outline": "the part's outline is not the rendered one",
    "wobble": "the part's outline wobbles",
    "sliding": "the texture slides over the part",
    "text": "what is drawn on the part is garbled",
    "material": "the part became another material",
    "boiling": "the part's texture boils",
    "flicker": "the part flickers",
    "colour_drift": "the part's colour left the look of the take's good frames",
    "palette": "colours are outside the agreed palette",
    "background": "the background changes though it should stay",
    "readable": "what is drawn on the part can't be read",
}
HOW: Mapping[str, str] = {
    RERUN: "draw the span again with another seed and join it over the handles",
    RESTORE: "put the real part back in the take's own look",
    WARP: "move it back by the displacement that is measured",
    RETIME: "put the frames in their order and make the few that are missing from their neighbours",
    HOLD: "hold its colour to that of the good frames",
    DEFLICKER: "smooth its light over time and keep what the render's light does",
    ASK: "a person decides",
}
_TIME = ("frames_missing", "frame_map", "frozen", "black")
_PLACE = ("wrong_motion", "shifted", "scaled", "turned", "wobble", "outline", "frame_fit")
_COLOUR = ("colour_drift", "flicker", "colour_range")
_PAIR = ("swapped", "merged", "joint")


@dataclass(frozen=True)
class Situation:
    """What decides what is possible: can the take's provider draw again, is every frame at fault, and how many
    frames in a row are missing."""

    can_rerun: bool
    whole: bool
    gap: int = 0


def steps_for(fault: str) -> tuple[str, ...]:
    """The ladder of a kind of fault; a person alone for one that is not known."""
    return LADDER.get(fault, (ASK,))


def refusal(kind: str, finding: Mapping[str, Any], now: Situation) -> str:
    """Why ``kind`` can't mend the finding, as a sentence; empty if it can."""
    return _CHECKS[kind](str(finding["kind"]), finding, now)


def _rerun(fault: str, finding: Mapping[str, Any], now: Situation) -> str:
    return "" if now.can_rerun else "The take's provider can't draw single frames again."


def _restore(fault: str, finding: Mapping[str, Any], now: Situation) -> str:
    if fault in (*_TIME, "frame_size", "frame_fit", "colour_range"):
        return "The whole picture is at fault, not a part."
    return "" if finding.get("part") else "No part is named."


def _warp(fault: str, finding: Mapping[str, Any], now: Situation) -> str:
    if fault not in _PLACE:
        return "Nothing is out of place."
    value = finding.get("value")
    if fault != "outline" and value is not None and abs(float(value)) > WARP_LIMIT_PX:
        return f"It lies {float(value):.0f} px off; a warp is honest up to {WARP_LIMIT_PX:.0f} px."
    return ""


def _retime(fault: str, finding: Mapping[str, Any], now: Situation) -> str:
    if fault not in _TIME:
        return "Every frame comes at its time."
    if now.gap > GAP_LIMIT:
        return f"{now.gap} frames in a row are missing; up to {GAP_LIMIT} can be made from their neighbours."
    return ""


def _hold(fault: str, finding: Mapping[str, Any], now: Situation) -> str:
    if fault not in (*_COLOUR, "material"):
        return "Its colour is not at fault."
    if fault == "colour_range":
        return ""
    if not finding.get("part"):
        return "No part is named."
    return "No good frame shows its colour." if now.whole else ""


def _deflicker(fault: str, finding: Mapping[str, Any], now: Situation) -> str:
    if fault not in ("flicker", "boiling", "colour_drift"):
        return "Nothing flickers."
    return "" if finding.get("part") else "No part is named."


def _ask(fault: str, finding: Mapping[str, Any], now: Situation) -> str:
    return ""


_CHECKS: Mapping[str, Callable[[str, Mapping[str, Any], Situation], str]] = {
    RERUN: _rerun, RESTORE: _restore, WARP: _warp, RETIME: _retime, HOLD: _hold, DEFLICKER: _deflicker,
    ASK: _ask,
}  # fmt: skip


def parts_of(finding: Mapping[str, Any]) -> Sequence[str]:
    """The parts that must be put back: both where two are confused, the one in front where one shows through."""
    part, others = str(finding.get("part") or ""), [str(name) for name in finding.get("others") or ()]
    if finding["kind"] == "not_hidden" and others:
        return others
    return [part, *others] if finding["kind"] in _PAIR else [part]
