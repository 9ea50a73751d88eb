# SPDX-License-Identifier: GPL-3.0-or-later
"""The built zip, installed into the real Blender that the environment variable BLENDER names."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import dist, real_blender


@pytest.fixture(scope="session")
def blender() -> Path:
    """The executable; a missing one is a failure, since nothing here means anything without it."""
    named = os.environ.get("BLENDER", "")
    if not os.access(named, os.X_OK):
        pytest.fail(f"BLENDER={named!r} is no executable: make test-installed BLENDER=/path/to/blender")
    return Path(named)


@pytest.fixture(scope="session")
def user_folder(blender: Path) -> Iterator[Path]:
    """User folders of a Blender of our own, with the zip for Linux installed and enabled in it."""
    with tempfile.TemporaryDirectory(prefix="holdfast-installed-", dir="/tmp") as folder:
        real_blender.install(blender, dist.ROOT / "dist" / dist.archive_name("linux-x64"), Path(folder))
        yield Path(folder)
