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
from ..pipeline.truth import F64
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
    """Where pixels of a part go: their places here, positions (N, 2) there, and depth there (None if unknown)."""

    rows: F64
    columns: F64
    to: F32
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
    rows, columns = np.nonzero(piece.own)
    if len(rows) == 0:
        return
    inner = piece.inner[rows, columns]
    rows, columns = rows + piece.window[0].start, columns + piece.window[1].start
    vector = step.here.vector[rows, columns][:, step.channels]
    by_vector = np.stack([columns + 0.5, rows + 0.5], -1).astype(np.float32) + vector
    landing = Landing(rows, columns, by_vector, None)
    if exact:
        posed = _posed(step, name, rows, columns)
        if posed is not None:
            landing = posed
            yield from _vectors(step, name, landing, by_vector)
    broad = inner & _spread(piece, landing.to)
    kept = Landing(*(None if each is None else each[broad] for each in vars(landing).values()))  # type: ignore[arg-type]
    yield from _arrives(step, name, kept)


def _spread(piece: Piece, to: F32) -> Mask:
    """Which of the part's pixels keep a good share of their area: not those of a face that turns edge-on."""
    grid = np.full((*piece.own.shape, 2), np.nan, np.float32)
    grid[piece.own] = to
    across, down = np.zeros_like(grid), np.zeros_like(grid)
    across[:, 1:-1], down[1:-1] = grid[:, 2:] - grid[:, :-2], grid[2:] - grid[:-2]
    area = np.abs(across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]) / 4
    return np.asarray(area[piece.own] > LEAST_AREA)


def _posed(step: Step, name: str, rows: F64, columns: F64) -> Landing | None:
    """Where poses, cameras and depth put the pixels; None where a pose can't be undone."""
    before, after = step.here.pose(name), step.there.pose(name)
    if abs(np.linalg.det(before[:3, :3])) < 1e-18:
        return None
    here, there = step.here.camera, step.there.camera
    way = there.world_to_camera @ after @ np.linalg.inv(before) @ np.linalg.inv(here.world_to_camera)
    depth = step.here.depth[rows, columns]
    lens = np.linalg.inv(here.K)
    x = (lens[0, 0] * (columns + 0.5) + lens[0, 1] * (rows + 0.5) + lens[0, 2]).astype(np.float32)
    y = (lens[1, 1] * (rows + 0.5) + lens[1, 2]).astype(np.float32)
    if not here.orthographic:
        x, y = x * depth, y * depth
    way = way.astype(np.float32)
    x, y, z = (way[axis, 0] * x + way[axis, 1] * y + way[axis, 2] * depth + way[axis, 3] for axis in range(3))
    if not there.orthographic:
        ahead = np.where(z > 1e-6, z, np.float32(np.nan))
        x, y = x / ahead, y / ahead
    lens = there.K.astype(np.float32)
    to = np.stack([lens[0, 0] * x + lens[0, 1] * y + lens[0, 2], lens[1, 1] * y + lens[1, 2]], -1)
    return Landing(rows, columns, to, z)


def _vectors(step: Step, name: str, landing: Landing, by_vector: F32) -> Iterator[tuple[str, str, bool]]:
    """The vector pass must say what the poses say."""
    seen = (step.here.depth[landing.rows, landing.columns] > 0) & np.isfinite(landing.to[:, 0])
    if landing.depth is not None:
        seen &= landing.depth > max(step.there.near, 1e-6)
    off = np.abs(by_vector - landing.to).max(1)
    moved = np.abs(by_vector - np.stack([landing.columns, landing.rows], -1)).max(1)
    seen &= moved < 2 * max(step.here.truth.size)  # what passes the lens closely flies off
    wrong = seen & (off > _slack(step, name) + 0.001 * moved)
    if wrong.sum() > max(8, 0.002 * len(seen)):
        says = f"the vectors of {int(wrong.sum())} of {len(seen)} pixels to the {step.word} frame are off its pose by "
        yield (
            "vectors",
            says + f"up to {float(off[seen].max()):.2f} px, {float(np.median(off[seen])):.2f} in the middle",
            True,
        )


def _slack(step: Step, name: str) -> float:
    """Pixels: renderers keep places in single precision, which tells far from the origin."""
    scale = max(
        np.abs(step.here.pose(name)[:3, 3]).max(), np.abs(step.here.camera.world_to_camera[:3, 3]).max()
    )
    piece = step.here.pieces[name]
    depth = step.here.depth[piece.window][piece.own]
    nearest = float(depth[depth > 0].min()) if (depth > 0).any() else 1.0
    return VECTOR_PX + 4e-7 * float(scale) / float(step.here.footprints(np.array(nearest)))


def _arrives(step: Step, name: str, landing: Landing) -> Iterator[tuple[str, str, bool]]:
    """What is surely the part's own must be the part in the neighbour too, unless something hides it there."""
    width, height = step.here.truth.size
    with np.errstate(invalid="ignore"):
        x, y = np.floor(landing.to.T)
        inside = (x >= 1) & (y >= 1) & (x < width - 1) & (y < height - 1)
        if landing.depth is not None:
            inside &= (landing.depth > step.there.near * 1.01) & (landing.depth < step.there.far)
    if inside.sum() < FEW:
        return
    columns, rows = x[inside].astype(int), y[inside].astype(int)
    piece = step.there.pieces.get(name)
    if step.here.truth.has("whole"):
        lost = int((~_at(piece, rows, columns, "whole")).sum())
        if lost > max(SOME, (0.01 if landing.depth is not None else 0.1) * len(rows)):
            says = f"{lost} of its {len(rows)} pixels of frame {step.here.frame} move to where the whole part has nothing"
            yield "flicker", says, True
            return
    if landing.depth is None:
        return
    depth = landing.depth[inside]
    there = step.there.nearest[rows, columns]
    slack = 2 * step.there.footprints(depth.astype(np.float64)) + 2e-3 * depth
    gone = ~_at(piece, rows, columns, "present") & (there > depth - slack)
    plain, same = int((gone & (there > depth + slack)).sum()), int(gone.sum())
    limit = max(SOME, 0.002 * len(rows))
    if plain > limit:
        says = (
            f"{plain} of its {len(rows)} pixels of frame {step.here.frame} are gone with nothing before them"
        )
        yield "flicker", says, True
    elif same > limit:
        says = f"{same} of its {len(rows)} pixels of frame {step.here.frame} are something else at the same depth"
        yield "flicker", says, False


def _at(piece: Piece | None, rows: F64, columns: F64, what: str) -> Mask:
    found = np.zeros(len(rows), bool)
    if piece is None:
        return found
    mask = piece.anywhere if what == "whole" else piece.present
    down, across = rows - piece.window[0].start, columns - piece.window[1].start
    there = (down >= 0) & (across >= 0) & (down < mask.shape[0]) & (across < mask.shape[1])
    found[there] = mask[down[there], across[there]]
    return found


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
