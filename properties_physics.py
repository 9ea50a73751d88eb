# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the joints and of their motion; see properties.py, which they are a part of."""

from typing import TYPE_CHECKING, Any

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

from .physics.joints import KINDS, all_parameters, kind_named
from .physics.joints.moves import EASES
from .physics.joints.spec import MODES, Parameter

JOINT_MODES = tuple((key, label, says) for key, (label, says) in MODES.items() if key == "AUTHORED")
JOINT_KINDS = tuple((kind.name, kind.label, kind.says) for kind in KINDS)
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


class HOLDFAST_PG_physics(bpy.types.PropertyGroup):
    """Settings of Physics."""

    if TYPE_CHECKING:
        joints: bpy.types.bpy_prop_collection[HOLDFAST_PG_joint]
        active_joint: int
        timing: HOLDFAST_PG_timing
        pull_on_screen: bool
        show_overlay: bool
        show_timing: bool
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
            description="Draw axis, depth, travel and lugs of the joints in the viewport, with handles to drag",
            default=True,
        )
        show_timing: BoolProperty(
            name="Timing",
            description="Draw the moves of the joints at the bottom of the viewport, with keys to drag",
            default=True,
        )


CLASSES = (HOLDFAST_PG_step, HOLDFAST_PG_joint, HOLDFAST_PG_timing, HOLDFAST_PG_physics)
