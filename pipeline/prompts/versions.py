# SPDX-License-Identifier: GPL-3.0-or-later
"""Contracts on disk: ``<shot>/prompts/<look>/v001.json``, each a manifest. A changed contract is the next version."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import HoldfastError, InputError
from ..manifest import Manifest
from ..project import ShotFolder, check_name
from ..store import hash_file, storage
from .contract import SCHEMA, PromptContract, Reference

_NAME = re.compile(r"v(\d{3,})\.json")
_TRIES = 100


@dataclass(frozen=True)
class Version:
    """One kept contract: ``at`` when it was saved (ISO, UTC)."""

    path: Path
    contract: PromptContract
    digest: str
    at: str

    @property
    def name(self) -> str:
        """As v003."""
        return self.path.stem


def folder_of(shot: ShotFolder, look: str) -> Path:
    """Where the versions of a look are. Raises UsageError for a look that no folder can be named after."""
    return shot.prompts / check_name(look, "look")


def _numbers(folder: Path) -> list[tuple[int, Path]]:
    found = ((_NAME.fullmatch(path.name), path) for path in folder.glob("v*.json"))
    return sorted((int(match[1]), path) for match, path in found if match)


def load(path: Path) -> Version:
    """One version. Raises InputError if it is missing, damaged, changed by hand or newer."""
    try:
        manifest = Manifest.load(path, SCHEMA)
    except InputError as error:
        todo = "Bring back a version by Show History and save it: the next number counts."
        raise InputError(error.what, where=str(path), todo=todo) from error
    contract = PromptContract.from_json(manifest.data)
    return Version(path, contract, contract.digest, str(manifest.made.get("at") or ""))


def history(folder: Path) -> Iterator[Version]:
    """Every version that can be read, the newest first."""
    for _number, path in reversed(_numbers(folder)):
        try:
            yield load(path)
        except HoldfastError:
            continue  # damaged: its number stays taken


def latest(folder: Path) -> Version | None:
    """The newest version that can be read."""
    return next(history(folder), None)


def newest(folder: Path) -> Version | None:
    """The version with the highest number. Raises InputError if it can't be read: an older one is not what was meant."""
    numbers = _numbers(folder)
    return load(numbers[-1][1]) if numbers else None


def version(folder: Path, number: int) -> Version:
    """The version with this number. Raises InputError if there is none."""
    for found, path in _numbers(folder):
        if found == number:
            return load(path)
    have = ", ".join(path.stem for _number, path in _numbers(folder)) or "none"
    raise InputError(
        f"There is no version {number} of this contract", where=folder.name, todo=f"There is {have}."
    )


def save(shot: ShotFolder, contract: PromptContract, root: Path | None = None) -> Version:
    """Keeps a contract as the next version of its look; one that equals the newest is that one.

    ``root``: the folder that references are relative to; their hashes are kept. Nothing is ever overwritten, also where
    two processes save at once. Raises UsageError, StorageError.
    """
    folder = folder_of(shot, contract.look)
    before = latest(folder)
    if before is not None and before.digest == contract.digest:
        return before
    inputs = {f"reference {each.path}": digest for each, digest in _hashes(contract, root)}
    parent = before.digest if before is not None else ""
    for _try in range(_TRIES):
        number = max((taken for taken, _path in _numbers(folder)), default=0) + 1
        path = folder / f"v{number:03d}.json"
        kept = contract.numbered(number, parent)
        manifest = Manifest(SCHEMA, {}, {**inputs, **({"parent": parent} if parent else {})}, kept.to_json())
        if _claim(path, manifest):
            return load(path)
    raise InputError("The contract can't get a number of its own", where=str(folder), todo="Save it again.")


def _claim(path: Path, manifest: Manifest) -> bool:
    """Writes the manifest unless there is a file of that name already."""
    part = path.with_name(f".{path.stem}.{os.getpid()}.json")
    manifest.save(part)
    with storage(path):
        try:
            os.link(part, path)
        except FileExistsError:
            return False
        except OSError:  # a disk without hard links
            try:
                path.open("xb").close()
            except FileExistsError:
                return False
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return True


def place(path: str, root: Path | None) -> Path:
    """Where a reference lies: // and relative paths are below ``root``."""
    bare = path[2:] if path.startswith("//") else path
    return (root or Path()) / bare


def exists(path: str, root: Path | None) -> bool:
    """Whether a reference is a file; never raises."""
    try:
        return bool(path) and place(path, root).is_file()
    except (OSError, ValueError):
        return False


def _hashes(contract: PromptContract, root: Path | None) -> Iterator[tuple[Reference, str]]:
    for each in contract.references:
        if exists(each.path, root):
            yield each, hash_file(place(each.path, root))
