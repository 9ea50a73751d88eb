# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the shot that are rendered already: display-referred PNG, or scene-linear EXR to be shown through the view."""

import re
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

import bpy

from .. import compat
from ..pipeline.errors import InputError
from ..pipeline.frames import format_frames
from . import exr, png
from .throwaway import MARK, copy_of

LIGHT = ".exr"
"""Suffix of the pictures that hold scene-linear light."""


def pictures(folder: Path, frames: Sequence[int], size: tuple[int, int]) -> dict[int, Path]:
    """The PNG or EXR of each frame in a folder of rendered pictures, told by the last number in its name.

    EXR goes before PNG. Raises InputError if a frame is missing, or has another size.
    """
    found: dict[int, Path] = {}
    for path in (*sorted(folder.glob(f"*{LIGHT}")), *sorted(folder.glob("*.png"))):
        digits = re.findall(r"\d+", path.stem)
        if digits:
            found.setdefault(int(digits[-1]), path)
    missing = [frame for frame in frames if frame not in found]
    if missing:
        todo = "Give a folder of numbered PNG or EXR pictures of this shot, or none to have them rendered."
        says = f"Frames {format_frames(missing)} are not among the rendered pictures"
        raise InputError(says, where=str(folder), todo=todo)
    for frame in frames:
        path = found[frame]
        if (exr.size_of(path) if path.suffix == LIGHT else png.size_of(path)) != size:
            todo = f"The shot is {size[0]} x {size[1]}: render them in this size."
            raise InputError(f"{path.name} is not a picture of the shot's size", where=str(folder), todo=todo)
    return {frame: found[frame] for frame in frames}


def develop(scene: bpy.types.Scene, pictures: Mapping[Path, Path], bits: int) -> Generator[str, None, None]:
    """Writes a display-referred PNG of ``bits`` for each scene-linear EXR, {EXR: PNG}, as the artist's scene shows it.

    To be called inside of ``throwaway.copies``; yields a sentence after each. Raises InputError if Blender can't read
    one, or it has layers.
    """
    if not pictures:
        return
    shown = copy_of(scene, "shown")
    compat.write_png(shown.render.image_settings, bits)
    shown.render.dither_intensity = 0.0
    for light, picture in pictures.items():
        try:
            image = bpy.data.images.load(str(light))
        except RuntimeError as error:
            raise InputError(f"{light.name} can't be read", where=str(light.parent)) from error
        image[MARK] = True  # it goes with the copies
        if image.type == "MULTILAYER":
            todo = "Write single-layer OpenEXR, or PNG."
            raise InputError(f"{light.name} has several layers", where=str(light.parent), todo=todo)
        image.save_render(str(picture), scene=shown)
        bpy.data.images.remove(image)
        yield f"Showing {light.name} through the view"
