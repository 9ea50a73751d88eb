# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a joint in the lab, what was measured, and how that is judged."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ..rigid import Array


@dataclass(frozen=True)
class Check:
    """One line of the proof: ``value`` against ``limit`` in ``unit``, and what it says in words."""

    id: str
    ok: bool
    value: float
    limit: float
    unit: str
    says: str

    def to_json(self) -> dict[str, Any]:
        return dict(self.__dict__)


@dataclass(frozen=True)
class Engagement:
    """Where the peg stands in the socket: ``depth``, ``lateral`` and ``gap`` (shoulder over its seat) in metres,
    ``turned`` from the entry towards the lock and ``tilt`` of the axes in radians.
    """

    depth: float
    turned: float
    tilt: float
    lateral: float
    gap: float


@dataclass(frozen=True)
class Outcome:
    """What a trial measured: (T, 4, 4) ``poses`` of the peg frame in the socket frame, and a row for each frame.

    ``force_n`` is the pull on the peg along the axis, or what the hand pulls with; ``torque_nm`` what the hand turns with,
    both out of the bore and right-handed. ``last`` is the engagement at the end.
    """

    poses: Array
    rows: tuple[Engagement, ...]
    force_n: tuple[float, ...]
    torque_nm: tuple[float, ...]
    released: bool

    @property
    def last(self) -> Engagement:
        return self.rows[-1]


Judge = Callable[[Outcome], list[Check]]


HAND: Final = 20000.0
"""N/m of a hand that leads a peg."""


@dataclass(frozen=True)
class Trial:
    """One simulation with real contacts: where the peg starts, what pulls or leads it, and how the outcome is judged.

    ``pull`` (T, 3) N on the peg's centre in the socket frame, frame by frame; or ``way`` (T, 4, 4) where a spring hand wants
    the peg frame. ``catch``: the peg has what holds it (lugs, bead, thread). ``gravity`` m/s2 on top of the pull.
    """

    name: str
    message: str
    start: Array
    judge: Judge = field(repr=False)
    pull: Array | None = None
    way: Array | None = None
    catch: bool = True
    friction: float | None = None
    springs: bool = False
    """Whether the socket's flexures are there; without them only the rigid material is."""
    hand: tuple[float, float] = (HAND, 5.0)
    """Stiffness of the hand: N/m and N m/rad."""
    bearing: tuple[str, ...] = ()
    """Axes x, y, z, ang_x, ang_y, ang_z in which the hand is a bearing: what is free there rubs at random in Bullet."""
    tuned: float = 1.0
    """What the stiffness of the flexures is multiplied by; 0 leaves them out."""

    @property
    def frames(self) -> int:
        driven = self.pull if self.pull is not None else self.way
        return 0 if driven is None else len(driven)


def within(name: str, value: float, limit: float, unit: str, says: str) -> Check:
    """A check that holds where ``value`` is at most ``limit`` either way."""
    return Check(name, abs(value) <= limit, value, limit, unit, says)


def stays(name: str, outcome: Outcome, says: str, *, released: bool = False) -> Check:
    """A check that holds where the peg stayed in its socket, or came off if it should."""
    limit = 1.0 if released else 0.0
    return Check(name, outcome.released == released, float(outcome.released), limit, "released", says)
