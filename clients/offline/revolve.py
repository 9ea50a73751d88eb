# SPDX-License-Identifier: GPL-3.0-or-later
"""Turned parts: a profile swept around the Z axis into rings of quads, closed at the axis, unwrapped and watertight."""

from dataclasses import dataclass

import numpy as np

from .atlas import Place, pack
from .meshing import F64, I64, Mesh, mesh

MM = 0.001


@dataclass(frozen=True)
class Chart:
    """A run of profile points [first, last] unwrapped as a strip around the part or, at the axis, as a disc.

    ``arc`` length in mm along the profile from the chart's start; ``place`` in the texture; ``radius`` (mm) that the strip's
    width stands for.
    """

    first: int
    last: int
    disc: bool
    arc: F64
    place: Place
    radius: float


@dataclass(frozen=True)
class Turned:
    """The mesh, its profile (N, 2) mm and its charts, from which the texture is painted."""

    mesh: Mesh
    profile: F64
    charts: list[Chart]


def revolve(profile: F64, segments: int, margin: float) -> Turned:
    """Sweeps a profile (N, 2) mm, from the axis back to the axis with the solid on its left, around Z.

    ``segments`` around (made even), ``margin`` between charts in texture units. The front of the drawing looks along +Y; the
    seam is at the back.
    """
    segments = max(8, 2 * round(segments / 2))
    charts = _charts(profile, margin)
    angle = np.pi / 2 + 2 * np.pi * np.arange(segments) / segments
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ring[:, 0] = 0.5 * (ring[:, 0] - ring[(-np.arange(segments)) % segments, 0])  # exactly mirrored
    inner = profile[1:-1]
    body = np.concatenate(
        [inner[:, None, :1] * ring, np.broadcast_to(inner[:, None, 1:], (len(inner), segments, 1))], axis=2
    )
    poles = np.array([[0, 0, profile[0, 1]], [0, 0, profile[-1, 1]]])
    vertices = np.vstack([body.reshape(-1, 3), poles]) * MM
    built = _faces(profile, segments, charts)
    return Turned(mesh(vertices, *built), profile, charts)


def _faces(profile: F64, segments: int, charts: list[Chart]) -> tuple[I64, I64, F64, F64]:
    count = len(profile) - 2
    j = np.arange(segments)
    k = (j + 1) % segments
    quads, tris, quad_uv, tri_uv = [], [], [], []
    for chart in charts:
        uv = _chart_uv(chart, segments)
        for i in range(chart.first, chart.last):
            low, high = i - 1, i
            a, b = uv[i - chart.first], uv[i + 1 - chart.first]
            if i == 0:
                tris.append(np.stack([np.full(segments, count * segments), k, j], axis=1))
                tri_uv.append(np.stack([0.5 * (a[:-1] + a[1:]), b[1:], b[:-1]], axis=1))
            elif i == len(profile) - 2:
                top = np.full(segments, count * segments + 1)
                tris.append(np.stack([low * segments + j, low * segments + k, top], axis=1))
                tri_uv.append(np.stack([a[:-1], a[1:], 0.5 * (b[:-1] + b[1:])], axis=1))
            else:
                lo, hi = low * segments, high * segments
                quads.append(np.stack([lo + j, lo + k, hi + k, hi + j], axis=1))
                quad_uv.append(np.stack([a[:-1], a[1:], b[1:], b[:-1]], axis=1))
    empty = np.empty((0, 4))
    return (
        np.concatenate(quads) if quads else empty.astype(np.int64), np.concatenate(tris),
        np.concatenate(quad_uv) if quads else empty, np.concatenate(tri_uv),
    )  # fmt: skip


def _chart_uv(chart: Chart, segments: int) -> F64:
    """(points, segments + 1, 2) texture coordinates of a chart's rings."""
    turn = np.arange(segments + 1) / segments
    place = chart.place
    if not chart.disc:
        u = place.u + place.width * turn
        v = place.v + place.height * chart.arc / chart.arc[-1]
        return np.stack(np.broadcast_arrays(u[None, :], v[:, None]), axis=2)
    inward = chart.arc if chart.first == 0 else chart.arc[-1] - chart.arc
    radius = inward / chart.arc[-1] * place.width / 2
    spin = -1.0 if chart.first == 0 else 1.0  # seen from below the ring runs the other way
    angle = np.pi / 2 + spin * 2 * np.pi * turn
    centre = np.array([place.u + place.width / 2, place.v + place.height / 2])
    return centre + radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)[None]


def _charts(profile: F64, margin: float) -> list[Chart]:
    runs = split(profile)
    step = np.linalg.norm(np.diff(profile, axis=0), axis=1)
    arcs = [np.r_[0.0, np.cumsum(step[a:b])] for a, b, _ in runs]
    sizes, radii = [], []
    for (a, b, disc), arc in zip(runs, arcs, strict=True):
        weight = step[a:b]
        radius = float(
            (0.5 * (profile[a:b, 0] + profile[a + 1 : b + 1, 0]) * weight).sum() / max(weight.sum(), 1e-9)
        )
        radii.append(radius)
        sizes.append(
            (2 * arc[-1], 2 * arc[-1]) if disc else (2 * np.pi * max(radius, 0.15 * arc[-1]), float(arc[-1]))
        )
    _, places = pack(sizes, margin)
    made = zip(runs, arcs, places, radii, strict=True)
    return [Chart(a, b, disc, arc, place, radius) for (a, b, disc), arc, place, radius in made]


def split(profile: F64) -> list[tuple[int, int, bool]]:
    """Runs (first, last, is a disc) of the profile that are unwrapped together: caps, outer wall, inner wall and floor."""
    last = len(profile) - 1
    start, stop = _level_run(profile), last - _level_run(profile[::-1])
    runs = [(0, start, True)] if start else []
    middle_start, middle_stop = start, stop if stop > start else last
    top = inner_start(profile)
    if middle_start < top < middle_stop:
        runs += [(middle_start, top, False), (top, middle_stop, False)]
    else:
        runs.append((middle_start, middle_stop, False))
    return [*runs, (stop, last, True)] if middle_stop == stop and stop < last else runs


def inner_start(profile: F64) -> int:
    """Index from which the profile runs down inside a cavity; the last one if it ends at its top."""
    top = int(np.argmax(profile[:, 1]))
    return top if profile[-1, 1] < profile[top, 1] - 0.05 * float(np.ptp(profile[:, 1])) else len(profile) - 1


def _level_run(profile: F64) -> int:
    """How many points from the axis on belong to a level cap; 0 if the profile leaves the axis steeply or it is small."""
    slope = np.abs(np.diff(profile[:, 1])) <= 0.35 * np.abs(np.diff(profile[:, 0]))
    count = int(np.argmin(slope)) if not slope.all() else len(slope)
    wide = profile[count, 0] > 0.3 * float(profile[:, 0].max())
    return (
        count
        if count and wide and float(np.ptp(profile[: count + 1, 1])) < 0.2 * float(profile[count, 0])
        else 0
    )
