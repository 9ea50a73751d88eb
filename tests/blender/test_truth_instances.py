# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances and same-named objects are parts of their own: rendered, and compared with where they are."""

from __future__ import annotations

import math
from pathlib import Path

import bpy
import numpy as np
import pytest
from holdfast.operators.marking import mark_instances, mark_objects
from holdfast.pipeline.errors import InputError
from holdfast.rendering import cryptomatte, exr, instances, parts, throwaway
from holdfast.rendering.scenes import _geometry
from holdfast.rendering.scenes import Order

from . import truth_scenes as scenes

SIZE = (96, 32)


@pytest.fixture
def scene() -> bpy.types.Scene:
    """A camera that looks straight down at 12 x 4 metres, 8 pixels a metre."""
    scene = scenes.new_scene(SIZE, 3)
    camera = scene.camera
    camera.data.type, camera.data.ortho_scale, camera.location = "ORTHO", 12, (0, 0, 5)
    return scene


def scatter(points, thing: bpy.types.Object | None, name: str = "bolts", own: bool = False) -> bpy.types.Object:
    """An object whose geometry nodes put ``thing`` (None: a generated square) on each of its points."""
    maker = scenes.add_mesh(name, points, [], part=False)
    if own:
        maker.data.from_pydata([(-6, -2, -1), (6, -2, -1), (6, 2, -1), (-6, 2, -1)], [], [])
    tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    new, link = tree.nodes.new, tree.links.new
    on_points = new("GeometryNodeInstanceOnPoints")
    link(new("NodeGroupInput").outputs[0], on_points.inputs["Points"])
    if thing is None:
        source = new("GeometryNodeMeshGrid")
        source.inputs["Vertices X"].default_value = source.inputs["Vertices Y"].default_value = 2
        link(source.outputs["Mesh"], on_points.inputs["Instance"])
    else:
        source = new("GeometryNodeObjectInfo")
        source.inputs["Object"].default_value, source.inputs["As Instance"].default_value = thing, True
        link(source.outputs["Geometry"], on_points.inputs["Instance"])
    link(on_points.outputs[0], new("NodeGroupOutput").inputs[0])
    maker.modifiers.new("nodes", "NODES").node_group = tree
    return maker


def square(name: str = "bolt", half: float = 0.5, shown: bool = False) -> bpy.types.Object:
    thing = scenes.add_plane(name, half, part=False)
    if not shown:
        bpy.context.scene.collection.objects.unlink(thing)
    return thing


def covered(scene, folder: Path, frames=(1,)) -> list[tuple[list[parts.Part], np.ndarray]]:
    """The parts, and (P, H, W) which pixels each covers, frame by frame, through a throw-away scene."""
    scene.view_layers[0].update()
    found, result = parts.read_parts(scene), []
    with throwaway.copies():
        copy = _geometry(scene, "ids", folder, Order(found, 1, False), None)
        for frame in frames:
            copy.frame_set(frame)
            if instances.needed(found):
                instances.realise(copy, found)
            copy.frame_start = copy.frame_end = frame
            bpy.ops.render.render(animation=True, scene=copy.name)
            channels = exr.read_channels(folder / f"ids.{frame:04d}.exr")
            names = [name for part in found for name in part.cover]
            shares = cryptomatte.shares(channels, names)
            hit = shares.foremost()
            numbers = {name: number for number, name in enumerate(names, 1)}
            result.append(np.array([np.isin(hit, [numbers[name] for name in part.cover]) for part in found]))
            poses = parts.poses(copy, found)
            assert np.isfinite(poses).all()
    assert not [thing for kind in (bpy.data.objects, bpy.data.meshes, bpy.data.collections, bpy.data.scenes)
                for thing in kind if thing.get(throwaway.MARK)]  # fmt: skip
    return [(found, each) for each in result]


def middle(mask: np.ndarray) -> tuple[float, float, int]:
    """World x and y of the middle of a mask, and how many pixels it has."""
    rows, columns = np.nonzero(mask)
    return (columns.mean() + 0.5) / 8 - 6, 2 - (rows.mean() + 0.5) / 8, len(rows)


@pytest.mark.parametrize("generated", [False, True])
def test_instances_of_one_mesh_stay_apart(scene, tmp_path, generated: bool) -> None:
    places = [(-4, 0, 0), (-1, 1, 0), (3, -1, 0)]
    maker = scatter(places, None if generated else square())
    scene.view_layers[0].update()
    assert mark_instances(scene, [maker], False) == 3
    found, masks = covered(scene, tmp_path)[0]
    assert [part.name for part in found] == ["bolts 1", "bolts 2", "bolts 3"]
    for part, mask, place in zip(found, masks, places, strict=True):
        x, y, pixels = middle(mask)
        print(part.name, x - place[0], y - place[1], pixels)
        assert (x, y, pixels) == (place[0], place[1], 64)
        assert part.bounds == ((-0.5, -0.5, 0), (0.5, 0.5, 0))
