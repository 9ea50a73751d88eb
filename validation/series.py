# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures by part and frame and between frames, as they are collected, judged and written to measures.json."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .contours import SECTORS
from .fits import MODES, Fit, Frame
from .joints import Joint
from .surface import Look, Texture, follow

F64 = NDArray[np.float64]

CELLS = (45, 80)
PER_PART = (
    "visible_px", "speed", "share", "lost", "null", "ratio", "decidable", "clear", "textured", "radius", "focal", "energy",
    "outline_rest", "outline_bend", "ghost", "ghost_x", "ghost_y", "ghost_new", "new", "new_x", "new_y", "new_like", "take_L", "take_a", "take_b", "render_L", "render_a", "render_b",
)  # fmt: skip
"""What is measured of each part in each frame by itself. NaN where it can't be told."""


@dataclass(frozen=True)
class Link:
    """What frame ``here`` of the take says against frame ``there`` (positions), of one part; px of a picture 640 wide.

    ``field`` (22,) displacement (see fits), NaN where it can't be read; ``rest`` px that it does not explain; ``points`` it was read at; ``colour`` (3,) Lab; ``gone``, ``unlike``, ``change``, ``garbled``, ``strange``, ``noise`` see surface;
    ``foreign`` share of the surface that looks like part ``alien`` (id).
    """

    here: int
    there: int
    field: F64
    rest: float
    points: int
    turned_deg: float
    colour: F64
    gone: float
    unlike: float
    change: float
    garbled: float
    strange: float
    noise: float
    at: tuple[float, float]
    foreign: float
    alien: int

    @classmethod
    def of(cls, here: int, there: int, fit: Fit | None, look: Look, texture: Texture, unit: float, turned_deg: float,
           foreign: float, alien: int) -> "Link":  # fmt: skip
        """From what was found; lengths in working pixels, ``unit`` of them in a pixel of a picture 640 wide."""
        field, rest, points = np.full(MODES, np.nan), float("nan"), 0
        if fit is not None:
            field, rest, points = fit.field / unit, fit.rest / unit, fit.points
        return cls(
            here, there, field, rest, points, turned_deg, look.colour, look.gone, look.unlike, texture.change,
            texture.garbled, texture.strange, texture.noise, look.at, foreign, alien,
        )  # fmt: skip


@dataclass
class Series:
    """``frames`` take frames; ``of[part][measure]`` (F,) float64; ``outlines[part]`` (F, 22) displacement field of the
    outline; ``shapes[part]`` {i: Frame}; ``links[part]``; ``touching[part][i]`` names of parts that meet it at frame i;
    ``numbers`` names by id; ``cells`` (F, 45, 80) which part shows where, for the map of heat."""

    frames: tuple[int, ...]
    parts: tuple[str, ...]
    of: dict[str, dict[str, F64]] = field(default_factory=dict)
    outlines: dict[str, F64] = field(default_factory=dict)
    profiles: dict[str, F64] = field(default_factory=dict)
    borders: dict[str, list[dict[int, float]]] = field(default_factory=dict)
    shapes: dict[str, dict[int, Frame]] = field(default_factory=dict)
    links: dict[str, list[Link]] = field(default_factory=dict)
    touching: dict[str, list[frozenset[str]]] = field(default_factory=dict)
    joints: list[Joint] = field(default_factory=list)
    numbers: dict[int, str] = field(default_factory=dict)
    cells: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, *CELLS), np.int32))

    def __post_init__(self) -> None:
        count = len(self.frames)
        self.cells = np.zeros((count, *CELLS), np.int32)
        for part in self.parts:
            self.of[part] = {name: np.full(count, np.nan) for name in PER_PART}
            self.outlines[part] = np.full((count, MODES), np.nan)
            self.profiles[part] = np.full((count, SECTORS), np.nan)
            self.borders[part] = [{} for _ in self.frames]
            self.shapes[part] = {}
            self.links[part] = []
            self.touching[part] = [frozenset() for _ in self.frames]

    def put(self, part: str, index: int, **values: float) -> None:
        """Stores measures of a part at frame index ``index``."""
        for name, value in values.items():
            self.of[part][name][index] = value

    def outline(self, part: str, index: int, fit: Fit, unit: float) -> None:
        """Stores how an outline lies off the render's."""
        self.outlines[part][index] = fit.field / unit
        self.put(part, index, outline_rest=fit.rest / unit)


def column(links: Sequence[Link], name: str) -> F64:
    """(e, ...) one field of all links."""
    return np.array([getattr(link, name) for link in links], np.float64)


MIDDLE_L = 66.0
"""L + 16 of a middle grey, to which chroma is brought."""

LIT_L = 45.0
"""L + 16 below which chroma counts for less: in the dark it is mostly noise, and no longer in proportion."""


def chroma(lab: F64) -> F64:
    """(..., 2) of Lab (..., 3): a and b brought to one lightness. In CIELAB a, b and L + 16 all go with the cube root
    of the light, so their ratios don't: less or more light changes nothing here."""
    return np.asarray(lab[..., 1:] * (MIDDLE_L / np.maximum(lab[..., :1] + 16, 8.0)))


def lit(one: float, other: float) -> float:
    """0..1: how much a difference in chroma counts between colours of lightness (L) ``one`` and ``other``."""
    return float(np.clip((min(one, other) + 16) / LIT_L, 0, 1)) ** 2


def colours(series: Series, part: str) -> F64:
    """(e, 5) change over each link beyond what the render's light does: Lab, and chroma (2). Of the same surface points,
    or of the part as a whole, whichever is less: light that moves over a turning part changes the one, another side
    that comes to show the other."""
    of, links = series.of[part], series.links[part]
    take, render = (np.stack([of[f"{kind}_{axis}"] for axis in "Lab"], 1) for kind in ("take", "render"))
    pale, shaded = chroma(take), chroma(render)
    found = np.full((len(links), 5), np.nan)
    for row, link in enumerate(links):
        a, b = link.here, link.there
        whole = follow(take[a] - take[b], render[a] - render[b])
        hue = follow(pale[a] - pale[b], shaded[a] - shaded[b])
        points = pale[a] - chroma(take[a] - link.colour)
        told = lit(take[a, 0], take[b, 0]) * _shorter(hue, points)
        found[row] = np.concatenate([_shorter(whole, link.colour), told])
    return found


def _shorter(one: F64, other: F64) -> F64:
    if not np.isfinite(one).all():
        return other
    return one if np.linalg.norm(one) < np.linalg.norm(other) or not np.isfinite(other).all() else other


def to_json(values: F64) -> list[float | None]:
    """Rounded to 4 digits; NaN as null."""
    return [None if not np.isfinite(v) else round(float(v), 4) for v in values]
