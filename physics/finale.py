# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the joined product at the end of a shot: it is lifted, then dropped, thrown or hung. Pure.

``dropped.release`` runs it; here is what a person sets of it, and where the product then is at any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .choreography import Recorded
from .joints.moves import min_jerk
from .rigid import Array, between, multiply, rotation, translation

KINDS: Final = {
    "NONE": ("Rests", "The product stays where its joints left it"),
    "DROP": ("Drop", "It is lifted and let go; it falls on what lies below, or on a floor where it stood"),
    "THROW": ("Throw", "It is lifted and let go with a speed and a spin"),
    "HANG": ("Hang", "It is lifted and hangs by its top, swinging"),
}
"""Identifier: label and the sentence of what it gives."""
REST: Final = (1e-4, 0.0087 * 2.0**0.5)
"""Metres, and the Frobenius distance of rotations half a degree apart, within which a body is at rest."""
CALMING: Final = 8
"""Samples over which it then comes to its last pose."""
SINKS: Final = 3e-4
"""Metres that a part may enter the floor before it is said."""


@dataclass(frozen=True)
class Finale:
    """When and how: lifted from the scene frame ``start`` by ``height`` metres and tilted by ``tilt`` radians, let go at
    ``release`` with ``velocity`` m/s and ``spin`` rad/s (world axes), over at ``end``. ``string`` metres it hangs on.
    """

    kind: str
    start: int
    release: int
    end: int
    height: float
    tilt: float
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    string: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """What decides the motion, for the manifest."""
        return {**self.__dict__, "velocity": list(self.velocity), "spin": list(self.spin)}


@dataclass(frozen=True, eq=False)
class Carried:
    """How the whole product is carried in the finale: lifted about ``centre``, then as ``freed`` (from its release on)."""

    finale: Finale
    centre: Array
    freed: Recorded | None = None
    says: tuple[str, ...] = ()
    sinks: float = 0.0

    def at(self, times: Sequence[float]) -> Array:
        """(T, 4, 4) world motion of the base from where its joints left it, at scene times in frames."""
        made = np.stack([self._lifted(float(time)) for time in times])
        if self.freed is not None:
            late = np.array(times) > self.finale.release
            made[late] = self.freed.at([time for time in times if time > self.finale.release])
        return made

    def _lifted(self, time: float) -> Array:
        if time <= self.finale.start:
            return np.eye(4)
        u = min_jerk((time - self.finale.start) / (self.finale.release - self.finale.start))
        up = translation((0.0, 0.0, self.finale.height * u))
        return multiply(
            up, translation(self.centre), rotation(1, self.finale.tilt * u), translation(-self.centre)
        )


def calmed(poses: Array) -> Array:
    """(F, 4, 4) poses without the tremor of what has come to rest: contacts that a solver finds anew in every step.

    What to the end stays within 0.1 mm and half a degree of where it ends, rests there.
    """
    last = poses[-1]
    off = np.sqrt(((poses[:, :3, 3] - last[:3, 3]) ** 2).sum(axis=1))
    chord = np.sqrt(((poses[:, :3, :3] - last[:3, :3]) ** 2).sum(axis=(1, 2)))
    moving = np.flatnonzero((off > REST[0]) | (chord > REST[1]))
    first = int(moving[-1]) + 1 if len(moving) else 0
    if len(poses) - first <= CALMING:
        return poses
    made = poses.copy()
    for index in range(first, len(poses)):
        made[index] = between(poses[first], last, min_jerk((index - first) / CALMING))
    return made


def sentence(finale: Finale, ending: Carried, broke: Sequence[tuple[str, int, float]]) -> str:
    """What happened after the product was let go; ``broke``: joint, scene frame and newtons."""
    does = {"DROP": "Let go, it falls", "THROW": "Thrown, it flies", "HANG": "Hung up, it swings"}[
        finale.kind
    ]
    if broke:
        parts = [f"{name} breaks at frame {frame}, at its {force:g} N" for name, frame, force in broke]
        return f"{does}; {'; '.join(parts)}."
    sinks = f" and enters the floor by {1e3 * ending.sinks:.2f} mm" if ending.sinks > SINKS else ""
    return f"{does}{sinks}, and its joints hold."
