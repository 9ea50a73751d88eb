# SPDX-License-Identifier: GPL-3.0-or-later
"""The mechanism of a twist-lock joint as numbers: where lugs, slots and groove lie, and whether that can work.

Cylinder coordinates (r, angle, z) in metres and radians. In the *socket frame* z = 0 is the rim and +z points out of
the bore; in the *peg frame* z = 0 is the shoulder and the tip lies at z = -length. Locked, peg frame x and socket
frame x agree and the shoulder stands ``seat`` above the rim. Lugs enter at the angle ``entry`` and turn back to 0.
"""

from dataclasses import dataclass

from ..pipeline.errors import InputError
from .spec import JointSpec
from .units import DEG, MM, PI

LIP = 0.3 * MM
"""Least overlap of a lug with the lip above it that holds anything, and least height of lip and groove wall."""
RIB = 8.0 * DEG
"""Least width of material left between two mechanisms around the bore."""


@dataclass(frozen=True)
class Kit:
    """Lugs on the peg: radius ``lug_radius``, half width ``lug_half``, peg-frame z ``lug_z``. Channel in the socket:
    radius ``groove_radius``, slots of half width ``slot_half`` about ``entry``, groove over socket-frame z ``groove_z``.
    ``turn`` (+1 or -1) is the direction about +z from the slots to the lock; ``spacing`` the angle between lugs.
    """

    count: int
    length: float
    peg_radius: float
    lug_radius: float
    lug_half: float
    lug_z: tuple[float, float]
    bore_radius: float
    bore_depth: float
    groove_radius: float
    groove_z: tuple[float, float]
    slot_half: float
    depth: float
    twist: float
    turn: int
    lift: float

    @property
    def spacing(self) -> float:
        return 2.0 * PI / self.count

    @property
    def entry(self) -> float:
        """Angle of the peg frame in the socket frame at which lugs and slots meet."""
        return -self.turn * self.twist

    @property
    def seat(self) -> float:
        """Height of the shoulder over the rim when seated."""
        return self.length - self.depth

    @property
    def contact(self) -> float:
        """Radius in the middle of where the lugs' flanks meet the end of the groove."""
        return 0.5 * (self.bore_radius + self.lug_radius)

    @property
    def groove_span(self) -> tuple[float, float]:
        """Angles (from, to), from < to, that the groove covers for the lug at 0: slot to the stop at the lug's flank."""
        stop, far = self.turn * self.lug_half, self.entry - self.turn * self.slot_half
        return (min(stop, far), max(stop, far))

    @property
    def lug_angles(self) -> tuple[float, ...]:
        """Middle of each lug in the peg frame."""
        return tuple(index * self.spacing for index in range(self.count))


def make(spec: JointSpec) -> Kit:
    """The kit of a joint. Raises InputError with the one measure that makes it impossible."""
    length, depth = spec.peg_length_mm * MM, spec.depth_mm * MM
    seat = length - depth
    clearance = spec.clearance_mm * MM
    low = -length + spec.lug_tip_mm * MM
    high = low + spec.lug_height_mm * MM
    lug_radius = (spec.peg_radius_mm + spec.protrusion_mm) * MM
    floor_gap = clearance if seat <= 1e-9 else 0.0
    kit = Kit(
        count=spec.lugs,
        length=length,
        peg_radius=spec.peg_radius_mm * MM,
        lug_radius=lug_radius,
        lug_half=0.5 * spec.lug_width_deg * DEG,
        lug_z=(low, high),
        bore_radius=spec.bore_radius_mm * MM,
        bore_depth=spec.bore_depth_mm * MM,
        groove_radius=lug_radius + clearance,
        groove_z=(low + seat - floor_gap, high + seat + clearance),
        slot_half=(0.5 * spec.lug_width_deg + spec.slot_gap_deg) * DEG,
        depth=depth,
        twist=spec.twist_deg * DEG,
        turn=-1 if spec.hand == "RIGHT" else 1,
        lift=clearance,
    )
    _check(kit, spec)
    return kit


def _check(kit: Kit, spec: JointSpec) -> None:
    def refuse(what: str, todo: str) -> None:
        raise InputError(what, where=f"joint {spec.name}", todo=todo)

    if spec.hand not in ("RIGHT", "LEFT"):
        refuse(f"A joint has no hand {spec.hand!r}", "Choose RIGHT or LEFT.")
    numbers = (spec.peg_radius_mm, spec.peg_length_mm, spec.bore_depth_mm, spec.depth_mm, spec.twist_deg)
    if not (all(value > 0.0 for value in numbers) and spec.lugs >= 1 and spec.clearance_mm > 0.0):
        refuse(
            "Every measure of a joint must be above zero", "Set radius, length, depth, twist and clearance."
        )
    if kit.bore_radius <= kit.peg_radius + 0.01 * MM:
        what = f"The peg (radius {spec.peg_radius_mm:.2f} mm) doesn't fit the bore (radius {spec.bore_radius_mm:.2f} mm)"
        refuse(what, "Make the bore wider by 0.1 to 0.3 mm, or the peg thinner.")
    if kit.seat < -1e-9:
        what = f"The peg is {spec.peg_length_mm:.2f} mm long, so it can't go {spec.depth_mm:.2f} mm deep"
        refuse(what, f"Set the depth to {spec.peg_length_mm:.2f} mm or less.")
    if kit.bore_depth < kit.depth - 1e-9:
        what = f"The bore is {spec.bore_depth_mm:.2f} mm deep, so the peg can't go {spec.depth_mm:.2f} mm in"
        refuse(what, f"Set the depth to {spec.bore_depth_mm:.2f} mm or less, or drill the bore deeper.")
    if kit.lug_z[0] <= -kit.length or kit.lug_z[1] + 2.0 * LIP > 0.0 or kit.lug_half <= 0.0:
        refuse("The lugs don't fit on the peg", "Make them lower, or the peg longer.")
    if kit.lug_radius - kit.bore_radius < LIP:
        what = f"The lugs reach only {(kit.lug_radius - kit.bore_radius) / MM:.2f} mm past the bore and would not hold"
        refuse(what, "Let them stand out further.")
    if kit.groove_z[1] > -2.0 * LIP:
        refuse("Too little material is left above the groove", "Set the depth deeper.")
    if kit.groove_z[0] < -kit.bore_depth - 5e-5:
        refuse("The groove lies deeper than the bore", "Drill the bore deeper or raise the lugs.")
    if kit.twist < kit.lug_half + kit.slot_half:
        least = (kit.lug_half + kit.slot_half) / DEG
        refuse(
            f"A twist of {spec.twist_deg:.1f} degrees leaves the lugs in their slots",
            f"Turn {least:.0f} or more.",
        )
    low, high = kit.groove_span
    used = max(high, kit.entry + kit.slot_half) - min(low, kit.entry - kit.slot_half)
    if used + RIB > kit.spacing:
        what = f"{spec.lugs} lugs with {spec.twist_deg:.1f} degrees of twist need more than a whole turn"
        refuse(what, "Take fewer lugs, narrower ones, or less twist.")


def lug_shear_strength(kit: Kit, shear_strength: float) -> float:
    """Force in N that shears all lugs off at the peg: area at the root times ``shear_strength`` in Pa."""
    area = kit.count * 2.0 * kit.lug_half * kit.peg_radius * (kit.lug_z[1] - kit.lug_z[0])
    return area * shear_strength
