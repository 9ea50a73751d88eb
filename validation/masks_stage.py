# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of a tracker beside a take's report: masks.json."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..pipeline.context import Context
from ..pipeline.manifest import Manifest
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .conform import claimed
from .jf import TOLERANCE
from .masks import score
from .stage import MANIFEST as REPORT
from .stage import SCHEMA as REPORT_SCHEMA
from .stage import check_same_shot

SCHEMA = "holdfast/masks"
MANIFEST = "masks.json"


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """``request``: truth, take, masks (paths), out (folder of the take's report), tolerance (optional, see `jf.radius`),
    by (optional: the model that made the masks) and cost_micros (what it cost).

    Writes masks.json; returns {report, summary, digest}. Raises InputError, UsageError, StorageError, Cancelled.
    """
    started = time.monotonic()
    truth, take = GroundTruth.open(Path(request["truth"])), TakeFolder.open(Path(request["take"]))
    check_same_shot(truth, take)
    out, source = Path(request["out"]), Path(request["masks"])
    data = score(truth, frame_map(truth, take, out), source, ctx, float(request.get("tolerance", TOLERANCE)))
    settings = {"tolerance": data["tolerance"], "masks": source.name}
    if request.get("by"):
        settings["by"] = str(request["by"])
        data["cost_micros"] = int(request.get("cost_micros", 0))
    inputs = {"truth": truth.digest, "take": take.manifest.digest}
    manifest = Manifest(SCHEMA, settings, inputs, {"take": take.name, **data})
    seconds = round(time.monotonic() - started, 3)
    replace(manifest, made={**manifest.made, "seconds": seconds}).save(out / MANIFEST)
    ctx.progress(1.0, data["summary"])
    return {"report": str(out / MANIFEST), "summary": data["summary"], "digest": manifest.digest}


def frame_map(truth: GroundTruth, take: TakeFolder, report: Path) -> list[tuple[int, int]]:
    """(source, take) frames: those that a report of this take found, else those that the take claims."""
    found = Manifest.find(report / REPORT, REPORT_SCHEMA)
    if found is None or found.inputs.get("take") != take.manifest.digest:
        return claimed(truth, take)
    return [(int(source), int(frame)) for source, frame in found.data["frame_map"]]
