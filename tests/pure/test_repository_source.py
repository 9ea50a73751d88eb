# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that the source keeps everywhere: what the extension may do, how files begin, how long they get."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository import ROOT, extension_sources, syntax_tree, tracked_files

MAX_LINES = 350
EXTENSION = extension_sources()
# where a rule has its known exceptions: the worker is a process of its own and is told where its modules are;
# a few modules read data files that lie beside them
ALLOWED = {
    "sys.path": {"pipeline/worker.py", "pipeline/worker_boot.py"},
    "sys.modules": {"pipeline/worker_boot.py"},
    "__file__": {
        "clients/descriptor.py", "operators/demo.py", "pipeline/worker.py",
        "physics/page.py", "pipeline/worker_boot.py", "validation/limits.py", "validation/page.py",
    },
    "bpy.app.version": {"compat.py"},
}  # fmt: skip
FORBIDDEN_NAMES = {"exec", "eval", "__import__", "bl_info"}
FORBIDDEN_MODULES = {"threading", "_thread", "bgl", "pip", "imp", "pkg_resources"}
# assembled here, so that this file does not trip over itself
FORBIDDEN_TEXT = [
    "pypi" + ".org", "python" + "hosted.org", "deb.debian" + ".org", "npmjs" + ".org",
    "/wo" + "rk/", "/ro" + "ot/", "/home" + "/", ".li" + "brary/", "clau" + "de", "chat" + "gpt", "co" + "pilot",
]  # fmt: skip


def dotted(node: ast.AST) -> str:
    """`a.b.c` for an attribute chain or a name, else an empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (owner := dotted(node.value)):
        return f"{owner}.{node.attr}"
    return ""


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(level, first part of the module name) of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, (node.module or "").partition(".")[0]


def broken_rules(tree: ast.AST, path: str) -> Iterator[str]:
    """Every rule of the extension platform or of this house that the file breaks."""
    rooms = {name.partition("/")[0].removesuffix(".py") for name in EXTENSION}
    for level, module in imports(tree):
        if module in FORBIDDEN_MODULES:
            yield f"imports {module}"
        if level == 0 and module in rooms | {"holdfast", "bl_ext"}:
            yield f"imports {module} by an absolute name"
    for node in ast.walk(tree):
        name = dotted(node)
        if name in ALLOWED and path not in ALLOWED[name]:
            yield f"line {node.lineno}: uses {name}"
        if name in FORBIDDEN_NAMES:
            yield f"line {node.lineno}: uses {name}"
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "bl_ext" in node.value:
            yield f"line {node.lineno}: names the extension's package literally"
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"line {node.lineno}: bare except"


def test_extension_code_keeps_the_platform_rules() -> None:
    broken = {path: list(broken_rules(syntax_tree(path), path)) for path in EXTENSION}
    assert {path: rules for path, rules in broken.items() if rules} == {}


@pytest.mark.parametrize("text", ["import threading", "from holdfast import x", "import pipeline.store", "eval('1')",
                                  "import sys; sys.path.append('x')", "x = 'bl_ext.user_default'", "print(__file__)",
                                  "import bpy; bpy.app.version >= (5, 0, 0)", "try:\n  x\nexcept:\n  y"])  # fmt: skip
def test_the_rules_catch_a_planted_breach(text: str) -> None:
    assert list(broken_rules(ast.parse(text), "physics/planted.py"))


def has_properties(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "bpy.props" for node in ast.walk(tree)
    ) or any(dotted(node) == "bpy.props" for node in ast.walk(tree))


def test_property_modules_keep_real_annotations() -> None:
    """Blender reads property annotations as values; the future import turns them into text."""
    sources = {path: (ROOT / path).read_text() for path in EXTENSION}
    late = [path for path, text in sources.items() if "from __future__ import annotations" in text]
    assert [path for path in late if has_properties(syntax_tree(path))] == []


PYTHON = [path for path in tracked_files() if path.endswith(".py")]


def test_every_python_file_begins_with_its_license() -> None:
    begins = {path: (ROOT / path).read_text().partition("\n")[0] for path in PYTHON}
    assert [
        path for path, line in begins.items() if line != "# SPDX-License-Identifier: GPL-3.0-or-later"
    ] == []


def test_no_python_file_is_too_long_to_read() -> None:
    lengths = {path: len((ROOT / path).read_text().splitlines()) for path in PYTHON}
    assert {path: lines for path, lines in lengths.items() if lines > MAX_LINES} == {}


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = []
    for path in tracked_files():
        try:
            text = (ROOT / path).read_text(encoding="utf-8").lower()
        except UnicodeDecodeError:
            continue  # a picture
        found += [f"{path}: {word}" for word in FORBIDDEN_TEXT if re.search(re.escape(word), text)]
    assert found == []


def test_every_tracked_file_has_a_known_kind() -> None:
    """Nothing built, cached or private is committed."""
    kinds = {
        ".css",
        ".html",
        ".jpg",
        ".js",
        ".json",
        ".md",
        ".png",
        ".py",
        ".sha256",
        ".toml",
        ".ttf",
        ".txt",
        ".webp",
    }
    bare = {"Makefile", "LICENSE", ".gitignore", ".ci/run"}
    assert [path for path in tracked_files() if Path(path).suffix not in kinds and path not in bare] == []


def test_no_test_switches_the_extension_off() -> None:
    """All tests of a Blender run in one process: after read_factory_settings the rest would run without the extension."""
    sources = {path: (ROOT / path).read_text() for path in PYTHON if path.startswith("tests/blender/")}
    assert [path for path, text in sources.items() if "ops.wm.read_factory_settings" in text] == []
