# SPDX-License-Identifier: GPL-3.0-or-later
"""Ground truth that checks itself before anybody believes it.

Every check names the frame, the part and itself when it fails. ``run`` is the command's worker task; the stage
calls ``refuse_if_wrong`` before it writes the manifest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.context import Context
from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest
from ..pipeline.pictures import F32
from ..pipeline.truth import F64, GroundTruth

SURE = 0.75
"""Coverage from which a pixel, or one beside it, must carry the part's id; near one half, sampling decides."""
SUM_TOLERANCE = 2.5 / 255
"""Mattes are stored in 256 levels, each rounded on its own."""
AGREEMENT = 0.9
"""Least share of a part's sure pixels that its vectors carry onto the part's pixels in the next frame."""
LEAST_PIXELS = 40
NOT_FAR_PX = 1.5
"""How far a vector may land beside a part's outline: silhouettes of turning parts move over the surface."""


@dataclass(frozen=True)
class Failure:
    """``check`` failed in ``frame`` for ``part`` (empty: the whole picture); ``says`` gives the figures."""

    check: str
    frame: int
    part: str
    says: str

    def __str__(self) -> str:
        where = f"frame {self.frame}" + (f", {self.part}" if self.part else "")
        return f"{self.check} ({where}): {self.says}"


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task. Checks the package in ``folder``; answer: failures, a list of {check, frame, part, says}."""
    truth = GroundTruth.open(request["folder"])
    return {"failures": [vars(failure) for failure in check(truth, ctx)]}


def refuse_if_wrong(folder: Path, manifest: Manifest, ctx: Context) -> None:
    """Raises InputError with the first failures, so that a wrong package never gets its manifest."""
    failures = check(GroundTruth(folder, manifest), ctx)
    if failures:
        more = f", and {len(failures) - 3} more" if len(failures) > 3 else ""
        says = "; ".join(str(failure) for failure in failures[:3])
        todo = "Look at these frames; run Ground truth again with force to render them anew."
        raise InputError(
            f"The ground truth failed its own checks: {says}{more}", where=str(folder), todo=todo
        )


def check(truth: GroundTruth, ctx: Context) -> list[Failure]:
    """All failures of a package."""
    failures: list[Failure] = []
    for frame in ctx.each(truth.frames, "Checking frame"):
        failures += check_frame(truth, frame)
    return failures


def check_frame(truth: GroundTruth, frame: int) -> Iterator[Failure]:
    """The failures of one frame; the next frame's id map is read as well."""
    ids, depth = truth.ids(frame), truth.depth(frame)
    vector = truth.vector(frame)
    for name, values in (("depth", depth), ("normal", truth.normal(frame)), ("vector", vector)):
        if not np.isfinite(values).all():
            yield Failure("finite", frame, "", f"{name} holds NaN or infinity")
    if (depth < 0).any():
        yield Failure("depth", frame, "", f"the least depth is {float(depth.min()):.3g} m")
    unknown = sorted(set(np.unique(ids).tolist()) - {0, *(part.id for part in truth.parts)})
    if unknown:
        yield Failure("ids", frame, "", f"ids {unknown} belong to no part")
    total = np.zeros(ids.shape, np.float32)
    following = truth.ids(frame + 1) if frame + 1 in truth.frames else None
    for part in truth.parts:
        matte = truth.matte(part.name, frame)
        total += matte
        own = ids == part.id
        if not truth.manifest.data.get("blurred"):  # hard ids are sharp: they don't follow what a lens smears
            yield from _matte(frame, part.name, matte, own)
        yield from _seen(truth, frame, part.name, own, matte, depth)
        if following is not None:
            yield from _moves(frame, part.name, own, vector, following == part.id)
    if total.max() > 1 + SUM_TOLERANCE * max(1, len(truth.parts) / 2):
        yield Failure("coverage", frame, "", f"the mattes of a pixel add up to {float(total.max()):.3f}")


def _matte(frame: int, part: str, matte: F32, own: NDArray[np.bool_]) -> Iterator[Failure]:
    near = cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    missing = int(((matte > SURE) & ~near).sum())
    if missing:
        yield Failure("id", frame, part, f"{missing} covered pixels carry no id of the part")
    foreign = int((own & (cv2.dilate(matte, np.ones((3, 3), np.uint8)) <= 0)).sum())
    if foreign:
        yield Failure(
            "matte", frame, part, f"{foreign} pixels carry the part's id where nothing of it is covered"
        )


def _seen(
    truth: GroundTruth, frame: int, part: str, own: NDArray[np.bool_], matte: F32, depth: F32
) -> Iterator[Failure]:
    """A part that leaves no pixel must be out of the picture or behind something."""
    bounds = _bounds(truth, part)
    if bounds is None or own.any() or matte.any():
        return
    corners = np.stack(np.meshgrid(*bounds.T, indexing="ij"), -1).reshape(-1, 3)
    pose = truth.pose(part, frame)
    seen = truth.project(corners @ pose[:3, :3].T + pose[:3, 3], frame)
    if seen[:, 2].min() <= 0:
        return
    low, high = np.floor(seen[:, :2].min(0)).astype(int), np.ceil(seen[:, :2].max(0)).astype(int)
    columns, rows = (slice(max(int(low[axis]), 0), max(int(high[axis]), 0)) for axis in (0, 1))
    there = depth[rows, columns]
    if there.size < LEAST_PIXELS:
        return
    if ((there == 0) | (there > seen[:, 2].max())).all():
        yield Failure("seen", frame, part, "it is in the picture with nothing before it, but leaves no pixel")


def _bounds(truth: GroundTruth, part: str) -> F64 | None:
    for record in truth.manifest.data["parts"]:
        if record["name"] == part and "bounds" in record:
            return np.array(record["bounds"], np.float64)
    return None


def _moves(
    frame: int, part: str, own: NDArray[np.bool_], vector: F32, following: NDArray[np.bool_]
) -> Iterator[Failure]:
    """The vectors must carry the part's pixels onto the part in the next frame, or out of the picture.

    Skipped where the part loses much of what is seen of it: it goes behind something, and vectors don't know that.
    """
    inner = cv2.erode(own.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    rows, columns = np.nonzero(inner)
    if len(rows) < LEAST_PIXELS or following.sum() < 0.9 * own.sum():
        return
    size = int(2 * NOT_FAR_PX) | 1
    target = cv2.dilate(following.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    x = np.floor(columns + 0.5 + vector[rows, columns, 0]).astype(int)
    y = np.floor(rows + 0.5 + vector[rows, columns, 1]).astype(int)
    inside = (x >= 0) & (y >= 0) & (x < own.shape[1]) & (y < own.shape[0])
    if inside.sum() < LEAST_PIXELS:
        return
    share = float(target[y[inside], x[inside]].mean())
    if share < AGREEMENT:
        yield Failure(
            "vectors", frame, part, f"only {share:.0%} of its pixels move onto the part in the next frame"
        )
