# SPDX-License-Identifier: GPL-3.0-or-later
"""What several other frames of the take say about one frame, made one value; frames that are at fault don't vote."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from .series import Series

SLIDE_SHARE = 0.12
"""Bend that a style's shading may show where a part turns, as a share of the arc that its surface has travelled."""


@dataclass(frozen=True)
class Reading:
    """One frame against the take's frame at position ``other``: see anchors.Displacement and surface.Look.

    ``arc`` is how far (units) the part's surface turned between the two."""

    other: int
    shift: float
    bend: float
    arc: float
    unlike: float
    behind: float
    jump: float


def second(values: Sequence[float]) -> float:
    """The second smallest: one other frame may itself be at fault, two that agree with this one clear it."""
    known = sorted(value for value in values if np.isfinite(value))
    if len(known) < 2:
        return float("nan")
    return known[1] if len(known) > 2 else known[0]


def agree(series: Series, readings: Mapping[str, Sequence[Sequence[Reading]]],
          faulty: Mapping[str, AbstractSet[int]] | None = None) -> None:  # fmt: skip
    """Puts shift, bend, unlike, behind and jump into the series; ``faulty`` positions of a part don't vote.

    Where no frame would be left, all vote; a single good one is believed.
    """
    for part, by_frame in readings.items():
        bad = (faulty or {}).get(part, frozenset())
        for index, all_of_it in enumerate(by_frame):
            good = [r for r in all_of_it if r.other not in bad]
            votes = good * 2 if len(good) == 1 and bad else good or list(all_of_it)
            series.put(part, index, **_values(votes))


def _values(votes: Sequence[Reading]) -> dict[str, float]:
    return {
        "shift": second([r.shift for r in votes]),
        "bend": second([max(0.0, r.bend - SLIDE_SHARE * r.arc) for r in votes]),
        "unlike": second([r.unlike for r in votes]),
        "behind": second([r.behind for r in votes]),
        "jump": second([r.jump for r in votes]),
    }
