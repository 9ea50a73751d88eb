# SPDX-License-Identifier: GPL-3.0-or-later
"""Sketches of known shape, drawn and photographed by program, for the tests of reading them."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np

from scripts.pencil import Sheet, arc, curve

PX_PER_MM = 7


def gear() -> Sheet:
    """Twelve teeth between radius 36 and 44 mm, a bore of 9 mm radius and six holes of 5.5 mm."""
    sheet, centre, points = Sheet(148, 210, 5, PX_PER_MM), np.array([74, 100]), []
    for k in range(12):
        a = 2 * np.pi * k / 12 - np.pi / 2
        for off, r in ((-0.20, 36), (-0.11, 44), (0.11, 44), (0.20, 36)):
            points.append(centre + r * np.array([np.cos(a + off), np.sin(a + off)]))
    for a, b in zip(points, [*points[1:], points[0]], strict=True):
        sheet.line(np.array([a, b]), over_mm=0.3)
    sheet.line(arc(74, 100, 9, 9, 10, 380), over_mm=0)
    for k in range(6):
        a = 2 * np.pi * k / 6
        sheet.line(arc(74 + 23 * np.cos(a), 100 + 23 * np.sin(a), 5.5, 5.5, 0, 372), over_mm=0)
    return sheet


def creature() -> Sheet:
    """A round figure that waves with one arm."""
    sheet = Sheet(148, 210, 6, PX_PER_MM)
    x = [
        50,
        38,
        36,
        30,
        22,
        30,
        42,
        48,
        46,
        56,
        74,
        92,
        103,
        102,
        112,
        124,
        131,
        124,
        112,
        110,
        106,
        112,
        104,
        90,
        84,
    ]
    y = [
        150,
        130,
        105,
        95,
        80,
        72,
        82,
        74,
        58,
        40,
        33,
        40,
        56,
        72,
        70,
        58,
        66,
        84,
        95,
        120,
        142,
        158,
        168,
        162,
        152,
    ]
    outline = [*zip(x, y, strict=True), (70, 153), (66, 166), (54, 170), (46, 162), (50, 150)]
    sheet.line(curve(outline, 400), over_mm=0, passes=3)
    for eye in (64, 86):
        sheet.line(arc(eye, 66, 5, 6, 0, 372), over_mm=0)
    sheet.line(curve([(64, 86), (74, 92), (87, 85)]), over_mm=0.4)
    sheet.hatch(arc(92, 120, 12, 22), -50, 2)
    return sheet


VASE = [
    (20, 170),
    (18, 166),
    (26, 150),
    (38, 125),
    (40, 105),
    (30, 82),
    (16, 66),
    (13, 55),
    (20, 44),
    (22, 42),
]


def vase(gap_mm: float = 0.0) -> Sheet:
    """A vase without a centre line, 128 mm high and 80 mm wide as drawn; a gap in its left side if asked."""
    sheet = Sheet(148, 210, 7, PX_PER_MM)
    side = curve(VASE, 400)
    for sign in (-1, 1):
        path = np.stack([74 + sign * side[:, 0], side[:, 1]], axis=1)
        if gap_mm and sign < 0:
            away = np.abs(path[:, 1] - 118) > gap_mm / 2
            sheet.line(path[: int(np.argmin(away))], over_mm=0.0, passes=1)
            sheet.line(path[len(path) - int(np.argmin(away[::-1])) :], over_mm=0.0, passes=1)
        else:
            sheet.line(path, over_mm=0.3)
    sheet.line(np.array([(54, 170), (94, 170)]))
    sheet.line(np.array([(52, 42), (96, 42)]))
    sheet.line(curve([(35, 112), (74, 116), (113, 112)]), over_mm=0, pressure=0.55)
    sheet.smear(50, 90, 20, 30, 0.5)
    return sheet


def cup() -> Sheet:
    """A cup drawn as a section: 80 mm high, 60 wide, with a cavity 36 wide and 50 deep cut into its top."""
    sheet = Sheet(148, 210, 9, PX_PER_MM)
    half = [(0, 150), (30, 150), (30, 70), (18, 70), (18, 120), (0, 120)]
    for a, b in itertools.pairwise(half):
        for sign in (-1, 1):
            sheet.line(np.array([(74 + sign * a[0], a[1]), (74 + sign * b[0], b[1])]), over_mm=0.2)
    return sheet


def photo(sheet: Sheet, path: Path, *, tilt_deg: float = 0.0, borders: bool = True, seed: int = 1) -> Path:
    """Writes a JPEG of the sheet on a dark desk, uneven light, a shadow, noise; or a scan without borders."""
    rng = np.random.default_rng(seed)
    picture = sheet.colour()[..., ::-1].astype(np.float32)
    if borders:
        picture = _on_desk(picture, tilt_deg, rng)
    h, w = picture.shape[:2]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    light = 0.92 - 0.32 * (x / w) * (y / h) - 0.22 * ((x / w - 0.5) ** 2 + (y / h - 0.5) ** 2)
    light *= 1 - 0.25 / (1 + np.exp(-(x - 0.75 * w - 0.2 * y) / (0.05 * w)))
    picture = cv2.GaussianBlur(picture * light[..., None], (0, 0), 0.9) + rng.normal(0, 2.5, picture.shape)
    cv2.imwrite(str(path), np.clip(picture, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return path


def _on_desk(picture: np.ndarray, tilt_deg: float, rng: np.random.Generator) -> np.ndarray:
    h, w = picture.shape[:2]
    size = (1050, 1400)
    quad = np.array([[130, 150], [910, 105], [970, 1295], [80, 1250]], np.float64)
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), tilt_deg, 0.92)
    quad = (np.c_[quad, np.ones(4)] @ turn.T).astype(np.float32)
    warp = cv2.getPerspectiveTransform(np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32), quad)
    cover = cv2.warpPerspective(np.ones((h, w), np.float32), warp, size, flags=cv2.INTER_AREA)[..., None]
    grain = cv2.GaussianBlur(rng.normal(size=size[::-1]).astype(np.float32), (0, 0), 6)[..., None]
    desk = np.array([55, 75, 105], np.float32) * (1 + 0.5 * grain)
    return desk * (1 - cover) + cv2.warpPerspective(picture, warp, size, flags=cv2.INTER_AREA) * cover
