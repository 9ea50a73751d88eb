# SPDX-License-Identifier: GPL-3.0-or-later
"""The screw: a helical ridge on the peg runs down a helical groove in the bore until it meets the groove's end."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from ..rigid import Array
from ..solids import point
from ..units import DEG, MM, PI, to_deg, to_mm
from .base import Check, JointKind, Outcome, Phase, Pose, Trial, stays, within
from .helix import PIECE, Thread
from .lugs import LIP, lug_sizes
from .moves import align, over
from .protocols import PROTOCOL
from .spec import HAND, JointSpec, Parameter, Preset, depth_of, turn_of
from .trying import hand_way, leaning, pulled_free, ramp_and_hold, twisted

MOST_TURNS: Final = 5.0
"""More would need too many pieces in the lab, and too many frames on screen."""
HAND_STIFF: Final = 5.0
"""N m a radian of the hand that tightens."""


@dataclass(frozen=True)
class Screw(Thread):
    """A thread with the motions that it can't make."""

    @property
    def beyond(self) -> float:
        """Height that brings a flank 0.05 mm into the other, from the middle of its play."""
        return 0.05 * MM * self.steep

    def wrong_motions(self) -> dict[str, tuple[str, Array]]:
        many = [float(u) for u in np.linspace(0.0, 1.0, 33)]
        up, down, half = self.lift + self.beyond, self.below + self.beyond, 0.5 * self.screwed
        drift, back = up / self.rise, (up / (2.0 * self.rise))
        return {
            "cross_threaded": (
                "started at an angle 0.05 mm beyond its play",
                np.stack([self.at(self.along(half * u, up)) for u in many]),
            ),
            "wrong_pitch": (
                "of a pitch that gains 0.05 mm on its play half-way",
                np.stack([self.at(Pose(self.rise * (half + drift) * u, self.sense * half * u)) for u in many]),
            ),
            "straight_push": (
                "pushed in without turning, 0.05 mm beyond its play",
                np.stack([self.at(self.along(half, -down * u)) for u in many]),
            ),
            "wrong_hand": (
                "turned the wrong way by 0.05 mm beyond its play",
                np.stack([self.at(Pose(self.rise * (half + back * u), self.sense * (half - back * u))) for u in many]),
            ),
            "past_stop": (
                "turned 0.05 mm past its stop",
                np.stack([self.at(Pose(angle=self.turn * 0.05 * MM / self.ridge_radius * u)) for u in many]),
            ),
            "drawn": (
                "drawn 0.05 mm beyond its play without turning",
                np.stack([self.at(Pose(up * u)) for u in many]),
            ),
            "off_axis": (
                "0.05 mm too far to the side",
                np.stack([self.at(Pose(aside=self.bore_radius - self.peg_radius + 0.05 * MM))]),
            ),
            "too_deep": ("pressed 0.05 mm into its seat", np.stack([self.at(Pose(-0.05 * MM * self.steep))])),
            "wrong_axis": leaning(self, [self.at(self.along(half * u)) for u in many]),
        }  # fmt: skip


def _align(screw: Screw, u: float) -> Pose:
    pose = align(screw, u)
    return replace(pose, angle=pose.angle + screw.sense * screw.screwed)


def _start(screw: Screw, u: float) -> Pose:
    top, first = over(screw), screw.rise * screw.screwed
    return Pose(top - (top - first) * u, screw.sense * screw.screwed)


def _extract(screw: Screw, u: float) -> Pose:
    return _start(screw, 1.0 - u)


class ScrewKind(JointKind):
    """See the module."""

    name = "SCREW"
    label = "Screw"
    says = "A helical thread turns in to a stop, holds a pull by itself, and turns out again"
    parameters = (
        Parameter("depth_mm", "Depth", "mm", 0.0, 0.0, 1000.0, "How far the peg goes in; 0 means as long as the peg is"),
        Parameter("pitch_mm", "Pitch", "mm", 0.0, 0.0, 100.0, "From ridge to ridge; 0 is chosen for two turns"),
        Parameter("starts", "Starts", "", 2, 1, 4, "Threads side by side; one alone lets the peg lean to its stop"),
        HAND,
        Parameter("thread_mm", "Thread", "mm", 0.0, 0.0, 20.0, "How far the ridge stands out of the peg; 0 is chosen"),
        Parameter("clearance_mm", "Clearance", "mm", 0.2, 0.02, 2.0, "Free space above and below the ridge"),
        Parameter("pull_n", "Pull", "N", 90.0, 0.0, 5000.0, "Pull that the closed screw must hold without turning back"),
        Parameter("torque_nm", "Tightening", "N·m", 0.3, 0.0, 20.0, "Torque with which it is turned against its stop"),
        PROTOCOL,
    )  # fmt: skip
    phases = (
        Phase("ALIGN", "Align", 16, _align, "The peg comes over the socket, its thread over the groove", least=5),
        Phase("START", "Start", 10, _start, "Straight down to the first thread"),
        Phase("SCREW", "Screw In", 40, lambda screw, u: screw.along(screw.screwed * (1.0 - u)),
              "Turns in; one turn moves it by the lead of the thread", joined=True, least=24),
        Phase("UNSCREW", "Unscrew", 40, lambda screw, u: screw.along(screw.screwed * u), "Turns out", least=24),
        Phase("EXTRACT", "Extract", 10, _extract, "Straight out"),
    )  # fmt: skip
    default = ("ALIGN", "START", "SCREW", "HOLD")
    presets = {
        "bottle": Preset("Bottle cap", {"pitch_mm": 2.7, "starts": 1, "clearance_mm": 0.2, "pull_n": 90.0, "torque_nm": 1.9},
                         "ISBT PCO 1881 neck finish: pitch 2.7 mm; capping torque 1.9 N m and pull: own estimate"),
        "lab_bottle": Preset("Laboratory bottle", {"pitch_mm": 4.0, "starts": 1, "clearance_mm": 0.3, "pull_n": 90.0, "torque_nm": 1.0},
                             "DIN 168-1, GL 45: pitch 4 mm; torque and pull: own estimate"),
        "lamp": Preset("Lamp cap", {"pitch_mm": 3.629, "starts": 1, "clearance_mm": 0.25, "pull_n": 50.0, "torque_nm": 0.5},
                       "IEC 60061-1, Edison E27: 7 threads an inch; torque and pull: own estimate"),
        "toy": Preset("Toy, quick", {"pitch_mm": 4.0, "starts": 2, "clearance_mm": 0.2, "pull_n": 90.0, "torque_nm": 0.34},
                      "EN 71-1 8.3 and 8.4: 0.34 N m, 90 N for 10 s; pitch: own estimate"),
    }  # fmt: skip

    def make(self, spec: JointSpec) -> Screw:
        depth_mm = depth_of(spec)
        size, clearance, starts = lug_sizes(spec), spec.length("clearance_mm"), int(spec.number("starts"))
        free_mm = depth_mm - size.tip
        pitch = (spec.number("pitch_mm") or round(0.5 * free_mm / starts, 2)) * MM
        length, depth = spec.peg_length_mm * MM, depth_mm * MM
        # a shoulder that rests on the rim stops the peg; a ridge that rests on its groove needs no room below
        below = clearance if length - depth <= 1e-9 else 0.0
        width, rise = 0.5 * (pitch - clearance - below), pitch * starts / (2.0 * PI)
        low = -length + size.tip * MM + 0.5 * width
        room = min((-LIP - 0.5 * width - low) / rise, 3.0 * PI / starts)
        out = (spec.number("thread_mm") or size.protrusion) * MM
        ridge, gap = spec.peg_radius_mm * MM + out, (spec.bore_radius_mm - spec.peg_radius_mm) * MM
        screw = Screw(
            count=starts, length=length, peg_radius=spec.peg_radius_mm * MM, bore_radius=spec.bore_radius_mm * MM,
            bore_depth=spec.bore_depth_mm * MM, depth=depth, twist=0.0, turn=turn_of(spec), lift=clearance, pitch=pitch,
            ridge_radius=ridge, groove_radius=ridge + max(clearance, gap + 0.05 * MM), width=width, low=low,
            span=PIECE * float(np.floor(room / PIECE + 1e-9)), below=below, screwed=free_mm * MM / rise,
        )  # fmt: skip
        _check(spec, screw)
        return screw

    def aimed(self, mechanism: Any, pose: Pose) -> Pose:
        """Past its end along the thread, as a hand that tightens it."""
        made = super().aimed(mechanism, pose)
        pressed = (pose.height - made.height) / (0.3 * MM)
        return replace(made, angle=pose.angle - mechanism.sense * 3.0 * DEG * pressed)

    def trials(self, spec: JointSpec, mechanism: Any, pose: Array) -> Sequence[Trial]:
        return [
            _screwed_in(mechanism, spec.number("torque_nm")),
            _pull(mechanism, pose, spec),
            *twisted(
                mechanism,
                spec,
                pose,
                "tight",
                mechanism.turn,
                past=lambda found: _ridge_end(mechanism, found),
            ),
            _unscrewed(mechanism, pose),
            _pushed(mechanism),
            pulled_free("no_thread", "Pulled without its thread it comes off", pose, catch=False),
        ]

    def measured(self, spec: JointSpec, mechanism: Any, poses: Mapping[str, Array]) -> list[Check]:
        checks = []
        for name in ("SCREW", "UNSCREW"):
            if name not in poses:
                continue
            heights, angles = _path(mechanism, poses[name])
            short = angles - (angles[-1] if name == "SCREW" else angles[0])
            off = to_mm(float(np.abs(heights - mechanism.rise * short).max()))
            turned = float(np.abs(angles[-1] - angles[0])) / (2.0 * PI)
            says = (
                f"Through {turned:.2f} turns its height stays within {off:.6f} mm of its lead times its turns"
            )
            checks.append(within(f"{name.lower()}.helix", off, 0.001, "mm", says))
        return checks

    def sentence(self, spec: JointSpec, mechanism: Any, checks: Mapping[str, Check]) -> str:
        return (
            f"{spec.peg} screws {to_mm(mechanism.depth):.3f} mm deep into {spec.socket} in "
            f"{mechanism.screwed / (2.0 * PI):.2f} turns at a lead angle of {to_deg(mechanism.lead_angle):.1f} degrees; "
            f"penetration {checks['swept.penetration'].value:.4f} mm; it holds {spec.number('pull_n'):g} N and does not "
            "turn back."
        )


def _check(spec: JointSpec, screw: Screw) -> None:
    """Raises InputError with the one measure of the thread that makes the joint impossible."""
    if screw.ridge_radius - screw.bore_radius < LIP:
        past = to_mm(screw.ridge_radius - screw.bore_radius)
        spec.refuse(
            f"The thread reaches only {past:.2f} mm past the bore and would not hold",
            "Let it stand out further.",
        )
    if screw.width < 0.4 * MM:
        what = f"A pitch of {to_mm(screw.pitch):.2f} mm leaves {to_mm(max(screw.width, 0.0)):.2f} mm for the ridge"
        spec.refuse(what, "Take a larger pitch or less clearance.")
    if screw.screwed > 2.0 * PI * MOST_TURNS:
        what = f"{screw.screwed / (2.0 * PI):.1f} turns are more than {MOST_TURNS:g}"
        spec.refuse(
            what,
            f"Set the pitch to {to_mm(screw.pitch) * screw.screwed / (2.0 * PI * MOST_TURNS) + 0.01:.2f} mm or more.",
        )
    if screw.span * screw.count < PI:
        spec.refuse(
            "Less than half a turn of thread fits on the peg", "Take a smaller pitch or a deeper joint."
        )
    if screw.low + screw.seat - 0.5 * screw.width - screw.below < -screw.bore_depth + 0.05 * MM:
        spec.refuse("The groove lies deeper than the bore", "Drill the bore deeper or take less clearance.")


def _path(screw: Screw, poses: Array) -> tuple[Array, Array]:
    """(S,) heights over the seat and (S,) angles short of the stop, counted on through whole turns."""
    angles: Array = np.unwrap(np.arctan2(poses[:, 1, 0] - poses[:, 0, 1], poses[:, 0, 0] + poses[:, 1, 1]))
    return poses[:, 2, 3] - screw.seat, float(screw.sense) * angles


def _ridge_end(screw: Screw, pose: Array) -> float:
    """Angle in radians by which the foremost corner of a ridge's end is past its stop."""
    past = []
    for first, radius in itertools.product(screw.starts, (screw.bore_radius, screw.ridge_radius)):
        end = pose[:3, :3] @ np.array(point(radius, first, screw.low)) + pose[:3, 3]
        angle = float(np.arctan2(end[1], end[0])) - first
        past.append(screw.turn * ((angle + PI) % (2.0 * PI) - PI))
    return max(past)


def _screwed_in(screw: Screw, torque: float) -> Trial:
    """A hand enters 0.1 mm off the axis, turns it in on real contacts, tightens it against the stop, and lets go.

    One thread alone has its stop on one side and pushes the peg aside by its play, so that it turns on: what must stand
    at the stop is the end of its ridge.
    """
    aside, push, past = 0.1 * MM, 0.2 * MM, max(torque / HAND_STIFF, 2.0 * DEG)
    top = screw.along(screw.screwed, 1.0 * MM)
    begin = screw.at(replace(top, aside=aside))
    way = hand_way(
        lambda u: screw.at(replace(screw.along(screw.screwed, 1.0 * MM * (1.0 - u)), aside=aside)), 6
    )

    def wish(u: float) -> Array:
        left = screw.screwed - (screw.screwed + past) * u
        return screw.at(Pose(screw.rise * max(left, 0.0) - push * u, screw.sense * left, aside))

    way += hand_way(wish, max(24, round(screw.screwed / (16.0 * DEG))))
    way += [way[-1]] * 8
    tight = len(way) - 1
    way += [screw.at(Pose(-push))] * 8

    def judge(found: Outcome) -> list[Check]:
        depth, turned = to_mm(found.last.depth - screw.depth), to_deg(_ridge_end(screw, found.poses[tight]))
        count = float(np.ptp(_path(screw, found.poses)[1])) / (2.0 * PI)
        return [
            within("contact.depth", depth, 0.01, "mm",
                   f"Screwed in by contacts alone, 0.1 mm off centre, it sits {to_mm(found.last.depth):.3f} mm deep"),
            within("contact.turned", turned, 0.1, "deg",
                   f"After {count:.2f} turns, tightened with {torque:g} N·m, its thread stands {turned:.3f} degrees off its stop"),
        ]  # fmt: skip

    return Trial(
        "screwed_in", "Screwing in with contacts", begin, judge, way=np.stack(way), hand=(20000.0, HAND_STIFF)
    )


def _pull(screw: Screw, pose: Array, spec: JointSpec) -> Trial:
    """Pulled it lifts by its play, and its friction keeps it from turning back."""
    trial = ramp_and_hold(screw, pose, spec)

    def judge(found: Outcome) -> list[Check]:
        back = to_deg(found.last.turned)
        says = f"At a lead angle of {to_deg(screw.lead_angle):.1f} degrees the pull turns it back by {abs(back):.3f} degrees"
        return [*trial.judge(found), within("pull.turned", back, 0.5, "deg", says)]

    return replace(trial, judge=judge)


def _unscrewed(screw: Screw, pose: Array) -> Trial:
    """Turned out by a hand and drawn: it must come off."""

    def wish(u: float) -> Array:
        return screw.at(screw.along(screw.screwed * u))

    way = hand_way(wish, max(24, round(screw.screwed / (18.0 * DEG))))
    way += hand_way(lambda u: screw.at(screw.along(screw.screwed, 3.0 * MM * u)), 6)

    def judge(found: Outcome) -> list[Check]:
        return [stays("unscrew.off", found, "Unscrewed it comes off", released=True)]

    return Trial("unscrew", "Unscrewing", pose, judge, way=np.stack(way), friction=0.2)


def _pushed(screw: Screw) -> Trial:
    """A control: pushed straight in it must stop at the first thread; with one thread alone it tilts over it first."""
    top, first = screw.along(screw.screwed, 1.0 * MM), screw.rise * screw.screwed
    way = hand_way(lambda u: screw.at(replace(top, height=top.height - (1.0 * MM + 0.7 * first) * u)), 16)

    def judge(found: Outcome) -> list[Check]:
        stop = screw.depth - first + screw.below + 0.1 * MM
        deep, limit = to_mm(found.last.depth), to_mm(stop if screw.count > 1 else 0.5 * screw.depth)
        says = f"Pushed in without turning it stops at its first thread, {deep:.2f} mm deep"
        return [Check("control.straight_push", deep < limit, deep, limit, "mm", says)]

    return Trial("straight_push", "Pushing without turning", screw.at(top), judge, way=np.stack(way))


KIND = ScrewKind()
