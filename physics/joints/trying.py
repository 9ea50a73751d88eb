# SPDX-License-Identifier: GPL-3.0-or-later
"""Trials that several kinds of joint share: pull, shake, turn back and draw, push where it can't go."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from ..rigid import Array, multiply, rotation, translation
from ..units import MM, to_deg, to_mm
from .base import Check, Mechanism, Outcome, Pose, Trial, engagement, stays, within
from .protocols import SHORT, load_curve, protocol_of
from .spec import JointSpec

HAND_TWIST: Final = 5.0
"""N m a radian of a hand."""
SHAKE: Final = 49.05
"""Peak acceleration of the shake in m/s2: five times gravity."""
PROOF_MASS: Final = 1.0
"""Mass in kg of the peg in the lab: light parts under strong pulls are numerically violent."""


def smooth(u: float) -> float:
    """Rest-to-rest progress 0..1 of a hand."""
    return u * u * (3.0 - 2.0 * u)


def hand_way(pose: Callable[[float], Array], frames: int) -> list[Array]:
    """Where a hand wants the peg, frame by frame, along ``pose`` from 0 to 1."""
    return [pose(smooth(k / frames)) for k in range(1, frames + 1)]


def leaning(mechanism: Mechanism, poses: Sequence[Array]) -> tuple[str, Array]:
    """A wrong motion: ``poses`` with the peg's axis tilted until its tip is 0.1 mm in the bore's wall."""
    tilt = (mechanism.bore_radius - mechanism.peg_radius + 0.1 * MM) / mechanism.length
    words = f"about an axis tilted by {to_deg(tilt):.1f} degrees"
    return words, np.stack([multiply(pose, rotation(0, tilt)) for pose in poses])


def axial(forces: Sequence[float]) -> Array:
    """(T, 3) N along the axis out of the bore."""
    return np.array([(0.0, 0.0, force) for force in forces])


def ramp_and_hold(mechanism: Mechanism, pose: Array, spec: JointSpec, lift: float | None = None) -> Trial:
    """Pulled out of the bore as the joint's protocol says: it must stay, and move by its clearance only."""
    free, protocol = mechanism.lift if lift is None else lift, protocol_of(spec)
    force = protocol.pull(spec)

    def judge(found: Outcome) -> list[Check]:
        held = [row.gap for row, pull in zip(found.rows, found.force_n, strict=True) if pull >= 0.999 * force]
        moved = to_mm(float(np.median(held or [found.last.gap])))
        return [
            within("pull.lift", round(to_mm(free) - moved, 6), 0.01, "mm",
                   f"Pulled with {force:g} N it lifts {moved:.4f} mm, its clearance, and holds"),
            stays("pull.held", found, f"The joint holds {force:g} N for {protocol.hold_s:g} s"),
        ]  # fmt: skip

    return Trial("pull", f"Pulling with {force:.0f} N", pose, judge, pull=axial(protocol.pull_curve(spec)))


def twisted(mechanism: Mechanism, spec: JointSpec, pose: Array, side: str, way: int, free: float = 0.0,
            past: Callable[[Array], float] | None = None) -> list[Trial]:  # fmt: skip
    """Turned against a stop as the protocol of the joint says, if it twists at all: ``way`` +1 is right-handed about z,
    ``free`` radians lie before the stop, ``past`` tells from a pose how far (radians) what meets the stop is beyond it."""
    protocol = protocol_of(spec)
    if not protocol.torque_nm or protocol.unscrews:
        return []
    curve, begin = protocol.torque_curve(), engagement(pose, mechanism).turned
    wished = [multiply(pose, rotation(2, way * (free + torque / HAND_TWIST))) for torque in curve]

    def judge(found: Outcome) -> list[Check]:
        turned = mechanism.turn * way * (found.last.turned - begin) - free
        off, most = to_deg(turned if past is None else past(found.poses[-1])), max(map(abs, found.torque_nm))
        says = f"Turned with {most:.3f} N·m for {protocol.torque_hold_s:g} s its {side} stop holds, {abs(off):.3f} degrees off"
        reached = Check(f"torque.{side}_reached", most >= 0.98 * protocol.torque_nm, most, protocol.torque_nm, "N·m",
                        f"The hand turns with {most:.3f} N·m")  # fmt: skip
        return [within(f"torque.{side}", off, 0.1, "deg", says), reached]

    message = f"Turning with {protocol.torque_nm:g} N·m against the {side} stop"
    return [Trial(f"torque_{side}", message, pose, judge, way=np.stack(wished))]


def shaken(mechanism: Mechanism, pose: Array) -> Trial:
    """Shaken along x, y and z by five times gravity; in the socket's frame the peg feels the opposite."""
    wave = (0.5, 1.0, 0.5, -0.5, -1.0, -0.5)
    rows = []
    for axis in range(3):
        for part in wave:
            push = [0.0, 0.0, -9.81]
            push[axis] += SHAKE * part
            rows.append([PROOF_MASS * value for value in push])

    def judge(found: Outcome) -> list[Check]:
        back = to_deg(mechanism.twist - found.last.turned)
        says = f"Shaken with 5 g the joint stays closed; by friction alone it turns back {back:.1f} degrees"
        return [stays("shake.held", found, says)]

    return Trial("shake", "Shaking", pose, judge, pull=np.array(rows))


def turned_back(mechanism: Mechanism, pose: Array, *, turn: bool) -> Trial:
    """From the locked ``pose``: turned back to where it goes in (or not, as a control), then drawn out."""
    back = -mechanism.turn * mechanism.twist if turn else 0.0
    way = hand_way(lambda u: multiply(pose, rotation(2, back * u)), 16) if turn else []
    last = multiply(pose, rotation(2, back))
    way += [last] * (4 if turn else 1)
    top = 0.75 * mechanism.depth
    way += hand_way(lambda u: multiply(translation((0.0, 0.0, top * u)), last), 12)

    def judge(found: Outcome) -> list[Check]:
        if turn:
            return [stays("unlock.reverse_twist", found, "The reverse twist lets it come off", released=True)]
        return [stays("unlock.draw_only", found, "Drawn without the twist it stays on")]

    name, message = (
        ("reverse_twist", "Unlocking by the reverse twist")
        if turn
        else ("draw_only", "Drawing without a twist")
    )
    return Trial(name, message, pose, judge, way=np.stack(way), friction=0.2)


def pulled_free(
    name: str, says: str, pose: Array, *, catch: bool = True, force: float = 5.0, **more: Any
) -> Trial:
    """A negative control: pulled with little force it must come off, or the pull test can't be trusted."""

    def judge(found: Outcome) -> list[Check]:
        return [stays(f"control.{name}", found, says, released=True)]

    return Trial(
        name,
        f"A control: {says[0].lower()}{says[1:]}",
        pose,
        judge,
        pull=axial(load_curve(force, SHORT.rise_s, SHORT.hold_s)),
        catch=catch,
        **more,
    )


def blocked(mechanism: Mechanism, angle: float) -> Trial:
    """A negative control: pushed straight in at a wrong ``angle`` it must stop at the rim."""
    top = mechanism.depth + 1.0 * MM
    way = hand_way(lambda u: mechanism.at(Pose(top - 0.8 * top * u, angle)), 16)

    def judge(found: Outcome) -> list[Check]:
        deep, limit = to_mm(found.last.depth), to_mm(0.5 * mechanism.depth)
        says = f"Pushed in beside its slots it stops at {deep:.2f} mm"
        return [Check("control.misaligned", deep < limit, deep, limit, "mm", says)]

    return Trial(
        "misaligned", "Pushing beside the slots", mechanism.at(Pose(top, angle)), judge, way=np.stack(way)
    )
