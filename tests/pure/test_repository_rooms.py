# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure rooms run without Blender, and rooms of the same rank do not know each other."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from functools import cache

from tests.repository import HALF_PURE_ROOMS, PURE_ROOMS, ROOT, extension_sources, module_name, syntax_nodes

BLENDER_MODULES = {
    "bpy",
    "bpy_extras",
    "mathutils",
    "gpu",
    "gpu_extras",
    "bmesh",
    "addon_utils",
    "aud",
    "blf",
    "idprop",
}
# run by a child Blender as a script, imported by nothing
BLENDER_SCRIPTS = {"pipeline/encode_in_blender.py"}
SCRIPT_WITH_NO_BLENDER = """
import importlib, sys
import tests.conftest

class NoBlender:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {modules!r}:
            raise ModuleNotFoundError(f"{{name}} is not for the pure rooms")

sys.meta_path.insert(0, NoBlender())
for name in {names!r}:
    importlib.import_module("holdfast." + name)
assert not {modules!r} & set(sys.modules)
"""


def room_of(path: str) -> str:
    return path.partition("/")[0] if "/" in path else ""


@cache
def imports_blender(path: str) -> bool:
    for node in syntax_nodes(path):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        if any(name.partition(".")[0] in BLENDER_MODULES for name in names):
            return True
    return False


@cache
def relative_imports(path: str) -> frozenset[str]:
    """Dotted names, from the root of the package, of the modules that a source file imports."""
    here = module_name(path).split(".")
    depth = len(here) if path.endswith("__init__.py") else len(here) - 1
    found = set()
    for node in syntax_nodes(path):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: depth - node.level + 1] + ([node.module] if node.module else [])
            found |= {".".join([*base, alias.name]) for alias in node.names}
    return frozenset(found)


@cache
def files_by_name() -> dict[str, str]:
    return {module_name(path): path for path in extension_sources()}


@cache
def needs_blender(path: str) -> bool:
    """Whether importing the file imports Blender, itself or through a module of ours."""
    files = files_by_name()
    imported = relative_imports(path)
    targets = imported | {name.rpartition(".")[0] for name in imported}
    return imports_blender(path) or any(
        needs_blender(files[n]) for n in targets if n in files and files[n] != path
    )


def test_pure_rooms_never_import_blender() -> None:
    pure = [
        path for path in extension_sources() if room_of(path) in PURE_ROOMS and path not in BLENDER_SCRIPTS
    ]
    assert len({room_of(path) for path in pure}) == len(PURE_ROOMS)
    assert [path for path in pure if imports_blender(path)] == []


def test_every_pure_module_imports_where_blender_is_forbidden() -> None:
    paths = [
        path for path in extension_sources() if room_of(path) in PURE_ROOMS and path not in BLENDER_SCRIPTS
    ]
    paths += [p for p in extension_sources() if room_of(p) in HALF_PURE_ROOMS and not needs_blender(p)]
    names = [module_name(path) for path in paths if path != "pipeline/worker_boot.py"]
    code = SCRIPT_WITH_NO_BLENDER.format(modules=BLENDER_MODULES, names=names)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_rooms_of_the_same_rank_do_not_import_each_other() -> None:
    rooms = {"assets", "clients", "finishing", "physics", "rendering", "validation"}
    allowed = {
        room: {room, "pipeline"} | ({"compat"} if room in HALF_PURE_ROOMS else set()) for room in rooms
    }
    allowed["pipeline"] = {"pipeline"}
    crossed = [
        f"{path} imports {name}"
        for path in extension_sources()
        if room_of(path) in allowed
        for name in relative_imports(path)
        if name.partition(".")[0] not in allowed[room_of(path)]
    ]
    assert crossed == []


def test_panels_never_reach_into_a_stage_room() -> None:
    rooms = {"assets", "clients", "finishing", "physics", "rendering", "validation"}
    panels = [path for path in extension_sources() if room_of(path) == "panels"]
    assert [p for p in panels if {name.partition(".")[0] for name in relative_imports(p)} & rooms] == []


def test_types_are_strict_for_every_module_without_blender() -> None:
    """The list of relaxed modules in pyproject.toml names only modules that touch Blender."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    relaxed = next(table["module"] for table in overrides if "strict_optional" in table)
    rooms = {*PURE_ROOMS, *HALF_PURE_ROOMS}
    wrong = [
        path
        for path in extension_sources()
        if room_of(path) in rooms and not imports_blender(path) and not path.endswith("__init__.py")
        if any(fnmatch(f"holdfast.{module_name(path)}", pattern) for pattern in relaxed)
    ]
    assert wrong == []


def test_what_is_imported_is_shipped() -> None:
    """Each relative import leads to a module in the zips, or to a name in one."""
    shipped = {module_name(path) for path in extension_sources()}
    shipped |= {name.rpartition(".")[0] for name in shipped} | {"holdfast", ""}
    lost = [
        f"{path} imports {name}"
        for path in extension_sources()
        for name in relative_imports(path)
        if name not in shipped and name.rpartition(".")[0] not in shipped - {""}
    ]
    assert lost == []
