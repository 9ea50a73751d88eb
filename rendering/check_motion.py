# SPDX-License-Identifier: GPL-3.0-or-later
"""Two neighbouring frames against each other: vectors, poses, depth, ids and mattes must tell one story.

For a rigid part the story is exact: the point seen at a pixel moves with pose(t+1) pose(t)^-1, so depth, poses and
cameras say where it will be in the picture and how deep. It must be there unless something nearer stands before it;
what is gone without such a reason has flickered. Other parts are followed by their vectors alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..pipeline.pictures import F32
from .check_plate import Failure, Mask, Piece, Plate

VECTOR_PX = 0.1
"""By which a vector may differ from what poses, cameras and depth say."""
FEW = 40
SOME = 9
"""Pixels, a patch of 3 x 3, that are never reported alone."""
LEAST_AREA = 0.2
"""Of a pixel's area must be left of it in the neighbour for it to be looked for there."""
MANY = 20_000
"""Of the background no more pixels than these are followed."""


@dataclass(frozen=True)
class Step:
    """The way from one frame to its neighbour; ``channels`` of the vector pass hold it, ``back`` the way back."""

    here: Plate
    there: Plate
    channels: slice
    back: slice

    @property
    def cut(self) -> bool:
        """Another camera takes over: vectors tell of the old one's motion."""
        return self.here.lens.get("name") != self.there.lens.get("name")

    @property
    def word(self) -> str:
        return "next" if self.there.frame > self.here.frame else "previous"


@dataclass(frozen=True)
class Landing:
    """Where the pixels of a piece's window go: position in the neighbour's picture, and depth there (None if unknown).

    All (h, w) float32; only what is said of the part's own pixels means anything.
    """

    x: F32
    y: F32
    depth: F32 | None


def check_motion(here: Plate, there: Plate) -> Iterator[Failure]:
    """Both ways between a frame and the next."""
    forward, backward = slice(0, 2), slice(2, 4)
    for step in (Step(here, there, forward, backward), Step(there, here, backward, forward)):
        if step.cut:
            continue
        for name, piece in step.here.pieces.items():
            exact = step.here.surfaces.exact(name)
            for check, says, stops in _follow(step, name, piece, exact):
                frame = step.there.frame if check == "flicker" else step.here.frame
                yield Failure(check, frame, name, says, stops and exact)
        yield from _background(step)


def _follow(step: Step, name: str, piece: Piece, exact: bool) -> Iterator[tuple[str, str, bool]]:
    if not piece.own.any():
        return
    rows, columns = piece.window
    x = np.arange(columns.start, columns.stop, dtype=np.float32) + np.float32(0.5)
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + np.float32(0.5)
    across, down = np.moveaxis(step.here.vector[piece.window][..., step.channels], -1, 0)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        posed = _posed(step, name, piece, x, y) if exact else None
        if posed is not None:
            off = np.maximum(np.abs(posed.x - x - across), np.abs(posed.y - y - down))
            yield from _vectors(step, name, piece, posed, off, np.maximum(np.abs(across), np.abs(down)))
        yield from _arrives(step, name, piece, posed or Landing(x + across, y + down, None))


def _posed(step: Step, name: str, piece: Piece, x: F32, y: F32) -> Landing | None:
    """Where poses, cameras and depth put the pixels at ``x`` and ``y``; None where a pose can't be undone."""
    before, after = step.here.pose(name), step.there.pose(name)
    if abs(np.linalg.det(before[:3, :3])) < 1e-18:
        return None
    here, there = step.here.camera, step.there.camera
    way = there.world_to_camera @ after @ np.linalg.inv(before) @ np.linalg.inv(here.world_to_camera)
    depth = step.here.depth[piece.window]
    back, way = np.linalg.inv(here.K).astype(np.float32), way.astype(np.float32)
    right, below = back[0, 0] * x + back[0, 1] * y + back[0, 2], back[1, 1] * y + back[1, 2]
    if here.orthographic:
        turned = (axis[0] * right + axis[1] * below + axis[2] * depth + axis[3] for axis in way[:3])
    else:
        turned = ((axis[0] * right + axis[1] * below + axis[2]) * depth + axis[3] for axis in way[:3])
    right, below, ahead = turned
    if not there.orthographic:
        right, below = right / ahead, below / ahead
    lens = there.K.astype(np.float32)
    return Landing(
        lens[0, 0] * right + lens[0, 1] * below + lens[0, 2], lens[1, 1] * below + lens[1, 2], ahead
    )


def _vectors(
    step: Step, name: str, piece: Piece, posed: Landing, off: F32, moved: F32
) -> Iterator[tuple[str, str, bool]]:
    """The vector pass must say what the poses say: ``off`` is the difference, ``moved`` the vector's length."""
    seen = piece.own & (step.here.depth[piece.window] > 0) & (moved < 2 * max(step.here.truth.size))
    if posed.depth is not None:
        seen &= posed.depth > max(step.there.near, 1e-6)  # what passes the lens closely flies off
    wrong = seen & ~(off <= _slack(step, name, piece) + np.float32(0.001) * moved)
    count, total = int(wrong.sum()), int(piece.own.sum())
    if count > max(8, 0.002 * total):
        says = f"the vectors of {count} of {total} pixels to the {step.word} frame are off its pose by up to "
        off = off[seen]
        yield "vectors", says + f"{float(off.max()):.2f} px, {float(np.median(off)):.2f} in the middle", True


def _slack(step: Step, name: str, piece: Piece) -> float:
    """Pixels: renderers keep places in single precision, which tells far from the origin."""
    places = step.here.pose(name)[:3, 3], step.here.camera.world_to_camera[:3, 3]
    nearest = step.here.nearest[piece.window][piece.own].min()
    if not np.isfinite(nearest):
        return VECTOR_PX
    wide = step.here.footprints(np.array(max(nearest, 1e-6), np.float64))
    return VECTOR_PX + 4e-7 * float(np.abs(places).max()) / float(wide)


def _spread(landing: Landing) -> Mask:
    """Which pixels keep a good share of their area: not those of a face that turns edge-on, nor the window's rim."""
    kept = np.zeros(landing.x.shape, bool)
    x, y = landing.x, landing.y
    across = x[1:-1, 2:] - x[1:-1, :-2], y[1:-1, 2:] - y[1:-1, :-2]
    down = x[2:, 1:-1] - x[:-2, 1:-1], y[2:, 1:-1] - y[:-2, 1:-1]
    kept[1:-1, 1:-1] = np.abs(across[0] * down[1] - across[1] * down[0]) > 4 * LEAST_AREA
    return kept


def _arrives(step: Step, name: str, piece: Piece, landing: Landing) -> Iterator[tuple[str, str, bool]]:
    """What is surely the part's own must be the part in the neighbour too, unless something hides it there."""
    width, height = step.here.truth.size
    x, y = landing.x, landing.y
    sure = piece.inner & (x >= 1) & (y >= 1) & (x < width - 1) & (y < height - 1)
    if landing.depth is not None:
        sure &= (landing.depth > step.there.near * 1.01) & (landing.depth < step.there.far)
    sure &= _spread(landing)
    columns, rows = x[sure].astype(np.intp), y[sure].astype(np.intp)
    count, there = len(rows), step.there.pieces.get(name)
    if count < FEW:
        return
    if step.here.truth.has("whole"):
        lost = int((~there.at("anywhere", rows, columns)).sum()) if there else count
        if lost > max(SOME, (0.01 if landing.depth is not None else 0.1) * count):
            says = f"{lost} of its {count} pixels of frame {step.here.frame} move to where the whole part has nothing"
            yield "flicker", says, there is not None and there.sampled
    if landing.depth is None:
        return
    gone = ~there.at("present", rows, columns) if there else np.ones(count, bool)
    rows, columns, depth = rows[gone], columns[gone], landing.depth[sure][gone].astype(np.float64)
    slack = 2 * step.there.footprints(depth) + 2e-3 * depth
    before = step.there.nearest[rows, columns]
    plain, same = int((before > depth + slack).sum()), int((before > depth - slack).sum())
    limit = max(SOME, 0.002 * count)
    where = f"of its {count} pixels of frame {step.here.frame}"
    if plain > limit:
        stops = there is None or there.sampled
        yield "flicker", f"{plain} {where} are gone with nothing before them", stops
    elif same > limit:
        yield "flicker", f"{same} {where} are something else at the same depth", False


def _background(step: Step) -> Iterator[Failure]:
    """Where no part is: a vector and the one back from where it leads must cancel out."""
    ids = step.here.ids
    every = max(1, int(np.sqrt(ids.size / MANY)))
    rows, columns = np.nonzero(ids[::every, ::every] == 0)
    rows, columns = rows * every, columns * every
    vector = step.here.vector[rows, columns][:, step.channels]
    to = np.stack([columns, rows], -1) + vector
    width, height = step.here.truth.size
    inside = (to[:, 0] >= 1) & (to[:, 1] >= 1) & (to[:, 0] < width - 2) & (to[:, 1] < height - 2)
    if inside.sum() < FEW:
        return
    vector, to = vector[inside], to[inside]
    low = np.floor(to).astype(int)
    part = (to - low).astype(np.float32)
    back = np.zeros_like(vector)
    behind = np.ones(len(low), bool)
    for down in (0, 1):
        for across in (0, 1):
            weight = np.abs(1 - across - part[:, 0]) * np.abs(1 - down - part[:, 1])
            at = low[:, 1] + down, low[:, 0] + across
            back += weight[:, None] * step.there.vector[at][:, step.back]
            behind &= step.there.ids[at] == 0
    off = np.abs(vector + back).max(1)[behind]
    if len(off) >= FEW and (off > 0.5 + 0.02 * np.abs(vector).max(1)[behind]).mean() > 0.25:
        says = f"outside of the parts the vectors to the {step.word} frame and back differ by {np.median(off):.2f} px"
        yield Failure("vectors", step.here.frame, "", says + " in the middle", False)
