# SPDX-License-Identifier: GPL-3.0-or-later
"""What the proof shows of a joint cut open: along its axis, across it, and its lock from near; as plain data (JSON)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rigid import Array, sine_cosine
from .section import Window, clipped, cut, spans
from .units import to_mm

REACH = 2.2
"""Half the width of the pictures in radii of the joint."""
NEAR = 0.1
"""A point is marked in a cut when it lies within that many radii of its plane."""


@dataclass(frozen=True)
class Piece:
    """A part at the pose that is shown: ``vertices`` (V, 3) metres in the joint frame (z the axis, out of the socket,
    0 at its rim), ``triangles`` (T, 3); ``role`` "peg" (what moves) or "socket".
    """

    part: str
    role: str
    vertices: Array
    triangles: NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Look:
    """What to show. ``radius`` of the joint, ``height`` of the cut across and ``span`` (lowest, highest) of the
    cut along the axis, metres; ``angle`` of that cut about z, radians, such that it meets a lug; ``frame`` of the pose
    and ``why`` it was chosen. ``worst`` (3,) metres is marked and says ``worst_says``. ``lock`` (r, z) metres is the middle of
    what holds, shown from near; None for joints that hold without one.
    """

    radius: float
    height: float
    span: tuple[float, float]
    angle: float = 0.0
    frame: float = 0.0
    why: str = ""
    worst: tuple[float, float, float] | None = None
    worst_says: str = ""
    lock: tuple[float, float] | None = None


def sections(pieces: Sequence[Piece], look: Look) -> list[dict[str, Any]]:
    """The pictures: axial, radial and, if the look has a lock, that from near. Lengths in mm to 0.1 micrometres.

    Beside ``shapes`` and ``marks`` each has its ``window`` [left, bottom, right, top], ``lines`` (the axis and where the
    other cut runs) and ``dims``: free lengths between peg and socket, measured in the cut meshes.
    """
    sine, cosine = sine_cosine(look.angle)
    axial, radial = np.eye(4), np.eye(4)
    axial[:3, :3] = np.array(((cosine, sine, 0.0), (0.0, 0.0, 1.0), (sine, -cosine, 0.0))).T
    radial[:3, :3] = np.array(((cosine, sine, 0.0), (-sine, cosine, 0.0), (0.0, 0.0, 1.0))).T
    radial[2, 3] = look.height
    wide = to_mm(REACH * look.radius)
    along = [(piece, cut(piece.vertices, piece.triangles, axial)) for piece in pieces]
    across = [(piece, cut(piece.vertices, piece.triangles, radial)) for piece in pieces]
    bottom, top = (to_mm(value) for value in look.span)
    level = to_mm(look.height)
    height_line = _line((-wide, level), (wide, level), "B")
    axis_line = _line((0.0, bottom), (0.0, top), "axis")
    cut_line = _line((-wide, 0.0), (wide, 0.0), "A")
    made = [
        _picture("Along the axis", "axial", along, (-wide, bottom, wide, top), look, axial, [axis_line, height_line]),
        _picture("Across the joint", "radial", across, (-wide, -wide, wide, wide), look, radial, [cut_line]),
    ]  # fmt: skip
    made[1]["says"] = f"Cut {abs(level):.2f} mm {'below' if level < 0.0 else 'above'} the rim"
    if look.lock is not None:
        r, z = (to_mm(value) for value in look.lock)
        half = 0.36 * to_mm(look.radius)
        near = _picture(
            "The lock from near", "axial", along, (r - half, z - half, r + half, z + half), look, axial, []
        )
        near["dims"] = _clearances(along, 1, z, half) + _clearances(along, 0, r, half)
        made.append(near)
    return made


def _line(start: tuple[float, float], end: tuple[float, float], says: str) -> dict[str, Any]:
    return {"from": list(start), "to": list(end), "says": says}


def _picture(title: str, view: str, loops: Sequence[tuple[Piece, list[Array]]], window: Window, look: Look, plane: Array,
             lines: list[dict[str, Any]]) -> dict[str, Any]:  # fmt: skip
    """One picture; outlines reach a little past its window, so that their edges there are not seen."""
    spare = 0.05 * (window[2] - window[0])
    wider = (window[0] - spare, window[1] - spare, window[2] + spare, window[3] + spare)
    shapes = []
    for piece, outlines in loops:
        kept = [_listed(loop) for loop in clipped(outlines, wider)]
        if kept:
            shapes.append({"part": piece.part, "role": piece.role, "loops": kept})
    marks = []
    if look.worst is not None:
        away = np.array(look.worst) - plane[:3, 3]
        x, y, off = ((away * plane[:3, k]).sum() for k in range(3))
        at = [to_mm(float(x), 4), to_mm(float(y), 4)]
        if abs(off) <= NEAR * look.radius and window[0] < at[0] < window[2] and window[1] < at[1] < window[3]:
            marks.append({"at": at, "says": look.worst_says})
    return {
        "title": title, "view": view, "frame": look.frame, "why": look.why, "unit": "mm", "says": "Cut through the axis",
        "window": [round(value, 4) for value in window], "shapes": shapes, "marks": marks, "lines": lines, "dims": [],
    }  # fmt: skip


def _listed(loop: Array) -> list[list[float]]:
    listed: list[list[float]] = (np.round(loop, 4) + 0.0).tolist()
    return listed


def _clearances(
    loops: Sequence[tuple[Piece, list[Array]]], axis: int, at: float, most: float
) -> list[dict[str, Any]]:
    """Free lengths from peg to socket, shorter than ``most`` mm, along the line ``at`` across a picture axis (x > 0)."""
    found = []
    for piece, outlines in loops:
        found += [(low, high, piece.role) for low, high in spans(outlines, axis, at)]
    found.sort()
    dims = []
    reached, role = -np.inf, ""
    for low, high, other in found:
        if role and other != role and 1e-3 < low - reached < most and (axis == 0 or reached > 0.0):
            ends = [[at, reached], [at, low]] if axis == 0 else [[reached, at], [low, at]]
            rounded = [[round(value, 4) for value in end] for end in ends]
            dims.append({"from": rounded[0], "to": rounded[1], "says": f"{low - reached:.3f} mm"})
        if high > reached:
            reached, role = high, other
    return dims
