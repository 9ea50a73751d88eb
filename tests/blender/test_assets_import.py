# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts in the scene: exact topology, real size, no duplicates, and the artist's edits kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np
import pytest

Module = Callable[[str], ModuleType]
CUBE = "\n".join(
    [f"v {x} {y} {z}" for z in (0, 0.04) for y in (-0.01, 0.01) for x in (-0.01, 0.01)]
    + ["vt 0 0", "vt 1 0", "vt 1 1", "vt 0 1"]
    + [f"f {a}/1 {b}/2 {c}/3 {d}/4" for a, b, c, d in (
        (1, 3, 4, 2), (5, 6, 8, 7), (1, 2, 6, 5), (2, 4, 8, 6), (4, 3, 7, 8), (3, 1, 5, 7))]
)  # fmt: skip
PEG = {"kind": "peg", "radius": 0.006, "length": 0.01, "axis": [0, 0, -1], "origin": [0, 0, 0]}
SOCKET = {"kind": "socket", "radius": 0.007, "depth": 0.012, "axis": [0, 0, 1], "origin": [0, 0, 0.04]}


@pytest.fixture
def parts(module: Module, tmp_path: Path) -> list[object]:
    importing, finishes = module("operators.importing"), module("rendering.finishes")
    look = finishes.variants(1, 1)[0]
    texture = tmp_path / "skin.png"
    module("pipeline.pictures").write_picture(texture, np.full((8, 8, 3), 128, np.uint8))
    made = []
    for name, asset, features, slot in (
        ("body", "a_body", (SOCKET,), "primary"), ("lid", "a_lid", (), "secondary"), ("peg", "a_lid", (PEG,), "accent"),
    ):  # fmt: skip
        path = tmp_path / f"{name}.obj"
        path.write_text(CUBE)
        made.append(importing.MadePart(name, asset, path, texture, features, look.finishes[slot]))
    return made


def test_parts_stand_at_real_size(module: Module, parts: list[object]) -> None:
    objects = module("operators.importing").import_parts(bpy.context.scene, parts, "d1")
    body, lid, peg = objects
    bpy.context.view_layer.update()
    assert [thing.name for thing in objects] == ["body", "lid", "peg"]
    assert tuple(round(v, 4) for v in body.dimensions) == (0.02, 0.02, 0.04)
    assert (len(body.data.vertices), len(body.data.polygons), len(body.data.uv_layers)) == (8, 6, 1)
    assert peg.parent == lid and round(lid.location.z, 5) == 0.04
    assert [thing.holdfast.part_id for thing in objects] == [1, 2, 3]
    assert json.loads(body["holdfast_feature"])["kind"] == "socket" and body["holdfast_source"] == "d1"
    assert all(thing.users_collection[0].name == "Holdfast parts" for thing in objects)


def test_again_swaps_meshes_only(module: Module, parts: list[object]) -> None:
    importing = module("operators.importing")
    body, lid, _peg = importing.import_parts(bpy.context.scene, parts, "d1")
    body.location.x, body.name = 0.5, "artist's name"
    lid.data.materials[0].node_tree.nodes["Principled BSDF"].inputs["Roughness"].default_value = 0.77
    meshes, materials, before = len(bpy.data.meshes), len(bpy.data.materials), body.data
    again = importing.import_parts(bpy.context.scene, parts, "d2")
    assert again[0] == body and body.data != before and body["holdfast_source"] == "d2"
    assert body.location.x == 0.5 and body.name == "artist's name"
    assert (len(bpy.data.meshes), len(bpy.data.materials)) == (meshes, materials)
    kept = lid.data.materials[0].node_tree.nodes["Principled BSDF"].inputs["Roughness"].default_value
    assert kept == pytest.approx(0.77)


def test_a_lost_part_comes_back_alone(module: Module, parts: list[object]) -> None:
    importing = module("operators.importing")
    body, lid, peg = importing.import_parts(bpy.context.scene, parts, "d1")
    meshes = (body.data, lid.data)
    bpy.data.objects.remove(peg)
    again = importing.import_parts(bpy.context.scene, parts, "d1", renew=False)
    assert (body.data, lid.data) == meshes and again[2].parent == lid and again[2].holdfast.part_id == 3


def test_artists_own_material_stays(module: Module, parts: list[object]) -> None:
    importing = module("operators.importing")
    body = importing.import_parts(bpy.context.scene, parts, "d1")[0]
    body.data.materials[0] = bpy.data.materials.new("mine")
    assert importing.import_parts(bpy.context.scene, parts, "d2")[0].data.materials[0].name == "mine"


def test_bad_mesh_changes_nothing(module: Module, parts: list[object]) -> None:
    Path(parts[2].mesh).write_text("v 0 0 0\nf 1 2 3\n")  # type: ignore[attr-defined]
    with pytest.raises(module("pipeline.errors").InputError, match=r"peg\.obj is damaged"):
        module("operators.importing").import_parts(bpy.context.scene, parts, "d1")
    assert not bpy.data.objects and not bpy.data.meshes


def test_untouched_material_is_told_from_an_edited_one(module: Module) -> None:
    materials, finishes = module("rendering.materials"), module("rendering.finishes")
    for look in finishes.variants(4, 1):
        for finish in look.finishes.values():
            made = bpy.data.materials.new("m")
            materials.build(made, finish)
            assert materials.is_untouched(made)
            made.node_tree.nodes.new("ShaderNodeMath")
            assert not materials.is_untouched(made)


def test_textures_move_with_the_file(module: Module, parts: list[object], tmp_path: Path) -> None:
    home = tmp_path / "here" / "shot.blend"
    (home.parent / "assets").mkdir(parents=True)
    for part in parts:
        inside = home.parent / "assets" / part.texture.name
        shutil.copyfile(part.texture, inside)
    parts = [replace(part, texture=home.parent / "assets" / part.texture.name) for part in parts]
    bpy.ops.wm.save_as_mainfile(filepath=str(home))
    module("operators.importing").import_parts(bpy.context.scene, parts, "d1")
    bpy.ops.wm.save_as_mainfile(filepath=str(home))
    moved = home.parent.rename(tmp_path / "there")
    bpy.ops.wm.open_mainfile(filepath=str(moved / "shot.blend"), load_ui=False)
    image = next(image for image in bpy.data.images if image.source == "FILE")
    assert image.filepath == "//assets/skin.png"
    assert image.size[0] == 8, "the texture is where the file is now"
