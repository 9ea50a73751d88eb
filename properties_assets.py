# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Assets: who makes the meshes, from what, with which options, and how they come into the scene."""

from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    StringProperty,
)

from . import compat

OFFLINE = "offline"
VIEWS = (
    ("main", "Main", "The picture that shows it best"),
    ("front", "Front", "Seen from the front"),
    ("left", "Left", "Seen from its left side"),
    ("back", "Back", "Seen from behind"),
    ("right", "Right", "Seen from its right side"),
    ("top", "Top", "Seen from above"),
    ("bottom", "Bottom", "Seen from below"),
)
TOPOLOGY = (
    ("ANY", "As the Model Does", "Whatever the model makes by itself"),
    ("triangle", "Triangles", "Triangles alone"),
    ("quad", "Quads", "Mostly quads, where the model can"),
)
YES_NO = (
    ("ANY", "As the Model Does", "Whatever the model does by itself"),
    ("YES", "Yes", "Ask for it"),
    ("NO", "No", "Ask for none"),
)
UP = (
    (
        "AUTO",
        "Find Out",
        "As the file says; where its kind does not say, the side with the flattest ground is below",
    ),
    ("Z", "Z", "Z is up in the file"),
    ("Y", "Y", "Y is up in the file"),
    ("X", "X", "X is up in the file"),
    ("-Z", "-Z", "-Z is up in the file"),
    ("-Y", "-Y", "-Y is up in the file"),
    ("-X", "-X", "-X is up in the file"),
)
MEASURES = (
    ("LONGEST", "Longest Side", "The size is that of the longest side"),
    ("HEIGHT", "Height", "The size is that from the floor to the top"),
)
ORIGINS = (
    ("MASS", "Centre of Mass", "Of the solid that the mesh encloses"),
    (
        "AXIS",
        "Mechanism Axis",
        "On the axis of its peg or bore, where it joins; its centre of mass if it has none",
    ),
    ("BASE", "Middle of Base", "In the middle of its box, at the bottom"),
    ("KEEP", "As in the File", "Where the file has it"),
)


def _providers(settings: Any, context: bpy.types.Context, text: str) -> list[str]:
    """The offline one, and every remote model that makes meshes."""
    from .operators.asset_form import names  # the operators are not there yet while this is registered

    return [name for name in names() if text.casefold() in name.casefold()]


def _models(settings: Any, context: bpy.types.Context, text: str) -> list[str]:
    return [name for name in _providers(settings, context, text) if name != OFFLINE]


def _fit(settings: Any, _context: object) -> None:
    """Another model was chosen: its own options, with the values that fit it."""
    from .operators.asset_drawn import fit

    fit(settings)


def _choices(row: Any, _context: object) -> list[tuple[str, str, str]]:
    from .operators.asset_drawn import choices

    return choices(row)


def _get(row: Any) -> int:
    return next((index for index, item in enumerate(_choices(row, None)) if item[0] == row.value), 0)


def _set(row: Any, index: int) -> None:
    value = _choices(row, None)[index][0]
    row.value = "" if value == "-" else value


def _enum(name: str, says: str, items: Any) -> Any:
    return EnumProperty(name=name, description=says, items=items)


class HOLDFAST_PG_asset_picture(bpy.types.PropertyGroup):
    """A picture that goes to a model."""

    if TYPE_CHECKING:
        path: str
        view: str
    else:
        path: StringProperty(
            name="Picture",
            description="A picture of the thing",
            subtype="FILE_PATH",
            options=compat.relative_path(),
        )
        view: EnumProperty(name="View", description="From where it is seen", items=VIEWS)


class HOLDFAST_PG_asset_model(bpy.types.PropertyGroup):
    """One more model to compare with; its ``name`` is its id."""

    if TYPE_CHECKING:
        name: str
    else:
        name: StringProperty(name="Model", description="A model that is asked as well", search=_models)


class HOLDFAST_PG_asset_option(bpy.types.PropertyGroup):
    """An option that only some models have; empty is as usual."""

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


class HOLDFAST_PG_assets(bpy.types.PropertyGroup):
    """Settings of Assets: `Scene.holdfast.assets`."""

    if TYPE_CHECKING:
        provider: str
        detail: int
        texture_px: int
        compare: bpy.types.bpy_prop_collection[HOLDFAST_PG_asset_model]
        pictures: bpy.types.bpy_prop_collection[HOLDFAST_PG_asset_picture]
        use_concept: bool
        text: str
        name: str
        draft: bool
        topology: str
        polycount: int
        texture: str
        pbr: str
        symmetry: str
        seed: int
        options: bpy.types.bpy_prop_collection[HOLDFAST_PG_asset_option]
        up: str
        size_mm: float
        measure: str
        origin: str
        floor: bool
        mark: bool
    else:
        provider: StringProperty(
            name="Provider",
            description="Who makes the meshes: this computer from the drawings, or a remote model by its id",
            default=OFFLINE,
            search=_providers,
            update=_fit,
        )
        detail: IntProperty(
            name="Segments",
            description="Segments around a turned part",
            default=96,
            min=12,
            soft_max=256,
            max=1024,
        )
        texture_px: IntProperty(
            name="Texture",
            description="Edge of the square texture of each part",
            default=1024,
            min=64,
            soft_max=4096,
            max=8192,
            subtype="PIXEL",
        )
        compare: CollectionProperty(
            type=HOLDFAST_PG_asset_model, name="Compare", description="Further models that are asked the same"
        )
        pictures: CollectionProperty(
            type=HOLDFAST_PG_asset_picture, name="Pictures", description="Pictures that go to the model"
        )
        use_concept: BoolProperty(
            name="Locked Concept",
            description="Send the picture that is locked in Ideate as the main one",
            default=True,
        )
        text: StringProperty(
            name="Words", description="What it is, for models that take words; most need a picture"
        )
        name: StringProperty(
            name="Name",
            description="What the part is called, in the scene and in all that follows",
            default="part",
            maxlen=58,
        )
        draft: BoolProperty(
            name="Draft First",
            description="Ask for the bare shape first, look at it, and pay for the surface only if it is right",
        )
        topology: _enum("Topology", "What the faces are", TOPOLOGY)
        polycount: IntProperty(
            name="Faces",
            description="About how many faces; 0 is as the model does",
            default=0,
            min=0,
            max=2_000_000,
        )
        texture: _enum("Texture", "Whether it is painted", YES_NO)
        pbr: _enum("PBR", "Whether roughness, metal and relief come as pictures too", YES_NO)
        symmetry: _enum("Symmetry", "Whether both halves are made alike", YES_NO)
        seed: IntProperty(
            name="Seed",
            description="The same number gives a similar mesh, where a model takes one; -1 is none",
            default=-1,
            min=-1,
        )
        options: CollectionProperty(
            type=HOLDFAST_PG_asset_option, name="Options", description="Options that only this model has"
        )
        up: _enum("Up", "Which way is up in the file", UP)
        size_mm: FloatProperty(
            name="Size (mm)",
            description="Its real size in millimetres; 0 keeps that of the file",
            default=0.0,
            min=0.0,
            soft_max=2000.0,
            max=1e6,
            precision=1,
        )
        measure: _enum("Of", "What the size is the length of", MEASURES)
        origin: _enum("Origin", "Where the origin of each object goes", ORIGINS)
        floor: BoolProperty(
            name="On the Floor",
            description="Stand it on the floor, over the middle of the world",
            default=True,
        )
        mark: BoolProperty(
            name="Make It a Part",
            description="Make its objects parts of the product, with a number of their own",
            default=True,
        )


CLASSES = (
    HOLDFAST_PG_asset_picture,
    HOLDFAST_PG_asset_model,
    HOLDFAST_PG_asset_option,
    HOLDFAST_PG_assets,
)
