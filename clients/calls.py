# SPDX-License-Identifier: GPL-3.0-or-later
"""A request and an answer as plain data: what adapters build and read, and what tests compare with a vendor's own."""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any

MOST_VALUES = 1_000_000
"""Values in one JSON: each takes some hundred bytes of memory, whatever few it took to send."""


def parsed(text: bytes) -> Any:
    """What JSON of unknown origin says. Raises ValueError for what is none, and for a bomb: deeper than anything, or of
    more values than any honest answer, counted before they are made. Commas in strings count too; base64 has none."""
    if text.count(b",") + text.count(b"[") + text.count(b"{") > MOST_VALUES:
        raise ValueError("more values than any honest answer has")
    try:
        return json.loads(text)
    except (RecursionError, MemoryError) as error:
        raise ValueError("deeper than any honest answer is") from error


@dataclass(frozen=True)
class Part:
    """One file of a multipart form; without a ``name`` a plain field of it, for forms that have no file or repeat a field."""

    field: str
    name: str
    content: Path | bytes
    media_type: str


@dataclass(frozen=True)
class Call:
    """One request, as plain data: what an adapter builds and what tests compare with a vendor's own. ``url`` is a path
    below the service's base or a whole address; ``signed``: it carries the service's credentials; ``patience_s``: how long
    the answer may be silent where the service works before it answers (0: as usual)."""

    method: str
    url: str
    json: Any = None
    form: Mapping[str, str] | None = None
    parts: tuple[Part, ...] = ()
    body: bytes | Path | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    signed: bool = True
    patience_s: float = 0.0


@dataclass(frozen=True)
class Reply:
    """An answer, whole. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""

    @property
    def ok(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None if it is none (or one that no honest server sends)."""
        try:
            return parsed(self.body)
        except ValueError:
            return None

    @property
    def table(self) -> dict[str, Any]:
        """The body as a JSON object; empty if it is none."""
        found = self.json
        return found if isinstance(found, dict) else {}

    @property
    def retry_after_s(self) -> float | None:
        """What Retry-After asks for, in seconds or as a date."""
        said = self.headers.get("retry-after", "").strip()
        if not said:
            return None
        try:
            seconds = float(said)
        except ValueError:
            pass
        else:
            return max(0.0, seconds) if math.isfinite(seconds) else None
        try:
            return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
        except (TypeError, ValueError, OverflowError):
            return None


def number(value: Any) -> float | None:
    """A number in an answer, also one written as text; None for all else, and for those that nothing can be made of."""
    try:
        found = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and abs(found) < 1e15 else None


def table_of(value: Any) -> dict[str, Any]:
    """A JSON object in an answer; empty for all else."""
    return value if isinstance(value, dict) else {}


def tables_of(value: Any) -> list[dict[str, Any]]:
    """The JSON objects of a list in an answer; none for all else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
