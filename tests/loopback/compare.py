# SPDX-License-Identifier: GPL-3.0-or-later
"""Is our request the vendor's own? Path, query, the headers that count, and the body up to documented freedom."""

from collections.abc import Collection, Iterable
from typing import Any

from .server import Received

COUNTED = (
    "authorization",
    "content-type",
    "x-api-key",
    "x-goog-api-key",
    "x-runway-version",
    "anthropic-version",
)


def plain(value: Any, free: Collection[str] = ()) -> Any:
    """Without what a vendor's SDK may leave out or not: nulls, and the keys that are ``free``."""
    if isinstance(value, dict):
        return {key: plain(v, free) for key, v in value.items() if v is not None and key not in free}
    if isinstance(value, list):
        return [plain(each, free) for each in value]
    return value


def as_data(
    received: Received, free: Collection[str] = (), headers: Iterable[str] = COUNTED
) -> dict[str, Any]:
    """What of a request must be equal."""
    kind = received.headers.get("content-type", "").partition(";")[0]
    body: Any = plain(received.json, free) if kind == "application/json" and received.body else None
    if kind == "multipart/form-data":
        body = sorted((name, content) for name, _, _, content in received.parts if name not in free)
    counted = {h: received.headers[h].partition(";")[0] for h in headers if h in received.headers}
    return {
        "method": received.method,
        "path": received.path,
        "query": dict(received.query),
        "headers": counted,
        "body": body,
    }


def assert_same(
    ours: Received, theirs: Received, free: Collection[str] = (), headers: Iterable[str] = COUNTED
) -> None:
    """Raises AssertionError with both where they differ."""
    mine, other = as_data(ours, free, headers), as_data(theirs, free, headers)
    assert mine == other, f"\nours   {mine}\ntheirs {other}"
