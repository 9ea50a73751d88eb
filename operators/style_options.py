# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the chosen remote model, as rows of `Scene.holdfast.style.options`: a name and a text, empty is usual."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import EnumProperty, StringProperty

from ..clients import options
from ..clients.descriptor import Descriptor
from ..pipeline.errors import UsageError

USUAL = "-"
_items: dict[str, list[tuple[str, str, str]]] = {}


def _model(row: Any) -> Descriptor | None:
    from .style_choice import known

    return known(row.id_data.holdfast.style.provider)


def items(model: Descriptor | None, name: str, rules: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What the option ``name`` may be by the model's ``rules``, for a menu; kept, since Blender does not."""
    found = [
        (USUAL, "As usual", "What the model does by itself"),
        *((text, text, "") for text in options.choices(rules.get(name, {}))),
    ]
    key = f"{model.id if model else ''} {name}"
    if _items.get(key) != found:
        _items[key] = found
    return _items[key]


def _choices(row: Any, _context: object) -> list[tuple[str, str, str]]:
    model = _model(row)
    return items(model, row.name, options.settable(model) if model is not None else {})


def _get(row: Any) -> int:
    return next((index for index, item in enumerate(_choices(row, None)) if item[0] == row.value), 0)


def _set(row: Any, index: int) -> None:
    value = _choices(row, None)[index][0]
    row.value = "" if value == USUAL else value


class HOLDFAST_PG_option(bpy.types.PropertyGroup):
    """One option; what it may be is in the model's entry of the catalogue."""

    if TYPE_CHECKING:
        name: str
        value: str
        choice: str
    else:
        name: StringProperty(name="Option", description="Name of the option, as the catalogue has it")
        value: StringProperty(name="Value", description="Empty is what the model does by itself")
        choice: EnumProperty(
            name="Value", description="An option of the model", items=_choices, get=_get, set=_set,
            options={"SKIP_SAVE"},
        )  # fmt: skip


def fit(style: Any, model: Descriptor | None) -> None:
    """A row for every option of the model. Values that it can't have are taken out; what it has no option for stays, and
    is not sent, until another model has one."""
    for name in options.settable(model) if model is not None else ():
        row = style.options.get(name)
        if row is None:
            row = style.options.add()
            row.name = name
        elif row.value and model is not None and options.problem(model, name, row.value):
            row.value = ""


@dataclass(frozen=True)
class Field:
    """One option as a panel draws it: ``listed`` or typed, what it may be, what is wrong with its value."""

    name: str
    label: str
    listed: bool
    says: str
    problem: str


def fields(style: Any, model: Descriptor) -> list[Field]:
    """The options of a model, in the order of the catalogue."""
    made = []
    for name, rule in options.settable(model).items():
        row = style.options.get(name)
        wrong = options.problem(model, name, row.value) if row is not None and row.value else ""
        label = name.replace("_", " ").capitalize()
        made.append(Field(name, label, bool(options.choices(rule)), options.says(rule), wrong))
    return made


def texts(style: Any) -> dict[str, str]:
    """What was chosen, by name."""
    return {row.name: row.value for row in style.options}


def chosen(scene: bpy.types.Scene, model: Descriptor, *, lenient: bool = False) -> dict[str, Any]:
    """The options that go into a request. Raises UsageError for a value that the model can't have."""
    return options.chosen(model, texts(scene.holdfast.style), lenient=lenient)


def choose(scene: bpy.types.Scene, model: Descriptor | None, assignment: str) -> None:
    """``name=value`` of the command line; without a value as usual. Raises UsageError."""
    name, equals, text = assignment.partition("=")
    if not equals:
        raise UsageError(f"{assignment!r} is no option", todo="Write it as ratio=16:9.")
    if model is None:
        raise UsageError("The rehearsal has no options", todo="Choose a model: --set style.provider=...")
    if text:
        options.read(model, name, text)
    fit(scene.holdfast.style, model)
    row = scene.holdfast.style.options.get(name)
    if row is None:
        options.read(model, name, text)
    row.value = text


class HOLDFAST_OT_fit_options(bpy.types.Operator):
    """Makes the rows, in a file that chose its model before there were any."""

    bl_idname = "holdfast.fit_options"
    bl_label = "Show Options"
    bl_description = "Show the options of this model"
    bl_options = {"UNDO", "INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:  # type: ignore[override]
        from .style_choice import known

        style = context.scene.holdfast.style
        fit(style, known(style.provider))
        return {"FINISHED"}


CLASSES = (HOLDFAST_OT_fit_options,)
