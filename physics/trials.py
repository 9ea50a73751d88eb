# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the trials of a joint: a peg of convex pieces in a fixed socket of convex pieces, stepped frame by frame.

Bullet is the witness here. The only free bodies are the peg with a proof mass and the springs of the joint, so that
gravity is the force per kilogram on the peg; margins are millimetre fractions that the pieces are shrunk by.
"""

import math
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from .flexing import flexed, guide, lab_mass
from .joints.base import Engagement, Mechanism, Outcome, Trial, engagement
from .joints.trying import PROOF_MASS
from .lab import lab_scene
from .links import Link
from .rigid import Array, between, inverse, multiply, translation
from .simulation import Body, Simulation, World
from .units import MM

SPRINGY: Final = (96.0, 768.0)
"""Least frames and substeps a second where stiff springs give way. Friction holds a resting contact only with few substeps
a frame: with 30 or 60 it was seen to creep by 0.2 mm/s."""
SPRINGY_ITERATIONS: Final = 150
HEAVIER: Final = 6.0
"""The peg's mass there over that of a flexure: if they differ by far more or less, the solver loses friction at rest."""
SPRINGY_MARGIN: Final = 0.0025 * MM
"""Margin there: what it rounds off a small bump is a part of its force."""
SPRINGY_SCALE: Final = 128.0
"""Units a metre there: Bullet's contacts of small bodies are kept too long at one."""
SOFT: Final = 0.02
"""Seconds in which the soft torsion spring of a hand comes to rest."""
_TINY: Final = np.array(((0.0, 0.0, 0.0), (1e-4, 0.0, 0.0), (0.0, 1e-4, 0.0), (0.0, 0.0, 1e-4)))
_PEG, _SOCKET, _NOTHING = 0, 1, 19


@dataclass(frozen=True)
class LabSettings:
    """``mass`` kg of the proof body, ``margin`` metres of collision shapes, solver steps, ``friction`` of each body."""

    mass: float = PROOF_MASS
    margin: float = 0.01 * MM
    substeps: int = 20
    iterations: int = 50
    fps: float = 24
    friction: float = 0.5


TrialGenerator = Generator[None, None, Outcome]


def run(mechanism: Mechanism, trial: Trial, settings: LabSettings) -> TrialGenerator:
    """Yields after every simulated frame; returns what was measured. Ends early once the peg is free under a pull."""
    poses: list[Array] = []
    rows: list[Engagement] = []
    forces: list[float] = []
    torques: list[float] = []
    with lab_scene(trial.name) as lab:
        rig = Rig(lab, mechanism, trial, settings)
        for index in range(trial.frames):
            force, torque = rig.step(index)
            pose = rig.pose()
            poses.append(pose)
            rows.append(engagement(pose, mechanism))
            forces.append(round(force, 6))
            torques.append(round(torque, 9))
            if trial.pull is not None and mechanism.freed(rows[-1]):
                break
            yield
    freed = mechanism.freed(rows[-1])
    return Outcome(np.stack(poses), tuple(rows), tuple(forces), tuple(torques), freed)


class Rig:
    """One trial's simulation: the peg, its socket, what gives way, and the hand that leads the peg."""

    def __init__(self, lab: object, mechanism: Mechanism, trial: Trial, settings: LabSettings) -> None:
        self.trial, self.settings = trial, settings
        self.middle = translation((0.0, 0.0, -0.5 * mechanism.length))
        friction = settings.friction if trial.friction is None else trial.friction
        start = self.wish = multiply(trial.start, self.middle)
        flexing = trial.springs and trial.tuned > 0.0
        margin = SPRINGY_MARGIN if trial.springs else settings.margin
        flexures = mechanism.flexures(margin) if flexing else []
        fps, substeps = float(settings.fps), settings.substeps
        self.parts = math.ceil(SPRINGY[0] / fps - 1e-9) if trial.springs else 1
        if trial.springs:
            substeps = math.ceil(max(SPRINGY[1] / fps, substeps) / self.parts - 1e-9)
        scale = SPRINGY_SCALE if trial.springs else 1.0
        iterations = max(settings.iterations, SPRINGY_ITERATIONS) if trial.springs else settings.iterations
        world = World(fps * self.parts, substeps, iterations, (0.0, 0.0, 0.0), scale)
        flexures = [replace(one, stiffness=trial.tuned * one.stiffness) for one in flexures]
        self.mass = max([settings.mass, *(HEAVIER * lab_mass(one, world.dt) for one in flexures)])
        bodies, links = self._bodies(mechanism, start, friction, margin), []
        for flexure in flexures:
            bodies.append(flexed(flexure, margin, world.dt))
            links.append(guide(flexure, world.dt))
        if flexures or trial.way is not None:
            bodies.append(_ghost("anchor", np.eye(4), "PASSIVE"))
        if trial.way is not None:
            bodies.append(_ghost("hand", start, "KINEMATIC"))
            links.append(self._hand(start))
        self.simulation = Simulation(lab, bodies, links, world)  # type: ignore[arg-type]

    def step(self, index: int) -> tuple[float, float]:
        """One frame on; gives the force in N and the torque in N m along the axis that act on the peg then."""
        if self.trial.pull is not None:
            force = self.trial.pull[index]
            for _ in range(self.parts):
                self.simulation.step(gravity=(force / self.mass).tolist())
            return float(force[2]), 0.0
        assert self.trial.way is not None
        wish = multiply(self.trial.way[index], self.middle)
        for part in range(1, self.parts + 1):
            self.simulation.step(targets={"hand": between(self.wish, wish, part / self.parts)})
        self.wish = wish
        lag = multiply(wish, inverse(self.simulation.pose("peg")))
        stiff, twisting = self.trial.hand
        turned = float(np.arctan2(lag[1, 0] - lag[0, 1], lag[0, 0] + lag[1, 1]))
        return stiff * float(wish[2, 3] - self.simulation.pose("peg")[2, 3]), twisting * turned

    def pose(self) -> Array:
        """(4, 4) the peg frame in the socket frame."""
        return multiply(self.simulation.pose("peg"), inverse(self.middle))

    def _bodies(self, mechanism: Mechanism, start: Array, friction: float, margin: float) -> list[Body]:
        rigid = mechanism.still_hulls if self.trial.springs else mechanism.socket_hulls
        made = [
            Body(
                f"socket {index:03d}",
                "CONVEX_HULL",
                (points,),
                np.eye(4),
                "PASSIVE",
                friction=friction,
                margin=margin,
            )
            for index, points in enumerate(rigid(margin))
        ]
        pieces = [points - self.middle[:3, 3] for points in mechanism.peg_hulls(margin, self.trial.catch)]
        peg = Body("peg", "COMPOUND", tuple(pieces), start, mass=self.mass, friction=friction, margin=margin,
                   groups=(_PEG, _SOCKET))  # fmt: skip
        return [*made, peg]

    def _hand(self, start: Array) -> Link:
        """A spring in all directions, or one that turns the peg in a bearing."""
        stiff, twisting = self.trial.hand
        if self.trial.bearing:
            held = dict.fromkeys(("x", "y", "z", "ang_x", "ang_y"), (0.0, 0.0))
            turning = {"ang_z": (twisting, SOFT * twisting)}
            return Link("hand", "GENERIC_SPRING", "hand", "peg", start, limits=held, springs=turning)
        springs = dict.fromkeys("xyz", (stiff, 120.0))
        springs |= {f"ang_{axis}": (5.0, 0.03) for axis in "xy"} | {"ang_z": (twisting, 0.03)}
        return Link("hand", "GENERIC_SPRING", "hand", "peg", start, springs=springs)


def _ghost(name: str, pose: Array, kind: str) -> Body:
    """A body that touches nothing: what leads or holds others."""
    return Body(name, "CONVEX_HULL", (_TINY,), pose, kind, groups=(_NOTHING,))


def harder(settings: LabSettings, trial: Trial) -> LabSettings:
    """More substeps where a trial's forces would be violent for its mass."""
    peak = 0.0 if trial.pull is None else float(np.abs(trial.pull).max())
    return replace(settings, substeps=2 * settings.substeps) if peak / settings.mass > 500.0 else settings
