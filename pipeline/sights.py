# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of how the parts are seen over a shot, before it is rendered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

SMALL_PX = 64.0
"""A part of fewer pixels (8 x 8) is mostly edge: no verdict can stand on it."""
SMEAR_PX = 8.0
"""From here on more of a moving part's edge is blur than edge."""
THROUGH_GLASS = 0.2
Level = Literal["ERROR", "WARNING", "INFO"]


@dataclass(frozen=True)
class Sight:
    """One part at one frame, in pixels: ``whole`` as if nothing stood before it, ``seen`` of that; ``glass`` names
    what stands before ``glazed`` of them, ``hider`` what hides most; ``smear``: how far it moves under the shutter."""

    part: str
    frame: int
    whole: float
    seen: float
    hider: str = ""
    glass: str = ""
    glazed: float = 0.0
    smear: float = 0.0


@dataclass(frozen=True)
class Finding:
    """A sentence for the list, with the part that it is of (or none) and the frame to look at (or none)."""

    level: Level
    says: str
    part: str = ""
    frame: int | None = None


def findings(sights: Sequence[Sight]) -> list[Finding]:
    """What is wrong with how the parts are seen; nothing if all is well."""
    parts = dict.fromkeys(sight.part for sight in sights)
    return [found for part in parts for found in _of_part([sight for sight in sights if sight.part == part])]


def smallest(sights: Sequence[Sight]) -> dict[str, Sight]:
    """For each part the frame at which the least of it is seen, of those at which any is; parts never seen have none."""
    found: dict[str, Sight] = {}
    for sight in sights:
        seen = sight.seen + sight.glazed
        if seen > 0 and (sight.part not in found or seen < found[sight.part].seen + found[sight.part].glazed):
            found[sight.part] = sight
    return found


def _of_part(sights: Sequence[Sight]) -> list[Finding]:
    part, frames = sights[0].part, _frames(len(sights))
    framed = [sight for sight in sights if sight.whole > 0]
    if not framed:
        says = f"{part} is outside of the picture in {frames}"
        return [Finding("WARNING", says, part, sights[0].frame)]
    found: list[Finding] = []
    seen = smallest(sights).get(part)
    if seen is None:
        hider = next((sight.hider for sight in framed if sight.hider), "")
        by = f": {hider} hides it" if hider else ""
        return [Finding("WARNING", f"{part} is never seen in {frames}{by}", part, framed[0].frame)]
    if seen.seen + seen.glazed < SMALL_PX:
        size = f"{seen.seen + seen.glazed:.0f} pixels"
        hidden = f", {seen.hider} hides the rest" if seen.hider and seen.whole > SMALL_PX else ""
        says = f"{part} has only {size} at frame {seen.frame}{hidden}: too few for a verdict"
        found.append(Finding("WARNING", says, part, seen.frame))
    glazed = max(framed, key=lambda sight: sight.glazed / sight.whole)
    if glazed.glazed > THROUGH_GLASS * glazed.whole:
        says = f"{glazed.glass} is clear and stands before {part}: what is behind it gets no matte. Select {glazed.glass} and tick that it is glass"
        found.append(Finding("WARNING", says, part, glazed.frame))
    smeared = max(framed, key=lambda sight: sight.smear)
    if smeared.smear > SMEAR_PX:
        says = f"Motion blur smears {part} over {smeared.smear:.0f} px at frame {smeared.frame}: its edge is soft there"
        found.append(Finding("INFO", says, part, smeared.frame))
    return found


def _frames(count: int) -> str:
    return "the frame looked at" if count == 1 else f"all {count} frames looked at"
