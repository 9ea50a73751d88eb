# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker task of Repair: carries a plan out on a take and writes the next one.

Request of ``run``: truth, parent (take folder), plan (path), report (path), out (folder of the new take), reruns
(``Rerun.record`` of each: the folder of a take with the new frames, and the span that they are for).
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..pipeline.context import Context
from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest
from ..pipeline.pictures import U8, write_picture
from ..pipeline.take import SCHEMA as TAKE
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .join import join
from .plan import RERUN, RESTORE, Action, read_actions
from .plan import SCHEMA as PLAN
from .plates import read_plate
from .restore import Restorer
from .share import share_file

PATTERN = "frames/{frame:04d}.png"
GOODS = 3
"""Good frames on either side of a span that teach the look and give the paint."""


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Writes ``out``/frames and take.json. Raises InputError, StorageError, Cancelled."""
    started = time.monotonic()
    parent, out = TakeFolder.open(Path(request["parent"])), Path(request["out"])
    plan = Manifest.load(Path(request["plan"]), PLAN)
    changed: dict[int, U8] = {}
    truth = GroundTruth.open(request["truth"])
    reruns = ctx.part(0.0, 0.3).each(request["reruns"], "Joining span")
    spans = [_join(parent, truth, rerun, changed, ctx) for rerun in reruns]
    restores = [action for action in read_actions(plan) if action.kind == RESTORE]
    bad = faulty_frames(Manifest.load(Path(request["report"]), "holdfast/report"), request["reruns"])
    for index, action in enumerate(restores):
        share = ctx.part(0.3 + 0.6 * index / len(restores), 0.3 + 0.6 * (index + 1) / len(restores))
        spans.append(_restore(parent, truth, action, bad, changed, share))
    _write_frames(parent, out, changed, ctx.part(0.9, 1.0))
    manifest = _manifest(parent, plan, out, spans)
    manifest.made["seconds"] = round(time.monotonic() - started, 2)  # type: ignore[index]
    manifest.save(out / "take.json")
    return {"take": manifest.data["take"], "folder": str(out), "digest": manifest.digest, "spans": spans}


def faulty_frames(report: Manifest, reruns: Iterable[Mapping[str, Any]]) -> dict[str, set[int]]:
    """Frames by part that a report found fault with and no rerun replaced: nothing can be learned from them.
    A fault of the whole picture is listed under ""."""
    fresh = [set(range(rerun["frames"][0], rerun["frames"][1] + 1)) for rerun in reruns]
    replaced: set[int] = set().union(*fresh)
    found: dict[str, set[int]] = {}
    for finding in report.data["findings"]:
        first, last = finding["frames"]
        frames = set(range(first - 1, last + 2)) - replaced  # a fault fades in and out
        found.setdefault(str(finding.get("part") or ""), set()).update(frames)
    return found


def _join(
    parent: TakeFolder, truth: GroundTruth, rerun: Mapping[str, Any], changed: dict[int, U8], ctx: Context
) -> dict[str, Any]:
    """Puts a rerun span in over its handles; its record says how far old and new were apart there."""
    seams: list[float] = []
    for joined in join(parent, changed, rerun, truth):
        ctx.cancel.check()
        changed[joined.frame] = joined.picture
        seams += [joined.seam] if joined.seam is not None else []
    provider = TakeFolder.open(Path(rerun["folder"])).manifest.data["provider"]
    record = {key: rerun[key] for key in ("frames", "handles", "seed", "part", "parts", "finding", "fault")}
    seam = round(max(seams), 3) if seams else None
    return {**record, "kind": RERUN, "seam": seam, "parent": parent.name, "provider": provider}


def _restore(
    parent: TakeFolder,
    truth: GroundTruth,
    action: Action,
    bad: Mapping[str, set[int]],
    changed: dict[int, U8],
    ctx: Context,
) -> dict[str, Any]:
    """Puts a part back in the frames of an action; its record says from where and how well."""
    first, last = action.reach
    span = [frame for frame in parent.frames if first <= frame <= last]
    spoiled = bad.get(action.part, set()) | bad.get("", set()) | set(span)
    sources = good_frames(parent.frames, span, spoiled)

    def picture(frame: int) -> U8:
        return changed[frame] if frame in changed else parent.frame(frame)

    goods = [read_plate(truth, frame, action.part, picture(frame)) for frame in sources]
    restorer = Restorer.learn(goods)
    if restorer is None:
        todo = "Rerun the span in the plan instead, or ask for another take."
        raise InputError(f"No good frame shows {action.part}", where=f"frames {first}-{last}", todo=todo)
    seen: list[float] = []
    for frame in ctx.each(span, f"Putting {action.part} back in frame"):
        result = restorer.restore(read_plate(truth, frame, action.part, picture(frame)))
        changed[frame] = result.picture
        seen.append(result.seen)
    check = restorer.check()
    return {
        "kind": RESTORE,
        "finding": action.finding,
        "fault": action.fault,
        "part": action.part,
        "frames": list(action.frames),
        "handles": action.handles,
        "parent": parent.name,
        "sources": sources,
        "seen": round(min(seen, default=1.0), 3),
        "check": None if check is None else round(check, 2),
    }


def good_frames(frames: Sequence[int], span: Sequence[int], spoiled: set[int]) -> list[int]:
    """The nearest unspoiled frames on either side of a span, at most GOODS each, and as many where one side is
    short."""
    free = [frame for frame in frames if frame not in spoiled]
    before = [frame for frame in free if frame < span[0]][::-1]
    after = [frame for frame in free if frame > span[-1]]
    take_before = max(GOODS, 2 * GOODS - len(after))
    take_after = max(GOODS, 2 * GOODS - len(before))
    return sorted(before[:take_before] + after[:take_after])


def _write_frames(parent: TakeFolder, out: Path, changed: Mapping[int, U8], ctx: Context) -> None:
    for frame in ctx.each(parent.frames, "Writing frame"):
        target = out / PATTERN.format(frame=frame)
        if frame in changed:
            write_picture(target, changed[frame])
        else:
            share_file(parent.path(frame), target)


def _manifest(parent: TakeFolder, plan: Manifest, out: Path, spans: list[dict[str, Any]]) -> Manifest:
    data = {
        **parent.manifest.data,
        "take": out.name,
        "parent": parent.name,
        "pattern": PATTERN,
        "spans": [*parent.manifest.data.get("spans", []), *spans],
        "summary": _summary(spans),
    }
    inputs = {**parent.manifest.inputs, "parent": parent.manifest.digest, "plan": plan.digest}
    settings = {**parent.manifest.settings, "repair": [span["kind"] for span in spans]}
    files = [out / PATTERN.format(frame=frame) for frame in parent.frames]
    return Manifest(TAKE, settings, inputs, data).with_files(out, files)


def _summary(spans: Sequence[Mapping[str, Any]]) -> str:
    said = []
    for span in spans:
        frames = f"{span['part'] or 'picture'} {span['frames'][0]}-{span['frames'][1]}"
        if span["kind"] == RESTORE:
            said.append(f"{frames} put back, {span['seen']:.0%} of it from frames that show it")
        else:
            seam = "" if span["seam"] is None else f", seam {span['seam']:.1f} of 255"
            said.append(f"{frames} drawn again{seam}")
    return "; ".join(said) + "."
