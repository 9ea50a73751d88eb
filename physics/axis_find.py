# SPDX-License-Identifier: GPL-3.0-or-later
"""From guesses to tubes that were looked at closely: fitted, measured along, with what stands at their ends."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .axis_ends import TURNS, Around, End, Run, around, end, longest_run
from .axis_fit import Doubt, Tube, fit, fit_roughly, squared
from .axis_guess import Guesses, distinct, guess, joined, scores
from .axis_surface import Patches, Surface, samples, surfels
from .rigid import Array
from .units import PI

COARSE, FINE = 0.15, 0.09
"""Size of a sample in radii in the first look and in the last; surfels are twice as large."""
MOST_FACES = 12000
MOST_SURFELS = 1200
"""What guesses are drawn from, fitted to and scored on."""
POLISHED = 14
LOOKS, MOST_LOOKS = 4, 12
"""Guesses that are looked at if one of them is clear, and if none is."""
FINAL = 3
EDGE = 0.85
"""Share of the turn in which a flat edge makes a tip."""
ASIDE = 2.4
"""How far from its axis, in radii, a tube's surroundings are looked at."""
UNCLEAR = 0.55
"""What a tube's score is worth whose end is no flat tip or no opening: limbs end round."""
TOLERANCE = 0.13
"""Farthest from its side, in radii, that a face counts as lying on a tube: noise of 3 % stays inside, lugs outside."""


@dataclass(frozen=True)
class Found:
    """A tube that was looked at. ``run`` and ``ends`` (low, high) in radii from its centre; ``score`` up to about 1."""

    tube: Tube
    sign: float
    run: Run
    ends: tuple[End, End]
    doubt: Doubt
    score: float
    seen: Around

    @property
    def kind(self) -> str:
        """peg or socket."""
        return "peg" if self.sign > 0.0 else "socket"

    def tips(self) -> tuple[bool, bool]:
        """Of a peg: which ends are free and closed, low and high."""
        low, high = ((e.cap > 0.45 or e.edge > EDGE) and e.beyond < 0.25 for e in self.ends)
        return low, high

    @property
    def clear(self) -> bool:
        """Whether it ends as a peg or a bore does: in a flat tip, or open."""
        if self.kind == "peg":
            return any(_flat(e) for e in self.ends)
        return not all(self.floors())

    def floors(self) -> tuple[bool, bool]:
        """Of a bore: which ends are closed, low and high."""
        low, high = (e.floor > 0.4 for e in self.ends)
        return low, high


def candidates(shape: Surface, sign: float, near: Array | None) -> list[Found]:
    """Tubes of the sign in a surface, best first; with a point ``near``, those whose side comes near it."""
    if len(shape.area) < 8:
        return []
    guesses = joined([_guesses(part, sign, near) for part in _parts(shape, near)])
    looked: list[Found] = []
    for count, row in enumerate(distinct(guesses, MOST_LOOKS)):
        if guesses.score[row] < 0.3 * guesses.score[0] or (
            count >= LOOKS and any(found.clear for found in looked)
        ):
            break
        tube = Tube(guesses.axis[row], guesses.centre[row], float(guesses.radius[row]))
        found = look(shape, tube, sign, COARSE)
        if found is not None and not any(same(found, other) for other in looked):
            looked.append(found)
    for found in looked[:]:
        for tube in _coaxial(found):
            other = look(shape, tube, sign, COARSE, (TOLERANCE,))
            if other is not None and not any(same(other, known) for known in looked):
                looked.append(other)
    looked.sort(key=lambda found: -found.score * nearness(found, near))
    result: list[Found] = []
    for found in looked[:FINAL]:
        if found.score * nearness(found, near) < 0.45 * looked[0].score * nearness(looked[0], near):
            break
        closer = look(shape, found.tube, sign, FINE, (0.2, TOLERANCE))
        if closer is not None and not any(same(closer, other) for other in result):
            result.append(closer)
    return sorted(result, key=lambda found: -found.score * nearness(found, near))


def _parts(shape: Surface, near: Array | None) -> list[tuple[Surface, tuple[Array, float] | None, int]]:
    """What guesses are drawn from: the whole, or balls of several sizes about a point; and how many surfels."""
    if near is None:
        return [(shape.thinned(MOST_FACES), None, 3600)]
    size = shape.extent
    balls = [(size * share, 900) for share in (0.7, 0.3, 0.13)]
    parts = [
        (shape.near(near, reach).thinned(MOST_FACES // 2), (near, reach), count) for reach, count in balls
    ]
    return [part for part in parts if len(part[0].area) >= 8]


def _guesses(
    part: tuple[Surface, tuple[Array, float] | None, int], sign: float, near: Array | None
) -> Guesses:
    shape, ball, count = part
    area = float(shape.area.sum())
    spread = samples(shape, 0.5 * float(np.sqrt(area / count)))
    if ball is not None:
        spread = spread.only(((spread.point - ball[0]) ** 2).sum(axis=1) < ball[1] ** 2)
    if len(spread.area) < 8:
        return Guesses(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    edge = float(np.sqrt(spread.area.sum() / count))
    patches = surfels(spread, edge)[0]
    patches = patches.thinned(MOST_SURFELS)
    return _polished(
        guess(patches, sign, edge, near), patches, sign, POLISHED if near is None else POLISHED // 2
    )


def _polished(guesses: Guesses, patches: Patches, sign: float, most: int) -> Guesses:
    """The best guesses, each fitted to the surfels that lie on it."""
    best = guesses.only(np.argsort(-guesses.score, kind="stable"))
    best = best.only(np.array(distinct(best, most), dtype=np.int64))
    tubes = []
    for axis, centre, radius in zip(best.axis, best.centre, best.radius, strict=True):
        tube = Tube(axis, centre, float(radius))
        seen = around(tube, patches, patches.normal, sign)
        on = seen.on(0.3) & (np.abs(seen.height) < 2.0)
        if int(on.sum()) >= 8:
            tube = fit_roughly(tube, patches.point[on], patches.area[on], 3)
        tubes.append(tube)
    if not tubes:
        return best
    axis, centre = np.stack([tube.axis for tube in tubes]), np.stack([tube.centre for tube in tubes])
    radius = np.array([tube.radius for tube in tubes])
    return Guesses(axis, centre, radius, scores(patches, axis, centre, radius, sign))


def _coaxial(found: Found) -> list[Tube]:
    """Tubes of other radii about the same axis: what stands beside it piles up at their distances."""
    seen = found.seen
    beside = (seen.facing > 0.85) & (np.abs(seen.off) > 0.08) & (seen.out > 0.3)
    if not beside.any():
        return []
    step = 0.03
    row = np.floor(np.log(seen.out[beside]) / step).astype(np.int64)
    share = seen.area[beside] / (2.0 * PI * seen.out[beside] ** 2)
    pile = np.convolve(np.bincount(row - row.min(), share), np.ones(3), "same")
    tubes = []
    for peak in np.argsort(-pile, kind="stable")[:2]:
        if pile[peak] > 0.35:
            there = np.flatnonzero(beside)[np.abs(row - row.min() - peak) <= 1]
            height = float(np.median(seen.height[there]))
            size = float(np.exp(step * (peak + row.min() + 0.5)))
            tube = found.tube
            tubes.append(Tube(tube.axis, tube.centre + height * tube.radius * tube.axis, size * tube.radius))
    return tubes


def look(shape: Surface, tube: Tube, sign: float, grain: float,
         narrowing: tuple[float, ...] = (0.3, 0.2, TOLERANCE)) -> Found | None:  # fmt: skip
    """Fits a tube to the surface near a guess and measures what is there; None if it is no tube.

    ``narrowing``: how far off its side, in radii, faces may lie in the first fit, the next and so on.
    """
    reach = 4.2
    for _ in range(3):
        found = _look(shape, tube, sign, grain, reach, narrowing)
        if found is None or max(-found.run.low, found.run.high) < reach - 1.2:
            return found
        tube, reach = found.tube, 2.0 * reach
    return found


def _look(shape: Surface, tube: Tube, sign: float, grain: float, reach: float,
          narrowing: tuple[float, ...]) -> Found | None:  # fmt: skip
    size = tube.radius
    most = MOST_FACES if grain == FINE else MOST_FACES // 3
    part = shape.beside(tube.centre, tube.axis, ASIDE * size, reach * size).thinned(most)
    spread = samples(part, grain * size)
    out, height = tube.out(spread.point)
    spread = spread.only((out < ASIDE * size) & (np.abs(height) < reach * size))
    if len(spread.area) < 12:
        return None
    patches, owner = surfels(spread, 2.0 * grain * tube.radius)
    normal = patches.normal[owner]
    for tolerance in narrowing:
        seen = around(tube, spread, normal, sign)
        run = longest_run(seen, tolerance)
        if run is None or run.high - run.low < 0.3:
            return None
        tube = _fitted(tube, seen, spread, run, tolerance)
        if tolerance > TOLERANCE:
            tube = _on_the_pile(tube, around(tube, spread, normal, sign), tolerance)
    tube, doubt = _last_fit(tube, part, spread, normal, sign)
    tube, doubt = _squared(tube, doubt, part, spread, normal, sign)
    seen = around(tube, spread, normal, sign)
    run = longest_run(seen, TOLERANCE)
    if run is None or run.high - run.low < 0.4 or doubt.residual > 0.1:
        return None
    kind = "peg" if sign > 0.0 else "socket"
    ends = (end(seen, run, -1.0, kind), end(seen, run, 1.0, kind))
    return Found(tube, sign, run, ends, doubt, _score(run, doubt, ends, kind), seen)


def _on_the_pile(tube: Tube, seen: Around, tolerance: float) -> Tube:
    """The tube at the radius where most of the side is: grooves and lugs lie off it."""
    on = seen.on(tolerance)
    if not on.any():
        return tube
    step = 0.03
    row = np.floor((seen.off[on] + tolerance) / step).astype(np.int64)
    pile = np.convolve(np.bincount(row, seen.area[on]), np.ones(3), "same")
    off = (int(pile.argmax()) + 0.5) * step - tolerance
    return Tube(tube.axis, tube.centre, tube.radius * (1.0 + off), tube.taper)


def _squared(
    tube: Tube, doubt: Doubt, part: Surface, spread: Patches, normal: Array, sign: float
) -> tuple[Tube, Doubt]:
    """The tube squared to its flat tip or floor and to the flat around its foot or rim, if they are there."""
    seen = around(tube, spread, normal, sign)
    run = longest_run(seen, TOLERANCE)
    if run is None:
        return tube, doubt
    for on in _flats(seen, run, sign):
        faces = np.unique(spread.face[on])
        if float(part.size[faces].max()) < 0.4 * tube.radius:
            tube, doubt = squared(
                tube, doubt, part.corners[faces].reshape(-1, 3), np.repeat(part.area[faces], 3)
            )
        else:  # few and large faces
            tube, doubt = squared(tube, doubt, spread.point[on], spread.area[on])
    return tube, doubt


def _flats(seen: Around, run: Run, sign: float) -> list[NDArray[np.bool_]]:
    """Which samples lie on a flat that closes an end, or that surrounds it nearly all the way; at most four flats."""
    result = []
    for side, height in ((-1.0, run.low), (1.0, run.high)):
        by = np.abs(seen.height - height) < 0.3
        up = sign * side * seen.up
        disc = by & (seen.out < 0.85) & (up > 0.85)
        if float(seen.area[disc].sum()) > 0.6 * PI * 0.85**2:
            result.append(disc)
        ring = by & (seen.out > 1.06) & (seen.out < 1.8) & (up < -0.85)
        if float(seen.area[ring].sum()) > 1.0 and len(np.unique(seen.column(ring, TURNS))) > 0.8 * TURNS:
            result.append(ring)
    return result


def _fitted(tube: Tube, seen: Around, spread: Patches, run: Run, tolerance: float) -> Tube:
    trim = min(0.1, 0.15 * (run.high - run.low))
    on = seen.on(tolerance) & (seen.height > run.low + trim) & (seen.height < run.high - trim)
    return fit_roughly(tube, spread.point[on], spread.area[on], 3) if int(on.sum()) >= 8 else tube


def _last_fit(tube: Tube, part: Surface, spread: Patches, normal: Array, sign: float) -> tuple[Tube, Doubt]:
    """On the corners of the faces that lie on the side: these are on the true surface where flat faces cut it short."""
    doubt = Doubt(1.0, 1.0, 1.0, 1.0)
    tolerance = TOLERANCE
    for _ in range(2):
        seen = around(tube, spread, normal, sign)
        run = longest_run(seen, tolerance)
        if run is None:
            break
        trim = min(0.05, 0.1 * (run.high - run.low))
        on = seen.on(tolerance) & (seen.height > run.low + trim) & (seen.height < run.high - trim)
        whole = np.bincount(spread.face, minlength=len(part.area))
        share = np.bincount(spread.face[on], minlength=len(part.area)) / np.maximum(whole, 1)
        faces = share > 0.55
        if int(faces.sum()) < 6:
            break
        points = part.corners[faces].reshape(-1, 3)
        tube, doubt = fit(tube, points, np.repeat(part.area[faces], 3))
        tolerance = float(np.clip(4.5 * doubt.residual, 0.04, TOLERANCE))
    return tube, doubt


def _flat(end: End) -> bool:
    return (end.flat > 0.55 or end.edge > EDGE) and end.beyond < 0.25


def _score(run: Run, doubt: Doubt, ends: tuple[End, End], kind: str) -> float:
    length = 1.0 - float(np.exp(-(run.high - run.low) / 0.7))
    clear = any(_flat(e) for e in ends) if kind == "peg" else any(e.floor < 0.25 for e in ends)
    even = float(np.exp(-((doubt.residual / 0.06) ** 2)))
    return length * run.coverage * even * (1.0 if clear else UNCLEAR)


def nearness(found: Found, point: Array | None) -> float:
    """1 where the tube's side passes through a point, 0 far from it."""
    if point is None:
        return 1.0
    return float(np.exp(-((distance(found, point) / 0.35) ** 2)))


def distance(found: Found, point: Array) -> float:
    """From a point to the side of a tube, or to the disc at one of its ends, in radii."""
    out, height = found.tube.out(np.asarray(point, dtype=np.float64)[None])
    t = float(height[0]) / found.tube.radius
    aside = float(out[0]) / found.tube.radius - 1.0 - found.tube.taper * t
    side = float(np.hypot(aside, max(found.run.low - t, t - found.run.high, 0.0)))
    flats = min(abs(t - found.run.low), abs(t - found.run.high))
    return min(side, flats + 0.1) if aside < 0.0 else side


def same(a: Found, b: Found) -> bool:
    """Whether two finds are one surface; the second one's axis may point the other way."""
    along = float(a.tube.axis @ b.tube.axis)
    off = b.tube.centre - a.tube.centre
    height = float(off @ a.tube.axis) / a.tube.radius
    aside = float(np.linalg.norm(off)) / a.tube.radius
    aside = float(np.sqrt(max(aside**2 - height**2, 0.0)))
    scale = b.tube.radius / a.tube.radius
    low, high = (b.run.low, b.run.high) if along > 0.0 else (-b.run.high, -b.run.low)
    meets = min(a.run.high, height + high * scale) > max(a.run.low, height + low * scale)
    return abs(along) > 0.98 and abs(scale - 1.0) < 0.1 and aside < 0.12 and meets
