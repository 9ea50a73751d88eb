# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of turned parts with a socket cut in or a peg cut off, and the peg itself."""

import numpy as np

from ...pipeline.errors import InputError
from .meshing import F64
from .outline import Outline
from .outline_features import Feature
from .profile import bevelled, divided, fair, thinned

PEG_OVERLAP_MM = 0.3
THIN_MM = 0.02


def drawn_profile(outline: Outline) -> tuple[F64, float]:
    """(clean profile without bevels, z of its joint plane) in the drawing's millimetres.

    The peg is cut off at the shoulder, the socket is cut in from the rim. Joint plane: shoulder of a lid, rim of a body, else
    the bottom. Raises InputError if the outline can't be turned.
    """
    half = outline.half
    if len(half) < 8:
        raise InputError(
            f"{outline.name} can't be turned: its outline does not close on an axis", todo="Draw it upright."
        )
    peg, socket = outline.feature("peg"), outline.feature("socket")
    if peg is not None:
        over = (half[:, 0] > 1.12 * peg.radius_mm) & (half[:, 1] > 0.8 * peg.level_mm)
        half = np.vstack(
            [[0.0, peg.level_mm], [0.5 * peg.radius_mm, peg.level_mm], half[int(np.argmax(over)) :]]
        )
    if socket is not None:
        under = (half[:, 0] < 1.08 * socket.radius_mm) & (
            half[:, 1] > socket.level_mm - 0.1 * outline.height_mm
        )
        stop = int(np.argmax(under)) if under.any() else len(half)
        if half[stop - 1, 1] < socket.level_mm - 0.04 * outline.height_mm:
            raise _breaks_through(outline.name)
        half = np.vstack([half[:stop], [0.0, half[max(stop - 1, 0), 1]]])
    profile = fair(half, outline.height_mm, outline.stroke_mm)
    plane = float(profile[0, 1]) if peg is not None else float(profile[:, 1].min())
    wanted = outline.height_mm - (peg.level_mm if peg is not None else 0.0)
    profile = (profile - (0, plane)) * (wanted / float(np.ptp(profile[:, 1]))) + (0, plane)
    if socket is not None:
        profile, plane = _bored(profile, socket, outline.name)
    return profile, plane


def _bored(profile: F64, socket: Feature, name: str) -> tuple[F64, float]:
    rim, radius, floor = float(profile[-1, 1]), socket.radius_mm, float(profile[-1, 1]) - socket.length_mm
    if wall(profile, radius, floor, rim) < 0.6 or floor < float(profile[:, 1].min()) + 0.6:
        raise _breaks_through(name)
    return np.vstack([profile[:-1], [radius, rim], [radius, floor], [0.0, floor]]), rim


def _breaks_through(name: str) -> InputError:
    todo = "Draw the cavity narrower or shallower, or the part around it thicker."
    return InputError(f"The socket of {name} breaks through its wall", todo=todo)


def wall(profile: F64, radius: float, low: float, high: float) -> float:
    """Thinnest wall (mm) between the outside of a profile and a bore of ``radius`` between two heights."""
    a, b = profile[:-1], profile[1:]
    least = np.inf
    for z in np.linspace(low, high, 80)[:-1]:
        crossing = (np.minimum(a[:, 1], b[:, 1]) <= z) & (np.maximum(a[:, 1], b[:, 1]) > z)
        if crossing.any():
            p, q = a[crossing], b[crossing]
            least = min(least, float((p[:, 0] + (q - p)[:, 0] * (z - p[:, 1]) / (q - p)[:, 1]).max()))
    return least - radius


def finished(profile: F64, height_mm: float, detail: int) -> F64:
    """The profile with bevelled edges, as few points as stay within 0.02 mm, and no piece too long for even quads."""
    line, _ = bevelled(profile, float(np.clip(0.009 * height_mm, 0.05, 1.2)))
    fine = thinned(line, THIN_MM * min(1.0, height_mm / 44))
    return divided(fine, max(0.055 * height_mm, 2.2 * np.pi * float(profile[:, 0].max()) / detail * 2))


def peg_profile(peg: Feature) -> F64:
    """A plain pin below z = 0 with a chamfered tip, reaching 0.3 mm up into its lid."""
    r, length = peg.radius_mm, peg.length_mm
    c = min(0.1 * r, 0.12 * length)
    return np.array(
        [[0, -length], [r - c, -length], [r, c - length], [r, PEG_OVERLAP_MM], [0, PEG_OVERLAP_MM]], float
    )
