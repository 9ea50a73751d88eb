# SPDX-License-Identifier: GPL-3.0-or-later
"""Mattes of the parts from the raw files of a frame: hard ids, what is seen of each, and each as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32, U8
from . import cryptomatte

Channels = Mapping[str, F32]
Record = Mapping[str, Any]


def alone(part: Record) -> list[str]:
    """Names of the objects that are the part in the scene ``whole``: a slot's faces are an object of their own there."""
    return [f"holdfast slot {part['id']}"] if part.get("material") else list(part["cover"])


@dataclass(frozen=True)
class Names:
    """The parts as Cryptomatte knows them: objects, and for slots materials, each with the place of its parts."""

    parts: Sequence[Record]

    @cached_property
    def objects(self) -> list[str]:
        """Names of all objects that are, or belong to, a part."""
        return list(dict.fromkeys(name for part in self.parts for name in part["cover"]))

    @cached_property
    def materials(self) -> list[str]:
        """Names of the materials that are a part of their own on an object."""
        return list(dict.fromkeys(part["material"] for part in self.parts if part.get("material")))

    @cached_property
    def rows(self) -> list[list[int]]:
        """For each part the places of its objects in ``objects``."""
        place = {name: number for number, name in enumerate(self.objects)}
        return [[place[name] for name in part["cover"]] for part in self.parts]


def hard_ids(channels: Channels, names: Names) -> NDArray[Any]:
    """(H, W) uint8, or uint16 beyond 255: the id of the part that has most of each pixel; 0 is none."""
    objects = cryptomatte.shares(channels, names.objects).foremost()
    kind = np.uint8 if max(part["id"] for part in names.parts) < 256 else np.uint16
    by_object = np.zeros(len(names.objects) + 1, kind)
    for part, rows in zip(names.parts, names.rows, strict=True):
        if not part.get("material"):
            by_object[[row + 1 for row in rows]] = part["id"]
    ids = by_object[objects]
    if names.materials:
        materials = cryptomatte.shares(channels, names.materials, cryptomatte.MATERIALS).foremost()
        for part, rows in zip(names.parts, names.rows, strict=True):
            if part.get("material"):
                own = np.isin(objects, [row + 1 for row in rows])
                ids[own & (materials == 1 + names.materials.index(part["material"]))] = part["id"]
    return ids


def coverage(channels: Channels, names: Names) -> "Coverage":
    """What is seen of each part."""
    objects = cryptomatte.shares(channels, names.objects)
    materials = None
    if names.materials:
        materials = cryptomatte.shares(channels, names.materials, cryptomatte.MATERIALS)
    return Coverage(names, objects, materials)


@dataclass(frozen=True)
class Coverage:
    """``of`` gives the matte of a part by its place in the list of parts."""

    names: Names
    objects: cryptomatte.Shares
    materials: cryptomatte.Shares | None

    def of(self, place: int) -> F32:
        """(H, W) float32 in 0..1.

        The share of a material's slot is the object's, divided in the ratio of the materials in that pixel: exact unless
        another object with one of these materials meets it there.
        """
        plane = self.objects.plane(self.names.rows[place])
        material = self.names.parts[place].get("material")
        if not material or self.materials is None or not plane.any():
            return plane
        own = self.materials.plane([self.names.materials.index(material)])
        siblings = [
            self.names.materials.index(part["material"])
            for part in self.names.parts
            if part.get("material") and part["cover"] == self.names.parts[place]["cover"]
        ]
        together = self.materials.plane(siblings)
        return np.minimum(
            own, plane * np.divide(own, together, out=np.zeros_like(own), where=together > 0)
        ).astype(np.float32)


def hits(channels: Channels | None, names: Names) -> dict[int, NDArray[np.bool_]]:
    """Where each part is, seen or hidden, by its place; one without a hit is left out.

    ``channels``: the parts alone, one sample through the centre of each pixel, of a material that lets the ray through,
    so that all that a ray meets has a share, however small.
    """
    if channels is None:
        return {}
    asked = [name for part in names.parts for name in alone(part)]
    found = cryptomatte.shares(channels, asked)
    first = {name: number for number, name in reversed(list(enumerate(asked)))}
    result: dict[int, NDArray[np.bool_]] = {}
    for place, part in enumerate(names.parts):
        pixels = [found.of(first[name])[0] for name in alone(part)]
        if any(map(len, pixels)):
            plane = np.zeros(found.shape[0] * found.shape[1], bool)
            plane[np.concatenate(pixels)] = True
            result[place] = _without_pinholes(plane.reshape(found.shape))
    return result


def _without_pinholes(hit: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A ray that runs exactly along the edge between two faces can miss both: a pixel amid eight that are hit is hit."""
    around = cv2.filter2D(hit.astype(np.uint8), -1, np.ones((3, 3)), borderType=cv2.BORDER_REPLICATE)
    return hit | (around >= 8)


def whole(matte: U8, hit: NDArray[np.bool_], own: NDArray[np.bool_]) -> U8:
    """(H, W) uint8: the part as if nothing stood before it, from its matte, its hits, and where the hard id is its own.

    Inside of its outline that is all of a pixel; on the outline it is the matte where the part itself is seen, so that
    an edge that nothing hides keeps its softness, and all or nothing by the pixel's centre where something hides it.
    """
    inside = cv2.erode(hit.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(inside | (hit & ~own), np.uint8(255), matte).astype(np.uint8)


def as_bytes(share: F32) -> U8:
    """(H, W) in 0..1 -> 256 levels."""
    return np.rint(share * 255).astype(np.uint8)


def sure(ids: NDArray[Any], mattes: Mapping[int, U8]) -> U8:
    """(H, W) uint8: how much of each pixel is covered by what its id names; ``mattes`` by id, empty ones left out."""
    total = np.zeros(ids.shape, np.int32)
    result = np.zeros(ids.shape, np.int32)
    for number, matte in mattes.items():
        total += matte
        own = ids == number
        result[own] = matte[own]
    nobody = ids == 0
    result[nobody] = 255 - np.minimum(total, 255)[nobody]
    return result.astype(np.uint8)
