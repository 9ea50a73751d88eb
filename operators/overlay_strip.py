# SPDX-License-Identifier: GPL-3.0-or-later
"""The timing at the bottom of the 3D viewport: a row for every joint, a bar for every move, keys between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import blf
import bpy

from . import overlay_shape, timeline
from .overlay_text import Box, rectangles, words
from .timeline import Row

Tint = tuple[float, float, float, float]
HEIGHT: Final = 18.0
GAP: Final = 3.0
MARGIN: Final = 12.0
NAME: Final = 90.0
MOST: Final = 5
KEY: Final = 4.0
REACH: Final = 7.0
"""How near to a key counts as on it, in units of the interface."""
BACK: Final = (0.04, 0.04, 0.04, 0.9)
WHITE: Final = (0.95, 0.95, 0.95)
BARS: Final = {
    overlay_shape.SLIDE: (0.16, 0.44, 0.60, 0.95),
    overlay_shape.TURN: (0.68, 0.45, 0.04, 0.95),
    overlay_shape.HELIX: (0.06, 0.52, 0.37, 0.95),
    overlay_shape.TILT: (0.62, 0.34, 0.49, 0.95),
    overlay_shape.COME: (0.30, 0.34, 0.52, 0.95),
    overlay_shape.REST: (0.40, 0.40, 0.40, 0.95),
}
"""Bars have the colours of the paths that their moves draw, darker."""
KEYS: Final = (1.0, 0.95, 0.60, 1.0)
PLAYHEAD: Final = (1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Layout:
    """Where the strip lies in the region, in pixels, which frames it spans, and what it shows; see timeline."""

    left: float
    right: float
    bottom: float
    scale: float
    first: int
    last: int
    rows: tuple[Row, ...]
    finale: tuple[str, int, int, int] | None = None

    @property
    def lines(self) -> int:
        """How many rows there are with that of the finale."""
        return len(self.rows) + (self.finale is not None)

    @property
    def start(self) -> float:
        """Left end of the frames, right of the names."""
        return self.left + NAME * self.scale

    def x(self, frame: float) -> float:
        """Pixel of a frame."""
        return self.start + (frame - self.first) / max(self.last - self.first, 1) * (self.right - self.start)

    def frame(self, x: float) -> float:
        """Frame at a pixel."""
        return self.first + (x - self.start) / (self.right - self.start) * (self.last - self.first)

    def y(self, index: int) -> float:
        """Bottom of a row; the first joint stands on top."""
        return self.bottom + (self.lines - 1 - index) * (HEIGHT + GAP) * self.scale

    @property
    def top(self) -> float:
        return self.bottom + self.lines * (HEIGHT + GAP) * self.scale

    def hit(self, x: float, y: float) -> tuple[int, int] | None:
        """(row, key) under a pixel, the nearest one, or None."""
        found: tuple[float, int, int] | None = None
        for index, row in enumerate(self.rows):
            if not 0.0 <= y - self.y(index) <= HEIGHT * self.scale:
                continue
            for key, frame in enumerate(row.keys):
                away = abs(self.x(frame) - x)
                if away <= REACH * self.scale and (found is None or away <= found[0]):
                    found = (away, index, key)
        return found[1:] if found else None


def layout(context: bpy.types.Context) -> Layout | None:
    """The strip of the viewport that the context is in; None without joints or room."""
    scene, region, scale = context.scene, context.region, context.preferences.system.ui_scale
    rows = timeline.rows(scene)
    shown = rows[:MOST]
    active = min(scene.holdfast.physics.active_joint, len(rows) - 1)
    if active >= MOST:
        shown[-1] = rows[active]
    left, right = _free(context)
    if not rows or right - left < (NAME + 120.0) * scale or region.height < 160.0 * scale:
        return None
    ending = timeline.finale(scene, rows)
    last = max(scene.frame_end, *(row.keys[-1] for row in rows), ending[-1] if ending else 0)
    margin = MARGIN * scale
    return Layout(left + margin, right - margin, margin, scale, scene.frame_start, last, tuple(shown), ending)


def _free(context: bpy.types.Context) -> tuple[float, float]:
    """What toolbar and sidebar leave of the region, where they lie over it."""
    region = context.region
    left, right = 0.0, float(region.width)
    for other in context.area.regions:
        over = other.x < region.x + region.width and other.x + other.width > region.x
        if other.type == "TOOLS" and other.width > 1 and over:
            left = max(left, float(other.x + other.width - region.x))
        if other.type == "UI" and other.width > 1 and over:
            right = min(right, float(other.x - region.x))
    return left, right


def draw(context: bpy.types.Context, motions: Mapping[int, Mapping[str, str]]) -> None:
    """Draws the strip; ``motions``: for joints by their number, what each of their moves does."""
    strip = layout(context)
    if strip is None:
        return
    scale, pad = strip.scale, 4.0 * strip.scale
    back = Box(
        strip.left - pad,
        strip.bottom - pad,
        strip.right - strip.left + 2 * pad,
        strip.top - strip.bottom + pad,
    )
    boxes = [(back, BACK)]
    for index, row in enumerate(strip.rows):
        boxes += _bars(strip, index, row, motions.get(row.number, {}))
    for start, end, _, colour in _finale(strip):
        boxes.append(
            (
                Box(strip.x(start), strip.y(len(strip.rows)), strip.x(end) - strip.x(start), HEIGHT * scale),
                colour,
            )
        )
    at = strip.x(context.scene.frame_current)
    if strip.start <= at <= strip.right:
        for width, colour in ((4 * scale, BACK), (2 * scale, PLAYHEAD)):
            boxes.append((Box(at - 0.5 * width, strip.bottom - pad, width, back.height), colour))
    rectangles(boxes)
    blf.size(0, 11.0 * scale)
    blf.enable(0, blf.CLIPPING)
    for index, row in enumerate(strip.rows):
        _words(strip, index, row)
    y = strip.y(len(strip.rows)) + 5.0 * scale
    for number, (start, end, label, _) in enumerate(_finale(strip)):
        if number == 0:
            _clipped("Finale", strip.left + 2 * scale, strip.start - 4 * scale, y, scale)
        _clipped(label, strip.x(start) + 5 * scale, strip.x(end) - 3 * scale, y, scale)
    blf.disable(0, blf.CLIPPING)


def _bars(strip: Layout, index: int, row: Row, motions: Mapping[str, str]) -> list[tuple[Box, Tint]]:
    found = []
    y, height = strip.y(index), HEIGHT * strip.scale
    for step, start, end in zip(row.steps, row.keys, row.keys[1:], strict=False):
        left = strip.x(start)
        colour = BARS[motions.get(step.phase, overlay_shape.REST)]
        found.append((Box(left, y, strip.x(end) - left, height), colour))
    size = KEY * strip.scale
    return found + [(Box(strip.x(frame) - 0.5 * size, y, size, height), KEYS) for frame in row.keys]


def _finale(strip: Layout) -> list[tuple[int, int, str, Tint]]:
    """First and last frame, word and colour of the bars of the finale."""
    if strip.finale is None:
        return []
    word, start, release, end = strip.finale
    return [
        (start, release, "Lift", BARS[overlay_shape.COME]),
        (release, end, word, BARS[overlay_shape.REST]),
    ]


def _words(strip: Layout, index: int, row: Row) -> None:
    y, scale = strip.y(index) + 5.0 * strip.scale, strip.scale
    _clipped(row.name, strip.left + 2 * scale, strip.start - 4 * scale, y, scale)
    for label, start, end in zip(row.labels, row.keys, row.keys[1:], strict=False):
        _clipped(label, strip.x(start) + 5 * scale, strip.x(end) - 3 * scale, y, scale)


def _clipped(text: str, left: float, right: float, y: float, scale: float) -> None:
    if right - left > 8 * scale:
        blf.clipping(0, round(left), round(y - 5 * scale), round(right), round(y + HEIGHT * scale))
        words(text, left, y, WHITE)
