# SPDX-License-Identifier: GPL-3.0-or-later
"""The press-fit: ribs on the peg that are wider than the bore are pressed in, and friction alone holds them.

Ribs that press on the bore with N in all hold m N along the axis. Their lead-in at angle a takes N (tan a + m) / (1 - m tan a)
on the way in, more than what holds afterwards; the push given sets a. Ribs are drawn as they are once pressed: as wide as the
bore. In the lab pads in the bore stand for what gives, ribs and bore together. They press with the stated force, but move by
0.2 to 0.5 mm for it where plastic moves by the interference, and peg and pads are as heavy as their springs need: neither
is a part of a force at rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ..rigid import Array
from ..units import DEG, MM, to_mm
from .base import Check, JointKind, Outcome, Phase, Pose, Trial, within
from .moves import align, over
from .ribs import GAP, SHORT, PressFit
from .spec import JointSpec, Parameter, Preset, depth_of
from .trying import hand_way, pulled_free, smooth

FRICTION: Final = 0.5
"""Of either surface; two of them multiply to 0.25."""
LONG: Final = 40.0 * MM
"""How far a hand moves for the stated push: a long soft spring, so that the force stays when the peg slides."""
CREEP: Final = 0.01 * MM
"""What a held peg may slide."""
STIR: Final = 0.002 * MM
"""What it has slid when it is said to slip."""
SLIDE: Final = ("x", "y", "ang_x", "ang_y", "ang_z")
"""A hand with springs leads the peg in a slide: what is free beside it trembles, and friction at rest would act along that."""


def _insert(fit: PressFit, u: float) -> Pose:
    """Straight into the mouth of the bore."""
    top, low = over(fit), 0.95 * fit.depth
    return Pose(top - (top - low) * u)


def _press(fit: PressFit, u: float) -> Pose:
    return Pose(0.95 * fit.depth * (1.0 - u))


class PressFitKind(JointKind):
    """See the module."""

    name = "PRESS_FIT"
    label = "Press-Fit"
    says = "Ribs wider than the bore are pressed in, and friction holds them"
    springs = True
    leads = 2e6
    parameters = (
        Parameter("depth_mm", "Depth", "mm", 0.0, 0.0, 1000.0, "How far the peg goes in; 0 means as long as the peg is"),
        Parameter("lugs", "Ribs", "", 4, 3, 6, "Ribs around the peg, evenly spaced"),
        Parameter("interference_mm", "Interference", "mm", 0.1, 0.01, 0.5,
                  "How much wider in radius the ribs are than the bore before they are pressed in"),
        Parameter("insert_n", "Push", "N", 100.0, 0.5, 2000.0, "Push that presses it in"),
        Parameter("pull_n", "Pull", "N", 50.0, 0.0, 5000.0, "Pull at which it slips"),
    )  # fmt: skip
    phases = (
        Phase("ALIGN", "Align", 16, align, "The peg comes over the socket", least=5),
        Phase("INSERT", "Insert", 8, _insert, "Into the mouth of the bore"),
        Phase("PRESS", "Press", 16, _press, "Pressed home against friction", joined=True, gives=True),
        Phase(
            "DRAW", "Draw", 16, lambda fit, u: _press(fit, 1.0 - u), "Drawn out against friction", gives=True
        ),
        Phase("EXTRACT", "Extract", 8, lambda fit, u: _insert(fit, 1.0 - u), "Straight out"),
    )
    default = ("ALIGN", "INSERT", "PRESS", "HOLD")
    presets = {
        "figure": Preset("Figure's part", {"lugs": 4, "interference_mm": 0.1, "insert_n": 200.0, "pull_n": 100.0},
                         "EN 71-1 8.4: parts over 6 mm hold 90 N for 10 s, here at 0.9 of the slip; push: own estimate"),
        "kit_pin": Preset("Kit pin", {"lugs": 3, "interference_mm": 0.05, "insert_n": 25.0, "pull_n": 15.0},
                          "own estimate: pins of model kits that go together by hand"),
        "knob": Preset("Pushed-on knob", {"lugs": 6, "interference_mm": 0.08, "insert_n": 45.0, "pull_n": 20.0},
                       "own estimate: knobs that are pulled off to service what is behind"),
    }  # fmt: skip

    def make(self, spec: JointSpec) -> PressFit:
        depth_mm = depth_of(spec)
        if spec.peg_length_mm > depth_mm + 1e-6:
            what = f"Nothing stops a peg of {spec.peg_length_mm:.2f} mm when it is {depth_mm:.2f} mm deep"
            spec.refuse(what, "Set the depth to 0: its shoulder then seats on the rim.")
        bore, peg = spec.bore_radius_mm * MM, spec.peg_radius_mm * MM
        length, depth, count = spec.peg_length_mm * MM, depth_mm * MM, int(spec.number("lugs"))
        interference, mu = spec.length("interference_mm"), FRICTION * FRICTION
        lead, yields = _lead(spec, mu), min(max(interference, 0.2 * MM), 0.5 * MM)
        _check(spec, bore, peg, interference, 0.65 * depth - (yields + SHORT) / float(np.tan(lead)))
        half = min(0.5 * MM / peg, 12.0 * DEG)
        return PressFit(
            count=count, length=length, peg_radius=peg, bore_radius=bore, bore_depth=spec.bore_depth_mm * MM, depth=depth,
            twist=0.0, turn=1, lift=CREEP, lug_radius=bore - GAP, lug_half=half,
            lug_z=(-length + min(1.0 * MM, 0.2 * depth), -min(0.3 * MM, 0.1 * depth)), groove_radius=bore, channels=(),
            interference=interference, lead=lead, press=spec.number("pull_n") / (mu * count), yields=yields,
            friction=FRICTION,
        )  # fmt: skip

    def aimed(self, mechanism: Any, pose: Pose) -> Pose:
        """Past the seat by what the hand's spring gives under the push: friction would hold the peg short of its path."""
        near = min(max((0.95 * mechanism.depth - pose.height) / (0.2 * mechanism.depth), 0.0), 1.0)
        return replace(pose, height=pose.height - near * 1.3 * mechanism.push_in / self.leads)

    def trials(self, spec: JointSpec, mechanism: Any, pose: Array) -> Sequence[Trial]:
        return [
            _pressed(mechanism),
            pulled_free("no_ribs", "Pulled without its ribs it comes off", pose, catch=False),
            pulled_free("no_interference", "Pulled with nothing that presses on it it comes off", pose, springs=True, tuned=0.0),
            _half(mechanism),
            _beside(mechanism),
        ]  # fmt: skip

    def sentence(self, spec: JointSpec, mechanism: Any, checks: Mapping[str, Check]) -> str:
        push = mechanism.push_in * (1.0 + 0.01 * checks["insert.force"].value)
        slip = mechanism.hold * (1.0 + 0.01 * checks["hold.force"].value)
        return (
            f"{spec.peg} is pressed {to_mm(mechanism.depth) + checks['engaged.depth'].value:.3f} mm deep into {spec.socket} "
            f"with {push:.1f} N in contact; penetration {checks['swept.penetration'].value:.4f} mm; friction alone holds it "
            f"up to {slip:.1f} N."
        )


def _lead(spec: JointSpec, mu: float) -> float:
    """The angle of the ribs' lead-in, from the ratio of push and pull."""
    pull, push = spec.number("pull_n"), spec.number("insert_n")
    least, most = (float(np.tan(angle * DEG + np.arctan(mu))) / mu for angle in (6.0, 30.0))
    if pull < 0.5 or not least <= push / pull <= most:
        what = f"Ribs that slip at {pull:g} N can't be pressed in with {push:g} N"
        spec.refuse(
            what,
            f"Set the push between {least * max(pull, 0.5):.1f} and {most * max(pull, 0.5):.1f} N, or another pull.",
        )
    ratio = mu * push / pull
    return float(np.arctan((ratio - mu) / (1.0 + mu * ratio)))


def _check(spec: JointSpec, bore: float, peg: float, interference: float, straight: float) -> None:
    """Raises InputError with the one measure that makes the fit impossible."""
    if bore - peg < GAP + 0.05 * MM:
        what = f"Between peg and bore there are only {to_mm(bore - peg):.2f} mm for ribs"
        spec.refuse(what, "Make the bore wider or the peg thinner: 0.1 mm or more apart.")
    if interference > 0.04 * bore:
        what = f"An interference of {to_mm(interference):.2f} mm would crack a bore of {to_mm(bore):.2f} mm"
        spec.refuse(what, f"Set it to {to_mm(0.04 * bore):.2f} mm or less.")
    if straight < 0.1 * MM:
        spec.refuse("The peg is too short for the lead-in of its ribs", "Make it deeper, or push harder.")


def _wish(fit: PressFit, force: float, height: float) -> Array:
    """Where the long soft hand wants the peg to press it inwards with ``force`` N at a ``height`` over its seat."""
    return fit.at(Pose(height - force / fit.push_in * LONG))


def _way(fit: PressFit) -> tuple[list[Array], int, int, int]:
    """Pressed to 0.9 of the push and held, slowly to 1.1, with 1.3 home; let go; pulled to 0.9 of the hold, held, slowly to 1.25.

    With it the frames that end the first hold, being home, and the second hold.
    """
    high, steep = fit.meets + 0.2 * MM, fit.meets - fit.pressed
    way = hand_way(lambda u: fit.at(Pose(high - (high - fit.meets) * u)), 4)
    shares = [0.9 * smooth(k / 8) for k in range(1, 9)] + [0.9] * 4
    waits = len(way) + len(shares) - 1
    shares += [0.9 + 0.2 * k / 16 for k in range(1, 17)] + [1.1] * 2
    way += [_wish(fit, share * fit.push_in, fit.meets - share * steep) for share in shares]
    left = fit.meets - 1.1 * steep
    going = 4 + int(left / MM)
    way += [_wish(fit, 1.3 * fit.push_in, left * (1.0 - min(k / going, 1.0))) for k in range(1, going + 7)]
    way += [_wish(fit, (1.0 - smooth(k / 4)) * fit.hold, 0.0) for k in range(5)] + [fit.at(Pose())] * 2
    home = len(way) - 1
    pulls = [0.9 * smooth(k / 8) for k in range(1, 9)] + [0.9] * 8
    held = home + len(pulls)
    pulls += [0.9 + 0.2 * k / 16 for k in range(1, 17)] + [1.25] * 4
    return way + [_wish(fit, -share * fit.hold, 0.0) for share in pulls], waits, home, held


def _pressed(fit: PressFit) -> Trial:
    """Pressed in by contacts alone, led beside the axis, then pulled until it slips."""
    aside = min(0.1 * MM, 0.3 * fit.yields)
    way, waits, home, held = _way(fit)
    led = np.stack([fit.at(Pose(fit.meets + 0.2 * MM)), *way])
    led[:, 0, 3] += aside

    def judge(found: Outcome) -> list[Check]:
        gaps, forces = [row.gap for row in found.rows], found.force_n
        entered = next((index for index, gap in enumerate(gaps) if gap < fit.pressed - 0.05 * MM), len(gaps))
        slipped = next((i for i, gap in enumerate(gaps) if i > home and gap > gaps[home] + STIR), len(gaps))
        push, pull = max((-f for f in forces[:entered]), default=0.0), max(forces[home:slipped], default=0.0)
        depth, crept = to_mm(fit.depth - gaps[home]), to_mm(gaps[held] - gaps[home])
        return [
            Check("insert.waits", entered > waits, to_mm(gaps[waits]), to_mm(fit.pressed), "mm",
                  "Pushed with 0.9 of its force it does not go in"),
            within("insert.force", round(100.0 * (push / fit.push_in - 1.0), 3), 5.0, "%",
                   f"In contact {push:.2f} N press it in, stated {fit.push_in:g} N"),
            within("contact.depth", round(depth - to_mm(fit.depth), 6), 0.01, "mm",
                   f"Pressed in by contacts alone, {to_mm(aside):.2g} mm off centre, it sits {depth:.3f} mm deep"),
            within("hold.creep", round(crept, 6), to_mm(CREEP), "mm",
                   f"Pulled with {0.9 * fit.hold:.1f} N and held it slides {crept:.4f} mm"),
            within("hold.force", round(100.0 * (pull / fit.hold - 1.0), 3), 5.0, "%",
                   f"In contact friction holds {pull:.2f} N, stated {fit.hold:g} N"),
            Check("hold.slips", slipped < len(gaps), forces[-1], fit.hold, "N", "Pulled with 1.25 times that it slips"),
        ]  # fmt: skip

    return Trial("press", "Pressing in with contacts, then pulling", led[0], judge, way=led[1:], springs=True, hand=(fit.push_in / LONG, 5.0), bearing=SLIDE)  # fmt: skip


def _half(fit: PressFit) -> Trial:
    """A control: with half the pressure 0.9 of the stated pull must draw it."""
    way = [_wish(fit, fit.push_in * smooth(k / 6), fit.meets) for k in range(1, 7)]
    way += [way[-1]] * 4 + [fit.at(Pose())] * 2
    home = len(way) - 1
    way += [_wish(fit, -0.9 * fit.hold * smooth(k / 6), 0.0) for k in range(1, 7)] + [
        _wish(fit, -0.9 * fit.hold, 0.0)
    ] * 3

    def judge(found: Outcome) -> list[Check]:
        slid = to_mm(found.last.gap - found.rows[home].gap)
        return [
            Check(
                "control.half_pressure",
                slid > 1.0,
                slid,
                1.0,
                "mm",
                "With half the pressure the pull draws it",
            )
        ]

    return Trial("half_pressure", "A control: pulling with half the pressure", fit.at(Pose(fit.meets)), judge,
                 way=np.stack(way), springs=True, hand=(fit.push_in / LONG, 5.0), bearing=SLIDE, tuned=0.5)  # fmt: skip


def _beside(fit: PressFit) -> Trial:
    """A control: pushed with twice the stated force beside its bore it must stay out."""
    top, aside = fit.depth + 0.2 * MM, 0.6 * fit.peg_radius
    deep = 0.2 * MM + 2.0 * fit.push_in / 20000.0
    way = hand_way(lambda u: fit.at(Pose(top - deep * u, aside=aside)), 10)

    def judge(found: Outcome) -> list[Check]:
        gap, limit = to_mm(found.last.gap), to_mm(0.5 * fit.depth)
        says = f"Pushed in beside its bore it stays {gap:.2f} mm out"
        return [Check("control.misaligned", gap > limit, gap, limit, "mm", says)]

    return Trial(
        "misaligned",
        "A control: pushing beside the bore",
        fit.at(Pose(top, aside=aside)),
        judge,
        way=np.stack(way),
    )


KIND = PressFitKind()
