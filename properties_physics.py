# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the joints and of their motion; see properties.py, which they are a part of."""

from typing import TYPE_CHECKING, Any

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

from .physics.finale import KINDS as FINALE_KINDS
from .physics.joints import KINDS, all_parameters, kind_named
from .physics.joints.moves import EASES
from .physics.joints.spec import MODES, Parameter

JOINT_MODES = tuple((key, label, says) for key, (label, says) in MODES.items())
JOINT_KINDS = tuple((kind.name, kind.label, kind.says) for kind in KINDS)
FINALES = tuple((key, label, says) for key, (label, says) in FINALE_KINDS.items())
EASE_ITEMS = tuple((key, label, f"{label} progress through the move") for key, (label, _) in EASES.items())


class HOLDFAST_PG_step(bpy.types.PropertyGroup):
    """One move of a joint's choreography."""

    if TYPE_CHECKING:
        phase: str
        frames: int
        ease: str
    else:
        phase: StringProperty(
            name="Move", description="Name of the move, as its kind of joint lists it", default="HOLD"
        )
        frames: IntProperty(name="Frames", description="How many frames the move takes", default=16, min=2)
        ease: EnumProperty(name="Easing", description="How the move progresses", items=EASE_ITEMS)


def _parameter(found: Parameter) -> Any:
    """A Blender property for one parameter of a kind of joint."""
    unit = f" ({found.unit})" if found.unit else ""
    named: dict[str, Any] = {
        "name": f"{found.label}{unit}",
        "description": found.says,
        "default": found.default,
    }
    if found.choices:
        return EnumProperty(items=found.choices, **named)
    if found.whole:
        return IntProperty(min=int(found.low), max=int(found.high), **named)
    return FloatProperty(
        min=found.low, soft_max=min(found.high, 200.0), max=found.high, precision=3, step=10, **named
    )


def _start_from_kind(joint: "HOLDFAST_PG_joint", context: bpy.types.Context) -> None:
    """Another kind starts from its own values: what one kind calls swing goes further than another's can."""
    for parameter in kind_named(joint.kind).parameters:
        setattr(joint, parameter.key, parameter.default)


class HOLDFAST_PG_joint(bpy.types.PropertyGroup):
    """One joint between a peg and a socket. The parameters of its kind are properties of the same names."""

    if TYPE_CHECKING:
        name: str
        kind: str
        peg: bpy.types.Object | None
        socket: bpy.types.Object | None
        mode: str
        hand_mm: float
        break_n: float
        together: bool
        delay_frames: int
        steps: bpy.types.bpy_prop_collection[HOLDFAST_PG_step]
        depth_mm: float
        twist_deg: float
        hand: str
        lugs: int
        clearance_mm: float
        pull_n: float
        torque_nm: float
    else:
        name: StringProperty(name="Name", description="Name of the joint in the proof and the reports")
        kind: EnumProperty(
            name="Kind", description="How the two parts join", items=JOINT_KINDS, update=_start_from_kind
        )
        peg: PointerProperty(type=bpy.types.Object, name="Peg", description="The part that goes in")
        socket: PointerProperty(type=bpy.types.Object, name="Socket", description="The part with the bore")
        mode: EnumProperty(name="Motion", description="What moves the parts", items=JOINT_MODES)
        hand_mm: FloatProperty(
            name="Off Axis (mm)",
            description="How far beside the axis the hand enters that leads a simulated joint",
            default=0.1,
            min=0.0,
            max=0.5,
            precision=3,
            step=1,
        )
        break_n: FloatProperty(
            name="Breaks at (N)",
            description="Force at which the joint lets go when the product is dropped, thrown or hung; 0 never does",
            default=0.0,
            min=0.0,
            max=100000.0,
            precision=1,
            step=100,
        )
        together: BoolProperty(
            name="With the One Before", description="Move together with the joint before it, not after it"
        )
        delay_frames: IntProperty(
            name="Delay", description="Frames to wait before the joint's first move", default=0, min=0
        )
        steps: CollectionProperty(
            type=HOLDFAST_PG_step,
            name="Moves",
            description="The joint's own choreography; empty takes that of its kind",
        )


for _key, _found in all_parameters().items():
    HOLDFAST_PG_joint.__annotations__[_key] = _parameter(_found)


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


class HOLDFAST_PG_finale(bpy.types.PropertyGroup):
    """What becomes of the joined product after its last joint."""

    if TYPE_CHECKING:
        kind: str
        lift_frames: int
        free_frames: int
        height_mm: float
        tilt_deg: float
        speed_mps: tuple[float, float, float]
        spin_rps: tuple[float, float, float]
        string_mm: float
    else:
        kind: EnumProperty(
            name="Finale",
            description="What becomes of the product once all its joints are made",
            items=FINALES,
        )
        lift_frames: IntProperty(
            name="Lift", description="Frames in which the product is lifted", default=20, min=2
        )
        free_frames: IntProperty(
            name="Free", description="Frames of free motion after it is let go", default=48, min=2
        )
        height_mm: FloatProperty(
            name="Height (mm)",
            description="How high the product is lifted",
            default=60.0,
            min=0.0,
            max=5000.0,
        )
        tilt_deg: FloatProperty(
            name="Tilt (°)",
            description="How far it is tilted while it is lifted",
            default=20.0,
            min=-180.0,
            max=180.0,
        )
        speed_mps: FloatVectorProperty(
            name="Speed (m/s)",
            description="Velocity with which it is thrown, along the axes of the world",
            default=(0.4, 0.0, 0.8),
            size=3,
            subtype="XYZ",
            min=-20.0,
            max=20.0,
        )
        spin_rps: FloatVectorProperty(
            name="Spin (turns/s)",
            description="Turns a second about the axes of the world with which it is thrown",
            default=(0.0, 1.0, 0.0),
            size=3,
            subtype="XYZ",
            min=-10.0,
            max=10.0,
        )
        string_mm: FloatProperty(
            name="String (mm)",
            description="Length of the string over the highest point of what hangs",
            default=40.0,
            min=0.0,
            max=2000.0,
        )


class HOLDFAST_PG_physics(bpy.types.PropertyGroup):
    """Settings of Physics."""

    if TYPE_CHECKING:
        joints: bpy.types.bpy_prop_collection[HOLDFAST_PG_joint]
        active_joint: int
        timing: HOLDFAST_PG_timing
        finale: HOLDFAST_PG_finale
        pull_on_screen: bool
        show_overlay: bool
        show_timing: bool
    else:
        joints: CollectionProperty(
            type=HOLDFAST_PG_joint, name="Joints", description="The joints of the product"
        )
        active_joint: IntProperty(name="Active Joint", description="The joint that the panel shows", min=0)
        timing: PointerProperty(type=HOLDFAST_PG_timing)
        finale: PointerProperty(type=HOLDFAST_PG_finale)
        pull_on_screen: BoolProperty(
            name="Pull on Screen", description="End the motion with a visible tug that the lock holds"
        )
        show_overlay: BoolProperty(
            name="Show Joint",
            description="Draw axis, depth, travel and lugs of the joints in the viewport, with handles to drag",
            default=True,
        )
        show_timing: BoolProperty(
            name="Show Timing",
            description="Draw the moves of the joints at the bottom of the viewport, with keys to drag",
            default=True,
        )


CLASSES = (HOLDFAST_PG_step, HOLDFAST_PG_joint, HOLDFAST_PG_timing, HOLDFAST_PG_finale, HOLDFAST_PG_physics)
