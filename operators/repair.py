# SPDX-License-Identifier: GPL-3.0-or-later
"""Repair: plans what to do about a report's findings, does it, and validates again until the take passes."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import bpy

from ..finishing.plan import ASK, RERUN, SCHEMA, Action, plan_for, read_actions
from ..finishing.rerun import Rerun, merged_reruns
from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from ..pipeline.store import digest_json, write_json
from ..pipeline.take import SCHEMA as TAKE
from . import style
from .steps import Stage, StageGenerator, StageOptions, StageState, WorkerTask

ATTEMPTS = 3
"""Repairs one after another before a person is asked."""
REPORT = "holdfast/report"
WORKERS = {"rehearsal": "clients.offline.rehearsal:run"}
"""Providers that can draw a span again, and the task that does."""
_MADE_BY = ("provider", "model", "look", "seed", "grain", "ink", "prompt")
_SHARES = ((0.0, 0.7), (0.7, 0.9), (0.9, 1.0))


def line_of_takes(scene: bpy.types.Scene, shot: ShotFolder) -> list[str]:
    """The take of the current Style settings (else the newest) and what was repaired from it, oldest first."""
    names = shot.take_names()
    if not names:
        return []
    takes = {name: Manifest.load(shot.takes / name / "take.json", TAKE) for name in names}
    truth = Manifest.find(shot.truth / "truth.json", "holdfast/truth")
    wanted = style.identity_of(style.settings_of(scene), truth.digest) if truth else ""
    root = style.find_take(shot, wanted)
    if root not in takes:
        root = names[-1]
        while takes[root].data.get("parent") in takes:
            root = takes[root].data["parent"]
    line = [root]
    for name in names:
        parent = takes[name].data.get("parent")
        if parent in line and takes[name].inputs.get("parent") == takes[parent].digest:
            line.append(name)
    return line


def report_on(shot: ShotFolder, take: Manifest) -> Manifest | None:
    """The report on exactly this take, or None."""
    report = Manifest.find(shot.reports / take.data["take"] / "report.json", REPORT)
    return report if report is not None and take.digest in report.inputs.values() else None


def load_take(shot: ShotFolder, name: str) -> Manifest:
    """The take's manifest. Raises InputError if there is no such take."""
    return Manifest.load(shot.takes / name / "take.json", TAKE)


def state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    """Fresh when the newest take of the line passed; failed when only a person can go on."""
    line = line_of_takes(scene, shot)
    if not line:
        return StageState("missing")
    take = load_take(shot, line[-1])
    name, report = line[-1], report_on(shot, take)
    if report is None:
        return StageState("missing" if len(line) == 1 else "stale", f"{name} has not been validated")
    verdict = report.data["verdict"]
    if verdict == "pass":
        return StageState("fresh", f"{name} passes" if len(line) > 1 else f"{name} passes as it is")
    plan = Manifest.find(shot.reports / name / "plan.json", SCHEMA)
    if plan is not None and plan.inputs.get("report") == report.digest and not _work(plan, line):
        return StageState("failed", f"{name} needs a person: {plan.data['summary']}")
    return StageState("missing" if len(line) == 1 else "stale", f"{name}: {verdict}")


def _work(plan: Manifest, line: Sequence[str]) -> list[Action]:
    """What can be done without a person."""
    return [action for action in read_actions(plan) if action.kind != ASK] if len(line) <= ATTEMPTS else []


def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Repairs the newest take of the line until it passes; returns the last take's manifest, whose data names
    what is left for a person in the plan beside its report. Raises InputError if there is nothing to go by."""
    line = line_of_takes(scene, shot)
    if options.take:
        line = [name for name in line if name <= options.take] if options.take in line else [options.take]
    if not line:
        raise InputError("There is no take to repair", where=shot.name, todo="Run Style, then Validate.")
    take = load_take(shot, line[-1])
    report = report_on(shot, take)
    if report is None:
        raise InputError(f"{line[-1]} has not been validated", where=shot.name, todo="Run Validate first.")
    handles = int(scene.holdfast.repair.handles)
    while report.data["verdict"] != "pass":
        path = shot.reports / take.data["take"] / "plan.json"
        plan = plan_for(report, take, path, handles, can_rerun=take.data["provider"] in WORKERS)
        actions = _work(plan, line)
        if not actions:
            break
        name = yield from _attempt(shot, take, plan, actions, _SHARES[min(len(line), len(_SHARES)) - 1])
        line.append(name)
        take = load_take(shot, name)
        checked = report_on(shot, take)
        if checked is None:
            raise InputError(f"{name} was not validated", where=shot.name, todo="Run Validate.")
        report = checked
    return take


def _attempt(
    shot: ShotFolder, parent: Manifest, plan: Manifest, actions: Sequence[Action], share: tuple[float, float]
) -> Generator[WorkerTask, Any, str]:
    """One repaired take with its report; returns its name. What a killed attempt finished is used again."""
    identity = digest_json(["repair", parent.digest, plan.digest])
    name = style.find_take(shot, identity) or shot.next_take()
    folder = shot.takes / name
    write_json(folder / "request.json", {"identity": identity})
    start, size = share[0], share[1] - share[0]
    reruns = merged_reruns([action for action in actions if action.kind == RERUN], parent.data["frames"])
    done: list[dict[str, Any]] = []
    for index, rerun in enumerate(reruns):
        part = (start + size * 0.4 * index / len(reruns), start + size * 0.4 * (index + 1) / len(reruns))
        record = rerun.record(folder, int(parent.data["seed"]) + len(parent.data["spans"]) + 1 + index)
        yield WorkerTask(WORKERS[parent.data["provider"]], _rerun_request(shot, parent, rerun, record), part)
        done.append(record)
    request = {
        "truth": str(shot.truth),
        "parent": str(shot.takes / parent.data["take"]),
        "plan": str(shot.reports / parent.data["take"] / "plan.json"),
        "report": str(shot.reports / parent.data["take"] / "report.json"),
        "out": str(folder),
        "reruns": done,
    }
    yield WorkerTask("finishing.repair:run", request, (start + 0.4 * size, start + 0.7 * size))
    check = {"truth": str(shot.truth), "take": str(folder), "out": str(shot.reports / name)}
    yield WorkerTask("validation.stage:run", check, (start + 0.7 * size, share[1]))
    return name


def _rerun_request(
    shot: ShotFolder, parent: Manifest, rerun: Rerun, record: dict[str, Any]
) -> dict[str, Any]:
    """What the provider is asked: the settings of the take, another seed, only these frames, nothing planted."""
    settings = {key: parent.settings[key] for key in _MADE_BY if key in parent.settings}
    out = Path(record["folder"])
    frames = list(rerun.all_frames(parent.data["frames"]))
    return {
        **settings, "seed": record["seed"], "defects": [], "truth": str(shot.truth), "out": str(out),
        "take": out.name, "frames": frames,
    }  # fmt: skip


STAGE = Stage("repair", "Repair", run, state, verb="Repair")
