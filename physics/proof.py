# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves a joint: measures the baked motion, tries it with real contacts, and checks that the checks can fail."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from . import trials
from .joints import kind_of
from .joints.base import Check, Engagement, Mechanism, Outcome, Trial, engagement, within
from .joints.protocols import protocol_of
from .joints.record import to_json
from .joints.spec import JointSpec
from .rigid import Array
from .trials import LabSettings
from .units import to_deg, to_mm
from .verify import Sweep, swept


@dataclass(frozen=True)
class Evidence:
    """What the motion stage measured of one joint. ``relative`` (S, 4, 4): the peg frame in the socket frame at every
    half key, read back; ``locked``, ``held``: first and last sample of the locked joint at rest; ``spans`` first and last
    sample of each move, ``giving`` of those in which a spring gives way; ``readback`` metres and radians off the path;
    ``peg_points`` and ``socket_points`` (N, 3): real surfaces of the fitted meshes in their joint frames;
    ``times`` of the samples in scene frames; ``wall`` metres to which the socket's material reaches around the axis;
    ``broke``: the sample from which on the joint is broken and nothing is said of its material;
    ``cut``: most triangles of the render meshes that cut each other at once, the frame, and the two parts' names.
    """

    relative: Array
    locked: int
    held: int
    spans: Mapping[str, tuple[int, int]]
    giving: Sequence[tuple[int, int]]
    readback: tuple[float, float]
    peg_points: Array
    socket_points: Array
    times: tuple[float, ...]
    wall: float
    cut: tuple[int, float, str] = (0, 0.0, "")
    broke: int | None = None


ProofGenerator = Generator[tuple[float, str], None, dict[str, Any]]


def prove(
    spec: JointSpec, mechanism: Mechanism, evidence: Evidence, settings: LabSettings | None = None
) -> ProofGenerator:
    """Yields (fraction, message) after each simulated frame; returns the proof's data (JSON)."""
    lab, kind = settings or LabSettings(), kind_of(spec)
    checks = _measured(mechanism, evidence)
    phases = {name.upper(): evidence.relative[a : b + 1] for name, (a, b) in evidence.spans.items()}
    checks += kind.measured(spec, mechanism, phases)
    if spec.mode == "SIMULATED":
        checks = [_by_contact(mechanism, check) for check in checks]
    yield 0.02, "Sweeping the motion for penetration"
    sweep = _sweep(mechanism, evidence)
    checks += _penetration(sweep, evidence, mechanism.gives)
    checks += yield from _controls(mechanism)
    outcomes: dict[str, Outcome] = {}
    runs = kind.trials(spec, mechanism, evidence.relative[evidence.locked])
    for number, trial in enumerate(runs):
        share = 0.94 / len(runs)
        found = yield from _follow(mechanism, trial, lab, 0.06 + number * share, share)
        outcomes[trial.name] = found
        checks += trial.judge(found)
    verdict, failed = _verdict(checks)
    return {
        "verdict": verdict,
        "says": _sentence(verdict, spec, mechanism, checks, failed),
        "checks": [check.to_json() for check in checks],
        "tests": {name: _outcome_json(outcome) for name, outcome in outcomes.items()},
        "lab": asdict(lab),
        "kit": _finite(asdict(mechanism)),
        "joint": to_json(spec),
        "motion": _series(mechanism, evidence, sweep),
        "deepest_at_mm": [to_mm(value) for value in sweep.at],
        "protocol": protocol_of(spec).to_json(),
    }


def _follow(
    mechanism: Mechanism, trial: Trial, lab: LabSettings, start: float, share: float
) -> Generator[tuple[float, str], None, Outcome]:
    running, step = trials.run(mechanism, trial, lab), 0
    try:
        while True:
            next(running)
            step += 1
            yield start + share * min(step / max(trial.frames, 1), 1.0), trial.message
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome
    finally:
        running.close()


def _measured(mechanism: Mechanism, evidence: Evidence) -> list[Check]:
    at = engagement(evidence.relative[evidence.locked], mechanism)
    held = evidence.relative[evidence.locked : evidence.held + 1]
    drift = to_mm(float(np.abs(held[:, :3, 3] - held[0, :3, 3]).max()))
    depth, turned, tilt, lateral = to_mm(at.depth), to_deg(at.turned), to_deg(at.tilt), to_mm(at.lateral)
    position, angle = to_mm(evidence.readback[0]), to_deg(evidence.readback[1])
    off, astray = to_mm(at.depth - mechanism.depth), to_deg(at.turned - mechanism.twist)
    return [
        within("engaged.depth", off, 0.001, "mm", f"The peg sits {depth:.3f} mm deep"),
        within("engaged.turned", astray, 1e-4, "deg", f"It has turned {turned:.3f} degrees"),
        within("engaged.tilt", tilt, 0.001, "deg", f"The axes differ by {tilt:.5f} degrees"),
        within("engaged.lateral", lateral, 0.001, "mm", f"The axes lie {lateral:.5f} mm apart"),
        within("held.drift", drift, 0.001, "mm", f"Locked, the parts drift {drift:.6f} mm"),
        within("baked.position", position, 0.001, "mm", f"Keys and path differ by {position:.6f} mm"),
        within("baked.angle", angle, 1e-4, "deg", f"Keys and path differ by {angle:.7f} degrees"),
    ]


BY_CONTACT: Final = {"mm": 0.01, "deg": 0.1}
"""What contacts may leave of an exact place."""
ASIDE: Final = ("lateral", "axis", "tilt", "helix", "centre")
"""Measures of a led joint that may also be as large as its play."""


def _by_contact(mechanism: Mechanism, check: Check) -> Check:
    """The check with the limit of a joint that contacts led; its keys are still held to what happened."""
    if check.id.startswith(("baked.", "held.")) or check.unit not in BY_CONTACT:
        return check
    limit = max(check.limit, BY_CONTACT[check.unit])
    if check.id.endswith(ASIDE):
        limit += (
            to_mm(mechanism.loose) if check.unit == "mm" else to_deg(2.0 * mechanism.loose / mechanism.depth)
        )
    return replace(check, ok=abs(check.value) <= limit, limit=round(limit, 6))


def _sweep(mechanism: Mechanism, evidence: Evidence) -> Sweep:
    """At every half frame; where keys are dense, at one key and one middle between two keys in each half frame too.

    A sample between is told to be as deep as the deeper of those around it.
    """
    points = np.concatenate((mechanism.surface_points(), evidence.peg_points))
    count, apart = (
        len(evidence.times),
        evidence.times[1] - evidence.times[0] if len(evidence.times) > 1 else 0.5,
    )
    half = max(1, round(0.5 / apart))
    every = 3 if half > 2 else 1
    at = np.array([k for k in range(count) if k % half % every == 0 or k == count - 1])
    found = swept(evidence.relative[at], mechanism, points, evidence.socket_points, evidence.wall)
    after = np.searchsorted(at, np.arange(count))
    before = np.where(at[after] == np.arange(count), after, after - 1)
    each = np.maximum(found.each[before], found.each[after])
    return Sweep(found.deepest, int(at[found.index]), each, found.at)


def _penetration(sweep: Sweep, evidence: Evidence, gives: float) -> list[Check]:
    """``gives``: metres by which the springs of the joint give way in the moves in which they do."""
    rigid = sweep.each.copy()
    for first, last in evidence.giving:
        there = slice(max(first, 0), last + 1)
        rigid[there] = np.maximum(rigid[there] - gives, 0.0)
    if evidence.broke is not None:
        rigid[evidence.broke :] = 0.0
    worst = int(rigid.argmax())
    deepest, frame = to_mm(float(rigid[worst])), evidence.times[worst]
    says = f"At every half frame, or closer, the parts enter each other by {deepest:.4f} mm at most (frame {frame:g})"
    if evidence.giving:
        says += f", beyond the {to_mm(gives):.3f} mm that its springs give way"
    count, at, names = evidence.cut
    where = f"those of {names} cut each other at frame {at:g}" if count else "nowhere do they cut each other"
    return [
        within("swept.penetration", deepest, 0.01, "mm", says),
        within("swept.meshes", float(count), 0.0, "triangles", f"Of the meshes that are rendered, {where}"),
    ]


def _controls(mechanism: Mechanism) -> Generator[tuple[float, str], None, list[Check]]:
    """The sweep must flag motions that can't be; a control is ok when its fault was seen."""
    points, checks = mechanism.surface_points(), []
    for name, (words, poses) in mechanism.wrong_motions().items():
        deepest = to_mm(swept(poses, mechanism, points, np.empty((0, 3))).deepest)
        says = f"A motion {words} is seen to enter material by {deepest:.3f} mm"
        checks.append(Check(f"control.{name}", deepest > 0.01, deepest, 0.01, "mm", says))
        yield 0.06, "Trying motions that must fail"
    return checks


def _verdict(checks: Sequence[Check]) -> tuple[str, list[Check]]:
    failed = [check for check in checks if not check.ok]
    controls = [check for check in failed if check.id.startswith("control.")]
    if controls:
        return "inconclusive", controls
    return ("not_engaged" if failed else "engaged"), failed


def _sentence(
    verdict: str, spec: JointSpec, mechanism: Mechanism, checks: Sequence[Check], failed: Sequence[Check]
) -> str:
    if verdict == "inconclusive":
        return f"The proof can't decide: {failed[0].says}, and that control must fail."
    if verdict == "not_engaged":
        return f"The lock does not engage: {failed[0].says}."
    return kind_of(spec).sentence(spec, mechanism, {check.id: check for check in checks})


def _finite(value: Any) -> Any:
    """For JSON: a channel that is open at the rim has no upper end."""
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _traces(rows: Sequence[Engagement]) -> dict[str, list[float]]:
    return {
        "depth_mm": [to_mm(row.depth) for row in rows], "turned_deg": [to_deg(row.turned) for row in rows],
        "tilt_deg": [to_deg(row.tilt) for row in rows], "lateral_mm": [to_mm(row.lateral) for row in rows],
    }  # fmt: skip


def _outcome_json(found: Outcome) -> dict[str, Any]:
    traces = _traces(found.rows)
    return {
        "released": found.released, "depth_mm": to_mm(found.last.depth), "turned_deg": to_deg(found.last.turned),
        "tilt_deg": max(traces["tilt_deg"]), "lateral_mm": max(traces["lateral_mm"]),
        "trace": {**traces, "force_n": list(found.force_n), "torque_nm": list(found.torque_nm)},
    }  # fmt: skip


def _series(mechanism: Mechanism, evidence: Evidence, sweep: Sweep) -> dict[str, Any]:
    rows = [engagement(pose, mechanism) for pose in evidence.relative]
    deep = [to_mm(float(value)) for value in sweep.each]
    spans = {name: [evidence.times[a], evidence.times[b]] for name, (a, b) in evidence.spans.items()}
    return {
        "times": list(evidence.times),
        **_traces(rows),
        "penetration_mm": deep,
        "spans": spans,
    }


def together(proofs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One proof of several joints: the worst verdict, all checks with the joint's name before their own."""
    if len(proofs) == 1:
        return proofs[0]
    order = ("not_engaged", "inconclusive", "engaged")
    verdict = min((str(one["verdict"]) for one in proofs), key=order.index)
    says = " ".join(str(one["says"]) for one in proofs if one["verdict"] == verdict)
    checks = [
        {**check, "id": f"{one['joint']['name']}: {check['id']}"} for one in proofs for check in one["checks"]
    ]
    return {"verdict": verdict, "says": says, "checks": checks, "proofs": list(proofs)}
