# SPDX-License-Identifier: GPL-3.0-or-later
"""Repair: plans what to do about a report's findings, does it, and validates again until the take passes."""

import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import bpy

from ..finishing.fallback import fallback_plan
from ..finishing.ladder import RERUN
from ..finishing.plan import Action, Circumstances, plan_for, read_actions
from ..finishing.plan import make_plan as fresh_plan
from ..finishing.rerun import Rerun, merged_reruns
from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from ..pipeline.store import digest_json, write_json
from ..properties_validate import intent_of
from . import rerun_remote, style
from .repair_line import (
    FALLBACK_FILE,
    PLAN_FILE,
    WORKERS,
    circumstances,
    descendants,
    limits_of,
    line_of_takes,
    load_take,
    passed,
    plan_on,
    report_on,
    unvalidated,
    where_it_stands,
)
from .steps import Stage, StageGenerator, StageOptions, StageState, WorkerTask

__all__ = ["STAGE", "WORKERS", "line_of_takes", "load_take", "report_on"]
_MADE_BY = ("provider", "model", "look", "seed", "grain", "ink", "prompt")


def state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    """Fresh when the best take of the line passed; failed when only a person can go on."""
    line = line_of_takes(scene, shot)
    if not line:
        return StageState("missing")
    if report_on(shot, load_take(shot, line[0])) is None:
        why = unvalidated(shot, load_take(shot, line[0])).what
        return StageState("missing" if len(line) == 1 else "stale", why)
    stand = where_it_stands(shot, line)
    take = load_take(shot, stand.base.name)
    report, name = report_on(shot, take), stand.base.name
    assert report is not None  # where_it_stands goes to takes with a report alone
    if passed(shot, take, report):
        return StageState("fresh", f"{name} passes" if len(line) > 1 else f"{name} passes as it is")
    unchecked = [each for each in line if report_on(shot, load_take(shot, each)) is None]
    if unchecked:
        return StageState("stale", f"{unchecked[-1]} has not been validated")
    plan = plan_on(shot, take, report)
    if plan is not None and stand.fell_back:
        return StageState(
            "failed", f"{name} needs a person: {plan.data['summary']} {_tried(shot, line)}".strip()
        )
    if plan is not None and not _work(plan):
        return StageState("failed", f"{name} needs a person: {plan.data['summary']}")
    return StageState("missing" if len(line) == 1 else "stale", f"{name}: {report.data['verdict']}")


def _tried(shot: ShotFolder, line: Sequence[str]) -> str:
    """What was tried, a clause a take."""
    takes = [load_take(shot, name) for name in line[1:]]
    said = [f"{take.data['take']}: {str(take.data.get('summary', '')).rstrip('.')}" for take in takes]
    return f"Tried: {'; '.join(said)}." if said else ""


def _work(plan: Manifest) -> list[Action]:
    """What can be done without a person."""
    return [action for action in read_actions(plan) if action.works]


def make_plan(scene: bpy.types.Scene, shot: ShotFolder, take: str | None = None) -> Manifest:
    """Makes the plan for the best take of the line, or ``take``, and nothing else; an edited one is kept as long as
    its report is the same. Raises InputError where there is no report."""
    best, report, now = _standing(scene, shot, _line(scene, shot, take))
    return plan_for(report, best, shot.reports / best.data["take"] / PLAN_FILE, now)


def _line(scene: bpy.types.Scene, shot: ShotFolder, take: str | None) -> list[str]:
    line = descendants(shot, take) if take else line_of_takes(scene, shot)
    if not line:
        raise InputError("There is no take to repair", where=shot.name, todo="Run Style, then Validate.")
    if report_on(shot, load_take(shot, line[0])) is None:
        raise unvalidated(shot, load_take(shot, line[0]))
    return line


def _standing(
    scene: bpy.types.Scene, shot: ShotFolder, line: Sequence[str]
) -> tuple[Manifest, Manifest, Circumstances]:
    stand = where_it_stands(shot, line)
    take = load_take(shot, stand.base.name)
    report = report_on(shot, take)
    assert report is not None
    return take, report, circumstances(scene, shot, take, report, stand)


def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Repairs the best take of the line until it passes or a limit is reached; then every faulty part is put back
    from the render, and if that does not pass either a person is asked. Returns the best take's manifest. Raises
    InputError if there is nothing to go by."""
    line, limits, started = _line(scene, shot, options.take), limits_of(scene), time.monotonic()
    for name in line[1:]:
        if report_on(shot, load_take(shot, name)) is None:
            yield _validation(scene, shot, name, (0.0, 0.1))
    while True:
        take, report, now = _standing(scene, shot, line)
        if passed(shot, take, report):
            return take
        stand = where_it_stands(shot, line)
        plan = _next_plan(shot, line, take, report, now)
        work = _work(plan) if plan is not None else []
        costs = [action.cost_micros for action in work]
        price = None if None in costs else sum(cost or 0 for cost in costs)
        spent = sum(int(load_take(shot, name).data.get("cost_micros") or 0) for name in line[1:])
        stop = limits.reached(stand.attempts, time.monotonic() - started, spent, price)
        share = (min(stand.attempts, limits.attempts) / (limits.attempts + 1),
                 min(stand.attempts + 1, limits.attempts + 1) / (limits.attempts + 1))  # fmt: skip
        if plan is not None and work and not stop:
            line.append((yield from _attempt(scene, shot, take, plan, PLAN_FILE, share)))
            continue
        last = None if stand.fell_back else fallback_plan(report, take, now, stop, _off(shot, take, report))
        if last is None:
            return take
        last.save(shot.reports / take.data["take"] / FALLBACK_FILE)
        line.append((yield from _attempt(scene, shot, take, last, FALLBACK_FILE, (share[0], 1.0))))


def _off(shot: ShotFolder, take: Manifest, report: Manifest) -> set[str]:
    """The findings that the artist switched off in the plan for a take."""
    plan = plan_on(shot, take, report)
    return (
        {action.finding for action in read_actions(plan) if not action.enabled} if plan is not None else set()
    )


def _next_plan(
    shot: ShotFolder, line: Sequence[str], take: Manifest, report: Manifest, now: Circumstances
) -> Manifest | None:
    """The plan to carry out: the one on disk, unless it was carried out in vain; then a new one. None if that is no
    other."""
    path = shot.reports / take.data["take"] / PLAN_FILE
    done = {load_take(shot, name).inputs.get("plan") for name in line}
    plan = plan_for(report, take, path, now)
    if plan.digest in done:
        plan = fresh_plan(report, take, now)
        plan.save(path)
    return None if plan.digest in done else plan


def _attempt(
    scene: bpy.types.Scene,
    shot: ShotFolder,
    parent: Manifest,
    plan: Manifest,
    file: str,
    share: tuple[float, float],
) -> Generator[WorkerTask, Any, str]:
    """One repaired take with its report; returns its name. What a killed attempt finished is used again."""
    identity = digest_json(["repair", parent.digest, plan.digest])
    name = style.find_take(shot, identity) or shot.next_take()
    folder = shot.takes / name
    write_json(folder / "request.json", {"identity": identity})
    start, size = share[0], share[1] - share[0]
    reruns = merged_reruns([action for action in _work(plan) if action.kind == RERUN], parent.data["frames"])
    done: list[dict[str, Any]] = []
    for index, rerun in enumerate(reruns):
        part = (start + size * 0.4 * index / len(reruns), start + size * 0.4 * (index + 1) / len(reruns))
        done.append(rerun.record(folder))
        if rerun.provider in WORKERS:
            request = _rerun_request(shot, parent, rerun, done[-1])
            yield WorkerTask(WORKERS[rerun.provider], request, part)
    spans = [
        (each, record) for each, record in zip(reruns, done, strict=True) if each.provider not in WORKERS
    ]
    if spans:
        yield from rerun_remote.redraw(scene, shot, parent, spans, (start, start + 0.4 * size))
    request = {
        "truth": str(shot.truth),
        "parent": str(shot.takes / parent.data["take"]),
        "plan": str(shot.reports / parent.data["take"] / file),
        "report": str(shot.reports / parent.data["take"] / "report.json"),
        "out": str(folder),
        "reruns": done,
    }
    yield WorkerTask("finishing.repair:run", request, (start + 0.4 * size, start + 0.7 * size))
    yield _validation(scene, shot, name, (start + 0.7 * size, share[1]))
    if report_on(shot, load_take(shot, name)) is None:
        raise InputError(f"{name} was not validated", where=shot.name, todo="Run Validate.")
    return name


def _validation(
    scene: bpy.types.Scene, shot: ShotFolder, name: str, share: tuple[float, float]
) -> WorkerTask:
    """The same validation as any take's: only its verdict counts."""
    request = {
        "truth": str(shot.truth),
        "take": str(shot.takes / name),
        "out": str(shot.reports / name),
        "intent": intent_of(scene.holdfast.validate),
        "stage": "full",
    }
    return WorkerTask("validation.stage:run", request, share)


def _rerun_request(
    shot: ShotFolder, parent: Manifest, rerun: Rerun, record: dict[str, Any]
) -> dict[str, Any]:
    """What the provider is asked: the settings of the take, another seed, only these frames, nothing planted."""
    settings = {key: parent.settings[key] for key in _MADE_BY if key in parent.settings}
    if rerun.provider != parent.data["provider"]:
        settings.pop("model", None)
    if rerun.control is not None:
        settings["control_strength"] = rerun.control
    out = Path(record["folder"])
    frames = list(rerun.all_frames(parent.data["frames"]))
    return {
        **settings, "provider": rerun.provider, "seed": record["seed"], "defects": [], "truth": str(shot.truth),
        "out": str(out), "take": out.name, "frames": frames,
    }  # fmt: skip


STAGE = Stage("repair", "Repair", run, state, verb="Run Plan")
