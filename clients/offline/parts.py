# SPDX-License-Identifier: GPL-3.0-or-later
"""From one outline to its parts: meshes at real size with textures and mechanical features."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pipeline.errors import UsageError
from .decor import load_decor
from .extrude import build_plate
from .inflate import build_blob
from .mesh_quality import quality
from .meshing import Mesh
from .outline import Outline
from .outline_features import Feature
from .profile import deviation
from .revolve import revolve
from .texture import Palette, paint_turned
from .texture_flat import paint_flat
from .turned import drawn_profile, finished, peg_profile, wall

U8 = NDArray[np.uint8]
MM = 0.001


@dataclass(frozen=True)
class Part:
    """A solid: mesh in metres about its own origin, (S, S, 3) uint8 texture, features (part-local, SI), quality card."""

    name: str
    mesh: Mesh
    texture: U8
    method: str
    features: list[dict[str, Any]]
    quality: dict[str, Any]


def build_parts(
    outline: Outline, *, detail: int = 96, texture_px: int = 1024, colours: Palette, seed: int = 0
) -> list[Part]:
    """Parts of one sketch. A turned one with a peg gives two, named after the sketch and ``peg``.

    ``detail`` segments around 8..512, ``texture_px`` 64..8192. Raises InputError where the outline can't be built.
    """
    if not 8 <= detail <= 512 or not 64 <= texture_px <= 8192:
        raise UsageError("Detail must be 8 to 512 and the texture 64 to 8192 px", where=outline.name)
    if outline.method == "REVOLVE":
        return _turned_parts(outline, detail, texture_px, colours, seed)
    build = build_plate if outline.method == "EXTRUDE" else build_blob
    flat = build(outline, detail, 8 / 1024)
    texture = paint_flat(flat, load_decor(outline), colours, texture_px, seed)
    return [_part(part_name(outline.name), flat.mesh, texture, outline, [])]


def part_name(sketch: str) -> str:
    """``lantern_lid`` -> ``lid``: the last word of a sketch's name."""
    return sketch.rsplit("_", 1)[-1] or sketch


def _part(
    name: str, mesh: Mesh, texture: U8, outline: Outline, features: list[dict[str, Any]], **more: Any
) -> Part:
    card = {
        **quality(mesh),
        "drawn_symmetry": outline.symmetry,
        "drawn_deviation_mm": outline.deviation_mm,
        **more,
    }
    return Part(name, mesh, texture, outline.method, features, card)


def _turned_parts(outline: Outline, detail: int, texture_px: int, colours: Palette, seed: int) -> list[Part]:
    profile, plane = drawn_profile(outline)
    line = finished(profile, outline.height_mm, detail)
    turned = revolve(line, detail, 8 / 1024)
    decor = load_decor(outline, line)
    texture = paint_turned(turned, decor, colours, colours.base, texture_px, seed)
    peg, socket = outline.feature("peg"), outline.feature("socket")
    origin = plane if peg is not None else float(line[:, 1].min())
    name = part_name(outline.name)
    name = "body" if name == "peg" and peg is not None else name
    features = [_socket(socket, plane - origin)] if socket is not None else []
    fit = dict(zip(("profile_mean_mm", "profile_max_mm"), _fit(outline, profile), strict=True))
    if socket is not None:
        fit["wall_mm"] = wall(profile, socket.radius_mm, plane - socket.length_mm, plane)
    mesh = turned.mesh.moved((0, 0, -origin * MM))
    parts = [_part(name, mesh, texture, outline, features, **fit)]
    if peg is not None:
        pin_line = finished(peg_profile(peg), outline.height_mm, detail)
        pin = revolve(pin_line, detail, 8 / 1024)
        skin = paint_turned(pin, None, colours, colours.peg, texture_px, seed + 1)
        parts.append(_part("peg", pin.mesh, skin, outline, [_peg(peg)]))
    return parts


def _fit(outline: Outline, profile: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and greatest distance (mm) of the drawn outline from the built profile, where both go."""
    half, peg, socket = outline.half, outline.feature("peg"), outline.feature("socket")
    if peg is not None:
        half = half[half[:, 1] > peg.level_mm + 0.02 * outline.height_mm]
    if socket is not None:
        half = half[half[:, 0] > 1.1 * socket.radius_mm]
    return deviation(profile, half) if len(half) > 2 else (0.0, 0.0)


def _peg(peg: Feature) -> dict[str, Any]:
    return {
        "kind": "peg", "radius": peg.radius_mm * MM, "length": peg.length_mm * MM, "axis": [0.0, 0.0, -1.0],
        "origin": [0.0, 0.0, 0.0], "confidence": peg.confidence,
    }  # fmt: skip


def _socket(socket: Feature, rim_mm: float) -> dict[str, Any]:
    return {
        "kind": "socket", "radius": socket.radius_mm * MM, "depth": socket.length_mm * MM, "axis": [0.0, 0.0, 1.0],
        "origin": [0.0, 0.0, rim_mm * MM], "confidence": socket.confidence,
    }  # fmt: skip
