# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids, mattes and whole mattes of one frame against each other.

A coverage is the mean of samples under the pixel's filter, a hard id one ray through its centre. What holds exactly
between them: coverages add up to at most 1, ``sure`` is the coverage of what the id names, and a part that fills a
pixel and all around it leaves no room for another id. At an edge only sampling theory speaks: of pixels that are more
covered than not, most have the part at their centre, and no shift of the id map fits the matte better than none.
"""

from collections.abc import Iterator
from itertools import product

import cv2
import numpy as np

from ..pipeline.pictures import F32
from .check_plate import LEVEL, Failure, Piece, Places, Plate, near

SOLID = 0.9
"""Coverage that, all around a pixel, leaves no doubt about its id, for hair and fine grids as well."""
FEW = 40
"""Pixels below which shares and sums say nothing."""
SOME = 9
"""Pixels with all around them, below which a part is no more than a line."""
STRAY = 0.35
"""Coverage, a pixel of outline, that the filter may leave beside a part; Blender's own of 1.5 px leaves 0.03."""


def check_cover(plate: Plate) -> Iterator[Failure]:
    """Everything that ids, mattes and wholes of one frame owe each other."""
    yield from _known(plate)
    yield from _sums(plate)
    for name, piece in plate.pieces.items():
        exact = plate.surfaces.exact(name)
        found = list(_solid(piece))
        if not plate.blurred:  # ids and wholes are sharp: they don't follow what shutter and lens smear
            found += [*_edges(piece), *_against_whole(piece)]
            found += [*_shifted(piece), *_veiled(piece)] if exact else []
        for check, says, stops in found:
            yield Failure(check, plate.frame, name, says, stops and (exact or check in {"id", "matte"}))


def _known(plate: Plate) -> Iterator[Failure]:
    counts = np.bincount(plate.ids.ravel())
    unknown = sorted(set(np.nonzero(counts)[0].tolist()) - {0, *(part.id for part in plate.truth.parts)})
    if unknown:
        says = f"{int(counts[unknown].sum())} pixels carry ids {unknown[:5]}, which belong to no part"
        yield Failure("ids", plate.frame, "", says)


def _sums(plate: Plate) -> Iterator[Failure]:
    """Mattes add up to 1 at most; ``sure`` is the share of what the id names."""
    shape = plate.ids.shape
    total, named = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for piece in plate.pieces.values():
        total[piece.window] += piece.matte
        np.copyto(named[piece.window], piece.matte, where=piece.own)
    over = np.nonzero(total > 1 + LEVEL)
    over = tuple(axis[total[over] > 1 + _slack(plate, over)] for axis in over)
    if len(over[0]):
        says = f"the mattes of {len(over[0])} pixels add up to more than 1, to {float(total[over].max()):.3f} at most"
        yield Failure("coverage", plate.frame, "", says)
    if not plate.truth.has("sure"):
        return
    np.subtract(1, total, out=named, where=plate.ids == 0)
    off = np.abs(plate.truth.sure(plate.frame) - np.maximum(named, 0))
    wrong = np.nonzero(off > 2 * LEVEL)
    wrong = tuple(axis[off[wrong] > LEVEL + _slack(plate, wrong)] for axis in wrong)
    if len(wrong[0]):
        says = f"{len(wrong[0])} pixels are not as sure as the mattes say, by up to {float(off[wrong].max()):.2f}"
        yield Failure("sure", plate.frame, "", says)


def _slack(plate: Plate, pixels: tuple[Places, ...]) -> F32:
    """(N,) by how much the sum of the mattes at some pixels may be off: each is rounded on its own."""
    several = np.zeros(len(pixels[0]), np.float32)
    if len(several):
        for piece in plate.pieces.values():
            several += piece.at("covered", *pixels)
    return LEVEL * (several / 2 + 1)


Found = tuple[str, str, bool]


def _solid(piece: Piece) -> Iterator[Found]:
    """Exact, blurred or not: what is covered all around carries the id, what carries it is covered somewhere."""
    missing = int(((_least(piece.matte) >= SOLID) & ~near(piece.own)).sum())
    if missing:
        yield "id", f"{missing} pixels that it fills don't carry its id", True
    count, area = int(piece.inner.sum()), float(piece.matte.sum())
    if count >= SOME and area < 0.25 * count:
        yield "matte", f"{int(piece.own.sum())} pixels carry its id, but its matte has only {area:.1f}", True


def _veiled(piece: Piece) -> Iterator[Found]:
    """What is clearly the part should be filled by it, unless something fine or transparent takes some away."""
    count = int(piece.inner.sum())
    if piece.whole is None or count < FEW:
        return
    faint = int((piece.inner & (piece.matte < piece.whole - 0.1)).sum())
    if faint > 0.5 * count:
        middle = float(np.median(piece.matte[piece.inner]))
        says = f"{faint} of {count} pixels that are clearly its own are not filled by it ({middle:.2f} in the middle): "
        yield "veil", says + "it or something before it is fine or transparent, or its matte is wrong", False


def _edges(piece: Piece) -> Iterator[Found]:
    """Of pixels that are more covered than not, many have the part at their centre; what has it is covered nearby."""
    band = (piece.matte > 0.6) & (piece.matte < 0.98)
    count = int(band.sum())
    share = float(piece.own[band].mean()) if count else 1.0
    if count >= FEW and share < 0.3:
        yield "id", f"only {share:.0%} of {count} pixels that are mostly its own carry its id", True
    foreign = int((piece.inner & (_most(piece.matte) <= 0)).sum())
    if foreign > 2:
        yield "matte", f"{foreign} pixels and all around them carry its id where its matte has nothing", True


def _shifted(piece: Piece) -> Iterator[Found]:
    """The id map must lie on the matte better than it would a pixel beside."""
    if piece.own.sum() < FEW or min(piece.own.shape) < 8:
        return
    own = piece.own.astype(np.float32)
    height, width = own.shape

    def differ(down: int, across: int) -> float:
        moved = own[2 + down : height - 2 + down, 2 + across : width - 2 + across]
        return float(cv2.norm(moved, piece.matte[2:-2, 2:-2], cv2.NORM_L1))

    here = differ(0, 0)
    best, down, across = min((differ(*step), *step) for step in product((-1, 0, 1), repeat=2))
    if here > 20 and best < 0.6 * here:
        yield "id", f"its ids lie beside its matte: moved by ({-across}, {-down}) px they would fit", True


def _against_whole(piece: Piece) -> Iterator[Found]:
    """The visible matte can't exceed the whole one; where the part is, the whole one has something."""
    whole = piece.whole
    if whole is None:
        return
    more = int(((_least(piece.matte) >= SOLID) & (_most(whole) < 0.5)).sum())
    if more > 2:
        yield "whole", f"{more} pixels that it fills are none of the whole part", True
    none = whole <= 0
    edge = none & (cv2.dilate(_least(whole), np.ones((7, 7), np.uint8)) >= 0.98)
    stray = float(piece.matte[edge].sum())
    outline = int((near(~none) & edge).sum())
    if stray > 2 + STRAY * outline:
        says = f"its matte covers {stray:.1f} px beside an outline of {outline} px where the whole part has nothing"
        yield "bleeding", says, stray > 2 + 2 * STRAY * outline
    lacking = int((piece.inner & (_most(whole) <= 0)).sum())
    if lacking > 2:
        yield (
            "whole",
            f"{lacking} pixels and all around them carry its id where the whole part has nothing",
            True,
        )


def _least(values: F32) -> F32:
    """The least of each pixel and those around it; beyond the array counts as covered."""
    return np.asarray(cv2.erode(values, np.ones((3, 3), np.uint8)))


def _most(values: F32) -> F32:
    return np.asarray(cv2.dilate(values, np.ones((3, 3), np.uint8)))
