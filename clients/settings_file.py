# SPDX-License-Identifier: GPL-3.0-or-later
"""A small TOML file of tables that a person may have written: one value changed, all other lines as they were."""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def edited(text: str, tables: Mapping[str, Mapping[str, Any]], table: str, name: str) -> str:
    """``text`` with ``name`` of ``table`` as it is in ``tables``, which is what the result says; without comments only
    where its lines are too unusual to be kept."""
    value = tables.get(table, {}).get(name)
    made = _line(text.splitlines(), table, name, value)
    try:
        if tomllib.loads(made) == {key: dict(each) for key, each in tables.items()}:
            return made
    except tomllib.TOMLDecodeError:
        pass
    parts = (f"[{_key(key)}]\n" + "".join(f"{_key(k)} = {literal(v)}\n" for k, v in each.items())
             for key, each in tables.items())  # fmt: skip
    return "\n".join(parts)


def _line(lines: list[str], table: str, name: str, value: object) -> str:
    head = next((i for i, line in enumerate(lines) if line.split("#")[0].strip() == f"[{_key(table)}]"), None)
    if head is None:
        lines += ([""] if lines else []) + [f"[{_key(table)}]"]
        head = len(lines) - 1
    end = next((i for i in range(head + 1, len(lines)) if lines[i].lstrip().startswith("[")), len(lines))
    at = next((i for i in range(head + 1, end) if lines[i].partition("=")[0].strip() == _key(name)), None)
    new = [] if value is None else [f"{_key(name)} = {literal(value)}"]
    lines[at if at is not None else head + 1 : at + 1 if at is not None else head + 1] = new
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def literal(value: object) -> str:
    """A value as TOML. Raises TypeError for what TOML has no word for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(each) for each in value)}]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(k))} = {literal(v)}" for k, v in value.items()) + " }"
    raise TypeError(f"{type(value).__name__} can't be written")
