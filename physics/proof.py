# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves a joint: measures the baked motion, tries the lock with real contacts, and checks that the checks can fail."""

from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from . import trials, trials_maths
from .kit import Kit
from .rigid import Array
from .spec import JointSpec
from .stepper import LabSettings
from .trials import Outcome, TrialGenerator
from .units import MM, to_deg, to_mm
from .verify import engagement, surface_points, swept

ENTRY_OFFSET = 0.1 * MM
SHAKE = 49.05
"""Peak acceleration of the shake test in m/s2: five times gravity."""


class Check(NamedTuple):
    """One line of the proof: ``value`` against ``limit`` in ``unit``, and what it says in words."""

    id: str
    ok: bool
    value: float
    limit: float
    unit: str
    says: str

    def to_json(self) -> dict[str, Any]:
        return dict(self._asdict())


@dataclass(frozen=True)
class Evidence:
    """What the motion stage measured. ``relative`` (S, 4, 4): the peg frame in the socket frame at every half key,
    read back; ``locked``: index of the sample at the end of the click; ``readback`` metres and radians off the path;
    ``peg_points`` and ``socket_points`` (N, 3): real surfaces of the fitted meshes in their joint frames;
    ``times`` of the samples in scene frames; ``wall`` metres to which the socket's material reaches around the axis;
    ``cut``: most triangles of the render meshes that cut each other at once, the frame, and the two parts' names.
    """

    relative: Array
    locked: int
    readback: tuple[float, float]
    peg_points: Array
    socket_points: Array
    times: tuple[float, ...]
    wall: float
    cut: tuple[int, float, str] = (0, 0.0, "")


ProofGenerator = Generator[tuple[float, str], None, dict[str, Any]]


def prove(
    spec: JointSpec, kit: Kit, evidence: Evidence, settings: LabSettings | None = None
) -> ProofGenerator:
    """Yields (fraction, message) after each simulated frame; returns the proof's data (JSON)."""
    lab = settings or LabSettings()
    checks = _measured(kit, evidence)
    yield 0.02, "Sweeping the motion for penetration"
    checks += _sweep(kit, evidence)
    checks += yield from _controls(kit)
    pose = evidence.relative[evidence.locked]
    runs: dict[str, tuple[str, TrialGenerator]] = {
        "insertion": ("Inserting with contacts", trials.insertion(kit, lab, ENTRY_OFFSET)),
        "pull": (f"Pulling with {spec.pull_n:.0f} N", trials.pull(kit, lab, pose, spec.pull_n)),
        "shake": ("Shaking", trials.shake(kit, lab, pose, SHAKE)),
        "reverse_twist": ("Unlocking by the reverse twist", trials.reverse_twist(kit, lab, pose)),
        "draw_only": ("Drawing without a twist", trials.reverse_twist(kit, lab, pose, turn=False)),
        "unlocked": ("Pulling unlocked", trials.pull(kit, lab, trials_maths.turned_back(kit, pose), 5.0)),
        "no_lugs": ("Pulling without lugs", trials.pull(kit, lab, pose, 5.0, with_lugs=False)),
        "misaligned": ("Pushing beside the slots", trials.blocked(kit, lab)),
    }
    outcomes: dict[str, Outcome] = {}
    for number, (name, (message, run)) in enumerate(runs.items()):
        share = 0.94 / len(runs)
        outcomes[name] = yield from _follow(run, 0.06 + number * share, share, message)
    checks += _tried(spec, kit, outcomes)
    return _report(spec, kit, lab, checks, outcomes)


def _follow(
    run: TrialGenerator, start: float, share: float, message: str
) -> Generator[tuple[float, str], None, Outcome]:
    step = 0
    try:
        while True:
            next(run)
            step += 1
            yield start + share * min(step / 48.0, 1.0), message
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome
    finally:
        run.close()


def _within(name: str, value: float, limit: float, unit: str, says: str) -> Check:
    return Check(name, abs(value) <= limit, value, limit, unit, says)


def _measured(kit: Kit, evidence: Evidence) -> list[Check]:
    at = engagement(evidence.relative[evidence.locked], kit)
    held = evidence.relative[evidence.locked :]
    drift = float(np.abs(held[:, :3, 3] - held[0, :3, 3]).max())
    depth, turned = to_mm(at.depth), to_deg(at.turned)
    position, angle = evidence.readback
    return [
        _within(
            "engaged.depth", to_mm(at.depth - kit.depth), 0.001, "mm", f"The peg sits {depth:.3f} mm deep"
        ),
        _within(
            "engaged.turned",
            to_deg(at.turned - kit.twist),
            1e-4,
            "deg",
            f"It has turned {turned:.3f} degrees",
        ),
        _within(
            "engaged.tilt", to_deg(at.tilt), 0.001, "deg", f"The axes differ by {to_deg(at.tilt):.5f} degrees"
        ),
        _within(
            "engaged.lateral",
            to_mm(at.lateral),
            0.001,
            "mm",
            f"The axes lie {to_mm(at.lateral):.5f} mm apart",
        ),
        _within("held.drift", to_mm(drift), 0.001, "mm", f"Locked, the parts drift {to_mm(drift):.6f} mm"),
        _within(
            "baked.position",
            to_mm(position),
            0.001,
            "mm",
            f"Keys and path differ by {to_mm(position):.6f} mm",
        ),
        _within(
            "baked.angle", to_deg(angle), 1e-4, "deg", f"Keys and path differ by {to_deg(angle):.7f} degrees"
        ),
    ]


def _sweep(kit: Kit, evidence: Evidence) -> list[Check]:
    points = np.concatenate((surface_points(kit), evidence.peg_points))
    sweep = swept(evidence.relative, kit, points, evidence.socket_points, evidence.wall)
    deepest, frame = to_mm(sweep.deepest), evidence.times[sweep.index]
    says = f"At every half frame, or closer, the parts enter each other by {deepest:.4f} mm at most (frame {frame:g})"
    count, at, names = evidence.cut
    where = f"those of {names} cut each other at frame {at:g}" if count else "nowhere do they cut each other"
    return [
        _within("swept.penetration", deepest, 0.01, "mm", says),
        _within("swept.meshes", float(count), 0.0, "triangles", f"Of the meshes that are rendered, {where}"),
    ]


def _controls(kit: Kit) -> Generator[tuple[float, str], None, list[Check]]:
    """The sweep must flag motions that can't be; a control is ok when its fault was seen."""
    points, checks = surface_points(kit), []
    for name, (words, poses) in trials_maths.wrong_motions(kit).items():
        deepest = to_mm(swept(poses, kit, points, np.empty((0, 3))).deepest)
        says = f"A motion {words} is seen to enter material by {deepest:.3f} mm"
        checks.append(Check(f"control.{name}", deepest > 0.01, deepest, 0.01, "mm", says))
        yield 0.06, "Trying motions that must fail"
    return checks


def _tried(spec: JointSpec, kit: Kit, found: dict[str, Outcome]) -> list[Check]:
    inserted, pulled = found["insertion"].last, found["pull"].last
    depth, turned = to_mm(inserted.depth - kit.depth), to_deg(inserted.turned - kit.twist)
    lift, aside = to_mm(kit.depth - pulled.depth), to_mm(ENTRY_OFFSET)
    wrong = found["misaligned"].last
    back = spec.twist_deg - to_deg(found["shake"].last.turned)
    return [
        _within("contact.depth", depth, 0.01, "mm",
                f"Inserted by contacts alone, {aside:g} mm off centre, it sits {to_mm(inserted.depth):.3f} mm deep"),
        _within("contact.turned", turned, 0.1, "deg",
                f"Twisted against its stop it has turned {to_deg(inserted.turned):.3f} degrees"),
        _within("pull.lift", to_mm(kit.lift) - lift, 0.01, "mm",
                f"Pulled with {spec.pull_n:g} N it lifts {lift:.4f} mm, its clearance, and holds"),
        _stays("pull.held", found["pull"], False, f"The lock holds {spec.pull_n:g} N"),
        _stays("shake.held", found["shake"], False,
               f"Shaken with {SHAKE / 9.81:.0f} g the lock stays closed; by friction alone it turns back {back:.1f} degrees"),
        _stays("unlock.reverse_twist", found["reverse_twist"], True, "The reverse twist lets it come off"),
        _stays("unlock.draw_only", found["draw_only"], False, "Drawn without the twist it stays on"),
        _stays("control.unlocked", found["unlocked"], True, "Pulled while unlocked it comes off"),
        _stays("control.no_lugs", found["no_lugs"], True, "Pulled without its lugs it comes off"),
        Check("control.misaligned", wrong.depth < 0.5 * kit.depth, to_mm(wrong.depth), to_mm(0.5 * kit.depth), "mm",
              f"Pushed in beside its slots it stops at {to_mm(wrong.depth):.2f} mm"),
    ]  # fmt: skip


def _stays(name: str, outcome: Outcome, released: bool, says: str) -> Check:
    limit = 1.0 if released else 0.0
    return Check(name, outcome.released == released, float(outcome.released), limit, "released", says)


def _report(spec: JointSpec, kit: Kit, lab: LabSettings, checks: list[Check],
            outcomes: dict[str, Outcome]) -> dict[str, Any]:  # fmt: skip
    failed = [check for check in checks if not check.ok]
    if any(check.id.startswith("control.") for check in failed):
        verdict = "inconclusive"
    else:
        verdict = "not_engaged" if failed else "engaged"
    return {
        "verdict": verdict,
        "says": _sentence(verdict, spec, checks, failed),
        "checks": [check.to_json() for check in checks],
        "tests": {name: outcome.to_json() for name, outcome in outcomes.items()},
        "lab": {**asdict(lab), "shake_m_s2": SHAKE, "entry_offset_mm": to_mm(ENTRY_OFFSET)},
        "kit": asdict(kit),
    }


def _sentence(verdict: str, spec: JointSpec, checks: list[Check], failed: list[Check]) -> str:
    if verdict == "inconclusive":
        return f"The proof can't decide: {failed[0].says}, and that control must fail."
    if verdict == "not_engaged":
        return f"The lock does not engage: {failed[0].says}."
    found = {check.id: check.value for check in checks}
    return (
        f"{spec.peg} seats {spec.depth_mm + found['engaged.depth']:.3f} mm deep in {spec.socket} and turns "
        f"{spec.twist_deg + found['engaged.turned']:.3f} degrees; penetration {found['swept.penetration']:.4f} mm; "
        f"it holds {spec.pull_n:g} N and shaking, and comes off only by the reverse twist."
    )
