# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact path of one body where Bullet is wrong: bounces, and spins that last.

Bullet loses a bounce as substeps grow and gains energy where they are few, and a top in it leans over within
seconds. Here flight is a parabola, rotation keeps energy and momentum, impacts are at their exact times; a ball goes
on sliding and rolling until it rests. Another body is followed until its bounces are too small to see.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from .bounce import Plane, Solid, State, bounced, lowest, next_touch, on_ground
from .rigid import Array, from_quaternion, inverse, multiply, sine_cosine, to_quaternion
from .tumble import spinning
from .units import PI

GRAVITY = (0.0, 0.0, -9.81)
SOFT = 0.05
"""Restitution above which a bounce is seen."""
FAST, TURNS = 10.0, 5.0
"""Rad/s and whole turns in a shot above which the spin of a body is that of a top."""
FADE = 0.02
"""Bounces are over below this share of sqrt(g r): a hop of 0.02 % of the radius."""
CROWD = 200
"""Impacts in one stretch between two times: more is chatter, and over."""


class Facts(Protocol):
    """What is asked of a body: ``simulation.Body`` has it."""

    @property
    def name(self) -> str: ...
    @property
    def restitution(self) -> float: ...
    @property
    def spin(self) -> tuple[float, float, float]: ...


@dataclass(frozen=True)
class Event:
    """Something on the path: ``time`` s, ``kind`` (bounce, slide, roll, rest, fade) and the ``speed`` of the impact, m/s.

    ``height``: metres of the lowest point above the plane as the impact begins, which is how exact its time is.
    """

    time: float
    kind: str
    speed: float = 0.0
    height: float = 0.0


@dataclass(frozen=True, eq=False)
class Path:
    """(T, 4, 4) world ``poses`` at the times asked for, up to the end of what is exact; events; the last state."""

    poses: Array
    events: tuple[Event, ...]
    end: State


def advise(body: Facts, seconds: float = 10.0, *, lands: bool = True) -> str | None:
    """A sentence if Bullet would be wrong for this body in a shot of ``seconds``, else None."""
    speed = float(np.sqrt(np.square(body.spin).sum()))
    if body.restitution > SOFT and lands:
        return (
            f"{body.name!r} has a restitution of {body.restitution:.2f} and Bullet can't bounce it truly: "
            "give it the exact path."
        )
    if speed > FAST and speed * seconds > TURNS * 2.0 * PI:
        return f"{body.name!r} spins at {speed:.0f} rad/s and Bullet would let its axis wander: give it the exact path."
    return None


def start(
    pose: Array, velocity: Sequence[float], spin: Sequence[float], solid: Solid, time: float = 0.0
) -> State:
    """The state of a body at a rigid (4, 4) pose with ``velocity`` m/s and ``spin`` rad/s in world axes."""
    turning = spinning(to_quaternion(pose).tolist(), spin, solid.inertia)
    return State(time, pose[:3, 3].copy(), np.array(velocity, dtype=np.float64), turning)


def motion_between(before: Array, after: Array, seconds: float) -> tuple[Array, Array]:
    """(velocity (3,) m/s, spin (3,) rad/s) that lead from one rigid pose to another: what a release inherits.

    The turn between them is less than 160 degrees.
    """
    turn = to_quaternion(multiply(after, inverse(before)))
    sine = float(np.sqrt((turn[1:] * turn[1:]).sum()))
    angle = 2.0 * _arcsine(sine)
    axis = turn[1:] / sine if sine > 0.0 else np.zeros(3)
    return (after[:3, 3] - before[:3, 3]) / seconds, axis * (angle / seconds)


def _arcsine(sine: float) -> float:
    """The angle, up to 80 degrees, of a sine by Newton's method; the system's arcsine has other last bits."""
    angle = sine
    for _ in range(20):
        found, cosine = sine_cosine(angle)
        angle -= (found - sine) / cosine
    return angle


def ball(
    mass: float, radius: float, restitution: float = 0.5, friction: float = 0.3, rolling: float = 0.0
) -> Solid:
    """A full ball of ``mass`` kg and ``radius`` metres."""
    return Solid(
        mass, np.eye(3) * (0.4 * mass * radius * radius), None, radius, restitution, friction, rolling
    )


def fly(
    solid: Solid,
    state: State,
    times: Sequence[float],
    plane: Plane | None = None,
    gravity: Sequence[float] = GRAVITY,
) -> Path:
    """Follows a body from ``state`` through rising ``times`` (seconds, from that of the state on).

    Without a plane it only flies. The path of a ball is whole; that of another body ends before its first bounce
    that is too small to see, with a "fade" event, and ``end`` is its state at the last of its poses.
    """
    pull = np.array(gravity, dtype=np.float64)
    plane = plane or Plane(np.array((0.0, 0.0, -1e9)), np.array((0.0, 0.0, 1.0)))
    faint = FADE * float(np.sqrt(max(np.sqrt(np.square(pull).sum()) * solid.reach, 1e-12)))
    poses: list[Array] = []
    events: list[Event] = []
    ground = ""
    for time in times:
        before, count = state, len(events)
        while state.time < time and ground != "fade":
            if ground:
                state, ground = _rest_of_way(solid, state, plane, pull, time, ground, events)
            else:
                state, ground = _flight(solid, state, plane, pull, time, faint, events)
            if len(events) > count + CROWD:
                ground = "fade"
        if ground == "fade":
            state = before
            break
        pose = from_quaternion(state.spin.quaternion)
        pose[:3, 3] = state.position
        poses.append(pose)
    return Path(np.array(poses).reshape(-1, 4, 4), tuple(events), state)


def _flight(
    solid: Solid, state: State, plane: Plane, gravity: Array, until: float, faint: float, events: list[Event]
) -> tuple[State, str]:
    """Flies to ``until`` or to the next touch and bounces there; then says whether the ground keeps it."""
    state, touches = next_touch(solid, state, plane, gravity, until)
    if not touches:
        return replace(state, time=until), ""
    height = lowest(solid, state, plane)[0]
    after, towards, off = bounced(solid, state, plane, solid.restitution)
    events.append(Event(state.time, "bounce", towards, height))
    if off > faint:
        return after, ""
    if solid.points is not None:
        events.append(Event(state.time, "fade", towards, height))
        return after, "fade"
    after, _, _ = bounced(solid, state, plane, 0.0)
    return after, "ground"


def _rest_of_way(
    solid: Solid, state: State, plane: Plane, gravity: Array, until: float, was: str, events: list[Event]
) -> tuple[State, str]:
    """A ball on the ground; notes where sliding becomes rolling and where it rests."""
    began = state.time
    state, kind = on_ground(solid, state, plane, gravity, until)
    if kind != was:
        events.append(Event(began if kind == "slide" else state.time, kind))
    return state, kind
