# SPDX-License-Identifier: GPL-3.0-or-later
"""What a twist-lock joint is: every measure of it, in millimetres and degrees, as JSON on the socket's object."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from ..pipeline.errors import InputError

SCHEMA: Final = "holdfast/twistlock"
VERSION: Final = 1
PROPERTY: Final = "holdfast_joint"
"""Name of the custom property on the socket's object."""


@dataclass(frozen=True)
class JointFrame:
    """Where the joint sits in the socket's own space: ``origin_mm`` the centre of the rim, ``axis`` out of the bore."""

    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    axis: tuple[float, float, float] = (0.0, 0.0, 1.0)
    ref: tuple[float, float, float] = (1.0, 0.0, 0.0)
    source: str = "given"


@dataclass(frozen=True)
class JointSpec:
    """A twist-lock joint. Lengths in mm, angles in degrees, forces in N, torques in N m.

    ``depth_mm`` is the travel from the tip at the rim to the seat, ``twist_deg`` the turn that locks it,
    ``hand`` RIGHT for clockwise seen from the head of the peg. ``lug_*`` are the lugs on the peg (``lug_tip_mm`` is
    how far above the tip they start), ``clearance_mm`` the free space along the axis and around the lugs.
    """

    name: str
    peg: str
    socket: str
    peg_radius_mm: float
    peg_length_mm: float
    bore_radius_mm: float
    bore_depth_mm: float
    depth_mm: float
    twist_deg: float = 60.0
    hand: str = "RIGHT"
    lugs: int = 2
    clearance_mm: float = 0.2
    lug_width_deg: float = 24.0
    lug_height_mm: float = 2.0
    lug_tip_mm: float = 0.8
    protrusion_mm: float = 1.5
    slot_gap_deg: float = 3.0
    pull_n: float = 90.0
    torque_nm: float = 0.10
    mode: str = "AUTHORED"
    frame: JointFrame = JointFrame()

    def to_json(self) -> dict[str, Any]:
        """With schema and version, for the custom property and the manifests."""
        body = {"schema": SCHEMA, "version": VERSION, **asdict(self)}
        body["frame"] = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self.frame).items()}
        return body


def from_json(record: Mapping[str, Any]) -> JointSpec:
    """The joint that ``JointSpec.to_json`` described. Raises InputError for another schema or a newer version."""
    if record.get("schema") != SCHEMA:
        raise InputError(f"This is no twist-lock joint but {record.get('schema')!r}")
    if not isinstance(record.get("version"), int) or record["version"] > VERSION:
        raise InputError("The joint was made by a newer Holdfast", todo="Update the extension.")
    try:
        frame: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in record["frame"].items()
        }
        known = {field.name for field in fields(JointSpec)} - {"frame"}
        return JointSpec(**{key: record[key] for key in known if key in record}, frame=JointFrame(**frame))
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError("The joint's record is damaged", todo="Make the joint again.") from error


@dataclass(frozen=True)
class Preset:
    """Settings of a joint that a person may start from, with where they come from."""

    label: str
    twist_deg: float
    lugs: int
    clearance_mm: float
    pull_n: float
    torque_nm: float
    source: str
    hand: str = "RIGHT"


PRESETS: Final[Mapping[str, Preset]] = {
    "toy_30mm": Preset(
        "Toy, 3 cm", 60.0, 2, 0.2, 90.0, 0.10, "EN 71-1 8.4: parts over 6 mm hold 90 N for 10 s"
    ),
    "luer": Preset(
        "Luer lock", 90.0, 2, 0.1, 35.0, 0.02, "ISO 594-2: 35 N at 10 N/s, unscrewing 0.02 N m", "RIGHT"
    ),
    "camera": Preset(
        "Camera lens", 60.0, 3, 0.05, 50.0, 0.15, "common lens mounts: 3 tabs, about 60 degrees"
    ),
    "garden": Preset("Garden hose", 45.0, 2, 0.5, 150.0, 0.80, "hose couplings with two claws; own estimate"),
}


def sized(spec: JointSpec) -> JointSpec:
    """The joint with lugs that fit its radius and length: a fifth of the radius out, a sixth of the length high."""
    protrusion = min(max(round(0.2 * spec.peg_radius_mm, 3), 0.8), 3.0) + (
        spec.bore_radius_mm - spec.peg_radius_mm
    )
    height = min(max(round(spec.peg_length_mm / 6.0, 3), 1.0), 4.0)
    tip = min(max(round(spec.peg_length_mm / 15.0, 3), 0.3), 1.5)
    gap = min(max(3.0, 60.0 * spec.clearance_mm / spec.peg_radius_mm), 6.0)
    return replace(spec, protrusion_mm=protrusion, lug_height_mm=height, lug_tip_mm=tip, slot_gap_deg=gap)
