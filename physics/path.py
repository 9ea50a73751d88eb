# SPDX-License-Identifier: GPL-3.0-or-later
"""The choreography: align, insert, twist, click, hold, as rigid transforms that are smooth functions of the frame.

Timing is minimum-jerk polynomials (Flash and Hogan 1985): velocity and acceleration are zero at both ends, so that
phases join twice differentiably. Only + and * are used, so that every machine makes the same bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..pipeline.errors import InputError
from .kit import Kit
from .rigid import Array, multiply, rotation, translation
from .units import DEG, MM

PREROLL = 3
"""Frames at the start in which nothing moves: what rebuilds a simulation from these poses then finds them at rest."""
DETENT = 2.5 * DEG
"""The last bit of the twist, which the click snaps over."""
REBOUND = 0.35 * DEG


def min_jerk(u: float) -> float:
    """Rest-to-rest progress 0..1 at time ``u``; held at its ends."""
    u = min(max(u, 0.0), 1.0)
    return u * u * u * (10.0 + u * (-15.0 + 6.0 * u))


@dataclass(frozen=True)
class Timing:
    """Frames of each phase from the scene frame ``start`` on; ``pull`` shows a tug on the locked joint in the hold."""

    start: int = 1
    align: int = 16
    insert: int = 16
    twist: int = 16
    click: int = 4
    hold: int = 20
    pull: bool = True

    def __post_init__(self) -> None:
        phases = {"align": self.align, "insert": self.insert, "twist": self.twist, "click": self.click}
        for name, frames in phases.items():
            least = PREROLL + 2 if name == "align" else 2
            if frames < least:
                raise InputError(f"The phase {name!r} has {frames} frames", todo=f"Give it {least} or more.")
        if self.hold < 2:
            raise InputError(f"The phase 'hold' has {self.hold} frames", todo="Give it 2 or more.")

    @property
    def total(self) -> int:
        return self.align + self.insert + self.twist + self.click + self.hold

    @property
    def frames(self) -> tuple[int, ...]:
        """All scene frames of the motion."""
        return tuple(range(self.start, self.start + self.total))

    @property
    def knots(self) -> tuple[int, int, int, int, int]:
        """Last frame of align, insert, twist, click and hold."""
        a = self.start + self.align - 1
        b, c, d = a + self.insert, a + self.insert + self.twist, a + self.insert + self.twist + self.click
        return a, b, c, d, d + self.hold

    @property
    def events(self) -> dict[str, tuple[int, int]]:
        """First and last scene frame of every phase."""
        a, b, c, d, e = self.knots
        events = {
            "preroll": (self.start, self.start + PREROLL - 1), "align": (self.start, a), "insert": (a + 1, b),
            "twist": (b + 1, c), "click": (c + 1, d), "hold": (d + 1, e),
        }  # fmt: skip
        if self.pull:
            still, lifted = self._pull_knots()
            events["lift"] = (int(still), int(lifted))
            events["shake"] = (int(lifted), e)
        return events

    def _pull_knots(self) -> tuple[float, float]:
        d, e = self.knots[3:]
        return d + 0.1 * (e - d), d + 0.55 * (e - d)


@dataclass(frozen=True)
class Pose:
    """Where the peg frame stands in the socket frame, and how the whole assembly is carried, at one time.

    ``height`` of the shoulder above the seat and ``aside`` in metres, ``angle`` from the locked pose and ``tilt`` in
    radians; ``lift`` and ``sway`` in metres and ``yaw`` carry both parts as one body.
    """

    height: float
    angle: float
    aside: float = 0.0
    tilt: float = 0.0
    lift: float = 0.0
    sway: float = 0.0
    yaw: float = 0.0

    def peg_in_socket(self, kit: Kit) -> Array:
        """(4, 4): the peg frame in the socket frame."""
        shift = translation((self.aside, 0.0, kit.seat + self.height))
        return multiply(shift, rotation(1, self.tilt), rotation(2, self.angle))

    def assembly(self) -> Array:
        """(4, 4): the socket frame now in the socket frame at rest."""
        return multiply(translation((self.sway, 0.0, self.lift)), rotation(2, self.yaw))


def pose_at(frame: float, timing: Timing, kit: Kit) -> Pose:
    """The pose at a (fractional) scene frame; before the start and after the end it rests."""
    aligned, inserted, twisted, clicked, _ = (float(knot) for knot in timing.knots)
    over = kit.depth + 0.5 * kit.peg_radius
    entry = kit.entry
    if frame <= aligned:
        begin = float(timing.start + PREROLL - 1)
        left = 1.0 - min_jerk((frame - begin) / (aligned - begin))
        return Pose(
            height=over + 1.8 * kit.peg_radius * left * left,
            angle=entry + 25.0 * DEG * kit.turn * -1.0 * left,
            aside=2.6 * kit.peg_radius * left,
            tilt=14.0 * DEG * left,
        )
    if frame <= inserted:
        return Pose(over * (1.0 - min_jerk((frame - aligned) / (inserted - aligned))), entry)
    if frame <= twisted:
        turned = min_jerk((frame - inserted) / (twisted - inserted)) * (kit.twist - DETENT)
        return Pose(0.0, entry + kit.turn * turned)
    if frame <= clicked:
        return Pose(0.0, -kit.turn * _click((frame - twisted) / (clicked - twisted)))
    return _hold(frame, timing, kit)


def _click(u: float) -> float:
    """Angle still to go, >= 0: over the detent in half the time, then one small rebound off the stop."""
    if u <= 0.5:
        return DETENT * (1.0 - min_jerk(2.0 * u))
    if u <= 0.75:
        return REBOUND * min_jerk(4.0 * u - 2.0)
    return REBOUND * (1.0 - min_jerk(4.0 * u - 3.0))


def _hold(frame: float, timing: Timing, kit: Kit) -> Pose:
    if not timing.pull:
        return Pose(0.0, 0.0)
    still, lifted = timing._pull_knots()
    end = float(timing.knots[4])
    raised = min_jerk((frame - still) / (lifted - still)) if lifted > still else 1.0
    u = (frame - lifted) / (end - lifted)
    swing = 0.5 * kit.peg_radius
    sway = swing * (min_jerk(4.0 * u) - 2.0 * min_jerk(2.5 * u - 0.625) + min_jerk(2.857 * u - 1.857))
    turn = min_jerk((frame - still) / (end - still))
    return Pose(0.0, 0.0, lift=max(1.2 * kit.peg_radius, 8.0 * MM) * raised, sway=sway, yaw=20.0 * DEG * turn)


def poses(timing: Timing, kit: Kit, times: Sequence[float]) -> tuple[Array, Array]:
    """(T, 4, 4) peg in socket and (T, 4, 4) assembly at scene times in frames."""
    made = [pose_at(float(time), timing, kit) for time in times]
    return np.stack([pose.peg_in_socket(kit) for pose in made]), np.stack([pose.assembly() for pose in made])
