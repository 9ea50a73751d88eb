# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the joints and of their motion; see properties.py, which they are a part of."""

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

JOINT_MODES = (
    (
        "AUTHORED",
        "Authored",
        "The parts follow the exact path of the joint; the proof then tests it with real contacts",
    ),
)
HANDS = (
    ("RIGHT", "Right", "Seen from the head of the peg, the lock turns clockwise"),
    ("LEFT", "Left", "Seen from the head of the peg, the lock turns counter-clockwise"),
)


class HOLDFAST_PG_joint(bpy.types.PropertyGroup):
    """One twist-and-lock joint between a peg and a socket."""

    if TYPE_CHECKING:
        name: str
        peg: bpy.types.Object | None
        socket: bpy.types.Object | None
        depth_mm: float
        twist_deg: float
        hand: str
        lugs: int
        clearance_mm: float
        pull_n: float
        torque_nm: float
        mode: str
    else:
        name: StringProperty(name="Name", description="Name of the joint in the proof and the reports")
        peg: PointerProperty(type=bpy.types.Object, name="Peg", description="The part that goes in")
        socket: PointerProperty(type=bpy.types.Object, name="Socket", description="The part with the bore")
        depth_mm: FloatProperty(
            name="Depth (mm)",
            description="How far the peg goes in before it turns, in millimetres; 0 means as long as the peg is",
            default=0.0,
            min=0.0,
            soft_max=100.0,
            precision=2,
        )
        twist_deg: FloatProperty(
            name="Twist (°)",
            description="How far the peg turns to lock, in degrees",
            default=60.0,
            min=5.0,
            max=170.0,
            precision=1,
        )
        hand: EnumProperty(name="Hand", description="Which way the lock turns", items=HANDS)
        lugs: IntProperty(
            name="Lugs", description="Lugs around the peg, evenly spaced", default=2, min=1, max=6
        )
        clearance_mm: FloatProperty(
            name="Clearance (mm)",
            description="Free space between peg and socket, in millimetres",
            default=0.3,
            min=0.02,
            max=2.0,
            precision=3,
            step=1,
        )
        pull_n: FloatProperty(
            name="Pull (N)",
            description="Pull that the locked joint must hold, in newtons",
            default=90.0,
            min=0.0,
            soft_max=200.0,
            precision=1,
        )
        torque_nm: FloatProperty(
            name="Unlock (N·m)",
            description="Torque that it takes to turn the lock back, in newton metres",
            default=0.10,
            min=0.0,
            soft_max=5.0,
            precision=3,
            step=1,
        )
        mode: EnumProperty(name="Motion", description="What moves the parts", items=JOINT_MODES)


class HOLDFAST_PG_timing(bpy.types.PropertyGroup):
    """How many frames each phase of the mechanism takes."""

    if TYPE_CHECKING:
        align_frames: int
        insert_frames: int
        twist_frames: int
        click_frames: int
        hold_frames: int
    else:
        align_frames: IntProperty(
            name="Align", description="Frames in which the peg comes over the socket", default=18, min=1
        )
        insert_frames: IntProperty(
            name="Insert", description="Frames in which the peg goes in", default=16, min=1
        )
        twist_frames: IntProperty(
            name="Twist", description="Frames in which the lock turns", default=16, min=1
        )
        click_frames: IntProperty(
            name="Click", description="Frames of the snap into the detent", default=4, min=1
        )
        hold_frames: IntProperty(name="Hold", description="Frames of rest at the end", default=18, min=0)


class HOLDFAST_PG_physics(bpy.types.PropertyGroup):
    """Settings of Physics."""

    if TYPE_CHECKING:
        joints: bpy.types.bpy_prop_collection[HOLDFAST_PG_joint]
        active_joint: int
        timing: HOLDFAST_PG_timing
        pull_on_screen: bool
        show_overlay: bool
    else:
        joints: CollectionProperty(
            type=HOLDFAST_PG_joint, name="Joints", description="The joints of the product"
        )
        active_joint: IntProperty(name="Active Joint", description="The joint that the panel shows", min=0)
        timing: PointerProperty(type=HOLDFAST_PG_timing)
        pull_on_screen: BoolProperty(
            name="Pull on Screen", description="End the motion with a visible tug that the lock holds"
        )
        show_overlay: BoolProperty(
            name="Show Joint",
            description="Draw the axis, travel and twist of the joints in the viewport",
            default=True,
        )


CLASSES = (HOLDFAST_PG_joint, HOLDFAST_PG_timing, HOLDFAST_PG_physics)
