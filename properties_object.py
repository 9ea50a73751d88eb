# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of each object: what it is for the product, what it is made of, how large it really is; see properties.py."""

from typing import TYPE_CHECKING

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .rendering.part import MOST_PARTS

# Items of the enums: (identifier, name, description). New materials go to the end: files store the place in the list.
MATERIALS = (
    ("ABS", "ABS plastic", "Hard, smooth plastic of toys and housings: 1040 kg/m3"),
    ("PLA", "PLA plastic", "Printed plastic: 1240 kg/m3"),
    ("WOOD", "Wood", "Beech wood: 700 kg/m3"),
    ("STEEL", "Steel", "Plain steel: 7850 kg/m3"),
    ("RUBBER", "Rubber", "Soft rubber: 1100 kg/m3"),
    ("GLASS", "Glass", "Soda-lime glass: 2500 kg/m3"),
    ("PETG", "PETG plastic", "Printed or clear moulded copolyester: 1270 kg/m3"),
    ("NYLON", "Nylon", "Polyamide 6 or 66: 1140 kg/m3"),
    ("PP", "Polypropylene", "Light, tough plastic of lids and hinges: 905 kg/m3"),
    ("HDPE", "Polyethylene", "High-density polyethylene of bottles and caps: 955 kg/m3"),
    ("POM", "Acetal (POM)", "Slippery plastic of gears and clips: 1410 kg/m3"),
    ("PC", "Polycarbonate", "Tough, clear plastic: 1200 kg/m3"),
    ("PMMA", "Acrylic (PMMA)", "Clear acrylic glass: 1190 kg/m3"),
    ("RESIN", "Printed resin", "Cured photopolymer: 1180 kg/m3"),
    ("PINE", "Pine", "Soft wood: 500 kg/m3"),
    ("CORK", "Cork", "Natural cork: 160 kg/m3"),
    ("CARDBOARD", "Cardboard", "Solid board: 690 kg/m3"),
    ("LEATHER", "Leather", "Dry leather: 860 kg/m3"),
    ("ALUMINIUM", "Aluminium", "Aluminium and its common alloys: 2700 kg/m3"),
    ("ZAMAK", "Zinc alloy", "Die-cast zinc of toy cars and locks: 6700 kg/m3"),
    ("BRASS", "Brass", "Turned brass: 8500 kg/m3"),
    ("COPPER", "Copper", "Copper: 8900 kg/m3"),
    ("PORCELAIN", "Porcelain", "Glazed porcelain: 2400 kg/m3"),
    ("STONE", "Stone", "Granite: 2700 kg/m3"),
    ("SILICONE", "Silicone", "Moulded silicone rubber: 1150 kg/m3"),
    ("EPS", "Polystyrene foam", "Expanded polystyrene: 25 kg/m3"),
)
ROLES = (
    ("HERO", "Hero", "A part of the product: it gets a matte, a pose and a verdict"),
    ("SET", "Set", "Part of the stage around the product: no verdict is given on it"),
)


SPLITS = (
    ("NONE", "One Part", "The object is one part, with all that it shows"),
    ("SLOTS", "Per Material Slot", "Each material slot in use is a part"),
    ("INSTANCES", "Per Instance", "Each instance that the object makes is a part"),
)


class HOLDFAST_PG_piece(bpy.types.PropertyGroup):
    """A material slot or an instance that is a part: it keeps its number and name whatever comes or goes beside it."""

    if TYPE_CHECKING:
        key: str
        number: int
        part: str
        bounds: tuple[float, float, float, float, float, float]
    else:
        key: StringProperty(name="Key", description="Index of the slot, or persistent id of the instance")
        number: IntProperty(
            name="Part Number", description="Number of the part in the id pass", min=0, max=MOST_PARTS
        )
        part: StringProperty(name="Part Name", description="Stable name of the part")
        bounds: FloatVectorProperty(
            name="Bounds",
            description="Least and greatest corner of the instance in its own axes, when it was marked",
            size=6,
            unit="LENGTH",
        )


class HOLDFAST_PG_collection(bpy.types.PropertyGroup):
    """The settings of one collection: `Collection.holdfast`."""

    if TYPE_CHECKING:
        is_part: bool
        part: str
        part_id: int
        leader: bpy.types.Object
    else:
        is_part: BoolProperty(
            name="Part", description="Everything in this collection is one part of the product"
        )
        part: StringProperty(
            name="Part Name", description="Stable name of the part; empty means the collection's name"
        )
        part_id: IntProperty(
            name="Part Number",
            description="Number of the part in the id pass; 0 means not yet given",
            default=0,
            min=0,
            max=MOST_PARTS,
        )
        leader: PointerProperty(
            name="Pose Of",
            type=bpy.types.Object,
            description="The object whose pose is the part's; empty means the first one",
        )


class HOLDFAST_PG_object(bpy.types.PropertyGroup):
    """The settings of one object: `Object.holdfast`."""

    if TYPE_CHECKING:
        is_part: bool
        part: str
        part_id: int
        split: str
        pieces: bpy.types.bpy_prop_collection[HOLDFAST_PG_piece]
        role: str
        material: str
        density: float
        mass_g: float
        size_mm: float
        exact_path: bool
        see_through: bool
    else:
        is_part: BoolProperty(name="Part", description="This object is a part of the product")
        part: StringProperty(
            name="Part Name", description="Stable name of the part; empty means the object's name"
        )
        part_id: IntProperty(
            name="Part Number",
            description="Number of the part in the id pass; 0 means not yet given",
            default=0,
            min=0,
            max=MOST_PARTS,
        )
        split: EnumProperty(name="Split", description="What of the object is a part", items=SPLITS)
        pieces: CollectionProperty(type=HOLDFAST_PG_piece)
        role: EnumProperty(name="Role", description="What the part is for the product", items=ROLES)
        material: EnumProperty(name="Material", description="What the part is made of", items=MATERIALS)
        density: FloatProperty(
            name="Density (kg/m³)",
            description="Density of the part; 0 takes the material's own",
            default=0.0,
            min=0.0,
            soft_max=20000.0,
            precision=0,
        )
        mass_g: FloatProperty(
            name="Mass (g)",
            description="Mass of the part, in grams, as weighed; 0 takes volume times density",
            default=0.0,
            min=0.0,
            soft_max=10000.0,
            precision=2,
        )
        size_mm: FloatProperty(
            name="Real Size (mm)",
            description="Largest extent that a person confirmed, in millimetres; 0 means nobody has",
            default=0.0,
            min=0.0,
            precision=2,
        )
        exact_path: BoolProperty(
            name="Exact Path",
            description="Baked, this body bounces and spins by closed formulas instead of Bullet, which can do neither: "
            "on the plane below it, turned aside by nothing else",
        )
        see_through: BoolProperty(
            name="See Through",
            description="Glass: parts behind it keep their mattes",
        )


CLASSES = (HOLDFAST_PG_piece, HOLDFAST_PG_collection, HOLDFAST_PG_object)
