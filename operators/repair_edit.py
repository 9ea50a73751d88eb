# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes to a plan: an action of another kind, other frames, another seed. Written into plan.json, never silently."""

from dataclasses import replace
from typing import Any

import bpy

from ..finishing.plan import SCHEMA, Action, as_kind, edited, priced, read_actions
from ..pipeline.errors import InputError, UsageError
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from . import rerun_remote
from .repair_line import PLAN_FILE, circumstances, load_take, report_on, where_it_stands

PLAIN = ("enabled", "frames", "handles")


def load_plan(shot: ShotFolder, take: str) -> Manifest:
    """The plan for a take. Raises InputError if there is none."""
    return Manifest.load(shot.reports / take / PLAN_FILE, SCHEMA)


def change(scene: bpy.types.Scene, shot: ShotFolder, take: str, index: int, **wanted: Any) -> Action:
    """Changes action ``index`` of the plan for ``take`` and saves it. ``wanted``: kind, enabled, frames, handles, and
    settings of its kind (seed, control, provider). Raises UsageError for a kind that can't mend the fault."""
    plan, manifest = load_plan(shot, take), load_take(shot, take)
    actions = read_actions(plan)
    if not 0 <= index < len(actions):
        raise InputError("The plan has changed", where=take, todo="Look at it again.")
    action = actions[index]
    if wanted.get("kind", action.kind) != action.kind:
        action = _as_kind(scene, shot, manifest, plan, action, str(wanted["kind"]))
    plain = {name: wanted[name] for name in PLAIN if name in wanted}
    if "frames" in plain:
        first, last = (int(frame) for frame in plain["frames"])
        plain["frames"] = (min(first, last), max(first, last))
    settings = {name: value for name, value in wanted.items() if name not in (*PLAIN, "kind")}
    if settings.get("provider"):
        rerun_remote.check_provider(str(settings["provider"]), manifest)
    action = priced(
        replace(action, **plain, settings={**action.settings, **settings}),
        manifest,
        rerun_remote.pricer(manifest),
    )
    edited(plan, index, action).save(shot.reports / take / PLAN_FILE)
    return action


def _as_kind(
    scene: bpy.types.Scene, shot: ShotFolder, take: Manifest, plan: Manifest, action: Action, kind: str
) -> Action:
    refused = plan.data.get("choices", {}).get(action.finding, {}).get(kind, "")
    if refused:
        raise UsageError(refused, where=f"{action.part or 'picture'} {action.frames[0]}-{action.frames[1]}")
    report = report_on(shot, take)
    if report is None:
        raise InputError("The take has not been validated", where=shot.name, todo="Run Validate first.")
    finding = next(each for each in report.data["findings"] if str(each["id"]) == action.finding)
    line = where_it_stands(shot, [str(take.data["take"])])
    now = circumstances(scene, shot, take, report, line)
    changed = as_kind(action, kind, finding, take, now)
    said = "You chose this."
    return replace(changed, why=action.why if said in action.why else f"{action.why} {said}")
