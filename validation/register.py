# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the whole picture of a take lies: crop, scale, shift, and the shake of each frame (notes M2).

Found from how edges lie across the outlines of all parts and the background's strongest edges, against the render's
own edges at the same places; so it is blind to colour and to the sign of contrast. A part that is off its place is no
fit of the picture: two regions at least must agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32, U8
from .plates import edge_tensor

F64 = NDArray[np.float64]
WIDTH = 480
"""Pictures are registered at this width."""
MOST_POINTS = 360
CORE, REACH = 3, 6
"""Pixels at WIDTH on either side of an edge that are its pattern, and by which it is looked for."""
LEAST_POINTS = 40
ALIKE_PX = 1.0
"""Regions agree on a shift if their own best ones are this close."""
LEAST_EDGE = 1.5
MOST_FAITHFUL_PX = 9.0
"""Px of a picture 1920 wide by which a faithful model may place a corner of the picture: its sides are rounded to
multiples of 16 (8 px), and whole pictures of good restyles lie within 2 px at 512 (7.5 px)."""
WORTH = 1.02
"""How much better edges must lie for a shift, and twice that for a scale, to be believed."""


@dataclass(frozen=True)
class Fit:
    """The take's picture, both as shares of its width and height: ``x' = scale * (x - 0.5) + 0.5 + shift``."""

    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)

    @property
    def plain(self) -> bool:
        return self.scale == (1.0, 1.0) and self.shift == (0.0, 0.0)

    def corner_px(self, height: float) -> float:
        """Farthest displacement of a corner in px of a picture 1920 wide; ``height`` is its height over its width."""
        far = [abs(s - 1) / 2 + abs(d) for s, d in zip(self.scale, self.shift, strict=True)]
        return 1920 * float(np.hypot(far[0], far[1] * height))

    def beside(self, other: "Fit") -> "Fit":
        """The difference to another fit."""
        scale, shift = (
            tuple(a - b for a, b in zip(own, its, strict=True))
            for own, its in ((self.scale, other.scale), (self.shift, other.shift))
        )
        return Fit((1 + scale[0], 1 + scale[1]), (shift[0], shift[1]))

    def matrix(self, size: tuple[int, int], own: tuple[int, int]) -> F64:
        """(2, 3) from pixels of a picture of ``size`` (width, height) to those of the take's ``own``; the origin of
        both is the top left corner."""
        rows = []
        for axis in (0, 1):
            row = [0.0, 0.0, own[axis] * (0.5 - 0.5 * self.scale[axis] + self.shift[axis])]
            row[axis] = self.scale[axis] * own[axis] / size[axis]
            rows.append(row)
        return np.array(rows)


def from_centres(matrix: F64) -> F64:
    """The same map for OpenCV, which counts pixels from their centres."""
    half = np.array([0.5, 0.5])
    return np.column_stack([matrix[:, :2], matrix[:, :2] @ half + matrix[:, 2] - 0.5])


@dataclass(frozen=True)
class Sights:
    """Edges of one frame of the shot at WIDTH: ``points`` and ``normals`` (P, 2); ``region`` (P,) part or 0;
    ``outward`` (P,) 1 where the normal leads out of the part, -1 into it, 0 on the wall; ``pattern`` (P, 2 CORE + 1) of
    the render across."""

    points: F32
    normals: F32
    region: NDArray[np.int64]
    outward: F32
    pattern: F32
    size: tuple[int, int]


@dataclass(frozen=True)
class Looked:
    """How well the take's edges fit each point's: ``votes`` (P, 2 REACH + 1) along the normal from where ``fit`` has
    it; and the ``sights``."""

    sights: Sights
    votes: F32


def reduced(picture: U8, width: int = WIDTH) -> U8:
    """The picture at WIDTH, or as it is if smaller."""
    if picture.shape[1] <= width:
        return picture
    size = (width, max(1, round(picture.shape[0] * width / picture.shape[1])))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def sights(render: U8, ids: NDArray[Any]) -> Sights:
    """The edges to look for in one frame."""
    small = reduced(render)
    height, width = small.shape[:2]
    mask = cv2.resize(ids.astype(np.uint16), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    tensor = _tensor(small)
    strength = np.sqrt(tensor[..., 0] + tensor[..., 2])
    top, low = cv2.dilate(mask, np.ones((3, 3))), cv2.erode(mask, np.ones((3, 3)))
    rim = (top != low) & (strength > LEAST_EDGE)
    peaks = (strength >= cv2.dilate(strength, np.ones((3, 3)))) & (strength > 2 * LEAST_EDGE)
    wall = peaks & (cv2.dilate(mask, np.ones((9, 9))) == 0)
    margin = CORE + 2
    for plane in (rim, wall):
        plane[:margin], plane[-margin:], plane[:, :margin], plane[:, -margin:] = False, False, False, False
    found = [_some(np.flatnonzero(rim), 2 * MOST_POINTS // 3), _some(np.flatnonzero(wall), MOST_POINTS // 3)]
    at = np.concatenate(found)
    y, x = np.divmod(at, width)
    xx, xy, yy = (tensor[..., k].ravel()[at] for k in range(3))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    normals = np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)
    points = np.stack([x, y], 1).astype(np.float32)
    region = np.concatenate([top.ravel()[found[0]].astype(np.int64), np.zeros(len(found[1]), np.int64)])
    pattern = _across(tensor, points, normals, CORE)
    ahead = np.rint(points + 2 * normals).astype(np.int64).clip(0, (width - 1, height - 1))
    outward = np.where(region == 0, 0, np.where(mask[ahead[:, 1], ahead[:, 0]] == region, -1, 1)).astype(
        np.float32
    )
    return Sights(points, normals, region, outward, _unit(pattern), (width, height))


def look(seen: Sights, take: U8, fit: Fit) -> Looked:
    """Looks for the edges in a take's picture, where ``fit`` has them."""
    small = reduced(take)
    way = from_centres(fit.matrix(seen.size, (small.shape[1], small.shape[0])))
    if small.shape[1::-1] != seen.size or not fit.plain:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        small = np.asarray(
            cv2.warpAffine(small, way, seen.size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )
    profile = _across(_tensor(small), seen.points, seen.normals, CORE + REACH)
    windows = np.lib.stride_tricks.sliding_window_view(profile, 2 * CORE + 1, axis=1)
    votes = np.einsum("plc,pc->pl", _unit(windows), seen.pattern)
    return Looked(seen, (votes - votes.mean(1, keepdims=True)).astype(np.float32))


def _tensor(small: U8) -> F32:
    return edge_tensor(small.astype(np.float32) * np.float32(100 / 255), 1.0)


def _unit(rows: F32) -> F32:
    return np.asarray(rows / (np.linalg.norm(rows, axis=-1, keepdims=True) + 1.0), np.float32)


def _some(at: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return at[:: max(1, -(-len(at) // count))]


def _across(tensor: F32, points: F32, normals: F32, reach: int) -> F32:
    """(P, 2 reach + 1) strength of the edges across each normal."""
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    where = points[:, None] + offsets[None, :, None] * normals[:, None]
    if not len(points):
        return np.zeros((0, len(offsets)), np.float32)
    t = cv2.remap(tensor, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    nx, ny = normals[:, None, 0], normals[:, None, 1]
    return np.sqrt(np.maximum(t[..., 0] * nx * nx + 2 * t[..., 1] * nx * ny + t[..., 2] * ny * ny, 0))


def shift_of(looked: Looked) -> tuple[float, float] | None:
    """(dx, dy) in pixels at WIDTH by which this frame lies off, or None if two regions don't agree on one."""
    seen = looked.sights
    if len(seen.points) < LEAST_POINTS:
        return None
    weight = _even(seen.region)
    best = _peak(looked.votes, seen.normals, weight)
    agree = 0
    for number in np.unique(seen.region):
        own = seen.region == number
        if own.sum() >= LEAST_POINTS // 2:
            x, y = _peak(looked.votes[own], seen.normals[own], np.ones(int(own.sum()), np.float32))
            agree += int(np.hypot(x - best[0], y - best[1]) < ALIKE_PX)
    if agree < 2:
        return None
    votes, weights, design = _asked([looked])
    exact = _settle(votes, weights, design[:, :3], np.array([*best, 0.0]))
    return (float(exact[0]), float(exact[1])) if np.hypot(*(exact[:2] - best)) < ALIKE_PX else best


def _even(region: NDArray[np.int64]) -> F32:
    """Weights that let no region have more than twice the say of another."""
    _, where, counts = np.unique(region, return_inverse=True, return_counts=True)
    return np.asarray((np.minimum(counts, 2 * np.median(counts)) / counts)[where], np.float32)


def _peak(votes: F32, normals: F32, weight: F32) -> tuple[float, float]:
    """The shift that most edges want: coarse, then finer around, then by parabola."""
    centre, step = np.zeros(2), 1.0
    for reach, step in ((REACH - 1, 1.0), (3, 0.25)):
        side = np.arange(-reach, reach + 1) * step
        dx, dy = np.meshgrid(centre[0] + side, centre[1] + side)
        total = _total(votes, normals, weight, np.stack([dx.ravel(), dy.ravel()], 1)).reshape(dx.shape)
        row, col = np.unravel_index(int(total.argmax()), total.shape)
        centre = np.array([dx[row, col], dy[row, col]])
    if 0 < row < total.shape[0] - 1 and 0 < col < total.shape[1] - 1:
        centre += step * np.array(
            [_bend(total[row, col - 1 : col + 2]), _bend(total[row - 1 : row + 2, col])]
        )
    return float(centre[0]), float(centre[1])


def _bend(three: F64) -> float:
    low = three[0] - 2 * three[1] + three[2]
    return 0.0 if low >= 0 else float(0.5 * (three[0] - three[2]) / low)


def _total(votes: F32, normals: F32, weight: F32, shifts: F64) -> F64:
    """(K,) votes for each shift."""
    return np.asarray(
        (weight[:, None] * _vote(votes, normals @ shifts.T.astype(np.float32))).sum(0), np.float64
    )


def _vote(votes: F32, along: NDArray[Any]) -> NDArray[Any]:
    """(P, K) votes at ``along`` (P, K) pixels, by cubics: between straight lines the best vote is always a whole pixel."""
    at = (along + REACH).clip(0, 2 * REACH - 1e-3)
    low = at.astype(np.int64)
    t, rows = (at - low).astype(votes.dtype), np.arange(len(votes))[:, None]
    a, b, c, d = (votes[rows, (low + k).clip(0, 2 * REACH)] for k in (-1, 0, 1, 2))
    return b + 0.5 * t * (
        c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))
    )  # Catmull and Rom


def fit_of(every: Sequence[Looked], start: Fit) -> Fit:
    """The one crop, scale and shift that the edges of some frames agree on, from ``start`` where they were looked at.
    Weighted least squares on how far each edge lies off along its normal; a part's outline may grow."""
    every = [looked for looked in every if len(looked.sights.points) >= LEAST_POINTS]
    if len({int(n) for looked in every for n in np.unique(looked.sights.region)}) < 2:
        return start
    size = every[0].sights.size
    votes, weight, design = _asked(every)
    few = slice(None, None, max(1, len(votes) // 1500))
    first = _peak(votes[few], design[few, :2].astype(np.float32), weight[few])
    alike = np.column_stack([design[:, :3], (design[:, 3:] * size).sum(1) / 100])  # per cent of one scale
    shifted = _settle(votes, weight, design[:, :3], np.array([*first, 0.0]))
    grown = _settle(votes, weight, alike, np.array([*shifted, 0.0]))
    both = np.array([*grown[:3], *(grown[3] * np.array(size) / 100)])
    pulled = _settle(votes, weight, design, both)
    plain = _settle(votes, weight, design[:, 2:3], np.zeros(1))
    answers = (np.array([0, 0, *plain, 0, 0]), np.array([*shifted, 0, 0]), both, pulled)
    gains = [_gain(votes, weight, design, answer) for answer in answers]
    worth = WORTH if start.plain else 1.0  # what is believed already is made exact
    answer = np.zeros(5)
    if gains[1] > worth * gains[0]:
        answer = answers[1]
    if gains[2] > worth**2 * max(gains[:2]):
        answer = both
    if gains[3] > max(WORTH * gains[2], worth**2 * max(gains[:2])):
        answer = pulled
    shift = np.array(start.shift) + answer[:2] / np.array(size) * np.array(start.scale)
    scale = np.array(start.scale) * (1 + answer[3:] / np.array(size))
    return Fit((float(scale[0]), float(scale[1])), (float(shift[0]), float(shift[1])))


def _asked(every: Sequence[Looked]) -> tuple[F32, F32, F64]:
    """(votes, weights, (P, 5) how far along its normal each edge lies off by a shift in x and y, a growth of outlines,
    a scale in x and y)."""
    size = every[0].sights.size
    points = np.concatenate([looked.sights.points for looked in every]) + 0.5
    normals = np.concatenate([looked.sights.normals for looked in every]).astype(np.float64)
    votes = np.concatenate([looked.votes for looked in every])
    weight = np.concatenate([_even(looked.sights.region) for looked in every])
    arm = (points / np.array(size) - 0.5).astype(np.float64)
    outward = np.concatenate([looked.sights.outward for looked in every]).astype(np.float64)
    return votes, weight, np.column_stack([normals, outward, normals * arm])


def _settle(votes: F32, weight: F32, design: F64, answer: F64) -> F64:
    """The parameters on which most edges agree, by least squares that follows their nearest votes."""
    for spread in (4.0, 2.5, 1.5, 1.0, 1.0):
        expected = design @ answer
        at, height = _near(votes, expected, spread)
        trust = weight * np.maximum(height, 0) ** 2 / np.maximum(np.abs(at - expected), 0.5)
        normal = design.T @ (design * trust[:, None]) + 2e-4 * trust.sum() * np.eye(design.shape[1])
        answer = np.linalg.solve(normal, design.T @ (trust * at))
    return answer


def _gain(votes: F32, weight: F32, design: F64, answer: F64) -> float:
    """How well the edges lie where the parameters have them."""
    return float((weight * _vote(votes, (design @ answer)[:, None])[:, 0]).sum())


def _near(votes: F32, expected: F64, spread: float) -> tuple[F64, F64]:
    """(P,) where each edge's best vote near what is expected lies, to a fraction of a pixel, and its height."""
    offsets = np.arange(-REACH, REACH + 1)
    held = votes - 0.15 * ((offsets[None] - expected[:, None]) / spread) ** 2
    at = held[:, 1:-1].argmax(1) + 1
    rows = np.arange(len(votes))
    a, b, c = (votes[rows, at + k].astype(np.float64) for k in (-1, 0, 1))
    bend = a - 2 * b + c
    part = np.where(bend < -1e-6, 0.5 * (a - c) / np.minimum(bend, -1e-6), 0.0).clip(-0.5, 0.5)
    return at - REACH + part, b


def likeness(every: Sequence[Looked]) -> float:
    """How well the edges of some frames lie where they were looked for, or as near to it as one fit brings them: mean
    of their votes, at most about 0.5. Outlines may grow."""
    every = [looked for looked in every if len(looked.sights.points) >= LEAST_POINTS]
    if not every:
        return 0.0
    votes, weight, design = _asked(every)
    first = _peak(votes, design[:, :2].astype(np.float32), weight)
    answer = _settle(votes, weight, design, np.array([*first, 0.0, 0.0, 0.0]))
    return _gain(votes, weight, design, answer) / float(weight.sum())
