# SPDX-License-Identifier: GPL-3.0-or-later
"""What is different between two contracts, in words."""

from collections.abc import Iterator
from dataclasses import fields

from ..intent import Intent
from .contract import PromptContract
from .review import CRITERIA

_TEXTS = (("role", "Role"), ("purpose", "Purpose"), ("output", "Output"), ("look", "Look"))
_LISTS = (("change", "Change"), ("keep", "Keep"), ("negative", "Negative"))


def difference(old: PromptContract, new: PromptContract) -> list[str]:
    """Sentences, in the order of the fields; none for equal contracts."""
    return [*_texts(old, new), *_lists(old, new), *_parts(old, new), *_references(old, new),
            *_criteria(old.criteria, new.criteria)]  # fmt: skip


def _texts(old: PromptContract, new: PromptContract) -> Iterator[str]:
    for name, label in _TEXTS:
        before, now = getattr(old, name), getattr(new, name)
        if before != now:
            yield (
                f"{label} was “{before}”, is “{now}”" if before and now
                else f"{label} is “{now}”" if now else f"{label} is empty now, was “{before}”"
            )  # fmt: skip


def _lists(old: PromptContract, new: PromptContract) -> Iterator[str]:
    for name, label in _LISTS:
        before, now = getattr(old, name), getattr(new, name)
        yield from (f"{label}: “{line}” is gone" for line in before if line not in now)
        yield from (f"{label}: “{line}” is new" for line in now if line not in before)
        if before != now and set(before) == set(now):
            yield f"{label}: the same lines in another order or number"


def _parts(old: PromptContract, new: PromptContract) -> Iterator[str]:
    before, now = ({part.name: part.spoken for part in each.parts} for each in (old, new))
    yield from (f"Parts: {name} is gone" for name in before if name not in now)
    for name, said in now.items():
        if name not in before:
            yield f"Parts: {name} is new"
        elif before[name] != said:
            yield f"Parts: {name} is called “{said}”, was “{before[name]}”"


def _references(old: PromptContract, new: PromptContract) -> Iterator[str]:
    before, now = ({each.path: each for each in one.references} for one in (old, new))
    yield from (f"References: {path} is gone" for path in before if path not in now)
    for path, each in now.items():
        if path not in before:
            yield f"References: {path} is new"
        elif before[path] != each:
            yield f"References: {path} is for {each.role or 'nothing named'}, {each.takes or 'nothing named'}"


def _criteria(old: Intent, new: Intent) -> Iterator[str]:
    labels = {each.name: each.label for each in CRITERIA}
    for item in fields(Intent):
        before, now = getattr(old, item.name), getattr(new, item.name)
        if before != now:
            yield f"Criteria: {labels[item.name]} was {_said(before)}, is {_said(now)}"


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "any"
    return f"{value:g} px" if isinstance(value, float) else str(value)
