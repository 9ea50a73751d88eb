# SPDX-License-Identifier: GPL-3.0-or-later
"""The slider: a keyed rod that moves along its axis between two stops and can't turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..rigid import Array, multiply, rotation
from ..units import DEG, MM, to_deg, to_mm
from .base import Check, Engagement, JointKind, Outcome, Phase, Pose, Trial, engagement, within
from .lugs import LIP, Channel, LugMechanism, check_lugs, groove_reach, lug_sizes
from .protocols import PROTOCOL
from .spec import JointSpec, Parameter, Preset, depth_of
from .trying import hand_way, leaning, pulled_free, ramp_and_hold, twisted


@dataclass(frozen=True)
class Slider(LugMechanism):
    """A rod whose keys run in straight slots closed above; ``lift`` is its travel, ``play`` the angle that it may turn."""

    play: float

    def freed(self, at: Engagement) -> bool:
        return at.gap > 0.5 * (self.lift + self.depth)

    def wrong_motions(self) -> dict[str, tuple[str, Array]]:
        many = [float(u) for u in np.linspace(0.0, 1.0, 25)]
        turned = self.play + 0.05 * MM / self.contact
        return {
            "past_stop": (
                "drawn 0.05 mm past its stop",
                np.stack([self.at(Pose(self.lift + 0.05 * MM * u)) for u in many]),
            ),
            "turned": (
                "turned 0.05 mm beyond its play",
                np.stack([self.at(Pose(angle=turned * u)) for u in many]),
            ),
            "off_axis": (
                "0.05 mm too far to the side",
                np.stack([self.at(Pose(aside=self.bore_radius - self.peg_radius + 0.05 * MM))]),
            ),
            "too_deep": ("pressed 0.05 mm into its seat", np.stack([self.at(Pose(-0.05 * MM))])),
            "wrong_axis": leaning(self, [self.at(Pose(self.lift * u)) for u in many]),
        }


class SliderKind(JointKind):
    """See the module."""

    name = "SLIDER"
    label = "Slider"
    says = "A keyed rod that slides between two stops and can't turn"
    parameters = (
        Parameter(
            "depth_mm",
            "Depth",
            "mm",
            0.0,
            0.0,
            1000.0,
            "How far the rod sits in the bore; 0 means as long as it is",
        ),
        Parameter("travel_mm", "Travel", "mm", 4.0, 0.5, 1000.0, "From pushed in to drawn out"),
        Parameter("lugs", "Keys", "", 2, 1, 6, "Keys around the rod, evenly spaced"),
        Parameter("clearance_mm", "Clearance", "mm", 0.2, 0.02, 2.0, "Free space around the keys"),
        Parameter("pull_n", "Pull", "N", 50.0, 0.0, 5000.0, "Pull that the stop must hold"),
        PROTOCOL,
    )
    phases = (
        Phase("REST", "Rest", 12, lambda slider, u: Pose(), "Pushed in", joined=True, least=5),
        Phase("EXTEND", "Extend", 20, lambda slider, u: Pose(slider.lift * u), "Slides out to its stop"),
        Phase(
            "RETRACT", "Retract", 20, lambda slider, u: Pose(slider.lift * (1.0 - u)), "Slides in to its seat"
        ),
    )
    default = ("REST", "EXTEND", "HOLD", "RETRACT")
    presets = {
        "plunger": Preset(
            "Plunger", {"travel_mm": 5.0, "lugs": 2, "clearance_mm": 0.15, "pull_n": 30.0}, "own estimate"
        ),
    }

    def make(self, spec: JointSpec) -> Slider:
        depth_mm = depth_of(spec)
        size, clearance, travel = lug_sizes(spec), spec.length("clearance_mm"), spec.length("travel_mm")
        length, depth, half = spec.peg_length_mm * MM, depth_mm * MM, 12.0 * DEG
        seat, low = length - depth, -length + size.tip * MM
        high = low + size.height * MM
        lug_radius = (spec.peg_radius_mm + size.protrusion) * MM
        play = clearance / lug_radius
        top = high + seat + travel
        if top > -2.0 * LIP:
            most = (-2.0 * LIP - high - seat) / MM
            spec.refuse(
                f"A travel of {travel / MM:.2f} mm draws the keys out of the bore",
                f"Set it to {most:.2f} mm or less.",
            )
        slider = Slider(
            count=int(spec.number("lugs")), length=length, peg_radius=spec.peg_radius_mm * MM,
            bore_radius=spec.bore_radius_mm * MM, bore_depth=spec.bore_depth_mm * MM, depth=depth, twist=0.0, turn=1,
            lift=travel, lug_radius=lug_radius, lug_half=half, lug_z=(low, high), groove_radius=groove_reach(spec, lug_radius),
            channels=(Channel(-half - play, half + play, low + seat - (clearance if seat <= 1e-9 else 0.0), top),),
            play=play,
        )  # fmt: skip
        check_lugs(spec, slider)
        return slider

    def limits(self, mechanism: Any) -> Mapping[str, tuple[float, float]]:
        return {"z": (0.0, mechanism.lift)}

    def kept(self, mechanism: Any, relative: Array) -> Array:
        """It has only slid, between its stops."""
        height = float(relative[2, 3]) - mechanism.seat
        return mechanism.at(Pose(min(max(height, 0.0), mechanism.lift)))

    def trials(self, spec: JointSpec, mechanism: Any, pose: Array) -> Sequence[Trial]:
        return [
            ramp_and_hold(mechanism, pose, spec),
            *twisted(mechanism, spec, pose, "left", 1, mechanism.play),
            *twisted(mechanism, spec, pose, "right", -1, mechanism.play),
            _turned(mechanism, pose),
            pulled_free("no_keys", "Pulled without its keys it comes off", pose, catch=False),
        ]

    def measured(self, spec: JointSpec, mechanism: Any, poses: Mapping[str, Array]) -> list[Check]:
        moves = [poses[name] for name in ("EXTEND", "RETRACT") if name in poses]
        if not moves:
            return []
        rows = [engagement(pose, mechanism) for pose in np.concatenate(moves)]
        aside, turned = max(row.lateral for row in rows), max(abs(row.turned) for row in rows)
        checks = [
            within(
                "slide.axis",
                to_mm(aside),
                0.001,
                "mm",
                f"It strays {to_mm(aside):.5f} mm from its axis at most",
            ),
            within(
                "slide.turn",
                to_deg(turned),
                1e-4,
                "deg",
                f"While it slides it turns {to_deg(turned):.6f} degrees",
            ),
        ]
        if "EXTEND" in poses:
            out = to_mm(engagement(poses["EXTEND"][-1], mechanism).gap)
            off = round(out - to_mm(mechanism.lift), 6)
            checks.append(within("slide.travel", off, 0.001, "mm", f"It slides out {out:.4f} mm"))
        return checks

    def sentence(self, spec: JointSpec, mechanism: Any, checks: Mapping[str, Check]) -> str:
        return (
            f"{spec.peg} slides {to_mm(mechanism.lift):.2f} mm in {spec.socket} between its stops and does not turn; "
            f"penetration {checks['swept.penetration'].value:.4f} mm; its stop holds {spec.number('pull_n'):g} N."
        )


def _turned(slider: Slider, pose: Array) -> Trial:
    """A spring hand turns it by its play and 3 degrees more; the keys must hold it at the end of their play."""
    past = slider.play + 3.0 * DEG
    way = hand_way(lambda u: multiply(pose, rotation(2, past * u)), 24)
    way += [way[-1]] * 8

    def judge(found: Outcome) -> list[Check]:
        off = to_deg(found.last.turned - slider.play)
        return [within("keys.turn", off, 0.1, "deg",
                       f"Turned by hand its keys stop it at {to_deg(found.last.turned):.3f} degrees, its play")]  # fmt: skip

    return Trial("turned", "Turning against the keys", pose, judge, way=np.stack(way))


KIND = SliderKind()
