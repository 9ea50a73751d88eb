# SPDX-License-Identifier: GPL-3.0-or-later
"""The detent of a twist-lock: a sprung bump before each lug, made for a torque, and that torque measured in contact."""

from typing import Final

import numpy as np

from ..rigid import Array, multiply, rotation, sine_cosine
from ..units import MM, PI, to_deg
from .base import Check, Flexure, Outcome, Trial, within
from .lugs import LugMechanism
from .protocols import Protocol
from .trying import smooth

BUMP: Final = 0.2 * MM
"""How far the detent stands in the way of a lug; its ramps rise at 45 degrees."""
GAP: Final = 0.05 * MM
"""What the lug turns before it meets its detent."""
TIP: Final = 0.2 * MM
"""Width of the bump's top."""
SQRT2: Final = float(np.sqrt(2.0))
SLOPE: Final = 0.5 * SQRT2
"""Sine and cosine of 45 degrees."""


def stiffness(lock: LugMechanism, torque: float, friction: float) -> float:
    """N/m of each detent's spring, so that ``torque`` N m turns the lugs over it; ``friction`` of either surface.

    At the crest the lug has turned by p and its corner c has sunk by R (1 - cos p) = s. With the ramp at 45 degrees and a
    friction angle of m, the spring's force F = k (BUMP - s) resists with the torque R F sin(45 - p + m) / cos(45 + m).
    """
    turned = (GAP + BUMP) / lock.lug_radius
    sine, cosine = sine_cosine(0.25 * PI - turned)
    mu = friction * friction
    lever = lock.count * lock.lug_radius * (sine + mu * cosine) / (SLOPE - mu * SLOPE)
    sunk = lock.lug_radius * (1.0 - sine_cosine(turned)[1])
    return torque / (lever * (BUMP - sunk))


def detents(lock: LugMechanism, torque: float, friction: float, margin: float = 0.0) -> list[Flexure]:
    """Before each lug a roof whose ridge the edge of the lug crosses in one point: of a longer contact Bullet keeps
    points that are gone. None where there is no torque."""
    if torque <= 0.0:
        return []
    sine, cosine = sine_cosine(lock.lug_half)
    corner = np.array((lock.lug_radius * cosine, -lock.turn * lock.lug_radius * sine))
    out = corner / lock.lug_radius
    along = -lock.turn * np.array((-out[1], out[0]))
    tip, thick = 0.5 * TIP - (SQRT2 - 1.0) * margin, 0.5 * MM
    wide, middle = tip + BUMP + thick, 0.5 * TIP + BUMP + GAP
    profile = ((-tip, margin - BUMP), (tip, margin - BUMP), (wide, margin + thick), (-wide, margin + thick))
    height = lock.seat + 0.5 * (lock.lug_z[0] + lock.lug_z[1])
    first = np.array([
        (*(corner + (middle + t) * along + (r + abs(side)) * out), height + side)
        for side in (0.0, -thick, thick) for t, r in profile
    ])  # fmt: skip
    stiff, made = stiffness(lock, torque, friction), []
    for index, angle in enumerate(lock.lug_angles):
        turn = rotation(2, angle)[:3, :3]
        x, y, _ = (float(value) for value in turn @ np.array((out[0], out[1], 0.0)))
        made.append(
            Flexure(
                f"detent {index}", first @ turn.T, (x, y, 0.0), stiff, thick, mass=0.02, friction=friction
            )
        )
    return made


def detent_trial(lock: LugMechanism, stated: float, pose: Array) -> Trial:
    """A long soft torsion spring, the peg in a bearing, is wound to 0.9 of the stated torque and held, then slowly to 1.1.

    It is as soft as one radian for the stated torque, so that what the peg turns changes it little.
    """
    crest = to_deg((2.0 * BUMP + TIP) / lock.lug_radius)
    wound = [0.9 * smooth(k / 8) for k in range(1, 9)] + [0.9] * 4
    below = len(wound)
    wound += [0.9 + 0.2 * k / 16 for k in range(1, 17)] + [1.1] * 3
    give = (GAP + BUMP) / lock.lug_radius
    way = np.stack([multiply(pose, rotation(2, -lock.turn * (angle + give))) for angle in wound])

    def judge(found: Outcome) -> list[Check]:
        back = [to_deg(lock.twist - row.turned) for row in found.rows]
        passed = next((index for index, turned in enumerate(back) if turned > crest), len(back))
        peak = max((abs(torque) for torque in found.torque_nm[:passed]), default=0.0)
        says = f"Turned back over its detent in contact it takes {peak:.4f} N·m, stated {stated:g} N·m"
        return [
            Check("detent.holds", passed > below, back[below - 1], crest, "deg", "With 0.9 of that torque it stays"),
            within("detent.torque", round(100.0 * (peak / stated - 1.0), 3), 5.0, "%", says),
            Check("detent.passed", passed < len(back), max(back), crest, "deg", "With 1.1 of it it turns past"),
        ]  # fmt: skip

    return Trial("detent", "Turning back over the detent", pose, judge, way=way, springs=True,
                 hand=(20000.0, stated), bearing=("x", "y", "z", "ang_x", "ang_y"))  # fmt: skip


def unscrewed(lock: LugMechanism, stated: float, pose: Array, protocol: Protocol) -> Trial:
    """Turned back with a standard's torque for as long as it says: a detent made for ``stated`` N m must hold."""
    crest, give = to_deg((2.0 * BUMP + TIP) / lock.lug_radius), (GAP + BUMP) / lock.lug_radius
    turns = [torque / stated + give for torque in protocol.torque_curve()]
    way = np.stack([multiply(pose, rotation(2, -lock.turn * turn)) for turn in turns])

    def judge(found: Outcome) -> list[Check]:
        back, most = to_deg(lock.twist - found.last.turned), max(map(abs, found.torque_nm))
        says = f"Turned back with {most:.4f} N·m for {protocol.torque_hold_s:g} s its detent holds at {back:.3f} degrees"
        return [
            Check("torque.unscrewing", back < crest, back, crest, "deg", says),
            Check("torque.reached", most >= 0.98 * protocol.torque_nm, most, protocol.torque_nm, "N·m", "The torque was on it"),
        ]  # fmt: skip

    return Trial("unscrewing", f"Turning back with {protocol.torque_nm:g} N·m", pose, judge, way=way, springs=True,
                 hand=(20000.0, stated), bearing=("x", "y", "z", "ang_x", "ang_y"))  # fmt: skip
