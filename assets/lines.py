# SPDX-License-Identifier: GPL-3.0-or-later
"""Text files of any size, read a block of lines at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from .facts import Facts

_BLOCK = 4 * 1024 * 1024


def blocks(facts: Facts, stream: BinaryIO, join: bytes = b"") -> Iterator[list[bytes]]:
    """The stripped lines of a text file, some megabytes at a time; a line that ends with ``join`` goes on in the next.

    Raises InputError for a line longer than the limit.
    """
    rest = b""
    while data := stream.read(_BLOCK):
        data = (rest + data).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        cut = data.rfind(b"\n") + 1
        while join and data[:cut].endswith(join + b"\n"):
            cut = data.rfind(b"\n", 0, cut - 1) + 1
        if len(data) - cut > facts.limits.line_bytes:
            raise facts.bad("has a line that never ends")
        rest, data = data[cut:], data[:cut]
        yield _lines(facts, data, join)
    yield _lines(facts, rest, join)


def _lines(facts: Facts, data: bytes, join: bytes) -> list[bytes]:
    if join:
        data = data.replace(join + b"\n", b" ")
    lines = data.split(b"\n")
    if max(map(len, lines)) > facts.limits.line_bytes:
        raise facts.bad("has a line that never ends")
    return [line.strip() for line in lines]


def floats(facts: Facts, rows: list[list[bytes]]) -> NDArray[np.float64]:
    """(rows, values) float64 of rows of equally many words. Raises InputError for what is no finite number."""
    try:
        values = np.array(list(map(float, chain.from_iterable(rows))), np.float64)
    except ValueError:
        raise facts.bad("has a word where a number must be") from None
    if not np.isfinite(values).all():
        raise facts.bad("has coordinates that are not finite numbers")
    return values.reshape(len(rows), -1) if rows else np.zeros((0, 0))


def ints(facts: Facts, words: list[bytes]) -> NDArray[np.int64]:
    """(N,) int64 of words. Raises InputError for what is none."""
    try:
        return np.array(list(map(int, words)), np.int64)
    except (ValueError, OverflowError):
        raise facts.bad("has a word where a whole number must be") from None
