# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of every kind, through the whole stage."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from holdfast.operators.marking import mark_collection, mark_instances, mark_objects, mark_slots

from . import instance_scenes as made
from . import truth_scenes as scenes
from .scene_dump import dump


@pytest.fixture
def scene() -> bpy.types.Scene:
    return made.from_above()


@pytest.mark.parametrize(("make", "pixels"), [(made.by_vertices, (96, 160)), (made.by_collection, (16, 52))])
def test_one_part_through_the_stage(scene, tmp_path, make, pixels) -> None:
    """The whole matte of one part is all of its instances, hidden ones too."""
    scene.frame_end = 1
    makers = make(scene)
    for other in makers[1:]:
        bpy.data.objects.remove(other)
    lid = made.square("lid", 0.5, True)
    lid.location = (*makers[0].location[:2], 2)
    scene.view_layers[0].update()
    mark_objects(scene, makers[:1])
    truth = scenes.make(tmp_path)
    seen, whole = (each(truth.parts[0].name, 1).sum() for each in (truth.matte, truth.whole))
    print(make.__name__, seen, whole)
    assert (seen, whole) == pixels


def test_through_the_stage(scene, tmp_path) -> None:
    """Package of a shot with all four kinds of parts; instances move, and one is hidden at first."""
    scene.frame_end = 2
    maker = made.scatter([(-4, 1, 0), (-2, 1, 0)], made.square())
    scenes.key(maker, "location", {1: (0, 0, 0), 2: (0, -2, 0)})
    plate = scenes.add_mesh(
        "plate", [(x, y, 0) for x in (1, 2, 3) for y in (0, 1)], [(0, 2, 3, 1), (2, 4, 5, 3)], False
    )
    for face, name in enumerate(("red", "blue")):
        plate.data.materials.append(bpy.data.materials.new(name))
        plate.data.polygons[face].material_index = face
    pair = [made.square(f"{side} of pair", 0.25, True) for side in "ab"]
    for x, thing in zip((4, 5), pair, strict=True):
        thing.location.x = x
        scene.collection.objects.unlink(thing)
    together = made.collection_of("pair", *pair)
    scene.collection.children.link(together)
    cover = made.square("cover", 0.5, True)
    cover.location = (-4, 1, 1)
    scene.frame_set(1)
    mark_instances(scene, [maker], False)
    mark_slots(scene, [plate])
    mark_collection(scene, together)
    before = dump()
    truth = scenes.make(tmp_path)
    assert dump() == before
    assert [(part.name, part.id) for part in truth.parts] == [
        ("bolts 1", 1), ("bolts 2", 2), ("plate red", 3), ("plate blue", 4), ("pair", 5)]  # fmt: skip
    for frame, hidden in ((1, 0), (2, 64)):
        pixels = {part.name: int((truth.ids(frame) == part.id).sum()) for part in truth.parts}
        assert pixels == {"bolts 1": hidden, "bolts 2": 64, "plate red": 64, "plate blue": 64, "pair": 32}, (
            frame
        )
        for part in truth.parts:
            seen, alone = truth.matte(part.name, frame), truth.whole(part.name, frame)
            assert abs(seen.sum() - pixels[part.name]) < 8
            assert abs(alone.sum() - (64 if part.name == "bolts 1" else pixels[part.name])) < 8, part.name
    move = truth.pose("bolts 2", 2) - truth.pose("bolts 2", 1)
    assert np.allclose(move[:3, 3], (0, -2, 0)) and np.allclose(truth.pose("pair", 1)[:3, 3], (4, 0, 0))
    vectors = truth.vector(1)[truth.ids(1) == 2]
    assert np.allclose(vectors[:, :2], (0, 16), atol=0.05)


def test_instances_that_come_later_through_the_stage(scene, tmp_path) -> None:
    """Before they are there they cover nothing, and their poses have no extent."""
    maker = made.growing()
    assert mark_instances(scene, [maker], True) == 3
    truth = scenes.make(tmp_path)
    for frame in (1, 2, 3):
        for place, part in enumerate(truth.parts):
            there = place < frame
            pixels = (truth.ids(frame) == part.id).sum()
            assert pixels == 64 * frame * there
            assert abs(truth.matte(part.name, frame).sum() - pixels) < 8
            assert abs(truth.whole(part.name, frame).sum() - pixels) < 8
            assert truth.pose(part.name, frame)[:3, :3].any() == there
