# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest of the extension must be; stricter than Blender's own validation, which lets typos pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

KEYS = {
    "schema_version", "id", "version", "name", "tagline", "maintainer", "type", "tags", "blender_version_min",
    "blender_version_max", "license", "copyright", "website", "platforms", "wheels", "permissions", "build",
}  # fmt: skip
REQUIRED = KEYS - {
    "tags",
    "blender_version_max",
    "copyright",
    "website",
    "platforms",
    "wheels",
    "permissions",
    "build",
}
PERMISSIONS = {"files", "network", "clipboard", "camera", "microphone"}
PLATFORMS = {"linux-x64", "windows-x64", "windows-arm64", "macos-x64", "macos-arm64"}
LICENSES = {"SPDX:GPL-3.0-or-later"}
TAGS = {
    "3D View",
    "Animation",
    "Camera",
    "Compositing",
    "Import-Export",
    "Pipeline",
    "Physics",
    "Render",
    "Sequencer",
}
THREE_NUMBERS = re.compile(r"\d+\.\d+\.\d+")
WHEEL = re.compile(r"\./wheels/[^-'\"\\]+(-[^-'\"\\]+){4,5}\.whl")


def one_line_problems(name: str, text: str) -> Iterator[str]:
    """Blender's rule for the tagline and for the reason of a permission."""
    if not 1 <= len(text) <= 64 or not text.isprintable():
        yield f"{name} must be 1 to 64 printable characters, it is {len(text)}"
    if text and not (text[-1].isalnum() or text[-1] in ")]}"):
        yield f"{name} must not end in {text[-1]!r}"


def problems(manifest: dict[str, Any]) -> Iterator[str]:
    """Every rule that the manifest breaks, as a sentence."""
    yield from (f"unknown key {key}" for key in sorted(manifest.keys() - KEYS))
    yield from (f"missing key {key}" for key in sorted(REQUIRED - manifest.keys()))
    yield from (f"{key} is empty" for key, value in manifest.items() if value in ("", [], {}))
    yield from one_line_problems("tagline", manifest.get("tagline", ""))
    if "blender" in manifest.get("name", "").lower():
        yield "the name must not contain Blender"
    if not manifest.get("id", "").isidentifier():
        yield "id must be an identifier"
    for key in ("version", "blender_version_min"):
        if not THREE_NUMBERS.fullmatch(manifest.get(key, "")):
            yield f"{key} must be three numbers"
    for key, known in (("license", LICENSES), ("tags", TAGS), ("platforms", PLATFORMS)):
        yield from (f"{key}: {value} is not known" for value in manifest.get(key, []) if value not in known)
    for name, reason in manifest.get("permissions", {}).items():
        if name not in PERMISSIONS:
            yield f"unknown permission {name}"
        yield from one_line_problems(f"permission {name}", reason)
    yield from (
        f"{wheel} is not ./wheels/NAME.whl"
        for wheel in manifest.get("wheels", [])
        if not WHEEL.fullmatch(wheel)
    )
