# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker task of Repair: carries a plan out on a take and writes the next one.

Request of ``run``: truth, parent (take folder), plan (path), report (path), out (folder of the new take), reruns
(``Rerun.record`` of each: the folder of a take with the new frames, and the span that they are for).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..pipeline.context import Context
from ..pipeline.manifest import Manifest
from ..pipeline.pictures import U8
from ..pipeline.store import read_json
from ..pipeline.take import SCHEMA as TAKE
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from . import deflicker, hold_colour, restore_part, retime, warp_part
from .job import Job, Mender, Refused, Steadying, faulty_frames
from .join import Joiner
from .plan import DEFLICKER, HOLD, RERUN, RESTORE, RETIME, WARP, Action, read_actions, refuse_coarse
from .plan import SCHEMA as PLAN
from .says import DOING, summary_of
from .stack import PATTERN, Stack
from .unrest import worse

MENDERS: Mapping[str, Callable[[Job], Mender]] = {
    RETIME: retime.mender,
    WARP: warp_part.mender,
    RESTORE: restore_part.mender,
    HOLD: hold_colour.mender,
    DEFLICKER: deflicker.mender,
}
ORDER = (RETIME, RERUN, WARP, RESTORE, HOLD, DEFLICKER)
"""What must be right before the next is done: time, then drawing, then place, then colour, then light."""


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Writes ``out``/frames and take.json. Raises InputError, StorageError, Cancelled."""
    started = time.monotonic()
    parent, out = TakeFolder.open(Path(request["parent"])), Path(request["out"])
    plan, report = (
        Manifest.load(Path(request["plan"]), PLAN),
        Manifest.load(Path(request["report"]), "holdfast/report"),
    )
    refuse_coarse(report)
    truth, stack = GroundTruth.open(request["truth"]), Stack(parent, out)
    measured = _measured(Path(request["report"]).parent / str(report.data.get("series", "measures.json")))
    actions = [action for action in read_actions(plan) if action.works and action.kind != RERUN]
    work: list[Action | Mapping[str, Any]] = [*actions, *request["reruns"]]
    work.sort(key=lambda item: ORDER.index(item.kind if isinstance(item, Action) else RERUN))
    spans: list[dict[str, Any]] = []
    renewed: set[int] = set()
    for step, item in enumerate(work):
        share = ctx.part(0.95 * step / len(work), 0.95 * (step + 1) / len(work))
        below = partial(stack.below, step)
        if isinstance(item, Action):
            bad = faulty_frames(report, renewed)
            frames = stack.frames(step)
            job = Job(truth, frames, below, bad, item, report.data, measured)
            spans.append(_mended(job, step, stack, share))
            renewed |= set(spans[-1].get("made", ())) if item.kind == RETIME else set()
        else:
            joiner = Joiner(parent, below, item, truth)
            _lay(joiner, step, stack, share, "Joining frame")
            spans.append({**joiner.record(), "parent": parent.name})
            renewed |= set(range(item["frames"][0], item["frames"][1] + 1))
    frames = stack.frames(len(work))
    files = stack.finish(len(work), frames)
    manifest = _manifest(parent, plan, out, spans, frames, request["reruns"]).with_files(out, files)
    manifest.made["seconds"] = round(time.monotonic() - started, 2)  # type: ignore[index]
    manifest.save(out / "take.json")
    return {"take": manifest.data["take"], "folder": str(out), "digest": manifest.digest, "spans": spans}


def _measured(path: Path) -> Mapping[str, Any]:
    return read_json(path) if path.exists() else {}


def _mended(job: Job, step: int, stack: Stack, ctx: Context) -> dict[str, Any]:
    """Carries one action out; what it refuses is noted, so that the next plan goes on down the ladder."""
    action = job.action
    facts = {
        "kind": action.kind, "finding": action.finding, "fault": action.fault, "part": action.part, "parts": job.parts,
        "frames": list(action.frames), "handles": action.handles, "parent": stack.parent.name,
    }  # fmt: skip
    try:
        ctx.progress(0.0, f"Looking at {action.part or 'the picture'}")
        mender = MENDERS[action.kind](job)
        _lay(mender, step, stack, ctx, f"{DOING[action.kind]} {action.part or 'the picture'}, frame")
        steadier = _steadier(mender, job, partial(stack.below, step + 1))
    except Refused as refused:
        stack.drop(step)
        return {**facts, "refused": refused.what}
    return {**facts, **mender.record(), **steadier}


def _steadier(mender: Mender, job: Job, above: Callable[[int], U8]) -> dict[str, Any]:
    """How much the part changes from frame to frame before and after, for what should make that less. Raises
    Refused if it became more: a repair must not do harm."""
    if not isinstance(mender, Steadying):
        return {}
    before, after = mender.unrest(job.below), mender.unrest(above)
    if worse(before, after):
        says = f"It would change by {after:.1f} dE from frame to frame, now by {before:.1f}"
        raise Refused(says, where=job.action.part, todo="Draw it again.")
    return {"unrest": [round(before, 2), round(after, 2)]}


def _lay(mender: Mender, step: int, stack: Stack, ctx: Context, message: str) -> None:
    for frame in ctx.each(list(mender.frames), message):
        if not stack.has(step, frame):
            stack.put(step, frame, mender.mend(frame))


def _manifest(
    parent: TakeFolder, plan: Manifest, out: Path, spans: Sequence[Mapping[str, Any]], frames: Sequence[int],
    reruns: Sequence[Mapping[str, Any]],
) -> Manifest:  # fmt: skip
    data = {
        **parent.manifest.data,
        "take": out.name,
        "parent": parent.name,
        "pattern": PATTERN,
        "frames": list(frames),
        "spans": [*parent.manifest.data.get("spans", []), *spans],
        "summary": summary_of(spans),
    }
    if any(span["kind"] == RETIME and "refused" not in span for span in spans):
        data["frame_map"] = [[frame, frame] for frame in frames]
    data["fallback"] = bool(plan.data.get("fallback"))
    here = [action.cost_micros or 0 for action in read_actions(plan) if action.works and action.kind != RERUN]
    data["cost_micros"] = sum(here) + sum(int(rerun.get("cost_micros", 0)) for rerun in reruns)
    inputs = {**parent.manifest.inputs, "parent": parent.manifest.digest, "plan": plan.digest}
    settings = {**parent.manifest.settings, "repair": [span["kind"] for span in spans]}
    return Manifest(TAKE, settings, inputs, data)
