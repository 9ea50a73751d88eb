# SPDX-License-Identifier: GPL-3.0-or-later
"""A joint as JSON: on the socket's object, in the manifests and in the proof."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from ...pipeline.errors import InputError
from . import kind_named
from .spec import JointFrame, JointSpec

SCHEMA: Final = "holdfast/joint"
VERSION: Final = 2
PROPERTY: Final = "holdfast_joint"
"""Name of the custom property on the socket's object."""
_MEASURES = ("peg_radius_mm", "peg_length_mm", "bore_radius_mm", "bore_depth_mm")
_LATER = {"hand_mm": 0.1, "break_n": 0.0}
"""Measures that records of version 2 may lack, with what they then are."""


def to_json(spec: JointSpec) -> dict[str, Any]:
    """With schema and version."""
    frame = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(spec.frame).items()}
    own = {key: getattr(spec, key) for key in ("kind", "name", "peg", "socket", "mode", *_MEASURES, *_LATER)}
    over = {"over_mm": [list(point) for point in spec.over_mm]} if spec.over_mm else {}
    return {"schema": SCHEMA, "version": VERSION, **own, **over, "values": dict(spec.values), "frame": frame}


def from_json(record: Mapping[str, Any]) -> JointSpec:
    """The joint that ``to_json`` described. Raises InputError for another schema, a newer version or a damaged record."""
    if record.get("schema") != SCHEMA:
        raise InputError(f"This is no joint but {record.get('schema')!r}")
    if not isinstance(record.get("version"), int) or record["version"] > VERSION:
        raise InputError("The joint was made by a newer Holdfast", todo="Update the extension.")
    try:
        given: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in record["frame"].items()
        }
        known: dict[str, Any] = {key: float(record[key]) for key in _MEASURES}
        known |= {key: float(record.get(key, default)) for key, default in _LATER.items()}
        known |= {key: str(record[key]) for key in ("kind", "name", "peg", "socket", "mode")}
        over = tuple((float(r), float(z)) for r, z in record.get("over_mm", ()))
        return checked(
            JointSpec(**known, values=dict(record["values"]), frame=JointFrame(**given), over_mm=over)
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError("The joint's record is damaged", todo="Make the joint again.") from error


def checked(spec: JointSpec) -> JointSpec:
    """The joint with every parameter of its kind, those not given at their defaults. Raises InputError beyond a limit."""
    kind = kind_named(spec.kind)
    values = {p.key: p.checked(spec.values.get(p.key, p.default), spec.name) for p in kind.parameters}
    return replace(spec, values=values)
