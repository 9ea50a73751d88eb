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

from .flexing import flexed, guide, lab_mass, placed
from .joints.base import Engagement, Mechanism, Outcome, Trial, engagement
from .joints.trying import PROOF_MASS
from .lab import lab_scene
from .links import Link
from .rigid import Array, between, inverse, multiply, translation
from .simulation import Body, Simulation, World
from .units import MM

SPRINGY: Final = (48.0, 768.0)
"""Least frames and substeps a second where stiff springs give way."""
SPRINGY_ITERATIONS: Final = 100
HEAVIER: Final = 6.0
"""The peg's mass there over that of a flexure: if they differ by far more or less, the solver loses friction at rest."""
LIGHT: Final = 1.0
"""Kilograms of the heaviest flexure there: all forces are scaled to it, because Bullet loses friction between heavy bodies."""
STILL: Final = (0.99999, 0.99999)
"""Shares of its velocity and spin that the peg loses there in a second: a quasi-static test wants no swing."""
PULLED: Final = 100
"""Iterations of the solver for a peg that is pulled."""
SCALE: Final = 64.0
"""Units a metre. Bullet takes gaps of less than a thousandth of a unit for none and then guesses their direction; two
margins are wider than that here."""
SPRINGY_MARGIN: Final = 0.0025 * MM
"""Margin there: what it rounds off a small bump is a part of its force."""
ALONG_Y: Final = np.array(((1.0, 0, 0, 0), (0, 0, 1.0, 0), (0, -1.0, 0, 0), (0, 0, 0, 1.0)))
"""How a joint lies there. At rest Bullet rubs in one direction only, which it takes from the normal and the world's z: it is
along the joint where the joint lies along y, and around it where it stands along z, as one that is turned must."""
SPRINGY_SCALE: Final = 16.0
"""Units a metre there. Bullet takes what moves less than 0.00035 units a second for resting; in more units a joint's tremble
counts as motion, and friction at rest would act along that."""
SOFT: Final = 0.02
"""Seconds in which the soft torsion spring of a hand comes to rest."""
_TINY: Final = np.array(((0.0, 0.0, 0.0), (1e-4, 0.0, 0.0), (0.0, 1e-4, 0.0), (0.0, 0.0, 1e-4)))
_PEG, _SOCKET, _NOTHING = 0, 1, 19


@dataclass(frozen=True)
class LabSettings:
    """``mass`` kg of the proof body, ``margin`` metres of collision shapes, solver steps, ``friction`` of each body."""

    mass: float = PROOF_MASS
    margin: float = 0.01 * MM
    substeps: int = 10
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
        rig = Rig(lab, mechanism, trial, paced(settings, trial, mechanism.peg_radius))
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


def _steps(trial: Trial, settings: LabSettings) -> tuple[World, int]:
    """The solver's steps, and how many of its frames a frame of the trial takes."""
    if not trial.springs:
        return World(float(settings.fps), settings.substeps, settings.iterations, (0.0, 0.0, 0.0), SCALE), 1
    parts = math.ceil(SPRINGY[0] / settings.fps - 1e-9)
    substeps = math.ceil(max(SPRINGY[1] / settings.fps, settings.substeps) / parts - 1e-9)
    most = max(settings.iterations, SPRINGY_ITERATIONS)
    return World(float(settings.fps * parts), substeps, most, (0.0, 0.0, 0.0), SPRINGY_SCALE), parts


class Rig:
    """One trial's simulation: the peg, its socket, what gives way, and the hand that leads the peg."""

    def __init__(self, lab: object, mechanism: Mechanism, trial: Trial, settings: LabSettings) -> None:
        self.trial = trial
        self.laid = ALONG_Y if trial.springs and "z" not in trial.bearing else np.eye(4)
        self.middle = translation((0.0, 0.0, -0.5 * mechanism.length))
        friction = settings.friction if trial.friction is None else trial.friction
        start = self.wish = multiply(self.laid, trial.start, self.middle)
        margin = SPRINGY_MARGIN if trial.springs else settings.margin
        world, self.parts = _steps(trial, settings)
        found = mechanism.flexures(margin) if trial.springs and trial.tuned > 0.0 else []
        heaviest = max((trial.tuned * lab_mass(one, world.dt) for one in found), default=LIGHT)
        self.share = LIGHT / heaviest
        flexures = [placed(one, self.laid, trial.tuned * self.share) for one in found]
        self.mass = max([settings.mass, *(HEAVIER * lab_mass(one, world.dt) for one in flexures)])
        bodies, links = self._bodies(mechanism, start, friction, margin), []
        for flexure in flexures:
            bodies.append(flexed(flexure, margin, world.dt))
            links.append(guide(flexure, world.dt))
        if flexures or trial.way is not None:
            bodies.append(_ghost("anchor", np.eye(4), "PASSIVE"))
        if trial.way is not None:
            bodies.append(_ghost("hand", start, "KINEMATIC"))
            links += self._hands(start)
        self.simulation = Simulation(lab, bodies, links, world)  # type: ignore[arg-type]

    def step(self, index: int) -> tuple[float, float]:
        """One frame on; gives the force in N and the torque in N m along the axis that act on the peg then."""
        if self.trial.pull is not None:
            force = self.trial.pull[index]
            for _ in range(self.parts):
                self.simulation.step(gravity=(self.laid[:3, :3] @ force * self.share / self.mass).tolist())
            return float(force[2]), 0.0
        assert self.trial.way is not None
        wish = multiply(self.laid, self.trial.way[index], self.middle)
        for part in range(1, self.parts + 1):
            self.simulation.step(targets={"hand": between(self.wish, wish, part / self.parts)})
        self.wish = wish
        lag = multiply(self.trial.way[index], inverse(self.pose()))
        stiff, twisting = self.trial.hand
        turned = float(np.arctan2(lag[1, 0] - lag[0, 1], lag[0, 0] + lag[1, 1]))
        pulled = inverse(self.laid) @ (wish - self.simulation.pose("peg"))
        return stiff * float(pulled[2, 3]), twisting * turned

    def pose(self) -> Array:
        """(4, 4) the peg frame in the socket frame."""
        return multiply(inverse(self.laid), self.simulation.pose("peg"), inverse(self.middle))

    def _bodies(self, mechanism: Mechanism, start: Array, friction: float, margin: float) -> list[Body]:
        rigid = mechanism.still_hulls if self.trial.springs else mechanism.socket_hulls
        made = [
            Body(
                f"socket {index:03d}",
                "CONVEX_HULL",
                (points,),
                self.laid,
                "PASSIVE",
                friction=friction,
                margin=margin,
            )
            for index, points in enumerate(rigid(margin))
        ]
        pieces = [points - self.middle[:3, 3] for points in mechanism.peg_hulls(margin, self.trial.catch)]
        peg = Body("peg", "COMPOUND", tuple(pieces), start, mass=self.mass, friction=friction, margin=margin,
                   groups=(_PEG, _SOCKET), damping=STILL if self.trial.springs else (0.0, 0.0))  # fmt: skip
        return [*made, peg]

    def _hands(self, start: Array) -> list[Link]:
        """A hand that is a spring in all directions but those of its bearing, which stands still: what is led trembles.

        Along the way that a hand moves far it isn't a damper too: that would pull.
        """
        stiff, twisting = (self.share * value for value in self.trial.hand)
        heavy = math.sqrt(self.mass / PROOF_MASS)
        springs = dict.fromkeys("xyz", (stiff, 120.0 * heavy))
        springs |= {f"ang_{axis}": (5.0, 0.03 * heavy) for axis in "xy"} | {"ang_z": (twisting, 0.03 * heavy)}
        if self.trial.springs:
            springs |= {"z": (stiff, 0.0), "ang_z": (twisting, SOFT * twisting)}
        held = dict.fromkeys(self.trial.bearing, (0.0, 0.0))
        springs = {axis: spring for axis, spring in springs.items() if axis not in held}
        hand = Link("hand", "GENERIC_SPRING", "hand", "peg", start, springs=springs)
        return [Link("bearing", "GENERIC", "anchor", "peg", start, limits=held), hand] if held else [hand]


def _ghost(name: str, pose: Array, kind: str) -> Body:
    """A body that touches nothing: what leads or holds others."""
    return Body(name, "CONVEX_HULL", (_TINY,), pose, kind, groups=(_NOTHING,))


def paced(settings: LabSettings, trial: Trial, radius: float) -> LabSettings:
    """As many substeps as it takes for a pulled peg of ``radius`` metres to rock by a quarter of a radian in each.

    With fewer, or with few iterations, a small peg under a strong pull starts to rock by itself and leans in its play.
    """
    if trial.pull is None:
        return settings
    peak = float(np.sqrt((trial.pull**2).sum(axis=1).max())) / settings.mass
    needed = math.ceil(4.0 * math.sqrt(peak / radius) / settings.fps)
    return replace(
        settings, substeps=max(settings.substeps, needed), iterations=max(settings.iterations, PULLED)
    )
