# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker that turns a pass of the ground truth into pictures for the viewer, the shown frame first."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .context import Context
from .errors import InputError
from .store import digest_json, read_json, write_bytes, write_json
from .truth import GroundTruth
from .view_colours import OF_PART, VIEWS, Range, measured, spread

HOME = ".views"
RANGE = "range.json"
FUNCTION = "pipeline.view_worker:run"
_QUICK = [cv2.IMWRITE_PNG_COMPRESSION, 1]


def folder_of(truth: Path, digest: str, kind: str, part: str) -> Path:
    """Where the pictures of a view lie: inside the package, under the package's own digest, so never out of date."""
    name = f"{kind}-{digest_json([part])[:8]}" if kind in OF_PART else kind
    return truth / HOME / digest[:12] / name


def picture(folder: Path, frame: int) -> Path:
    """The picture of a frame."""
    return folder / f"view.{frame:04d}.png"


def run(request: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """Makes the pictures that are not there yet. Request: truth (folder), kind, part, frame (shown now).

    Answer: low, high (the range), folder. Raises InputError for a frame or a pass that the package lacks.
    """
    truth, kind, part = GroundTruth.open(request["truth"]), str(request["kind"]), str(request["part"])
    folder = folder_of(truth.folder, truth.digest, kind, part)
    for old in (truth.folder / HOME).glob("*"):
        if old.name != truth.digest[:12]:
            shutil.rmtree(old, ignore_errors=True)
    if not truth.frames:
        raise InputError("The ground truth has no frames", where=str(truth.folder))
    span = _range(truth, kind, folder, ctx)
    first = truth.frames.index(request["frame"]) if request["frame"] in truth.frames else 0
    order = truth.frames[first:] + truth.frames[:first]
    for frame in ctx.each(order, "Preparing frame"):
        path = picture(folder, frame)
        if not path.exists():
            _write(path, VIEWS[kind].draw(truth, frame, part, span))
    return {"low": list(span.low), "high": list(span.high), "folder": str(folder)}


def _range(truth: GroundTruth, kind: str, folder: Path, ctx: Context) -> Range:
    path = folder / RANGE
    if path.exists():
        record = read_json(path)
        return Range(tuple(record["low"]), tuple(record["high"]))
    ctx.progress(0.0, "Measuring the range over the shot")
    span = measured(truth, VIEWS[kind], spread(truth.frames))
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, {"low": list(span.low), "high": list(span.high)})
    return span


def _write(path: Path, colours: Any) -> None:
    pixels = np.rint(np.clip(colours, 0.0, 1.0) * 255.0).astype(np.uint8)
    _done, data = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]), _QUICK)
    write_bytes(path, data.tobytes())
