# SPDX-License-Identifier: GPL-3.0-or-later
"""The hinge: a captive pin that turns between two stops and can't be drawn out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..rigid import Array, multiply, rotation
from ..units import DEG, MM, to_deg, to_mm
from .base import Check, JointKind, Outcome, Phase, Pose, Trial, engagement, within
from .lugs import Channel, LugMechanism, check_lugs, groove_reach, lug_sizes
from .protocols import PROTOCOL
from .spec import HAND, JointSpec, Parameter, Preset, depth_of, turn_of
from .trying import hand_way, leaning, pulled_free, ramp_and_hold, twisted


@dataclass(frozen=True)
class Hinge(LugMechanism):
    """A pin whose lugs run in closed grooves; ``twist`` is the swing, ``entry`` the angle at which it stands open."""

    def wrong_motions(self) -> dict[str, tuple[str, Array]]:
        many = [float(u) for u in np.linspace(0.0, 1.0, 25)]
        past = self.turn * 0.05 * MM / self.lug_radius
        return {
            "past_closed": (
                "closed 0.05 mm past its stop",
                np.stack([self.at(Pose(angle=past * u)) for u in many]),
            ),
            "past_open": (
                "opened 0.05 mm past its stop",
                np.stack([self.at(Pose(angle=self.entry - past * u)) for u in many]),
            ),
            "drawn": (
                "drawn 0.05 mm beyond its clearance",
                np.stack([self.at(Pose((self.lift + 0.05 * MM) * u)) for u in many]),
            ),
            "off_axis": (
                "0.05 mm too far to the side",
                np.stack([self.at(Pose(aside=self.bore_radius - self.peg_radius + 0.05 * MM))]),
            ),
            "too_deep": ("pressed 0.05 mm into its seat", np.stack([self.at(Pose(-0.05 * MM))])),
            "wrong_axis": leaning(self, [self.at(Pose(angle=self.entry * u)) for u in many]),
        }


class HingeKind(JointKind):
    """See the module."""

    name = "HINGE"
    label = "Hinge"
    says = "A captive pin that turns between two stops"
    parameters = (
        Parameter(
            "depth_mm",
            "Depth",
            "mm",
            0.0,
            0.0,
            1000.0,
            "How far the pin sits in the bore; 0 means as long as it is",
        ),
        Parameter(
            "swing_deg", "Swing", "°", 90.0, 5.0, 145.0, "From closed to open; two lugs keep the pin straight"
        ),
        HAND,
        Parameter("lugs", "Lugs", "", 2, 2, 4, "Lugs that hold the pin and meet the stops"),
        Parameter(
            "clearance_mm", "Clearance", "mm", 0.2, 0.02, 2.0, "Free space along the axis and around the lugs"
        ),
        Parameter("pull_n", "Pull", "N", 50.0, 0.0, 5000.0, "Pull along the pin that the hinge must hold"),
        PROTOCOL,
    )
    phases = (
        Phase("REST", "Rest", 12, lambda hinge, u: Pose(), "Closed", joined=True, least=5),
        Phase("OPEN", "Open", 24, lambda hinge, u: Pose(angle=hinge.entry * u), "Swings to its open stop"),
        Phase(
            "CLOSE",
            "Close",
            24,
            lambda hinge, u: Pose(angle=hinge.entry * (1.0 - u)),
            "Swings to its closed stop",
        ),
    )
    default = ("REST", "OPEN", "HOLD", "CLOSE")
    presets = {
        "box_lid": Preset("Box lid", {"swing_deg": 110.0, "clearance_mm": 0.2, "pull_n": 50.0},
                          "own estimate: small box hinges"),
        "figure_limb": Preset("Figure's limb", {"swing_deg": 140.0, "clearance_mm": 0.1, "pull_n": 90.0},
                              "EN 71-1 8.4: parts over 6 mm hold 90 N for 10 s"),
    }  # fmt: skip

    def make(self, spec: JointSpec) -> Hinge:
        depth_mm = depth_of(spec)
        size, clearance = lug_sizes(spec), spec.length("clearance_mm")
        length, depth, turn, half = spec.peg_length_mm * MM, depth_mm * MM, turn_of(spec), 12.0 * DEG
        seat, swing = length - depth, spec.angle("swing_deg")
        low = -length + size.tip * MM
        high = low + size.height * MM
        stop, far = turn * half, -turn * (swing + half)
        lug_radius = (spec.peg_radius_mm + size.protrusion) * MM
        groove = (low + seat - (clearance if seat <= 1e-9 else 0.0), high + seat + clearance)
        hinge = Hinge(
            count=int(spec.number("lugs")), length=length, peg_radius=spec.peg_radius_mm * MM,
            bore_radius=spec.bore_radius_mm * MM, bore_depth=spec.bore_depth_mm * MM, depth=depth, twist=swing, turn=turn,
            lift=clearance, lug_radius=lug_radius, lug_half=half, lug_z=(low, high), groove_radius=groove_reach(spec, lug_radius),
            channels=(Channel(min(stop, far), max(stop, far), *groove),),
        )  # fmt: skip
        check_lugs(spec, hinge)
        return hinge

    def aimed(self, mechanism: Any, pose: Pose) -> Pose:
        """Past its stops, for them to hold it."""
        made = super().aimed(mechanism, pose)
        ends = (pose.angle, pose.angle - mechanism.entry)
        closed, opened = (min(max(1.0 - abs(end) / (5.0 * DEG), 0.0), 1.0) for end in ends)
        return replace(made, angle=pose.angle + mechanism.turn * 2.0 * DEG * (closed - opened))

    def limits(self, mechanism: Any) -> Mapping[str, tuple[float, float]]:
        return {"ang_z": (min(mechanism.entry, 0.0), max(mechanism.entry, 0.0))}

    def kept(self, mechanism: Any, relative: Array) -> Array:
        """It has only turned, between its stops."""
        angle = float(np.arctan2(relative[1, 0] - relative[0, 1], relative[0, 0] + relative[1, 1]))
        low, high = self.limits(mechanism)["ang_z"]
        return mechanism.at(Pose(angle=min(max(angle, low), high)))

    def trials(self, spec: JointSpec, mechanism: Any, pose: Array) -> Sequence[Trial]:
        return [
            ramp_and_hold(mechanism, pose, spec),
            *twisted(mechanism, spec, pose, "closed", mechanism.turn),
            *twisted(mechanism, spec, multiply(pose, rotation(2, mechanism.entry)), "open", -mechanism.turn),
            _stop(mechanism, pose, "closed"),
            _stop(mechanism, pose, "open"),
            pulled_free("no_lugs", "Pulled without its lugs it comes off", pose, catch=False),
        ]

    def measured(self, spec: JointSpec, mechanism: Any, poses: Mapping[str, Array]) -> list[Check]:
        swings = [poses[name] for name in ("OPEN", "CLOSE") if name in poses]
        if not swings:
            return []
        rows = [engagement(pose, mechanism) for pose in np.concatenate(swings)]
        strayed = max(max(row.lateral, abs(row.gap)) for row in rows)
        checks = [within("swing.axis", to_mm(strayed), 0.001, "mm",
                         f"While it swings its axis strays by {to_mm(strayed):.5f} mm at most")]  # fmt: skip
        if "OPEN" in poses:
            turned = to_deg(mechanism.twist - engagement(poses["OPEN"][-1], mechanism).turned)
            open_to = to_deg(mechanism.twist)
            says = f"It opens to {open_to - (open_to - turned):.3f} degrees"
            checks.append(within("swing.open", round(turned - open_to, 6) + 0.0, 1e-4, "deg", says))
        return checks

    def sentence(self, spec: JointSpec, mechanism: Any, checks: Mapping[str, Check]) -> str:
        return (
            f"{spec.peg} swings {to_deg(mechanism.twist):.1f} degrees in {spec.socket} between its stops; penetration "
            f"{checks['swept.penetration'].value:.4f} mm; it holds {spec.number('pull_n'):g} N along its axis."
        )


def _stop(hinge: Hinge, pose: Array, end: str) -> Trial:
    """A spring hand swings it 3 degrees past a stop; contacts must hold it there."""
    over = 3.0 * DEG
    start = pose if end == "closed" else multiply(pose, rotation(2, hinge.entry))
    begin = multiply(start, rotation(2, hinge.turn * (-8.0 if end == "closed" else 8.0) * DEG))
    past = hinge.turn * (over + 8.0 * DEG) * (1.0 if end == "closed" else -1.0)
    way = hand_way(lambda u: multiply(begin, rotation(2, past * u)), 24)
    way += [way[-1]] * 8
    target = hinge.twist if end == "closed" else 0.0

    def judge(found: Outcome) -> list[Check]:
        off = to_deg(found.last.turned - target)
        return [
            within(
                f"stop.{end}",
                off,
                0.1,
                "deg",
                f"Swung past its {end} stop it is held, {abs(off):.3f} degrees off",
            )
        ]

    return Trial(f"stop_{end}", f"Swinging against the {end} stop", begin, judge, way=np.stack(way))


KIND = HingeKind()
