# SPDX-License-Identifier: GPL-3.0-or-later
"""The Validate stage as a worker task: a take against its ground truth -> a report folder."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..pipeline.context import Context
from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest
from ..pipeline.store import write_json
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth, PartInfo
from .anchors import Rig
from .conform import Conformed, claimed, conform
from .evidence import write_crop
from .findings import Judgement, judge
from .gallery import Gallery
from .limits import Limits, load_limits
from .measure import KEEP, Measurer
from .page import page_data, write_page
from .page_compare import compare_shot
from .plates import Plate, Window, load_plate
from .series import Series, to_json

SCHEMA = "holdfast/report"
MANIFEST = "report.json"
MEASURED_BY = 1
"""Raise when measuring changes so that reports must be made again."""


def settings(parts: Sequence[str] | None = None) -> dict[str, Any]:
    """What a report depends on besides the take and the truth."""
    return {"limits": load_limits().digest, "measures": MEASURED_BY, "parts": sorted(parts) if parts else []}


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """``request``: truth, take, out (folders), parts (names, optional). Writes the report; returns
    {report, verdict, summary, digest}. Raises InputError, StorageError, Cancelled."""
    started = time.monotonic()
    truth, take = GroundTruth.open(Path(request["truth"])), TakeFolder.open(Path(request["take"]))
    check_same_shot(truth, take)
    folder, limits = Path(request["out"]), load_limits()
    parts = chosen(truth, request.get("parts"))
    gallery = Gallery(truth, len(claimed(truth, take)), folder)
    conformed = conform(truth, take, limits, ctx.part(0.0, 0.15), gallery.add)
    measured = measure(truth, take, conformed, parts, ctx.part(0.15, 0.95))
    series = measured.series
    judged = judge(series, measured.readings, conformed, limits, truth.size[0])
    manifest = write_report(
        folder, truth, take, conformed, series, judged, limits, request.get("parts"), gallery
    )
    seconds = round(time.monotonic() - started, 3)
    replace(manifest, made={**manifest.made, "seconds": seconds}).save(folder / MANIFEST)
    if folder.parent.name == "reports":  # a shot's: its takes are compared
        compare_shot(folder.parent)
    ctx.progress(1.0, judged.summary)
    return {
        "report": str(folder),
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


def chosen(truth: GroundTruth, names: Sequence[str] | None) -> tuple[PartInfo, ...]:
    """The parts to judge: all, or those named. Raises InputError for a name that the truth does not know."""
    if not truth.parts:
        todo = "Mark the hero objects as parts and run Ground truth again."
        raise InputError("The ground truth has no parts to check", where=str(truth.folder), todo=todo)
    return tuple(truth.part(name) for name in names) if names else truth.parts


def measure(
    truth: GroundTruth, take: TakeFolder, conformed: Conformed, parts: Sequence[PartInfo], ctx: Context
) -> Measurer:
    """Measures every frame pair, streaming."""

    def load(index: int) -> Plate:
        source, frame = conformed.pairs[index]
        return load_plate(truth, take, source, frame, conformed.offset_px)

    table = [(part.name, part.id) for part in parts]
    measurer = Measurer(Window(load, KEEP), Rig.of(truth), table, conformed.pairs)
    measurer.run(ctx)
    return measurer


def write_report(folder: Path, truth: GroundTruth, take: TakeFolder, conformed: Conformed, series: Series, judged: Judgement,
                 limits: Limits, parts: Sequence[str] | None, gallery: Gallery) -> Manifest:  # fmt: skip
    """Writes crops, measures.json and report.html; returns the manifest, which is saved last."""
    source_of = {frame: source for source, frame in conformed.pairs}
    judged.findings = [
        replace(f, crop=write_crop(truth, take, f, source_of.get(f.worst, conformed.pairs[0][0]), folder))
        for f in judged.findings
    ]
    measured = measures(series, judged)
    write_json(folder / "measures.json", measured)
    data = {
        "take": take.name, "verdict": judged.verdict, "summary": judged.summary, "parts": judged.parts,
        "findings": judged.to_json(), "frame_map": [list(pair) for pair in conformed.pairs], "offset_px": list(conformed.offset_px),
        "notes": judged.notes, "series": "measures.json", "page": "report.html",
    }  # fmt: skip
    write_page(folder / "report.html", page_data(truth, take, data, measured, folder, gallery))
    manifest = Manifest(SCHEMA, settings(parts), {"truth": truth.digest, "take": take.manifest.digest}, data)
    files = [folder / "measures.json", folder / "report.html", *(folder / f.crop for f in judged.findings)]
    return manifest.with_files(folder, files)


def measures(series: Series, judged: Judgement) -> dict[str, Any]:
    """measures.json: per part and kind the signal with its limits, and every raw measure, by frame."""
    return {
        "frames": list(series.frames),
        "parts": {
            part: {
                "signals": {
                    kind: {
                        "measure": s.measure,
                        "unit": s.unit,
                        "values": to_json(s.values),
                        "limits": to_json(s.limits),
                    }
                    for kind, s in judged.signals[part].items()
                },
                "measures": {name: to_json(values) for name, values in series.of[part].items()},
            }
            for part in series.parts
        },
    }
