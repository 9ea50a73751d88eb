# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures for the panels: the concept variants, through Blender's own preview images."""

from pathlib import Path

import bpy
import bpy.utils.previews

from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder

_previews: list[bpy.utils.previews.ImagePreviewCollection] = []
_stamps: dict[str, int] = {}


def open_previews() -> None:
    """Makes the collection of previews."""
    _previews.append(bpy.utils.previews.new())


def close_previews() -> None:
    """Frees all previews."""
    _stamps.clear()
    bpy.utils.previews.remove(_previews.pop())


def refresh(shot: ShotFolder, concepts: Manifest | None) -> None:
    """Points the previews at the variants of the concepts; only new or changed pictures are loaded."""
    assets = concepts.data["assets"] if concepts is not None else []
    for asset in assets:
        _load(str(shot.concepts / asset.get("found", asset["cleaned"])))
        for variant in asset["variants"]:
            _load(str(shot.concepts / variant["picture"]))


def _load(path: str) -> None:
    try:
        stamp = Path(path).stat().st_mtime_ns
    except OSError:
        return
    if _stamps.get(path) == stamp:
        return
    previews = _previews[0]
    if path in previews:
        del previews[path]
    previews.load(path, path, "IMAGE")
    _stamps[path] = stamp


def icon(path: str) -> int:
    """The icon of the picture at ``path``, or 0 if it isn't loaded."""
    return int(_previews[0][path].icon_id) if _previews and path in _previews[0] else 0
