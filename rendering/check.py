# SPDX-License-Identifier: GPL-3.0-or-later
"""Ground truth that checks itself before anybody believes it.

Every check names the frame, the part and itself when it fails. ``run`` is the command's worker task; the stage
calls ``refuse_if_wrong`` before it writes the manifest. Frames are read one after the other, two in memory.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..pipeline.colour import disagreement
from ..pipeline.context import Context
from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.manifest import Manifest
from ..pipeline.truth import F64, TO_LINEAR, GroundTruth
from .check_cover import check_cover
from .check_files import check_baked, check_files, check_record
from .check_motion import check_motion
from .check_plate import Failure, Plate
from .check_points import check_points
from .check_surfaces import Surfaces

LEAST_PIXELS = 40
EVERY = 3
"""Of the colours every third pixel of every third row is compared."""
UNIT = 4e-3
"""Normals are half floats: their length is 1 within this."""


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task. Checks the package in ``folder``, its files' hashes too.

    Answer: ``failures`` and ``warnings``, lists of {check, frame, part, says, stops}.
    """
    truth = GroundTruth.open(request["folder"])
    found = [vars(failure) for failure in check(truth, ctx, frames=request.get("frames"), hashes=True)]
    return {
        "failures": [each for each in found if each["stops"]],
        "warnings": [each for each in found if not each["stops"]],
    }


def refuse_if_wrong(folder: Path, manifest: Manifest, ctx: Context) -> list[str]:
    """Raises InputError with the first failures, so that a wrong package never gets its manifest.

    What is only worth a look is returned, a sentence each, to be kept in the manifest as ``warnings``.
    """
    found = check(GroundTruth(folder, manifest), ctx)
    failures = [failure for failure in found if failure.stops]
    if failures:
        more = f", and {len(failures) - 3} more" if len(failures) > 3 else ""
        says = "; ".join(str(failure) for failure in failures[:3])
        todo = "Look at these frames; run Ground truth again with force to render them anew."
        raise InputError(
            f"The ground truth failed its own checks: {says}{more}", where=str(folder), todo=todo
        )
    return summary(found)


def summary(found: Sequence[Failure]) -> list[str]:
    """A sentence for each check and part, with the first frame and how many more there are."""
    groups: dict[tuple[str, str], list[Failure]] = {}
    for failure in found:
        groups.setdefault((failure.check, failure.part), []).append(failure)
    more = {
        key: f" ({len(group) - 1} more frames)" if len(group) > 1 else "" for key, group in groups.items()
    }
    return [f"{group[0]}{more[key]}" for key, group in groups.items()]


def check(
    truth: GroundTruth, ctx: Context, *, frames: Sequence[int] | None = None, hashes: bool = False
) -> list[Failure]:
    """All failures of a package, or of some of its frames; ``hashes``: every file's content is compared as well."""
    found = list(check_record(truth))
    if any(failure.check in {"frames", "camera", "poses"} for failure in found):
        return found  # nothing below would mean anything
    found += check_baked(truth)
    found += check_files(truth, ctx.part(0.0, 0.2), hashes)
    try:
        surfaces = Surfaces(truth.folder, truth.names)
    except HoldfastError as error:
        return [*found, Failure("points", truth.frames[0], "", str(error))]
    wanted = [frame for frame in truth.frames if frames is None or frame in frames]
    before: Plate | None = None
    for frame in ctx.part(0.2, 1.0).each(wanted, "Checking frame"):
        plate = Plate(truth, frame, surfaces)
        try:
            here = list(check_frame(plate))
            found += here
            sound = not any(failure.check == "finite" and failure.stops for failure in here)
            if before is not None and sound and before.frame == frame - 1:
                found += check_motion(before, plate)
            before = plate if sound else None
        except HoldfastError as error:  # a file that is missing or damaged; listed once
            before = None
            if not any(each.check == "files" and each.frame == frame for each in found):
                found.append(Failure("files", frame, "", str(error)))
    return found


def check_frame(plate: Plate) -> Iterator[Failure]:
    """The failures of one frame by itself."""
    broken = list(_values(plate))
    yield from broken
    yield from _colour(plate)
    if any(failure.check == "finite" for failure in broken):
        return  # every further figure would be NaN too
    yield from check_cover(plate)
    yield from _geometry(plate)
    yield from check_points(plate)
    yield from _seen(plate)


def _values(plate: Plate) -> Iterator[Failure]:
    truth, frame = plate.truth, plate.frame
    planes = {"depth": plate.depth, "normal": plate.normal, "vector": plate.vector}
    for kind in ("uv", "distance", "normal_world", "position"):
        if truth.has(kind):
            planes[kind] = getattr(truth, kind)(frame)
    for name, values in planes.items():
        if not cv2.checkRange(values)[0]:
            yield Failure("finite", frame, "", f"{name} holds NaN or infinity")
    if plate.depth.min() < 0:
        yield Failure("depth", frame, "", f"the least depth is {float(plate.depth.min()):.3g} m")
    square = np.einsum("ijk,ijk->ij", plate.normal, plate.normal)
    odd = int(((np.abs(square - 1) > 2 * UNIT) & (square > 0)).sum())
    if odd:
        yield Failure(
            "normal", frame, "", f"{odd} normals are not of unit length, as mixtures at edges are not"
        )


def _colour(plate: Plate) -> Iterator[Failure]:
    """The display-referred picture and the scene-linear one are of the same light, if the package can tell."""
    truth, frame = plate.truth, plate.frame
    picture = truth.beauty_exact(frame)[::EVERY, ::EVERY]
    if not truth.has("linear"):
        return
    linear = truth.linear(frame)
    if not cv2.checkRange(linear)[0]:
        yield Failure("finite", frame, "", "linear holds NaN or infinity", stops=False)
    elif (truth.folder / TO_LINEAR).exists():
        share = disagreement(linear[::EVERY, ::EVERY], picture, truth.to_linear)
        if share > 0.1:
            says = f"{share:.0%} of the pixels of beauty and linear are not of the same light"
            yield Failure("colour", frame, "", says, stops=share > 0.5)


def _geometry(plate: Plate) -> Iterator[Failure]:
    """The parts' own pixels have a depth, and on the whole normals that look at the camera; a rough one's may not."""
    lens, total, away, several = plate.camera.K, 0, 0, 0
    for name, piece in plate.pieces.items():
        count = int(piece.own.sum())
        if count < LEAST_PIXELS or not plate.surfaces.exact(name):
            continue
        bare = int((piece.own & (plate.depth[piece.window] == 0)).sum())
        if bare:
            yield Failure("depth", plate.frame, name, f"{bare} of its {count} pixels have no depth")
        x, y, facing = np.moveaxis(plate.normal[piece.window], -1, 0)
        if not plate.camera.orthographic:
            rows, columns = (
                np.arange(side.start, side.stop, dtype=np.float32) + 0.5 for side in piece.window
            )
            across, down = (columns - lens[0, 2]) / lens[0, 0], (rows - lens[1, 2]) / lens[1, 1]
            facing = facing - x * across.astype(np.float32) + y * down.astype(np.float32)[:, None]
        total, away = total + count, away + int((piece.own & (facing < -0.1)).sum())
        several += 1
    if away > 0.5 * total:
        says = f"{away} of {total} normals of the parts look away from the camera"
        yield Failure("normal", plate.frame, "", says, stops=several > 1 and away > 0.95 * total)


def _seen(plate: Plate) -> Iterator[Failure]:
    """A part without known points that leaves no pixel must be out of the picture or behind something."""
    for part, record in zip(plate.truth.parts, plate.truth.manifest.data["parts"], strict=True):
        name, bounds = part.name, record.get("bounds")
        piece = plate.pieces.get(name)
        shown = piece is not None and (piece.own.any() or piece.matte.any())
        if bounds is None or shown or plate.surfaces.get(name) or not plate.surfaces.exact(name):
            continue
        seen = plate.camera.project(_corners(np.array(bounds, np.float64), plate.pose(name)))
        if seen[:, 2].min() <= plate.near:
            continue
        low, high = np.floor(seen[:, :2].min(0)).astype(int), np.ceil(seen[:, :2].max(0)).astype(int)
        columns, rows = (slice(max(int(low[axis]), 0), max(int(high[axis]), 0)) for axis in (0, 1))
        there = plate.depth[rows, columns]
        if there.size >= LEAST_PIXELS and ((there == 0) | (there > seen[:, 2].max())).all():
            says = "it is in the picture with nothing before it, but leaves no pixel"
            yield Failure("seen", plate.frame, name, says)


def _corners(bounds: F64, pose: F64) -> F64:
    corners = np.stack(np.meshgrid(*bounds.T, indexing="ij"), -1).reshape(-1, 3)
    return corners @ pose[:3, :3].T + pose[:3, 3]


__all__ = ["Failure", "check", "check_frame", "refuse_if_wrong", "run", "summary"]
