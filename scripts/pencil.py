# SPDX-License-Identifier: GPL-3.0-or-later
"""A pencil and a sheet of paper, for making the sample sketches and the sketches of the tests.

Development only: the extension never imports it. Everything is seeded, so the same call draws the same sheet.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]


def _noise(rng: np.random.Generator, count: int, sigma: float) -> F64:
    """Smooth noise of ``count`` samples with unit deviation and a correlation of ``sigma`` samples."""
    pad = int(4 * sigma) + 4
    raw = rng.standard_normal(count + 2 * pad)
    kernel = np.exp(-0.5 * (np.arange(-pad, pad + 1) / max(sigma, 0.1)) ** 2)
    kernel /= np.sqrt((kernel**2).sum())
    return np.asarray(np.convolve(raw, kernel, "same")[pad : pad + count])


def _field(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> F32:
    """Smooth noise picture with zero mean and unit deviation."""
    step = max(1, int(sigma / 2))
    small = rng.standard_normal((shape[0] // step + 8, shape[1] // step + 8)).astype(np.float32)
    small = cv2.GaussianBlur(small, (0, 0), max(sigma / step, 0.6))
    field = cv2.resize(small, (shape[1] + 8, shape[0] + 8), interpolation=cv2.INTER_CUBIC)[4:-4, 4:-4]
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def resample(points: F64, step: float) -> F64:
    """The polyline (N, 2) with points every ``step`` along it, ends kept."""
    length = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    at = np.linspace(0.0, length[-1], max(3, int(length[-1] / step) + 1))
    return np.stack([np.interp(at, length, points[:, k]) for k in (0, 1)], axis=1)


def curve(points: Sequence[tuple[float, float]], count: int = 80) -> F64:
    """A Catmull-Rom curve through ``points``."""
    p = np.asarray(points, float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    out = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        t = np.linspace(0, 1, max(4, count // (len(p) - 3)))[:, None]
        out.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return np.vstack(out)


def arc(cx: float, cy: float, rx: float, ry: float, a: float = 0.0, b: float = 360.0) -> F64:
    """An elliptic arc from angle a to b (degrees)."""
    t = np.radians(np.linspace(a, b, max(12, int(abs(b - a) / 4))))
    return np.stack([cx + rx * np.cos(t), cy + ry * np.sin(t)], axis=1)


class Sheet:
    """A sheet of paper in millimetres (x right, y down) that collects graphite.

    ``density`` is (H, W) float32 in 0..1, ``stain`` (H, W) float32 of brown.
    """

    def __init__(self, width_mm: float, height_mm: float, seed: int, px_per_mm: float = 11.0) -> None:
        self.rng = np.random.default_rng(seed)
        self.scale = px_per_mm
        self.shape = (int(height_mm * px_per_mm), int(width_mm * px_per_mm))
        self.density: F32 = np.zeros(self.shape, np.float32)
        self.stain: F32 = np.zeros(self.shape, np.float32)
        self.worn: F32 = np.zeros(self.shape, np.float32)
        tooth = 0.75 * _field(self.rng, self.shape, 1.0) + 0.5 * _field(self.rng, self.shape, 2.2)
        self.tooth = np.asarray(tooth, np.float32)

    def stroke(
        self, points: F64, *, pressure: float = 0.75, width_mm: float = 0.55, wobble_mm: float = 0.28
    ) -> None:
        """One line of the pencil: it wobbles, its pressure varies, it starts and ends thin, the tooth shows."""
        rng = self.rng
        path = resample(np.asarray(points, float), 0.2)
        n = len(path)
        path[:, 0] += wobble_mm * _noise(rng, n, 45) + 0.035 * _noise(rng, n, 5)
        path[:, 1] += wobble_mm * _noise(rng, n, 45) + 0.035 * _noise(rng, n, 5)
        press = pressure * (1 + 0.16 * _noise(rng, n, 25) + 0.05 * _noise(rng, n, 4))
        ends = np.minimum(np.arange(n), np.arange(n)[::-1]) * 0.2
        press = press * np.clip(0.45 + ends / 2.0, 0, 1)
        width = width_mm * (0.8 + 0.35 * press / pressure) * self.scale
        self._deposit(path * self.scale, press, width)

    def line(
        self, points: F64, *, passes: int = 2, over_mm: float = 1.2, pressure: float = 0.75, **style: float
    ) -> None:
        """A line as a designer draws it: searched lightly, then gone over, ends overshooting a little."""
        points = np.asarray(points, float)
        for index in range(passes):
            path = resample(points, 0.5)
            closed = np.linalg.norm(path[0] - path[-1]) < 0.5
            if not closed:
                for end, nxt in ((0, 2), (-1, -3)):
                    direction = path[end] - path[nxt]
                    direction /= np.linalg.norm(direction) + 1e-9
                    path[end] += direction * abs(self.rng.normal(0, over_mm * 0.6))
            path += self.rng.normal(0, 0.16, (1, 2)) * (index > 0)
            self.stroke(path, pressure=pressure * (0.55 if index == 0 and passes > 1 else 1.0), **style)

    def dashes(
        self, points: F64, dash_mm: float, gap_mm: float, *, dot: bool = False, **style: float
    ) -> None:
        """A dashed line, or a dash-dot line if ``dot``."""
        path = resample(np.asarray(points, float), 0.2)
        at, long = 0.0, True
        total = 0.2 * len(path)
        while at < total:
            length = (dash_mm if long or not dot else 0.7) * (1 + 0.12 * self.rng.standard_normal())
            a, b = int(at / 0.2), min(int((at + length) / 0.2) + 1, len(path))
            if b - a > 2:
                self.stroke(path[a:b], wobble_mm=0.06, **style)
            at += length + gap_mm * (1 + 0.15 * self.rng.standard_normal())
            long = not long

    def hatch(self, polygon: F64, angle_deg: float, step_mm: float, pressure: float = 0.3) -> None:
        """Quick parallel strokes inside a polygon."""
        angle = np.radians(angle_deg)
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        ring = np.asarray(polygon, np.float32).reshape(-1, 1, 2)
        offsets = polygon @ across
        for offset in np.arange(offsets.min() + step_mm, offsets.max(), step_mm):
            centre = across * (offset + self.rng.normal(0, step_mm * 0.12))
            reach = np.arange((polygon @ along).min(), (polygon @ along).max(), 0.3)
            points = centre + reach[:, None] * along
            inside = [cv2.pointPolygonTest(ring, (float(x), float(y)), False) > 0 for x, y in points]
            kept = points[np.asarray(inside)]
            if len(kept) > 6:
                self.stroke(
                    kept, pressure=pressure * self.rng.uniform(0.7, 1.2), width_mm=0.42, wobble_mm=0.12
                )

    def write(self, text: str, x: float, y: float, size_mm: float, pressure: float = 0.55) -> None:
        """A short note in a hand-drawn single-stroke lettering."""
        for char in text:
            for part in _GLYPHS.get(char, []):
                points = np.asarray(part, float) * size_mm + (x, y)
                self.stroke(curve([tuple(p) for p in points]), pressure=pressure, width_mm=0.5, wobble_mm=0.1)
            x += size_mm * (0.42 if char in " .1il" else 0.72)

    def dimension(
        self, a: tuple[float, float], b: tuple[float, float], text: str, at: tuple[float, float]
    ) -> None:
        """A dimension line with arrow heads and its number."""
        p, q = np.asarray(a, float), np.asarray(b, float)
        self.stroke(np.stack([p, q]), pressure=0.38, width_mm=0.38, wobble_mm=0.12)
        direction = (q - p) / np.linalg.norm(q - p)
        normal = np.array([-direction[1], direction[0]])
        for tip, way in ((p, 1), (q, -1)):
            for side in (-1, 1):
                head = np.stack([tip, tip + way * direction * 2.6 + side * normal * 0.9])
                self.stroke(head, pressure=0.5, width_mm=0.4, wobble_mm=0.02)
        self.write(text, at[0], at[1], 4.2)

    def smear(self, x: float, y: float, radius_mm: float, angle_deg: float, strength: float = 0.5) -> None:
        """A finger dragged over the graphite."""
        k = int(7 * self.scale) | 1
        kernel = np.zeros((k, k), np.float32)
        d = np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))]) * k / 2
        c = np.array([k / 2, k / 2])
        cv2.line(
            kernel, tuple(int(v) for v in c - d), tuple(int(v) for v in c + d), 1.0, int(2.4 * self.scale)
        )
        dragged = cv2.filter2D(self.density, -1, kernel / kernel.sum())
        dragged = cv2.GaussianBlur(dragged, (0, 0), 0.5 * self.scale)
        mask = self._spot(x, y, radius_mm, radius_mm * 0.5, angle_deg)
        self.density += strength * mask * (dragged * 1.1 + 0.075 * np.clip(1 + 0.4 * self.tooth, 0, 2))

    def erase(self, x: float, y: float, rx_mm: float, ry_mm: float, angle_deg: float) -> None:
        """An eraser rubbed over a place: a ghost of the line stays, and some dirt."""
        mask = self._spot(x, y, rx_mm, ry_mm, angle_deg)
        blurred = cv2.GaussianBlur(self.density, (0, 0), 0.35 * self.scale)
        self.density = self.density * (1 - 0.86 * mask) + 0.1 * blurred * mask
        self.worn += mask

    def coffee(self, x: float, y: float, radius_mm: float) -> None:
        """The ring of a cup, darker on its rim and not quite closed."""
        yy, xx = np.mgrid[: self.shape[0], : self.shape[1]].astype(np.float32) / self.scale
        radius = np.hypot(xx - x, yy - y)
        angle = np.arctan2(yy - y, xx - x)
        wave = 0.25 * np.sin(3 * angle + 1) + 0.15 * np.sin(7 * angle)
        rim = np.exp(-(((radius - radius_mm - wave) / 0.42) ** 2)) + 0.35 * np.exp(
            -(((radius - radius_mm + 1.1 - wave) / 1.0) ** 2)
        )
        broken = np.clip(0.75 + 0.55 * np.sin(angle + 2.2) + 0.25 * np.sin(2.3 * angle), 0, 1)
        self.stain += np.asarray(rim * broken * np.clip(1 + 0.25 * self.tooth, 0, 2), np.float32)

    def colour(self) -> U8:
        """(H, W, 3) uint8 sRGB of the sheet."""
        fibre = 0.010 * _field(self.rng, self.shape, 1.4) + 0.003 * _field(self.rng, self.shape, 9)
        blotch = 0.008 * _field(self.rng, self.shape, 140)
        paper = np.array([0.945, 0.930, 0.890], np.float32) * (1 + fibre + blotch)[..., None]
        paper = paper * (1 + 0.012 * np.clip(self.worn, 0, 1)[..., None])
        brown = np.array([0.80, 0.62, 0.42], np.float32)
        paper = paper * (1 - np.clip(self.stain, 0, 1.3)[..., None] * 0.75 * (1 - brown))
        graphite = np.array([0.235, 0.24, 0.25], np.float32)
        depth = np.clip(self.density, 0, 1)[..., None] ** 0.86
        return np.asarray(np.clip(paper * (1 - depth) + graphite * depth, 0, 1) * 255 + 0.5, np.uint8)

    def _spot(self, x: float, y: float, rx: float, ry: float, angle_deg: float) -> F32:
        mask = np.zeros(self.shape, np.float32)
        centre = (int(x * self.scale), int(y * self.scale))
        axes = (int(rx * self.scale), int(ry * self.scale))
        cv2.ellipse(mask, centre, axes, angle_deg, 0, 360, 1.0, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), ry * self.scale * 0.35)
        return np.asarray(mask * np.clip(0.8 + 0.35 * self.tooth, 0, 1.3), np.float32)

    def _deposit(self, path: F64, press: F64, width: F64) -> None:
        low = np.floor(path.min(0) - 12).astype(int)
        high = np.ceil(path.max(0) + 12).astype(int)
        low, high = np.maximum(low, 0), np.minimum(high, self.shape[::-1])
        if (high <= low).any():
            return
        size = high - low
        layer = np.zeros((size[1] * 2, size[0] * 2), np.float32)
        points = np.round((path - low) * 2 * 16).astype(int)
        for k in range(len(points) - 1):
            a, b = tuple(points[k].tolist()), tuple(points[k + 1].tolist())
            cv2.line(layer, a, b, float(press[k]), max(1, round(float(width[k]) * 2)), cv2.LINE_8, 4)
        layer = cv2.GaussianBlur(layer, (0, 0), 1.6)
        layer = cv2.resize(layer, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
        window = np.s_[low[1] : high[1], low[0] : high[0]]
        grain = np.clip(
            1.5 * layer + 0.42 * self.tooth[window] - 0.12, 0, 1
        )  # light strokes touch only the peaks
        laid = np.clip(layer * (0.35 + 0.75 * grain), 0, 0.93)
        self.density[window] = 1 - (1 - self.density[window]) * (1 - laid)


_GLYPHS: dict[str, list[list[tuple[float, float]]]] = {
    "0": [[(0.3, -1), (0.05, -0.6), (0.1, -0.1), (0.35, 0), (0.55, -0.4), (0.5, -0.85), (0.3, -1)]],
    "1": [[(0.05, -0.75), (0.25, -1), (0.25, 0)]],
    "2": [
        [(0.05, -0.8), (0.3, -1), (0.5, -0.75), (0.3, -0.4), (0.02, 0)],
        [(0.02, 0), (0.3, -0.04), (0.55, 0)],
    ],
    "3": [
        [(0.05, -0.92), (0.35, -1), (0.48, -0.75), (0.22, -0.54), (0.5, -0.3), (0.35, -0.02), (0.02, -0.08)]
    ],
    "4": [[(0.35, -1), (0.02, -0.35), (0.55, -0.35)], [(0.4, -0.6), (0.4, 0)]],
    "5": [
        [(0.5, -1), (0.12, -1)],
        [(0.12, -1), (0.08, -0.6), (0.4, -0.6), (0.5, -0.25), (0.25, 0), (0.02, -0.1)],
    ],
    "6": [[(0.45, -1), (0.1, -0.6), (0.08, -0.15), (0.3, 0), (0.5, -0.25), (0.3, -0.48), (0.1, -0.3)]],
    "7": [[(0.03, -1), (0.5, -1)], [(0.5, -1), (0.3, -0.5), (0.2, 0)]],
    "8": [
        [
            (0.45, -0.85),
            (0.25, -1),
            (0.08, -0.8),
            (0.3, -0.55),
            (0.5, -0.25),
            (0.28, 0),
            (0.05, -0.25),
            (0.3, -0.55),
            (0.45, -0.85),
        ]
    ],
    "m": [
        [(0, 0), (0.02, -0.5)],
        [(0.02, -0.35), (0.15, -0.5), (0.27, -0.35), (0.28, 0)],
        [(0.28, -0.35), (0.42, -0.5), (0.54, -0.35), (0.55, 0)],
    ],
    "l": [[(0.2, -1), (0.18, -0.2), (0.32, 0)]],
    "i": [[(0.2, -0.5), (0.2, 0)], [(0.2, -0.72), (0.21, -0.68)]],
    "d": [[(0.45, -1), (0.45, 0)], [(0.45, -0.4), (0.2, -0.5), (0.04, -0.22), (0.22, 0), (0.45, -0.15)]],
    "b": [[(0.08, -1), (0.08, 0)], [(0.08, -0.4), (0.32, -0.5), (0.48, -0.22), (0.3, 0), (0.08, -0.12)]],
    "o": [[(0.25, -0.5), (0.05, -0.25), (0.25, 0), (0.46, -0.25), (0.25, -0.5)]],
    "y": [[(0.05, -0.5), (0.25, -0.08)], [(0.48, -0.5), (0.2, 0.15), (0.02, 0.3)]],
    "g": [
        [(0.45, -0.45), (0.2, -0.5), (0.05, -0.22), (0.25, -0.02), (0.45, -0.3)],
        [(0.46, -0.5), (0.45, 0.15), (0.25, 0.32), (0.05, 0.2)],
    ],
    "e": [[(0.06, -0.26), (0.44, -0.28), (0.25, -0.5), (0.05, -0.25), (0.2, 0), (0.45, -0.08)]],
    "p": [[(0.08, -0.5), (0.08, 0.35)], [(0.08, -0.4), (0.32, -0.5), (0.48, -0.22), (0.3, 0), (0.08, -0.1)]],
    "a": [[(0.42, -0.45), (0.18, -0.5), (0.05, -0.2), (0.22, 0), (0.42, -0.2)], [(0.44, -0.5), (0.46, 0)]],
    "n": [[(0.06, -0.5), (0.06, 0)], [(0.06, -0.35), (0.26, -0.5), (0.42, -0.32), (0.43, 0)]],
    "t": [[(0.22, -0.85), (0.2, -0.1), (0.38, 0)], [(0.02, -0.55), (0.42, -0.56)]],
    "r": [[(0.06, -0.5), (0.08, 0)], [(0.08, -0.32), (0.24, -0.48), (0.4, -0.45)]],
    "u": [[(0.05, -0.5), (0.06, -0.12), (0.25, 0), (0.42, -0.15)], [(0.43, -0.5), (0.45, 0)]],
    "s": [[(0.4, -0.45), (0.15, -0.5), (0.1, -0.32), (0.36, -0.18), (0.3, 0), (0.04, -0.05)]],
    "w": [[(0.02, -0.5), (0.14, 0), (0.28, -0.35), (0.42, 0), (0.56, -0.5)]],
}
