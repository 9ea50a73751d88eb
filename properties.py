# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings on Scene and Object: what the person chose, never results and never secrets.

Attributes are in SI units unless their name says otherwise (`depth_mm`, `twist_deg`). Results of the
stages live in the shot's folder beside the .blend, with their manifests.
"""

from typing import TYPE_CHECKING

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from . import (
    compat,
    properties_assets,
    properties_clips,
    properties_ideate,
    properties_jobs,
    properties_object,
    properties_physics,
    properties_prompt,
    properties_repair,
    properties_style,
    properties_validate,
)

# Items of the enums: (identifier, name, description). The first one is the default.
SKETCH_KINDS = (
    ("AUTO", "Find out", "Choose the way to build the part from the drawing's own symmetry"),
    ("REVOLVE", "Turned", "Turn the outline around its axis, as on a lathe"),
    ("EXTRUDE", "Flat", "Give the outline a thickness and bevelled edges"),
    ("INFLATE", "Organic", "Inflate the outline into a soft, rounded body"),
)
PICTURE_DEPTHS = (
    ("8", "8 bit", "What every service takes"),
    ("16", "16 bit", "Twice the size on disk; for services and editors that take it"),
)
EXTRAS = (
    (
        "DISTANCE",
        "Ray distance",
        "Length of the ray to each pixel; otherwise computed from depth when asked for",
    ),
    ("NORMAL_WORLD", "World normals", "Otherwise turned from camera normals when asked for"),
    ("POSITION", "Position", "World position of each pixel; otherwise computed from depth when asked for"),
)


class HOLDFAST_PG_sketch(bpy.types.PropertyGroup):
    """One drawn part: a picture of a sketch and its real height."""

    if TYPE_CHECKING:
        name: str
        path: str
        kind: str
        height_mm: float
    else:
        name: StringProperty(name="Name", description="Name of the asset that this sketch becomes")
        path: StringProperty(
            name="Picture",
            description="Photo or scan of the sketch",
            subtype="FILE_PATH",
            options=compat.relative_path(),
        )
        kind: EnumProperty(
            name="Shape", description="How the drawn outline becomes a solid", items=SKETCH_KINDS
        )
        height_mm: FloatProperty(
            name="Height (mm)",
            description="Real height of the drawn part, in millimetres",
            default=40.0,
            min=1.0,
            soft_max=500.0,
            max=100000.0,
            precision=1,
        )


class HOLDFAST_PG_truth(bpy.types.PropertyGroup):
    """Settings of Ground Truth."""

    if TYPE_CHECKING:
        samples: int
        engine_from_scene: bool
        picture_depth: str
        beauty_from: str
        extras: set[str]
    else:
        samples: IntProperty(
            name="Samples",
            description="Cycles samples of the beauty picture, quickly denoised afterwards; 0 keeps the scene's own settings",
            default=12,
            min=0,
            soft_max=256,
            max=4096,
        )
        engine_from_scene: BoolProperty(
            name="Scene's Engine",
            description="Render the beauty with the engine that the scene is set to",
            default=True,
        )
        picture_depth: EnumProperty(
            name="Picture", description="Bits a channel of the display-referred picture", items=PICTURE_DEPTHS
        )
        beauty_from: StringProperty(
            name="Rendered Already",
            description="Folder of numbered frames of this shot that are rendered already; empty renders them",
            subtype="DIR_PATH",
            options=compat.relative_path(),
        )
        extras: EnumProperty(
            name="Also Write",
            description="Passes that can be computed from the others, written as files for other programs",
            items=EXTRAS,
            options={"ENUM_FLAG"},
            default=set(),
        )


class HOLDFAST_PG_finish(bpy.types.PropertyGroup):
    """Settings of Finish."""

    if TYPE_CHECKING:
        exposure: float
        contrast: float
        saturation: float
        temperature: float
        title: str
        title_seconds: float
        crf: int
    else:
        exposure: FloatProperty(
            name="Exposure (EV)", description="Brighter or darker, in stops", default=0.0, min=-4.0, max=4.0
        )
        contrast: FloatProperty(
            name="Contrast",
            description="Contrast around middle grey; 1 changes nothing",
            default=1.0,
            min=0.2,
            max=3.0,
        )
        saturation: FloatProperty(
            name="Saturation",
            description="Strength of colour; 1 changes nothing",
            default=1.0,
            min=0.0,
            max=3.0,
        )
        temperature: FloatProperty(
            name="Warmth",
            description="Warmer above 0, cooler below 0; 0 changes nothing",
            default=0.0,
            min=-1.0,
            max=1.0,
        )
        title: StringProperty(name="Title", description="Text of the title card; empty means no card")
        title_seconds: FloatProperty(
            name="Title (s)",
            description="How long the title card stands, in seconds",
            default=1.5,
            min=0.0,
            soft_max=10.0,
            precision=2,
        )
        crf: IntProperty(
            name="Quality (CRF)",
            description="Quality of the H.264 master: lower is better and bigger",
            default=16,
            min=0,
            max=40,
        )


class HOLDFAST_PG_shot(bpy.types.PropertyGroup):
    """The settings of one shot: `Scene.holdfast`."""

    if TYPE_CHECKING:
        shot_name: str
        sketches: bpy.types.bpy_prop_collection[HOLDFAST_PG_sketch]
        active_sketch: int
        ideate: properties_ideate.HOLDFAST_PG_ideate
        assets: properties_assets.HOLDFAST_PG_assets
        physics: properties_physics.HOLDFAST_PG_physics
        truth: HOLDFAST_PG_truth
        clips: properties_clips.HOLDFAST_PG_clips
        style: properties_style.HOLDFAST_PG_style
        prompt: properties_prompt.HOLDFAST_PG_prompt
        validate: properties_validate.HOLDFAST_PG_validate
        repair: properties_repair.HOLDFAST_PG_repair
        finish: HOLDFAST_PG_finish
        jobs: properties_jobs.HOLDFAST_PG_jobs
    else:
        shot_name: StringProperty(
            name="Name", description="Name of the shot and of its folder", default="sh010", maxlen=60
        )
        sketches: CollectionProperty(type=HOLDFAST_PG_sketch, name="Sketches", description="The drawn parts")
        active_sketch: IntProperty(name="Active Sketch", description="The sketch that the panel shows", min=0)
        ideate: PointerProperty(type=properties_ideate.HOLDFAST_PG_ideate)
        assets: PointerProperty(type=properties_assets.HOLDFAST_PG_assets)
        physics: PointerProperty(type=properties_physics.HOLDFAST_PG_physics)
        truth: PointerProperty(type=HOLDFAST_PG_truth)
        clips: PointerProperty(type=properties_clips.HOLDFAST_PG_clips)
        style: PointerProperty(type=properties_style.HOLDFAST_PG_style)
        prompt: PointerProperty(type=properties_prompt.HOLDFAST_PG_prompt)
        validate: PointerProperty(type=properties_validate.HOLDFAST_PG_validate)
        repair: PointerProperty(type=properties_repair.HOLDFAST_PG_repair)
        finish: PointerProperty(type=HOLDFAST_PG_finish)
        jobs: PointerProperty(type=properties_jobs.HOLDFAST_PG_jobs)


CLASSES = (
    HOLDFAST_PG_sketch,
    *properties_ideate.CLASSES,
    *properties_assets.CLASSES,
    *properties_physics.CLASSES,
    HOLDFAST_PG_truth,
    *properties_clips.CLASSES,
    *properties_style.CLASSES,
    *properties_prompt.CLASSES,
    *properties_validate.CLASSES,
    *properties_repair.CLASSES,
    HOLDFAST_PG_finish,
    *properties_jobs.CLASSES,
    HOLDFAST_PG_shot,
    *properties_object.CLASSES,
)
