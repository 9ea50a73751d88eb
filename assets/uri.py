# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of files inside mesh files: only what lies in the file's own folder, or below it, is ever opened."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from urllib.parse import unquote

from .facts import Facts

_LONGEST = 1024
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:")
_DRIVE = re.compile(r"^[A-Za-z]:")
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}


def trick_in(name: str) -> str:
    """What is wrong with a file name from a file, as the end of a sentence; "" if it stays in its folder."""
    if len(name) > _LONGEST:
        return "a name that is too long"
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        return "a name with control characters"
    plain = name.replace("\\", "/")
    if plain.startswith("//"):
        return "a path on another computer"
    if plain.startswith(("/", "~")) or _DRIVE.match(plain):
        return "an absolute path"
    if _SCHEME.match(plain):
        return "an address, not a file beside it"
    parts = plain.split("/")
    if ".." in parts:
        return "a path out of its folder"
    if any(part.split(".")[0].strip().lower() in _DEVICES or ":" in part for part in parts):
        return "a name that Windows keeps for devices"
    return ""


def reaches_out(name: str) -> bool:
    """Whether opening the name would ask another computer: a UNC path or an address."""
    return trick_in(name) in ("a path on another computer", "an address, not a file beside it")


def beside(facts: Facts, name: str, what: str) -> Path | None:
    """The file of that name in the folder of the mesh file or below; None if it is not there.

    Raises InputError if the name, taken as it is or percent-decoded, leads out of the folder, also through a link.
    """
    decoded = unquote(name)
    for form in (name, decoded, unquote(decoded)):
        if trick := trick_in(form):
            todo = f"Put the {what} beside the file and name it without a path."
            raise facts.bad(f"names a {what} by {trick}: {_shown(name)}", todo)
    facts.side_files.append(decoded.replace("\\", "/"))
    facts.most(len(set(facts.side_files)), facts.limits.side_files, "files beside it")
    folder = facts.path.parent.resolve()
    path = (folder / decoded.replace("\\", "/")).resolve()
    if not path.is_relative_to(folder):
        raise facts.bad(f"names a {what} that is a link out of its folder: {_shown(name)}")
    if not path.is_file():
        return None
    facts.most(path.stat().st_size, facts.limits.file_bytes, f"bytes in {path.name}")
    return path


def _shown(name: str) -> str:
    short = name if len(name) <= 80 else name[:77] + "..."
    return "".join(letter if letter.isprintable() else "?" for letter in short)


def data_uri(facts: Facts, uri: str, most: int, what: str) -> tuple[bytes, str]:
    """(bytes, media type) of a data: URI. Raises InputError if it is larger than ``most`` bytes or damaged."""
    head, comma, body = uri.partition(",")
    if not comma or not head.endswith(";base64"):
        raise facts.bad(f"holds a {what} in a form that is not base64")
    if len(body) > most * 4 // 3 + 4:
        raise facts.bad(f"holds a {what} of {len(body) * 3 // 4:,} bytes where {most:,} are expected")
    try:
        return base64.b64decode(unquote(body) if "%" in body else body, validate=True), head[5:-7]
    except (binascii.Error, ValueError):
        raise facts.bad(f"holds a {what} whose base64 is damaged") from None
