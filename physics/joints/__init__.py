# SPDX-License-Identifier: GPL-3.0-or-later
"""The family of joints: one file a kind, listed here. Pure: no Blender."""

from typing import Final

from ...pipeline.errors import InputError
from . import ball, hinge, press_fit, screw, slider, snap_fit, twist_lock
from .base import JointKind
from .spec import JointSpec, Parameter

KINDS: Final[tuple[JointKind, ...]] = (
    twist_lock.KIND,
    hinge.KIND,
    slider.KIND,
    screw.KIND,
    ball.KIND,
    snap_fit.KIND,
    press_fit.KIND,
)
"""In the order in which the panel lists them."""


def kind_named(name: str) -> JointKind:
    """The kind called ``name``. Raises InputError."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    names = ", ".join(kind.name for kind in KINDS)
    raise InputError(f"There is no kind of joint {name!r}", todo=f"The kinds are {names}.")


def kind_of(spec: JointSpec) -> JointKind:
    """The kind of a joint."""
    return kind_named(spec.kind)


def all_parameters() -> dict[str, Parameter]:
    """Every parameter of any kind by its key, the first kind's words; for the panel's one group of settings."""
    found: dict[str, Parameter] = {}
    for kind in KINDS:
        for parameter in kind.parameters:
            found.setdefault(parameter.key, parameter)
    return found
