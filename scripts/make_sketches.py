# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the sheets of the two sample sketches: ``python scripts/make_sketches.py OUT`` writes OUT/<name>_sheet.png.

``scripts/photograph_sketches.py`` then photographs them. The drawings are made by a program that imitates a hand,
the photographs by a path tracer: they are synthesised, and the documentation says so.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent))
from pencil import Sheet, arc, curve

F64 = NDArray[np.float64]
ZOOM = 2.05  # drawn about twice as large as the real thing


class View:
    """Real millimetres (x from the axis, z up) to sheet millimetres (x right, y down)."""

    def __init__(self, axis_x: float, base_y: float, zoom: float = ZOOM) -> None:
        self.origin, self.zoom = np.array([axis_x, base_y]), zoom

    def __call__(self, points: object) -> F64:
        return self.origin + np.asarray(points, float) * np.array([self.zoom, -self.zoom])

    def sides(self, points: object) -> tuple[F64, F64]:
        p = np.asarray(points, float)
        return self(p), self(p * np.array([-1.0, 1.0]))


def _belly(z: float) -> float:
    t = np.clip((z - 5.0) / 22.5, 0, 1)
    return float(12.9 + 5.3 * np.sin(np.pi * t**0.80) ** 0.85)


def draw_body() -> Sheet:
    """The lantern's body: foot, bellied glass with bars, collar with the hidden bore. 44 mm high in truth."""
    sheet = Sheet(148, 210, seed=11)
    at = View(71, 158)
    ink = sheet.line
    sheet.dashes(at([(0, -6), (0, 50)]), 7, 2.0, dot=True, pressure=0.4, width_mm=0.4)
    belly = [(_belly(z), z) for z in np.linspace(5.0, 27.5, 25)]
    sides = [
        [(15.6, 0), (15.6, 2.8)],
        [(15.6, 2.8), (13.0, 4.9)],
        belly,
        [(12.9, 27.5), (14.2, 27.9)],
        [(14.2, 27.9), (14.2, 29.5)],
        [(14.2, 29.5), (13.2, 30.1)],
        [(13.2, 30.1), (13.2, 40.8)],
        [(13.2, 40.8), (14.3, 41.2)],
        [(14.3, 41.2), (14.3, 44)],
    ]
    for side in sides:
        for path in at.sides(side):
            ink(path, over_mm=0.5)
    ink(at([(-15.6, 0), (15.6, 0)]), passes=3)
    ink(at([(14.3, 44), (-14.3, 44)]), passes=2)
    for r, z, sag in (
        (13.0, 4.95, 0.7),
        (12.9, 27.5, 0.5),
        (14.2, 29.6, 0.45),
        (15.6, 2.8, 0.6),
        (13.2, 40.9, 0.35),
    ):
        bow = [(x, z - sag * (1 - (x / r) ** 2)) for x in np.linspace(-r, r, 15)]
        ink(at(bow), over_mm=0.0, pressure=0.6, passes=2)
    for low, high in ((24, 30), (63, 70)):  # bars: longitudes of the glass
        for lon in (low, high):
            bar = [
                (_belly(z) * np.sin(np.radians(lon)), z - 0.6 * (1 - np.sin(np.radians(lon))))
                for z in np.linspace(5.0, 27.6, 22)
            ]
            for path in at.sides(bar):
                ink(path, over_mm=0.4, pressure=0.7, passes=2, wobble_mm=0.2)
    for path in at.sides([(8.1, 43.9), (8.1, 31.2)]):
        sheet.dashes(path, 3.4, 1.5, pressure=0.62, width_mm=0.5)
    sheet.dashes(at([(-8.1, 31.2), (8.1, 31.2)]), 3.4, 1.4, pressure=0.62, width_mm=0.5)
    shade = [(12.3, 31.6), (12.6, 40.2), (10.4, 40.0), (9.8, 31.6)]
    sheet.hatch(at(shade), -52, 1.15)
    rim = [(_belly(z) - 0.7, z) for z in np.linspace(7, 25, 12)] + [
        (_belly(z) * np.sin(np.radians(72)), z) for z in np.linspace(25, 7, 12)
    ]
    sheet.hatch(at(rim), -48, 1.2, pressure=0.34)
    sheet.hatch(at([(14.6, 0.8), (14.6, 2.2), (4, 1.6), (4, 0.8)]), -50, 1.3, pressure=0.26)
    x = at([(22.5, 0)])[0, 0]
    top, low = at([(0, 44)])[0, 1], at([(0, 0)])[0, 1]
    for y in (top, low):
        sheet.stroke(np.array([(x - 6.0, y), (x + 2.5, y)]), pressure=0.3, width_mm=0.36, wobble_mm=0.08)
    sheet.dimension((x, top), (x, low), "44", (x + 2.6, (top + low) / 2 + 2))
    sheet.write("lantern", 18, 30, 6.2, 0.6)
    sheet.write("body", 50, 31, 5.6, 0.55)
    sheet.stroke(curve([(17, 34), (44, 33), (72, 34.5)]), pressure=0.4)
    sheet.erase(38, 108, 13, 4.5, 70)
    for path in at.sides([(16.2, 24), (17.3, 18)])[1:]:
        ink(path, passes=2, over_mm=1.5)
    sheet.smear(112, 120, 16, 60, 0.5)
    sheet.smear(40, 172, 20, -12, 0.6)
    sheet.smear(98, 66, 12, 30, 0.35)
    return sheet


def draw_lid() -> Sheet:
    """The lantern's lid: knob, dome, brim, and the peg below the shoulder. 27.5 mm high in truth."""
    sheet = Sheet(148, 210, seed=23)
    at = View(78, 128, 2.35)
    ink = sheet.line
    sheet.dashes(at([(0, -4), (0, 33)]), 6.5, 2.0, dot=True, pressure=0.4, width_mm=0.4)
    dome = [(14.6, 14.1), (13.9, 16.6), (11.8, 19.2), (8.6, 21.1), (5.2, 22.1), (3.0, 22.6)]
    sides = [
        [(7.5, 11.4), (7.5, 0.9)],
        [(7.5, 0.9), (6.6, 0)],
        [(7.5, 11.4), (17.2, 11.4)],
        [(17.2, 11.4), (17.2, 13.4)],
        [(17.2, 13.4), (14.7, 14.1)],
        dome,
        [(3.0, 22.6), (2.1, 23.5)],
    ]
    for side in sides:
        path_pair = at.sides(curve(side) if len(side) > 2 else side)
        for path in path_pair:
            ink(path, over_mm=0.5)
    ink(at([(-6.7, 0), (6.7, 0)]), passes=2, over_mm=0.3)
    ink(at(arc(0, 25.3, 2.75, 2.55, -52, 232)), passes=3, over_mm=0.2)
    ink(at([(-2.2, 23.5), (0, 23.3), (2.2, 23.5)]), passes=2, over_mm=0, pressure=0.6)
    for r, z, sag in ((17.2, 13.45, 0.6), (14.6, 14.2, 0.55), (12.6, 18.3, 0.5)):
        bow = [(x, z - sag * (1 - (x / r) ** 2)) for x in np.linspace(-r, r, 15)]
        ink(at(bow), over_mm=0.0, pressure=0.6, passes=2)
    ink(at([(-7.5, 0.95), (0, 0.8), (7.5, 0.95)]), passes=1, over_mm=0, pressure=0.45)
    for lon in (20, 52):
        rib = []
        for x, z in curve([(13.85, 16.0), (13.5, 17.1), (11.8, 19.2), (8.6, 21.1), (5.2, 22.0), (3.6, 22.4)]):
            rib.append((x * np.sin(np.radians(lon)), z - 0.25))
        for path in at.sides(rib):
            ink(path, over_mm=0.1, pressure=0.55, passes=2, wobble_mm=0.2)
    sheet.hatch(at([(6.8, 1.4), (6.8, 10.6), (4.0, 10.6), (4.0, 1.4)]), -50, 1.25)
    sheet.hatch(
        at([(13.4, 15.4), (12.6, 17.9), (9.4, 20.3), (8.9, 18.0), (10.6, 15.2)]), -48, 1.2, pressure=0.33
    )
    y = at([(0, 35)])[0, 1]
    left, right = at([(-17.2, 0)])[0, 0], at([(17.2, 0)])[0, 0]
    for x in (left, right):
        sheet.stroke(np.array([(x, y - 2.5), (x, y + 36)]), pressure=0.27, width_mm=0.36, wobble_mm=0.08)
    sheet.dimension((left, y), (right, y), "34", (at([(1.2, 0)])[0, 0], y - 1.6))
    sheet.write("lid", 24, 168, 6.2, 0.6)
    sheet.write("peg", 104, 121, 4.6, 0.5)
    sheet.stroke(curve([(103, 119), (101, 116.5), (98.2, 116.0)]), pressure=0.4, width_mm=0.4)
    sheet.coffee(124, 176, 34)
    sheet.erase(112, 88, 9, 4, -60)
    sheet.smear(52, 118, 15, 40, 0.55)
    sheet.smear(108, 60, 13, -35, 0.4)
    return sheet


def main(folder: Path) -> None:
    """Writes lantern_body_sheet.png and lantern_lid_sheet.png."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in (("lantern_body", draw_body), ("lantern_lid", draw_lid)):
        cv2.imwrite(str(folder / f"{name}_sheet.png"), draw().colour()[..., ::-1])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
