# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sets of a joint: its kind, its two parts, the values of its kind's parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ...pipeline.errors import InputError
from ..units import DEG, MM

MODES: Final[Mapping[str, tuple[str, str]]] = {
    "AUTHORED": (
        "Authored",
        "The parts follow the exact path of the joint; real contacts then test it in a lab of their own",
    ),
    "SIMULATED": (
        "Simulated",
        "A spring hand leads the peg and real contacts decide where it goes; what happened becomes the keys",
    ),
    "FREE": (
        "Free",
        "Joined from the start; in the finale it moves as such a joint does of itself, or breaks at a stated force",
    ),
}
"""Identifier: label and the one sentence that says what an artist gets."""


@dataclass(frozen=True)
class Parameter:
    """One setting of a joint, as the panel shows it. ``choices``: identifier, label and sentence of each."""

    key: str
    label: str
    unit: str
    default: float | int | str
    low: float = 0.0
    high: float = 1e6
    says: str = ""
    choices: tuple[tuple[str, str, str], ...] = ()

    @property
    def whole(self) -> bool:
        return isinstance(self.default, int)

    def checked(self, value: Any, joint: str) -> float | int | str:
        """``value`` in this parameter's type. Raises InputError with the limits."""
        if self.choices:
            if value not in [choice[0] for choice in self.choices]:
                names = " or ".join(choice[0] for choice in self.choices)
                raise InputError(
                    f"{self.label} can't be {value!r}", where=f"joint {joint}", todo=f"Choose {names}."
                )
            return str(value)
        number = float(value)
        if not self.low <= number <= self.high:
            what = f"{self.label} is {number:g} {self.unit}".rstrip()
            todo = f"Set it between {self.low:g} and {self.high:g} {self.unit}".rstrip() + "."
            raise InputError(what, where=f"joint {joint}", todo=todo)
        return int(number) if self.whole else number


HAND: Final = Parameter(
    "hand", "Hand", "", "RIGHT", says="Which way the joint turns to lock, seen from the head of the peg",
    choices=(("RIGHT", "Right", "Clockwise seen from the head of the peg"),
             ("LEFT", "Left", "Counter-clockwise seen from the head of the peg")),
)  # fmt: skip


@dataclass(frozen=True)
class JointFrame:
    """Where the joint sits in the socket's own space: ``origin_mm`` the centre of the rim, ``axis`` out of the bore."""

    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    axis: tuple[float, float, float] = (0.0, 0.0, 1.0)
    ref: tuple[float, float, float] = (1.0, 0.0, 0.0)
    source: str = "given"


@dataclass(frozen=True)
class Preset:
    """Values that a person may start from, with where they come from."""

    label: str
    values: Mapping[str, float | int | str]
    source: str


@dataclass(frozen=True)
class JointSpec:
    """A joint: its kind, its two parts, the peg and bore that they have, and the values of its kind's parameters.

    Lengths in mm, angles in degrees, forces in N, torques in N m.
    """

    kind: str
    name: str
    peg: str
    socket: str
    peg_radius_mm: float
    peg_length_mm: float
    bore_radius_mm: float
    bore_depth_mm: float
    values: Mapping[str, float | int | str] = field(default_factory=dict)
    mode: str = "AUTHORED"
    hand_mm: float = 0.1
    """How far off the axis the hand enters that leads a simulated joint."""
    break_n: float = 0.0
    """Force at which the joint breaks in free motion; 0 never does."""
    frame: JointFrame = JointFrame()
    over_mm: tuple[tuple[float, float], ...] = ()
    """Radius and height over the joint's plane of what hangs lowest on the peg's side; for joints that tilt."""

    def number(self, key: str) -> float:
        """A value that is a number."""
        return float(self.values[key])

    def length(self, key: str) -> float:
        """A value in mm as metres."""
        return float(self.values[key]) * MM

    def angle(self, key: str) -> float:
        """A value in degrees as radians."""
        return float(self.values[key]) * DEG

    def changed(self, **values: float | int | str) -> "JointSpec":
        """The same joint with other values."""
        return replace(self, values={**self.values, **values})

    def refuse(self, what: str, todo: str) -> None:
        """Raises InputError about this joint."""
        raise InputError(what, where=f"joint {self.name}", todo=todo)


def turn_of(spec: JointSpec) -> int:
    """+1 or -1: the direction about the socket's +z in which the joint is turned to lock."""
    return -1 if spec.values.get("hand", "RIGHT") == "RIGHT" else 1


def depth_of(spec: JointSpec) -> float:
    """How far the peg goes in, mm; as far as it is long where nothing else is set.

    Raises InputError where peg, bore and depth don't go together, or the peg has less than 0.01 mm around it.
    """
    depth_mm = spec.number("depth_mm") or spec.peg_length_mm
    if min(spec.peg_radius_mm, spec.peg_length_mm, spec.bore_depth_mm, depth_mm) <= 0.0:
        spec.refuse("Every measure of a joint must be above zero", "Set radius, length and depth.")
    if spec.peg_length_mm < depth_mm - 1e-6:
        what = f"The peg is {spec.peg_length_mm:.2f} mm long, so it can't go {depth_mm:.2f} mm deep"
        spec.refuse(what, f"Set the depth to {spec.peg_length_mm:.2f} mm or less.")
    if spec.bore_depth_mm < depth_mm - 1e-6:
        what = f"The bore is {spec.bore_depth_mm:.2f} mm deep, so the peg can't go {depth_mm:.2f} mm in"
        spec.refuse(what, f"Set the depth to {spec.bore_depth_mm:.2f} mm or less, or drill the bore deeper.")
    if spec.bore_radius_mm <= spec.peg_radius_mm + 0.01:
        what = f"The peg (radius {spec.peg_radius_mm:.2f} mm) doesn't fit the bore (radius {spec.bore_radius_mm:.2f} mm)"
        spec.refuse(what, "Make the bore wider by 0.1 to 0.3 mm, or the peg thinner.")
    return depth_mm
