# SPDX-License-Identifier: GPL-3.0-or-later
"""Cuts through a fitted joint for the page of its proof."""

from typing import Any

import numpy as np

from .assembly import Joint
from .evidence import in_frame
from .proof import Evidence
from .rigid import move_points
from .units import MM
from .views import Look, Piece, sections


def cuts(joint: Joint, seen: Evidence, data: dict[str, Any]) -> list[dict[str, Any]]:
    """The section pictures of a joint at its worst sample, or locked where the parts nowhere enter each other."""
    motion, mechanism = data["motion"], joint.mechanism
    deepest = max(motion["penetration_mm"])
    bad = deepest > 0.01
    index = int(np.argmax(motion["penetration_mm"])) if bad else seen.locked
    points, triangles = in_frame(joint.peg, joint.peg_frame)
    peg = Piece(joint.peg.name, "peg", move_points(seen.relative[index], points), triangles)
    socket = Piece(joint.socket.name, "socket", *in_frame(joint.socket, joint.socket_frame))
    zone = getattr(mechanism, "lug_z", (-0.75 * mechanism.length, -0.25 * mechanism.length))
    height = 0.5 * (zone[0] + zone[1]) + mechanism.seat
    contact = getattr(mechanism, "contact", mechanism.bore_radius)
    x, y, z = (value * MM for value in data["deepest_at_mm"])
    look = Look(
        radius=mechanism.reach,
        height=height,
        span=(-1.35 * mechanism.bore_depth, 0.7 * mechanism.bore_depth),
        frame=seen.times[index],
        why=f"at its deepest, {deepest:.3f} mm" if bad else "engaged",
        lock=None if bad else (contact, height),
        worst=(x, y, z) if bad else None,
        worst_says=f"{deepest:.3f} mm" if bad else "",
    )
    return sections([peg, socket], look)
