# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts, the work on them and the comparison of whole files, for the tests of rigid bodies."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
import holdfast.operators.bodies as bodies
import numpy as np
from holdfast.operators.bodies import Outcome, Request
from holdfast.physics import settle

sys.path.insert(0, str(Path(__file__).parent))
from scene_dump import differences, dump

P = bpy.ops.mesh


def add(name: str, make: Any = P.primitive_cube_add, **how: Any) -> bpy.types.Object:
    make(**(how or {"size": 0.03}))
    ob = bpy.context.object
    ob.name = name
    bpy.context.view_layer.update()
    return ob


def shapes() -> list[bpy.types.Object]:
    """One 30 mm part of each kind of shape."""
    return [
        add("box", size=0.03, location=(0.0, 0.0, 0.1)),
        add("can", P.primitive_cylinder_add, radius=0.01, depth=0.03, location=(0.1, 0.0, 0.1)),
        add("ball", P.primitive_uv_sphere_add, radius=0.015, location=(0.2, 0.0, 0.1)),
        add("cone", P.primitive_cone_add, radius1=0.015, depth=0.03, location=(0.3, 0.0, 0.1)),
        add("ring", P.primitive_torus_add, major_radius=0.011, minor_radius=0.004, location=(0.4, 0.0, 0.1)),
    ]


def done(work: Generator[Any, None, Outcome]) -> Outcome:
    try:
        while True:
            next(work)
    except StopIteration as stop:
        return stop.value


def make(objects: list[bpy.types.Object], **request: Any) -> Outcome:
    return done(bodies.make(bpy.context.scene, objects, Request(**{"trust": True, "test": False} | request)))


def proxy_of(ob: bpy.types.Object) -> bpy.types.Object:
    return settle.body_of(ob)


def world_points(ob: bpy.types.Object) -> np.ndarray:
    graph = bpy.context.evaluated_depsgraph_get()
    mesh = ob.evaluated_get(graph).to_mesh()
    found = np.array([ob.matrix_world @ vertex.co for vertex in mesh.vertices], dtype=np.float64)
    ob.evaluated_get(graph).to_mesh_clear()
    return found


def same(before: dict[str, Any]) -> None:
    """The file is as it was; prints what is not."""
    changed = differences(before, dump())
    print(*changed, sep="\n")
    assert not changed
