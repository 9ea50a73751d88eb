# SPDX-License-Identifier: GPL-3.0-or-later
"""Paints textures: the variant's colours with a brushed, slightly uneven coat, and the drawn decor on top."""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...pipeline.errors import UsageError
from .decor import Decor
from .revolve import Chart, Turned, inner_start

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Colour = tuple[float, float, float]
DEFAULTS = {"base": "#3f6f63", "accent": "#f6c96b", "line": "#26221f", "inside": "#2f3532", "peg": "#8f8a80"}


@dataclass(frozen=True)
class Palette:
    """sRGB colours 0..1: coat, panes, drawn lines, inside of a socket, peg."""

    base: Colour
    accent: Colour
    line: Colour
    inside: Colour
    peg: Colour


def palette(colours: dict[str, Any] | None) -> Palette:
    """From ``{"base": "#rrggbb" or [r, g, b] in 0..1, ...}``; missing ones have defaults. Raises UsageError."""
    given = colours or {}
    made = {name: _colour(name, given.get(name, default)) for name, default in DEFAULTS.items()}
    if "inside" not in given:
        made["inside"] = _mixed(made["base"], (0.0, 0.0, 0.0), 0.45)
    if "peg" not in given:
        made["peg"] = _mixed(made["base"], made["peg"], 0.65)
    return Palette(**made)


def _mixed(one: Colour, two: Colour, share: float) -> Colour:
    red, green, blue = ((1 - share) * a + share * b for a, b in zip(one, two, strict=True))
    return red, green, blue


def _colour(name: str, value: Any) -> Colour:
    try:
        if isinstance(value, str):
            text = value.lstrip("#")
            if len(text) != 6:
                raise ValueError(value)
            red, green, blue = (int(text[k : k + 2], 16) / 255 for k in (0, 2, 4))
        else:
            red, green, blue = (float(v) for v in list(value)[:3])
            if max(red, green, blue) > 1:
                red, green, blue = red / 255, green / 255, blue / 255
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"The colour {name} = {value!r} can't be read", todo="Write it as #rrggbb."
        ) from error
    return red, green, blue


@dataclass
class Coat:
    """Periodic noise (S, S) float32 for the unevenness of a painted surface, the same for the same seed."""

    seed: int
    fine: F32 = field(init=False)
    broad: F32 = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.fine, self.broad = _periodic(rng, 256, 40), _periodic(rng, 256, 5)

    def shade(self, u: F64, v: F64) -> F64:
        """Factor about 1 at texture-independent places: ``u`` in turns (periodic), ``v`` in multiples of 20 mm."""
        cloud = _wrapped(self.broad, u, v)
        streak = _wrapped(self.fine, u * 0.5, v * 5)
        grain = _wrapped(self.fine, u * 5, v * 5)
        return 1 + 0.035 * cloud + 0.016 * streak + 0.013 * grain


def _periodic(rng: np.random.Generator, size: int, cycles: float) -> F32:
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(size, 1 / size), np.fft.rfftfreq(size, 1 / size), indexing="ij"))
    band = np.exp(-((f / cycles) ** 2)) * (f > 0)
    noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((size, size))) * band, (size, size))
    return np.asarray(noise / noise.std(), np.float32)


def _wrapped(picture: F32, u: F64, v: F64) -> F64:
    size = picture.shape[0]
    x, y = np.mod(u, 1) * size, np.mod(v, 1) * size
    padded = np.pad(picture, ((0, 1), (0, 1)), mode="wrap")
    x, y = np.broadcast_arrays(x, y)
    return np.asarray(
        cv2.remap(padded, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR), np.float64
    )


def paint_turned(
    turned: Turned, decor: Decor | None, colours: Palette, base: Colour, size: int, seed: int
) -> U8:
    """(size, size, 3) uint8 sRGB texture of a turned part. ``turned.profile`` is in the drawing's millimetres."""
    picture = np.empty((size, size, 3), np.float32)
    picture[:] = np.array(base, np.float32)
    coat = Coat(seed)
    worn = _edges(turned.profile)
    for chart in turned.charts:
        _paint_chart(picture, turned, chart, decor, colours, base, coat, worn)
    return np.asarray(np.clip(picture[::-1], 0, 1) * 255 + 0.5, np.uint8)


def _paint_chart(
    picture: F32,
    turned: Turned,
    chart: Chart,
    decor: Decor | None,
    colours: Palette,
    base: Colour,
    coat: Coat,
    worn: F64,
) -> None:
    size, place = picture.shape[0], chart.place
    bleed = 0.45 * 8 / 1024
    x0, x1 = (
        int(max(0, (place.u - bleed) * size)),
        int(min(size, np.ceil((place.u + place.width + bleed) * size))),
    )
    y0, y1 = (
        int(max(0, (place.v - bleed) * size)),
        int(min(size, np.ceil((place.v + place.height + bleed) * size))),
    )
    u = ((np.arange(x0, x1) + 0.5) / size - place.u) / place.width
    v = ((np.arange(y0, y1) + 0.5) / size - place.v) / place.height
    turn, arc = _polar(chart, u, v)
    run = turned.profile[chart.first : chart.last + 1]
    radius, height = (np.interp(arc, chart.arc, run[:, k]) for k in (0, 1))
    inside = chart.first >= inner_start(turned.profile)
    shade = coat.shade(turn, (arc + 7.3 * chart.first) / 20) * np.interp(
        arc, chart.arc, worn[chart.first : chart.last + 1]
    )
    tint = np.array(colours.inside if inside else base)
    colour = tint * np.ones((*shade.shape, 1))
    if decor is not None and not chart.disc and not inside:
        colour = _decorated(colour, decor, colours, turn, radius, height)
    picture[y0:y1, x0:x1] = colour * shade[..., None]


def _polar(chart: Chart, u: F64, v: F64) -> tuple[F64, F64]:
    """Turns around the axis (0.5 = front) and arc length (mm) at texture places of a chart, as full grids."""
    if not chart.disc:
        turn, arc = np.meshgrid(u, np.clip(v, 0, 1) * chart.arc[-1])
        return turn, arc
    x, y = np.meshgrid(2 * u - 1, 2 * v - 1)
    away = np.clip(np.hypot(x, y), 0, 1) * chart.arc[-1]
    turn = (np.arctan2(y, x) - np.pi / 2) / (2 * np.pi) * (-1 if chart.first == 0 else 1)
    return np.mod(turn, 1), away if chart.first == 0 else chart.arc[-1] - away


def _decorated(colour: F64, decor: Decor, colours: Palette, turn: F64, radius: F64, height: F64) -> F64:
    angle = (turn - 0.5) * 2 * np.pi
    facing = np.abs(np.cos(angle))
    x, z = radius * np.sin(angle), height - decor.view_tilt * radius * facing
    lines, panes = decor.at(decor.lines, x, z), decor.at(decor.panes, x, z)
    side = np.clip((facing - 0.16) / 0.22, 0, 1)
    front = np.abs(np.mod(turn[0] - 0.25, 0.5) - 0.25) < 0.17
    ring = lines[:, front].mean(axis=1)
    ring = np.clip((ring - 0.34) / 0.2, 0, 1) * np.clip(1.15 * ring + 0.1, 0, 0.85)
    lines = np.maximum(lines * side, ring[:, None])
    pane = (panes * side)[..., None]
    glass = np.array(colours.accent) * (0.72 + 0.36 * pane)
    colour = colour * (1 - np.clip(pane * 2, 0, 1)) + glass * np.clip(pane * 2, 0, 1)
    halo = cv2.GaussianBlur(lines.astype(np.float32), (0, 0), 5)[..., None]
    colour = colour * (1 - 0.16 * np.clip(halo, 0, 1))
    strength = 0.86 * np.clip(lines, 0, 1)[..., None]
    return np.asarray(colour * (1 - strength) + np.array(colours.line) * strength)


def _edges(profile: F64) -> F64:
    """(N,) factor about 1 along a profile: lighter on outer edges, darker in grooves."""
    step = np.linalg.norm(np.diff(profile, axis=0), axis=1)
    arc = np.r_[0.0, np.cumsum(step)]
    a, b = np.diff(profile, axis=0)[:-1], np.diff(profile, axis=0)[1:]
    turn = np.r_[0.0, np.arctan2(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], (a * b).sum(axis=1)), 0.0]
    scale = 0.012 * float(np.ptp(profile[:, 1]))

    def spread(values: F64, width: float) -> F64:
        near = np.exp(-0.5 * ((arc[:, None] - arc[None]) / width) ** 2)
        return np.asarray(near @ values)

    return (
        1
        + 0.10 * np.clip(spread(np.maximum(turn, 0), scale), 0, 1.2)
        - 0.2 * np.clip(spread(np.maximum(-turn, 0), 2 * scale), 0, 1.2)
    )
