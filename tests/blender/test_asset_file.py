# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring in a file: checked by a worker first, copied whole, recorded; by the stage and by the command."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import bpy
import pytest
from holdfast import command_line
from holdfast.assets.bring import pool
from holdfast.operators import asset_file, asset_identity, asset_read, asset_remote, drive, locate, steps
from holdfast.operators.stages import running
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError

from tests.loopback import media


@pytest.fixture
def scene(tmp_path: Path) -> bpy.types.Scene:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    return bpy.context.scene


def bring(scene: bpy.types.Scene, path: Path, **told: str) -> None:
    drive.run_blocking(running(asset_file.stage_of(path, **told), scene, steps.StageOptions()), Context())


def textured(folder: Path) -> Path:
    """An OBJ with its material and a picture, and a file beside it that nobody names."""
    (folder / "tex").mkdir(parents=True)
    (folder / "Crate #1.obj").write_text(
        "mtllib crate.mtl\no crate\n" + "".join(f"v {x} {y} {z}\n" for x in (0, 1) for y in (0, 1) for z in (0, 2))
        + "vt 0 0\nusemtl wood\n" + "".join(f"f {' '.join(f'{v}/1' for v in face)}\n" for face in (
            (1, 3, 4, 2), (5, 6, 8, 7), (1, 2, 6, 5), (3, 7, 8, 4), (1, 5, 7, 3), (2, 4, 8, 6)))
    )  # fmt: skip
    (folder / "crate.mtl").write_text("newmtl wood\nmap_Kd tex/wood.png\n")
    (folder / "tex/wood.png").write_bytes(media.png())
    (folder / "diary.txt").write_text("private")
    return folder / "Crate #1.obj"


def test_a_file_with_its_side_files_comes_in_from_the_project(scene, tmp_path):
    scene.holdfast.assets.size_mm, scene.holdfast.assets.up = 300.0, "Y"
    bring(scene, textured(tmp_path / "in"), licence="CC0")
    shot = locate.shot_of(scene)
    (name,) = pool(asset_remote.pool_of(shot))
    home = asset_remote.pool_of(shot) / name
    assert sorted(path.name for path in (home / "mesh").rglob("*") if path.is_file()) == [
        "Crate_1.obj",
        "crate.mtl",
        "wood.png",
    ]
    (thing,) = [each for each in scene.objects if each.type == "MESH"]
    assert thing.name == "Crate #1" and max(thing.dimensions) == pytest.approx(0.3)
    assert [material.name for material in thing.data.materials] == ["wood"]
    (image,) = [each for each in bpy.data.images if each.name.startswith("wood")]
    assert Path(bpy.path.abspath(image.filepath)).is_relative_to(home), "nothing is read from where it was"
    told = asset_identity.of(thing)
    assert (told.provider, told.licence, told.generator) == ("file", "CC0", "Crate #1.obj") and len(
        told.file
    ) == 64


def test_the_check_comes_before_the_importer(scene, tmp_path, monkeypatch):
    monkeypatch.setattr(asset_read, "_import", lambda path, kind: pytest.fail("the importer saw it"))
    bad = tmp_path / "bad.glb"
    bad.write_bytes(media.glb()[:100])
    with pytest.raises(InputError, match=r"bad\.glb"):
        bring(scene, bad)
    (tmp_path / "out").mkdir()
    doc = {"asset": {"version": "2.0"}, "buffers": [{"byteLength": 4, "uri": "../secret.bin"}]}
    (tmp_path / "out/trick.gltf").write_text(json.dumps(doc))
    with pytest.raises(InputError, match="path out of its folder"):
        bring(scene, tmp_path / "out/trick.gltf")
    assert not pool(asset_remote.pool_of(locate.shot_of(scene))) and not scene.objects


def test_what_was_changed_after_the_check_is_not_imported(scene, tmp_path):
    mesh = tmp_path / "a.glb"
    mesh.write_bytes(media.glb())
    bring(scene, mesh)
    shot = locate.shot_of(scene)
    (name,) = pool(asset_remote.pool_of(shot))
    (asset_remote.pool_of(shot) / name / "mesh/a.glb").write_bytes(media.glb() + b" ")
    with pytest.raises(InputError, match="changed after it was checked"):
        asset_file.use(scene, shot, name)


def test_an_archive_is_a_file_too(scene, tmp_path):
    folder = textured(tmp_path / "in").parent
    with zipfile.ZipFile(tmp_path / "crate.zip", "w") as made:
        for path in folder.rglob("*"):
            made.write(path, path.relative_to(folder).as_posix())
    bring(scene, tmp_path / "crate.zip", name="box")
    assert "box" in scene.objects and scene.objects["box"].holdfast.part == "box"


def command(*words: str) -> int:
    return command_line.main(["assets", *words])


def test_the_command_brings_in_lists_and_uses(scene, tmp_path, capfd):
    (tmp_path / "cup.glb").write_bytes(media.glb())
    assert command("--mesh", str(tmp_path / "cup.glb"), "--name", "mug", "--set", "assets.size_mm=80") == 0
    assert max(bpy.data.objects["mug"].dimensions) == pytest.approx(0.08)
    assert command("--pool") == 0
    line = next(
        line for line in capfd.readouterr().out.splitlines() if "cup.glb" in line and "triangles" in line
    )
    name = line.split(": ")[0].split()[-1]
    bpy.data.objects.remove(bpy.data.objects["mug"])
    assert command("--use", name, "--name", "mug") == 0 and "mug" in bpy.data.objects
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    assert "mug" in bpy.data.objects, "it was saved"


def test_the_command_says_what_is_wrong(scene, tmp_path, capfd):
    assert command("--mesh", str(tmp_path / "none.glb")) == 20
    assert command("--use", "nothing-here") == 20
    assert command("--refine", "nothing-here") == 20
    assert command("--pool", "--use", "x") == 2
    said = capfd.readouterr().out
    assert (
        "There is no such file" in said and "There is no mesh 'nothing-here'" in said and "two things" in said
    )
