# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the prompt: the contract that is being written. Saved versions lie in the shot's folder."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import CollectionProperty, StringProperty

from . import compat
from .operators.prompt_models import names
from .pipeline.intent import Intent
from .pipeline.prompts.contract import OUTPUT, Part, PromptContract, Reference
from .properties_validate import intent_of, names_in

REHEARSAL = "rehearsal/lit-sphere-1"


def _search(settings: bpy.types.PropertyGroup, context: bpy.types.Context, text: str) -> Iterable[str]:
    return names()


def _line(text: str, lines: Any) -> None:
    lines.clear()
    for each in text.split(";"):
        if each.strip():
            lines.add().text = each.strip()


def _joined(lines: Any) -> str:
    return "; ".join(each.text for each in lines)


class HOLDFAST_PG_prompt_line(bpy.types.PropertyGroup):
    """One line of what must change or must not."""

    if TYPE_CHECKING:
        text: str
    else:
        text: StringProperty(name="Line", description="One demand, in one short sentence")


class HOLDFAST_PG_prompt_part(bpy.types.PropertyGroup):
    """A part of the shot that the prompt names."""

    if TYPE_CHECKING:
        name: str
        says: str
    else:
        name: StringProperty(name="Part", description="Name of the part in the shot")
        says: StringProperty(
            name="Called",
            description="What people call it, e.g. bayonet lid; empty is its name in plain words",
        )


class HOLDFAST_PG_prompt_reference(bpy.types.PropertyGroup):
    """A picture that goes with the prompt."""

    if TYPE_CHECKING:
        role: str
        path: str
        takes: str
    else:
        role: StringProperty(
            name="For",
            description="What it is a reference of: style, colour, material, light; or first, last, keyframe or audio, "
            "for a model that takes those",
            default="style",
        )
        path: StringProperty(
            name="Picture",
            description="The picture that is sent",
            subtype="FILE_PATH",
            options=compat.relative_path(),
        )
        takes: StringProperty(
            name="Take",
            description="What is taken from it, e.g. the paper grain; a model otherwise copies its things",
        )


class HOLDFAST_PG_prompt(bpy.types.PropertyGroup):
    """The contract that is being written: `Scene.holdfast.prompt`. Its review criteria are the settings of Validate."""

    if TYPE_CHECKING:
        look: str
        model: str
        role: str
        purpose: str
        change: bpy.types.bpy_prop_collection[HOLDFAST_PG_prompt_line]
        keep: bpy.types.bpy_prop_collection[HOLDFAST_PG_prompt_line]
        change_text: str
        keep_text: str
        parts: bpy.types.bpy_prop_collection[HOLDFAST_PG_prompt_part]
        references: bpy.types.bpy_prop_collection[HOLDFAST_PG_prompt_reference]
        output: str
        negative: str
    else:
        look: StringProperty(
            name="Look",
            description="Name of the look that the contract is of; empty is the look chosen above",
            maxlen=60,
        )
        model: StringProperty(
            name="Model",
            description="The model that the text is shown for: its fields, its length, its way to name pictures",
            default=REHEARSAL,
            search=_search,
            search_options={"SORT"},
        )
        role: StringProperty(
            name="Role", description="Who works on it, e.g. a painter of storybook backgrounds"
        )
        purpose: StringProperty(
            name="Purpose", description="What the shot is for, e.g. opening shot of a title sequence"
        )
        change: CollectionProperty(
            type=HOLDFAST_PG_prompt_line, name="Must Change", description="What the look is, line by line"
        )
        keep: CollectionProperty(
            type=HOLDFAST_PG_prompt_line,
            name="Must Not Change",
            description="What the look leaves alone, line by line",
        )
        change_text: StringProperty(
            name="Must Change",
            description="All lines of what must change, with semicolons between",
            get=lambda self: _joined(self.change),
            set=lambda self, text: _line(text, self.change),
            options={"SKIP_SAVE"},
        )
        keep_text: StringProperty(
            name="Must Not Change",
            description="All lines of what must not change, with semicolons between",
            get=lambda self: _joined(self.keep),
            set=lambda self, text: _line(text, self.keep),
            options={"SKIP_SAVE"},
        )
        parts: CollectionProperty(
            type=HOLDFAST_PG_prompt_part, name="Parts", description="The parts that must stay whole and rigid"
        )
        references: CollectionProperty(
            type=HOLDFAST_PG_prompt_reference,
            name="References",
            description="Pictures that go with the prompt",
        )
        output: StringProperty(
            name="Output", description="In what form the result is to come back", default=OUTPUT
        )
        negative: StringProperty(
            name="Negative",
            description="Things that must not appear, with commas between and without a “no”: flicker, extra text",
        )


def look_of(scene: Any) -> str:
    """The name of the look that the contract is of."""
    settings = scene.holdfast
    return settings.prompt.look.strip() or str(settings.style.look).lower()


def contract_of(scene: Any) -> PromptContract:
    """The contract as it is being written."""
    prompt = scene.holdfast.prompt
    return PromptContract(
        role=prompt.role,
        purpose=prompt.purpose,
        change=tuple(each.text for each in prompt.change),
        keep=tuple(each.text for each in prompt.keep),
        parts=tuple(Part(each.name, each.says) for each in prompt.parts),
        references=tuple(Reference(each.role, each.path, each.takes) for each in prompt.references),
        output=prompt.output,
        criteria=Intent.from_json(intent_of(scene.holdfast.validate)),
        negative=tuple(names_in(prompt.negative)),
        look=look_of(scene),
    )


def fill(scene: Any, contract: PromptContract) -> None:
    """Makes the settings those of a contract, its criteria those of Validate."""
    prompt = scene.holdfast.prompt
    for name in ("role", "purpose", "output"):
        setattr(prompt, name, getattr(contract, name))
    for name in ("change", "keep"):
        lines = getattr(prompt, name)
        lines.clear()
        for text in getattr(contract, name):
            lines.add().text = text
    prompt.parts.clear()
    for part in contract.parts:
        row = prompt.parts.add()
        row.name, row.says = part.name, part.says
    prompt.references.clear()
    for each in contract.references:
        row = prompt.references.add()
        row.role, row.path, row.takes = each.role, each.path, each.takes
    prompt.negative = ", ".join(contract.negative)
    if contract.look and contract.look != look_of(scene):
        prompt.look = contract.look
    fill_criteria(scene, contract.criteria)


def fill_criteria(scene: Any, criteria: Intent) -> None:
    """Makes Validate check these criteria."""
    validate = scene.holdfast.validate
    validate.recolour, validate.relight = criteria.recolour, criteria.relight
    validate.outline_px = round(criteria.outline_px)
    validate.background = criteria.background.upper()
    validate.palette_text = " ".join(criteria.palette)
    validate.readable = ", ".join(criteria.readable)


CLASSES = (
    HOLDFAST_PG_prompt_line,
    HOLDFAST_PG_prompt_part,
    HOLDFAST_PG_prompt_reference,
    HOLDFAST_PG_prompt,
)
