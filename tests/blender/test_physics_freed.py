# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts as bodies of a simulation, and back: with their proxies, and without."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from holdfast.physics import dynamics, imported
from holdfast.physics.assembly import Part
from holdfast.physics.freed import Freed, bodies_of, freed

sys.path.insert(0, str(Path(__file__).parent))
from bodies_parts import P, add, make, proxy_of, same, shapes
from physics_truths import floor, run
from scene_dump import dump


def stretched() -> list[bpy.types.Object]:
    parts = shapes()
    parts[0].scale, parts[0].rotation_euler = (1.0, 2.0, 0.5), (0.3, 1.0, -0.2)
    parts[3].scale, parts[3].rotation_euler = (-1.0, 1.0, 1.2), (0.1, 0.4, 0.9)
    bpy.context.view_layer.update()
    return parts


def lowest(ob: bpy.types.Object, matrix: np.ndarray) -> float:
    points = np.array([tuple(vertex.co) for vertex in ob.data.vertices])
    return float((points @ matrix[:3, :3].T + matrix[:3, 3])[:, 2].min())


@pytest.mark.parametrize("proxy", ["none", "live", "animated"])
def test_a_body_stands_where_its_part_does_and_brings_it_along(proxy: str) -> None:
    parts = stretched()
    if proxy != "none":
        make(parts, live=proxy == "live")
    bpy.context.view_layer.update()
    before = dump()
    found: list[Freed] = [run(freed(imported.read(ob))) for ob in parts]
    for ob, made in zip(parts, found, strict=True):
        off = np.abs(made.matrices(made.body.pose) - np.array(ob.matrix_world)).max()
        print(f"{ob.name}: {made.body.shape}, off by {off:.1e}")
        assert off < 2e-6
        if proxy != "none":
            assert np.abs(made.body.pose - np.array(proxy_of(ob).matrix_world)).max() < 2e-6
    motion = run(dynamics.simulate([floor(), *(made.body for made in found)], fps=24, frames=36))
    same(before)
    for index, (ob, made) in enumerate(zip(parts, found, strict=True), start=1):
        low = lowest(ob, made.matrices(motion.poses[-1, index]))
        print(f"{ob.name}: lowest point {1e3 * low:+.4f} mm")
        assert abs(low) < 5e-4


def test_an_assembly_is_welded_and_thrown() -> None:
    cup = add("cup", P.primitive_cylinder_add, radius=0.015, depth=0.03)
    lid = add("lid", size=0.02, location=(0.0, 0.0, 0.025))
    lid.scale = (1.5, 1.5, 1.5)
    bpy.context.view_layer.update()

    def rest(ob: Any) -> np.ndarray:
        return np.array(ob.matrix_world, dtype=np.float64)

    parts = [Part("cup", cup, cup, rest(cup), 1.0), Part("lid", lid, lid, rest(lid), 1.5)]
    found = run(bodies_of(parts))
    assert [made.body.name for made in found] == ["cup", "lid"]
    lifted = [made.at(made.origins(made.body.pose)) for made in found]
    assert np.allclose(lifted[1].pose, found[1].body.pose)
    whole = dynamics.weld("product", [made.body for made in found], damping=(0.0, 0.0),
                          velocity=(0.5, 0.0, 1.0), spin=(2.0, 1.0, 0.0))  # fmt: skip
    motion = run(dynamics.simulate([], welds=[whole], fps=24, frames=13))
    mass = np.array([made.body.mass for made in found])
    centre = (motion.poses[:, :, :3, 3] * mass[None, :, None]).sum(axis=1) / mass.sum()
    t = np.arange(13) / 24
    fall = centre[0, 2] + t - 0.5 * 9.81 * t * t
    print(f"centre off its parabola by {1e3 * np.abs(centre[:, 2] - fall).max():.5f} mm")
    assert np.abs(centre[:, 2] - fall).max() < 2e-5 and np.abs(centre[-1, 0] - centre[0, 0] - 0.25) < 1e-5
    ends = [made.matrices(motion.poses[-1, motion.names.index(made.body.name)]) for made in found]
    apart = np.linalg.inv(ends[0]) @ ends[1]
    assert np.abs(apart - np.linalg.inv(rest(cup)) @ rest(lid)).max() < 1e-6
