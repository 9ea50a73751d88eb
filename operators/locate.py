# SPDX-License-Identifier: GPL-3.0-or-later
"""From a Blender scene to the folder of its shot."""

from pathlib import Path

import bpy

from ..pipeline.errors import InputError, UsageError
from ..pipeline.project import Project, ShotFolder


def output_root() -> str:
    """The output root of the preferences, or "" for beside the .blend."""
    base = __package__.rpartition(".")[0]
    addon = bpy.context.preferences.addons.get(base)
    root = getattr(addon.preferences, "output_root", "") if addon else ""
    return bpy.path.abspath(root) if root else ""


def project() -> Project:
    """The project of the open .blend. Raises InputError if it was never saved."""
    return Project.beside(bpy.data.filepath, output_root())


def shot_of(scene: bpy.types.Scene) -> ShotFolder:
    """The folder of the scene's shot. Raises InputError or UsageError with the sentence for the panel."""
    return project().shot(scene.holdfast.shot_name)


def beside(path: Path) -> str:
    """``path`` as the .blend keeps it: from its own folder (//) where it lies below it, so that both can be moved
    together; else absolute."""
    home = Path(bpy.data.filepath).parent if bpy.data.filepath else None
    below = home is not None and path.absolute().is_relative_to(home.absolute())
    return bpy.path.relpath(str(path)) if below else str(path)


def scene_of_shot(name: str | None) -> bpy.types.Scene:
    """The scene whose shot is ``name``; without a name, the scene that the .blend was saved with."""
    if name is None:
        return bpy.context.scene
    scenes = {scene.holdfast.shot_name: scene for scene in bpy.data.scenes}
    if name not in scenes:
        raise UsageError(f"No scene holds the shot {name!r}", todo=f"There are: {', '.join(sorted(scenes))}.")
    return scenes[name]


def frame_range(scene: bpy.types.Scene) -> tuple[int, ...]:
    """The scene frames of the shot. Raises InputError if there are none."""
    first, last = scene.frame_start, scene.frame_end
    if last < first:
        todo = "Set the start before the end in the Output properties."
        raise InputError(f"The frame range {first}-{last} is empty", where=scene.name, todo=todo)
    return tuple(range(first, last + 1))
