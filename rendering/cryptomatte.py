# SPDX-License-Identifier: GPL-3.0-or-later
"""Who covers how much of which pixel, from Cryptomatte channels.

Source: Friedman and Jones, "Fully automatic ID mattes with support for motion blur and transparency" (2015)
and the Cryptomatte specification 1.2.0: a name is hashed with MurmurHash3 (x86, 32 bit, seed 0), and the hash
is written as the bits of a float whose exponent is kept away from 0 and 255.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32

U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]
OBJECTS, MATERIALS = "CryptoObject", "CryptoMaterial"
_MASK = 0xFFFFFFFF


def _rotate(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (32 - bits))) & _MASK


def murmur3(data: bytes, seed: int = 0) -> int:
    """MurmurHash3_x86_32 of ``data`` as an unsigned integer."""
    value, body = seed, len(data) & ~3
    for place in range(0, len(data), 4):
        word = int.from_bytes(data[place : place + 4], "little")
        word = _rotate(word * 0xCC9E2D51 & _MASK, 15) * 0x1B873593 & _MASK
        value ^= word
        if place < body:
            value = (_rotate(value, 13) * 5 + 0xE6546B64) & _MASK
    value ^= len(data)
    value = (value ^ value >> 16) * 0x85EBCA6B & _MASK
    value = (value ^ value >> 13) * 0xC2B2AE35 & _MASK
    return value ^ value >> 16


def id_of(name: str) -> int:
    """The bits, as an unsigned integer, of the float that stands for ``name`` in the id channels."""
    value = murmur3(name.encode())
    exponent = min(max(value >> 23 & 255, 1), 254)
    return value & 0x807FFFFF | exponent << 23


@dataclass(frozen=True)
class Shares:
    """Entries of the things that were asked for, sorted by thing, then pixel: ``thing`` (N,) int32 is a number of theirs,
    ``pixel`` (N,) int32 counts along the rows of a picture of ``shape``, ``share`` (N,) float32 is in 0..1.

    ``others`` (H, W) float32: the share of each pixel that goes to what was not asked for.
    """

    shape: tuple[int, int]
    thing: I32
    pixel: I32
    share: F32
    others: F32

    def of(self, thing: int) -> tuple[I32, F32]:
        """(pixels, shares) of a thing; a pixel comes once for each rank that names it."""
        start, stop = np.searchsorted(self.thing, (thing, thing + 1))
        return self.pixel[start:stop], self.share[start:stop]

    def plane(self, things: Iterable[int]) -> F32:
        """(H, W) float32 in 0..1: how much of each pixel the things cover together."""
        result = np.zeros(self.shape[0] * self.shape[1], np.float32)
        for thing in things:
            pixels, shares = self.of(thing)
            result += np.bincount(pixels, shares, len(result)).astype(np.float32)
        return np.clip(result, 0, 1).reshape(self.shape)

    def foremost(self) -> I32:
        """(H, W) int32: 1 + the thing that covers most of the pixel; 0 where others, or nothing, cover more."""
        best = self.others.ravel().copy()
        result = np.zeros(best.shape, np.int32)
        order = np.argsort(self.share, kind="stable")  # the largest of a pixel is written last
        first = np.zeros(best.shape, np.float32)
        first[self.pixel[order]] = self.share[order]
        owner = np.zeros(best.shape, np.int32)
        owner[self.pixel[order]] = self.thing[order] + 1
        won = (first > 0) & (first >= best)
        result[won] = owner[won]
        return result.reshape(self.shape)


def shares(channels: Mapping[str, F32], names: Iterable[str], layer: str = OBJECTS) -> Shares:
    """What the channels of one file say of the things called ``names``, which are numbered in their order.

    ``channels`` are named "<anything>CryptoObject00.r" and so on, in either case. Raises KeyError without them.
    """
    asked: dict[int, int] = {}
    for number, name in enumerate(names):
        asked.setdefault(id_of(name), number)
    keys = np.array(sorted(asked), np.uint32)
    numbers = np.array([asked[int(key)] for key in keys], np.int32)
    things, pixels, weights = [], [], []
    planes = {name.lower(): plane for name, plane in channels.items()}
    others: F32 | None = None
    level = 0
    while found := [name for name in planes if name.endswith(f"{layer.lower()}{level:02d}.r")]:
        stem = found[0][:-1]
        for id_channel, weight_channel in (("r", "g"), ("b", "a")):
            ids = np.ascontiguousarray(planes[stem + id_channel]).view(np.uint32).ravel()
            weight = np.ascontiguousarray(planes[stem + weight_channel]).ravel()
            others = np.zeros(weight.shape, np.float32) if others is None else others
            there = np.flatnonzero(weight > 0)
            rows, mine = _looked_up(keys, ids[there])
            others[there[~mine]] += weight[there[~mine]]
            things.append(numbers[rows[mine]])
            pixels.append(there[mine].astype(np.int32))
            weights.append(weight[there[mine]])
        shape = planes[stem + "r"].shape
        level += 1
    if others is None:
        raise KeyError(layer)
    thing, pixel, share = np.concatenate(things), np.concatenate(pixels), np.concatenate(weights)
    order = np.lexsort((pixel, thing))
    return Shares((shape[0], shape[1]), thing[order], pixel[order], share[order], others.reshape(shape))


def _looked_up(keys: U32, ids: U32) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where each id stands in the sorted ``keys``, and whether it is there at all."""
    if not len(keys):
        return np.zeros(len(ids), np.intp), np.zeros(len(ids), bool)
    rows = np.minimum(np.searchsorted(keys, ids), len(keys) - 1)
    return rows, keys[rows] == ids
