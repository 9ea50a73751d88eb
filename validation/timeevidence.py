# SPDX-License-Identifier: GPL-3.0-or-later
"""What a take's fingerprints say for each frame of the shot, in nats: where things are, and how much they change."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .fingerprints import Model, Shot

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
SHAKE_CELLS, PART_CELLS = 0.25, 0.12
"""Deviations of the shifts of single frames, and of single parts, that are no evidence of another time."""
ALIKE = 0.08
"""Share of the cells' evidence that counts: neighbours see the same edge, and a look is wrong in whole places."""
MOST_EVIDENCE, MOST_STEP = 5.0, 4.0
"""Nats by which one part may speak against a frame, and a change against a step: what is wrong does not outvote all."""
PLACE = 0.6
"""Weight of where things are against how much they change."""
SLACK = 0.4
"""Share of what two frames differ by that a look may draw wrongly."""
OUTLINED = 0.7
"""How strongly a look is expected to draw where parts end: what else moves in the render it may leave out."""
QUIET = 0.05
"""Nats of change of the outlines below which the shot stands still."""
TOLD = 0.3
"""Nats of change of the outlines from which a take that stands still is seen to."""
STARE, TELLS, NEWS = 2, 2.0, 3.0
"""Frames over which a take may stand still and yet tell; how far it tells; nats of change that make a frame new."""
STEPS, WIDE = 9, 6
"""Steps that are weighed, 0 to STEPS - 1; frames around over which a take's usual change is taken."""


@dataclass(frozen=True)
class Evidence:
    """``of`` (N, M) nats for take frame t showing shot frame s, 0 for its best; ``apart`` (M, M) nats that a take
    without noise would give against s when it shows s'."""

    of: F64
    apart: F64
    steps: F64
    """(STEPS, N - 1, M) nats for a step from shot frame s to s + k between take frames t and t + 1."""
    parts: F64
    """(K, N, M) as ``of`` by region, not limited; ``apart_parts`` (K, M, M) as ``apart``."""
    apart_parts: F64


def weigh(shot: Shot, take: F32, model: Model, path: I64, limit: bool = True) -> Evidence:
    """Evidence of all frames of the take for all frames of the shot; ``path`` (N,) is the map believed so far."""
    root = np.sqrt(model.trust)[:, None]
    seen = (take - model.still) * root
    shown, slope = model.mix(shot.render, shot.parts), model.mix(*shot.slopes)
    numbers = [int(n) for n in np.unique(shot.region)]
    tables = []
    for number in numbers:
        cells = shot.region == number
        tables.append(
            _Table.of(
                _flat(seen[:, cells]), _flat(shown[:, cells]), np.stack([_flat(s[:, cells]) for s in slope])
            )
        )
    held = _shift(tables)
    parts = (
        np.stack([-0.5 * ALIKE * table.left(held) for table in tables])
        if tables
        else np.zeros((0, len(take), len(shot.render)))
    )
    own = (
        np.stack([0.5 * ALIKE * table.own for table in tables])
        if tables
        else np.zeros((0, len(shot.render), len(shot.render)))
    )
    limited: F64 = np.sum(
        [np.maximum(_slack(part, apart), -MOST_EVIDENCE) for part, apart in zip(parts, own, strict=True)],
        axis=0,
    )
    outlines = np.minimum(_apart(shot.parts, root), _apart(shot.render, root))
    if limit:
        limited = _told(limited, seen, outlines, path)
    steps = _steps(seen, outlines, path)
    return Evidence(limited * PLACE, np.minimum(own, MOST_EVIDENCE).sum(0), steps, parts, own)


def _apart(prints: F32, root: F32) -> F64:
    """(M, M) nats between the frames if a look draws these edges as strongly as is expected of it. The lesser of
    outlines and render counts: the render's texture may be left out, and hard outlines flicker as they creep."""
    drawn = _flat(prints * (OUTLINED * root))
    power = (drawn * drawn).sum(1).astype(np.float64)
    return np.asarray(
        0.5 * ALIKE * np.maximum(power[:, None] + power[None] - 2.0 * (drawn @ drawn.T), 0), np.float64
    )


def _flat(table: F32) -> F32:
    return np.ascontiguousarray(table.reshape(len(table), -1))


@dataclass(frozen=True)
class _Table:
    """Of one region: ``miss`` (N, M) |x|^2, ``pull`` (2, N, M) slope . x, ``stiff`` (2, 2, M) slope . slope."""

    miss: F64
    pull: F64
    stiff: F64
    own: F64

    @classmethod
    def of(cls, seen: F32, shown: F32, slope: F32) -> "_Table":
        power = (shown * shown).sum(1).astype(np.float64)
        miss = (seen * seen).sum(1)[:, None] + power[None] - 2.0 * (seen @ shown.T)
        pull = np.stack([seen @ s.T - (shown * s).sum(1)[None] for s in slope]).astype(np.float64)
        stiff = np.array([[(a * b).sum(1) for b in slope] for a in slope], np.float64)
        own = np.maximum(power[:, None] + power[None] - 2.0 * (shown @ shown.T), 0)
        return cls(miss.astype(np.float64), pull, stiff, own)

    def left(self, held: F64) -> F64:
        """|x - slope . shift|^2 with the shift of the whole picture and a small one of the part's own."""
        x, y = held
        a = self.stiff
        rest = (
            self.miss
            - 2 * (x * self.pull[0] + y * self.pull[1])
            + x * x * a[0, 0]
            + 2 * x * y * a[0, 1]
            + y * y * a[1, 1]
        )
        pull = np.stack([self.pull[0] - x * a[0, 0] - y * a[0, 1], self.pull[1] - x * a[0, 1] - y * a[1, 1]])
        own = _solve(pull, a, PART_CELLS)
        return rest - own[0] * pull[0] - own[1] * pull[1]


def _solve(pull: F64, stiff: F64, usual: float) -> F64:
    hold = 1 / (ALIKE * usual**2)
    a, b, c = stiff[0, 0] + hold, stiff[0, 1], stiff[1, 1] + hold
    det = a * c - b * b
    return np.stack([(c * pull[0] - b * pull[1]) / det, (a * pull[1] - b * pull[0]) / det])


def _shift(tables: list[_Table]) -> F64:
    """(2, N, M) the shift of the whole picture that explains most, held to be small."""
    if not tables:
        return np.zeros((2, 0, 0))
    return _solve(
        np.sum([t.pull for t in tables], axis=0), np.sum([t.stiff for t in tables], axis=0), SHAKE_CELLS
    )


def _steps(seen: F32, own: F64, path: I64) -> F64:
    """How well the size of the take's own change fits each step of the shot: blind to what a look draws where. A
    picture that moves is no repeat; one that stands still while the shot moves is one."""
    steps = np.diff(_flat(seen), axis=0)
    sources = len(own)
    power = _less_noise((steps * steps).sum(1).astype(np.float64) * 0.5 * ALIKE, own, path)
    taken = own[path[:-1], path[1:]]
    known = (taken > QUIET) & (power > 0)
    rate = np.sqrt(power / np.maximum(taken, 1e-9))
    usual, padded = np.zeros(len(rate)), np.pad(rate, WIDE)
    known_pad = np.pad(known, WIDE)
    for i in range(len(rate)):
        ok = known_pad[i : i + 2 * WIDE + 1]
        usual[i] = float(np.median(padded[i : i + 2 * WIDE + 1][ok])) if ok.any() else 0.0
    every = np.full((STEPS, len(steps), sources), -np.inf)
    stirs = np.append(np.diagonal(own, 1), 0.0)
    told = (usual[:, None] > 0) & (stirs[None] > TOLD)
    for step in range(min(STEPS, sources)):
        count = sources - step
        length = np.diagonal(own, step) if step else stirs[:count]
        ratio = np.sqrt(power[:, None]) / np.maximum(usual[:, None] * np.sqrt(length)[None], 1e-6)
        off = (
            (np.maximum(ratio, 0.15) - 0.15) / 0.25 if step == 0 else np.log2(np.clip(ratio, 0.01, 100)) / 0.4
        )
        every[step, :, :count] = np.where(told[:, :count], -np.minimum(0.5 * off * off, MOST_STEP), 0)
    return every


def _less_noise(power: F64, own: F64, path: I64) -> F64:
    """The take's own change in nats less what it changes while the shot stands still."""
    stirs = np.append(np.diagonal(own, 1), 1.0)
    still = np.maximum(stirs, np.append(1.0, stirs[:-1])) < QUIET
    quiet = power[still[path[:-1]] & still[path[1:]]]
    return np.maximum(power - (np.median(quiet) * 1.5 if len(quiet) > 1 else 0.0), 0)


def _slack(evidence: F64, own: F64) -> F64:
    """Evidence less what an outline drawn beside its place gives: a share of what the frames differ by."""
    best = evidence.argmax(1)
    return np.minimum(evidence - evidence.max(1, keepdims=True) + SLACK * own[best], 0)


def _told(evidence: F64, seen: F32, own: F64, path: I64) -> F64:
    """Evidence, limited to what the take itself can tell apart: while its picture stands still (a plain cylinder that
    turns), the render's texture may not choose between the frames."""
    steps = np.diff(_flat(seen), axis=0)
    power = _less_noise((steps * steps).sum(1).astype(np.float64) * 0.5 * ALIKE, own, path)
    lively = np.array([power[max(0, i - STARE) : i + STARE + 1].max() for i in range(len(power))])
    walked = np.concatenate([[0.0], np.cumsum(np.sqrt(2 * lively))])
    shown, first = np.unique(path, return_index=True)
    place = np.interp(np.arange(evidence.shape[1]), shown, walked[first])
    best = evidence.argmax(1)
    limit = 0.5 * TELLS * (place[None] - place[best][:, None]) ** 2
    news = np.clip(np.maximum(np.append(power, power[-1:]), np.append(power[:1], power)) / NEWS, 0.08, 1.0)
    return np.maximum(evidence - evidence.max(1, keepdims=True), -limit) * news[:, None]
