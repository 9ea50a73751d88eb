# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the suite that runs in Blender (as a module, or inside a real executable).

bpy is imported in the fixtures: pytest-blender reads this file once outside Blender too.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(autouse=True)
def empty_file() -> None:
    """Every test starts from an empty file; the extension stays enabled, which read_factory_settings would undo."""
    import bpy

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


@pytest.fixture(scope="session")
def holdfast() -> ModuleType:
    """The root module of the enabled extension."""
    return sys.modules["holdfast"]


@pytest.fixture(scope="session")
def module(holdfast: ModuleType) -> Callable[[str], ModuleType]:
    """Import a module of the enabled extension by its path in the package: `module("physics.rigid")`."""
    return lambda name: importlib.import_module(f".{name}", holdfast.__name__)


@pytest.fixture
def remembered(module: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials whose every input was simulated for another test give what was seen there; see physics_remembered.

    Not for tests of what a simulation is, or of what is left of one that is stopped.
    """
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    remembered = importlib.import_module("physics_remembered").Remembered
    monkeypatch.setattr(module("physics.trials"), "Simulation", remembered)
