# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs the pieces of an unwrapped surface into the unit square, all at one scale, with a margin."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Lower left corner of a piece in 0..1 and its size there."""

    u: float
    v: float
    width: float
    height: float


def pack(sizes: Sequence[tuple[float, float]], margin: float) -> tuple[float, list[Place]]:
    """(scale, places): rectangles (width, height) in mm, put on shelves; ``margin`` in 0..1 is kept around each.

    The scale (texture units per mm) is the greatest one that fits, found by halving.
    """
    low, high = 0.0, 1.0 / max(max(w, h) for w, h in sizes)
    for _ in range(24):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _shelves(sizes, middle, margin) else (low, middle)
    places = _shelves(sizes, low, margin)
    assert places is not None
    return low, places


def _shelves(sizes: Sequence[tuple[float, float]], scale: float, margin: float) -> list[Place] | None:
    order = sorted(range(len(sizes)), key=lambda k: -sizes[k][1])
    places: dict[int, Place] = {}
    u = v = shelf = 0.0
    for index in order:
        width, height = sizes[index][0] * scale, sizes[index][1] * scale
        if u + width + 2 * margin > 1:
            u, v, shelf = 0.0, v + shelf, 0.0
        if u + width + 2 * margin > 1 or v + height + 2 * margin > 1:
            return None
        places[index] = Place(u + margin, v + margin, width, height)
        u += width + 2 * margin
        shelf = max(shelf, height + 2 * margin)
    return [places[k] for k in range(len(sizes))]
