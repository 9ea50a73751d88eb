# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves that several kinds of joint share, and the curves that time them.

Only + - * are used, so that every machine makes the same bits.
"""

from collections.abc import Callable, Mapping
from typing import Final

from ..units import DEG, MM
from .base import Mechanism, Pose


def min_jerk(u: float) -> float:
    """Rest-to-rest progress 0..1 at time ``u``; held at its ends (Flash and Hogan 1985): no jolt at either end."""
    u = min(max(u, 0.0), 1.0)
    return u * u * u * (10.0 + u * (-15.0 + 6.0 * u))


def _even(u: float) -> float:
    return min(max(u, 0.0), 1.0)


def _slow_start(u: float) -> float:
    u = _even(u)
    return u * u * u


def _slow_end(u: float) -> float:
    return 1.0 - _slow_start(1.0 - _even(u))


def _snap(u: float) -> float:
    u = _even(u)
    return u * u * u * u * u * (6.0 - 5.0 * u)


EASES: Final[Mapping[str, tuple[str, Callable[[float], float]]]] = {
    "SMOOTH": ("Smooth", min_jerk),
    "EVEN": ("Even", _even),
    "SLOW_START": ("Slow Start", _slow_start),
    "SLOW_END": ("Slow End", _slow_end),
    "SNAP": ("Snap", _snap),
}
"""Identifier: label and the curve from time 0..1 to progress 0..1."""


def over(mechanism: Mechanism) -> float:
    """Height above the seat at which the peg hovers before it goes in."""
    return mechanism.depth + 0.5 * mechanism.peg_radius


def align(mechanism: Mechanism, u: float) -> Pose:
    """From beside and above, tilted, to hovering straight over the bore."""
    left = 1.0 - u
    return Pose(
        height=over(mechanism) + 1.8 * mechanism.peg_radius * left * left,
        angle=mechanism.entry + 25.0 * DEG * mechanism.turn * -1.0 * left,
        aside=2.6 * mechanism.peg_radius * left,
        tilt=14.0 * DEG * left,
    )


def straight(mechanism: Mechanism, u: float) -> Pose:
    """Straight in, at the angle of entry."""
    return Pose(over(mechanism) * (1.0 - u), mechanism.entry)


def away(mechanism: Mechanism, u: float) -> Pose:
    """Straight out, at the angle of entry."""
    return Pose(over(mechanism) * u, mechanism.entry)


def tug(mechanism: Mechanism, held: Pose, u: float) -> Pose:
    """The whole product is lifted by its peg, turned a little and shaken; the joint stays as it was ``held``."""
    raised = min_jerk((u - 0.1) / 0.45)
    v = (u - 0.55) / 0.45
    swing = 0.5 * mechanism.peg_radius
    sway = swing * (min_jerk(4.0 * v) - 2.0 * min_jerk(2.5 * v - 0.625) + min_jerk(2.857 * v - 1.857))
    lift = max(1.2 * mechanism.peg_radius, 8.0 * MM) * raised
    yaw = 20.0 * DEG * min_jerk((u - 0.1) / 0.9)
    return Pose(held.height, held.angle, held.aside, held.tilt, held.towards, held.about,
                lift + held.lift, sway + held.sway, yaw + held.yaw)  # fmt: skip
