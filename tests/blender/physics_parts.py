# SPDX-License-Identifier: GPL-3.0-or-later
"""Lathe-made test parts: a body with a bore, a lid with a shoulder, a peg; metres, axis on +Z."""

from __future__ import annotations

import itertools
import json
import math

import bpy

PROFILE_BODY = ((0.0, -0.036), (0.021, -0.036), (0.023, -0.03), (0.018, -0.01), (0.0145, 0.0))
PROFILE_LID = ((0.0, 0.0), (0.0155, 0.0), (0.0155, 0.004), (0.006, 0.016), (0.0, 0.018))


def lathe(name: str, profile: tuple[tuple[float, float], ...], segments: int = 96) -> bpy.types.Object:
    """A closed solid of revolution from (r, z) points, given outwards and counter-clockwise (axis to axis)."""
    vertices: list[tuple[float, float, float]] = []
    rings: list[list[int]] = []
    for r, z in profile:
        if r == 0.0:
            rings.append([len(vertices)])
            vertices.append((0.0, 0.0, z))
            continue
        rings.append(list(range(len(vertices), len(vertices) + segments)))
        for k in range(segments):
            a = 2 * math.pi * k / segments
            vertices.append((r * math.cos(a), r * math.sin(a), z))
    faces: list[tuple[int, ...]] = []
    for below, above in itertools.pairwise(rings):
        for k in range(segments):
            n = (k + 1) % segments
            if len(below) == 1:
                faces.append((below[0], above[n], above[k]))
            elif len(above) == 1:
                faces.append((below[k], below[n], above[0]))
            else:
                faces.append((below[k], below[n], above[n], above[k]))
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, [], faces)
    layer = mesh.uv_layers.new(name="UVMap")
    for polygon in mesh.polygons:
        polygon.use_smooth = True
        for loop in polygon.loop_indices:
            x, y, z = mesh.vertices[mesh.loops[loop].vertex_index].co
            layer.uv[loop].vector = (math.atan2(y, x) / math.tau + 0.5, 10 * z + 0.5)
    mesh.materials.append(bpy.data.materials.new(name))
    ob = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(ob)
    return ob


def body(bore: float = 0.0077, depth: float = 0.012, features: bool = True) -> bpy.types.Object:
    """A round body with a bore from its top at z = 0."""
    ob = lathe("body", (*PROFILE_BODY, (bore, 0.0), (bore, -depth), (0.0, -depth)))
    if features:
        ob["holdfast_feature"] = json.dumps(
            {"kind": "socket", "radius": bore, "depth": depth, "axis": [0, 0, 1], "origin": [0, 0, 0]}
        )
    return ob


def peg(radius: float = 0.0075, length: float = 0.010, features: bool = True) -> bpy.types.Object:
    """A plain peg that hangs down from z = 0; its root stands 1 mm in the lid."""
    ob = lathe("peg", ((0.0, -length), (radius, -length), (radius, 0.001), (0.0, 0.001)))
    if features:
        ob["holdfast_feature"] = json.dumps(
            {"kind": "peg", "radius": radius, "length": length, "axis": [0, 0, -1], "origin": [0, 0, 0]}
        )
    return ob


def lantern() -> tuple[bpy.types.Object, bpy.types.Object, bpy.types.Object]:
    """Body, lid and peg, marked as parts; the lid with its peg stands beside the body."""
    parts = (body(), lathe("lid", PROFILE_LID), peg())
    for number, ob in enumerate(parts, 1):
        ob.holdfast.is_part = True
        ob.holdfast.part = ob.name
        ob.holdfast.part_id = number
    parts[2].parent = parts[1]
    parts[1].location = (0.05, 0.0, 0.02)
    return parts
