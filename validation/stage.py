# SPDX-License-Identifier: GPL-3.0-or-later
"""The Validate stage as a worker task: a take against its ground truth -> a report folder."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2

from ..pipeline.context import Context
from ..pipeline.errors import InputError
from ..pipeline.intent import Intent
from ..pipeline.pictures import U8
from ..pipeline.store import digest_json
from ..pipeline.take import TakeFolder
from ..pipeline.truth import AGAIN, GroundTruth, Ids, PartInfo
from . import chunks
from .anchors import Rig
from .conform import Conformed, claimed, conform
from .conformed import found, through
from .criteria import criteria
from .findings import Judgement, judge
from .gallery import Gallery
from .keep import gather, kept, save
from .limits import Limits, load_limits
from .measure import FAR, KEEP, Measurer
from .page_compare import compare_shot
from .plates import Plate, Window
from .reading import Ahead, Shelf, readers
from .report import MANIFEST, SCHEMA, write_report
from .series import Series

COARSE, FULL = "coarse", "full"
SHELF = f"{chunks.FOLDER}/frames"
COARSE_LOOKS, COARSE_STEPS = 30, (3, 5)
"""The first look takes about so many frames, every third to every fifth, and trusts the take's own frame map."""
COARSE_FAR = (2, 3, 4)
READ = ("beauty", "ids", "depth")
"""The passes that Validate reads."""
MEASURED_BY = 3
"""Raise when measuring changes so that reports must be made again."""
__all__ = ["COARSE", "FULL", "MANIFEST", "MEASURED_BY", "SCHEMA", "run", "settings"]


def settings(parts: Sequence[str] | None = None, intent: Intent | None = None) -> dict[str, Any]:
    """What a report depends on besides the take and the truth."""
    return {
        "limits": load_limits().digest, "measures": MEASURED_BY, "parts": sorted(parts) if parts else [],
        "intent": (intent or Intent()).to_json(),
    }  # fmt: skip


@dataclass(frozen=True)
class Job:
    """What one run is about."""

    request: Mapping[str, Any]
    truth: GroundTruth
    take: TakeFolder
    folder: Path
    parts: tuple[PartInfo, ...]
    intent: Intent
    limits: Limits

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "Job":
        """Raises InputError for what does not belong together or does not exist."""
        truth, take = GroundTruth.open(Path(request["truth"])), TakeFolder.open(Path(request["take"]))
        check_same_shot(truth, take)
        check_complete(truth, take)
        intent = Intent.from_json(request.get("intent"))
        return cls(
            request,
            truth,
            take,
            Path(request["out"]),
            chosen(truth, request.get("parts")),
            intent,
            load_limits(),
        )

    @property
    def coarse(self) -> bool:
        """True for a first look."""
        return bool(self.request.get("stage") == COARSE)

    def identity(self, pairs: Sequence[tuple[int, int]]) -> str:
        """What the measures of this job depend on."""
        ids = [part.id for part in self.parts]
        return digest_json(
            [self.truth.digest, self.take.manifest.digest, MEASURED_BY, ids, [list(pair) for pair in pairs]]
        )


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """``request``: truth, take, out (folders); optional parts (names), intent, stage ("coarse" or "full"), jobs (how
    many processes), chunk (first and last take frame: only measures these, for ``run`` without it to gather).

    Writes the report; returns {report, verdict, summary, digest}, of a chunk {chunk, measured}. Raises InputError,
    StorageError, Cancelled; what was measured by then is used again.
    """
    started = time.monotonic()
    job = Job.of(request)
    if request.get("chunk"):
        return _chunk(job, ctx)
    if job.coarse:
        return _finished(job, _first_look(job, ctx), started, ctx)
    gallery = Gallery(job.truth, claimed(job.truth, job.take), job.folder)
    shelf = Shelf(job.truth, job.take, job.folder / SHELF)
    shelf.clear()
    try:
        conformed = looked(job, shelf, gallery, ctx.part(0.0, 0.4))
        series = measured(job, conformed, shelf, ctx.part(0.4, 0.93))
    finally:
        shelf.clear()
    told = criteria(job.truth, job.take, conformed, job.intent, ctx.part(0.93, 0.97))
    judged = judge(series, conformed, job.limits, job.intent, told)
    return _finished(job, (judged, conformed, series, gallery, FULL), started, ctx)


def looked(job: Job, shelf: Shelf, gallery: Gallery, ctx: Context) -> Conformed:
    """The take as a whole; every frame is read here, and kept on the shelf and in the gallery."""
    pairs = claimed(job.truth, job.take)

    def load(index: int) -> tuple[U8, U8, Ids]:
        picture, render, ids = shelf.read(*pairs[index])
        gallery.add(index, pairs[index][0], render, picture, ids)
        return picture, render, ids

    frames = Ahead(load, len(pairs), readers(job.take))
    try:
        return conform(job.truth, job.take, job.limits, ctx, read=frames)
    finally:
        frames.close()


Outcome = tuple[Judgement, Conformed, Series, Gallery, str]


def _finished(job: Job, outcome: Outcome, started: float, ctx: Context) -> dict[str, Any]:
    judged, conformed, series, gallery, stage = outcome
    depends = settings(job.request.get("parts"), job.intent)
    manifest = write_report(
        job.folder, job.truth, job.take, conformed, series, judged, gallery, depends, job.intent, stage
    )
    seconds = round(time.monotonic() - started, 3)
    replace(manifest, made={**manifest.made, "seconds": seconds}).save(job.folder / MANIFEST)
    if job.folder.parent.name == "reports":  # a shot's: its takes are compared
        compare_shot(job.folder.parent)
    ctx.progress(1.0, judged.summary)
    return {
        "report": str(job.folder),
        "verdict": judged.verdict,
        "summary": judged.summary,
        "digest": manifest.digest,
    }


def check_same_shot(truth: GroundTruth, take: TakeFolder) -> None:
    """Raises InputError if the take was made from another ground truth."""
    made_from = take.manifest.inputs.get("truth", "")
    if made_from and made_from != truth.digest:
        todo = "Run Style again, or choose a take of this ground truth."
        raise InputError(
            f"Take {take.name} was made from another ground truth", where=str(take.folder), todo=todo
        )


def check_complete(truth: GroundTruth, take: TakeFolder) -> None:
    """Raises InputError if a file is gone that measuring reads, before anything is measured; a first look would not
    come by it."""
    passes = [truth.path(kind, frame) for frame in truth.frames for kind in READ]
    pictures = [] if "video" in take.manifest.data else [take.path(frame) for frame in take.frames]
    again = "Run Style again, or bring the take again."
    for files, whose, todo in (passes, "the ground truth", AGAIN), (pictures, f"take {take.name}", again):
        gone = [path for path in files if not path.exists()]
        if gone:
            more = f" and {len(gone) - 1} more files of {whose} are" if len(gone) > 1 else f" of {whose} is"
            raise InputError(f"{gone[0].name}{more} missing", where=str(gone[0]), todo=todo)


def chosen(truth: GroundTruth, names: Sequence[str] | None) -> tuple[PartInfo, ...]:
    """The parts to judge: all, or those named. Raises InputError for a name that the truth does not know."""
    if not truth.parts:
        todo = "Mark the hero objects as parts and run Ground truth again."
        raise InputError("The ground truth has no parts to check", where=str(truth.folder), todo=todo)
    return tuple(truth.part(name) for name in names) if names else truth.parts


def measurer(job: Job, conformed: Conformed, load: Callable[[int], Plate]) -> Measurer:
    """What measures the frame pairs of a take, streaming; ``load`` gives the plate of a position."""
    parts = [(part.name, part.id) for part in job.parts]
    far = COARSE_FAR if job.coarse else FAR
    return Measurer(Window(load, KEEP), Rig.of(job.truth), parts, conformed.pairs, far)


def loader(shelf: Shelf, conformed: Conformed) -> Callable[[int], Plate]:
    """Plates by position."""
    return lambda index: shelf.plate(*conformed.pairs[index], conformed)


def measured(job: Job, conformed: Conformed, shelf: Shelf, ctx: Context) -> Series:
    """The measures of all frames: those that chunks left, the rest measured now, in processes side by side if the take
    is long. The same numbers in any case."""
    folder, identity = job.folder / chunks.FOLDER, job.identity(conformed.pairs)
    left = chunks.missing(len(conformed.pairs), folder, identity)
    pieces = chunks.split(len(left), chunks.wanted_jobs(job.request.get("jobs")))
    if len(pieces) > 1:
        requests = [
            {
                **job.request,
                "chunk": [conformed.pairs[left[a]][1], conformed.pairs[left[b]][1]],
                "through": through(conformed),
            }
            for a, b in pieces
        ]
        chunks.side_by_side("validation.stage:run", requests, ctx, "Measuring")
        left = chunks.missing(len(conformed.pairs), folder, identity)
    series = measurer(job, conformed, loader(shelf, conformed)).run(ctx, left)
    gather(series, kept(folder, identity))
    return series


def _chunk(job: Job, ctx: Context) -> dict[str, Any]:
    """Measures the chunk's frames that are not measured yet. On a farm each looks at the take for itself; the processes
    of one machine are told what was found, and where its frames are kept."""
    first, last = job.request["chunk"]
    told = job.request.get("through")
    if told:
        cv2.setNumThreads(1)  # as many processes as cores
    conformed = found(told) if told else conform(job.truth, job.take, job.limits, ctx.part(0.0, 0.15))
    shelf = Shelf(job.truth, job.take, job.folder / SHELF if told else None)
    folder, identity = job.folder / chunks.FOLDER, job.identity(conformed.pairs)
    left = set(chunks.missing(len(conformed.pairs), folder, identity))
    which = [i for i, (_, frame) in enumerate(conformed.pairs) if first <= frame <= last and i in left]
    if which:
        series = measurer(job, conformed, loader(shelf, conformed)).run(ctx.part(0.15, 1.0), which)
        save(folder / chunks.name_of(which[0], which[-1]), series, which, identity)
    return {"chunk": [first, last], "measured": len(which)}


def _first_look(job: Job, ctx: Context) -> Outcome:
    """Every few frames against each other, the frame map as the take claims it."""
    pairs = claimed(job.truth, job.take)
    step = min(max(COARSE_STEPS[0], len(pairs) // COARSE_LOOKS), COARSE_STEPS[1])
    conformed = Conformed(pairs[::step])
    conformed.notes.append(f"A first look at one frame in {step}; timing and frame size are not checked yet.")
    gallery = Gallery(job.truth, conformed.pairs, job.folder)
    with tempfile.TemporaryDirectory(
        prefix="holdfast-"
    ) as folder:  # its chunks are of no use to the full check
        apart = replace(job, folder=Path(folder), request={**job.request, "out": folder})
        series = measured(apart, conformed, Shelf(job.truth, job.take, None), ctx.part(0.0, 0.9))
    return judge(series, conformed, job.limits, job.intent, least=1), conformed, series, gallery, COARSE
