# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a model as a person chooses them: by name and text, as its entry in the catalogue allows them."""

import json
from collections.abc import Mapping
from typing import Any

from ..pipeline.errors import UsageError
from .descriptor import Descriptor

OTHERS = frozenset(
    {"negative", "control", "workflow", "bind", "output", "keyframes_at", "keyframes_span", "elements", "tags", "transitions", "frames"}
)  # fmt: skip
"""What something else decides: the prompt, the clips, the settings of the service."""


def settable(model: Descriptor) -> dict[str, Any]:
    """The options that a person may choose, each with its rule: a list of values, {min, max}, or {} (anything)."""
    return {name: rule for name, rule in model.options.items() if name not in OTHERS and not _ours(rule)}


def _ours(rule: Any) -> bool:
    return isinstance(rule, Mapping) and "kind" in rule


def text_of(value: object) -> str:
    """A value as a person writes it."""
    return value if isinstance(value, str) else json.dumps(value)


def choices(rule: Any) -> list[str]:
    """What there is to choose from; nothing where any value, or a range, is allowed."""
    return [text_of(value) for value in rule] if isinstance(rule, list | tuple) else []


def says(rule: Any) -> str:
    """What a value may be, in few words."""
    if found := choices(rule):
        return f"one of {', '.join(found)}"
    return f"{rule['min']:g} to {rule['max']:g}" if "min" in rule else "as the model takes it"


def read(model: Descriptor, name: str, text: str) -> Any:
    """The value that ``text`` means. Raises UsageError for an option or a value that the model does not have."""
    rules = settable(model)
    if name not in rules:
        has = ", ".join(sorted(rules)) or "none"
        raise UsageError(f"{model.label} has no option {name!r}", todo=f"It has {has}.")
    rule, text = rules[name], text.strip()
    for value in rule if isinstance(rule, list | tuple) else ():
        if text_of(value).casefold() == text.casefold():
            return value
    if choices(rule):
        raise _wrong(model, name, text, rule)
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    if "min" not in rule:
        return found if isinstance(found, int | float | bool) else text
    fits = (
        isinstance(found, int | float) and not isinstance(found, bool) and rule["min"] <= found <= rule["max"]
    )
    if not fits or (_whole(rule) and not float(found).is_integer()):
        raise _wrong(model, name, text, rule)
    return int(found) if _whole(rule) else float(found)


def _whole(rule: Mapping[str, Any]) -> bool:
    return isinstance(rule["min"], int) and isinstance(rule["max"], int)


def _wrong(model: Descriptor, name: str, text: str, rule: Any) -> UsageError:
    whole = ", a whole number" if not choices(rule) and _whole(rule) else ""
    return UsageError(f"{name} can't be {text!r}", where=model.label, todo=f"It is {says(rule)}{whole}.")


def problem(model: Descriptor, name: str, text: str) -> str:
    """What is wrong with a value, or nothing."""
    try:
        read(model, name, text)
    except UsageError as error:
        return str(error)
    return ""


def chosen(model: Descriptor, texts: Mapping[str, str], *, lenient: bool = False) -> dict[str, Any]:
    """The values of those ``texts`` that are options of the model and not empty; ``lenient``: without those that can't be.
    Raises UsageError."""
    told = {name: text for name, text in texts.items() if text.strip() and name in settable(model)}
    return {name: read(model, name, text) for name, text in told.items()
            if not lenient or not problem(model, name, text)}  # fmt: skip
