# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the peg or the bore in a mesh: the tube whose surface is there, or a refusal that says which click helps.

Normals vote by pairs (axis_guess), the best guesses are fitted and measured along (axis_find, axis_fit, axis_ends).
Seeded and sorted stably, so that the same mesh gives the same answer. Limits are calibrated on random parts whose
seeds are not those that tests and bench report.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..pipeline.errors import InputError
from .axis_ends import interruptions
from .axis_find import Found, candidates, distance, nearness, same
from .axis_surface import surface
from .features import Feature, Vector3
from .rigid import Array, frame
from .units import DEG, MM

SURE = 0.5
"""Least confidence of an answer: an axis to half a degree (standard deviation)."""
NEAR = 0.7
"""Radii from a click to the surface that it means."""
RUNNER_UP = 0.7
"""Share of the best find's score from which another one makes it doubtful which is meant."""


@dataclass(frozen=True)
class _Hints:
    shoulder: Array | None
    picked: Array | None
    end: Array | None


def find_cylinder(vertices: Array, triangles: NDArray[np.int64], kind: str, part: str,
                  shoulder_hint: ArrayLike | None = None, picked: ArrayLike | None = None,
                  picked_end: ArrayLike | None = None) -> Feature:  # fmt: skip
    """The peg ("peg") or bore ("socket") of a mesh, vertices (V, 3) and triangles (T, 3), in the mesh's own units.

    All hints are points (3,) in the mesh's space and may be left out; each narrows what is looked at:

    - ``shoulder_hint``: on the shoulder's side of a peg, as the middle of the body that carries it; tells the tip.
    - ``picked``, the first click: on the feature's side, or within 0.7 radii of it; only what is there is considered,
      and it may end in no flat tip. On the flat of a peg's end it also tells that this end goes in.
    - ``picked_end``, the second click: on the edge of the tip that goes in, or on the rim; tells which end is which.
      Without ``picked`` it serves as the first click too.

    The same call is made after each click with the clicks so far. Raises InputError, whose ``todo`` says where to
    click next, if nothing fits, several things fit about as well, the surface is too uneven, or it can't be told
    which end goes in. ``source`` of the answer is detected (no click) or picked.
    """
    hints = _Hints(
        *(None if p is None else np.asarray(p, np.float64) for p in (shoulder_hint, picked, picked_end))
    )
    near = hints.picked if hints.picked is not None else hints.end
    shape = surface(np.asarray(vertices, dtype=np.float64), triangles)
    found = candidates(shape, 1.0 if kind == "peg" else -1.0, near)
    if near is not None:
        found = [f for f in found if distance(f, near) < NEAR]
    if hints.end is not None:
        found = [f for f in found if _end_at(f, hints.end) is not None]
    best = _chosen(found, kind, part, near)
    side = _open_side(best, hints, part)
    return _feature(best, side, "detected" if near is None else "picked", near)


def find_axis_here(vertices: Array, triangles: NDArray[np.int64], point: ArrayLike,
                   normal: ArrayLike | None = None, picked_end: ArrayLike | None = None) -> list[Feature]:  # fmt: skip
    """All pegs and bores that come near a clicked point (3,), the likeliest first; for a viewport that shows them.

    Never raises for what it can't find: no find is an empty list. ``normal`` (3,) of the face that was hit tells a
    peg's side from a bore's (those that face the other way come with 0.4 of their confidence). ``picked_end`` (3,), a
    second click on the tip's edge or the rim, keeps what has an end there and tells that it goes in. Without it, where
    the shape does not say which end is open, the one nearer to the point is taken and the confidence halved. For an
    answer that refuses rather than guesses call ``find_cylinder`` with the same clicks.
    """
    near = np.asarray(point, dtype=np.float64)
    end = None if picked_end is None else np.asarray(picked_end, dtype=np.float64)
    shape = surface(np.asarray(vertices, dtype=np.float64), triangles)
    result = []
    for sign in (1.0, -1.0):
        for found in candidates(shape, sign, near):
            told = _told_side(found) if end is None else _end_at(found, end)
            if distance(found, near) < NEAR and (end is None or told is not None):
                side = told if told is not None else _nearer_side(found, near)
                feature = _feature(found, side, "picked", near)
                doubt = 1.0 if told is not None else 0.5
                doubt *= 1.0 if normal is None or _faces(found, near, np.asarray(normal, np.float64)) else 0.4
                result.append(replace(feature, confidence=round(feature.confidence * doubt, 3)))
    return sorted(result, key=lambda feature: -feature.confidence)


def _faces(found: Found, point: Array, normal: Array) -> bool:
    off = point - found.tube.centre
    off = off - found.tube.axis * float(off @ found.tube.axis)
    return found.sign * float(off @ normal) > -0.2 * float(np.linalg.norm(off))


def _chosen(found: list[Found], kind: str, part: str, near: Array | None) -> Found:
    """The one that is plainly meant and plainly there."""
    click = f"Click {_SIDE[kind]}"
    if near is not None:
        click += f", not an edge or what stands beside it, and then {_END[kind]}"
    state = f", or state it: custom property holdfast_feature on {part!r}."
    if not found or (near is None and confidence(found[0]) == 0.0):
        where = "" if near is None else " near the click"
        raise InputError(f"No {kind} was found in the shape of {part!r}{where}", todo=click + state)
    best = found[0]
    rival = _rival(found, near)
    if rival is not None:
        what = f"More than one surface of {part!r} could be its {kind} ({_mm(best)} or {_mm(rival)} radius)"
        raise InputError(what, todo=click + state)
    if near is None and not best.clear:
        what = (
            f"No end of {part!r} looks like the tip of a peg"
            if kind == "peg"
            else f"The bore of {part!r} has no opening"
        )
        raise InputError(what, todo=click + state)
    if confidence(best, near) < SURE:
        what = f"The {kind} of {part!r} is too uneven to be sure of (its axis to {best.doubt.axis / DEG:.1f} degrees)"
        raise InputError(what, todo="Smooth or remesh that surface" + state)
    return best


_SIDE = {
    "peg": "the side of the peg, halfway between shoulder and tip",
    "socket": "the wall inside the bore, halfway between rim and floor",
}
_END = {"peg": "the edge of the tip that goes in", "socket": "the rim where the peg goes in"}


def _rival(found: list[Found], near: Array | None) -> Found | None:
    best = found[0].score * nearness(found[0], near)
    for other in found[1:]:
        there = confidence(other, near) > 0.15 and not same(found[0], other)
        if there and other.score * nearness(other, near) > RUNNER_UP * best:
            return other
    return None


def confidence(found: Found, near: Array | None = None) -> float:
    """How sure a find is, 0 to 1: the least of what its fit, length, coverage, evenness and nearness to a click give."""
    run = found.run.high - found.run.low
    terms = (
        _between(found.doubt.axis / DEG, 0.9, 0.1),
        _between(found.doubt.centre, 0.03, 0.005),
        _between(found.doubt.radius, 0.02, 0.003),
        _between(found.doubt.residual, 0.07, 0.01),
        _between(run, 0.0, 1.4),
        _between(found.run.coverage, 0.2, 0.95),
        1.0 if found.clear or near is not None else 0.4,
    )
    return min(terms)


def _between(value: float, worst: float, best: float) -> float:
    return float(np.clip((value - worst) / (best - worst), 0.0, 1.0))


def _mm(found: Found) -> str:
    return f"{found.tube.radius / MM:.2f} mm"


def _heights(found: Found) -> tuple[float, float]:
    return found.ends[0].height, found.ends[1].height


def _height(found: Found, point: Array) -> float:
    return float((point - found.tube.centre) @ found.tube.axis) / found.tube.radius


def _end_at(found: Found, point: Array) -> float | None:
    """-1 or 1 for the low or high end that a point is at; None if it is at neither."""
    t, (low, high) = _height(found, point), _heights(found)
    out = float(found.tube.out(point[None])[0][0]) / found.tube.radius
    reach = min(0.6, 0.45 * (high - low))
    if out > 1.7 or min(abs(t - low), abs(t - high)) > reach:
        return None
    return -1.0 if abs(t - low) < abs(t - high) else 1.0


def _nearer_side(found: Found, point: Array) -> float:
    t, (low, high) = _height(found, point), _heights(found)
    return -1.0 if abs(t - low) < abs(t - high) else 1.0


def _told_side(found: Found) -> float | None:
    """The free end of a peg, the open end of a bore (-1 low, 1 high), as the shape alone tells it."""
    if found.kind == "peg":
        low, high = found.tips()
    else:
        low, high = (not closed for closed in found.floors())
    if low == high:
        return None
    return -1.0 if low else 1.0


def _open_side(found: Found, hints: _Hints, part: str) -> float:
    """-1 or 1: the end (low or high) that goes in, or that is entered. Raises InputError if it can't be told."""
    if hints.end is not None:
        side = _end_at(found, hints.end)
        assert side is not None
        return side
    told = _told_side(found)
    if found.kind == "peg":
        return _tip_side(found, told, hints, part)
    if told is not None:
        return told
    if hints.picked is not None and not any(found.floors()):
        t, (low, high) = _height(found, hints.picked), _heights(found)
        share = (t - low) / (high - low)
        if abs(share - 0.5) > 0.2:
            return 1.0 if share > 0.5 else -1.0
    what = "goes through" if not any(found.floors()) else "is closed at both ends"
    raise InputError(
        f"The bore of {part!r} {what}, so its rim can't be told",
        todo=f"{_next_click(hints)} {_END['socket']}.",
    )


def _tip_side(found: Found, told: float | None, hints: _Hints, part: str) -> float:
    hinted = None if hints.shoulder is None else -_nearer_side(found, hints.shoulder)
    if told is not None and hinted is not None and told != hinted:
        what = f"The body of {part!r} is on the side of the peg's free end"
        raise InputError(what, todo=f"{_next_click(hints)} {_END['peg']}.")
    side = told if told is not None else hinted
    if side is None and hints.picked is not None and all(found.tips()):
        t, (low, high) = _height(found, hints.picked), _heights(found)
        inside = float(found.tube.out(hints.picked[None])[0][0]) < 0.9 * found.tube.radius
        if inside and min(abs(t - low), abs(t - high)) < 0.2:
            side = _nearer_side(found, hints.picked)  # the click is on the flat of an end
    if side is None:
        todo = f"{_next_click(hints)} {_END['peg']}, or parent the peg to the part that carries it."
        raise InputError(f"Which end of {part!r} goes in can't be told", todo=todo)
    return side


def _next_click(hints: _Hints) -> str:
    return "Click" if hints.picked is None else "Click a second time, on"


def _feature(found: Found, side: float, source: str, near: Array | None) -> Feature:
    """``side`` is the end that goes in or is entered; the origin is at the shoulder of a peg, the rim of a bore."""
    tube, (low, high) = found.tube, _heights(found)
    way = side * tube.axis
    base = -side if found.kind == "peg" else side
    origin = tube.centre + (low if base < 0.0 else high) * tube.radius * tube.axis
    radius = tube.radius * (1.0 + tube.taper * 0.5 * (low + high))
    length = (high - low) * tube.radius
    feature = Feature(found.kind, round(radius, 7), round(length, 7), _rounded(_snap(way)), _rounded(origin), source,
                      round(confidence(found, near), 3))  # fmt: skip
    return replace(feature, angles=_angles(found, feature, side))


def _angles(found: Found, feature: Feature, side: float) -> tuple[float, ...]:
    """Turns of lugs or slots in the frame of the feature."""
    basis = frame((0.0, 0.0, 0.0), found.tube.axis)[:3, :3]
    inverse = np.linalg.inv(feature.frame[:3, :3])
    result = []
    for turn in interruptions(found.seen, found.run, found.kind, side):
        x, y, _ = inverse @ basis @ np.array((np.cos(turn), np.sin(turn), 0.0))
        result.append(round(float(np.arctan2(y, x)), 4) + 0.0)
    return tuple(sorted(result))


def _snap(axis: Array) -> Array:
    """An axis within a fifth of a degree of a coordinate axis is that axis."""
    index = int(np.argmax(np.abs(axis)))
    if abs(float(axis[index])) < 1.0 - 6e-6:
        return axis
    snapped = np.zeros(3)
    snapped[index] = np.sign(axis[index])
    return snapped


def _rounded(vector: Array) -> Vector3:
    x, y, z = (round(float(value), 7) + 0.0 for value in vector)
    return x, y, z
