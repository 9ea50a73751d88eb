# SPDX-License-Identifier: GPL-3.0-or-later
"""What a product looks like, in numbers: its outline in a picture, its palette, and how far another picture is from both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.ciede import ciede2000
from ..pipeline.pictures import F32, U8

F64 = NDArray[np.float64]
LOOK_PX = 256
"""Pictures are looked at with this longest edge."""
SHADES = 6
EDGE_BINS, EDGE_CELLS = 12, 4
ALIKE_DE, OTHER_DE = 5.0, 10.0
"""Mean CIEDE2000 between palettes: a person calls colours the same below, another above."""
ALIKE_SHAPE, OTHER_SHAPE = 0.90, 0.75
LEAST_AWAY = 4.0
"""Lab units (of eight bits) by which what is seen through a hole may differ from the ground fitted to the border."""
LEAST_SHARE, MOST_SHARE = 0.02, 0.85
"""Of a picture that its subject takes: less is nothing, more has no ground around it."""


@dataclass(frozen=True)
class Shade:
    """A colour of a palette: sRGB bytes, CIE Lab (D65), share of the subject 0..1."""

    rgb: tuple[int, int, int]
    lab: tuple[float, float, float]
    share: float

    @property
    def hex(self) -> str:
        """As designers write it."""
        return "#{:02x}{:02x}{:02x}".format(*self.rgb)

    def to_json(self) -> dict[str, Any]:
        return {"hex": self.hex, "lab": [round(each, 3) for each in self.lab], "share": round(self.share, 4)}


def small(picture: U8, longest: int = LOOK_PX) -> U8:
    """The picture with at most this longest edge."""
    scale = longest / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def subject(picture: U8) -> NDArray[np.bool_]:
    """(H, W) where the subject is: what differs from the ground at the picture's border, cut out by GrabCut. All False if
    the picture has no subject before a ground."""
    height, width = picture.shape[:2]
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    away = _from_ground(lab)
    edge = max(2, round(0.02 * min(height, width)))
    ring = np.ones((height, width), bool)
    ring[edge:-edge, edge:-edge] = False
    noise = float(np.quantile(away[ring], 0.9))
    level = max(10.0, 1.6 * noise)
    rough = away > level
    if not LEAST_SHARE / 2 < rough.mean() < 0.95:
        return np.zeros((height, width), bool)
    mask = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    mask[rough] = cv2.GC_PR_FGD
    mask[away > 3 * level] = cv2.GC_FGD
    mask[ring & ~rough] = cv2.GC_BGD
    if not (mask == cv2.GC_BGD).any() or not ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).any():
        return np.zeros((height, width), bool)
    cv2.setRNGSeed(1)
    cv2.grabCut(
        cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK
    )  # fmt: skip
    found = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    return _filled(found, away, max(noise, LEAST_AWAY))


def _from_ground(lab: F32) -> F32:
    """(H, W) how far each pixel's Lab is from a ground that runs smoothly between the borders: a plane in x and y and its
    squares, fitted to the border alone, twice, the second time without what stands out."""
    height, width = lab.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width - 0.5, y / height - 0.5
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1).reshape(-1, 6)
    edge = max(2, round(0.04 * min(height, width)))
    ring = np.ones((height, width), bool)
    ring[edge:-edge, edge:-edge] = False
    chosen, flat = ring.ravel(), lab.reshape(-1, 3)
    away = np.zeros(len(flat), np.float32)
    for _ in range(2):
        fit, *_rest = np.linalg.lstsq(
            terms[chosen].astype(np.float64), flat[chosen].astype(np.float64), rcond=None
        )
        away = np.linalg.norm(flat - terms @ fit.astype(np.float32), axis=1)
        chosen = ring.ravel() & (away <= np.quantile(away[ring.ravel()], 0.8))
    return np.asarray(away.reshape(height, width), np.float32)


def _filled(found: NDArray[np.uint8], away: F32, noise: float) -> NDArray[np.bool_]:
    """The large pieces without specks; closed are holes through which no ground is seen, only pale parts of the subject."""
    size = max(3, round(0.012 * max(found.shape)) | 1)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    found = cv2.morphologyEx(
        found, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    )
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=8)
    kept = np.zeros(found.shape, bool)
    if count > 1:
        areas = stats[1:, cv2.CC_STAT_AREA]
        for index, area in enumerate(areas, 1):
            if area >= 0.08 * areas.max():
                kept |= labels == index
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    height, width = kept.shape
    for index in range(1, count):
        left, top, wide, high = (int(each) for each in stats[index, :4])
        enclosed = left > 0 and top > 0 and left + wide < width and top + high < height
        if enclosed and float(np.median(away[labels == index])) > noise:
            kept |= labels == index
    share = float(kept.mean())
    return kept if LEAST_SHARE <= share <= MOST_SHARE else np.zeros_like(kept)


def palette(picture: U8, mask: NDArray[np.bool_] | None = None, shades: int = SHADES) -> list[Shade]:
    """The main colours of the subject (of all without one), by k-means in CIE Lab, the largest share first; the same for
    the same picture. Shades that nobody tells apart are one."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    points = lab[mask] if mask is not None and mask.any() else lab.reshape(-1, 3)
    count = min(shades, len(points))
    cv2.setRNGSeed(7)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 60, 0.05)
    _, labels, centres = cv2.kmeans(
        np.ascontiguousarray(points, np.float32), count, np.zeros((len(points), 1), np.int32), stop, 3,
        cv2.KMEANS_PP_CENTERS,
    )  # fmt: skip
    shares = np.bincount(labels.ravel(), minlength=count) / len(points)
    return [_shade(centre, share) for centre, share in _joined(centres.astype(np.float64), shares)]


def _joined(centres: F64, shares: F64) -> list[tuple[F64, float]]:
    found: list[tuple[F64, float]] = []
    for index in np.argsort(-shares):
        centre, share = centres[index], float(shares[index])
        if share <= 0:
            continue
        for place, (known, has) in enumerate(found):
            if float(ciede2000(centre[None], known[None])[0]) < 2.0:
                found[place] = ((known * has + centre * share) / (has + share), has + share)
                break
        else:
            found.append((centre, share))
    return sorted(found, key=lambda each: -each[1])


def _shade(lab: F64, share: float) -> Shade:
    rgb = cv2.cvtColor(np.asarray(lab, np.float32)[None, None], cv2.COLOR_LAB2RGB)[0, 0]
    red, green, blue = (int(each) for each in np.clip(rgb * 255 + 0.5, 0, 255))
    return Shade((red, green, blue), (float(lab[0]), float(lab[1]), float(lab[2])), share)


def palette_distance(a: Sequence[Shade], b: Sequence[Shade]) -> float:
    """Mean CIEDE2000 between two palettes: each shade against the nearest of the other, by its share, both ways."""
    first, second = (np.array([shade.lab for shade in each], np.float64) for each in (a, b))
    apart = np.stack([ciede2000(first, np.repeat(each[None], len(first), 0)) for each in second], axis=1)
    shares_a, shares_b = (np.array([shade.share for shade in each]) for each in (a, b))
    there = float((apart.min(axis=1) * shares_a).sum() / shares_a.sum())
    back = float((apart.min(axis=0) * shares_b).sum() / shares_b.sum())
    return (there + back) / 2


def shape_of(mask: NDArray[np.bool_], side: int = 96) -> F32:
    """(side, side) the outline's inside 0..1, brought to one size and the middle, so that place and scale don't count."""
    ys, xs = np.nonzero(mask)
    box = mask[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1].astype(np.float32)
    scale = (side - 4) / max(box.shape)
    size = (max(1, round(box.shape[1] * scale)), max(1, round(box.shape[0] * scale)))
    scaled = cv2.resize(box, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    page = np.zeros((side, side), np.float32)
    top, left = (side - scaled.shape[0]) // 2, (side - scaled.shape[1]) // 2
    page[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return page


def shape_likeness(a: F32, b: F32) -> float:
    """0..1 overlap of two shapes of ``shape_of``: what both cover over what either does."""
    either = float(np.maximum(a, b).sum())
    return float(np.minimum(a, b).sum()) / either if either else 0.0


def edges_of(picture: U8, mask: NDArray[np.bool_]) -> F32:
    """Histogram of the directions of edges inside the subject, over four by four places of its box; sums to 1."""
    ys, xs = np.nonzero(mask)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    gray = cv2.resize(gray, (96, 96), interpolation=cv2.INTER_AREA).astype(np.float32)
    dx, dy = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
    strength, turn = np.hypot(dx, dy), np.arctan2(dy, dx) % np.pi
    bins = np.minimum((turn / np.pi * EDGE_BINS).astype(int), EDGE_BINS - 1)
    found = np.zeros((EDGE_CELLS, EDGE_CELLS, EDGE_BINS), np.float32)
    place = np.arange(96) * EDGE_CELLS // 96
    np.add.at(found, (place[:, None].repeat(96, 1), place[None].repeat(96, 0), bins), strength)
    total = float(found.sum())
    return np.asarray(found.ravel() / total if total else found.ravel(), np.float32)


def edges_likeness(a: F32, b: F32) -> float:
    """0..1: what two histograms of edges have in common."""
    return float(np.minimum(a, b).sum())


def verdict(palette_de: float, shape: float | None) -> str:
    """What the numbers mean, in a sentence."""
    colours = (
        "the same colours"
        if palette_de < ALIKE_DE
        else "near colours"
        if palette_de < OTHER_DE
        else "other colours"
    )
    if shape is None:
        return f"{colours.capitalize()} ({palette_de:.1f} dE); the shape can't be compared."
    form = (
        "the same outline"
        if shape >= ALIKE_SHAPE
        else "a similar outline"
        if shape >= OTHER_SHAPE
        else "another outline"
    )
    return f"{colours.capitalize()} ({palette_de:.1f} dE), {form} ({shape:.0%})."


def from_json(record: Mapping[str, Any]) -> Shade:
    """A shade of a reference sheet."""
    text = str(record["hex"])
    red, green, blue = (int(text[at : at + 2], 16) for at in (1, 3, 5))
    light, a, b = (float(each) for each in record["lab"])
    return Shade((red, green, blue), (light, a, b), float(record["share"]))
