# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel Jobs is pointed at: on the window manager, so that no .blend carries it. Keys pass through, none stays."""

from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, IntProperty, StringProperty

from ..pipeline import secret
from ..pipeline.jobs import ENDED, Step
from .service_settings import HOLDFAST_PG_service_setting
from .view import HOLDFAST_PG_row

FILTERS = (
    ("ALL", "All", "Every job"),
    ("GOING", "Going on", "Jobs that are on their way, or wait to be sent"),
    ("ASKS", "Asks you", "Jobs that may or may not have arrived: look there and decide"),
    ("DONE", "Done", "Jobs whose results are here"),
    ("ENDED", "Failed or stopped", "Jobs that failed or were cancelled"),
)
STEPS: dict[str, tuple[Step, ...]] = {
    "ALL": (),
    "GOING": (Step.PREPARED, Step.SUBMITTING, Step.REMOTE, Step.CANCELLING, Step.DOWNLOADING),
    "ASKS": (Step.UNCERTAIN,),
    "DONE": (Step.READY, Step.APPLIED),
    "ENDED": tuple(step for step in ENDED if step is not Step.APPLIED),
}
_names: list[tuple[str, str, str]] = [("-", "-", "")]


def offer_names(names: tuple[str, ...]) -> None:
    """The names that a key may be typed under now; kept, since Blender does not."""
    _names[:] = [(name, name, "The key that the service calls so") for name in names] or [("-", "-", "")]


def _key_names(_view: object, _context: object) -> list[tuple[str, str, str]]:
    return _names


def _nothing(_view: object) -> str:
    return ""


def _hold(view: "HOLDFAST_PG_job_view", typed: str) -> None:
    """Goes straight to the memory of this process: the property itself never has a value that could be saved."""
    if typed.strip() and view.key_name != "-":
        secret.hold(view.key_name, typed.strip())


def _first_page(view: "HOLDFAST_PG_job_view", _context: object) -> None:
    view.page = 0


class HOLDFAST_PG_job_view(bpy.types.PropertyGroup):
    """`WindowManager.holdfast_jobs`."""

    if TYPE_CHECKING:
        rows: bpy.types.bpy_prop_collection[HOLDFAST_PG_row]
        settings: bpy.types.bpy_prop_collection[HOLDFAST_PG_service_setting]
        active_row: int
        show: str
        only_shot: bool
        page: int
        key_name: str
        key: str
    else:
        rows: CollectionProperty(type=HOLDFAST_PG_row)
        settings: CollectionProperty(type=HOLDFAST_PG_service_setting)
        active_row: IntProperty(name="Job", description="The job that is shown below the list", min=0)
        show: EnumProperty(name="Show", description="Which jobs to list", items=FILTERS, update=_first_page)
        only_shot: BoolProperty(
            name="This Shot", description="List only the jobs of this shot", update=_first_page
        )
        page: IntProperty(name="Page", description="Which fifty of the jobs are listed", min=0)
        key_name: EnumProperty(name="Name", description="Which of the service's keys it is", items=_key_names)
        key: StringProperty(
            name="Key",
            description="Kept in memory until Blender ends; not in the file, the preferences or a log",
            subtype="PASSWORD",
            options={"SKIP_SAVE", "HIDDEN"},
            get=_nothing,
            set=_hold,
        )


CLASSES = (HOLDFAST_PG_job_view,)
