# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts whose rest on a floor is measured: the plain ones, and such as are hollow, bent, bumpy or turned on a lathe."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from bodies_parts import P, add
from physics_parts import lathe

LANTERN = (
    (0.0, -0.015), (0.006, -0.015), (0.0075, -0.013), (0.005, -0.010), (0.0065, -0.004), (0.0065, 0.006),
    (0.004, 0.009), (0.0015, 0.011), (0.001, 0.0145), (0.0, 0.015),
)  # fmt: skip
CUP = (
    (0.0, -0.015), (0.009, -0.015), (0.0115, 0.015), (0.0105, 0.015), (0.0082, -0.0138), (0.0, -0.0138),
)  # fmt: skip


def parts() -> list[bpy.types.Object]:
    """Eight parts of about 30 mm, side by side."""
    made = [
        add("cube", size=0.03),
        add("cylinder", P.primitive_cylinder_add, radius=0.01, depth=0.03),
        add("sphere", P.primitive_uv_sphere_add, radius=0.015),
        lathe("lantern", LANTERN),
        add("Suzanne", P.primitive_monkey_add, size=0.022),
        bracket(),
        lathe("hollow cup", CUP),
        add("ring", P.primitive_torus_add, major_radius=0.011, minor_radius=0.004),
    ]
    for index, ob in enumerate(made):
        ob.location = (0.1 * index, 0.0, 0.1)
    bpy.context.view_layer.update()
    return made


def bracket() -> bpy.types.Object:
    """An angle of 4 mm plate, 30 mm each way, 20 mm wide."""
    side, thick, half = 0.03, 0.004, 0.01
    outline = [(0.0, 0.0), (side, 0.0), (side, thick), (thick, thick), (thick, side), (0.0, side)]
    points = [(x, y, z) for y in (-half, half) for x, z in outline]
    sides = [((k + 1) % 6, k, 6 + k, 6 + (k + 1) % 6) for k in range(6)]
    mesh = bpy.data.meshes.new("L-bracket")
    mesh.from_pydata(points, [], [tuple(range(6)), tuple(range(11, 5, -1)), *sides])
    mesh.validate()
    ob = bpy.data.objects.new("L-bracket", mesh)
    bpy.context.scene.collection.objects.link(ob)
    return ob


def line(name: str, record: object, verdict: object) -> str:
    """One row of the table of figures."""
    shape = record.shape  # type: ignore[attr-defined]
    v = verdict
    return (
        f"{name:11}{shape.kind:12}{len(shape.pieces):3} pieces  gap {v.gap_mm:8.5f} of {v.margin_mm:.4f} mm  "  # type: ignore[attr-defined]
        f"jitter {v.jitter_mm:.5f} mm/frame  seen {v.seen_gap_mm:+8.4f} mm  turned {v.turned_deg:6.2f} deg  "  # type: ignore[attr-defined]
        f"{'rests' if v.stable else 'UNSTABLE'}, {'stands as it is' if v.stands else 'falls over as it is'}"  # type: ignore[attr-defined]
    )
