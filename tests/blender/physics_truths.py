# SPDX-License-Identifier: GPL-3.0-or-later
"""What Bullet makes of textbook mechanics in the settings that are chosen for it, beside the closed forms."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from holdfast.physics import dynamics
from holdfast.physics.bounce import Plane
from holdfast.physics.lab import lab_scene
from holdfast.physics.links import Link
from holdfast.physics.rigid import Array, from_quaternion, multiply, rotation, translation
from holdfast.physics.simulation import Body, Simulation, World
from holdfast.physics.solver import firm, settings_for

G = 9.81
NO_GRAVITY = (0.0, 0.0, 0.0)
CUBE = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
SEAT = CUBE * 0.005


@dataclass(frozen=True)
class Row:
    """A quantity as Bullet has it and as it is; ``relative`` errors are shares, others are in the unit."""

    quantity: str
    found: float
    truth: float
    unit: str
    world: World
    relative: bool = True

    @property
    def error(self) -> float:
        return self.found / self.truth - 1.0 if self.relative else self.found - self.truth

    def __str__(self) -> str:
        error = f"{100 * self.error:+.4f} %" if self.relative else f"{self.error:+.2e} {self.unit}"
        steps = f"{self.world.substeps}/{self.world.iterations}"
        return f"{self.quantity:44}{self.found:14.6f}{self.truth:14.6f} {self.unit:6}{error:>18}  {steps:8}"


def run(steps: Any) -> Any:
    """The value that a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def sphere(radius: float) -> Array:
    """A ring of points and both poles: Bullet takes only the extents of a SPHERE."""
    return radius * np.concatenate((np.eye(3), -np.eye(3)))


def floor(friction: float = 0.5, half: float = 1.0) -> Body:
    shape = (CUBE * np.array((half, half, 0.05)),)
    return Body("floor", "BOX", shape, translation((0, 0, -0.05)), kind="PASSIVE", friction=friction)


def cube(name: str, side: float, at: tuple[float, float, float], **changes: Any) -> Body:
    return Body(name, "BOX", (CUBE * (0.5 * side),), translation(at), **changes)


def free_fall() -> Row:
    body = cube("cube", 0.03, (0, 0, 2), mass=0.03, velocity=(0.5, 0, 1.0))
    motion = run(dynamics.simulate([body], fps=24, frames=25))
    return Row(
        "thrown up at 1 m/s, height after 1 s", motion.poses[-1, 0, 2, 3], 3 - G / 2, "m", motion.world, False
    )


def fall_among_others() -> Row:
    bodies = [floor(), cube("cube", 0.03, (0, 0, 2), mass=0.03)]
    motion = run(dynamics.simulate(bodies, fps=24, frames=13))
    truth = 2 - 0.5 * G * 0.25
    return Row(
        "height after 0.5 s of fall, with pacing", motion.poses[-1, 1, 2, 3], truth, "m", motion.world, False
    )


def pendulum(length: float) -> Row:
    """A cube on a hinge, 6 degrees from the vertical; period of the physical pendulum to the fourth order."""
    side, swing = 0.3 * length, 0.1
    pose = multiply(rotation(1, swing), translation((0, 0, -length)))
    body = Body("bob", "BOX", (CUBE * (0.5 * side),), pose, mass=0.05)
    anchor = replace(cube("anchor", 0.001, (0, 0, 0)), kind="PASSIVE", groups=(19,))
    link = Link("hinge", "HINGE", "anchor", "bob", rotation(0, np.pi / 2))
    fps = 24 / np.sqrt(length)
    motion = run(dynamics.simulate([anchor, body], [link], fps=fps, frames=240))
    x = motion.poses[:, 1, 0, 3]
    period = _period(x, fps)
    inertia = side * side / 6 + length**2
    truth = 2 * np.pi * np.sqrt(inertia / (G * length)) * (1 + swing**2 / 16 + 11 * swing**4 / 3072)
    return Row(f"pendulum of {1000 * length:.0f} mm, period", period, truth, "s", motion.world)


def _period(x: Array, fps: float) -> float:
    """Seconds between upward zero crossings, averaged, with a cubic through the four points around each."""
    found = []
    for k in np.nonzero((x[1:-2] < 0) & (x[2:-1] >= 0))[0] + 1:
        cubic = np.polyfit(np.arange(-1, 3), x[k - 1 : k + 3], 3)
        roots = np.roots(cubic)
        inside = [r.real for r in roots if abs(r.imag) < 1e-9 and -1e-9 <= r.real <= 1 + 1e-9]
        found.append(k + inside[0])
    return float((found[-1] - found[0]) / (len(found) - 1) / fps)


def slip_angle(side: float) -> Row:
    """The steepest slope on which a cube stays, by halving; friction 0.5."""
    low, high = 20.0, 33.0
    rough = float(np.sqrt(0.5))
    world = World()
    while high - low > 0.01:
        angle = 0.5 * (low + high)
        pull = (G * np.sin(np.radians(angle)), 0.0, -G * np.cos(np.radians(angle)))
        bodies = [floor(rough), cube("cube", side, (0, 0, side / 2), mass=0.03, friction=rough)]
        motion = run(dynamics.simulate(bodies, fps=24, frames=25, gravity=pull))
        world = motion.world
        moved = motion.poses[-1, 1, 0, 3] - motion.poses[6, 1, 0, 3]
        low, high = (low, angle) if moved > 2e-3 * side else (angle, high)
    return Row(
        f"slope on which a {1000 * side:.0f} mm cube slips",
        0.5 * (low + high), np.degrees(np.arctan(0.5)), "deg", world, False)  # fmt: skip


def sliding_down() -> Row:
    """A cube on a slope of 35 degrees, friction 0.5: its acceleration, from rest."""
    tilt, rough = np.radians(35.0), float(np.sqrt(0.5))
    pull = (G * np.sin(tilt), 0.0, -G * np.cos(tilt))
    bodies = [floor(rough), cube("cube", 0.03, (-0.5, 0, 0.015), mass=0.03, friction=rough)]
    motion = run(dynamics.simulate(bodies, fps=24, frames=13, gravity=pull))
    found = 2.0 * (motion.poses[-1, 1, 0, 3] - motion.poses[0, 1, 0, 3]) / 0.25
    truth = G * (np.sin(tilt) - 0.5 * np.cos(tilt))
    return Row("a 30 mm cube slides down 35 degrees, 0.5 s", found, truth, "m/s2", motion.world)


def bounce(exact: bool) -> Row:
    """A ball of 30 mm falls 0.3 m with restitution 0.8: how high it comes back, in Bullet and on the exact path."""
    body = Body("ball", "SPHERE", (sphere(0.015),), translation((0, 0, 0.315)), mass=0.015, restitution=0.8)
    if exact:
        plane = Plane(np.zeros(3), np.array((0.0, 0.0, 1.0)))
        steps = dynamics.exact(body, dynamics.solid_of(body), plane, fps=240, frames=180)
    else:
        ground = replace(floor(), restitution=1.0)
        steps = dynamics.simulate([body, ground], fps=240, frames=180)
    motion = run(steps)
    found = motion.poses[70:, 0, 2, 3].max() - 0.015  # it lands in frame 59
    way = "exact path" if exact else "Bullet"
    return Row(f"a ball bounces back from 0.3 m, {way}", found, 0.64 * 0.3, "m", motion.world)


def long_spin(exact: bool) -> Row:
    """A disc that spins at 60 rad/s, 10 degrees off its axis: where that axis is after 5 s of free precession."""
    rate = np.array((np.sin(np.radians(10.0)), 0.0, np.cos(np.radians(10.0)))) * 60.0
    shape = CUBE * np.array((0.02, 0.02, 0.004))
    body = Body("disc", "BOX", (shape,), np.eye(4), mass=0.02, spin=tuple(float(part) for part in rate))
    if exact:
        steps = dynamics.exact(body, dynamics.solid_of(body), None, fps=24, frames=121, gravity=NO_GRAVITY)
    else:
        steps = dynamics.simulate([body], fps=24, frames=121, gravity=NO_GRAVITY)
    motion = run(steps)
    momentum = np.diag(dynamics.solid_of(body).inertia) * rate
    speed = float(np.sqrt(np.square(momentum).sum()))
    along, turn = momentum / speed, 5.0 * speed / float(dynamics.solid_of(body).inertia[0, 0])
    z = np.array((0.0, 0.0, 1.0))
    truth = z * np.cos(turn) + np.cross(along, z) * np.sin(turn) + along * (along @ z) * (1.0 - np.cos(turn))
    off = float(np.sqrt(np.square(motion.poses[-1, 0, :3, 2] - truth).sum()))
    way = "exact path" if exact else "Bullet"
    return Row(
        f"a disc's axis after 5 s at 60 rad/s, {way}",
        2 * np.degrees(np.arcsin(off / 2)),
        0.0,
        "deg",
        motion.world,
        False,
    )


def sliding_stop() -> Row:
    rough, v = float(np.sqrt(0.3)), 1.0
    body = cube("cube", 0.03, (0, 0, 0.015), mass=0.03, friction=rough, velocity=(v, 0, 0))
    motion = run(dynamics.simulate([floor(rough), body], fps=24, frames=25))
    truth = v * v / (2 * 0.3 * G)
    return Row(
        "a 30 mm cube at 1 m/s slides, friction 0.3", motion.poses[-1, 1, 0, 3], truth, "m", motion.world
    )


def rolling() -> Row:
    tilt, radius = np.radians(15.0), 0.015
    pull = (G * np.sin(tilt), 0.0, -G * np.cos(tilt))
    body = Body("ball", "SPHERE", (sphere(radius),), translation((0, 0, radius)), mass=0.03, friction=1.0)
    motion = run(dynamics.simulate([floor(1.0), body], fps=24, frames=13, gravity=pull))
    truth = 0.5 * 5 / 7 * G * np.sin(tilt) * 0.25
    return Row(
        "a 30 mm ball rolls down 15 degrees, 0.5 s", motion.poses[-1, 1, 0, 3], truth, "m", motion.world
    )


def collision() -> tuple[Row, Row]:
    """A ball runs into another, 3 times as heavy, that stands still; no restitution, no gravity."""
    a = Body("a", "SPHERE", (sphere(0.01),), translation((-0.1, 0, 0)), mass=0.01, velocity=(1.0, 0, 0))
    b = Body("b", "SPHERE", (sphere(0.01),), translation((0, 0, 0)), mass=0.03)
    motion = run(dynamics.simulate([a, b], fps=24, frames=25, gravity=NO_GRAVITY))
    speeds = (motion.poses[-1, :, 0, 3] - motion.poses[-2, :, 0, 3]) * 24
    return (
        Row("collision: momentum after", 0.01 * speeds[0] + 0.03 * speeds[1], 0.01, "kg m/s", motion.world),
        Row("collision: common speed after", speeds[1], 0.25, "m/s", motion.world),
    )


def torsion() -> Row:
    """A cube on a torsion spring about z: period 2 pi sqrt(I / k)."""
    side, mass, stiffness = 0.03, 0.05, 2e-4
    base = replace(cube("base", 0.001, (0, 0, 0)), kind="PASSIVE", groups=(19,))
    body = Body("cube", "BOX", (CUBE * (0.5 * side),), np.eye(4), mass=mass, spin=(0, 0, 1.0))
    stiff = dict.fromkeys(("x", "y", "z", "ang_x", "ang_y"), (0.0, 0.0))
    link = Link(
        "spring",
        "GENERIC_SPRING",
        "base",
        "cube",
        np.eye(4),
        limits=stiff,
        springs={"ang_z": (stiffness, 0.0)},
    )
    motion = run(dynamics.simulate([base, body], [link], fps=24, frames=240, gravity=NO_GRAVITY))
    period = _period(motion.poses[:, 1, 1, 0], 24)
    truth = 2 * np.pi * np.sqrt(mass * side * side / 6 / stiffness)
    return Row("torsion spring, period", period, truth, "s", motion.world)


def release(kind: str, mass: float, lever: float, force: float, step: float = 0.002) -> Row:
    """Where a breakable link lets go under a force that grows by ``step`` a frame."""
    side = 0.02
    holder = replace(cube("holder", side, (0, 0, 0)), kind="PASSIVE")
    body = cube("body", side, (lever, 0, -0.03), mass=mass)
    link = Link("link", kind, "holder", "body", translation((0, 0, -0.015)), break_n=force)
    world, _ = settings_for([holder, body], [link], 24, (0, 0, -G))
    world = replace(world, gravity=NO_GRAVITY)
    load = 0.9 * force
    with lab_scene("release") as lab:
        simulation = Simulation(lab, [holder, body], firm([link], [holder, body]), world)
        while not simulation.broken("link", 1e-4) and load < 1.2 * force:
            load += step * force
            simulation.step((0, 0, -load / mass))
    name = f"{kind} lets go: {1000 * mass:.0f} g, lever {1000 * lever:.0f} mm, {force:.0f} N"
    return Row(name, load, force, "N", world)


def welded_drop() -> Row:
    """Two cubes as one, dropped and tumbling: how far their distance strays."""
    members = [cube("a", 0.02, (0, 0, 0.3), mass=0.01), cube("b", 0.02, (0.02, 0, 0.3), mass=0.05)]
    whole = dynamics.weld("whole", members, spin=(2.0, 9.0, 1.0), velocity=(0.3, 0, 0))
    motion = run(dynamics.simulate([floor()], welds=[whole], fps=24, frames=49))
    a, b = motion.poses[:, 1], motion.poses[:, 2]
    local = np.einsum("fji,fj->fi", a[:, :3, :3], b[:, :3, 3] - a[:, :3, 3])
    stray = float(np.abs(local - local[0]).max())
    return Row("welded drop: drift of the parts", 1000 * stray, 0.0, "mm", motion.world, False)


def stack() -> Row:
    """Five 30 mm cubes on each other for 3 s: how far the top is from its height."""
    cubes = [dynamics.sized(cube(f"cube{k}", 0.03, (0, 0, 0.03 * k + 0.015), mass=0.03)) for k in range(5)]
    motion = run(dynamics.simulate([floor(), *cubes], fps=24, frames=72))
    return Row(
        "stack of five 30 mm cubes, top", 1000 * motion.poses[-1, 5, 2, 3], 135.0, "mm", motion.world, False
    )


def truths() -> Iterator[Row]:
    """Every quantity."""
    one: list[Callable[[], Row]] = [
        free_fall, fall_among_others, lambda: pendulum(1.0), lambda: pendulum(0.03), lambda: slip_angle(0.03),
        sliding_down, sliding_stop, rolling, torsion, welded_drop, stack,
    ]  # fmt: skip
    for measure in one:
        yield measure()
    yield from collision()
    for exact in (False, True):
        yield bounce(exact)
        yield long_spin(exact)
    for kind, mass, lever, force in (
        ("FIXED", 1.0, 0.0, 20.0), ("FIXED", 0.1, 0.0, 20.0), ("FIXED", 0.01, 0.0, 20.0), ("FIXED", 0.01, 0.03, 5.0),
        ("FIXED", 0.01, 0.03, 20.0), ("FIXED", 0.01, 0.03, 90.0), ("FIXED", 0.1, 0.03, 90.0), ("FIXED", 1.0, 0.03, 20.0),
        ("FIXED", 0.01, 0.1, 20.0), ("HINGE", 0.01, 0.03, 20.0), ("SLIDER", 0.01, 0.03, 20.0), ("POINT", 0.01, 0.0, 20.0),
    ):  # fmt: skip
        yield release(kind, mass, lever, force)


def heap(count: int, layers: int = 5, apart: int = 0) -> list[Body]:
    """``count`` bodies of about 20 mm, half boxes and half hulls, in a loose heap over a floor.

    ``apart``: in heaps of so many each, side by side, instead of one.
    """
    if apart and count > apart:
        bodies = [floor(half=4.0)]
        for index in range(count // apart):
            for body in heap(apart, layers)[1:]:
                aside = translation((0.6 * (index % 4), 0.6 * (index // 4), 0.0))
                name = f"{body.name} {index}"
                bodies.append(replace(body, name=name, pose=multiply(aside, body.pose)))
        return bodies
    rng = np.random.default_rng(1)
    hulls = []
    for _ in range(8):
        points = rng.normal(size=(24, 3))
        points /= np.sqrt(np.square(points).sum(axis=1))[:, None]
        hulls.append(points * 0.015 * rng.uniform(0.7, 1.0, size=3))
    side = int(np.ceil(np.sqrt(count / layers)))
    bodies = [floor(half=2.0)]
    for index in range(count):
        layer, rest = divmod(index, side * side)
        row, column = divmod(rest, side)
        pose = from_quaternion(rng.normal(size=4))
        aside = rng.uniform(-0.002, 0.002, size=2)
        pose[:3, 3] = (
            0.045 * (row - side / 2) + aside[0], 0.045 * (column - side / 2) + aside[1], 0.03 + 0.036 * layer)  # fmt: skip
        shape, points = ("CONVEX_HULL", hulls[index % 8]) if index % 2 else ("BOX", 0.011 * CUBE)
        body = dynamics.sized(Body(f"body {index:04d}", shape, (points,), pose, mass=0.01))
        bodies.append(dynamics.for_shot(body, count))
    return bodies
