# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Image Editor draws over a take: where the render has each outline, and how much is off, by part and frame.

Made by a worker, since tracing and reading take longer than a redraw may: the strengths first, then the outlines, the
shown frame before the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from .context import Context
from .errors import InputError
from .pictures import F32
from .store import read_json, writing
from .truth import GroundTruth
from .view_worker import HOME

FUNCTION = "pipeline.sheet:run"
FINER = 4
"""Outlines are traced in a picture so many times finer: to a quarter of a pixel."""
Lines = dict[int, list[F32]]
"""By the number of a part its outlines: (N, 2) x, y in 0..1 of the picture, y up, closed."""


@dataclass(frozen=True)
class Sheet:
    """``strength`` (P, F) float32: the worst value over its limit of each part and frame, NaN where none was judged;
    ``kinds`` (P, F) places in ``names`` of what was worst; ``heat`` (F, rows, columns) uint8, 100 at the limit, or None."""

    frames: tuple[int, ...]
    parts: tuple[str, ...]
    strength: F32
    kinds: NDArray[np.int16]
    names: tuple[str, ...]
    heat: NDArray[np.uint8] | None = None


def outline_file(truth: Path, digest: str, frame: int) -> Path:
    """Where the outlines of a frame lie: inside the package, under its own digest, so never out of date."""
    return truth / HOME / digest[:12] / "outlines" / f"{frame:04d}.npz"


def sheet_file(report: Path, digest: str) -> Path:
    """Where the strengths of a report lie, beside it."""
    return report / f".sheet-{digest[:12]}.npz"


def run(request: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """Request: truth (folder), frame (shown now), report (folder or ""), digest (of the report). Makes what is missing.

    Raises InputError for a damaged package or report.
    """
    if request["report"]:
        _make_sheet(Path(request["report"]), str(request["digest"]))
    truth = GroundTruth.open(request["truth"])
    first = truth.frames.index(request["frame"]) if request["frame"] in truth.frames else 0
    for frame in ctx.each(truth.frames[first:] + truth.frames[:first], "Tracing the outlines of frame"):
        path = outline_file(truth.folder, truth.digest, frame)
        if not path.exists():
            _write(path, _packed(traced(truth, frame)))
    return {}


def _make_sheet(report: Path, digest: str) -> None:
    path = sheet_file(report, digest)
    if path.exists():
        return
    for old in report.glob(".sheet-*.npz"):
        old.unlink(missing_ok=True)
    sheet = strengths(read_json(report / "measures.json"))
    packed = {
        "frames": np.array(sheet.frames, np.int32), "parts": np.array(sheet.parts, np.str_), "strength": sheet.strength,
        "kinds": sheet.kinds, "names": np.array(sheet.names, np.str_),
    }  # fmt: skip
    if (report / "heat.npz").exists():
        packed["heat"] = _heat(report / "heat.npz")
    _write(path, packed)


def _heat(path: Path) -> NDArray[np.uint8]:
    try:
        with np.load(path) as stored:
            return np.asarray(stored["heat"], np.uint8)
    except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
        raise InputError("The heat map can't be read", where=str(path), todo="Validate again.") from error


def strengths(measures: Mapping[str, Any]) -> Sheet:
    """From the series of a report (measures.json) the worst of all kinds, by part and frame."""
    frames = tuple(int(frame) for frame in measures["frames"])
    parts, names = (
        tuple(measures["parts"]),
        sorted({k for part in measures["parts"].values() for k in part["signals"]}),
    )
    worst = np.full((len(parts), len(frames)), np.nan, np.float32)
    kinds = np.full(worst.shape, -1, np.int16)
    for row, part in enumerate(measures["parts"].values()):
        for kind, signal in part["signals"].items():
            values, limits = (_numbers(signal[key], len(frames)) for key in ("values", "limits"))
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.where(limits > 0, values / limits, np.nan).astype(np.float32)
            more = np.isfinite(share) & ~(share <= worst[row])
            worst[row, more], kinds[row, more] = share[more], names.index(kind)
    return Sheet(frames, parts, worst, kinds, tuple(names))


def _numbers(values: Any, count: int) -> F32:
    listed = values if isinstance(values, list) else [values] * count
    return np.array([np.nan if value is None else value for value in listed], np.float32)


def read_sheet(report: Path, digest: str) -> Sheet | None:
    """The strengths of a report, or None while they are not made."""
    try:
        with np.load(sheet_file(report, digest)) as stored:
            return Sheet(
                tuple(stored["frames"].tolist()), tuple(stored["parts"].tolist()), stored["strength"], stored["kinds"],
                tuple(stored["names"].tolist()), stored["heat"] if "heat" in stored.files else None,
            )  # fmt: skip
    except (OSError, EOFError, KeyError, ValueError, BadZipFile):
        return None


def traced(truth: GroundTruth, frame: int) -> Lines:
    """The visible outlines of all parts in a frame."""
    found: Lines = {}
    ids = truth.ids(frame) if not truth.has("matte") else None
    for part in truth.parts:
        if ids is not None:
            cover = (ids == part.id).astype(np.float32)
        elif truth.is_empty("matte", part.name, frame):
            continue
        else:
            cover = truth.matte(part.name, frame)
        lines = outlines(cover)
        if lines:
            found[part.id] = lines
    return found


def outlines(cover: F32) -> list[F32]:
    """The lines at which the cover (H, W) of a part in 0..1 is a half, x, y in 0..1 with y up."""
    height, width = cover.shape
    rows, columns = np.flatnonzero(cover.max(1) > 0.02), np.flatnonzero(cover.max(0) > 0.02)
    if not len(rows):
        return []
    top, left = max(0, int(rows[0]) - 2), max(0, int(columns[0]) - 2)
    box = cover[top : int(rows[-1]) + 3, left : int(columns[-1]) + 3]
    fine = cv2.resize(box, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR)
    lines, _tree = cv2.findContours((fine >= 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    found = []
    for line in lines:
        if len(line) < 2 * FINER:
            continue
        points = cv2.approxPolyDP(_smooth(line[:, 0, :]), 0.3, True)[:, 0, :]
        x, y = (points[:, 0] + 0.5) / FINER + left, (points[:, 1] + 0.5) / FINER + top
        found.append(np.stack([x / width, 1.0 - y / height], 1).astype(np.float32))
    return found


def _smooth(line: NDArray[np.int32]) -> F32:
    """(N, 2) a closed line without the steps of the picture that it was traced in."""
    around = np.concatenate([line[-FINER:], line, line[:FINER]]).astype(np.float32)
    sums = np.cumsum(np.concatenate([np.zeros((1, 2), np.float32), around]), axis=0, dtype=np.float64)
    width = 2 * FINER + 1
    return np.asarray((sums[width:] - sums[:-width]) / width, np.float32)


def _packed(lines: Lines) -> dict[str, NDArray[Any]]:
    flat = [(number, line) for number, found in lines.items() for line in found]
    points = np.concatenate([line for _number, line in flat]) if flat else np.zeros((0, 2), np.float32)
    return {
        "points": points.astype(np.float32), "lengths": np.array([len(line) for _number, line in flat], np.int32),
        "ids": np.array([number for number, _line in flat], np.int32),
    }  # fmt: skip


def read_outlines(path: Path) -> Lines | None:
    """The outlines of a frame, or None while they are not made."""
    try:
        with np.load(path) as stored:
            points, lengths, ids = stored["points"], stored["lengths"], stored["ids"]
    except (OSError, EOFError, KeyError, ValueError, BadZipFile):
        return None
    found: Lines = {}
    for number, line in zip(ids.tolist(), np.split(points, np.cumsum(lengths)[:-1]), strict=False):
        found.setdefault(int(number), []).append(line)
    return found


def _write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with writing(path) as part, part.open("wb") as stream:
        np.savez_compressed(stream, **dict(arrays))
