# SPDX-License-Identifier: GPL-3.0-or-later
"""The joints of a scene as the viewport needs them at every redraw: cheap to ask, never wrong, silent while unfinished.

Reading the assembly would take too long here. What is asked anew each time are the settings, the stated features and
where the objects stand; mechanism and drawing follow from these and are kept. A peg or socket that is not stated is
not looked for: that takes longer than a redraw may.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ..physics import assembly, features
from ..physics.features import Feature
from ..physics.joints import kind_named
from ..physics.joints.base import JointKind, Mechanism
from ..physics.joints.spec import JointSpec
from ..pipeline.errors import HoldfastError
from . import overlay_shape
from .overlay_shape import Drawing

UNEVEN = 1e-4
MOST = 64
_models: dict[tuple[Any, ...], "Model"] = {}


@dataclass(frozen=True)
class Model:
    """What a joint is, whatever it stands in."""

    spec: JointSpec
    kind: JointKind
    mechanism: Mechanism
    drawing: Drawing


@dataclass(frozen=True)
class Side:
    """The object that has a peg or socket, the feature, its frame in the world now (metres), and the object's scale."""

    ob: bpy.types.Object
    feature: Feature
    world: Matrix
    scale: float


@dataclass(frozen=True)
class Shown:
    """A joint that is drawn: number in the list, settings, sides as far as they are stated, model if it can be made."""

    number: int
    settings: Any
    peg: Side | None
    socket: Side | None
    model: Model | None


def joints(scene: bpy.types.Scene) -> Iterator[Shown]:
    """Every joint of the list, with what is known of it."""
    taken: dict[tuple[str, str], int] = {}
    for number, settings in enumerate(scene.holdfast.physics.joints):
        peg, socket = (_side(scene, kind, getattr(settings, kind), taken) for kind in ("peg", "socket"))
        yield Shown(number, settings, peg, socket, model_of(settings, peg, socket))


def active(scene: bpy.types.Scene) -> Shown | None:
    """The joint that the panel shows, or None."""
    physics = scene.holdfast.physics
    wanted = min(physics.active_joint, len(physics.joints) - 1)
    return next((shown for shown in joints(scene) if shown.number == wanted), None)


def model_of(settings: Any, peg: Side | None, socket: Side | None) -> Model | None:
    """The model of a joint; None while it can't be made."""
    try:
        spec = _spec(settings, peg, socket, {})
        return None if spec is None else _made(spec)
    except HoldfastError:
        return None


def refusal(settings: Any, peg: Side | None, socket: Side | None, **changed: float) -> str:
    """Why a joint can't be made so, in a sentence; empty if it can, or while a side of it is missing."""
    try:
        spec = _spec(settings, peg, socket, changed)
        if spec is not None:
            kind_named(spec.kind).make(spec)
    except HoldfastError as error:
        return str(error)
    return ""


def _spec(
    settings: Any, peg: Side | None, socket: Side | None, changed: dict[str, float]
) -> JointSpec | None:
    if peg is None or socket is None:
        return None
    plug, bore = (
        SimpleNamespace(name=assembly.part_name(side.ob), scale=side.scale) for side in (peg, socket)
    )
    given = _Changed(settings, changed) if changed else settings
    return assembly.spec_of(given, plug, peg.feature, bore, socket.feature)  # type: ignore[arg-type]


def _made(spec: JointSpec) -> Model:
    key = tuple(tuple(v.items()) if isinstance(v, Mapping) else v for v in vars(spec).values())
    if key not in _models:
        if len(_models) >= MOST:
            _models.clear()
        kind = kind_named(spec.kind)
        mechanism = kind.make(spec)
        _models[key] = Model(spec, kind, mechanism, overlay_shape.draw(kind, mechanism))
    return _models[key]


class _Changed:
    """The settings of a joint as they would be with some of them changed."""

    def __init__(self, settings: Any, changed: dict[str, float]) -> None:
        self._settings, self._changed = settings, changed

    def __getattr__(self, name: str) -> Any:
        return self._changed[name] if name in self._changed else getattr(self._settings, name)


def _side(scene: bpy.types.Scene, kind: str, chosen: bpy.types.Object | None,
          taken: dict[tuple[str, str], int]) -> Side | None:  # fmt: skip
    """The stated peg or socket of the chosen object, else the only one that any part has: as the stage chooses them."""
    things = [chosen] if chosen is not None else [ob for ob in scene.objects if ob.holdfast.is_part]
    found = [(ob, feature) for ob in things for feature in stated(ob) if feature.kind == kind]
    number = 0
    if chosen is not None:
        number = taken.get((kind, chosen.name), 0)
        taken[kind, chosen.name] = number + 1
    if not found or (chosen is None and len(found) > 1):
        return None
    ob, feature = found[min(number, len(found) - 1)]
    return side_of(ob, feature) if ob.visible_get() else None


def side_of(ob: bpy.types.Object, feature: Feature) -> Side | None:
    """Where a feature of an object stands now; None on an object that is scaled unevenly or mirrored."""
    matrix = ob.matrix_world
    scale = np.array(matrix.to_scale(), dtype=np.float64)
    size = float(scale.mean())
    if float(np.ptp(scale)) > UNEVEN * abs(size) or matrix.determinant() <= 0.0:
        return None
    frame = Matrix(feature.frame.tolist())
    origin = matrix @ frame.translation
    turn = matrix.to_quaternion() @ frame.to_quaternion()
    world = Matrix.Translation(origin) @ turn.to_matrix().to_4x4()
    return Side(ob, feature, world, float(np.round(size, 6)))


def stated(ob: bpy.types.Object) -> tuple[Feature, ...]:
    """The pegs and sockets that an object's custom property states; none while it can't be read."""
    return _parsed(str(ob.get(features.PROPERTY, "[]")))


@lru_cache(maxsize=64)
def _parsed(text: str) -> tuple[Feature, ...]:
    try:
        return tuple(features.parse(text, ""))
    except HoldfastError:
        return ()


def forget() -> None:
    """Drops all that is kept."""
    _models.clear()
    _parsed.cache_clear()
