# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stage asks of whoever drives it.

A stage is one generator. It reads the scene, yields steps, and returns its manifest. The panel's session and
the command line drive the same generator, the one without blocking the window, the other in the foreground:

* ``WorkerTask``: run a bpy-free function in the worker process; the ``yield`` gives its result.
* ``RenderJob``: render frames of a (throw-away) scene; in the window that is Blender's own render job.
* ``Progress``: a breath in a long piece of Blender work, so that the window can draw.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import bpy

from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder

WHOLE = (0.0, 1.0)


@dataclass(frozen=True)
class WorkerTask:
    """``function`` is "room.module:function"; ``share`` maps its progress onto that of the stage; ``keys``: it is given
    the keys that a person typed."""

    function: str
    request: dict[str, Any]
    share: tuple[float, float] = WHOLE
    keys: bool = False


@dataclass(frozen=True)
class Progress:
    """``fraction`` 0..1 of the stage is done; ``message`` says what is being done now."""

    fraction: float
    message: str


@dataclass(frozen=True)
class RenderJob:
    """Render ``frames`` of ``scene`` to its own output path and file outputs."""

    scene: bpy.types.Scene
    frames: tuple[int, ...]
    share: tuple[float, float] = WHOLE


@dataclass(frozen=True)
class StageOptions:
    """``frames`` limits a stage to a chunk (None: the whole shot); ``force`` runs it even if fresh."""

    frames: tuple[int, ...] | None = None
    force: bool = False
    take: str | None = None


StageGenerator = Generator[WorkerTask | RenderJob | Progress, Any, Manifest]


class StageState(NamedTuple):
    """``status`` is missing, stale, partial, fresh or failed; ``reason`` is a sentence or empty."""

    status: str
    reason: str = ""


@dataclass(frozen=True)
class Stage:
    """One stage of the pipeline, as the table of stages lists it."""

    name: str
    label: str
    run: Callable[[bpy.types.Scene, ShotFolder, StageOptions], StageGenerator] = field(repr=False)
    state: Callable[[bpy.types.Scene, ShotFolder], StageState] = field(repr=False)
    verb: str = ""
    edits_scene: bool = False
