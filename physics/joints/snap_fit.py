# SPDX-License-Identifier: GPL-3.0-or-later
"""The snap-fit: pushed in, a bead springs behind the lip of the bore and holds until it is pulled over it.

A lip that is opened by the undercut presses back with P on each of N pieces. To slide a ramp at angle a under it takes
N P (tan a + m) / (1 - m tan a) with friction m, both on the way in (a: lead) and out (a: back) (Bayer MaterialScience,
Snap-Fit Joints for Plastics). The push given sets P, the pull given the angle ``back``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ..rigid import Array, multiply, translation
from ..units import DEG, MM, to_mm
from .base import Check, JointKind, Outcome, Phase, Pose, Trial, within
from .bead import PADS, SnapFit
from .judging import HAND
from .moves import align, min_jerk, over
from .spec import JointSpec, Parameter, Preset, depth_of
from .trying import hand_way, pulled_free, smooth

LEAD: Final = 30.0 * DEG
"""Angle of the bead's ramp on the way in."""
FRICTION: Final = 0.5
"""Of either surface; two of them multiply to 0.25."""
SPARE: Final = 1.25
"""The pull at which it lets go, over the pull that it must hold."""
STRAIN: Final = 0.06
"""Most that the lip may stretch while it snaps: unfilled ABS and PP bear that for a moment."""
LONG: Final = 15.0 * MM
"""How far a hand moves for the stated force: a long soft spring, so that the force stays when something gives."""

PLANE: Final = ("y", "ang_x", "ang_z")
"""A hand with springs leads the peg in the plane of its two pads."""


def _insert(snap: SnapFit, u: float) -> Pose:
    """Straight in until the bead meets the rim."""
    top = over(snap)
    return Pose(top - (top - snap.meets) * u)


def _snap(snap: SnapFit, u: float) -> Pose:
    """Slowly under the lip, then quickly behind it."""
    if u <= 0.7:
        return Pose(snap.meets - (snap.meets - snap.behind) * min_jerk(u / 0.7))
    return Pose(snap.behind * (1.0 - min_jerk((u - 0.7) / 0.3)))


def _unsnap(snap: SnapFit, u: float) -> Pose:
    """Slowly out from behind the lip, then quickly off it."""
    if u <= 0.7:
        return Pose(snap.behind * min_jerk(u / 0.7))
    return Pose(snap.behind + (snap.meets - snap.behind) * min_jerk((u - 0.7) / 0.3))


def _extract(snap: SnapFit, u: float) -> Pose:
    return _insert(snap, 1.0 - u)


class SnapFitKind(JointKind):
    """See the module."""

    name = "SNAP_FIT"
    label = "Snap-Fit"
    says = "Pushed in, a bead springs behind a lip and holds until it is pulled over it"
    springs = True
    parameters = (
        Parameter("depth_mm", "Depth", "mm", 0.0, 0.0, 1000.0, "How far the peg goes in; 0 means as long as the peg is"),
        Parameter("undercut_mm", "Undercut", "mm", 0.0, 0.0, 3.0,
                  "How far the bead stands out over the bore; 0 is 3 % of the bore's radius, what plastics bear often"),
        Parameter("insert_n", "Push", "N", 25.0, 0.5, 2000.0, "Push that snaps it in"),
        Parameter("pull_n", "Pull", "N", 30.0, 0.0, 5000.0, "Pull that it must hold; it lets go at 1.25 times that"),
        Parameter("clearance_mm", "Clearance", "mm", 0.1, 0.02, 2.0, "Free space between bead and lip along the axis"),
    )  # fmt: skip
    phases = (
        Phase("ALIGN", "Align", 16, align, "The peg comes over the socket", least=5),
        Phase("INSERT", "Insert", 12, _insert, "Straight in, to the lip"),
        Phase("SNAP", "Snap", 10, _snap, "The bead springs behind the lip", joined=True, gives=True, least=4, ease="EVEN"),
        Phase("UNSNAP", "Pull Off", 10, _unsnap, "Pulled over the lip", gives=True, least=4, ease="EVEN"),
        Phase("EXTRACT", "Extract", 12, _extract, "Straight out"),
    )  # fmt: skip
    default = ("ALIGN", "INSERT", "SNAP", "HOLD")
    presets = {
        "limb": Preset("Figure's limb", {"undercut_mm": 0.3, "insert_n": 45.0, "pull_n": 90.0, "clearance_mm": 0.05},
                       "EN 71-1 8.4: parts over 6 mm hold 90 N for 10 s; push: own estimate"),
        "battery_cover": Preset("Battery cover", {"undercut_mm": 0.25, "insert_n": 20.0, "pull_n": 15.0, "clearance_mm": 0.1},
                                "own estimate: covers that a thumb opens"),
        "pen_cap": Preset("Pen cap", {"undercut_mm": 0.15, "insert_n": 12.0, "pull_n": 10.0, "clearance_mm": 0.05},
                          "own estimate: caps that two fingers pull off"),
    }  # fmt: skip

    def make(self, spec: JointSpec) -> SnapFit:
        depth_mm = depth_of(spec)
        bore, peg = spec.bore_radius_mm * MM, spec.peg_radius_mm * MM
        undercut, clearance = spec.length("undercut_mm") or 0.03 * bore, spec.length("clearance_mm")
        length, depth = spec.peg_length_mm * MM, depth_mm * MM
        seat, lip, mu = length - depth, min(max(0.15 * depth, 0.8 * MM), 3.0 * MM), FRICTION * FRICTION
        back = _back(spec, mu)
        tangent = float(np.tan(LEAD))
        press = spec.number("insert_n") * (1.0 - mu * tangent) / (PADS * (tangent + mu))
        middle = -lip - clearance - undercut / float(np.tan(back)) - seat
        low = middle + seat - undercut / tangent
        crest = bore + undercut
        bottom = low if seat > 1e-9 else low - clearance
        _check(spec, bore, undercut, middle - (crest - peg) / tangent, bottom)
        return SnapFit(
            count=1, length=length, peg_radius=peg, bore_radius=bore, bore_depth=spec.bore_depth_mm * MM, depth=depth,
            twist=0.0, turn=1, lift=clearance, crest=crest, middle=middle, lead=LEAD, back=back, lip=lip,
            groove=(crest + clearance, bottom), press=press, friction=FRICTION,
        )  # fmt: skip

    def aimed(self, mechanism: Any, pose: Pose) -> Pose:
        """So far past the seat from the rim on that a hand's spring pushes with half more than it takes."""
        near = min(max(1.0 - pose.height / mechanism.meets, 0.0), 1.0)
        return replace(pose, height=pose.height - 1.5 * mechanism.push_in / HAND * near)

    def trials(self, spec: JointSpec, mechanism: Any, pose: Array) -> Sequence[Trial]:
        snap, pull = mechanism, spec.number("pull_n")
        return [
            _pushed_in(snap),
            _pulled(snap, pose, pull),
            pulled_free("no_bead", "Pulled without its bead it comes off", pose, catch=False),
            pulled_free(
                "not_home",
                "Pulled before it has snapped in it comes off",
                snap.at(Pose(snap.meets + 0.02 * MM)),
            ),
            pulled_free(
                "no_lip", "Pulled with nothing behind its bead it comes off", pose, springs=True, tuned=0.0
            ),
            _weak(snap, pose, pull),
            _kept_out("rigid_lip", "Pushed at a lip that can't give", snap, snap.meets, 0.0),
            _kept_out("misaligned", "Pushed in beside its bore", snap, snap.depth, 0.6 * snap.peg_radius),
        ]

    def sentence(self, spec: JointSpec, mechanism: Any, checks: Mapping[str, Check]) -> str:
        push = mechanism.push_in * (1.0 + 0.01 * checks["insert.force"].value)
        out = mechanism.pull_out * (1.0 + 0.01 * checks["pull.lets_go"].value)
        return (
            f"{spec.peg} snaps {to_mm(mechanism.depth) + checks['engaged.depth'].value:.3f} mm deep into {spec.socket} at "
            f"{push:.1f} N in contact; penetration {checks['swept.penetration'].value:.4f} mm; it holds "
            f"{spec.number('pull_n'):g} N and lets go at {out:.1f} N."
        )


def _back(spec: JointSpec, mu: float) -> float:
    """The angle of the bead's ramp on the way out, from the ratio of pull and push."""
    pull, push = SPARE * spec.number("pull_n"), spec.number("insert_n")
    tangent = float(np.tan(LEAD))
    ratio = pull / push * (tangent + mu) / (1.0 - mu * tangent)
    least, most = (float(np.tan(angle * DEG + np.arctan(mu))) for angle in (10.0, 62.0))
    if not least <= ratio <= most:
        low, high = (spec.number("insert_n") * edge / ratio * pull / push / SPARE for edge in (least, most))
        what = f"A bead that snaps in at {push:g} N can't be made to hold {spec.number('pull_n'):g} N"
        spec.refuse(what, f"Set the pull between {low:.1f} and {high:.1f} N, or another push.")
    return float(np.arctan((ratio - mu) / (1.0 + mu * ratio)))


def _check(spec: JointSpec, bore: float, undercut: float, foot: float, bottom: float) -> None:
    """Raises InputError with the one measure that makes the snap impossible."""
    if undercut < 0.04 * MM:
        spec.refuse(f"An undercut of {to_mm(undercut):.3f} mm holds nothing", "Set it to 0.04 mm or more.")
    if undercut > STRAIN * bore:
        what = f"An undercut of {to_mm(undercut):.2f} mm stretches the lip by {100.0 * undercut / bore:.0f} %"
        spec.refuse(what, f"Set it to {to_mm(STRAIN * bore):.2f} mm or less.")
    if foot < -spec.peg_length_mm * MM + 0.1 * MM:
        spec.refuse(
            "The bead doesn't fit on the peg", "Make the peg longer, the undercut or the clearance smaller."
        )
    if bottom < -spec.bore_depth_mm * MM:
        spec.refuse(
            "The groove lies deeper than the bore", "Drill the bore deeper, or make the undercut smaller."
        )


def _pushed(snap: SnapFit, shares: Sequence[float], aside: float) -> Array:
    """(T, 4, 4): where a long soft hand wants the peg that pushes with ``shares`` of the stated force on the rim."""
    steep = snap.undercut / snap.slopes[0]
    return np.stack([snap.at(Pose(snap.meets - share * (LONG + steep), aside=aside)) for share in shares])


def _pushed_in(snap: SnapFit) -> Trial:
    """Entered 0.1 mm off the axis and pushed: 0.9 of the stated force is held, then it grows slowly to 1.1."""
    aside, high = min(0.1 * MM, 0.4 * (snap.bore_radius - snap.peg_radius)), snap.meets + 0.2 * MM
    enter = hand_way(lambda u: snap.at(Pose(high - (high - snap.meets) * u, aside=aside)), 4)
    shares = [0.9 * smooth(k / 8) for k in range(1, 9)] + [0.9] * 4
    below = len(enter) + len(shares)
    shares += [0.9 + 0.2 * k / 16 for k in range(1, 17)] + [1.1] * 6
    way = np.concatenate((np.stack(enter), _pushed(snap, shares, aside)))

    def judge(found: Outcome) -> list[Check]:
        gaps, crest = [row.gap for row in found.rows], snap.meets - snap.undercut / snap.slopes[0]
        passed = next((index for index, gap in enumerate(gaps) if gap < crest - 0.05 * MM), len(gaps))
        peak = max((-force for force in found.force_n[:passed]), default=0.0)
        off, depth = 100.0 * (peak / snap.push_in - 1.0), to_mm(found.last.depth - snap.depth)
        return [
            Check("insert.waits", passed >= below, to_mm(gaps[below - 1]), to_mm(crest), "mm",
                  "Pushed with 0.9 of its force it does not go in"),
            within("insert.force", round(off, 3), 5.0, "%",
                   f"In contact {peak:.2f} N snap it in, stated {snap.push_in:g} N"),
            within("contact.depth", depth, 0.01, "mm",
                   f"Pushed in by contacts alone, {to_mm(aside):.2g} mm off centre, it sits {to_mm(found.last.depth):.3f} mm deep"),
        ]  # fmt: skip

    return Trial("insertion", "Snapping in with contacts", snap.at(Pose(high, aside=aside)), judge, way=way, springs=True,
                 hand=(snap.push_in / LONG, 5.0), bearing=PLANE)  # fmt: skip


def _pulled(snap: SnapFit, pose: Array, pull: float) -> Trial:
    """Drawn by a long soft spring to the stated pull and held, then slowly to 1.5 times it."""
    shares = [0.9 * smooth(k / 8) for k in range(1, 9)] + [0.9 + 0.08 * k / 6 for k in range(1, 7)]
    shares += [0.98 + 0.02 * k / 5 for k in range(1, 6)] + [
        1.0
    ] * 3  # slowly: friction keeps what it overshoots
    held = len(shares) - 1
    shares += (
        [1.0 + 0.15 * k / 4 for k in range(1, 5)] + [1.15 + 0.2 * k / 12 for k in range(1, 13)] + [1.5] * 3
    )
    rise = np.array([snap.lifted(pull * share) + share * LONG for share in shares])
    way = np.stack([pose] * len(shares))
    way[:, :3, 3] += rise[:, None] * pose[:3, 2]

    def judge(found: Outcome) -> list[Check]:
        gaps, crest = [row.gap for row in found.rows], snap.lifted(snap.pull_out)
        passed = next((index for index, gap in enumerate(gaps) if gap > crest + 0.05 * MM), len(gaps))
        peak = max(found.force_n[:passed], default=0.0)
        lifted, due = to_mm(gaps[held]), to_mm(snap.lifted(pull))
        return [
            within("pull.lift", round(due - lifted, 6), 0.01, "mm",
                   f"Pulled with {pull:g} N it lifts {lifted:.4f} mm: its clearance, and what its lip gives"),
            Check("pull.held", passed > held, found.force_n[held], pull, "N", f"The joint holds {pull:g} N"),
            within("pull.lets_go", round(100.0 * (peak / snap.pull_out - 1.0), 3), 5.0, "%",
                   f"In contact it lets go at {peak:.2f} N, computed {snap.pull_out:.2f} N"),
            Check("pull.off", passed < len(gaps), to_mm(max(gaps)), to_mm(crest), "mm", "At 1.5 times that it is off"),
        ]  # fmt: skip

    return Trial("pull", f"Pulling with {pull:.0f} N, then more", pose, judge, way=way, springs=True,
                 hand=(pull / LONG, 5.0), bearing=PLANE)  # fmt: skip


def _weak(snap: SnapFit, pose: Array, pull: float) -> Trial:
    """A control: behind a lip of half the stiffness the stated pull must take it off."""
    shares = [smooth(k / 8) for k in range(1, 9)] + [1.0] * 4
    way = np.stack([multiply(translation(pose[:3, 2] * share * LONG), pose) for share in shares])

    def judge(found: Outcome) -> list[Check]:
        gap, limit = to_mm(found.last.gap), to_mm(snap.lifted(snap.pull_out))
        return [
            Check(
                "control.weak_lip",
                gap > limit,
                gap,
                limit,
                "mm",
                "Behind a lip half as stiff the pull takes it off",
            )
        ]

    return Trial("weak_lip", "A control: pulling against a weak lip", pose, judge, way=way, springs=True,
                 hand=(pull / LONG, 5.0), bearing=PLANE, tuned=0.5)  # fmt: skip


def _kept_out(name: str, says: str, snap: SnapFit, height: float, aside: float) -> Trial:
    """A control: pushed with twice the stated force against rigid material it must stay where it meets it."""
    top = height + 0.2 * MM
    deep = 2.0 * snap.push_in / 20000.0
    way = hand_way(lambda u: snap.at(Pose(top - (0.2 * MM + deep) * u, aside=aside)), 10)

    def judge(found: Outcome) -> list[Check]:
        gap, limit = to_mm(found.last.gap), to_mm(snap.behind)
        return [Check(f"control.{name}", gap > limit, gap, limit, "mm", f"{says} it stays {gap:.2f} mm out")]

    return Trial(
        name,
        f"A control: {says[0].lower()}{says[1:]}",
        snap.at(Pose(top, aside=aside)),
        judge,
        way=np.stack(way),
    )


KIND = SnapFitKind()
