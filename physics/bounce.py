# SPDX-License-Identifier: GPL-3.0-or-later
"""One body against a plane, exactly: when it touches, what the impact does, and how a ball slides and rolls on.

Impact: Newton's restitution with Coulomb friction at one point (Brach, Mechanical Impact Dynamics, 1991): the impulse
that stops the slip if friction can give it, else the one on the friction cone; never with a gain of energy.
"""

from dataclasses import dataclass, replace

import numpy as np

from .rigid import Array, from_quaternion, multiply, sine_cosine, to_quaternion
from .tumble import Spin, apply3, inverse3, longest_step, rate_of, spinning, turned

FINE = 0.25
"""Share of the longest step of a tumbling body after which it is looked at near the plane."""
HALVINGS = 60
GROUND_STEP = 1e-3
"""Seconds: a ball on the ground is exact with any step on a straight line, and curves in steps this long."""


@dataclass(frozen=True, eq=False)
class Solid:
    """A body for the exact path: ``mass`` kg, ``inertia`` (3, 3) kg m2 about its centre of mass, in its axes.

    A ball of ``radius`` metres, or the convex hull of ``points`` (P, 3) in metres from the centre of mass.
    ``restitution`` and ``friction`` of the pair of body and plane; ``rolling``: resistance force over weight.
    """

    mass: float
    inertia: Array
    points: Array | None = None
    radius: float = 0.0
    restitution: float = 0.5
    friction: float = 0.3
    rolling: float = 0.0

    @property
    def reach(self) -> float:
        """Metres from the centre of mass to the farthest point."""
        if self.points is None:
            return self.radius
        return float(np.sqrt(np.square(self.points).sum(axis=1).max()))


@dataclass(frozen=True, eq=False)
class Plane:
    """The ground: a ``point`` (3,) on it and its unit ``normal`` (3,)."""

    point: Array
    normal: Array

    def height(self, position: Array) -> float:
        """Metres of a point above the plane."""
        return float(((position - self.point) * self.normal).sum())


@dataclass(frozen=True, eq=False)
class State:
    """``time`` s, ``position`` (3,) m and ``velocity`` (3,) m/s of the centre of mass, ``spin``."""

    time: float
    position: Array
    velocity: Array
    spin: Spin


def drift(solid: Solid, state: State, gravity: Array, seconds: float) -> State:
    """Free flight for ``seconds``."""
    return State(
        state.time + seconds,
        state.position + state.velocity * seconds + gravity * (0.5 * seconds * seconds),
        state.velocity + gravity * seconds,
        turned(state.spin, inverse3(solid.inertia), seconds),
    )


def lowest(solid: Solid, state: State, plane: Plane) -> tuple[float, Array]:
    """(height in metres, arm (3,) from the centre of mass) of the lowest point; of a face or edge, its middle."""
    if solid.points is None:
        return plane.height(state.position) - solid.radius, -solid.radius * plane.normal
    axes = from_quaternion(state.spin.quaternion)[:3, :3]
    down = apply3(axes.T, plane.normal)
    heights = solid.points[:, 0] * down[0] + solid.points[:, 1] * down[1] + solid.points[:, 2] * down[2]
    touching = solid.points[heights <= heights.min() + 1e-6 * solid.reach]
    arm = apply3(axes, touching.sum(axis=0) / len(touching))
    return plane.height(state.position) + float(heights.min()), arm


def time_to_fall(height: float, speed: float, pull: float) -> float:
    """Seconds until ``height`` + ``speed`` t + ``pull`` t^2 / 2 is zero on the way down; infinite if never."""
    height = max(height, 0.0)
    if pull == 0.0:
        return height / -speed if speed < 0.0 else float("inf")
    square = speed * speed - 2.0 * pull * height
    if square < 0.0 or (pull > 0.0 and speed >= 0.0):
        return float("inf")
    root = float(np.sqrt(square))
    return (speed + root) / -pull if speed > 0.0 else 2.0 * height / (root - speed) if root > speed else 0.0


def next_touch(solid: Solid, state: State, plane: Plane, gravity: Array, until: float) -> tuple[State, bool]:
    """The state at the first touch of the plane before the time ``until``, and True; or at ``until``, and False."""
    pull = float((gravity * plane.normal).sum())
    reach = solid.radius if solid.points is None else solid.reach
    above = plane.height(state.position) - reach
    wait = time_to_fall(above, float((state.velocity * plane.normal).sum()), pull)
    if solid.points is None:
        left = until - state.time
        return drift(solid, state, gravity, min(wait, left)), wait <= left
    if above > 0.0:
        state = drift(solid, state, gravity, min(wait, until - state.time))
    step = FINE * longest_step(state.spin, inverse3(solid.inertia))
    while state.time < until:
        seconds = min(step, until - state.time, 0.01)
        after = drift(solid, state, gravity, seconds)
        if seconds == until - state.time:
            after = replace(after, time=until)
        if lowest(solid, after, plane)[0] < 0.0 and approaching(solid, after, plane):
            return _bisected(solid, state, plane, gravity, seconds), True
        state = after
    return state, False


def approaching(solid: Solid, state: State, plane: Plane) -> bool:
    """Whether the lowest point moves towards the plane."""
    arm = lowest(solid, state, plane)[1]
    spin = rate_of(state.spin, inverse3(solid.inertia))
    return float(((state.velocity + np.cross(spin, arm)) * plane.normal).sum()) < 0.0


def _bisected(solid: Solid, state: State, plane: Plane, gravity: Array, seconds: float) -> State:
    """The last state above the plane within ``seconds``, to the last bit of the time."""
    low, high = 0.0, seconds
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if lowest(solid, drift(solid, state, gravity, middle), plane)[0] > 0.0:
            low = middle
        else:
            high = middle
    return drift(solid, state, gravity, low)


def bounced(solid: Solid, state: State, plane: Plane, restitution: float) -> tuple[State, float, float]:
    """(state after the impact, speeds of the touching point towards and off the plane), m/s."""
    normal = plane.normal
    arm = lowest(solid, state, plane)[1]
    axes = from_quaternion(state.spin.quaternion)[:3, :3]
    inverse = inverse3(solid.inertia)
    mobile = np.stack([apply3(axes, apply3(inverse, row)) for row in axes]).T
    spin = rate_of(state.spin, inverse)
    contact = state.velocity + np.cross(spin, arm)
    towards = -float((contact * normal).sum())
    if towards <= 0.0:
        return state, 0.0, -towards
    response = np.stack([
        unit / solid.mass + np.cross(apply3(mobile, np.cross(arm, unit)), arm) for unit in np.eye(3)]).T  # fmt: skip
    before = _energy(solid, state.velocity, spin, mobile)
    for friction in (solid.friction, 0.0):
        impulse = _impulse(response, contact, normal, restitution, friction)
        velocity = state.velocity + impulse / solid.mass
        after = spin + apply3(mobile, np.cross(arm, impulse))
        if _energy(solid, velocity, after, mobile) <= before * (1.0 + 1e-12):
            break
    off = float(((velocity + np.cross(after, arm)) * normal).sum())
    turning = spinning(state.spin.quaternion, after.tolist(), solid.inertia)
    return replace(state, velocity=velocity, spin=turning), towards, off


def _impulse(response: Array, contact: Array, normal: Array, restitution: float, friction: float) -> Array:
    """The impulse (3,) N s at the contact that moves with ``contact`` m/s; ``response`` (3, 3) is dv / dJ."""
    towards = -float((contact * normal).sum())
    stick = apply3(inverse3(response), restitution * towards * normal - contact)
    push = float((stick * normal).sum())
    aside = stick - push * normal
    if push > 0.0 and float((aside * aside).sum()) <= (friction * push) ** 2:
        return stick
    slip = contact + towards * normal
    speed = float(np.sqrt((slip * slip).sum()))
    along = normal - friction * slip / speed if speed > 0.0 else normal
    give = float((apply3(response, along) * normal).sum())
    if give <= 0.0:
        along, give = normal, float((apply3(response, normal) * normal).sum())
    return along * ((1.0 + restitution) * towards / give)


def _energy(solid: Solid, velocity: Array, spin: Array, mobile: Array) -> float:
    turning = float((spin * apply3(inverse3(mobile), spin)).sum())
    return 0.5 * (solid.mass * float((velocity * velocity).sum()) + turning)


def on_ground(solid: Solid, state: State, plane: Plane, gravity: Array, until: float) -> tuple[State, str]:
    """A ball that stays on the plane, to the time ``until`` or to where it starts to roll or to rest, and which.

    Sliding: friction brakes it and turns it until its lowest point stands still. Rolling: gravity along the plane
    less the resistance, over 1 + k with the inertia k m r^2: 5/7 of it for a full ball. Says "slide", "roll", "rest".
    """
    normal, radius = plane.normal, solid.radius
    k = float(solid.inertia[0, 0]) / (solid.mass * radius * radius)
    press = -float((gravity * normal).sum())
    along = gravity + press * normal
    spin = rate_of(state.spin, inverse3(solid.inertia))
    velocity = state.velocity - normal * float((state.velocity * normal).sum())
    slip = velocity - radius * np.cross(spin, normal)
    seconds = min(GROUND_STEP, until - state.time)
    speed = float(np.sqrt((slip * slip).sum()))
    if speed > 1e-9:
        way = slip / speed
        brake = solid.friction * press * (1.0 + 1.0 / k) - float((along * way).sum())
        stops = speed / brake if brake > 0.0 else float("inf")
        push, kind = along - solid.friction * press * way, "slide" if stops > seconds else "roll"
        turn = np.cross(normal, way) * (solid.friction * press / (k * radius))
        seconds = min(seconds, stops)
    else:
        push, seconds, kind = _rolling(solid, velocity, along, press, k, seconds)
        turn = np.cross(normal, push) / radius
    moved = state.position + velocity * seconds + push * (0.5 * seconds * seconds)
    moved = moved + normal * (radius - plane.height(moved))
    after = spin + turn * seconds
    speeds = velocity + push * seconds
    if kind == "rest":
        after, speeds = np.zeros(3), np.zeros(3)
    elif kind == "roll":
        after = normal * float((after * normal).sum()) + np.cross(normal, speeds) / radius
    attitude = _turned_by(state.spin.quaternion, 0.5 * (spin + after) * seconds)
    time = until if seconds == until - state.time else state.time + seconds
    return State(time, moved, speeds, spinning(attitude.tolist(), after.tolist(), solid.inertia)), kind


def _rolling(
    solid: Solid, velocity: Array, along: Array, press: float, k: float, seconds: float
) -> tuple[Array, float, str]:
    """(acceleration (3,), seconds of it, kind) of a rolling ball."""
    speed = float(np.sqrt((velocity * velocity).sum()))
    resistance = solid.rolling * press
    if speed <= 1e-9:
        drive = float(np.sqrt((along * along).sum()))
        if drive <= max(resistance, 1e-12):
            return np.zeros(3), seconds, "rest"
        return along * ((1.0 - resistance / drive) / (1.0 + k)), seconds, "roll"
    push = (along - resistance * velocity / speed) / (1.0 + k)
    brake = -float((push * velocity).sum()) / speed
    if brake > 0.0 and speed / brake <= seconds and solid.rolling > 0.0:
        return (
            push,
            speed / brake,
            "rest" if float((along * along).sum()) <= resistance * resistance else "roll",
        )
    return push, seconds, "roll"


def _turned_by(quaternion: tuple[float, ...], angle: Array) -> Array:
    """The quaternion turned by the rotation vector ``angle`` (3,) rad about world axes."""
    size = float(np.sqrt((angle * angle).sum()))
    if size == 0.0:
        return np.array(quaternion, dtype=np.float64)
    sine, cosine = sine_cosine(0.5 * size)
    turn = np.concatenate(((cosine,), sine * angle / size))
    return to_quaternion(multiply(from_quaternion(turn), from_quaternion(quaternion)))
