# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of services in the window: fields that read what the timer of jobs read, and write the project's own file.

A field is one row of `WindowManager.holdfast_jobs.settings`, named "service.setting"; nothing of it is in the .blend.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from .. import compat
from ..clients import settings
from ..clients.descriptor import Service
from ..clients.keys import keys_of
from ..pipeline.errors import HoldfastError
from . import locate, window
from .job_services import services

Result = set[str]
EMPTY = "-"
"""How a menu names the empty value, for which Blender has no place."""
problems: dict[str, str] = {}
"""What was wrong with the value typed last, by the name of the row."""
_items: dict[str, list[tuple[str, str, str]]] = {}


def row_name(service: str, setting: str) -> str:
    """Of the row of a setting."""
    return f"{service}.{setting}"


def fill(rows: Any) -> None:
    """A row for every setting there is; outside of draw()."""
    wanted = [name for service in services.rules for name in names_of(service)]
    if [row.name for row in rows] != wanted:
        rows.clear()
        for name in wanted:
            rows.add().name = name


def names_of(service: str) -> list[str]:
    """The rows of a service; none if it is in no catalogue."""
    return [row_name(service, name) for name in services.rules.get(service, ())]


def source_of(name: str) -> str:
    """Where the value of a row is from: project, studio, or empty for the usual one."""
    service, _, setting = name.partition(".")
    return services.told.source(service, setting)


def rule_of(name: str) -> settings.Setting | None:
    """What the setting of a row may be."""
    service, _, setting = name.partition(".")
    return services.rules.get(service, {}).get(setting)


def value_of(name: str) -> Any:
    """The value of a row: what people said, or the usual one."""
    service, _, setting = name.partition(".")
    told, rule = services.told, rule_of(name)
    usual = rule.usual if rule is not None else ""
    own, studio = told.project.get(service, {}), told.studio.get(service, {})
    return own.get(setting, studio.get(setting, usual))


def says(name: str) -> str:
    """All that there is to know about a setting, in sentences."""
    rule = rule_of(name)
    if rule is None:
        return ""
    service, _, setting = name.partition(".")
    source = services.told.source(service, setting)
    where = {
        "project": "Set in this project.",
        "studio": "Set in the studio's file.",
        "": "It has its usual value.",
    }
    chosen = rule.choices.get(str(value_of(name)), "") if rule.choices else ""
    return " ".join(filter(None, (f"{rule.says}.", f"Now: {chosen}." if chosen else "",
                                  f"Usual: {words(rule.usual)}.", where[source])))  # fmt: skip


def words(value: object) -> str:
    """A value as a field shows it."""
    return settings.as_text(value) or "empty"


def keep(name: str, value: object, *, as_text: bool = False) -> None:
    """Writes a setting, or takes it out (None). What is wrong with it stands below the field."""
    service, _, setting = name.partition(".")
    known: Service | None = services.plain.services.get(service)
    if known is None:
        return
    try:
        made = settings.value_of(known, setting, value, as_text=as_text) if value is not None else None
        settings.write(locate.project().root, known, setting, made, keys_of(known).values())
        services.reread()
        problems.clear()
    except HoldfastError as error:
        problems[name] = str(error)
    services.changed = True
    window.redraw()


def _portable(path: str) -> str:
    """A path as it is kept: below the folder of the .blend relative to it, so that a farm finds it too."""
    found = Path(path.removeprefix("//"))
    try:
        return found.relative_to(locate.project().root.parent).as_posix()
    except (ValueError, HoldfastError):
        return found.as_posix() if path else ""


def _choices(row: Any, _context: object) -> list[tuple[str, str, str]]:
    """Kept, since Blender does not."""
    rule = rule_of(row.name)
    found = [
        (value or EMPTY, what[:1].upper() + what[1:], value)
        for value, what in (rule.choices if rule else {}).items()
    ]
    found = found or [(EMPTY, EMPTY, "")]
    if _items.get(row.name) != found:
        _items[row.name] = found
    return _items[row.name]


def _get_choice(row: Any) -> int:
    now = str(value_of(row.name)) or EMPTY
    return next((index for index, item in enumerate(_choices(row, None)) if item[0] == now), 0)


def _set_choice(row: Any, index: int) -> None:
    value = _choices(row, None)[index][0]
    keep(row.name, "" if value == EMPTY else value)


class HOLDFAST_PG_service_setting(bpy.types.PropertyGroup):
    """One setting of one service; which of the fields is drawn goes by its kind."""

    if TYPE_CHECKING:
        name: str
        text: str
        path: str
        choice: str
        switch: bool
    else:
        name: StringProperty()
        text: StringProperty(
            name="Value",
            description="Kept in services.toml beside this project",
            get=lambda row: settings.as_text(value_of(row.name)),
            set=lambda row, text: keep(row.name, text, as_text=True),
            options={"SKIP_SAVE"},
        )
        path: StringProperty(
            name="File",
            description="Kept in services.toml beside this project; relative to the folder of the .blend",
            subtype="FILE_PATH",
            get=lambda row: settings.as_text(value_of(row.name)),
            set=lambda row, text: keep(row.name, _portable(text)),
            options={"SKIP_SAVE"} | compat.relative_path(),
        )
        choice: EnumProperty(
            name="Choice",
            description="Kept in services.toml beside this project",
            items=_choices,
            get=_get_choice,
            set=_set_choice,
            options={"SKIP_SAVE"},
        )
        switch: BoolProperty(
            name="On",
            description="Kept in services.toml beside this project",
            get=lambda row: bool(value_of(row.name)),
            set=lambda row, on: keep(row.name, on),
            options={"SKIP_SAVE"},
        )


class HOLDFAST_OT_reset_setting(bpy.types.Operator):
    """Takes a setting out of the project's file."""

    bl_idname = "holdfast.reset_setting"
    bl_label = "Usual Value"
    bl_description = (
        "Take this out of the project's settings: the studio's value holds again, or the usual one"
    )
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        setting: str
    else:
        setting: StringProperty(options={"HIDDEN"}, description="service.setting")

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        keep(self.setting, None)
        if problem := problems.get(self.setting):
            self.report({"ERROR"}, problem)
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (HOLDFAST_PG_service_setting, HOLDFAST_OT_reset_setting)
