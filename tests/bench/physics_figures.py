# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of Physics that one Blender measures, each beside its limit; bench_physics puts them in a table.

Times are of the clock and of the processor; on a machine that does other things too the smaller one counts.

python -m tests.bench.physics_figures [GROUP ...]  (with a Python that has bpy); groups: stage, lab, bodies, dynamics
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from scripts import blender_host

sys.path.insert(0, str(blender_host.ROOT / "tests" / "blender"))
SIZES = (0.5, 1.0, 2.5)
"""Scales of the peg of 15 mm that the lab's figures are taken at."""


@dataclass(frozen=True)
class Figure:
    """One line of the acceptance: what, its limit, what was found, and whether that is within it."""

    item: str
    limit: str
    found: str
    ok: bool


def spec_of(kind: str, scale: float = 1.0, **values: Any) -> Any:
    """A joint of ``kind`` on a peg of 15 mm times ``scale``. Raises InputError where that can't be made."""
    from holdfast.physics.joints.record import checked
    from holdfast.physics.joints.spec import JointSpec

    sizes = [round(scale * mm, 6) for mm in (7.5, 10.0, 7.7, 12.0)]
    return checked(JointSpec(kind, "joint", "peg", "body", *sizes, values))


def sized(kind: Any, scales: Sequence[float], **values: Any) -> list[tuple[Any, Any]]:
    """(spec, mechanism) of ``kind`` in every scale in which its other values, the default ones, allow one."""
    from holdfast.pipeline.errors import InputError

    found = []
    for scale in scales:
        try:
            spec = spec_of(kind.name, scale, **values)
            found.append((spec, kind.make(spec)))
        except InputError:  # as a travel of 4 mm on a peg of 5 mm
            continue
    return found


def tried(mechanism: Any, trial: Any) -> Any:
    """The outcome of one trial in the lab."""
    from holdfast.physics import trials

    running = trials.run(mechanism, trial, trials.LabSettings())
    try:
        while True:
            next(running)
    except StopIteration as stop:
        return stop.value


def stage_figures() -> Iterator[Figure]:
    """The whole stage, 250 frames, on real meshes, every kind: read back, penetration, controls, verdict, time."""
    from holdfast.physics.joints import KINDS
    from holdfast.pipeline.errors import HoldfastError
    from holdfast.pipeline.manifest import Manifest

    from tests.bench import bench_proof

    with tempfile.TemporaryDirectory() as folder:
        bench_proof.timed(bench_proof.scene_of("TWIST_LOCK"), Path(folder) / "warm")
        for kind in KINDS:
            place = Path(folder) / kind.name
            try:
                _, wall, work, made = bench_proof.timed(bench_proof.scene_of(kind.name), place)
            except HoldfastError as error:
                yield Figure(f"{kind.label}: the stage", "engaged", str(error), False)
                continue
            proof = Manifest.load(place / "motion" / "proof.json", "holdfast/proof")
            yield from _of_stage(kind, made.data["verdict"], wall, work, proof.data["checks"])


def _of_stage(
    kind: Any, verdict: str, wall: float, work: float, checks: list[dict[str, Any]]
) -> Iterator[Figure]:
    value = {check["id"]: check["value"] for check in checks}
    mm, deg = (
        max(abs(value[name]) for name in ids)
        for ids in (("baked.position", "engaged.depth", "engaged.lateral"), ("baked.angle", "engaged.turned"))
    )
    yield Figure(f"{kind.label}: verdict on real meshes", "engaged", verdict, verdict == "engaged")
    yield Figure(f"{kind.label}: authored engagement, read back scrambled", "0.001 mm, 0.0001 deg",
                 f"{mm:.6f} mm, {deg:.6f} deg", mm <= 1e-3 and deg <= 1e-4)  # fmt: skip
    deep, cut = value["swept.penetration"], value["swept.meshes"]
    yield Figure(f"{kind.label}: swept penetration, legal path", "0.01 mm, no triangles cut",
                 f"{deep:.4f} mm, {cut:.0f} cut", deep <= 0.01 and not cut)  # fmt: skip
    controls = [check for check in checks if check["id"].startswith("control.")]
    seen = sum(check["ok"] for check in controls)
    yield Figure(
        f"{kind.label}: negative controls seen",
        "all",
        f"{seen} of {len(controls)}",
        seen == len(controls) > 0,
    )
    yield Figure(
        f"{kind.label}: 250 frames, clock (processor)",
        "2 s",
        f"{wall:.2f} s ({work:.2f} s)",
        min(wall, work) <= 2.0,
    )


def lab_figures() -> Iterator[Figure]:
    """Mechanisms of three sizes of every kind: planted faults, insertion beside the axis, lift under pull."""
    import bpy
    import scene_dump
    from holdfast.physics.joints import KINDS

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    before = scene_dump.dump()
    for kind in KINDS:
        yield from _faults(kind)
        yield from _insertion(kind)
        yield from _lift(kind)
    changed = scene_dump.differences(before, scene_dump.dump())
    yield Figure(
        "The artist's scene after the lab", "the same", changed[0] if changed else "the same", not changed
    )


def _faults(kind: Any) -> Iterator[Figure]:
    """The legal path enters nothing; every planted fault of 0.05 mm and more is flagged."""
    from holdfast.physics.choreography import Track, default_steps
    from holdfast.physics.verify import swept

    seen, planted, worst, least = 0, 0, 0.0, np.inf
    made = sized(kind, SIZES)
    for _, mechanism in made:
        points, none = mechanism.surface_points(), np.empty((0, 3))
        track = Track(kind, mechanism, default_steps(kind), 1)
        times = np.arange(1.0, track.end + 0.25, 0.5)
        path = track.poses(times)[0]
        for first, last in track.giving():
            path = path[(times < first) | (times > last)]
            times = times[(times < first) | (times > last)]
        worst = max(worst, swept(path, mechanism, points, none).deepest)
        for _, poses in mechanism.wrong_motions().values():
            deep = 1e3 * swept(poses, mechanism, points, none).deepest
            planted, seen, least = planted + 1, seen + (deep > 0.01), min(least, deep)
    yield Figure(f"{kind.label}: planted faults flagged, {len(made)} sizes", "all, over 0.01 mm; legal path below",
                 f"{seen} of {planted}, least {least:.3f} mm; legal {1e3 * worst:.4f} mm",
                 seen == planted and worst <= 1e-5)  # fmt: skip


def _insertion(kind: Any) -> Iterator[Figure]:
    """Led in by a spring hand that is 0 to 0.2 mm beside the axis, their gap at most; contacts alone seat it."""
    from holdfast.physics.joints.base import Pose

    mm, deg, runs, most = 0.0, 0.0, 0, 0.0
    for spec, mechanism in sized(kind, SIZES[1:]):
        own = [t for t in kind.trials(spec, mechanism, mechanism.at(Pose())) if t.name == "insertion"]
        for trial in own:
            for aside in (None,) if trial.springs else (0.0, 0.1, 0.2):  # with springs it is led in a bearing
                shift = np.zeros((4, 4))
                shift[0, 3] = 0.0 if aside is None else aside * 1e-3 - trial.start[0, 3]
                led = replace(trial, start=trial.start + shift, way=trial.way + shift)
                found = [
                    check for check in trial.judge(tried(mechanism, led)) if check.id.startswith("contact.")
                ]
                mm = max([mm, *(abs(check.value) for check in found if check.unit == "mm")])
                deg = max([deg, *(abs(check.value) for check in found if check.unit == "deg")])
                runs += 1
                most = max(most, 1e3 * led.start[0, 3])
    if runs:
        yield Figure(f"{kind.label}: inserted by contacts beside the axis", "0.01 mm, 0.1 deg",
                     f"{mm:.4f} mm, {deg:.4f} deg, {runs} runs to {most:.1f} mm beside", mm <= 0.01 and deg <= 0.1)  # fmt: skip


def _lift(kind: Any) -> Iterator[Figure]:
    """Pulled with 20 to 200 N it lifts its clearance and no more."""
    from holdfast.physics.joints.base import Pose

    if "pull_n" not in {parameter.key for parameter in kind.parameters}:
        return
    off, held, runs = 0.0, 0, 0
    made = [one for pull in (20.0, 50.0, 100.0, 200.0) for one in sized(kind, SIZES[:2], pull_n=pull)]
    for spec, mechanism in made:
        for trial in kind.trials(spec, mechanism, mechanism.at(Pose())):
            if trial.name == "pull":
                checks = {check.id: check for check in trial.judge(tried(mechanism, trial))}
                if "pull.lift" not in checks:
                    return
                off, runs = max(off, abs(checks["pull.lift"].value)), runs + 1
                held += checks["pull.held"].ok
    if runs:
        yield Figure(f"{kind.label}: lift against clearance, 20 to 200 N", "0.01 mm",
                     f"{off:.4f} mm, {held} of {runs} held", off <= 0.01 and held == runs)  # fmt: skip


def bodies_figures() -> Iterator[Figure]:
    """Parts of about 30 mm put on a floor by the setup of rigid bodies."""
    import bpy
    from holdfast.operators import bodies

    from tests.bench import bench_bodies

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    parts = bench_bodies.scene_of(10)
    running = bodies.make(bpy.context.scene, parts, bodies.Request(live=True, trust=True))
    try:
        while True:
            next(running)
    except StopIteration as stop:
        made = stop.value
    rest = [verdict for verdict in made.verdicts.values() if verdict.stable]
    gap = max(abs(v.gap_mm) - v.margin_mm for v in rest)
    jitter = max(v.jitter_mm for v in rest)
    yield Figure("Settle test, 10 shapes of 20 to 50 mm", "gap <= margin, jitter 0.01 mm a frame",
                 f"{len(rest)} rest, gap over margin {max(gap, 0.0):.4f} mm, jitter {jitter:.5f} mm; "
                 f"{len(made.unstable)} said to roll or tip",
                 gap <= 1e-3 and jitter <= 0.01 and len(rest) >= 5)  # fmt: skip


def dynamics_figures() -> Iterator[Figure]:
    """Breakable joints, and what free bodies cost."""
    import physics_truths as truths

    from tests.bench import bench_dynamics

    rows = [truths.release(kind, mass, lever, 20.0) for kind, mass, lever in
            (("FIXED", 1.0, 0.0), ("FIXED", 0.01, 0.0), ("FIXED", 0.01, 0.03), ("HINGE", 0.01, 0.03))]  # fmt: skip
    worst = max(abs(row.error) for row in rows)
    yield Figure("Breakable joint lets go, 10 g and 1 kg, lever 0 and 30 mm", "1 % of the force", f"{100 * worst:.2f} %",
                 worst <= 0.01)  # fmt: skip
    simulated, baked, work = bench_dynamics.cost(40, 0)
    yield Figure("40 free bodies x 250 frames, clock (processor)", "3 s", f"{simulated + baked:.2f} s ({work:.2f} s)",
                 min(simulated + baked, work) <= 3.0)  # fmt: skip
    many = bench_dynamics.cost(400, 40)[2]
    yield Figure(
        "400 bodies, cost of one against 40",
        "2 times",
        f"{many / work / 10.0:.2f} times",
        many <= 20.0 * work,
    )


GROUPS: dict[str, Callable[[], Iterator[Figure]]] = {
    "lab": lab_figures, "stage": stage_figures, "bodies": bodies_figures, "dynamics": dynamics_figures,
}  # fmt: skip


def main() -> int:
    import tests.conftest  # noqa: F401  (makes the checkout importable as holdfast)

    for group in sys.argv[1:] or list(GROUPS):
        for figure in GROUPS[group]():
            print("FIGURE", json.dumps(asdict(figure)), flush=True)
    return 0


if __name__ == "__main__":
    blender_host.leave(main())
