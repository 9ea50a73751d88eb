# SPDX-License-Identifier: GPL-3.0-or-later
"""Results onto the disk: streamed, bounded, hashed, told by their content; whole under their name or not there."""

import hashlib
import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests

from ..pipeline.errors import HoldfastError, InputError, ProviderBusy, ProviderRejected, Uncertain
from ..pipeline.sniff import HEAD, SUFFIX, kind_of
from ..pipeline.store import read_json, storage, write_json
from .calls import Call
from .contract import Fetched
from .line import pieces
from .wire import AGAIN, SILENT_S, TRIES, Insecure, Wire

LONGEST_S = 12 * 3600.0
"""No download takes longer, at any rate."""


def download(
    wire: Wire, url: str, folder: Path, name: str, kinds: Collection[str], most_bytes: int, *, signed: bool = False
) -> Fetched:  # fmt: skip
    """Brings ``url`` into ``folder`` as ``name`` with the suffix of what it is, which must be one of ``kinds``.

    A connection that breaks is taken up where it broke if the server can; so is a download that a killed process left.
    Raises ProviderBusy (try again), ProviderRejected (too large, something else, gone), StorageError, Refused, Cancelled.
    """
    part = folder / f".{name}.part"
    with storage(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for attempt in range(TRIES):
        try:
            _stream(wire, Call("GET", url, signed=signed), part, most_bytes)
            break
        except Insecure:
            raise
        except (ProviderBusy, Uncertain) as error:  # a download is never in doubt: it is asked for again
            if attempt == TRIES - 1:
                raise ProviderBusy(error.what, where=error.where) from error
            wire.wait(0.5 * 2**attempt)
    return _finished(wire, part, folder, name, kinds)


def _stream(wire: Wire, call: Call, part: Path, most_bytes: int) -> None:
    """Appends what is missing to ``part``. Raises ProviderBusy if it broke off."""
    have, mark = _left(part)
    if have and mark:
        call = replace(call, headers={"Range": f"bytes={have}-", "If-Range": mark})
    with wire.open(call) as answer:
        if answer.status_code == 416 and have:
            answer.close()
            part.unlink(missing_ok=True)
            raise ProviderBusy(f"{wire.name} has another file now")
        _accept(wire, answer)
        if answer.status_code != 206:
            have = 0
        elif not answer.headers.get("content-range", f"bytes {have}-").startswith(f"bytes {have}-"):
            part.unlink(missing_ok=True)
            raise ProviderBusy(f"{wire.name} goes on at another place than was asked for")
        whole = _length(answer, have)
        if whole > most_bytes:
            raise ProviderRejected(
                f"{wire.name} sends {whole >> 20} MB, more than is allowed ({most_bytes >> 20} MB)"
            )
        with storage(part):
            write_json(part.with_suffix(".from"), {"mark": answer.headers.get("etag", "")})
            with part.open("ab" if have else "wb") as stream:
                got = _copy(wire, answer, stream, have, most_bytes)
                stream.flush()
                os.fsync(stream.fileno())
    if whole and got < whole:
        raise ProviderBusy(f"The download from {wire.name} broke off after {got} of {whole} bytes")


def _copy(wire: Wire, answer: requests.Response, stream: Any, have: int, most_bytes: int) -> int:
    got = have
    wire.limits.start(LONGEST_S, SILENT_S, rated=True)
    try:
        for chunk in pieces(answer):
            got += len(chunk)
            if got > most_bytes:
                stream.truncate(0)  # it is not kept, and not taken up again
                raise ProviderRejected(f"{wire.name} sends more than is allowed ({most_bytes >> 20} MB)")
            stream.write(chunk)
    except requests.RequestException as error:
        stream.flush()
        raise ProviderBusy(f"The download from {wire.name} broke off after {got} bytes") from error
    return got


def _left(part: Path) -> tuple[int, str]:
    """Bytes that an earlier try left, and the server's mark of the file they are from."""
    try:
        return part.stat().st_size, str(read_json(part.with_suffix(".from")).get("mark", ""))
    except (OSError, HoldfastError):
        return 0, ""


def _accept(wire: Wire, answer: requests.Response) -> None:
    if answer.status_code in (200, 206):
        if answer.headers.get("content-encoding", "identity") not in ("", "identity"):
            raise ProviderRejected(f"{wire.name} sends the result packed, which was not asked for")
        return
    if answer.status_code in (401, 403, 404, 410):
        raise ProviderRejected(
            f"The result is no longer at {wire.name} ({answer.status_code})",
            todo="Its link may have expired.",
        )
    if answer.status_code in AGAIN:
        raise ProviderBusy(f"{wire.name} can't hand out the result now ({answer.status_code})")
    raise ProviderRejected(f"{wire.name} refused to hand out the result ({answer.status_code})")


def _length(answer: requests.Response, have: int) -> int:
    """Bytes of the whole file; 0 if the server does not say."""
    said = answer.headers.get("content-length", "")
    return have + int(said) if said.isdigit() else 0


def _finished(wire: Wire, part: Path, folder: Path, name: str, kinds: Collection[str]) -> Fetched:
    try:
        with part.open("rb") as stream:
            head = stream.read(HEAD)
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        kind = kind_of(head, part.stat().st_size)
    except OSError as error:
        raise InputError(f"Can't read what was downloaded: {error.strerror}", where=str(part)) from error
    if kind not in kinds:
        part.unlink(missing_ok=True)
        part.with_suffix(".from").unlink(missing_ok=True)
        shown = kind or wire.clean(head[:60].decode("utf-8", "replace"), 60)
        raise ProviderRejected(
            f"{wire.name} sent something else than {' or '.join(sorted(kinds))}", where=shown
        )
    path = folder / f"{name}{SUFFIX[kind]}"
    with storage(path):
        part.replace(path)
    part.with_suffix(".from").unlink(missing_ok=True)
    return Fetched(path, digest)
