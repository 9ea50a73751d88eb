# SPDX-License-Identifier: GPL-3.0-or-later
"""Tongues, beads and detents in the lab: bodies that give way along one line against a spring."""

from dataclasses import replace
from typing import Final

import numpy as np

from .joints.base import Flexure
from .links import Link
from .rigid import Array, frame
from .simulation import Body
from .units import MM

SPREAD: Final = 10.0 * MM
"""How far the specks lie from the middle of a flexure."""
_SPECK: Final = np.array(((0.0, 0.0, 0.0), (1e-4, 0.0, 0.0), (0.0, 1e-4, 0.0), (0.0, 0.0, 1e-4)))


def placed(flexure: Flexure, frame: Array, tuned: float) -> Flexure:
    """The same in a world where the socket's frame lies at ``frame`` (4, 4), its spring ``tuned`` times as stiff."""
    turned = frame[:3, :3]
    x, y, z = (float(value) for value in turned @ np.array(flexure.way))
    points = flexure.points @ turned.T + frame[:3, 3]
    return replace(flexure, points=points, way=(x, y, z), stiffness=tuned * flexure.stiffness)


def _centre(flexure: Flexure) -> Array:
    """(4, 4) at the middle of a flexure, x along the way in which it yields."""
    turned = frame(flexure.points.mean(axis=0), flexure.way)
    x, y, z = (turned[:, k].copy() for k in range(3))
    turned[:, 0], turned[:, 1], turned[:, 2] = z, x, y
    return turned


def lab_mass(flexure: Flexure, dt: float) -> float:
    """Kilograms in the lab. Bullet silently softens springs of more than 0.25 radians a substep; an eighth is safe."""
    return max(flexure.mass, flexure.stiffness * (8.0 * dt) ** 2)


def flexed(flexure: Flexure, margin: float, dt: float) -> Body:
    """The body of a flexure for substeps of ``dt`` seconds.

    Two specks far behind and aside, where no peg comes, widen its bounding box, from which Bullet takes the inertia: a
    small heavy body that is held by limits alone gives way to the moments of its contacts, and the solver loses most of
    their force.
    """
    at = _centre(flexure)
    local = (flexure.points - at[:3, 3]) @ at[:3, :3]
    specks = [_SPECK + SPREAD * np.array((2.0, side, side)) for side in (1.0, -1.0)]
    return Body(flexure.name, "COMPOUND", (local, *specks), at, mass=lab_mass(flexure, dt), friction=flexure.friction,
                margin=margin, groups=(1,))  # fmt: skip


def guide(flexure: Flexure, dt: float) -> Link:
    """Lets a flexure move along its way only, against its critically damped spring, to its stop.

    At rest it lies between its limits, not on one: Bullet's limits also hold back what moves away from them.
    """
    damping = 2.0 * float(np.sqrt(flexure.stiffness * lab_mass(flexure, dt)))
    limits = dict.fromkeys(("y", "z", "ang_x", "ang_y", "ang_z"), (0.0, 0.0))
    limits["x"] = (-flexure.travel, flexure.travel)
    return Link(f"guide of {flexure.name}", "GENERIC_SPRING", "anchor", flexure.name, _centre(flexure), limits=limits,
                springs={"x": (flexure.stiffness, damping)})  # fmt: skip
