# SPDX-License-Identifier: GPL-3.0-or-later
"""Pegs and sockets as they are stated on a part: cylinders with an axis, a radius and a length, in the part's space."""

import json
from dataclasses import dataclass

from ..pipeline.errors import InputError
from .rigid import Array, frame

PROPERTY = "holdfast_feature"
Vector3 = tuple[float, float, float]


@dataclass(frozen=True)
class Feature:
    """``kind`` peg or socket. Lengths in the part's own units (metres at scale 1).

    ``axis`` points to the tip of a peg, out of the bore of a socket; ``origin`` is the middle of the shoulder or rim.
    ``source`` is given, detected or picked, ``confidence`` 0 to 1 how sure it is. ``angles`` are where lugs or slots
    that are there already sit: radians about z from x of ``frame``, one each.
    """

    kind: str
    radius: float
    length: float
    axis: Vector3
    origin: Vector3
    source: str = "given"
    confidence: float = 1.0
    angles: tuple[float, ...] = ()

    @property
    def frame(self) -> Array:
        """(4, 4) joint frame in the part's space: z out of the bore, for both kinds, x nearest to the part's x."""
        sign = -1.0 if self.kind == "peg" else 1.0
        return frame(self.origin, [sign * value for value in self.axis])

    def to_json(self) -> dict[str, object]:
        """As it is stated in the custom property; ``parse`` reads it back."""
        size = "length" if self.kind == "peg" else "depth"
        record: dict[str, object] = {
            "kind": self.kind, "radius": self.radius, size: self.length, "axis": list(self.axis),
            "origin": list(self.origin), "source": self.source, "confidence": self.confidence,
        }  # fmt: skip
        return {**record, "angles": list(self.angles)} if self.angles else record


def parse(text: str, part: str) -> list[Feature]:
    """The features in a part's custom property: one JSON object or a list of them. Raises InputError."""
    try:
        record = json.loads(text)
        records = record if isinstance(record, list) else [record]
        return [_feature(entry) for entry in records]
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        todo = f"Run Assets again, or delete the custom property {PROPERTY} and let the shape speak."
        raise InputError(f"The peg or socket stated on {part!r} can't be read", todo=todo) from error


def _feature(record: dict[str, object]) -> Feature:
    kind = str(record["kind"])
    size = record["length"] if kind == "peg" else record["depth"]
    numbers = [float(value) for value in (record["radius"], size)]  # type: ignore[arg-type]
    axis, origin = (tuple(float(x) for x in record[key]) for key in ("axis", "origin"))  # type: ignore[attr-defined]
    if kind not in ("peg", "socket") or min(numbers) <= 0.0 or len(axis) != 3 or len(origin) != 3:
        raise ValueError(kind)
    if sum(x * x for x in axis) < 1e-12:
        raise ValueError("axis")
    sure = float(record.get("confidence", 1.0))  # type: ignore[arg-type]
    angles = tuple(float(x) for x in record.get("angles", ()))  # type: ignore[attr-defined]
    return Feature(
        kind, numbers[0], numbers[1], axis, origin, str(record.get("source", "given")), sure, angles
    )
