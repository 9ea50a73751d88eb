# SPDX-License-Identifier: GPL-3.0-or-later
"""The passes of a ground truth package: where each is, what its channels mean, in which unit, sign and space."""

from dataclasses import dataclass
from typing import Any

CAMERA_AXES = "camera: x right, y up, z towards the camera"
WORLD_AXES = "world: Blender's, z up"
PICTURE = "picture: origin top left, x right, y down, pixel centres at +0.5"


@dataclass(frozen=True)
class Pass:
    """``pattern`` is relative to the package's folder, with {frame:04d} and, for a pass of each part, {part}."""

    pattern: str
    channels: str
    unit: str
    space: str
    note: str = ""

    def record(self) -> dict[str, Any]:
        """As truth.json lists it."""
        return dict(vars(self))


PASSES: dict[str, Pass] = {
    "beauty": Pass(
        "beauty/beauty.{frame:04d}.png", "RGB", "code value", "display-referred",
        "what the artist sees, through the view that `colour` names",
    ),
    "linear": Pass(
        "linear/linear.{frame:04d}.exr", "RGB", "scene-linear", "scene-linear",
        "the same picture before the view, in the primaries that `colour` names",
    ),
    "ids": Pass(
        "ids/ids.{frame:04d}.png", "Y", "id of a part", PICTURE,
        "of what is at the pixel's centre, without filter or blur; 0 is no part",
    ),
    "sure": Pass(
        "sure/sure.{frame:04d}.png", "Y", "share of the pixel", PICTURE,
        "covered by what the id names; below 0.98 lies the band where the id is uncertain",
    ),
    "matte": Pass(
        "matte/{part}/{part}.{frame:04d}.png", "Y", "share of the pixel", PICTURE,
        "covered by what is seen of the part, with the picture's filter and blur",
    ),
    "whole": Pass(
        "whole/{part}/{part}.{frame:04d}.png", "Y", "share of the pixel", PICTURE,
        "covered by the part as if nothing stood before it",
    ),
    "depth": Pass(
        "depth/depth.{frame:04d}.exr", "Y", "metre", "camera: planar, along its axis", "0 where nothing is",
    ),
    "normal": Pass(
        "normal/normal.{frame:04d}.exr", "RGB = XYZ", "unit vector", CAMERA_AXES, "0 where nothing is",
    ),
    "vector": Pass(
        "vector/vector.{frame:04d}.exr", "RGBA = next XY, previous XY", "pixel", PICTURE,
        "how far what is seen here moves to the next frame, and to the previous one",
    ),
    "uv": Pass(
        "uv/uv.{frame:04d}.exr", "RG = UV", "texture", "texture: origin bottom left", "B is 1 where there is a UV, else 0",
    ),
    "distance": Pass(
        "distance/distance.{frame:04d}.exr", "Y", "metre", "along the ray from the camera", "0 where nothing is",
    ),
    "normal_world": Pass(
        "normal_world/normal_world.{frame:04d}.exr", "RGB = XYZ", "unit vector", WORLD_AXES, "0 where nothing is",
    ),
    "position": Pass(
        "position/position.{frame:04d}.exr", "RGB = XYZ", "metre", WORLD_AXES, "0 where nothing is",
    ),
}  # fmt: skip
EXTRAS = ("distance", "normal_world", "position")
"""Passes that follow from depth, normal and camera: written only if asked for, computed by the reader otherwise."""
OF_PARTS = ("matte", "whole")
"""Passes with a file for each part; one without a pixel has no file."""
SURE = 0.98
"""Share of a pixel from which its id is certain."""
PATTERNS: dict[str, str] = {kind: each.pattern for kind, each in PASSES.items()}
