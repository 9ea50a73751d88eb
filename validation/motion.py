# SPDX-License-Identifier: GPL-3.0-or-later
"""How far and how a part lies off its place, frame by frame: what its surface and its outline agree on.

A surface is read against other frames of the take, an outline against the render. Noise of a style is seldom in both;
a real displacement always is. Lengths: pixels of a picture 640 wide, as in Series.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .fits import MODES, PLANE
from .joints import Joint
from .series import F64, Series, column
from .settle import settle

FLOOR_PX = 0.15
SURE_POINTS = 150
OTHER_TEXTURE = 0.6
"""Share of patches that are other patches at which a displacement read from them means nothing."""
NOISY = 0.5
"""Share of the render's noise in what is seen at which a displacement means nothing: noise stays on the screen."""
LEAST_CLEAR = 0.35
"""Share of the outline that must be clear for its place to count."""
LEFT_PX, LEFT = 3.2, 0.25
"""An outline that lies farther off than this must have left this share of its place."""
BEND_POINTS = 40
"""A bend has 18 coefficients: of fewer points it can't be read."""
MOST = 0.5
"""Share of all frames by which those that show an offset must outweigh the others before it is the style's own."""
FREE_TURN_DEG = 3.0
AROUND = (5, 14)
"""Frames away, from and to, of what a part is compared with while it turns."""
STEEP = 0.7
"""Share of a sudden displacement that must come within two frames."""
EXPLAINED = 0.6
"""Least share of a displacement that a joint's own motion must explain to be called that."""


@dataclass(frozen=True)
class Motion:
    """Of one part, (F,) px each: ``plane`` (F, 4) the motion in the picture that is agreed on (fits.RIGID), ``shift``
    its rms over the part, ``moved`` that of all that was seen of it; ``bend`` rms of what bends on the surface, ``slide`` how far the
    surface moved while the outline stayed; ``field`` (F, 22) of the surface, else of the outline; ``tilted`` share of its bend
    that a turn of the rigid part out of the picture's plane explains; ``read`` 0..1 how well the surface could be read;
    ``one_sided`` where the part turns, and is seen for long enough either before or after, not both."""

    plane: F64
    shift: F64
    moved: F64
    bend: F64
    slide: F64
    field: F64
    tilted: F64
    read: F64
    one_sided: NDArray[np.bool_]

    def in_picture(self, radius: F64) -> dict[str, F64]:
        """The plane motion (F,) as shift_x, shift_y (px of a picture 1920 wide), scale and turn_deg; ``radius`` (F,) of
        the part in px of a picture 640 wide."""
        x, y, growth, turn = self.plane.T
        return {
            "shift_x": 3 * x,
            "shift_y": 3 * y,
            "scale": 1 + growth / radius,
            "turn_deg": np.degrees(turn / radius),
        }


def motion_of(series: Series, part: str, faulty: frozenset[int] = frozenset()) -> Motion:
    """Puts a part's links and outlines together. Positions ``faulty`` don't decide what is usual."""
    links, count = series.links[part], len(series.frames)
    outline = _outline(series, part, faulty)
    surface, told = np.full((count, MODES), np.nan), np.full((count, PLANE), np.nan)
    bent, read = np.zeros(count, bool), np.zeros(count)
    if links:
        here, there = column(links, "here").astype(np.intp), column(links, "there").astype(np.intp)
        points = column(links, "points")
        weight = np.minimum(1.0, points / SURE_POINTS)
        weight *= np.clip(1 - np.nan_to_num(column(links, "strange")) / OTHER_TEXTURE, 0.02, 1)
        weight *= np.clip(1 - np.nan_to_num(column(links, "noise")) / NOISY, 0.02, 1)
        fields, turning = column(links, "field"), _turning(series, part)
        surface = settle(count, here, there, fields, weight, FLOOR_PX, faulty)
        surface = unslid(surface, turning)
        alone = unslid(
            outline[:, :PLANE], np.full(count, np.inf), True
        )  # where a style draws an outline changes, but slowly
        told = settle(count, here, there, fields[:, :PLANE], weight, FLOOR_PX, faulty, alone)
        told = np.where(np.isfinite(outline[:, :PLANE]), told, unslid(told, turning))
        bent[here[points >= BEND_POINTS]] = True
        np.maximum.at(read, here, weight)
    plane = _agreed(told, outline[:, :PLANE])
    field = np.where(np.isfinite(surface[:, :1]), surface, outline)
    return Motion(
        plane, _rms(series, part, plane, 0), _rms(series, part, field, 0),
        np.where(bent, _rms(series, part, surface[:, PLANE:], PLANE), np.nan), _slide(surface, outline), field,
        _tilts(series, part, field), read, _one_sided(series, part),
    )  # fmt: skip


def _outline(series: Series, part: str, faulty: frozenset[int]) -> F64:
    """(F, 22) how the outline lies off its usual place, NaN where it is not clear, or where it is still found at the very
    place that it is said to have left: then something else's edge was taken for it."""
    of, outline = series.of[part], series.outlines[part].copy()
    outline[~(of["clear"] >= LEAST_CLEAR)] = np.nan
    away = np.hypot(outline[:, 0], outline[:, 1])
    outline[(away > LEFT_PX) & (of["lost"] < LEFT)] = np.nan
    return np.asarray(outline - _usual(outline, faulty))


def _tilts(series: Series, part: str, field: F64) -> F64:
    """(F,) share of the part's bend that its own tilts (the first two motions of its frames) explain."""
    out = np.full(len(field), np.nan)
    bend = field.copy()
    bend[:, :PLANE] = 0
    for index, shape in series.shapes[part].items():
        if np.isfinite(bend[index]).all():
            tilts = shape.motions[:, :2].copy()
            tilts[:PLANE] = 0
            out[index] = _explained(bend[index], shape.products, tilts)[1]
    return out


def _explained(x: F64, products: F64, columns: F64) -> tuple[F64, float]:
    """(amounts of the motions ``columns`` (22, m) in the field ``x`` (22,), share of it that they explain)."""
    normal = columns.T @ products @ columns
    normal = normal + (1e-9 * np.trace(normal) + 1e-12) * np.eye(len(normal))
    found = np.linalg.solve(normal, columns.T @ products @ x)
    rest = x - columns @ found
    return found, 1 - float(rest @ products @ rest) / max(float(x @ products @ x), 1e-9)


def turns(series: Series, part: str) -> F64:
    """(F,) degrees by which the part has turned before the camera since the first frame, all added up."""
    steps = np.zeros(len(series.frames))
    for link in series.links[part]:
        if link.here - link.there == 1:
            steps[link.here] = link.turned_deg
    return np.cumsum(steps)


def _one_sided(series: Series, part: str) -> NDArray[np.bool_]:
    """(F,) True where the part turns and either all that comes before or all that comes after is too near to compare."""
    shown = np.flatnonzero(np.isfinite(series.of[part]["textured"]))
    index = np.arange(len(series.frames))
    if not len(shown):
        return index < 0
    near = (index - shown[0] < AROUND[0] + 1) | (shown[-1] - index < AROUND[0] + 1)
    return np.asarray(near & (_turning(series, part) > FREE_TURN_DEG))


def _turning(series: Series, part: str) -> F64:
    """(F,) degrees by which the part turns before the camera in the frames around each."""
    sums = np.concatenate([[0.0], turns(series, part)])
    index = np.arange(len(series.frames))
    return np.asarray(
        sums[np.minimum(index + AROUND[1], len(index))] - sums[np.maximum(index - AROUND[1], 0)]
    )


def unslid(values: F64, turning: F64, both: bool = False) -> F64:
    """``values`` (F, k) less what comes slowly while a part turns: what a style draws by the shape, not on the surface,
    wanders over it then. Of the frames before, those after and the middle of the two, what is nearest counts as usual.
    With ``both``, NaN where one of the sides is not known."""
    out = values.copy()
    for index in np.flatnonzero((turning > FREE_TURN_DEG) & np.isfinite(values[:, 0])):
        sides = (
            values[max(0, index - AROUND[1]) : max(0, index - AROUND[0])],
            values[index + AROUND[0] : index + AROUND[1]],
        )
        middles = [
            np.median(side[np.isfinite(side[:, 0])], axis=0)
            for side in sides
            if np.isfinite(side[:, 0]).sum() >= 2
        ]
        if both and len(middles) < 2:
            out[index] = np.nan
            continue
        if not middles:
            continue
        away = [values[index] - middle for middle in (*middles, np.mean(middles, axis=0))]
        if len(middles) < 2:
            away.append(values[index])  # what one side calls usual may be the fault itself
        out[index] = min(away, key=lambda v: float(np.linalg.norm(v)))
        if len(middles) < 2:  # nor can one side alone tell a slope from a step
            near = values[max(0, index - AROUND[1]) : index + AROUND[1]]
            steps = np.linalg.norm(near[2:] - near[:-2], axis=1) if len(near) > 2 else np.zeros(1)
            size = float(np.linalg.norm(out[index]))
            out[index] *= min(1.0, float(np.nanmax(steps, initial=0)) / STEEP / max(size, 1e-9))
    return out


def _usual(values: F64, faulty: frozenset[int]) -> F64:
    """(k,) what a style does to an outline in all frames: the median over the frames that are not faulty, if so many
    agree that it can't be a fault of theirs; else what is nearer to 0."""
    good = np.array([i not in faulty for i in range(len(values))])
    rows = values[good] if np.isfinite(values[good, 0]).any() else values
    rows = rows[np.isfinite(rows[:, 0])]
    if not len(rows):
        return np.zeros(values.shape[1])
    nought = np.zeros((int(MOST * len(rows)), values.shape[1]))
    return np.asarray(np.median(np.concatenate([rows, nought]), axis=0))


def _agreed(surface: F64, outline: F64) -> F64:
    """(F, 4): of the shift the shorter of the two, as far as they point the same way; likewise of size and turn; one
    of the two where the other can't be read."""
    both = np.isfinite(surface[:, 0]) & np.isfinite(outline[:, 0])
    out = np.where(np.isfinite(surface), surface, outline)
    a, b = surface[both], outline[both]
    long_a, long_b = (np.hypot(v[:, 0], v[:, 1]) + 1e-9 for v in (a, b))
    same = np.maximum(0, (a[:, :2] * b[:, :2]).sum(1) / (long_a * long_b))
    shorter = np.where((long_a < long_b)[:, None], a[:, :2], b[:, :2]) * same[:, None]
    other = np.where(
        a[:, 2:] * b[:, 2:] > 0, np.sign(a[:, 2:]) * np.minimum(np.abs(a[:, 2:]), np.abs(b[:, 2:])), 0
    )
    out[both] = np.concatenate([shorter, other], 1)
    return np.asarray(out)


def _slide(surface: F64, outline: F64) -> F64:
    """(F,) px that the surface moved beyond the outline."""
    moved = np.hypot(surface[:, 0], surface[:, 1])
    stayed = np.hypot(surface[:, 0] - outline[:, 0], surface[:, 1] - outline[:, 1])
    return np.asarray(np.minimum(moved, stayed))


def _rms(series: Series, part: str, values: F64, at: int) -> F64:
    """(F,) rms over the part of fields whose coefficients ``at``.. are ``values``."""
    out = np.full(len(values), np.nan)
    for index, shape in series.shapes[part].items():
        c = np.zeros(MODES)
        c[at : at + values.shape[1]] = values[index]
        out[index] = np.sqrt(max(0.0, float(c @ shape.products @ c)))
    return out


@dataclass(frozen=True)
class Deviation:
    """Of a part in one of its joints: ``turn_deg`` and ``travel`` (m) (F,) beyond the simulated motion; ``explained``
    (F,) share of the part's displacement that it explains."""

    joint: Joint
    turn_deg: F64
    travel: F64
    explained: F64


def deviations(series: Series, part: str, field: F64) -> list[Deviation]:
    """How far the part's motion in each of its joints is off."""
    mine = [joint for joint in series.joints if part in (joint.one[0], joint.other[0])]
    return [_deviation(series, part, field, number, joint) for number, joint in enumerate(mine)]


def _deviation(series: Series, part: str, field: F64, number: int, joint: Joint) -> Deviation:
    count = len(field)
    turn, travel, explained = np.full(count, np.nan), np.full(count, np.nan), np.full(count, np.nan)
    for index, shape in series.shapes[part].items():
        x = field[index]
        if not np.isfinite(x).all():
            continue
        wanted = [2 + 2 * number] * joint.turns + [3 + 2 * number] * joint.travels
        found, explained[index] = _explained(x, shape.products, shape.motions[:, wanted])
        turn[index] = np.degrees(found[0]) if joint.turns else 0.0
        travel[index] = found[-1] if joint.travels else 0.0
    return Deviation(joint, turn, travel, explained)


def second_largest(values: Sequence[float]) -> float:
    """The second largest of the known values, or the only one; NaN of none."""
    known = sorted(v for v in values if np.isfinite(v))
    return known[-2] if len(known) > 1 else known[0] if known else float("nan")
