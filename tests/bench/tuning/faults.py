# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of parts: what a cast and its skins change at a frame. Doses in px are of a picture 1920 wide."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from . import bends
from .paint import Skin
from .scenes import Bend, Change, Part, Passes, Scene, cast, drawn
from .solids import F64, ball, box, pose


@dataclass(frozen=True)
class Fault:
    """``frames`` are first and last index, inclusive; ``ramp`` frames to full dose and back (None: the kind's own).

    ``other`` is the second part of swap, merge; ``variant`` see `VARIANTS`.
    """

    kind: str
    part: str = ""
    frames: tuple[int, int] = (0, 0)
    dose: float = 1.0
    other: str = ""
    variant: str = ""
    ramp: int | None = None


DOSES: dict[str, tuple[tuple[float, ...], str]] = {
    "sham": ((0,), ""),
    "vanish": ((1,), ""), "vanish_partial": ((0.2, 0.35, 0.5), "share"), "not_back": ((1,), ""), "not_hidden": ((1,), ""),
    "ghost": ((0.5, 1), "opacity"), "intruder": ((0.5, 0.8), "of the part's size"), "swap": ((1,), ""), "merge": ((1,), ""),
    "shift": ((1, 2, 4, 8, 15), "px"), "scale": ((2, 4, 8), "%"), "turn": ((1, 2.5, 5, 10), "deg"),
    "outline": ((3, 6, 12), "px"), "wobble": ((2, 4, 8), "px"), "rubber": ((1.5, 3, 6, 12), "px"),
    "wrong_motion": ((4, 8, 16), "px"), "joint": ((2.5, 5, 10, 20), "deg"), "slip": ((1, 2, 4, 8), "mm"),
    "colour": ((5, 10, 15, 25), "dE"), "material": ((1,), ""), "text": ((0.3, 0.6, 1), "share"),
    "flicker": ((2, 4, 8, 12), "L"), "boil": ((0.25, 0.5, 1), "strength"), "slide": ((3, 6, 12), "px"),
}  # fmt: skip
"""Every fault of a part: its graded doses and their unit."""
VISIBLE = {kind: doses[-1] for kind, (doses, _) in DOSES.items()} | {
    "vanish_partial": 0.35, "shift": 4.0, "scale": 4.0, "turn": 5.0, "outline": 6.0, "wobble": 4.0, "rubber": 3.0,
    "wrong_motion": 8.0, "joint": 5.0, "slip": 4.0, "colour": 15.0, "flicker": 8.0, "boil": 0.5, "slide": 6.0, "text": 0.6,
}  # fmt: skip
"""The dose from which a fault counts as visible."""
VARIANTS = {
    "ghost": ("far", "touch"),
    "swap": ("looks", "places"),
    "outline": ("dent", "bump"),
    "wrong_motion": ("path", "spin"),
}
"""The first one is meant by ""."""
RAMP = {"rubber": 2, "slide": 3, "wrong_motion": 3}


@dataclass
class Plan:
    """What one faulty frame draws otherwise; ``touched`` names the parts whose boxes hold all of it."""

    touched: tuple[str, ...]
    change: Change = field(default_factory=Change)
    skins: dict[str, Skin] = field(default_factory=dict)
    lab: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    merged: tuple[str, str] | None = None
    opacity: float = 1.0


class Shot(Protocol):
    """What plans ask of a studio."""

    scene: Scene

    def exact(self, index: int) -> Passes: ...
    def skin(self, part: str) -> Skin: ...


def envelope(fault: Fault, index: int) -> float:
    """0..1, how far the fault has come at a frame of its span."""
    ramp = RAMP.get(fault.kind, 0) if fault.ramp is None else fault.ramp
    a, b = fault.frames
    return min(1.0, (index - a + 1) / (ramp + 1), (b - index + 1) / (ramp + 1))


def plan(shot: Shot, fault: Fault, index: int) -> Plan:
    """What ``fault`` changes at frame ``index``; dose 0 changes nothing but takes the same way."""
    if fault.kind in BENT:
        found = _place(shot, fault.part, index)
        bend = found and BENT[fault.kind](shot, fault, index, found, fault.dose * envelope(fault, index))
        return Plan((fault.part,), Change(bent={fault.part: bend}) if bend else Change())
    return PLANS[fault.kind](shot, fault, index, fault.dose * envelope(fault, index))


@dataclass(frozen=True)
class Place:
    """Where a part is in the picture: middle, half sides and half diagonal in px, ``px`` of a 1920 wide picture."""

    centre: F64
    half: F64
    px: float

    @property
    def radius(self) -> float:
        return float(np.linalg.norm(self.half))


def _place(shot: Shot, part: str, index: int) -> Place | None:
    scene = shot.scene
    found = drawn(scene, scene.part(part), scene.when(index), Change())
    if found is None:
        return None
    lo, hi = np.array(found[:2]), np.array(found[2:])
    return Place((lo + hi) / 2, np.maximum(1.0, (hi - lo) / 2), scene.size[0] / 1920)


def _way(shot: Shot) -> tuple[float, float]:
    return float(np.cos(0.6 + shot.scene.seed)), float(np.sin(0.6 + shot.scene.seed))


def _shift(shot, fault, index, at: Place, dose) -> Bend:
    x, y = _way(shot)
    return bends.shifted(dose * at.px * x, dose * at.px * y)


def _scale(shot, fault, index, at: Place, dose) -> Bend:
    return bends.scaled(at.centre, at.radius, 1 + dose / 100)


def _turn(shot, fault, index, at: Place, dose) -> Bend:
    return bends.turned(at.centre, at.radius, dose)


def _outline(shot, fault, index, at: Place, dose) -> Bend | None:
    ids = shot.exact(index).ids
    number = shot.scene.names.index(fault.part) + 1
    for angle in (200, 340, 90, 270, 30, 150):
        if spot := bends.rim(ids == number, ids == 0, angle):
            sign = 1 if fault.variant == "bump" else -1
            px = dose * at.px
            return bends.dented(*spot, sign * px, max(2.2 * px, 0.2 * at.radius))
    return None


def _wobble(shot, fault, index, at: Place, dose) -> Bend:
    return bends.rippled(at.centre, at.half, dose * at.px, 7, 1.9 * (index - fault.frames[0]))


def _rubber(shot, fault, index, at: Place, dose) -> Bend:
    return bends.bulged(at.centre, 0.85 * at.radius, dose * at.px, 0.5 * (index - fault.frames[0]))


def _wrong_motion(shot, fault, index, at: Place, dose) -> Bend:
    if fault.variant == "spin":
        return bends.turned(at.centre, at.radius, np.degrees(dose * at.px / at.radius))
    return _shift(shot, fault, index, at, dose)


BENT: dict[str, Callable[..., Bend | None]] = {
    "shift": _shift, "scale": _scale, "turn": _turn, "outline": _outline, "wobble": _wobble, "rubber": _rubber,
    "wrong_motion": _wrong_motion, "sham": _shift,
}  # fmt: skip


def _gone(shot, fault, index, dose) -> Plan:
    return Plan((fault.part,), Change(gone=frozenset([fault.part] if dose else [])))


def _partial(shot, fault, index, dose) -> Plan:
    """A plane fixed in the part cuts off ``dose`` of what shows of it in the middle of the span."""
    scene, part = shot.scene, shot.scene.part(fault.part)
    middle = scene.when(sum(fault.frames) // 2)
    small = cast(scene, middle)
    local = small.local[small.ids == scene.names.index(fault.part) + 1]
    to_cam = scene.camera(middle) @ part.pose(middle)
    across = to_cam[:3, :3].T @ np.array([*_way(shot), 0.0])
    level = float(np.quantile(local @ across, 1 - dose)) if len(local) else np.inf
    return Plan((fault.part,), Change(cut={fault.part: (across, level)}))


def _not_hidden(shot, fault, index, dose) -> Plan:
    return Plan((fault.part,), Change(near={fault.part: 0.2 if dose else 1.0}))


def _added(extra: Part, bend: Bend | None, opacity: float, near: float) -> Plan:
    """``near`` below 1 puts it before what is about as far away, above 1 behind."""
    change = Change(extra=(extra,), near={extra.name: near}, bent={extra.name: bend} if bend else {})
    return Plan((extra.name,), change, opacity=opacity)


def _ghost(shot, fault, index, dose) -> Plan:
    scene, part = shot.scene, shot.scene.part(fault.part)
    first = drawn(scene, part, scene.when(fault.frames[0]), Change()) or (0.0, 0.0, 8.0, 8.0)
    dx, dy = bends.free_place(shot.exact(fault.frames[0]).ids, first, fault.variant == "touch")
    made = _added(replace(part, name=f"{part.name}+"), bends.shifted(dx, dy), dose, 1.25)
    made.skins = {f"{part.name}+": shot.skin(part.name)}
    return made


def _beside(shot, part: Part, index: int, size: float) -> F64:
    """4x4 that moves the part sideways in the world to where something of ``size`` metres is free and near."""
    scene, t, ids = shot.scene, shot.scene.when(index), shot.exact(index).ids
    best, least = np.eye(4), np.inf
    for angle in np.radians(np.arange(0, 360, 30)):
        for share in (0.3, 0.5, 0.75, 1.0):
            far = np.eye(4)
            far[:2, 3] = (share * part.radius + size) * np.array([np.cos(angle), np.sin(angle)])
            x, y, z = scene.project((far @ part.pose(t))[None, :3, 3], t)[0]
            half = size * scene.K[0, 0] / z
            cost = bends.taken(ids, (x - half, y - half, x + half, y + half)) + 0.1 * share
            if cost < least:
                best, least = far, cost
    return best


def _intruder(shot, fault, index, dose) -> Plan:
    """Another shape beside the part that moves as the part does."""
    part, first = shot.scene.part(fault.part), fault.frames[0]
    size = max(0.25, dose) * part.radius * 0.7
    far = _beside(shot, part, first, size)
    shape = (
        box(0.9 * size, 0.25 * size, 0.25 * size),
        box(0.25 * size, 0.7 * size, 0.25 * size, 0.4 * size),
        ball(0.42 * size, -0.7 * size),
    )
    colour = (0.9 * part.colour[1] + 0.05, 0.9 * part.colour[2], 0.9 * part.colour[0])
    extra = Part(
        f"{part.name}+",
        shape,
        lambda t: far @ part.pose(t) @ pose(tilt=25, yaw=35),
        colour,
        max(0.15, part.texture),
    )
    return _added(extra, None, 1.0 if dose else 0.0, 0.8)


def _swap(shot, fault, index, dose) -> Plan:
    a, b = fault.part, fault.other
    if fault.variant == "places":
        pa, pb = _place(shot, a, index), _place(shot, b, index)
        if pa is None or pb is None:
            return Plan((a, b))
        d = pb.centre - pa.centre
        return Plan((a, b), Change(bent={a: bends.shifted(*d), b: bends.shifted(*-d)}))
    return Plan((a, b), skins={a: shot.skin(b), b: shot.skin(a)})


def _merge(shot, fault, index, dose) -> Plan:
    return Plan((fault.part, fault.other), merged=(fault.part, fault.other))


def _joint(shot, fault, index, dose) -> Plan:
    return Plan((fault.part,), Change(moved={fault.part: pose(spin=dose)}))


def _slip(shot, fault, index, dose) -> Plan:
    return Plan((fault.part,), Change(moved={fault.part: pose(0, 0, dose / 1000)}))


def _colour(shot, fault, index, dose) -> Plan:
    return Plan((fault.part,), lab={fault.part: (0.0, 0.7071 * dose, -0.7071 * dose)})


def _flicker(shot, fault, index, dose) -> Plan:
    return Plan((fault.part,), lab={fault.part: (dose * (1 if index % 2 else -1), 0.0, 0.0)})


def _material(shot, fault, index, dose) -> Plan:
    old = shot.skin(fault.part)
    r, g, b = old.colour
    new = replace(
        old, colour=(0.5 * b + 0.2, 0.5 * r + 0.15, 0.5 * g + 0.2), texture=0.3, gloss=0.9, kind="stripes"
    )
    return Plan((fault.part,), skins={fault.part: new})


def _text(shot, fault, index, dose) -> Plan:
    return Plan((fault.part,), skins={fault.part: replace(shot.skin(fault.part), scrambled=(dose, 5))})


def _boil(shot, fault, index, dose) -> Plan:
    return Plan(
        (fault.part,), skins={fault.part: replace(shot.skin(fault.part), boil=(min(1.0, dose), index))}
    )


def _slide(shot, fault, index, dose) -> Plan:
    """The texture is moved in the part so that it slides by ``dose`` px across the picture."""
    scene, part = shot.scene, shot.scene.part(fault.part)
    first = scene.when(fault.frames[0])
    to_cam = scene.camera(first) @ part.pose(first)
    metres = dose * scene.size[0] / 1920 * to_cam[2, 3] / scene.K[0, 0]
    offset = to_cam[:3, :3].T @ (metres * np.array([*_way(shot), 0.0]))
    return Plan((fault.part,), skins={fault.part: replace(shot.skin(fault.part), offset=tuple(-offset))})


PLANS: dict[str, Callable[..., Plan]] = {
    "vanish": _gone, "not_back": _gone, "vanish_partial": _partial, "not_hidden": _not_hidden, "ghost": _ghost,
    "intruder": _intruder, "swap": _swap, "merge": _merge, "joint": _joint, "slip": _slip, "colour": _colour,
    "flicker": _flicker, "material": _material, "text": _text, "boil": _boil, "slide": _slide,
}  # fmt: skip
