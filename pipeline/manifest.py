# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of a stage's folder: what it was made from, what is in it, and whether that still holds."""

import os
import platform
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .errors import InputError
from .store import digest_json, hash_file, read_json, write_json

VERSION = 1
"""Version of the manifest layout that this code writes and the newest that it reads."""


def _made() -> dict[str, Any]:
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "host": platform.node(),
        "pid": os.getpid(),
    }


@dataclass(frozen=True)
class Manifest:
    """``schema`` is "holdfast/<thing>"; ``inputs`` names what it was made from by digest; ``files`` maps
    paths relative to the manifest's folder to their SHA-256; ``made`` (when, where, seconds) is not hashed.
    """

    schema: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    data: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=_made)
    version: int = VERSION

    @property
    def digest(self) -> str:
        """Names this result: equal for equal content, whenever and wherever it was made."""
        return digest_json([self.schema, self.version, self.settings, self.inputs, self.data, self.files])

    def with_files(self, folder: Path, paths: Iterable[Path]) -> "Manifest":
        """A copy that lists ``paths`` (inside ``folder``) with their hashes."""
        listed = {path.relative_to(folder).as_posix(): hash_file(path) for path in sorted(paths)}
        return replace(self, files={**self.files, **listed})

    def save(self, path: Path) -> None:
        """Writes the manifest atomically. Raises StorageError."""
        body = {
            name: getattr(self, name) for name in ("schema", "version", "settings", "inputs", "data", "files")
        }
        write_json(path, {**body, "digest": self.digest, "made": self.made})

    @classmethod
    def load(cls, path: Path, schema: str) -> "Manifest":
        """Reads and checks a manifest. Raises InputError if it is missing, damaged, of another kind or newer."""
        body = read_json(path)
        again = "Run the stage that makes it again."
        if not isinstance(body, dict) or not isinstance(body.get("version"), int):
            raise InputError(f"{path.name} is not a Holdfast manifest", where=str(path), todo=again)
        if body.get("schema") != schema:
            raise InputError(
                f"{path.name} holds {body.get('schema')!r}, not {schema!r}", where=str(path), todo=again
            )
        if body["version"] > VERSION:
            todo = "Update the extension, or run the stage again with this one."
            raise InputError(f"{path.name} was made by a newer Holdfast", where=str(path), todo=todo)
        parts = {name: body.get(name) for name in ("settings", "inputs", "data", "files", "made")}
        if not all(isinstance(part, dict) for part in parts.values()):
            raise InputError(f"{path.name} is damaged", where=str(path), todo=again)
        manifest = cls(schema=schema, version=body["version"], **parts)  # type: ignore[arg-type]
        if body.get("digest") != manifest.digest:
            raise InputError(f"{path.name} was changed by hand or damaged", where=str(path), todo=again)
        return manifest

    @classmethod
    def find(cls, path: Path, schema: str) -> "Manifest | None":
        """Like ``load``, but None where there is no file yet."""
        return cls.load(path, schema) if path.exists() else None


def stale_reason(
    manifest: Manifest | None, settings: Mapping[str, Any], inputs: Mapping[str, str]
) -> str | None:
    """Why a result must be made again, or None when it is fresh. Nothing else decides staleness."""
    if manifest is None:
        return "not made yet"
    if manifest.version != VERSION:
        return "made by an older Holdfast"
    for name, digest in inputs.items():
        if manifest.inputs.get(name) != digest:
            return f"{name} changed"
    if set(manifest.inputs) - set(inputs):
        return "its inputs changed"
    if digest_json(manifest.settings) != digest_json(settings):
        changed = [
            key for key in settings if digest_json(manifest.settings.get(key)) != digest_json(settings[key])
        ]
        return f"setting {changed[0]!r} changed" if changed else "settings changed"
    return None
