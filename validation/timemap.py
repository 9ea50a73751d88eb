# SPDX-License-Identifier: GPL-3.0-or-later
"""Which source frame each frame of the take shows (notes M0 and M1). Runs first: with a wrong map every measure lies."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32, U8

GRID = (160, 90)
BAND = 12
LEAST_WORTH = 0.08
SOFT = 4.0
STILL = 1e-4
"""Mean square of the fingerprint's change in time below which a shot counts as still."""
F64 = NDArray[np.float64]


def fingerprint(rgb: U8, where: NDArray[np.bool_] | None = None) -> NDArray[np.float16]:
    """(N,) edge direction tensor at GRID size, blind to colour, light and the sign of contrast; only of the cells
    ``where`` (90, 160) parts ever show, so that an invented background does not vote."""
    gray = cv2.cvtColor(cv2.resize(rgb, GRID, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY).astype(
        np.float32
    )
    soft = cv2.GaussianBlur(gray, (0, 0), 1.0)
    gx = cv2.Scharr(soft, cv2.CV_32F, 1, 0, scale=1 / 16)
    gy = cv2.Scharr(soft, cv2.CV_32F, 0, 1, scale=1 / 16)
    power = gx * gx + gy * gy + SOFT * SOFT
    return (
        np.stack([gx * gx / power, gy * gy / power, np.sqrt(2) * gx * gy / power]).ravel().astype(np.float16)
    )


@dataclass(frozen=True)
class TimeMap:
    """``source`` (N,) index of the source frame that each take frame shows; ``confidence`` 0.. of the whole map;
    ``certain`` (N,) bool where the picture changes enough to tell; ``score`` (N,) how much of the
    lead over the expected frame, that such a shift in time would give, the take shows: about 1 if it is real."""

    source: NDArray[np.int64]
    confidence: float
    certain: NDArray[np.bool_]
    score: F64


def _centred(prints: list[NDArray[np.float16]]) -> F32:
    table = np.stack(prints).astype(np.float32)
    table -= table.mean(0)
    return np.asarray(table / (np.linalg.norm(table, axis=1, keepdims=True) + 1e-6), np.float32)


def likeness(take: list[NDArray[np.float16]], source: list[NDArray[np.float16]]) -> F32:
    """(N, M) cosine of fingerprints less their temporal mean."""
    return np.asarray(_centred(take) @ _centred(source).T, np.float32)


def find_map(scores: F32, own: F32, still: F64, stay: float = 0.02) -> TimeMap:
    """The best monotone map of take frames (rows) to source frames (columns) within BAND of the diagonal.

    ``own`` (M, M) is the likeness of the source to itself; ``still`` (M,) tells how much the source changes around a frame (mean likeness lost to its neighbours);
    ``stay`` is what leaving the expected frame must be worth, so that a still picture keeps its expected map.
    """
    count, sources = scores.shape
    index = np.arange(sources)
    expected = np.minimum(np.arange(count), sources - 1)
    reward = scores - stay * (index[None] != expected[:, None])
    reward[np.abs(index[None] - expected[:, None]) > BAND] = -9
    best, came = reward[0].astype(np.float64), np.zeros((count, sources), int)
    for row in range(1, count):
        top = np.maximum.accumulate(best)
        at = np.maximum.accumulate(np.where(best >= top, index, 0))
        came[row] = at
        best = top + reward[row]
    path = np.zeros(count, int)
    path[-1] = int(best.argmax())
    for row in range(count - 1, 0, -1):
        path[row - 1] = came[row, path[row]]
    rows = np.arange(count)
    lead = scores[rows, path] - scores[rows, expected]
    spread = np.array([scores[r].max() - np.median(scores[r]) for r in rows])
    certain = still[np.minimum(expected, len(still) - 1)] > 0.01
    kept = float(np.median(scores.max(1)))
    worth = kept * np.maximum(
        1 - own[np.minimum(path, len(own) - 1), np.minimum(expected, len(own) - 1)], LEAST_WORTH
    )
    return TimeMap(
        path, float(np.median(spread)), certain, (lead / np.maximum(worth, 1e-3)).astype(np.float64)
    )


def change(source: list[NDArray[np.float16]]) -> F64:
    """(M,) how much the source's fingerprint turns from each frame to the next, 0 where it stands still."""
    table = np.stack(source).astype(np.float32)
    spread = table - table.mean(0)
    usual = max(float((spread * spread).sum(1).mean()), STILL * table.shape[1])
    step = ((table[1:] - table[:-1]) ** 2).sum(1) / (2 * usual)
    padded = np.concatenate([step[:1], step, step[-1:]]) if len(step) else np.zeros(len(table) + 1)
    return np.asarray((padded[1:] + padded[:-1]) / 2, np.float64)
