# SPDX-License-Identifier: GPL-3.0-or-later
"""From findings to a plan that the artist can read and change: rerun the span, put the real part back, or ask."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..pipeline.manifest import Manifest, stale_reason

SCHEMA = "holdfast/plan"
RERUN, RESTORE, ASK = "rerun_span", "restore_part", "ask"
RESTORE_HANDLES = 1
"""Frames beside a span that are restored too: a fault fades in and out, and fades are the last thing to be found."""
_LADDER: Mapping[str, tuple[str, ...]] = {
    "vanished": (RESTORE, ASK),
    "partly_vanished": (RESTORE, ASK),
    "rubber": (RERUN, RESTORE, ASK),
    "wrong_motion": (RERUN, RESTORE, ASK),
    "outline": (RERUN, RESTORE, ASK),
    "shifted": (RERUN, RESTORE, ASK),
    "ghost": (RERUN, ASK),
    "flicker": (RERUN, ASK),
    "colour_drift": (RESTORE, ASK),
}
"""What is tried for each kind of fault, in this order; a kind that is not here is for a person."""
_BECAUSE: Mapping[str, str] = {
    "vanished": "the part is missing and the render knows exactly where it belongs",
    "partly_vanished": "a piece of the part is missing and the render knows exactly where it belongs",
    "rubber": "a rigid part bends, so its pixels can't be trusted",
    "wrong_motion": "the part does not move as it was simulated",
    "outline": "the part's outline is not the rendered one",
    "shifted": "the part is not where the render has it",
    "ghost": "something is in the picture that was never rendered",
    "flicker": "the part flickers",
    "colour_drift": "the part's colour left the look of the take's good frames",
}
_HOW: Mapping[str, str] = {
    RERUN: "draw the span again with another seed and join it over the handles",
    RESTORE: "put the real part back in the take's own look",
    ASK: "a person decides",
}


@dataclass(frozen=True)
class Action:
    """One thing to do. ``finding`` is its id in the report; ``frames`` (first, last) of the fault; ``handles``
    frames on either side are touched too."""

    finding: str
    kind: str
    part: str
    frames: tuple[int, int]
    handles: int
    fault: str
    why: str

    @property
    def reach(self) -> tuple[int, int]:
        """First and last frame that the action may touch."""
        return self.frames[0] - self.handles, self.frames[1] + self.handles


def _overlap(a: Sequence[int], b: Sequence[int]) -> bool:
    return a[0] <= b[1] and b[0] <= a[1]


def tried(finding: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> set[str]:
    """What was done before to the same part in overlapping frames. ``history`` is ``spans`` of the take."""
    part = finding.get("part") or ""
    same = (
        span
        for span in history
        if _overlap(span["frames"], finding["frames"]) and part in (*span.get("parts", ()), span["part"])
    )
    return {str(span.get("kind", RERUN)) for span in same}


def action_for(finding: Mapping[str, Any], take: Manifest, handles: int, *, can_rerun: bool = True) -> Action:
    """The first step of the fault's ladder that was not tried and can work on ``take``."""
    history, frames = take.data.get("spans", []), take.data["frames"]
    fault, part = str(finding["kind"]), str(finding.get("part") or "")
    first, last = (int(value) for value in finding["frames"])
    done = tried(finding, history)
    steps = [step for step in _LADDER.get(fault, (ASK,)) if step not in done]
    whole = first <= frames[0] and last >= frames[-1]
    if RERUN in steps and not can_rerun:
        steps.remove(RERUN)
    if RESTORE in steps and (whole or not part):
        steps.remove(RESTORE)  # no good frame to learn the look from
    kind = steps[0] if steps else ASK
    why = f"{_BECAUSE.get(fault, 'no repair is known for this fault')}: {_HOW[kind]}".capitalize()
    if done:
        why += f" (tried before: {', '.join(sorted(done)).replace('_', ' ')})"
    elif kind == ASK and whole:
        why += " (there is no good frame to work from)"
    reach = {RERUN: handles, RESTORE: RESTORE_HANDLES}.get(kind, 0)
    return Action(str(finding["id"]), kind, part, (first, last), reach, fault, why + ".")


def make_plan(report: Manifest, take: Manifest, handles: int, *, can_rerun: bool = True) -> Manifest:
    """The plan for the findings of a report on ``take``. Nothing is planned for a take that passed.

    ``can_rerun``: the take's provider can draw a span again; an imported take's can't.
    """
    findings = report.data["findings"] if report.data["verdict"] != "pass" else []
    faults = [finding for finding in findings if finding.get("severity") not in ("info", "note")]
    actions = [action_for(finding, take, handles, can_rerun=can_rerun) for finding in faults]
    asked = [action for action in actions if action.kind == ASK]
    data = {
        "take": take.data["take"],
        "actions": [{**asdict(action), "frames": list(action.frames)} for action in actions],
        "summary": _summary(actions, asked),
    }
    return Manifest(SCHEMA, plan_settings(handles), plan_inputs(report, take), data)


def plan_settings(handles: int) -> dict[str, Any]:
    """The settings that decide a plan."""
    return {"handles": handles}


def plan_inputs(report: Manifest, take: Manifest) -> dict[str, str]:
    """The inputs of a plan by digest."""
    return {"report": report.digest, "take": take.digest}


def _summary(actions: Sequence[Action], asked: Sequence[Action]) -> str:
    if not actions:
        return "Nothing to repair."
    said = [f"{a.part or 'picture'} {a.frames[0]}-{a.frames[1]}: {a.kind.replace('_', ' ')}" for a in actions]
    return "; ".join(said) + (f". {len(asked)} for a person" if asked else "") + "."


def read_actions(plan: Manifest) -> list[Action]:
    """The actions of a plan, as made or as the artist changed them."""
    return [Action(**{**entry, "frames": tuple(entry["frames"])}) for entry in plan.data["actions"]]


def plan_for(report: Manifest, take: Manifest, path: Path, handles: int, *, can_rerun: bool) -> Manifest:
    """The plan at ``path`` if it is for this report and take, an edited one too; else a new one, saved there."""
    found = Manifest.find(path, SCHEMA)
    if found is not None and stale_reason(found, plan_settings(handles), plan_inputs(report, take)) is None:
        return found
    plan = make_plan(report, take, handles, can_rerun=can_rerun)
    plan.save(path)
    return plan
