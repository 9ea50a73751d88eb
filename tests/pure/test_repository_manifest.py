# SPDX-License-Identifier: GPL-3.0-or-later
"""The committed manifest is right, says what the code does, and agrees with the changelog."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import Any

import pytest

from tests.manifest_rules import problems
from tests.repository import ROOT, extension_sources, syntax_nodes

MANIFEST: dict[str, Any] = tomllib.loads((ROOT / "blender_manifest.toml").read_text())
NETWORK_MODULES = {
    "aiohttp",
    "ftplib",
    "http",
    "httpx",
    "requests",
    "smtplib",
    "socket",
    "ssl",
    "urllib",
    "urllib3",
}


def test_the_manifest_keeps_every_rule() -> None:
    assert list(problems(MANIFEST)) == []


@pytest.mark.parametrize("change", [{"plattforms": ["linux-x64"]}, {"platforms": ["linux"]}, {"version": "0.1"},
                                    {"tagline": "Ends in a full stop."}, {"license": ["GPL3"]}, {"tags": []},
                                    {"permissions": {"disk": "Write"}}, {"name": "Holdfast for Blender"},
                                    {"wheels": ["wheels/x.whl"]}, {"id": "hold-fast"}])  # fmt: skip
def test_a_wrong_manifest_is_caught(change: dict[str, Any]) -> None:
    assert list(problems(MANIFEST | change)) != []


def imported_modules() -> set[str]:
    found = set()
    for path in extension_sources():
        for node in syntax_nodes(path):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add((node.module or "").partition(".")[0])
    return found


def test_permissions_are_those_that_the_code_uses() -> None:
    source = "\n".join((ROOT / path).read_text() for path in extension_sources())
    used = {"files"}
    if imported_modules() & NETWORK_MODULES:
        used.add("network")
    if re.search(r"\.clipboard\b", source):
        used.add("clipboard")
    assert set(MANIFEST["permissions"]) == used


def test_the_newest_entry_of_the_changelog_is_this_version() -> None:
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert versions[0] == MANIFEST["version"]


def test_blenders_own_build_would_leave_development_out() -> None:
    """Whoever runs Blender's `extension build` on a checkout gets the same files, but no wheels."""
    excluded = set(MANIFEST["build"]["paths_exclude_pattern"])
    assert {"__pycache__/", "*.pyc", ".*", "/*.zip"} <= excluded  # an own list replaces Blender's defaults
    kept = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))}
    kept -= {pattern.strip("/") for pattern in excluded}
    assert kept <= {path.partition("/")[0] for path in extension_sources()} | {"wheels"}
