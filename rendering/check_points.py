# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth, normals, ids and whole mattes of one frame against points on the parts' surfaces, posed and projected.

The depth of a point is compared at its pixel's centre: where the ray through the centre meets the point's tangent
plane. That is exact on a flat face; on a curved one it is off by half the curvature times the square of the distance,
far below the tolerance of a pixel's width unless the part is only some pixels large.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from ..pipeline.truth import F64
from .check_plate import Failure, Mask, Piece, Places, Plate
from .check_surfaces import Surface

STEEPEST = 0.2
"""Least cosine between ray and normal: beyond, a pixel spans too much depth to compare."""
ENOUGH = 8
THICK_PX = 1.5
TINY_PX = 20.0
"""Projected area of all faces, px2, below which samples may miss a part altogether."""


@dataclass(frozen=True)
class Seen:
    """The points of a part that are in the picture: their pixel, depth there, and the camera-space normal."""

    rows: F64
    columns: F64
    depth: F64
    slack: F64
    tight: F64
    normals: F64
    cosine: F64
    area: float

    @property
    def thick(self) -> bool:
        """Whether the part is more than a line: its front covers more than its length."""
        if not len(self.rows):
            return False
        return self.area / 2 > THICK_PX * float(np.hypot(np.ptp(self.rows), np.ptp(self.columns)))


def check_points(plate: Plate) -> Iterator[Failure]:
    """Every part with known points against what the frame shows of it."""
    for part in plate.truth.parts:
        surface = plate.surfaces.get(part.name)
        pose = plate.pose(part.name)
        if surface is None or abs(np.linalg.det(pose[:3, :3])) < 1e-18:
            continue  # nothing known, or scaled to nothing
        seen = _look(plate, surface, pose)
        piece = plate.pieces.get(part.name)
        for check, says, stops in _compare(plate, piece, seen):
            yield Failure(check, plate.frame, part.name, says, stops)


def _look(plate: Plate, surface: Surface, pose: F64) -> Seen:
    camera = plate.camera
    points, normals, area = surface.placed(pose)
    turn = camera.world_to_camera[:3, :3]
    local = points @ turn.T + camera.world_to_camera[:3, 3]
    facing = normals @ turn.T
    x, y, z = camera.project(points).T
    width, height = plate.truth.size
    drawn = (z > max(plate.near, 1e-6) * 1.001) & (z < plate.far) & (x > 2) & (y > 2)
    drawn &= (x < width - 2) & (y < height - 2)
    local, facing, x, y, z = (each[drawn] for each in (local, facing, x, y, z))
    centres = np.stack([np.floor(x) + 0.5, np.floor(y) + 0.5, np.ones_like(x)], -1)
    rays = centres @ np.linalg.inv(camera.K).T
    if camera.orthographic:
        start, rays = rays * [1, 1, 0], np.broadcast_to([0.0, 0.0, 1.0], rays.shape)
    else:
        start = np.zeros_like(rays)
    along = (facing * rays).sum(1)
    cosine = np.abs(along) / np.linalg.norm(rays, axis=1)
    steep = cosine < STEEPEST
    depth = np.where(steep, z, (facing * (local - start)).sum(1) / np.where(steep, 1, along))
    wide = plate.footprints(z)
    away = np.abs(depth - z)
    pixels = (cosine / wide**2).sum() * area / len(surface.points)
    loose = 1e-6 * float(
        np.abs([pose[:3, 3], camera.world_to_camera[:3, 3]]).max()
    )  # of single precision far out
    slack, tight = wide + away / 2 + 1e-4 * z + loose, 0.05 * (wide + away) + 1e-6 * z + loose
    return Seen(y, x, depth, slack, tight, facing, cosine, pixels)


def _compare(plate: Plate, piece: Piece | None, seen: Seen) -> Iterator[tuple[str, str, bool]]:
    """(check, what it says, whether it stops)."""
    count = len(seen.depth)
    if not count or seen.area < TINY_PX:
        return
    rows, columns = seen.rows.astype(int), seen.columns.astype(int)
    has_whole = plate.truth.has("whole")
    alone = piece.at("anywhere", rows, columns) if piece else np.zeros(count, bool)
    solid = _solid(plate, piece, rows, columns)
    if has_whole and (solid.mean() > 0.5 if piece else seen.thick):
        yield from _missing(plate, piece, seen, ~alone)
    used = solid & (seen.cosine >= STEEPEST)
    if plate.cut_out:
        used &= plate.depth[rows, columns] > 0
    if used.sum() < ENOUGH:
        return
    depth = seen.depth[used]
    nearest = plate.nearest[rows[used], columns[used]]
    before = depth < nearest - seen.slack[used]
    holes = _holes(plate, seen, used)
    if holes.mean() > 0.1:
        before |= holes
    share = (
        0.3 if plate.blurred else 0.02 if has_whole else 0.1
    )  # a whole matte is smeared as the part's own is
    if before.sum() > max(2, share * used.sum()) and not (piece and _rough(plate, piece)):
        check = "depth" if _shown(piece) else "seen"
        most = float(np.nanmax(np.where(before & np.isfinite(nearest), nearest - depth, 0)))
        says = f"{int(before.sum())} of {int(used.sum())} points of its surface are before what is seen"
        yield check, says + (f", by up to {most:.4g} m" if most else ", where nothing is seen"), True
    elif not _shown(piece) and (depth <= nearest + seen.tight[used]).mean() > 0.5:
        yield "seen", "it leaves no pixel, and what is seen instead lies exactly on it", False
    if piece is not None:
        yield from _on_it(plate, piece, seen, used)


def _holes(plate: Plate, seen: Seen, used: Mask) -> Mask:
    """Points whose very pixel shows what is far behind them; more than the odd one, where another face is at its centre."""
    there = plate.depth[seen.rows[used].astype(int), seen.columns[used].astype(int)]
    wide = plate.footprints(seen.depth[used])
    return np.asarray((there == 0) | (there > seen.depth[used] + seen.slack[used] + 5 * wide))


def _missing(plate: Plate, piece: Piece | None, seen: Seen, missing: Mask) -> Iterator[tuple[str, str, bool]]:
    """Points where neither the part nor its whole matte is. It stops where they should be in plain view.

    Elsewhere a renderer that looks through what is before the part may have lost it: behind very many things, or where it
    lies exactly on another. And a fine grid may slip through where a pixel has but one sample.
    """
    count = len(missing)
    nearest = plate.nearest[seen.rows.astype(int), seen.columns.astype(int)]
    plain = missing & (seen.depth < nearest - seen.slack)
    limit = max(ENOUGH, 0.06 * count)
    if missing.sum() > limit and not (plate.deep and plain.sum() <= limit):
        says = f"{int(missing.sum())} of {count} points of its surface lie where the whole part has nothing"
        stops = bool(plain.sum() > limit) and (piece is None or piece.sampled)
        says += "" if stops else ", but hidden, exactly on something else, or too fine"
        yield "seen" if piece is None else "whole", says, stops


def _on_it(plate: Plate, piece: Piece, seen: Seen, used: Mask) -> Iterator[tuple[str, str, bool]]:
    """Where the id map names the part: some points must be the surface that is seen, and share its normal."""
    rows, columns = seen.rows.astype(int), seen.columns.astype(int)
    mine = used & (seen.cosine > 0.5) & piece.at("inner", rows, columns)
    if mine.sum() < 2 * ENOUGH:
        return
    rows, columns = rows[mine], columns[mine]
    off = plate.depth[rows, columns] - seen.depth[mine]
    on = np.abs(off) <= seen.slack[mine]
    if on.mean() < 0.03 and not _rough(plate, piece):
        says = f"none of {len(off)} points of its surface has the depth that is seen there "
        yield "depth", says + f"({float(np.median(off)):+.4g} m in the middle)", True
    if on.sum() < ENOUGH:
        return
    stored = plate.normal[rows, columns][on] * [1, -1, -1]  # to camera axes with y down, z forward
    cosine = np.abs((stored * seen.normals[mine][on]).sum(1))
    away = float(np.degrees(np.arccos(np.clip(np.median(cosine), 0, 1))))
    if away > 80:  # bumps and smooth shading of a coarse mesh bend normals almost that far
        yield "normal", f"its normals are {away:.0f} degrees off its surface in the middle", False


def _rough(plate: Plate, piece: Piece) -> bool:
    """Spikes, bristles or foliage as fine as a pixel: what rays through the centres see says little about points."""
    depth = plate.depth[piece.window]
    bend = cv2.Laplacian(depth, cv2.CV_32F)[piece.inner]
    if len(bend) < ENOUGH:
        return False
    wide = plate.footprints(depth[piece.inner].astype(np.float64))
    return bool((np.abs(bend) > 2 * wide).mean() > 0.3)


def _shown(piece: Piece | None) -> bool:
    return piece is not None and bool(piece.own.any() or piece.matte.any())


def _solid(plate: Plate, piece: Piece | None, rows: Places, columns: Places) -> Mask:
    """At which pixels the part alone would fill all around; without whole mattes taken to be everywhere."""
    if not plate.truth.has("whole"):
        return np.ones(len(rows), bool)
    return piece.at("solid", rows, columns) if piece else np.zeros(len(rows), bool)
