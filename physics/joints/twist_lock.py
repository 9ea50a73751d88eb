# SPDX-License-Identifier: GPL-3.0-or-later
"""The twist-lock (bayonet): in, a part of a turn, and lugs under a lip hold it until it is turned back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from ..rigid import Array, multiply, rotation
from ..units import DEG, MM, to_deg, to_mm
from .base import Check, Flexure, JointKind, Outcome, Phase, Pose, Trial, within
from .detent import detent_trial, detents, unscrewed
from .lugs import ABOVE, Channel, LugMechanism, check_lugs, groove_reach, lug_sizes
from .moves import align, away, min_jerk, straight
from .protocols import PROTOCOL, protocol_of
from .spec import HAND, JointSpec, Parameter, Preset, depth_of, turn_of
from .trying import (
    blocked,
    hand_way,
    pulled_free,
    ramp_and_hold,
    shaken,
    turned_back,
    twisted,
)  # fmt: skip

DETENT: Final = 2.5 * DEG
"""The last bit of the twist, which the click snaps over."""
REBOUND: Final = 0.35 * DEG


@dataclass(frozen=True)
class TwistLock(LugMechanism):
    """``slot_half``: half width of the entry slots; ``detent_torque`` N m that turns it back over its detents."""

    slot_half: float
    detent_torque: float
    friction: float

    @property
    def groove_span(self) -> tuple[float, float]:
        """Angles (from, to) of the groove of the lug at 0."""
        return self.channels[1].low, self.channels[1].high

    @property
    def groove_z(self) -> tuple[float, float]:
        """Heights (from, to) of the groove."""
        return self.channels[1].bottom, self.channels[1].top

    def flexures(self, margin: float = 0.0) -> list[Flexure]:
        return detents(self, self.detent_torque, self.friction, margin)

    def wrong_motions(self) -> dict[str, tuple[str, Array]]:
        many = [float(u) for u in np.linspace(0.0, 1.0, 25)]
        early, full = self.lift + 0.05 * MM, self.turn * self.twist
        beside = self.entry + self.slot_half - self.lug_half + 0.1 * MM / self.contact
        tilt = (self.bore_radius - self.peg_radius + 0.1 * MM) / self.depth
        return {
            "early_twist": (
                "turned 0.05 mm before full depth",
                np.stack([self.at(Pose(early, self.entry + full * u)) for u in many]),
            ),
            "over_twist": (
                "turned 0.05 mm past the stop",
                np.stack([self.at(Pose(0.0, self.turn * 0.05 * MM / self.lug_radius * u)) for u in many]),
            ),
            "misaligned_entry": (
                "entered 0.1 mm beside its slots",
                np.stack([self.at(Pose(self.depth * (1 - u), beside)) for u in many]),
            ),
            "wrong_axis": (
                f"entered with the axis tilted by {tilt / DEG:.1f} degrees",
                np.stack([multiply(self.at(Pose(self.depth * (1 - u), self.entry)), rotation(0, tilt)) for u in many]),
            ),
            "off_axis": (
                "locked 0.05 mm too far to the side",
                np.stack([self.at(Pose(aside=self.bore_radius - self.peg_radius + 0.05 * MM))]),
            ),
            "too_deep": ("pressed 0.05 mm into its seat", np.stack([self.at(Pose(-0.05 * MM))])),
        }  # fmt: skip


def _twist(lock: TwistLock, u: float) -> Pose:
    return Pose(0.0, lock.entry + lock.turn * u * (lock.twist - DETENT))


def _click(lock: TwistLock, u: float) -> Pose:
    """Over the detent in half the time, then one small rebound off the stop."""
    if u <= 0.5:
        left = DETENT * (1.0 - min_jerk(2.0 * u))
    elif u <= 0.75:
        left = REBOUND * min_jerk(4.0 * u - 2.0)
    else:
        left = REBOUND * (1.0 - min_jerk(4.0 * u - 3.0))
    return Pose(0.0, -lock.turn * left)


def _untwist(lock: TwistLock, u: float) -> Pose:
    return Pose(0.0, -lock.turn * u * lock.twist)


class TwistLockKind(JointKind):
    """See the module."""

    name = "TWIST_LOCK"
    label = "Twist-Lock"
    says = "In, then a part of a turn: lugs under a lip hold until it is turned back"
    parameters = (
        Parameter(
            "depth_mm",
            "Depth",
            "mm",
            0.0,
            0.0,
            1000.0,
            "How far the peg goes in; 0 means as long as the peg is",
        ),
        Parameter("twist_deg", "Twist", "°", 60.0, 5.0, 170.0, "How far the peg turns to lock"),
        HAND,
        Parameter("lugs", "Lugs", "", 2, 1, 6, "Lugs around the peg, evenly spaced"),
        Parameter(
            "clearance_mm", "Clearance", "mm", 0.2, 0.02, 2.0, "Free space along the axis and around the lugs"
        ),
        Parameter("pull_n", "Pull", "N", 90.0, 0.0, 5000.0, "Pull that the locked joint must hold"),
        Parameter(
            "torque_nm", "Unlock", "N·m", 0.10, 0.0, 20.0, "Torque that turns the lock back over its detent"
        ),
        PROTOCOL,
    )
    phases = (
        Phase("ALIGN", "Align", 16, align, "The peg comes over the socket, its lugs over the slots", least=5),
        Phase("INSERT", "Insert", 16, straight, "Straight in, to the seat"),
        Phase("TWIST", "Twist", 16, _twist, "Turns to its detent"),
        Phase(
            "CLICK", "Click", 4, _click, "Snaps over the detent against the stop", joined=True, ease="EVEN"
        ),
        Phase("UNTWIST", "Reverse Twist", 16, _untwist, "Turns back to the slots"),
        Phase("EXTRACT", "Extract", 16, away, "Straight out"),
    )
    default = ("ALIGN", "INSERT", "TWIST", "CLICK", "HOLD")
    presets = {
        "toy_30mm": Preset("Toy, 3 cm", {"twist_deg": 60.0, "lugs": 2, "clearance_mm": 0.2, "pull_n": 90.0, "torque_nm": 0.10},
                           "EN 71-1 8.4: parts over 6 mm hold 90 N for 10 s"),
        "luer": Preset("Luer lock", {"twist_deg": 90.0, "lugs": 2, "clearance_mm": 0.1, "pull_n": 35.0, "torque_nm": 0.03},
                       "ISO 594-2: 35 N at 10 N/s, it holds 0.02 N m of unscrewing torque"),
        "camera": Preset("Camera lens", {"twist_deg": 60.0, "lugs": 3, "clearance_mm": 0.05, "pull_n": 50.0, "torque_nm": 0.15},
                         "common lens mounts: 3 tabs, about 60 degrees"),
        "garden": Preset("Garden hose", {"twist_deg": 45.0, "lugs": 2, "clearance_mm": 0.5, "pull_n": 150.0, "torque_nm": 0.80},
                         "hose couplings with two claws; own estimate"),
    }  # fmt: skip

    def make(self, spec: JointSpec) -> TwistLock:
        depth_mm = depth_of(spec)
        size, clearance = lug_sizes(spec), spec.length("clearance_mm")
        length, depth = spec.peg_length_mm * MM, depth_mm * MM
        seat, twist, turn = length - depth, spec.angle("twist_deg"), turn_of(spec)
        low = -length + size.tip * MM
        high, half = low + size.height * MM, 12.0 * DEG
        gap = min(max(3.0, 60.0 * spec.number("clearance_mm") / spec.peg_radius_mm), 6.0) * DEG
        # a shoulder that rests on the rim stops the peg; a lug that rests on the floor of its groove needs no room below
        bottom, top = low + seat - (clearance if seat <= 1e-9 else 0.0), high + seat + clearance
        slot_half, entry = half + gap, -turn * twist
        stop, far = turn * half, entry - turn * slot_half
        lug_radius = (spec.peg_radius_mm + size.protrusion) * MM
        lock = TwistLock(
            count=int(spec.number("lugs")), length=length, peg_radius=spec.peg_radius_mm * MM,
            bore_radius=spec.bore_radius_mm * MM, bore_depth=spec.bore_depth_mm * MM, depth=depth, twist=twist, turn=turn,
            lift=clearance, lug_radius=lug_radius, lug_half=half, lug_z=(low, high), groove_radius=groove_reach(spec, lug_radius),
            channels=(Channel(entry - slot_half, entry + slot_half, bottom, ABOVE),
                      Channel(min(stop, far), max(stop, far), bottom, top)),
            slot_half=slot_half, detent_torque=spec.number("torque_nm"), friction=0.5,
        )  # fmt: skip
        if twist < half + slot_half:
            what = f"A twist of {spec.number('twist_deg'):.1f} degrees leaves the lugs in their slots"
            spec.refuse(what, f"Turn {(half + slot_half) / DEG:.0f} or more.")
        check_lugs(spec, lock)
        return lock

    def aimed(self, mechanism: Any, pose: Pose) -> Pose:
        """Past the seat, and past the stop at the end of the twist."""
        made = super().aimed(mechanism, pose)
        near = min(max(1.0 - abs(pose.angle) / (5.0 * DEG), 0.0), 1.0)
        pressed = (pose.height - made.height) / (0.3 * MM)
        return replace(made, angle=pose.angle + mechanism.turn * 2.0 * DEG * near * pressed)

    def trials(self, spec: JointSpec, mechanism: Any, pose: Array) -> Sequence[Trial]:
        lock, protocol = mechanism, protocol_of(spec)
        unlocked = multiply(pose, rotation(2, -lock.turn * lock.twist))
        beside = lock.entry - lock.turn * (lock.slot_half + lock.lug_half)
        return [
            _insertion(lock),
            ramp_and_hold(lock, pose, spec),
            *twisted(lock, spec, pose, "locked", lock.turn),
            shaken(lock, pose),
            turned_back(lock, pose, turn=True),
            turned_back(lock, pose, turn=False),
            pulled_free("unlocked", "Pulled while unlocked it comes off", unlocked),
            pulled_free("no_lugs", "Pulled without its lugs it comes off", pose, catch=False),
            blocked(lock, beside),
            *([detent_trial(lock, lock.detent_torque, pose)] if lock.detent_torque > 0.0 else []),
            *(
                [unscrewed(lock, lock.detent_torque, pose, protocol)]
                if lock.detent_torque > 0.0 and protocol.unscrews
                else []
            ),
        ]

    def sentence(self, spec: JointSpec, mechanism: Any, checks: Mapping[str, Check]) -> str:
        depth = to_mm(mechanism.depth) + checks["engaged.depth"].value
        turned = to_deg(mechanism.twist) + checks["engaged.turned"].value
        detent = checks.get("detent.torque")
        click = (
            f"its detent gives way at {mechanism.detent_torque * (1.0 + 0.01 * detent.value):.3f} N·m in contact"
            if detent
            else "it was given no detent, so none was tried"
        )
        return (
            f"{spec.peg} seats {depth:.3f} mm deep in {spec.socket} and turns {turned:.3f} degrees; penetration "
            f"{checks['swept.penetration'].value:.4f} mm; it holds {spec.number('pull_n'):g} N and shaking, and comes off "
            f"only by the reverse twist; {click}."
        )


def _insertion(lock: TwistLock) -> Trial:
    """Inserted and twisted with contacts: the hand enters 0.1 mm off the axis, pushes past the seat and the stop."""
    aside, push, over = 0.1 * MM, 0.3 * MM, 2.0 * DEG
    top = lock.depth + 1.0 * MM
    start = lock.at(Pose(top, lock.entry, aside))
    way = hand_way(lambda u: lock.at(Pose(top - (top + push) * u, lock.entry, aside)), 24)
    full = lock.turn * (lock.twist + over)
    way += hand_way(lambda u: lock.at(Pose(-push, lock.entry + full * u, aside)), 24)
    way += [way[-1]] * 8

    def judge(found: Outcome) -> list[Check]:
        depth, turned = to_mm(found.last.depth - lock.depth), to_deg(found.last.turned - lock.twist)
        return [
            within("contact.depth", depth, 0.01, "mm",
                   f"Inserted by contacts alone, 0.1 mm off centre, it sits {to_mm(found.last.depth):.3f} mm deep"),
            within("contact.turned", turned, 0.1, "deg",
                   f"Twisted against its stop it has turned {to_deg(found.last.turned):.3f} degrees"),
        ]  # fmt: skip

    return Trial("insertion", "Inserting with contacts", start, judge, way=np.stack(way))


KIND = TwistLockKind()
