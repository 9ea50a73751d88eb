# SPDX-License-Identifier: GPL-3.0-or-later
"""What every kind of joint is: its parameters, its mechanism as numbers, its moves, and the trials that it must pass.

A new kind is one file beside this one: a frozen ``Mechanism`` that knows where its material is, and a ``JointKind`` that
makes it from a ``JointSpec``. Motion, fit, overlay, panel, laboratory and proof ask these two and nothing else.

Frames: in the *socket frame* z = 0 is the rim and +z points out of the bore; in the *peg frame* z = 0 is the shoulder
and the tip lies at z = -length. Engaged, the two frames share their axes and the shoulder stands ``seat`` above the rim.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from ...pipeline.errors import InputError
from ..rigid import Array, multiply, rotation, translation
from ..solids import Solid
from ..units import MM
from .judging import Check, Engagement, Judge, Outcome, Trial, stays, within
from .spec import JointSpec, Parameter, Preset

__all__ = [
    "Check", "Engagement", "Flexure", "JointKind", "Judge", "Mechanism", "Outcome", "Phase", "Pose", "Tool", "Trial",
    "engagement", "stays", "within",
]  # fmt: skip


@dataclass(frozen=True)
class Pose:
    """Where the peg frame stands in the socket frame, and how the whole assembly is carried, at one time.

    ``height`` of the shoulder above its seat and ``aside`` in metres; ``angle`` about the axis from the engaged pose;
    ``tilt`` of the peg's axis in radians, about the socket's y, or y turned by ``towards``. ``about`` is the height over the
    rim of the point that a tilt turns about. ``lift``, ``sway`` (metres) and ``yaw`` carry both parts as one body.
    """

    height: float = 0.0
    angle: float = 0.0
    aside: float = 0.0
    tilt: float = 0.0
    towards: float = 0.0
    about: float | None = None
    lift: float = 0.0
    sway: float = 0.0
    yaw: float = 0.0

    def peg_in_socket(self, seat: float) -> Array:
        """(4, 4): the peg frame in the socket frame, for a joint whose shoulder seats ``seat`` above the rim."""
        at = seat + self.height
        pivot = at if self.about is None else self.about
        turn = multiply(
            rotation(2, self.towards), rotation(1, self.tilt), rotation(2, self.angle - self.towards)
        )
        return multiply(translation((self.aside, 0.0, pivot)), turn, translation((0.0, 0.0, at - pivot)))

    def assembly(self) -> Array:
        """(4, 4): the socket frame now in the socket frame at rest."""
        return multiply(translation((self.sway, 0.0, self.lift)), rotation(2, self.yaw))


@dataclass(frozen=True)
class Phase:
    """One move of a joint. ``pose(mechanism, u)`` is where the peg is at progress ``u`` (0..1, eased already).

    ``joined`` says that the joint holds from the end of this phase on: what follows is measured as a held joint.
    ``gives`` marks the moves in which a spring of the joint gives way, so that its own material may be entered.
    """

    name: str
    label: str
    frames: int
    pose: Callable[[Any, float], Pose] = field(repr=False)
    says: str = ""
    joined: bool = False
    gives: bool = False
    least: int = 2
    ease: str = "SMOOTH"


@dataclass(frozen=True)
class Flexure:
    """A piece of the socket that gives way on a spring, as a tongue or a bead does.

    ``points`` (V, 3): its convex hull in the socket frame at rest; ``way`` the unit direction in which it yields;
    ``stiffness`` N/m, ``preload`` N at rest, ``travel`` m until it strikes its stop; ``mass`` kg in the lab.
    """

    name: str
    points: Array
    way: tuple[float, float, float]
    stiffness: float
    travel: float
    preload: float = 0.0
    mass: float = 0.1
    friction: float = 0.5


@dataclass(frozen=True)
class Tool:
    """A solid that is united with or cut out of a part, in its joint frame; ``volume`` m3 that must come or go."""

    side: str
    operation: str
    solid: Solid
    volume: float


@dataclass(frozen=True)
class Mechanism(ABC):
    """The numbers of one joint, in metres and radians, and where its material is."""

    count: int
    length: float
    peg_radius: float
    bore_radius: float
    bore_depth: float
    depth: float
    twist: float
    turn: int
    lift: float
    """How far the engaged peg moves out before it is held: the clearance along the axis."""

    @property
    def entry(self) -> float:
        """Angle of the peg frame in the socket frame at which the peg goes in."""
        return -self.turn * self.twist

    @property
    def seat(self) -> float:
        """Height of the shoulder over the rim when seated."""
        return self.length - self.depth

    @property
    def loose(self) -> float:
        """Metres by which a peg that a hand leads may stray from its place beside the axis."""
        return self.bore_radius - self.peg_radius

    @property
    @abstractmethod
    def reach(self) -> float:
        """Radius around the axis in metres to which the mechanism goes in the socket."""

    @abstractmethod
    def depth_in_socket(self, points: Array) -> Array:
        """(N,) metres by which (N, 3) points in the socket frame lie in rigid material; 0 in free space."""

    @abstractmethod
    def depth_in_peg(self, points: Array) -> Array:
        """(N,) metres by which (N, 3) points in the peg frame lie in its material; 0 outside."""

    @abstractmethod
    def surface_points(self) -> Array:
        """(N, 3) points on the peg's working surfaces in its frame."""

    @abstractmethod
    def peg_hulls(self, margin: float, catch: bool = True) -> list[Array]:
        """Convex pieces (V, 3) of the peg in its frame, shrunk by ``margin`` metres."""

    @abstractmethod
    def socket_hulls(self, margin: float) -> list[Array]:
        """Convex pieces (V, 3) of the socket's rigid material in its frame, shrunk by ``margin`` metres."""

    @abstractmethod
    def tools(self) -> list[Tool]:
        """What is united with or cut out of the two render meshes."""

    @abstractmethod
    def wrong_motions(self) -> dict[str, tuple[str, Array]]:
        """Motions that no real peg could make: words and (S, 4, 4) poses, each a small fault that the sweep must flag."""

    @property
    def gives(self) -> float:
        """Metres by which a spring of the joint gives way in a phase that ``gives``: its material may be entered so far."""
        return 0.0

    def flexures(self, margin: float = 0.0) -> list[Flexure]:
        """Pieces of the socket that give way on springs, shrunk by ``margin`` metres."""
        return []

    def still_hulls(self, margin: float) -> list[Array]:
        """The socket's rigid pieces (V, 3) beside its flexures."""
        return []

    def marks(self) -> list[Array]:
        """(N, 3) polylines in the peg frame that show in the viewport what holds the peg: lugs, a thread, a ball."""
        return []

    def at(self, pose: Pose) -> Array:
        """(4, 4) the peg frame in the socket frame."""
        return pose.peg_in_socket(self.seat)

    def freed(self, at: Engagement) -> bool:
        """Whether the peg is out of the socket's hold."""
        return at.gap > 0.5 * self.depth


class JointKind(ABC):
    """One kind of joint: what a person may set, how it moves, and what must hold."""

    name: ClassVar[str]
    label: ClassVar[str]
    says: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]
    phases: ClassVar[tuple[Phase, ...]]
    """All moves of this kind; the first ``default`` of them in their order are the choreography to start from."""
    default: ClassVar[tuple[str, ...]]
    presets: ClassVar[Mapping[str, Preset]] = {}
    springs: ClassVar[bool] = False
    """Whether it only goes together because its flexures give way: contacts that lead it need them."""
    leads: ClassVar[float] = 20000.0
    """N/m of the hand that leads it in a simulated shot; more where much force is needed to go in."""
    tilts: ClassVar[bool] = False
    """Whether the peg's side leans over the socket, so that it must stand off its rim."""

    def aimed(self, mechanism: Any, pose: Pose) -> Pose:
        """Where a hand aims that leads the peg and whose path has it at ``pose``: past the seat, for contacts to stop it."""
        near = min(max(1.0 - abs(pose.height) / (1.0 * MM), 0.0), 1.0)
        return replace(pose, height=pose.height - 0.3 * MM * near)

    def limits(self, mechanism: Any) -> Mapping[str, tuple[float, float]]:
        """How far the engaged peg moves of itself in free motion, by axis x, y, z (m) and ang_x, ang_y, ang_z (rad).

        Axes that are not named hold; a joint without any is as one body with its socket.
        """
        return {}

    def pivot(self, mechanism: Any) -> float:
        """Height over the rim in metres at which the constraint of free motion sits."""
        return -0.5 * float(mechanism.depth)

    def kept(self, mechanism: Any, relative: Array) -> Array:
        """(4, 4) the peg in its socket after free motion, without the slack of the constraint that held it."""
        return mechanism.at(Pose())

    @abstractmethod
    def make(self, spec: "JointSpec") -> Mechanism:
        """The mechanism of a joint. Raises InputError with the one measure that makes it impossible."""

    @abstractmethod
    def trials(self, spec: "JointSpec", mechanism: Any, pose: Array) -> Sequence[Trial]:
        """What the joint goes through in the lab from its measured engaged ``pose``, negative controls included."""

    def measured(self, spec: "JointSpec", mechanism: Any, poses: Mapping[str, Array]) -> list[Check]:
        """Checks of this kind's own on the baked motion: (S, 4, 4) relative poses of each phase, read back."""
        return []

    def sentence(self, spec: "JointSpec", mechanism: Any, checks: Mapping[str, Check]) -> str:
        """What an engaged joint of this kind does, in one sentence."""
        return f"{spec.peg} engages {spec.socket}."

    def phase(self, name: str) -> Phase:
        """The phase called ``name``. Raises InputError."""
        for phase in self.phases:
            if phase.name == name:
                return phase
        names = ", ".join(phase.name for phase in self.phases)
        raise InputError(f"A {self.label.lower()} has no move {name!r}", todo=f"Its moves are {names}.")


def engagement(peg_in_socket: Array, mechanism: Mechanism) -> Engagement:
    """The engagement of one (4, 4) rigid transform of the peg frame in the socket frame."""
    m = np.asarray(peg_in_socket, dtype=np.float64)
    z = m[:3, 2]
    tilt = float(np.arctan2(np.hypot(z[0], z[1]), z[2]))
    angle = float(np.arctan2(m[1, 0] - m[0, 1], m[0, 0] + m[1, 1]))
    turned = mechanism.turn * (angle - mechanism.entry)
    turned = (turned + np.pi) % (2.0 * np.pi) - np.pi if abs(turned) > np.pi else turned
    height = float(m[2, 3]) - mechanism.seat
    return Engagement(mechanism.depth - height, turned, tilt, float(np.hypot(m[0, 3], m[1, 3])), height)
