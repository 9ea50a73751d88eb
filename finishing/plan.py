# SPDX-License-Identifier: GPL-3.0-or-later
"""From findings to a plan that the artist can read, price and change before it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.words import ACCEPTED, NOT_A_FAULT, REJECTED, UNSURE
from .ladder import (
    ASK,
    BECAUSE,
    DEFLICKER,
    HOLD,
    HOW,
    KINDS,
    RERUN,
    RESTORE,
    RETIME,
    WARP,
    Situation,
    parts_of,
    refusal,
    steps_for,
)
from .order import longest_gap, time_map
from .price import Pricer, price_of, seconds_of

SCHEMA = "holdfast/plan"
WAITS = "Too little to be sure that it is a fault: look, then accept it or switch it on."
"""What an action says that waits for a person."""
COARSE = "coarse"
"""The ``stage`` of a report that is a first look."""
HANDLES: Mapping[str, int] = {RESTORE: 2, WARP: 1, HOLD: 1, DEFLICKER: 1, RETIME: 0, ASK: 0}
"""Frames beside a span that are mended too: a fault fades in and out, and fades are the last thing to be found."""


@dataclass(frozen=True)
class Action:
    """One thing to do. ``finding`` is its id in the report; ``frames`` (first, last) of the fault; ``handles``
    frames on either side are touched too; ``seconds`` and ``cost_micros`` (None: unknown) are estimates; ``asked``: it is
    off because the finding is not sure, until a person accepts it or switches it on."""

    finding: str
    kind: str
    part: str
    frames: tuple[int, int]
    handles: int
    fault: str
    why: str
    enabled: bool = True
    seconds: float = 0.0
    cost_micros: int | None = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    asked: bool = False

    @property
    def reach(self) -> tuple[int, int]:
        """First and last frame that the action may touch."""
        return self.frames[0] - self.handles, self.frames[1] + self.handles

    @property
    def waits(self) -> bool:
        """Whether it is off only because a person has to say first that it is a fault."""
        return self.asked and not self.enabled

    @property
    def works(self) -> bool:
        """Whether it does anything without a person."""
        return self.enabled and self.kind != ASK


@dataclass(frozen=True)
class Circumstances:
    """What a plan is made under: frames that a rerun blends over, the providers that can draw a span again (the
    take's own first), what earlier attempts tried, the person's words by finding id, what was switched ``off`` before,
    the longest ``gap`` of missing frames, and who knows the ``price`` of drawing again."""

    handles: int
    providers: tuple[str, ...] = ("rehearsal",)
    history: tuple[Mapping[str, Any], ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    off: tuple[Mapping[str, Any], ...] = ()
    gap: int = 0
    price: Pricer = field(default=price_of, compare=False)


def overlap(a: Sequence[int], b: Sequence[int]) -> bool:
    """Whether two (first, last) share a frame."""
    return a[0] <= b[1] and b[0] <= a[1]


def tried(finding: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> set[str]:
    """What was done before to the same part in overlapping frames. ``history``: spans of takes."""
    part = finding.get("part") or ""
    same = (
        span
        for span in history
        if overlap(span["frames"], finding["frames"]) and part in (*span.get("parts", ()), span["part"])
    )
    return {str(span.get("kind", RERUN)) for span in same}


def choices_for(finding: Mapping[str, Any], take: Manifest, now: Circumstances) -> dict[str, str]:
    """For every kind of action, why it can't mend the finding; empty where it can."""
    frames = take.data["frames"]
    first, last = (int(value) for value in finding["frames"])
    whole = first <= frames[0] and last >= frames[-1]
    gap = now.gap if finding["kind"] == "frame_map" else last - first + 1
    situation = Situation(bool(now.providers), whole, gap)
    return {kind: refusal(kind, finding, situation) for kind in KINDS}


def action_for(finding: Mapping[str, Any], take: Manifest, now: Circumstances) -> Action:
    """The first step of the fault's ladder that was not tried and can work on ``take``."""
    fault = str(finding["kind"])
    done, choices = (
        tried(finding, [*take.data.get("spans", []), *now.history]),
        choices_for(finding, take, now),
    )
    steps = [step for step in steps_for(fault) if step not in done and not choices.get(step)]
    rejected = now.words.get(str(finding["id"])) == REJECTED
    kind = ASK if rejected or not steps else steps[0]
    why = f"{BECAUSE.get(fault, 'no repair is known for this fault')}: {HOW[kind]}"
    why = why[0].upper() + why[1:]
    if rejected:
        why += " (you said that it stays)"
    elif done:
        why += f" (tried before: {', '.join(sorted(done)).replace('_', ' ')})"
    part = str(finding.get("part") or "")
    first, last = (int(value) for value in finding["frames"])
    action = Action(str(finding["id"]), kind, part, (first, last), 0, fault, why + ".")
    off = any(_same(finding, other) for other in now.off)
    if finding.get("severity") == UNSURE and now.words.get(str(finding["id"])) not in (ACCEPTED, REJECTED):
        action = replace(action, asked=True)
    return as_kind(replace(action, enabled=not off and not action.asked), kind, finding, take, now)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (
        (one.get("part") or "") == (other.get("part") or "")
        and one["kind"] == (other.get("fault") or other.get("kind"))
        and overlap(one["frames"], other["frames"])
    )


def as_kind(
    action: Action, kind: str, finding: Mapping[str, Any], take: Manifest, now: Circumstances
) -> Action:
    """``action`` as another kind, with that kind's usual handles and settings, and what it will take."""
    settings: dict[str, Any] = {}
    if kind == RERUN:
        provider = now.providers[0] if now.providers else ""
        settings = {"provider": provider, "seed": _next_seed(take, now), "control": None}
    elif kind == RESTORE:
        settings = {"parts": list(parts_of(finding))}
    elif kind == WARP:
        bent = str(finding["kind"]) in ("wobble", "outline")
        settings = {"field": "free" if bent else "rigid", "parts": [action.part] if action.part else []}
    elif kind == DEFLICKER:
        settings = {"texture": str(finding["kind"]) == "boiling"}
    handles = HANDLES.get(kind, now.handles)
    return priced(replace(action, kind=kind, handles=handles, settings=settings), take, now.price)


def _next_seed(take: Manifest, now: Circumstances) -> int:
    drawn = sum(span.get("kind") == RERUN for span in (*take.data.get("spans", []), *now.history))
    return int(take.data.get("seed") or 0) + drawn + 1


def priced(action: Action, take: Manifest, price: Pricer = price_of) -> Action:
    """``action`` with its estimates."""
    frames = [f for f in take.data["frames"] if action.reach[0] <= f <= action.reach[1]]
    width, height = take.data.get("size", (1920, 1080))
    up, down = take.data.get("fps") or (24, 1)
    by = str(action.settings.get("provider", ""))
    cost = price(by, len(frames), (int(up), int(down))) if action.kind == RERUN else 0
    texture = action.kind == DEFLICKER and bool(action.settings.get("texture"))
    seconds = seconds_of(action.kind, len(frames), (width, height), texture=texture)
    return replace(action, seconds=seconds, cost_micros=cost)


def make_plan(report: Manifest, take: Manifest, now: Circumstances) -> Manifest:
    """The plan for the findings of a report on ``take``. Nothing is planned for a take that passed, nor for what
    the person called a false alarm. Raises InputError for the report of a first look."""
    refuse_coarse(report)
    findings = report.data["findings"] if report.data["verdict"] != "pass" else []
    faults = [
        finding
        for finding in findings
        if finding.get("severity") not in ("info", "note")
        and now.words.get(str(finding["id"])) != NOT_A_FAULT
    ]
    now = replace(now, gap=longest_gap(time_map(report.data, take.data["frames"])))
    actions = [action_for(finding, take, now) for finding in faults]
    choices = {str(finding["id"]): choices_for(finding, take, now) for finding in faults}
    return _plan(report, take, now, actions, {"choices": choices, "edited": False})


def refuse_coarse(report: Manifest) -> None:
    """Raises InputError for a report that is a first look: its spans are too rough to cut by."""
    if report.data.get("stage") == COARSE:
        raise InputError(
            "This report is a first look, which is too coarse to repair by",
            where=str(report.data.get("take", "")),
            todo="Let Validate finish, or run it again.",
        )


def _plan(
    report: Manifest, take: Manifest, now: Circumstances, actions: Sequence[Action], more: Mapping[str, Any]
) -> Manifest:
    data = {"take": take.data["take"], "actions": [as_json(action) for action in actions], **more}
    return Manifest(
        SCHEMA, plan_settings(now), plan_inputs(report, take), {**data, "summary": summary(actions)}
    )


def as_json(action: Action) -> dict[str, Any]:
    """As plan.json holds it."""
    return {**asdict(action), "frames": list(action.frames), "settings": dict(action.settings)}


def plan_settings(now: Circumstances) -> dict[str, Any]:
    """The settings that decide a plan."""
    tried_before = sorted(
        f"{span.get('kind')} {span.get('part')} {list(span['frames'])}" for span in now.history
    )
    return {"handles": now.handles, "words": dict(sorted(now.words.items())), "tried": tried_before}


def plan_inputs(report: Manifest, take: Manifest) -> dict[str, str]:
    """The inputs of a plan by digest."""
    return {"report": report.digest, "take": take.digest}


def summary(actions: Sequence[Action]) -> str:
    """What a plan does, in a sentence."""
    if not actions:
        return "Nothing to repair."
    on = [action for action in actions if action.enabled]
    said = [f"{a.part or 'picture'} {a.frames[0]}-{a.frames[1]}: {a.kind.replace('_', ' ')}" for a in on]
    asked, waiting = sum(a.kind == ASK for a in on), sum(a.waits for a in actions)
    off = len(actions) - len(on) - waiting
    tail = "".join(
        f". {count} {what}"
        for count, what in ((asked, "for a person"), (waiting, "not sure"), (off, "switched off"))
        if count
    )
    return "; ".join(said) + tail + "."


def read_actions(plan: Manifest) -> list[Action]:
    """The actions of a plan, as made or as the artist changed them."""
    known = Action.__dataclass_fields__
    return [
        Action(
            **{
                **{key: value for key, value in entry.items() if key in known},
                "frames": tuple(entry["frames"]),
            }
        )
        for entry in plan.data["actions"]
    ]


def edited(plan: Manifest, index: int, action: Action) -> Manifest:
    """A copy of ``plan`` with one action as the artist wants it; kept as long as its report is the same."""
    actions = read_actions(plan)
    actions[index] = action
    data = {
        **plan.data,
        "actions": [as_json(each) for each in actions],
        "edited": True,
        "summary": summary(actions),
    }
    return replace(plan, data=data)


def plan_for(report: Manifest, take: Manifest, path: Path, now: Circumstances) -> Manifest:
    """The plan at ``path`` if it is for this report and take, an edited one whatever the settings are; else a new
    one, saved there."""
    found = Manifest.find(path, SCHEMA)
    inputs = plan_inputs(report, take)
    if found is not None and dict(found.inputs) == inputs:
        edited_here = bool(found.data.get("edited"))
        if edited_here or stale_reason(found, plan_settings(now), inputs) is None:
            return found
    plan = make_plan(report, take, now)
    plan.save(path)
    return plan


__all__ = [
    "ASK", "DEFLICKER", "HOLD", "RERUN", "RESTORE", "RETIME", "SCHEMA", "WARP", "Action", "Circumstances",
    "make_plan", "plan_for", "read_actions",
]  # fmt: skip
