# SPDX-License-Identifier: GPL-3.0-or-later
"""Which faults make sense for which parts of a scene, and in which looks they can be seen at all."""

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np

from .faults import DOSES
from .looks import LOOKS
from .scenes import Change, Scene, cast, drawn

SPAN = 8
SMALL = (160, 90)
STEP = 2
HIDDEN = 0.02
SEEN = 12
"""Least pixels of a 160x90 picture that a part must show to be a target of most faults."""
SHAPE = ("shift", "scale", "turn", "outline", "wobble", "rubber", "wrong_motion", "vanish_partial")


@dataclass(frozen=True)
class Target:
    """A part for a fault, with the second part where there is one, and the frames (index, inclusive) to plant it in."""

    part: str
    frames: tuple[int, int]
    other: str = ""


@cache
def areas(scene: Scene) -> dict[str, np.ndarray]:
    """For each part (frames, 2): visible and whole area in pixels of a 160x90 picture."""
    small = replace(scene, size=SMALL)
    out = {name: np.zeros((scene.frames, 2)) for name in scene.names}
    for index in range(0, scene.frames, STEP):
        t = scene.when(index)
        ids = cast(small, t).ids
        for i, part in enumerate(scene.parts):
            whole, found = 0, drawn(small, part, t, Change())
            if found is not None:
                x0, y0, x1, y1 = (
                    int(np.clip(v, 0, m)) for v, m in zip(np.round(found), SMALL * 2, strict=True)
                )
                if x1 > x0 and y1 > y0:
                    only = Change(gone=frozenset(scene.names) - {part.name})
                    whole = (cast(small, t, (x0, y0, x1, y1), change=only).ids == i + 1).sum()
            out[part.name][index : index + STEP] = (ids == i + 1).sum(), whole
    return out


def hidden(scene: Scene, part: str) -> tuple[int, int] | None:
    """First and last frame of the first time that the part is there but fully hidden by others."""
    seen, whole = areas(scene)[part].T
    gone = np.flatnonzero((whole > 4) & (seen <= HIDDEN * whole))
    if not len(gone):
        return None
    gone = np.split(gone, np.flatnonzero(np.diff(gone) > 1) + 1)[0]
    number = scene.names.index(part) + 1
    near = sorted({int(g) + d for g in (gone[0], gone[-1]) for d in (-1, 0, 1)} & set(range(scene.frames)))
    fine = {i: (cast(scene, scene.when(i)).ids == number).sum() <= HIDDEN * np.median(whole) for i in near}
    first = next((i for i in near if fine[i]), int(gone[0]))
    last = next((i for i in reversed(near) if fine[i]), int(gone[-1]))
    return first, last


def _span(scene: Scene, part: str) -> tuple[int, int]:
    """The frames around the middle of the shot where most of the part shows all the time."""
    seen = areas(scene)[part][:, 0]
    starts = range(2, max(3, scene.frames - SPAN - 1))
    least = {s: seen[s : s + SPAN].min() - 1e-3 * abs(s - scene.frames * 0.35) for s in starts}
    start = max(least, key=least.__getitem__)
    return start, min(scene.frames - 1, start + SPAN - 1)


@cache
def targets(scene: Scene, look: str = "") -> dict[str, tuple[Target, ...]]:
    """Fault -> its targets, the biggest parts first; with ``look`` only what that look can show."""
    made = LOOKS.get(look)
    size = {name: float(area[:, 0].max()) for name, area in areas(scene).items()}
    parts = sorted((p for p in scene.parts if size[p.name] >= SEEN), key=lambda p: -size[p.name])
    every = tuple(Target(p.name, _span(scene, p.name)) for p in parts)
    out: dict[str, tuple[Target, ...]] = dict.fromkeys(DOSES, every)
    grainy = made is None or made.name in ("ink_wash", "clay", "brush", "watercolour", "shaken")
    shows = (
        {p.name for p in scene.parts if (grainy or p.texture > 0) and not p.glass}
        if made is None or made.textured
        else set()
    )
    textured = tuple(t for t in every if t.part in shows)
    out["boil"] = out["slide"] = textured
    out["text"] = tuple(t for t in every if scene.part(t.part).logo)
    out["joint"] = out["slip"] = tuple(t for t in every if scene.part(t.part).joint)
    out["joint"] = out["slip"] = tuple(
        Target(t.part, t.frames, scene.part(t.part).joint) for t in out["joint"]
    )
    if made is not None and not made.coloured:
        out["text"] = ()
    pairs = list(pairwise(every))
    out["swap"] = tuple(Target(a.part, a.frames, b.part) for a, b in pairs if _unlike(scene, a.part, b.part))
    out["merge"] = tuple(Target(a, _span(scene, a), b) for a, b in _touching(scene))
    if made is not None and not made.coloured:
        out["swap"] = out["merge"] = ()
    return _occluded(scene, every, out)


def _occluded(
    scene: Scene, every: tuple[Target, ...], out: dict[str, tuple[Target, ...]]
) -> dict[str, tuple[Target, ...]]:
    out["not_back"], out["not_hidden"] = (), ()
    for target in every:
        span = hidden(scene, target.part)
        if span and span[1] < scene.frames - 3 and span[0] > 1:
            back = (span[1] + 1, min(scene.frames - 1, span[1] + SPAN))
            out["not_back"] += (Target(target.part, back),)
            out["not_hidden"] += (Target(target.part, span),)
    return out


def _unlike(scene: Scene, a: str, b: str) -> bool:
    pa, pb = scene.part(a), scene.part(b)
    return float(np.abs(np.subtract(pa.colour, pb.colour)).max()) > 0.08 and not pa.glass and not pb.glass


def _touching(scene: Scene) -> list[tuple[str, str]]:
    """Pairs with other colours that border on each other in the middle of the first one's span."""
    out = []
    for i, a in enumerate(scene.names):
        for j, b in enumerate(scene.names):
            if i >= j or not _unlike(scene, a, b):
                continue
            ids = cast(replace(scene, size=SMALL), scene.when(sum(_span(scene, a)) // 2)).ids
            near = sum(int(((ids[1:] == p) & (ids[:-1] == q)).sum() + ((ids[:, 1:] == p) & (ids[:, :-1] == q)).sum())
                       for p, q in ((i + 1, j + 1), (j + 1, i + 1)))  # fmt: skip
            if near >= 4:
                out.append((a, b))
    return out
