# SPDX-License-Identifier: GPL-3.0-or-later
"""Make this checkout importable in the tests as the package `holdfast`.

Without bpy the package is loaded from the files. With bpy the extension is enabled the way Blender does it and
`holdfast.x.y` names the very modules Blender runs, so a test and an operator never see two copies of a class.
Inside a real Blender (HOLDFAST_INSTALLED is set) it is the installed zip that is tested, not the checkout.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

from scripts import blender_host

pytest_plugins = ["tests.plugin_root", "tests.plugin_loopback"]
PACKAGE = "holdfast"


class _Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Resolve `holdfast.x` to the module `<real>.x`, importing that one first where needed."""

    def __init__(self, real: str) -> None:
        self.real = real

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{PACKAGE}."):
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.real + spec.name.removeprefix(PACKAGE))
        self.real_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.real_spec  # the import system has just put the alias' spec there


def _load_from_files() -> None:
    spec = importlib.util.spec_from_file_location(
        PACKAGE, blender_host.ROOT / "__init__.py", submodule_search_locations=[str(blender_host.ROOT)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)


def _load_in_blender() -> None:
    if installed := os.environ.get("HOLDFAST_INSTALLED"):
        module = importlib.import_module(installed)
    else:
        module = blender_host.enable(blender_host.isolate())
    sys.modules[PACKAGE] = module
    sys.meta_path.insert(0, _Alias(module.__name__))


if PACKAGE not in sys.modules:
    if importlib.util.find_spec("bpy") is None:
        _load_from_files()
    else:
        _load_in_blender()
