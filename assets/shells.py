# SPDX-License-Identifier: GPL-3.0-or-later
"""Which shells of a mesh lie inside which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mesh import F64, I64, Mask, areas, volumes
from .rays import windings
from .topology import Topology

_ASKED = 5
"""Points of a shell that must all lie inside another one: shells that cross are not inside."""


@dataclass(frozen=True)
class Shells:
    """(S,) measures of each shell, in the order of the labels of ``Topology.shells``."""

    faces: I64
    volume: F64
    """cubic metres, signed; of an open shell as if closed towards the middle of the mesh's box"""
    area: F64
    closed: Mask
    around: I64
    """how many other closed shells are around it"""


def measure(points: F64, triangles: I64, topology: Topology) -> Shells:
    """All shells. O(triangles), plus a few rays a shell."""
    label = topology.shells
    count = int(label.max()) + 1 if len(label) else 0
    sizes = np.bincount(label, minlength=count)
    area = np.asarray(np.bincount(label, areas(points, triangles), count), np.float64)
    volume = np.asarray(np.bincount(label, volumes(points, triangles), count), np.float64)
    around = _around(points, triangles, label, count, topology.closed)
    return Shells(sizes, volume, area, topology.closed, around)


def _around(points: F64, triangles: I64, label: I64, count: int, closed: Mask) -> I64:
    """(count,) closed shells around each shell, by an odd number of crossings."""
    around = np.zeros(count, np.int64)
    if count < 2:
        return around
    order = np.argsort(label, kind="stable")
    first = np.searchsorted(label[order], np.arange(count))
    sizes = np.bincount(label, minlength=count)
    steps = np.arange(_ASKED) * np.maximum(sizes - 1, 0)[:, None] // max(_ASKED - 1, 1)
    asked = points[triangles[order[first[:, None] + steps]]].mean(axis=2).reshape(-1, 3)
    solid = closed[label]
    query, shell, winding = windings(asked, points, triangles[solid], label[solid])
    other = (query // _ASKED != shell) & (winding % 2 != 0)
    pairs, times = np.unique(query[other] // _ASKED * count + shell[other], return_counts=True)
    np.add.at(around, pairs[times == _ASKED] // count, 1)
    return around
