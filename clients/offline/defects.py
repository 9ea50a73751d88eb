# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted failures of a generative model, planted into a take so that validation and repair can be rehearsed.

A script is a list of {"kind", "part", "frames": [first, last]} with optional amounts. Spans are exact: a frame
outside is untouched, every frame inside is touched; strength swells inside so that nothing pops.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pipeline.errors import UsageError
from .layers import BACKGROUND, FrameLayers, FrameTruth, Layer, split
from .painting import Look, Shot, paint

F32 = NDArray[np.float32]
KINDS = ("vanish", "rubber", "shift", "recolour", "flicker", "duplicate")
_MOVING = ("rubber", "shift", "duplicate")


@dataclass(frozen=True)
class Defect:
    """One planted failure. ``amount_px`` (at 640 wide) for rubber; ``offset_px`` for shift and duplicate;
    ``hue`` multiplies R, G, B for recolour; ``gain`` is the swing of flicker."""

    kind: str
    part: str
    first: int
    last: int
    amount_px: float = 15.0
    offset_px: tuple[float, float] = (9.0, -4.0)
    hue: tuple[float, float, float] = (1.25, 0.85, 0.6)
    gain: float = 0.22

    def phase(self, frame: int) -> float:
        """Where in its span the defect is, 0..1 exclusive."""
        return (frame - self.first + 0.5) / (self.last - self.first + 1)

    def swell(self, frame: int) -> float:
        """Strength that rises and falls inside the span, never below 0.45."""
        return 0.45 + 0.55 * math.sin(math.pi * self.phase(frame))


def parse_script(script: Iterable[Mapping[str, Any]], parts: Sequence[str]) -> tuple[Defect, ...]:
    """The defects of a script. Raises UsageError that says which entry is wrong and why."""
    found: list[Defect] = []
    for number, entry in enumerate(script, 1):
        where = f"planted defect {number}"
        if not isinstance(entry, Mapping):
            raise UsageError("A planted defect must be an object with kind, part and frames", where=where)
        span = entry.get("frames")
        if entry.get("kind") not in KINDS:
            raise UsageError(
                f"{entry.get('kind')!r} is no kind of defect", where=where, todo=f"Kinds: {', '.join(KINDS)}."
            )
        if entry.get("part") not in parts:
            raise UsageError(
                f"There is no part {entry.get('part')!r}", where=where, todo=f"Parts: {', '.join(parts)}."
            )
        if (
            not (isinstance(span, list | tuple) and len(span) == 2 and all(type(f) is int for f in span))
            or span[0] > span[1]
        ):
            raise UsageError("frames must be [first, last]", where=where)
        amounts = {key: entry[key] for key in ("amount_px", "gain") if key in entry}
        pairs: dict[str, Any] = {key: tuple(entry[key]) for key in ("offset_px", "hue") if key in entry}
        found.append(Defect(str(entry["kind"]), str(entry["part"]), span[0], span[1], **amounts, **pairs))
    return tuple(found)


def draw(shot: Shot, look: Look, truth: FrameTruth, defects: Sequence[Defect]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 the frame in the look, with the defects that are active in it."""
    active = [d for d in defects if d.first <= truth.frame <= d.last]
    edges = [
        d for d in active if d.kind == "vanish" and truth.frame in (d.first, d.last) and d.last - d.first >= 2
    ]
    picture = paint(shot, look, _with_defects(truth, active))
    if not edges:
        return picture
    still_there = paint(shot, look, _with_defects(truth, [d for d in active if d not in edges]))
    return np.asarray(np.rint(picture * 0.72 + still_there * 0.28), np.uint8)


def _with_defects(truth: FrameTruth, active: Sequence[Defect]) -> FrameLayers:
    scale = truth.size[1] / 640
    vanished = {d.part for d in active if d.kind == "vanish"}
    displaced = {d.part for d in active if d.kind in ("rubber", "shift")} - vanished
    frame = split(truth, {}, sorted(vanished | displaced))
    moving = [d for d in active if d.kind in _MOVING and d.part not in vanished]
    if moving:
        reach = round(max(_reach(d) for d in moving) * scale) + 10
        whole = {layer.name: layer for layer in split(truth, {d.part: reach for d in moving}).layers}
        for defect in moving:
            if defect.part in whole:
                frame.layers.append(_displace(whole[defect.part], defect, truth.frame, scale))
    for defect in active:
        for layer in frame.layers:
            if layer.name == defect.part and layer.name != BACKGROUND:
                _recolour(layer, defect, truth.frame)
    return frame


def _reach(defect: Defect) -> float:
    return (
        defect.amount_px * 1.8 if defect.kind == "rubber" else max(abs(value) for value in defect.offset_px)
    )


def _displace(layer: Layer, defect: Defect, frame: int, scale: float) -> Layer:
    moved = replace(layer, over=True)
    if defect.kind == "rubber":
        dx, dy = _bend(layer.coverage, defect, frame, scale)
    else:
        strength = scale * (defect.swell(frame) if defect.kind == "shift" else 1.0)
        dx = np.full(layer.coverage.shape, defect.offset_px[0] * strength, np.float32)
        dy = np.full(layer.coverage.shape, defect.offset_px[1] * strength, np.float32)
    moved.warp(dx, dy)
    return moved


def _bend(coverage: F32, defect: Defect, frame: int, scale: float) -> tuple[F32, F32]:
    """(dx, dy) px: the part sways and bulges like rubber, held at its lower end."""
    rows, columns = np.flatnonzero((coverage > 0.5).any(1)), np.flatnonzero((coverage > 0.5).any(0))
    if not rows.size:
        return np.zeros_like(coverage), np.zeros_like(coverage)
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    up = np.clip((bottom - np.arange(coverage.shape[0])) / max(bottom - top, 1), 0, 1.15)[:, None]
    side = np.clip(
        (np.arange(coverage.shape[1]) - (left + right) / 2) / max((right - left) / 2, 1), -1.2, 1.2
    )[None, :]
    amount = defect.amount_px * scale * defect.swell(frame)
    angle = 2 * math.pi * (1.15 * defect.phase(frame) + 0.12)
    sway, bulge = math.sin(angle), math.cos(angle)
    dx = amount * (1.05 * sway * up**1.7 + 0.65 * bulge * np.sin(math.pi * np.clip(up, 0, 1)) * side)
    dy = amount * (0.55 * sway * side * up - 0.45 * bulge * up * (1 - 0.5 * side**2))
    return dx.astype(np.float32), np.broadcast_to(dy, coverage.shape).astype(np.float32)


def _recolour(layer: Layer, defect: Defect, frame: int) -> None:
    if defect.kind == "recolour":
        mixed = [1 + (value - 1) * defect.swell(frame) for value in defect.hue]
        layer.hue = (mixed[0], mixed[1], mixed[2])
    elif defect.kind == "flicker":
        layer.gain = 1 + (defect.gain if (frame - defect.first) % 2 == 0 else -defect.gain)
