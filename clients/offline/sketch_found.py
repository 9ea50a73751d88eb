# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture that shows the artist what was found: outline, axis, peg, socket, panes, size."""

import cv2
import numpy as np
from numpy.typing import NDArray

from .outline import Outline
from .outline_features import Feature, Upright

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]
OUTLINE, AXIS, PEG, SOCKET, PANE = (
    (232, 74, 44),
    (44, 112, 196),
    (18, 140, 90),
    (138, 60, 176),
    (236, 168, 40),
)
TEXT, PAPER = (40, 42, 48), (252, 250, 245)
SIDE = 1200
FONT = cv2.FONT_HERSHEY_DUPLEX


class _Canvas:
    """A picture with marks placed in millimetres; drawn with anti-aliased lines."""

    def __init__(self, outline: Outline, view: Upright) -> None:
        self.zoom = SIDE / max(view.rgb.shape[:2])
        size = (round(view.rgb.shape[1] * self.zoom), round(view.rgb.shape[0] * self.zoom))
        sheet = cv2.resize(view.rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        grey = sheet.mean(axis=2, keepdims=True)
        light = cv2.GaussianBlur(grey, (0, 0), 40)[..., None]
        self.picture = np.clip(
            grey / np.maximum(light, 1) * np.array(PAPER, np.float32) * 0.99, 0, 255
        ).astype(np.uint8)
        self.view, self.outline = view, outline

    def px(self, points: F64) -> NDArray[np.int32]:
        """Fixed-point (4 bits) pixel positions of points in mm."""
        at = np.asarray(points, float).reshape(-1, 2) * (1, -1) * self.view.px_per_mm
        at = (at + np.array([self.view.axis_px, self.view.bottom_px])) * self.zoom
        return np.round(at * 16).astype(np.int32).reshape(-1, 1, 2)

    def line(self, points: F64, colour: tuple[int, int, int], width: int = 3, closed: bool = False) -> None:
        cv2.polylines(self.picture, [self.px(points)], closed, colour, width, cv2.LINE_AA, 4)

    def fill(self, points: F64, colour: tuple[int, int, int], strength: float) -> None:
        over = self.picture.copy()
        cv2.fillPoly(over, [self.px(points)], colour, cv2.LINE_AA, 4)
        self.picture = cv2.addWeighted(over, strength, self.picture, 1 - strength, 0).astype(np.uint8)

    def dashed(self, a: tuple[float, float], b: tuple[float, float], colour: tuple[int, int, int]) -> None:
        """A dash-dot line."""
        start, end = np.array(a), np.array(b)
        length = float(np.linalg.norm(end - start)) * self.view.px_per_mm * self.zoom
        at = 0.0
        for step, on in [(26, True), (9, False), (3, True), (9, False)] * (int(length / 47) + 1):
            if on and at < length:
                piece = start + (end - start) * np.array([[at / length], [min(at + step, length) / length]])
                self.line(piece, colour, 2)
            at += step

    def label(self, text: str, at_mm: tuple[float, float], colour: tuple[int, int, int], to_mm: F64) -> None:
        """Text on a coloured tag with a leader to the point it names."""
        (w, h), _ = cv2.getTextSize(text, FONT, 0.62, 1)
        x, y = (self.px(np.array(at_mm))[0, 0] / 16).astype(int)
        x, y = (
            int(np.clip(x, 8, self.picture.shape[1] - w - 24)),
            int(np.clip(y, h + 14, self.picture.shape[0] - 12)),
        )
        end = (self.px(to_mm)[0, 0] / 16).astype(int).tolist()
        cv2.line(
            self.picture,
            (x + (w // 2 if abs(end[0] - x) < w else 0), y - h // 2),
            end,
            colour,
            1,
            cv2.LINE_AA,
        )
        cv2.circle(self.picture, end, 4, colour, -1, cv2.LINE_AA)
        cv2.rectangle(self.picture, (x - 8, y - h - 8), (x + w + 8, y + 8), colour, -1, cv2.LINE_AA)
        cv2.putText(self.picture, text, (x, y), FONT, 0.62, (255, 255, 255), 1, cv2.LINE_AA)


def found_picture(outline: Outline, view: Upright) -> U8:
    """(H, W, 3) uint8, longest side 1200 px, with a caption strip below."""
    canvas = _Canvas(outline, view)
    canvas.fill(outline.contour, OUTLINE, 0.05)
    for pane in outline.panes:
        canvas.fill(pane, PANE, 0.22)
    for hole in outline.holes:
        canvas.fill(hole, (255, 255, 255), 0.7)
        canvas.line(hole, OUTLINE, 2, True)
    canvas.line(outline.contour, OUTLINE, 3, True)
    height = outline.height_mm
    if outline.method == "REVOLVE":
        canvas.dashed((0, -0.06 * height), (0, 1.06 * height), AXIS)
    for feature in outline.features:
        _draw_feature(canvas, feature, height)
    _size(canvas, outline)
    return _captioned(canvas.picture, outline)


def _draw_feature(canvas: _Canvas, feature: Feature, height: float) -> None:
    r, low, top = feature.radius_mm, feature.level_mm - feature.length_mm, feature.level_mm
    colour = PEG if feature.kind == "peg" else SOCKET
    box = np.array([[-r, low], [r, low], [r, top], [-r, top]])
    canvas.fill(box, colour, 0.2)
    canvas.line(box, colour, 2, True)
    amount = "long" if feature.kind == "peg" else "deep"
    text = f"{feature.kind}  dia {2 * r:.1f}, {feature.length_mm:.1f} {amount}"
    reach = float(np.abs(canvas.outline.contour[:, 0]).max())
    canvas.label(
        text, (-reach * 1.15, low + 0.5 * (top - low)), colour, np.array([-r, low + 0.5 * (top - low)])
    )


def _size(canvas: _Canvas, outline: Outline) -> None:
    x = float(outline.contour[:, 0].max()) + 0.075 * outline.height_mm
    head = 0.014 * outline.height_mm
    canvas.line(np.array([[x, 0], [x, outline.height_mm]]), TEXT, 1)
    for z, way in ((0.0, 1), (outline.height_mm, -1)):
        canvas.line(
            np.array([[x - head / 2, z + way * head], [x, z], [x + head / 2, z + way * head]]), TEXT, 1
        )
        canvas.line(np.array([[x - 2 * head, z], [x + head, z]]), TEXT, 1)
    text = f"{outline.height_mm:g} mm"
    (w, h), _ = cv2.getTextSize(text, FONT, 0.6, 1)
    at = (canvas.px(np.array([x, outline.height_mm / 2]))[0, 0] / 16).astype(int)
    left, base = min(int(at[0]) - w // 2, canvas.picture.shape[1] - w - 10), int(at[1]) + h // 2
    cv2.rectangle(canvas.picture, (left - 5, base - h - 7), (left + w + 5, base + 8), PAPER, -1)
    cv2.putText(canvas.picture, text, (left, base), FONT, 0.6, TEXT, 1, cv2.LINE_AA)


def _captioned(picture: U8, outline: Outline) -> U8:
    verb = {
        "REVOLVE": "turned on its axis",
        "EXTRUDE": "cut from a plate",
        "INFLATE": "blown up from its outline",
    }
    head = f"{outline.name}: {verb[outline.method]}  ({100 * outline.confidence:.0f} % sure)"
    because = "because " + "; ".join(outline.reasons) if outline.reasons else ""
    lines = [
        (head, 0.72, TEXT),
        *((line, 0.5, (96, 98, 104)) for line in _wrapped(because, picture.shape[1] - 48)),
    ]
    strip = np.full((26 + 26 * len(lines) + 10, picture.shape[1], 3), 255, np.uint8)
    for index, (line, size, colour) in enumerate(lines):
        cv2.putText(strip, line, (24, 38 + 26 * index), FONT, size, colour, 1, cv2.LINE_AA)
    return np.vstack([picture, strip])


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and cv2.getTextSize(f"{lines[-1]} {word}", FONT, 0.5, 1)[0][0] < width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
