# SPDX-License-Identifier: GPL-3.0-or-later
"""What remote jobs of a shot may cost."""

from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import FloatProperty

from .pipeline.money import Caps

NONE = -1.0
"""The value of a cap that is none."""


def _cap(name: str, usd: float, of_what: str) -> Any:
    return FloatProperty(
        name=name,
        description=f"The most that {of_what} may cost, in US dollars; more is refused before it is sent. -1 is no cap",
        default=usd,
        min=NONE,
        soft_min=0.0,
        max=1e6,
        precision=2,
        step=100,
    )


class HOLDFAST_PG_jobs(bpy.types.PropertyGroup):
    """Settings of Jobs: caps in US dollars."""

    if TYPE_CHECKING:
        cap_request: float
        cap_shot: float
        cap_day: float
        cap_project: float
    else:
        cap_request: _cap("A Request", 5.0, "one request")
        cap_shot: _cap("This Shot", 50.0, "all requests for this shot")
        cap_day: _cap("A Day", 100.0, "all requests of a day (UTC) in this project")
        cap_project: _cap("The Project", 500.0, "all requests of this project")


def micros_of(usd: float) -> int | None:
    """Micros of a cap in dollars, to a hundredth of a cent, as Blender keeps numbers; None if it is none."""
    return None if usd < 0 else round(usd * 1e4) * 100


def caps_of(scene: bpy.types.Scene) -> Caps:
    """What requests for the scene's shot may cost."""
    jobs = scene.holdfast.jobs
    return Caps(
        micros_of(jobs.cap_request),
        micros_of(jobs.cap_shot),
        micros_of(jobs.cap_day),
        micros_of(jobs.cap_project),
    )


CLASSES = (HOLDFAST_PG_jobs,)
