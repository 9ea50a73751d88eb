# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear whole or not at all, and the hashes that name them."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import InputError, StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}


def canonical_json(value: object) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces, so that equal values have equal bytes. NaN is refused."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest_json(value: object) -> str:
    """SHA-256 (hex) of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def hash_file(path: Path | str) -> str:
    """SHA-256 (hex) of a file's bytes. Raises InputError if it can't be read."""
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"Can't read {Path(path).name}: {error.strerror}", where=str(path)) from error


def hash_input(path: Path | str) -> str:
    """SHA-256 (hex) of a file; of a folder over the names and hashes of its files. Raises InputError."""
    folder = Path(path)
    if not folder.is_dir():
        return hash_file(folder)
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return digest_json([[each.relative_to(folder).as_posix(), hash_file(each)] for each in files])


@contextmanager
def storage(path: Path | str) -> Iterator[None]:
    """Turns operating-system errors of writing into the sentence that says what to do."""
    try:
        yield
    except OSError as error:
        where = str(path)
        if error.errno in _FULL:
            todo = "Free some space and run the stage again: finished frames are kept."
            raise StorageError("The disk is full", where=where, todo=todo) from error
        if error.errno in _CLOSED:
            todo = "Choose another output root in the preferences, or make the folder writable."
            raise StorageError("The output folder can't be written", where=where, todo=todo) from error
        raise StorageError(f"Writing failed: {error.strerror or error}", where=where) from error


_together: list[list[Path]] = []
"""What is to be flushed by each ``flushed_together`` that is open."""


@contextmanager
def writing(path: Path | str) -> Iterator[Path]:
    """A temporary name beside ``path``; flushed and renamed to it at the end, removed after an error.

    The name keeps the suffix, because picture writers choose the format by it.
    """
    final = Path(path)
    part = final.with_name(f".{final.stem}.{os.getpid()}.part{final.suffix}")
    with storage(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            if _together:
                _together[-1].append(final)
            else:
                _flush(part)
            part.replace(final)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def flushed_together() -> Iterator[None]:
    """What is written inside is flushed at the end, all at once: hundreds of small files then cost the disk one wait.

    For files that count only once something written afterwards names them: until the end a crash may leave them cut off.
    """
    _together.append([])
    try:
        yield
        for path in _together[-1]:
            _flush(path)
    finally:
        _together.pop()


def _flush(path: Path) -> None:
    with storage(path), path.open("rb+") as stream:
        os.fsync(stream.fileno())


def write_bytes(path: Path | str, data: bytes) -> None:
    """Writes ``data`` whole or not at all."""
    with writing(path) as part:
        part.write_bytes(data)


def write_json(path: Path | str, value: object) -> None:
    """Writes readable JSON (sorted keys, two spaces) whole or not at all."""
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def read_json(path: Path | str) -> Any:
    """The JSON in a file. Raises InputError with the reason if there is none or it is damaged."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{Path(path).name} is missing", where=str(path)) from error
    except OSError as error:
        raise InputError(f"Can't read {Path(path).name}: {error.strerror}", where=str(path)) from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        todo = "Run the stage that makes it again."
        raise InputError(f"{Path(path).name} is damaged", where=str(path), todo=todo) from error
