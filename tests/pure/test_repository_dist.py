# SPDX-License-Identifier: GPL-3.0-or-later
"""The builder of the zips: what goes in, what stays out, and the same bytes every time."""

from __future__ import annotations

import hashlib
import re
import tomllib
import zipfile
from pathlib import Path

import pytest

from scripts import dist
from tests.manifest_rules import problems
from tests.repository import ROOT, tracked_files


@pytest.fixture
def wheel_folder(tmp_path: Path) -> Path:
    """Small files in place of the real wheels."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in dist.wheel_hashes():
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.mark.parametrize("platform", dist.WHEEL_TAGS)
def test_each_platform_gets_opencv_and_a_pillow_for_every_python(platform: str) -> None:
    tags = [re.match(r"(.+?)-[\d.]+-(cp\d+)-", name) for name in dist.wheels_for(platform)]
    found = {(match[1], match[2]) for match in tags if match}
    assert found == {("opencv_python_headless", "cp37")} | {
        ("pillow", cp) for cp in ("cp311", "cp313", "cp314")
    }


def test_the_wheels_are_the_versions_that_the_suite_runs_on() -> None:
    pins = re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements" / "runtime.txt").read_text(), re.MULTILINE)
    wheels = {tuple(name.split("-")[:2]) for name in dist.wheel_hashes()}
    assert wheels == {(name.replace("-", "_"), version) for name, version in pins}


@pytest.mark.parametrize("platform", dist.WHEEL_TAGS)
def test_zip_holds_the_extension_and_nothing_else(platform: str, wheel_folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(dist.build(platform, wheel_folder, tmp_path)) as archive:
        names = archive.namelist()
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    assert list(problems(manifest)) == []
    assert manifest["platforms"] == [platform]
    assert {f"./{name}" for name in names if name.startswith("wheels/")} == set(manifest["wheels"])
    ours = [name for name in names if not name.startswith("wheels/")]
    assert set(ours) <= set(tracked_files()), "a stray file would be shipped"
    assert not [
        name for name in ours if name.split("/")[0] in ("tests", "docs", "scripts", "requirements", "build")
    ]
    assert not [name for name in ours if "/." in name or name.startswith(".") or "__pycache__" in name]
    assert {"LICENSE", "README.md", "CHANGELOG.md", "__init__.py"} <= set(ours)


def test_every_file_of_the_rooms_is_shipped() -> None:
    """A data file with a suffix that the builder does not know would be missing only after the install."""
    shipped = {path.as_posix() for path in dist.sources(ROOT)}
    rooms = [path for path in tracked_files() if path.partition("/")[0] in dist.ROOMS]
    assert [path for path in rooms if path not in shipped] == []


def test_two_builds_are_the_same_bytes(wheel_folder: Path, tmp_path: Path) -> None:
    built = [dist.build("linux-x64", wheel_folder, tmp_path / name) for name in ("first", "second")]
    assert len({hashlib.sha256(path.read_bytes()).hexdigest() for path in built}) == 1


def test_a_wheel_with_other_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = dist.wheels_for("linux-x64")[0]
    (tmp_path / name).write_bytes(b"tampered")
    monkeypatch.setattr(dist.subprocess, "run", lambda *args, **kwargs: None)
    with pytest.raises(SystemExit, match="nothing was built"):
        dist.fetch(name, tmp_path)
