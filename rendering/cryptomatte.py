# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage of objects from Cryptomatte channels.

Source: Friedman and Jones, "Fully automatic ID mattes with support for motion blur and transparency" (2015)
and the Cryptomatte specification 1.2.0: a name is hashed with MurmurHash3 (x86, 32 bit, seed 0), and the hash
is written as the bits of a float whose exponent is kept away from 0 and 255.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32

U32 = NDArray[np.uint32]
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


def ranks(channels: Mapping[str, F32], layer: str = "CryptoObject") -> tuple[U32, F32]:
    """Ids (R, H, W) uint32 and coverage (R, H, W) float32 of the ranks in a multilayer file's channels.

    ``channels`` are named "<anything>CryptoObject00.r" and so on, in either case. Raises KeyError without them.
    """
    ids, weights = [], []
    planes = {name.lower(): plane for name, plane in channels.items()}
    level = 0
    while found := [name for name in planes if name.endswith(f"{layer.lower()}{level:02d}.r")]:
        stem = found[0][:-1]
        for id_channel, weight_channel in (("r", "g"), ("b", "a")):
            ids.append(np.ascontiguousarray(planes[stem + id_channel]).view(np.uint32))
            weights.append(planes[stem + weight_channel])
        level += 1
    if not ids:
        raise KeyError(layer)
    return np.stack(ids), np.stack(weights)


def coverage(ids: U32, weights: F32, name: str) -> F32:
    """(H, W) float32 in 0..1: how much of each pixel the object ``name`` covers."""
    return np.clip(np.where(ids == np.uint32(id_of(name)), weights, 0).sum(0), 0, 1).astype(np.float32)


def foremost(ids: U32, weights: F32, names: Iterable[str]) -> NDArray[np.uint8]:
    """(H, W) uint8: 1 + the place in ``names`` of the object that covers most of the pixel, 0 if none of them does."""
    top = np.take_along_axis(ids, weights.argmax(0)[None], 0)[0]
    seen = weights.max(0) > 0
    result = np.zeros(top.shape, np.uint8)
    for number, name in enumerate(names, 1):
        result[seen & (top == np.uint32(id_of(name)))] = number
    return result
