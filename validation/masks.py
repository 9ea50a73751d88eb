# SPDX-License-Identifier: GPL-3.0-or-later
"""J and F of a tracker's masks of a take against the truth's: information beside the report, never a gate.

A tracker tends to keep a mask on whatever has taken a part's place, and F forgives 18 px at 1080p: a good J&F proves
little, a bad one shows where to look.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..pipeline.context import Context
from ..pipeline.truth import GroundTruth
from .jf import NOTHING, TOLERANCE, Spot, Statistics, contour, radius, region, spots
from .mask_files import open_masks


@dataclass
class Tally:
    """Of one part, frame by frame: J, F, and whether the truth and the tracker show it."""

    j: list[float] = field(default_factory=list)
    f: list[float] = field(default_factory=list)
    expected: list[bool] = field(default_factory=list)
    reported: list[bool] = field(default_factory=list)

    def add(self, mask: Spot, truth: Spot, shape: tuple[int, int], reach: int) -> None:
        """One frame of a picture (H, W)."""
        self.j.append(region(mask, truth))
        self.f.append(contour(mask, truth, shape, reach))
        self.expected.append(bool(truth.mask.size))
        self.reported.append(bool(mask.mask.size))

    def to_json(self, frames: Sequence[int]) -> dict[str, Any]:
        """Over all frames by the definition; over those that show the part; and what is there when it must not be."""
        seen = [index for index, expected in enumerate(self.expected) if expected]
        absent = [frame for frame, expected in zip(frames, self.expected, strict=True) if not expected]
        told = dict(zip(frames, self.reported, strict=True))
        return {
            "J": {**asdict(Statistics.of(self.j)), "values": [round(v, 5) for v in self.j]},
            "F": {**asdict(Statistics.of(self.f)), "values": [round(v, 5) for v in self.f]},
            "J&F": (Statistics.of(self.j).mean + Statistics.of(self.f).mean) / 2,
            "shown": {
                "frames": len(seen),
                "J": Statistics.of([self.j[i] for i in seen]).mean if seen else None,
                "F": Statistics.of([self.f[i] for i in seen]).mean if seen else None,
            },
            "not_reported": [frames[i] for i in seen if not self.reported[i]],
            "absent": {"frames": len(absent), "errors": [frame for frame in absent if told[frame]]},
        }


def score(
    truth: GroundTruth,
    pairs: Sequence[tuple[int, int]],
    masks: Path,
    ctx: Context,
    tolerance: float = TOLERANCE,
) -> dict[str, Any]:
    """Every frame that has masks, one at a time; every part counts from the first frame, also one that enters later.

    Raises InputError, UsageError, Cancelled.
    """
    opened = open_masks(masks, truth, pairs)
    shape = (truth.size[1], truth.size[0])
    reach = radius(shape, tolerance)
    given = [part for part in truth.parts if part.id in opened.given]
    tallies = {part.id: Tally() for part in given}
    shown = [(source, frame) for source, frame in pairs if frame in opened.at]
    for source, frame in ctx.each(shown, "Comparing masks of frame"):
        found, known = opened.read(opened.at[frame]), spots(truth.ids(source))
        for number, tally in tallies.items():
            tally.add(found.get(number, NOTHING), known.get(number, NOTHING), shape, reach)
    frames = [frame for _, frame in shown]
    notes = list(opened.notes)
    if left_out := [part.name for part in truth.parts if part not in given]:
        notes.append(f"No masks were given of {', '.join(left_out)}.")
    parts = {part.name: tallies[part.id].to_json(frames) for part in given}
    means = {name: sum(part[name]["mean"] for part in parts.values()) / len(parts) for name in ("J", "F")}
    errors = sum(len(part["absent"]["errors"]) for part in parts.values())
    summary = f"J {means['J']:.3f}, F {means['F']:.3f} over {len(frames)} frames and {len(parts)} parts"
    if errors:
        summary += f"; {errors} times a mask where its part is hidden"
    return {
        "tolerance": tolerance, "radius_px": reach, "frames": frames, "notes": notes, "parts": parts,
        "mean": {**means, "J&F": (means["J"] + means["F"]) / 2}, "absence_errors": errors, "summary": summary,
    }  # fmt: skip
