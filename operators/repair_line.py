# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes that were repaired one from another: which there are, which is the best, what a plan is made under."""

from collections.abc import Sequence

import bpy

from ..finishing.plan import COARSE, Circumstances, plan_inputs
from ..finishing.plan import SCHEMA as PLAN
from ..finishing.progress import Limits, Line, Standing, line_from
from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from ..pipeline.take import SCHEMA as TAKE
from ..pipeline.words import Word, verdict_with, word_on, words_of
from . import rerun_remote, style

REPORT = "holdfast/report"
WORKERS = {"rehearsal": "clients.offline.rehearsal:run"}
"""Offline providers that can draw a span again, and the task that does. Remote models: rerun_remote."""
PLAN_FILE, FALLBACK_FILE = "plan.json", "fallback.json"


def line_of_takes(scene: bpy.types.Scene, shot: ShotFolder) -> list[str]:
    """The take of the current Style settings (else the newest) and what was repaired from it, oldest first."""
    names = shot.take_names()
    if not names:
        return []
    takes = {name: load_take(shot, name) for name in names}
    truth = Manifest.find(shot.truth / "truth.json", "holdfast/truth")
    wanted = style.identity_of(style.settings_of(scene), truth.digest) if truth else ""
    root = style.find_take(shot, wanted)
    if root not in takes:
        root = names[-1]
        while takes[root].data.get("parent") in takes:
            root = takes[root].data["parent"]
    return descendants(shot, root)


def descendants(shot: ShotFolder, root: str) -> list[str]:
    """``root`` and all that was repaired from it as it is now, oldest first."""
    takes = {name: load_take(shot, name) for name in shot.take_names()}
    line = [root]
    for name in sorted(takes):
        parent = takes[name].data.get("parent")
        if parent in line and name != root and takes[name].inputs.get("parent") == takes[parent].digest:
            line.append(name)
    return line


def load_take(shot: ShotFolder, name: str) -> Manifest:
    """The take's manifest. Raises InputError if there is no such take."""
    return Manifest.load(shot.takes / name / "take.json", TAKE)


def report_on(shot: ShotFolder, take: Manifest) -> Manifest | None:
    """The full report on exactly this take, or None."""
    report = Manifest.find(shot.reports / take.data["take"] / "report.json", REPORT)
    if report is None or take.digest not in report.inputs.values() or report.data.get("stage") == COARSE:
        return None
    return report


def unvalidated(shot: ShotFolder, take: Manifest) -> InputError:
    """Why there is nothing to plan from: no report on this take, or a first look alone."""
    name = str(take.data["take"])
    report = Manifest.find(shot.reports / name / "report.json", REPORT)
    looked = report is not None and take.digest in report.inputs.values()
    if looked and report is not None and report.data.get("stage") == COARSE:
        says = f"{name} has had a first look only, which is too coarse to repair by"
        return InputError(says, where=shot.name, todo="Let Validate finish, or run it again.")
    return InputError(f"{name} has not been validated", where=shot.name, todo="Run Validate first.")


def standing(shot: ShotFolder, take: Manifest) -> Standing:
    """The take and what its report says."""
    report = report_on(shot, take)
    return Standing(
        name=str(take.data["take"]),
        parent=str(take.data.get("parent") or ""),
        spans=[span for span in take.data.get("spans", []) if span.get("parent") == take.data.get("parent")],
        report=None if report is None else report.data,
        fallback=bool(take.data.get("fallback")),
    )


def where_it_stands(shot: ShotFolder, line: Sequence[str]) -> Line:
    """The best take of a line of takes and what was tried. Reports may be missing but for the first take's."""
    known = [standing(shot, load_take(shot, name)) for name in line]
    return line_from(known[0], known[1:])


def words_on(shot: ShotFolder, take: Manifest) -> tuple[Word, ...]:
    """What the person said of a take's findings."""
    return words_of(shot.root.parent / "ledger", str(take.data["take"]), shot.name, take.digest)


def passed(shot: ShotFolder, take: Manifest, report: Manifest) -> bool:
    """Whether nothing is left to repair, false alarms not counted."""
    return verdict_with(report.data, words_on(shot, take)) == "pass"


def circumstances(
    scene: bpy.types.Scene, shot: ShotFolder, take: Manifest, report: Manifest, line: Line
) -> Circumstances:
    """What a plan for ``take`` is made under now."""
    own = rerun_remote.own(take)
    providers = (own,) if own in WORKERS or rerun_remote.can_draw(own) else ()
    said = words_on(shot, take)
    words = {str(finding["id"]): word_on(said, finding) for finding in report.data["findings"]}
    return Circumstances(
        handles=int(scene.holdfast.repair.handles),
        providers=providers,
        history=line.history,
        words={finding: word.word for finding, word in words.items() if word is not None},
        off=tuple(_switched_off(shot, str(take.data.get("parent") or ""))),
        price=rerun_remote.pricer(take),
    )


def _switched_off(shot: ShotFolder, parent: str) -> list[dict[str, object]]:
    """What the artist switched off in the plan that made a take stays off in the next one."""
    plan = Manifest.find(shot.reports / parent / PLAN_FILE, PLAN) if parent else None
    actions = plan.data["actions"] if plan else []
    return [each for each in actions if not each.get("enabled", True) and not each.get("asked")]


def plan_on(shot: ShotFolder, take: Manifest, report: Manifest) -> Manifest | None:
    """The plan for exactly this take and report, if one was made."""
    plan = Manifest.find(shot.reports / take.data["take"] / PLAN_FILE, PLAN)
    return plan if plan is not None and dict(plan.inputs) == plan_inputs(report, take) else None


def limits_of(scene: bpy.types.Scene) -> Limits:
    """What stops the loop."""
    repair = scene.holdfast.repair
    return Limits(int(repair.attempts), float(repair.minutes), round(float(repair.budget) * 1e6))
