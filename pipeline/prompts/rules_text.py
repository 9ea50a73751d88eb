# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of lint about the text itself: what is missing, what no model keeps, what is too much."""

import re
from collections.abc import Iterator

from .reading import Case, Found
from .render import render
from .versions import exists
from .vocabulary import NEGATIVE, PRAISE, PROMISES, WEIGHTS

MOST_DEMANDS = 7
_DEMANDS = re.compile(r"[;,]|\band\b")
_NEEDED = {"change", "keep", "parts", "criterion", "reference"}
_ALL = ("role", "purpose", "change", "keep", "references", "output")


def no_change(case: Case) -> Iterator[Found]:
    if not case.contract.change:
        yield Found(
            "change", -1, 0, 0, "Nothing is said about what changes.", "Describe the look in a line or two."
        )


def no_keep(case: Case) -> Iterator[Found]:
    if not case.contract.keep:
        todo = "Say what the look must leave alone: the shape of every part, the framing, the lettering."
        yield Found("keep", -1, 0, 0, "Nothing is said about what must not change.", todo)


def empty(case: Case) -> Iterator[Found]:
    for name, todo in (
        ("role", "Say who works on it: “a painter of storybook backgrounds”."),
        ("purpose", "Say what the shot is for: “opening shot of a title sequence”."),
        ("output", "Say what comes back: “one continuous shot with the length and framing of the clip”."),
    ):
        if not getattr(case.contract, name):
            yield Found(name, -1, 0, 0, f"{name.capitalize()} is empty.", todo)


def negative_words(case: Case) -> Iterator[Found]:
    for line in case.lines(*_ALL):
        for match in NEGATIVE.finditer(line.text):
            says = (
                f"“{line.text[match.start() :][:28].strip()}”: video models tend to draw what a “no” names."
            )
            todo = "Say what is there instead (“a bare table” for “no clutter”), or write the thing into Negative."
            yield Found(line.field, line.index, *match.span(), says, todo)


def double_negative(case: Case) -> Iterator[Found]:
    for line in case.lines("negative"):
        match = re.match(r"(?:no|not|without|avoid|don't|never)\b", line.text, re.IGNORECASE)
        if match:
            says = f"“{line.text}” in Negative means that it is wanted."
            yield Found(
                line.field, line.index, *match.span(), says, "Write the thing alone, without the “no”."
            )


def promises(case: Case) -> Iterator[Found]:
    for line in case.lines(*_ALL):
        for match in PROMISES.finditer(line.text):
            todo = "Take it out: Validate measures it, and Repair puts the real part back."
            yield Found(
                line.field, line.index, *match.span(), f"“{match[0]}”: no model keeps that promise.", todo
            )


def praise(case: Case) -> Iterator[Found]:
    for line in case.lines(*_ALL):
        for match in PRAISE.finditer(line.text):
            says = f"“{match[0]}” says nothing that can be seen."
            yield Found(
                line.field,
                line.index,
                *match.span(),
                says,
                "Say what makes it so: line, colour, light, material.",
            )


def weights(case: Case) -> Iterator[Found]:
    for line in case.lines(*_ALL, "negative"):
        for match in WEIGHTS.finditer(line.text):
            says = f"“{match[0]}” is a notation that most models read as text."
            yield Found(line.field, line.index, *match.span(), says, "Say it in words.")


def too_many(case: Case) -> Iterator[Found]:
    count = sum(1 for line in case.contract.change for each in _DEMANDS.split(line) if each.strip())
    if count > MOST_DEMANDS:
        says = f"Change makes {count} demands; models follow the first few."
        yield Found("change", -1, 0, 0, says, f"Keep to {MOST_DEMANDS}: what the eye sees first.")


def twice(case: Case) -> Iterator[Found]:
    seen: dict[str, str] = {}
    for line in case.lines("change", "keep", "negative"):
        key = line.text.casefold()
        if seen.get(key) == line.field:
            yield Found(
                line.field, line.index, 0, len(line.text), f"“{line.text}” is said twice.", "Take one out."
            )
        seen[key] = line.field


def too_long(case: Case) -> Iterator[Found]:
    """The whole contract does not fit, so that something that counts is dropped."""
    fields = case.about.fields
    if fields is None or not fields.most:
        return
    lost = [
        each
        for each in render(case.contract, fields).dropped
        if "longer" in each.why and each.kind in _NEEDED
    ]
    if lost:
        says = f"{fields.label} takes {fields.most} {fields.unit_name}: it is not told “{lost[0].text}”" + (
            f" and {len(lost) - 1} more." if len(lost) > 1 else "."
        )
        yield Found(lost[0].kind if lost[0].kind in ("change", "keep", "parts") else "output", -1, 0, 0, says,
                    "Shorten the lines, or choose a model that takes more.")  # fmt: skip


def reference_missing(case: Case) -> Iterator[Found]:
    for at, each in enumerate(case.contract.references):
        if not exists(each.path, case.about.root):
            says = (
                f"The reference {each.path} does not exist." if each.path else "A reference has no picture."
            )
            yield Found("references", at, 0, 0, says, "Choose the file again, or take the reference out.")


def reference_bare(case: Case) -> Iterator[Found]:
    for at, each in enumerate(case.contract.references):
        if not each.takes:
            says = f"Nothing is said about what to take from {each.path or 'a reference'}."
            todo = "Name it: “the paper grain”, “the colours”. A model otherwise copies the things in it."
            yield Found("references", at, 0, 0, says, todo)


def references_refused(case: Case) -> Iterator[Found]:
    fields = case.about.fields
    count = len(case.contract.references)
    if fields is None or not count:
        return
    if not fields.cite:
        todo = "Say in Change what they show, or choose a model that takes pictures."
        yield Found("references", -1, 0, 0, f"{fields.label} takes no pictures beside the clip.", todo)
    elif 0 < fields.pictures < count:
        says = f"{fields.label} takes {fields.pictures} pictures, not {count}."
        yield Found("references", fields.pictures, 0, 0, says, "Put the ones that count first.")
