# SPDX-License-Identifier: GPL-3.0-or-later
"""Every built zip keeps the platform's rules, and the real wheels are whole and unmodified."""

from __future__ import annotations

import hashlib
import tomllib
import zipfile

import pytest

from scripts import dist
from tests.manifest_rules import problems


@pytest.fixture(params=dist.WHEEL_TAGS)
def archive(request: pytest.FixtureRequest) -> zipfile.ZipFile:
    path = dist.ROOT / "dist" / dist.archive_name(request.param)
    assert path.is_file(), f"{path.name} is not built: run make dist"
    return zipfile.ZipFile(path)


def test_zip_is_whole_and_small_enough(archive: zipfile.ZipFile) -> None:
    assert archive.testzip() is None
    assert archive.filename is not None
    assert (dist.ROOT / archive.filename).stat().st_size < dist.LIMIT_BYTES


def test_manifest_of_the_zip_keeps_every_rule(archive: zipfile.ZipFile) -> None:
    assert list(problems(tomllib.loads(archive.read("blender_manifest.toml").decode()))) == []


def test_wheels_are_those_of_the_package_index(archive: zipfile.ZipFile) -> None:
    wheels = [name for name in archive.namelist() if name.startswith("wheels/")]
    assert len(wheels) == 4
    for name in wheels:
        digest = hashlib.sha256(archive.read(name)).hexdigest()
        assert digest == dist.wheel_hashes()[name.removeprefix("wheels/")]


def test_zip_is_what_the_sources_give_now(archive: zipfile.ZipFile) -> None:
    for path in dist.sources(dist.ROOT):
        if path.name != "blender_manifest.toml":
            assert archive.read(path.as_posix()) == (dist.ROOT / path).read_bytes(), (
                "dist/ is old: run make dist"
            )
