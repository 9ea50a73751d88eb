# SPDX-License-Identifier: GPL-3.0-or-later
"""Values out of a JSON document that nobody vouches for: of the right kind and in range, or the file is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from .facts import Facts, is_number

Record = dict[str, Any]
# possessive, and always a match once begun: an unclosed string costs one pass, not one for each quote in it
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)


def parse(facts: Facts, data: bytes) -> Record:
    """The JSON object in ``data``. Raises InputError if it is none, too large, too deep or holds NaN."""
    limits = facts.limits
    facts.most(len(data), limits.json_bytes, "bytes of JSON")
    facts.most(sum(data.count(sign) for sign in (b"{", b"[", b",")), limits.json_items, "values in its JSON")
    _check_depth(facts, data)

    def refuse(constant: str) -> NoReturn:
        raise facts.bad(f"has {constant} where a number must be")

    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=refuse)
    except (ValueError, RecursionError):
        raise facts.bad("holds JSON that can't be read") from None
    if not isinstance(document, dict):
        raise facts.bad("holds JSON that is no object")
    return document


def _check_depth(facts: Facts, data: bytes) -> None:
    """Refuses brackets nested too deep before a parser that recurses sees them; brackets in strings don't count."""
    bare = np.frombuffer(_STRING.sub(b"", data), np.uint8)
    opens = (bare == ord("[")) | (bare == ord("{"))
    closes = (bare == ord("]")) | (bare == ord("}"))
    steps = opens[opens | closes].astype(np.int32) * 2 - 1
    if steps.size and int(np.cumsum(steps).max()) > facts.limits.json_depth:
        raise facts.bad(f"holds JSON nested more than {facts.limits.json_depth} deep")


def items(facts: Facts, record: Record, key: str, limit: int | None = None) -> list[Record]:
    """The list of objects under ``key``; empty if there is none. Raises InputError."""
    values = record.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise facts.bad(f"has a list '{key}' that is damaged")
    facts.most(len(values), facts.limits.nodes if limit is None else limit, key)
    return values


def child(facts: Facts, record: Record, key: str) -> Record:
    """The object under ``key``; empty if there is none. Raises InputError."""
    value = record.get(key, {})
    if not isinstance(value, dict):
        raise facts.bad(f"has '{key}' that is no object")
    return value


def integer(facts: Facts, record: Record, key: str, low: int, high: int, default: int | None = None) -> int:
    """The integer under ``key``, ``low <= value <= high``. Raises InputError."""
    value = record.get(key, default)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise facts.bad(f"has '{key}' out of range: {str(value)[:40]}")
    return value


def index(facts: Facts, record: Record, key: str, pool: Sequence[Any]) -> int:
    """The index under ``key`` into ``pool``. Raises InputError."""
    return integer(facts, record, key, 0, len(pool) - 1)


def indices(facts: Facts, record: Record, key: str, pool: Sequence[Any]) -> list[int]:
    """The list of indices under ``key`` into ``pool``; empty if there is none. Raises InputError."""
    values = record.get(key, [])
    if not isinstance(values, list):
        raise facts.bad(f"has a list '{key}' that is damaged")
    for value in values:
        integer(facts, {key: value}, key, 0, len(pool) - 1)
    return values


def text(facts: Facts, record: Record, key: str, default: str = "") -> str:
    """The string under ``key``. Raises InputError."""
    value = record.get(key, default)
    if not isinstance(value, str):
        raise facts.bad(f"has '{key}' that is no text")
    return value


def numbers(facts: Facts, record: Record, key: str, length: int) -> list[float]:
    """The list of exactly ``length`` finite numbers under ``key``; empty if there is none. Raises InputError."""
    values = record.get(key, [])
    if not isinstance(values, list) or len(values) not in (0, length) or not all(map(is_number, values)):
        raise facts.bad(f"has '{key}' that is not {length} finite numbers")
    return [float(value) for value in values]
