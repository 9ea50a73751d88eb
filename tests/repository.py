# SPDX-License-Identifier: GPL-3.0-or-later
"""What the repository is made of, for the tests that hold all of it to a rule."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

from scripts import dist

ROOT = dist.ROOT
ROOMS = dist.ROOMS
PURE_ROOMS = ("assets", "clients", "finishing", "pipeline", "validation")
HALF_PURE_ROOMS = ("physics", "rendering")  # their maths is pure, their stages touch Blender


@cache
def tracked_files() -> list[str]:
    """Paths of all files that are committed or about to be, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return sorted(path for path in set(listed.stdout.splitlines()) if (ROOT / path).is_file())


@cache
def extension_sources() -> list[str]:
    """Paths of the Python files that are shipped."""
    return sorted(path.as_posix() for path in dist.sources(ROOT) if path.suffix == ".py")


@cache
def syntax_tree(path: str) -> ast.Module:
    """The parsed source of one file."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


@cache
def syntax_nodes(path: str) -> tuple[ast.AST, ...]:
    """All nodes of one file's tree."""
    return tuple(ast.walk(syntax_tree(path)))


def module_name(path: str) -> str:
    """The dotted name of a source file inside the package: `physics.rigid.py` -> `physics.kit`."""
    return Path(path).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
