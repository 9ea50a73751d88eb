# SPDX-License-Identifier: GPL-3.0-or-later
"""Tongues, beads and detents in the lab: bodies that give way along one line against a spring."""

import numpy as np

from .joints.base import Flexure
from .links import Link
from .rigid import Array, frame
from .simulation import Body


def _centre(flexure: Flexure) -> Array:
    """(4, 4) at the middle of a flexure, x along the way in which it yields."""
    turned = frame(flexure.points.mean(axis=0), flexure.way)
    x, y, z = (turned[:, k].copy() for k in range(3))
    turned[:, 0], turned[:, 1], turned[:, 2] = z, x, y
    return turned


def flexed(flexure: Flexure, margin: float) -> Body:
    at = _centre(flexure)
    local = (flexure.points - at[:3, 3]) @ at[:3, :3]
    return Body(flexure.name, "CONVEX_HULL", (local,), at, mass=flexure.mass, friction=flexure.friction, margin=margin,
                groups=(1,))  # fmt: skip


def guide(flexure: Flexure) -> Link:
    """Lets a flexure move along its way only, against its spring, to its stop."""
    damping = 0.6 * float(np.sqrt(flexure.stiffness * flexure.mass))
    limits = dict.fromkeys(("y", "z", "ang_x", "ang_y", "ang_z"), (0.0, 0.0)) | {"x": (0.0, flexure.travel)}
    return Link(f"guide of {flexure.name}", "GENERIC_SPRING", "anchor", flexure.name, _centre(flexure), limits=limits,
                springs={"x": (flexure.stiffness, damping)})  # fmt: skip
