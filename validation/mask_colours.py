# SPDX-License-Identifier: GPL-3.0-or-later
"""Flat colours that stand for parts: found in pictures, matched within a tolerance, looked up for every pixel."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pipeline.part_colours import colour_of

Picture = NDArray[Any]
Colour = tuple[int, int, int]
"""R, G, B in 0..255."""
TOLERANCE = 20
"""Greatest difference of a channel at which a colour still counts: what H.264 does to flat colours."""
STEP = 4
"""Colours are looked up in steps of so many code values."""
LEAST_SHARE = 0.0002
MOST_COLOURS = 250
LEAST_OVERLAP = 0.1


def known(found: Sequence[Colour], ids: Sequence[Picture]) -> dict[Colour, int]:
    """{colour: part id} by the extension's own colours, if ``found`` are those of half the parts in ``ids``."""
    numbers = sorted({int(number) for map_ in ids for number in np.unique(map_)} - {0})
    ours = {_code(number): number for number in numbers}
    near = {ours[one]: one for colour in found if (one := _nearest(colour, list(ours))) is not None}
    return {colour: number for number, colour in near.items()} if 2 * len(near) >= len(numbers) else {}


def by_overlap(
    pictures: Sequence[Picture], found: Sequence[Colour], ids: Sequence[Picture]
) -> dict[Colour, int]:
    """{colour: part id}, the pair with the largest J over all pictures first, each taken once; empty if none overlap."""
    colours = table({colour: index + 1 for index, colour in enumerate(found)})
    wide = 1 + max(int(map_.max(initial=0)) for map_ in ids)
    both = np.zeros((len(found) + 1, wide), np.int64)
    for picture, map_ in zip(pictures, ids, strict=True):
        pair = look_up(picture, colours).astype(np.int64) * wide + map_
        both += np.bincount(pair.ravel(), minlength=both.size).reshape(both.shape)
    share = both / np.maximum(both.sum(1, keepdims=True) + both.sum(0, keepdims=True) - both, 1)
    share[0], share[:, 0] = 0, 0
    part_of: dict[Colour, int] = {}
    while share.max(initial=0) >= LEAST_OVERLAP:
        label, part = divmod(int(share.argmax()), wide)
        part_of[found[label - 1]] = part
        share[label], share[:, part] = 0, 0
    return part_of


def flat_colours(pictures: Iterable[Picture]) -> list[Colour]:
    """The colours of which there is much, the most frequent first; those within the tolerance are one."""
    counts = np.zeros(32**3, np.int64)
    for picture in pictures:
        bins = (picture >> 3).astype(np.int64)
        counts += np.bincount(
            ((bins[..., 0] * 32 + bins[..., 1]) * 32 + bins[..., 2]).ravel(), minlength=32**3
        )
    found: list[Colour] = []
    for index in np.argsort(-counts, kind="stable"):
        if counts[index] < LEAST_SHARE * counts.sum() or len(found) == MOST_COLOURS:
            break
        red, rest = divmod(int(index), 1024)
        colour = (red * 8 + 4, rest // 32 * 8 + 4, rest % 32 * 8 + 4)
        if _nearest(colour, found) is None:
            found.append(colour)
    return found


def _nearest(colour: Colour, among: Sequence[Colour]) -> Colour | None:
    """The one of ``among`` within the tolerance that is nearest."""
    apart = [max(abs(a - b) for a, b in zip(colour, other, strict=True)) for other in among]
    best = int(np.argmin(apart)) if apart else -1
    return among[best] if apart and apart[best] <= TOLERANCE else None


def table(part_of: Mapping[Colour, int]) -> NDArray[np.uint16]:
    """(64, 64, 64) the part of every colour, 0 where none is within the tolerance."""
    levels = np.arange(0, 256, STEP) + (STEP - 1) / 2
    table = np.zeros((len(levels),) * 3, np.uint16)
    nearest = np.full(table.shape, float(TOLERANCE) + 1e-9)
    for colour, part in part_of.items():
        red, green, blue = (np.abs(levels - channel) for channel in colour)
        apart = np.maximum(np.maximum(red[:, None, None], green[None, :, None]), blue[None, None])
        table[apart < nearest] = part
        nearest = np.minimum(nearest, apart)
    return table


def look_up(picture: Picture, table: NDArray[np.uint16]) -> NDArray[np.uint16]:
    steps = picture // STEP
    return np.asarray(table[steps[..., 0], steps[..., 1], steps[..., 2]], np.uint16)


def _code(number: int) -> Colour:
    red, green, blue = (round(255 * channel) for channel in colour_of(number))
    return red, green, blue
