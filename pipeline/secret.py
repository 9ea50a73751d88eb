# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that a person typed: in the memory of this process and of the workers it starts, nowhere else.

They reach a worker through its standard input, which is no file, no argument and no environment.
"""

import json
from collections.abc import Iterable, Mapping

SHORTEST = 4
"""Anything shorter is no key, and would cut holes into every sentence."""
_held: dict[str, str] = {}
_known: set[str] = set()


def hold(name: str, value: str) -> None:
    """Keeps a key until the process ends; an empty one forgets it."""
    if value:
        _held[name] = value
    else:
        _held.pop(name, None)


def hold_all(keys: Mapping[str, str]) -> None:
    """The same of many."""
    for name, value in keys.items():
        hold(name, value)


def held() -> Mapping[str, str]:
    """The keys by name."""
    return dict(_held)


def cut_out(values: Iterable[str]) -> None:
    """Further values that ``clean`` removes: keys that were found elsewhere than typed."""
    _known.update(values)


def clean(text: str) -> str:
    """``text`` without the keys, as they are and as they stand in JSON; for what is written down."""
    for value in sorted({*_held.values(), *_known}, key=len, reverse=True):
        if len(value) >= SHORTEST:
            text = text.replace(value, "***").replace(json.dumps(value)[1:-1], "***")
    return text
