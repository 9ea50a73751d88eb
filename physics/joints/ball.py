# SPDX-License-Identifier: GPL-3.0-or-later
"""The ball joint: a ball behind a narrower mouth that swings to a stop all around and turns freely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..clearing import clearance
from ..rigid import Array
from ..units import DEG, MM, PI, to_deg, to_mm
from .base import Check, JointKind, Outcome, Phase, Pose, Trial, within
from .lugs import LIP
from .moves import min_jerk
from .protocols import PROTOCOL, protocol_of
from .spec import JointSpec, Parameter, Preset
from .sphere import BallMechanism
from .trying import hand_way, pulled_free

WIDEST: Final = 66.0 * DEG
"""Polar angle of the mouth where the ball's size is chosen; less where the swing needs it."""


GRIP: Final = 20000.0
"""N/m of the grip that pulls."""


@dataclass(frozen=True)
class Ball(BallMechanism):
    """A ball with the motions that it can't make."""

    def wrong_motions(self) -> dict[str, tuple[str, Array]]:
        many, fault = [float(u) for u in np.linspace(0.0, 1.0, 9)], 0.05 * MM
        past = self.polar - float(np.arcsin((self.neck - fault) / self.cavity))
        floor = max(self.play, self.bore_depth - self.under - self.ball) + fault
        out = self.under - float(np.sqrt((self.ball - fault) ** 2 - self.bore_radius**2))
        # a bore that goes on below the cavity is a second mouth, as far below the centre as the rim is above it
        deep = min(floor, out) if self.bore_depth > 2.0 * self.under else self.play + fault
        return {
            "past_stop": (
                "tilted 0.05 mm past its stop",
                np.stack([self.at(self.tilted(past * u)) for u in many]),
            ),
            "drawn": ("drawn 0.05 mm through the mouth", np.stack([self.at(Pose(out * u)) for u in many])),
            "off_axis": ("0.05 mm too far to the side", np.stack([self.at(Pose(aside=self.play + fault))])),
            "too_deep": ("pressed 0.05 mm into its seat", np.stack([self.at(Pose(-deep))])),
            "wrong_axis": (
                "about the rim instead of its centre, 0.05 mm beyond its play",
                np.stack(
                    [self.at(Pose(tilt=(self.play + 2.0 * fault) / self.under * u, about=0.0)) for u in many]
                ),
            ),
        }


def _swing(ball: Ball, u: float) -> Pose:
    return ball.tilted(ball.swing * 4.0 * u * (1.0 - u))


def _circle(ball: Ball, u: float) -> Pose:
    return ball.tilted(ball.swing * min_jerk(4.0 * u) * min_jerk(4.0 - 4.0 * u), 2.0 * PI * u)


class BallKind(JointKind):
    """See the module."""

    name = "BALL"
    label = "Ball"
    says = "A ball behind a narrower mouth that swings to a stop all around and turns freely"
    tilts = True
    parameters = (
        Parameter(
            "ball_mm", "Ball", "mm", 0.0, 0.0, 1000.0, "Radius of the ball; 0 is chosen for mouth and swing"
        ),
        Parameter(
            "swing_deg",
            "Swing",
            "°",
            20.0,
            5.0,
            35.0,
            "Largest tilt; the neck is made as thick as stops there",
        ),
        Parameter("clearance_mm", "Clearance", "mm", 0.1, 0.02, 1.0, "Free space around the ball"),
        Parameter("pull_n", "Pull", "N", 90.0, 0.0, 5000.0, "Pull that the mouth must hold"),
        PROTOCOL,
    )
    phases = (
        Phase("REST", "Rest", 12, lambda ball, u: Pose(), "Straight", joined=True, least=5),
        Phase("SWING", "Swing", 24, _swing, "Tilts to its stop and back"),
        Phase("CIRCLE", "Circle", 36, _circle, "Tilts to its stop and goes round along it", least=12),
        Phase(
            "TURN", "Turn", 24, lambda ball, u: Pose(angle=2.0 * PI * u), "Turns once about itself", least=8
        ),
    )
    default = ("REST", "SWING", "CIRCLE", "TURN")
    presets = {
        "shoulder": Preset("Figure's shoulder", {"swing_deg": 30.0, "clearance_mm": 0.1, "pull_n": 90.0},
                           "EN 71-1 8.4: parts over 6 mm hold 90 N for 10 s; swing: own estimate"),
        "stand": Preset("Ball-jointed stand", {"swing_deg": 20.0, "clearance_mm": 0.15, "pull_n": 50.0},
                        "own estimate: desk stands of printed balls"),
    }  # fmt: skip

    def make(self, spec: JointSpec) -> Ball:
        if min(spec.peg_radius_mm, spec.peg_length_mm, spec.bore_radius_mm, spec.bore_depth_mm) <= 0.0:
            spec.refuse("Every measure of a joint must be above zero", "Set radius, length and depth.")
        mouth, play, swing = spec.bore_radius_mm * MM, spec.length("clearance_mm"), spec.angle("swing_deg")
        widest = min(WIDEST, 86.0 * DEG - swing)
        cavity = spec.length("ball_mm") + play if spec.number("ball_mm") else mouth / float(np.sin(widest))
        ball = cavity - play
        if ball < mouth + LIP:
            what = f"A ball of {ball / MM:.2f} mm in radius would slip through a mouth of {mouth / MM:.2f} mm"
            spec.refuse(what, f"Make it {(mouth + LIP) / MM:.2f} mm or larger, or the clearance smaller.")
        polar = float(np.arcsin(mouth / cavity))
        neck = cavity * float(np.sin(polar - swing)) if polar > swing else 0.0
        if neck < 0.15 * ball:
            what = f"A swing of {spec.number('swing_deg'):.0f} degrees leaves a neck of only {neck / MM:.2f} mm in radius"
            spec.refuse(what, "Swing less, or take a smaller ball.")
        if polar + swing > 88.0 * DEG:
            spec.refuse(
                "The ball is too small to be held at its full swing", "Swing less, or take a larger ball."
            )
        under, stated = float(np.sqrt(cavity**2 - mouth**2)), spec.peg_length_mm * MM
        over = ((1.1 * max(spec.peg_radius_mm, neck / MM), 0.0), *spec.over_mm)
        clear = clearance(over, under, float(np.sin(swing)), float(np.cos(swing))) + 0.1 * MM
        seat = max(clear, stated - under - ball)
        least = seat + under - float(np.sqrt(ball**2 - neck**2)) + 0.3 * MM
        if stated < least:
            what = f"The peg is {spec.peg_length_mm:.2f} mm long and its neck must be longer to swing clear of the rim"
            spec.refuse(what, f"Make it {least / MM:.2f} mm or longer, or swing less.")
        return Ball(
            count=1, length=seat + under + ball, peg_radius=spec.peg_radius_mm * MM, bore_radius=mouth,
            bore_depth=spec.bore_depth_mm * MM, depth=under + ball, twist=0.0, turn=1,
            lift=under - float(np.sqrt(ball**2 - mouth**2)), ball=ball, neck=neck, cavity=cavity, under=under, swing=swing,
            play=play, stated=stated,
        )  # fmt: skip

    def aimed(self, mechanism: Any, pose: Pose) -> Pose:
        """Where the path has it: a ball hangs in its play and has no seat."""
        return pose

    def limits(self, mechanism: Any) -> Mapping[str, tuple[float, float]]:
        # a cone in two angles: less than the swing along both together, which the corners would exceed
        tilt = mechanism.swing * float(np.sqrt(0.5))
        return {"ang_x": (-tilt, tilt), "ang_y": (-tilt, tilt), "ang_z": (-PI, PI)}

    def pivot(self, mechanism: Any) -> float:
        return -float(mechanism.under)

    def kept(self, mechanism: Any, relative: Array) -> Array:
        """It has only turned about the ball's centre."""
        made = relative.copy()
        made[:3, 3] = mechanism.centre * relative[:3, 2] - np.array((0.0, 0.0, mechanism.under))
        return made

    def trials(self, spec: JointSpec, mechanism: Any, pose: Array) -> Sequence[Trial]:
        return [
            _pulled(mechanism, spec),
            _stopped(mechanism),
            pulled_free(
                "small_ball", "Pulled with a ball smaller than the mouth it comes off", pose, catch=False
            ),
        ]

    def measured(self, spec: JointSpec, mechanism: Any, poses: Mapping[str, Array]) -> list[Check]:
        moves = [poses[name] for name in ("SWING", "CIRCLE", "TURN") if name in poses]
        if not moves:
            return []
        found = np.concatenate(moves)
        centre = found[:, :3, 3] - mechanism.centre * found[:, :3, 2] + np.array((0.0, 0.0, mechanism.under))
        drift = to_mm(float(np.sqrt((centre**2).sum(axis=1)).max()))
        tilt = to_deg(float(np.arctan2(np.hypot(found[:, 0, 2], found[:, 1, 2]), found[:, 2, 2]).max()))
        over = max(round(tilt - to_deg(mechanism.swing), 6), 0.0)
        return [
            within(
                "swing.centre",
                drift,
                0.001,
                "mm",
                f"However it moves, the ball's centre drifts by {drift:.5f} mm at most",
            ),
            within(
                "swing.tilt",
                over,
                1e-4,
                "deg",
                f"It tilts up to {tilt:.3f} degrees, its stop at {to_deg(mechanism.swing):g}",
            ),
        ]

    def sentence(self, spec: JointSpec, mechanism: Any, checks: Mapping[str, Check]) -> str:
        return (
            f"{spec.peg} swings {to_deg(mechanism.swing):.1f} degrees to every side in {spec.socket} about its ball of "
            f"{to_mm(mechanism.ball):.2f} mm; penetration {checks['swept.penetration'].value:.4f} mm; its mouth holds "
            f"{spec.number('pull_n'):g} N."
        )


def _pulled(ball: Ball, spec: JointSpec) -> Trial:
    """A springy grip, which keeps the free ball straight, draws ever harder and holds: it lifts by its play only.

    A bare force would set a ball of flat facets rolling from facet to facet.
    """
    protocol = protocol_of(spec)
    force = protocol.pull(spec)
    way = [
        ball.at(Pose(ball.lift * min(1.0, k / 12) + pull / GRIP))
        for k, pull in enumerate(protocol.pull_curve(spec), 1)
    ]

    def judge(found: Outcome) -> list[Check]:
        moved, drawn = to_mm(found.last.gap), max(found.force_n)
        return [
            within("pull.lift", round(to_mm(ball.lift) - moved, 6), 0.01, "mm",
                   f"Pulled with {drawn:.1f} N it lifts {moved:.4f} mm, its clearance along the axis, and holds"),
            Check("pull.held", not found.released and drawn >= 0.99 * force, drawn, force, "N", f"The joint holds {force:g} N for {protocol.hold_s:g} s"),
        ]  # fmt: skip

    return Trial(
        "pull", f"Pulling with {force:.0f} N", ball.at(Pose()), judge, way=np.stack(way), hand=(GRIP, 5.0)
    )


def _stopped(ball: Ball) -> Trial:
    """A spring hand tilts it 3 degrees past its stop; neck and edge, ball and cavity must hold it."""
    begin, end = ball.swing - 4.0 * DEG, ball.stop + 3.0 * DEG
    way = hand_way(lambda u: ball.at(ball.tilted(begin + (end - begin) * u)), 20)
    way += [way[-1]] * 10

    def judge(found: Outcome) -> list[Check]:
        tilt, play = to_deg(found.last.tilt), to_deg(ball.stop - ball.swing)
        says = f"Tilted by hand it stops at {tilt:.3f} degrees: its swing, and {play:.3f} that the ball gives by its play"
        return [within("stop.tilt", round(tilt - to_deg(ball.stop), 6), 0.1, "deg", says)]

    return Trial(
        "stop",
        "Tilting against the stop",
        ball.at(ball.tilted(begin)),
        judge,
        way=np.stack(way),
        friction=0.2,
    )


KIND = BallKind()
