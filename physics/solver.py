# SPDX-License-Identifier: GPL-3.0-or-later
"""How finely Bullet has to step for given bodies: substeps, iterations and its unit of length, from sizes and speeds."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .ballistic import advise
from .links import Link
from .rigid import Array, move_points
from .simulation import Body, World

SUBSTEPS = (10, 120)
SETTLE = 0.05
"""A substep is at most this share of sqrt(L/g): a stack of five 30 mm cubes then stands within 0.05 mm."""
SINK = 0.1
"""Share of the thinnest piece that a body may cover in a substep: so deep it may sink in for a moment."""
ITERATIONS = 10
LINKED = (30, 50)
"""Substeps and iterations at least where bodies are linked."""
BREAKABLE = (100, 1000)
"""Iterations of a link that may break, by its lever: with too few, 3 cm on 10 g let go at half the force."""
STIFF = 200.0
"""m l^2 / I of a link above which even the most iterations do not find the force to a per cent."""
LEVER = 0.5
"""Units that the longest lever may have where links break: beyond one, Bullet compares the torque with the force."""


def settings_for(
    bodies: Sequence[Body], links: Sequence[Link], fps: float, gravity: Sequence[float]
) -> tuple[World, tuple[str, ...]]:
    """Solver settings for these bodies, and sentences about what will be less exact than a shot may want.

    A substep is short enough that stacks stand. Where links may break it is also short enough, all the time, that
    nothing passes through; without them ``Pace`` takes more substeps in just the frames in which something is fast.
    """
    pull = vector3(gravity)
    moving = [body for body in bodies if body.kind == "ACTIVE"]
    if not moving:
        return World(fps, gravity=pull), ()
    limit = SETTLE * float(np.sqrt(min(extent(body) for body in moving) / max(length(pull), 1e-3)))
    if breakable(links):
        limit = min(limit, 0.25 * thinnest(moving) / max(_top_speed(bodies, moving, pull), 1e-6))
    wanted = int(np.ceil(1.0 / (fps * limit) - 1e-9))
    least, iterations = LINKED if links else (SUBSTEPS[0], ITERATIONS)
    substeps = min(max(wanted, least), SUBSTEPS[1])
    return World(fps, substeps, iterations, pull, _scale(moving, links)), _doubts(moving, links, wanted)


class Pace:
    """Substeps of each frame by the speed in it, and the gravity that keeps a fall on its parabola when they change.

    Bullet's speed is that of half a substep earlier. When substeps get shorter it lags too much, and the gravity of
    one frame makes up for it.
    """

    def __init__(self, world: World, bodies: Sequence[Body]) -> None:
        self.world = world
        self._thin = thinnest([body for body in bodies if body.kind == "ACTIVE"])
        self._reach = np.array([reach(body) for body in bodies])
        fastest = max(length(body.velocity) + reach(body) * length(body.spin) for body in bodies)
        self.substeps = self._for(fastest)

    def step(self, before: Array, now: Array) -> tuple[int, tuple[float, float, float]]:
        """(substeps, gravity) of the next frame, from the (B, 4, 4) poses of the last two."""
        change = now - before
        moved = np.sqrt(np.square(change[:, :3, 3]).sum(axis=1))
        turned = np.sqrt(0.5 * np.square(change[:, :3, :3]).sum(axis=(1, 2)))
        speed = float((moved + turned * self._reach).max()) * self.world.fps
        last, self.substeps = self.substeps, self._for(speed)
        more = 1.0 + 0.5 * (1.0 / last - 1.0 / self.substeps)
        return self.substeps, vector3([more * part for part in self.world.gravity])

    def _for(self, speed: float) -> int:
        speed += min(speed, length(self.world.gravity) / self.world.fps)
        base = self.world.substeps
        times = int(np.ceil(speed / (self.world.fps * SINK * self._thin * base)))
        return min(base * max(times, 1), max(base, SUBSTEPS[1]))


def firm(links: Sequence[Link], bodies: Sequence[Body]) -> list[Link]:
    """The links that may break with iterations of their own.

    Rows of force and torque are solved in turns, and the error shrinks by a share of 1 + m l^2 / I a turn with the
    lever l from the link to the centre of mass; ten times that many turns leave nothing of it.
    """
    by_name = {body.name: body for body in bodies}
    made = []
    for link in links:
        if link.break_n is not None and not link.iterations:
            turns = int(10.0 * (1.0 + _lever(link, by_name)))
            link = replace(link, iterations=min(max(turns, BREAKABLE[0]), BREAKABLE[1]))
        made.append(link)
    return made


def half_step_back(body: Body, world: World, substeps: int) -> Body:
    """Half a substep of gravity less velocity: Bullet's steps then lie exactly on the parabola of a free fall."""
    if body.kind != "ACTIVE":
        return body
    half = 0.5 / (world.fps * substeps)
    return replace(
        body,
        velocity=vector3([v - half * g for v, g in zip(body.velocity, world.gravity, strict=True)]),
    )


def breakable(links: Sequence[Link]) -> bool:
    """Whether any link may break."""
    return any(link.break_n is not None for link in links)


def vector3(values: Sequence[float] | Array) -> tuple[float, float, float]:
    """Three numbers as plain floats."""
    x, y, z = (float(value) for value in values)
    return x, y, z


def length(vector: Sequence[float]) -> float:
    """The length of a vector."""
    return float(np.sqrt(np.square(vector).sum()))


def extent(body: Body) -> float:
    """The smallest extent of a body, metres."""
    return float(np.ptp(np.concatenate(body.pieces), axis=0).min())


def thinnest(bodies: Sequence[Body]) -> float:
    """The smallest extent of any piece of any body, metres; 1 without bodies."""
    return min((float(np.ptp(piece, axis=0).min()) for body in bodies for piece in body.pieces), default=1.0)


def reach(body: Body) -> float:
    """Metres from the centre of mass to the farthest point."""
    return max(float(np.sqrt(np.square(piece).sum(axis=1).max())) for piece in body.pieces)


def _top_speed(bodies: Sequence[Body], moving: Sequence[Body], gravity: Sequence[float]) -> float:
    """The highest speed in m/s that a body reaches before it meets the lowest point of any of the bodies."""
    pull = length(gravity)
    down = np.array(gravity) / max(pull, 1e-9)
    depth = max(
        float((move_points(body.pose, piece) * down).sum(axis=1).max())
        for body in bodies
        for piece in body.pieces
    )
    found = []
    for body in moving:
        fall = max(depth - float((body.pose[:3, 3] * down).sum()), 0.0)
        speed = float(np.sqrt(float(np.square(body.velocity).sum()) + 2.0 * pull * fall))
        found.append(speed + reach(body) * length(body.spin))
    return max(found)


def _scale(moving: Sequence[Body], links: Sequence[Link]) -> float:
    """Units a metre, a power of two: about one a body, but levers of links that break stay short."""
    size = float(np.median([extent(body) for body in moving]))
    power = int(np.frexp(1.4 / size)[1]) - 1
    if breakable(links):
        joined = _joined(links)
        where = [
            move_points(body.pose, piece) for body in moving if body.name in joined for piece in body.pieces
        ]
        ends = np.stack([link.frame[:3, 3] for link in links if link.a in joined])
        span = float(np.ptp(np.concatenate((*where, ends)), axis=0).max())
        power = min(power, int(np.frexp(LEVER / span)[1]) - 1)
    return float(2.0 ** min(max(power, -6), 10))


def _joined(links: Sequence[Link]) -> set[str]:
    """Names of the bodies that hang together with a link that may break."""
    found = {name for link in links if link.break_n is not None for name in (link.a, link.b)}
    size = 0
    while size < len(found):
        size = len(found)
        found |= {name for link in links if {link.a, link.b} & found for name in (link.a, link.b)}
    return found


def _lever(link: Link, bodies: dict[str, Body]) -> float:
    """Mass times lever squared over the inertia of the bounding box, the larger of the two bodies."""
    found = [0.0]
    for body in (bodies[name] for name in (link.a, link.b) if name in bodies):
        if body.kind == "ACTIVE":
            arm = float(np.square(link.frame[:3, 3] - body.pose[:3, 3]).sum())
            sides = np.sort(np.ptp(np.concatenate(body.pieces), axis=0))
            found.append(12.0 * arm / float(sides[0] ** 2 + sides[1] ** 2))
    return max(found)


def _doubts(moving: Sequence[Body], links: Sequence[Link], wanted: int) -> tuple[str, ...]:
    says = [sentence for body in moving if (sentence := advise(body))]
    if wanted > SUBSTEPS[1]:
        says.append(
            f"The smallest or fastest body needs {wanted} substeps a frame and gets {SUBSTEPS[1]}: it may sink in."
        )
    by_name = {body.name: body for body in moving}
    for link in links:
        pair = [by_name[name].mass for name in (link.a, link.b) if name in by_name]
        if len(pair) == 2 and max(pair) > 20.0 * min(pair):
            ratio = max(pair) / min(pair)
            says.append(
                f"Link {link.name!r} joins masses of 1 to {ratio:.0f}: it will give; weld them instead."
            )
        if link.break_n is not None and _lever(link, by_name) > STIFF:
            says.append(f"Link {link.name!r} is far from what it holds: it may let go below its force.")
    return tuple(says)
