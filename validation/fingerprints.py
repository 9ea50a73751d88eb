# SPDX-License-Identifier: GPL-3.0-or-later
"""How alike each frame of a take is to each frame of the shot, whatever the look (notes M1).

A fingerprint is the direction of the edges in each cell of a small picture: blind to colour, light and the sign of
contrast. Only cells where the shot changes over time count. The take's fingerprint is modelled as

    take(t) = still + gain * shot(s(t)) + shift(t) * slope(s(t)) + noise

with a look of its own that stands still, an answer to the shot's edges by part, a small shift of the whole picture a
frame (a camera that shakes is no other time), and noise of its own strength in each cell.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32, U8

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
CELLS = 14400
"""Of the small picture: 160x90 for one of 16:9."""
SOFT = 4.0
"""Levels a cell below which an edge counts less."""
MOST_CELLS = 2500
LEAST_CHANGE = 0.002
"""Mean square over time of a cell's fingerprint from which it moves."""
NOISE_FLOOR = 0.015
USUAL_GAIN = 0.35
"""How strongly looks answer to render and to outlines, each."""


def small_size(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) of the small picture of a shot of ``size``."""
    width = max(16, round(math.sqrt(CELLS * size[0] / size[1])))
    return width, max(9, round(width * size[1] / size[0]))


def shrink(rgb: U8, size: tuple[int, int]) -> U8:
    """(h, w, 3) uint8 small picture, each cell the mean of what it covers."""
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def edges(small: U8) -> F32:
    """(h, w, 3) float32 gx gx, gy gy, sqrt(2) gx gy over colours, of unit length where an edge is strong."""
    soft = cv2.GaussianBlur(small.astype(np.float32), (0, 0), 1.0)
    gx, gy = (cv2.Scharr(soft, cv2.CV_32F, x, 1 - x, scale=1 / 16) for x in (1, 0))
    total = np.full((1, 3), 1 / 3, np.float32)
    xx, yy, xy = (cv2.transform(a * b, total) for a, b in ((gx, gx), (gy, gy), (gx, gy)))
    power = xx + yy + SOFT * SOFT
    return np.stack([xx / power, yy / power, math.sqrt(2) * xy / power], -1)


def outline(ids: NDArray[Any], size: tuple[int, int]) -> U8:
    """(h, w, 3) uint8 small picture of the parts alone, each in a colour far from that of the others."""
    wide = ids
    if ids.shape[1] > 6 * size[0]:
        wide = cv2.resize(ids, (4 * size[0], 4 * size[1]), interpolation=cv2.INTER_NEAREST_EXACT)
    return shrink(_COLOURS[wide.astype(np.uint16) & 1023], size)


def _colours() -> U8:
    number = np.arange(1024)[:, None]
    table = (127.5 + 127.5 * np.sin(number * np.array([2.4, 3.9, 5.1]) + [0.3, 1.1, 2.7])).astype(np.uint8)
    table[0] = 128
    return table


_COLOURS = _colours()


@dataclass(frozen=True)
class Shot:
    """The shot's side, in the cells that change: ``render`` and ``parts`` (M, C, 3) edges of the render and of the
    parts alone; ``cells`` (C,) flat indices; ``region`` (C,) the part that a cell sees most, 0 background."""

    render: F32
    parts: F32
    cells: I64
    region: I64
    shape: tuple[int, int]
    slopes: tuple[F32, F32]
    """(2, M, C, 3) each: how render and parts change if the picture moves by a cell to the right or down."""

    @classmethod
    def of(cls, renders: Sequence[U8], parts: Sequence[U8], seen: F32) -> "Shot":
        """From small pictures; ``seen`` (K + 1, h, w): share of time that each part, 0 the background, shows."""
        every = [np.stack([edges(small) for small in side]) for side in (renders, parts)]
        change = np.maximum(every[0].var(0), every[1].var(0)).sum(-1).ravel()
        cells = np.flatnonzero(change > LEAST_CHANGE)
        if len(cells) > MOST_CELLS:
            cells = np.sort(cells[np.argsort(change[cells])[-MOST_CELLS:]])
        near = [cv2.dilate(share, np.ones((3, 3), np.uint8)).ravel() for share in seen[1:]]
        region = np.zeros(seen[0].size, np.int64)
        if near:
            region = np.where(np.max(near, 0) > 0, np.argmax(near, 0) + 1, 0)
        height, width = every[0].shape[1:3]
        chosen = [table.reshape(len(table), -1, 3)[:, cells] for table in every]
        slopes = [np.stack([_slope(table, axis)[:, cells] for axis in (2, 1)]) for table in every]
        return cls(chosen[0], chosen[1], cells, region[cells], (height, width), (slopes[0], slopes[1]))

    def around(self, values: F32) -> F32:
        """(C,) mean over the neighbouring cells of those that count."""
        plane = np.zeros((2, *self.shape), np.float32)
        plane[0].flat[self.cells], plane[1].flat[self.cells] = values, 1
        soft = [cv2.blur(each, (5, 5)) for each in plane]
        return np.asarray((soft[0] / np.maximum(soft[1], 1e-6)).ravel()[self.cells], np.float32)

    def take(self, smalls: Sequence[U8]) -> F32:
        """(N, C, 3) edges of a take's small pictures in the same cells."""
        return np.stack([edges(small).reshape(-1, 3)[self.cells] for small in smalls])


def _slope(table: F32, axis: int) -> F32:
    return np.asarray((np.roll(table, 1, axis) - np.roll(table, -1, axis)) / 2).reshape(len(table), -1, 3)


@dataclass(frozen=True)
class Model:
    """How this take answers to the shot: ``still`` (C, 3); ``gain`` (2, C) to render and parts; ``trust`` (C,) one
    over the noise."""

    still: F32
    gain: F32
    trust: F32

    @classmethod
    def of(cls, shot: Shot, take: F32, path: I64) -> "Model":
        """Fitted to the map ``path`` (N,)."""
        mean = take.mean(0)
        a = take - mean
        shown = [side[path] for side in (shot.render, shot.parts)]
        own = [side.mean(0) for side in shown]
        b = [side - each for side, each in zip(shown, own, strict=True)]
        gain = np.zeros((2, len(shot.cells)), np.float32)
        for number in np.unique(shot.region):
            cells = shot.region == number
            x = np.stack([side[:, cells].ravel() for side in b]).astype(np.float64)
            square, both = x @ x.T, x @ a[:, cells].ravel()
            square += (0.02 * np.trace(square) + 1e-3) * np.eye(2)
            gain[:, cells] = np.clip(np.linalg.solve(square, both), 0, 1.2)[:, None]
        rest = a - gain[0][:, None] * b[0] - gain[1][:, None] * b[1]
        noise = shot.around((rest * rest).mean((0, 2)))
        trust = 1 / (noise + 0.5 * float(np.median(noise)) + NOISE_FLOOR)
        still = mean - gain[0][:, None] * own[0] - gain[1][:, None] * own[1]
        return cls(still, gain, trust.astype(np.float32))

    @classmethod
    def expected(cls, shot: Shot, take: F32) -> "Model":
        """Of a take of which no map is known: it answers to render and outlines alike."""
        a = take - take.mean(0)
        gain = np.full((2, len(shot.cells)), USUAL_GAIN, np.float32)
        shown = USUAL_GAIN * (shot.render + shot.parts)
        noise = shot.around(0.5 * (a * a).mean((0, 2)))
        trust = 1 / (noise + 0.5 * float(np.median(noise)) + NOISE_FLOOR)
        return cls(take.mean(0) - shown.mean(0), gain, trust.astype(np.float32))

    def mix(self, render: F32, parts: F32) -> F32:
        """What the take is expected to answer, weighed."""
        return (render * self.gain[0][:, None] + parts * self.gain[1][:, None]) * np.sqrt(self.trust)[:, None]
