# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh files into the scene: plain, at real size, with their origin; nothing else of the file, nothing of the artist's lost."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import bpy
import pytest
from holdfast.operators import asset_identity, asset_import, asset_read
from holdfast.pipeline.errors import InputError

Module = Callable[[str], ModuleType]
KINDS = ("glb", "gltf", "fbx", "obj", "usd", "stl", "ply")
BUILT = {"usd": pytest.mark.skipif(not bpy.app.build_options.usd, reason="a Blender built without USD")}
MADE_BY = asset_identity.Identity(
    "meshy", "image-to-3d", "job-7", {"picture": "ab" * 32}, "https://www.meshy.ai/terms", "cd" * 32, "Meshy"
)


def wish(**told: object) -> asset_import.Wish:
    return asset_import.Wish("lamp", **told)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """A red box 2 x 1 x 4 of which somebody made a scene: it moves, wears a skin, has a key, tells secrets."""
    folder = tmp_path_factory.mktemp("files")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.mesh.primitive_cube_add(size=1.0, location=(0, 0, 2))
    box = bpy.context.object
    box.name, box.scale, box["secret"] = "Würfel ä", (2, 1, 4), "told"
    red = bpy.data.materials.new("red")
    red.use_nodes = True
    red.diffuse_color = (1, 0, 0, 1)
    box.data.materials.append(red)
    whole = {"use_selection": False}
    for kind in ("obj", "stl", "ply"):
        getattr(bpy.ops.wm, f"{kind}_export")(filepath=str(folder / f"box.{kind}"))
    box.keyframe_insert("location", frame=1)
    box.location = (9, 9, 9)
    box.keyframe_insert("location", frame=20)
    bpy.context.scene.frame_set(1)
    bpy.ops.object.armature_add(location=(0, 0, 0))
    rig = bpy.context.object
    group = box.vertex_groups.new(name="Bone")
    group.add(range(8), 1.0, "REPLACE")
    box.modifiers.new("skin", "ARMATURE").object = rig
    bpy.ops.export_scene.gltf(filepath=str(folder / "box.glb"), export_extras=True, **whole)
    bpy.ops.export_scene.gltf(filepath=str(folder / "box.gltf"), export_format="GLTF_SEPARATE", **whole)
    bpy.ops.export_scene.fbx(filepath=str(folder / "box.fbx"))
    if bpy.app.build_options.usd:
        bpy.ops.wm.usd_export(filepath=str(folder / "box.usdc"), export_animation=True)
    return {kind: folder / f"box.{'usdc' if kind == 'usd' else kind}" for kind in KINDS}


def counts() -> dict[str, int]:
    return {name: len(getattr(bpy.data, name)) for name in asset_read.KINDS if hasattr(bpy.data, name)}


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=BUILT.get(kind, ())) for kind in KINDS])
def test_each_kind_comes_in_plain_at_rest_and_alone(files, kind):
    scene = bpy.context.scene
    scene.render.fps, scene.frame_end = 30, 77
    before = counts()
    brought = asset_import.bring_in(scene, files[kind], kind, wish(), MADE_BY)
    (thing,) = brought.objects
    bpy.context.view_layer.update()
    assert [round(edge, 3) for edge in thing.dimensions] == [2, 1, 4], brought.notes
    assert thing.name == "lamp" and len(thing.data.polygons) in (6, 12)
    assert [round(each, 3) for each in thing.location] == [0, 0, 2] and tuple(thing.scale) == (1, 1, 1)
    assert not (thing.modifiers or thing.constraints or thing.animation_data or thing.data.shape_keys)
    assert "secret" not in thing and "secret" not in thing.data
    if kind not in ("stl", "ply"):
        assert [material.name for material in thing.data.materials] == ["red"]
    extra = {name: len_ - before[name] for name, len_ in counts().items() if len_ != before[name]}
    assert set(extra) <= {"objects", "meshes", "materials", "collections"}, extra
    assert max(extra.values()) == 1
    assert (scene.render.fps, scene.frame_end, bpy.context.scene) == (30, 77, scene)
    assert len(bpy.data.scenes) == 1 and thing.holdfast.is_part and thing.holdfast.part == "lamp"


def test_a_blender_without_an_importer_says_so(files, monkeypatch):
    monkeypatch.setattr(asset_read, "_importer", lambda path, kind: (bpy.ops.wm.nothing_of_this_name, {}))
    with pytest.raises(InputError, match=r"This Blender has no importer for USD.*Export it as GLB"):
        asset_import.bring_in(bpy.context.scene, files["glb"], "usd", wish(), MADE_BY)
    assert len(bpy.data.scenes) == 1


def test_what_moved_is_said(files):
    notes = asset_import.bring_in(bpy.context.scene, files["glb"], "glb", wish(), MADE_BY).notes
    assert any("animated" in note for note in notes) and any("skinned" in note for note in notes)


@pytest.mark.parametrize("kind", ["glb", pytest.param("usd", marks=BUILT["usd"])])
def test_instances_are_real_names_are_kept_and_mirrored_ones_face_outwards(tmp_path, kind):
    bpy.ops.mesh.primitive_cube_add(size=1.0)
    first = bpy.context.object
    first.name = first.data.name = "bolt"
    for number in range(2):
        again = bpy.data.objects.new("bolt", first.data)
        again.location.x, again.scale.x = 3.0 * (number + 1), -1.0 if number else 1.0
        bpy.context.scene.collection.objects.link(again)
    path = tmp_path / ("bolts.glb" if kind == "glb" else "bolts.usdc")
    if kind == "glb":
        bpy.ops.export_scene.gltf(filepath=str(path))
    else:
        bpy.ops.wm.usd_export(filepath=str(path), use_instancing=True)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    brought = asset_import.bring_in(bpy.context.scene, path, kind, wish(), MADE_BY)
    assert len(brought.objects) == 3 and all(thing.name.startswith("bolt") for thing in brought.objects)
    assert len({thing.data.name for thing in brought.objects}) == 3
    for thing in brought.objects:
        assert thing.type == "MESH" and thing.instance_type == "NONE"
        volume = sum(face.normal.dot(face.center) * face.area / 3 for face in thing.data.polygons)
        assert volume == pytest.approx(1.0, abs=1e-4), "faces point outwards"
    places = sorted(round(thing.location.x, 3) for thing in brought.objects)
    assert places == [-3, 0, 3], "the layout is the file's, the middle of it over the world's"


def test_instances_of_a_collection_are_real(monkeypatch):
    def with_instances(path: Path, kind: str) -> None:
        bpy.ops.mesh.primitive_cube_add(size=1.0)
        cube, held = bpy.context.object, bpy.data.collections.new("held")
        held.objects.link(cube)
        bpy.context.scene.collection.objects.unlink(cube)
        for number in range(3):
            empty = bpy.data.objects.new("maker", None)
            empty.instance_type, empty.instance_collection, empty.location.x = (
                "COLLECTION",
                held,
                2.0 * number,
            )
            bpy.context.scene.collection.objects.link(empty)

    before = counts()
    monkeypatch.setattr(asset_read, "_import", with_instances)
    brought = asset_import.bring_in(bpy.context.scene, Path("a.usd"), "usd", wish(), MADE_BY)
    assert [round(thing.location.x, 3) for thing in brought.objects] == [-2, 0, 2]
    assert brought.notes == ["3 instances were made real"]
    extra = {name: many - before[name] for name, many in counts().items() if many != before[name]}
    assert extra == {"objects": 3, "meshes": 3, "collections": 1}, "the collection of parts alone"


def test_a_picture_outside_the_folder_is_left_out(monkeypatch, tmp_path):
    (tmp_path / "in").mkdir()
    for place in ("secret.png", "in/skin.png"):
        image = bpy.data.images.new("i", 4, 4)
        image.filepath_raw, image.file_format = str(tmp_path / place), "PNG"
        image.save()
        bpy.data.images.remove(image)

    def with_pictures(path: Path, kind: str) -> None:
        bpy.ops.mesh.primitive_cube_add(size=1.0)
        for place in ("secret.png", "in/skin.png"):
            material = bpy.data.materials.new(place)
            material.use_nodes = True
            node = material.node_tree.nodes.new("ShaderNodeTexImage")
            node.image = bpy.data.images.load(str(tmp_path / place))
            bpy.context.object.data.materials.append(material)

    monkeypatch.setattr(asset_read, "_import", with_pictures)
    brought = asset_import.bring_in(bpy.context.scene, tmp_path / "in/a.fbx", "fbx", wish(), MADE_BY)
    assert [Path(image.filepath).name for image in bpy.data.images] == ["skin.png"]
    assert any("1 picture outside" in note for note in brought.notes)


def test_size_up_and_origin_are_in_the_mesh(files):
    told = wish(size_mm=120.0, measure="HEIGHT", up="X", origin="BASE")
    (thing,) = asset_import.bring_in(bpy.context.scene, files["stl"], "stl", told, MADE_BY).objects
    bpy.context.view_layer.update()
    assert [round(edge, 4) for edge in thing.dimensions] == [0.24, 0.06, 0.12]
    assert tuple(thing.location) == (0, 0, 0) and tuple(thing.rotation_euler) == (0, 0, 0)
    assert min(vertex.co.z for vertex in thing.data.vertices) == pytest.approx(0.0, abs=1e-7)


def test_the_origin_is_the_centre_of_mass_of_a_cone(tmp_path):
    bpy.ops.mesh.primitive_cone_add(vertices=64, radius1=1.0, depth=4.0, location=(5, 0, 0))
    bpy.ops.export_scene.gltf(filepath=str(tmp_path / "cone.glb"))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    (thing,) = asset_import.bring_in(bpy.context.scene, tmp_path / "cone.glb", "glb", wish(), MADE_BY).objects
    assert [round(each, 5) for each in thing.location] == [0, 0, 1], "a quarter of the height above the base"


def test_on_the_axis_of_a_bore(tmp_path):
    import bmesh

    made = bmesh.new()
    rings = []
    for radius, height in (
        (0.02, 0),
        (0.02, 0.03),
        (0.01, 0.03),
        (0.01, 0.005),
        (0.001, 0.005),
        (0.001, 0.0),
    ):
        rings.append([
            made.verts.new((0.1 + radius * math.cos(a), radius * math.sin(a), height))
            for a in (2 * math.pi * k / 48 for k in range(48))
        ])  # fmt: skip
    for low, high in zip(rings, [*rings[1:], rings[0]], strict=True):
        for k in range(48):
            made.faces.new((low[k], low[(k + 1) % 48], high[(k + 1) % 48], high[k]))
    mesh = bpy.data.meshes.new("cup")
    made.to_mesh(mesh)
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("cup", mesh))
    bpy.ops.wm.stl_export(filepath=str(tmp_path / "cup.stl"))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    told = wish(origin="AXIS", up="Z", floor=False)
    (thing,) = asset_import.bring_in(bpy.context.scene, tmp_path / "cup.stl", "stl", told, MADE_BY).objects
    assert thing.location.x == pytest.approx(0.1, abs=2e-4) and thing.location.y == pytest.approx(
        0.0, abs=2e-4
    )
    assert thing.location.z == pytest.approx(0.03, abs=5e-4), "the middle of the rim"


def test_brought_in_again_the_object_keeps_its_place_and_settings(files):
    scene = bpy.context.scene
    (thing,) = asset_import.bring_in(scene, files["glb"], "glb", wish(), MADE_BY).objects
    old, number = thing.data.name, thing.holdfast.part_id
    thing.location.x = 7.0
    thing.modifiers.new("mine", "BEVEL")
    (again,) = asset_import.bring_in(scene, files["ply"], "ply", wish(), MADE_BY).objects
    assert again == thing and again.location.x == 7.0 and again.modifiers and again.holdfast.part_id == number
    assert len(bpy.data.meshes) == 1 and again.data.name == old
    thing.location = thing["holdfast_placed"]
    asset_import.bring_in(scene, files["ply"], "ply", wish(size_mm=40.0), MADE_BY)
    assert thing.location.z == pytest.approx(0.02), "nobody moved it, so it stands on the floor again"


def test_a_file_that_blender_cannot_read_changes_nothing(tmp_path):
    bad = tmp_path / "bad.glb"
    bad.write_bytes(b"glTF" + bytes(60))
    before = counts()
    with pytest.raises(InputError, match=r"bad\.glb"):
        asset_import.bring_in(bpy.context.scene, bad, "glb", wish(), MADE_BY)
    assert counts() == before and len(bpy.data.scenes) == 1


def test_names_of_files_are_made_safe():
    assert asset_read.safe_name("a\n\u202eb/..\\c\x00", "x") == "a b_.._c"
    assert asset_read.safe_name(" \t", "part") == "part"
    assert len(asset_read.safe_name("ä" * 80, "x").encode()) <= asset_read.LONGEST_NAME


def told(thing: bpy.types.Object) -> list[asset_identity.Identity | None]:
    return [asset_identity.of(thing), asset_identity.of(thing.data)]


def test_the_origin_of_a_mesh_survives_save_append_and_gltf(files, tmp_path):
    (thing,) = asset_import.bring_in(bpy.context.scene, files["glb"], "glb", wish(), MADE_BY).objects
    assert told(thing) == [MADE_BY, MADE_BY]
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.export_scene.gltf(filepath=str(tmp_path / "out.glb"), export_extras=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    assert told(bpy.data.objects["lamp"]) == [MADE_BY, MADE_BY]
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(tmp_path / "a.blend")) as (there, here):
        here.objects = there.objects
    assert told(bpy.data.objects["lamp"]) == [MADE_BY, MADE_BY]
    whole = (tmp_path / "out.glb").read_bytes()
    length = int.from_bytes(whole[12:16], "little")
    out = json.loads(whole[20 : 20 + length])
    for extras in (
        next(node for node in out["nodes"] if "mesh" in node)["extras"],
        out["meshes"][0]["extras"],
    ):
        assert extras["holdfast_provider"] == "meshy" and extras["holdfast_job"] == "job-7"
        assert extras["holdfast_licence"].startswith("https") and extras["holdfast_file_sha256"] == "cd" * 32
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "out.glb"))
    assert told(bpy.data.objects["lamp.001"]) == [MADE_BY, MADE_BY]
