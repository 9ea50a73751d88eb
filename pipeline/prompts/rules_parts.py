# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of lint about the parts: named, whole, rigid, there once."""

import re
from collections.abc import Iterator

from .reading import Case, Found, denied, wanted
from .vocabulary import ADDS, DEFORMING, GOES, HIDES

ASKING = ("change", "role", "purpose", "parts", "references", "output")
"""Fields whose words a model follows."""


def no_parts(case: Case) -> Iterator[Found]:
    if not case.contract.parts:
        todo = "Press Parts of the Shot: the list is what the model is told to keep whole." if case.about.parts else (
            "Mark the parts of the shot, then press Parts of the Shot.")  # fmt: skip
        yield Found("parts", -1, 0, 0, "The list of parts is empty.", todo)


def part_unnamed(case: Case) -> Iterator[Found]:
    listed = {part.name for part in case.contract.parts}
    for name in case.about.parts if listed else ():
        if name not in listed and not any(name in case.named(line.text) for line in case.lines("keep")):
            todo = "Add it to the parts, or say in Keep what of it stays."
            yield Found("parts", -1, 0, 0, f"Neither Parts nor Keep names {name}.", todo)


def part_unknown(case: Case) -> Iterator[Found]:
    for at, part in enumerate(case.contract.parts):
        if case.about.parts and part.name not in case.about.parts:
            todo = "Take it out, or mark the part in the scene."
            yield Found("parts", at, 0, 0, f"The shot has no part {part.name}.", todo)


def readable_unknown(case: Case) -> Iterator[Found]:
    known = {way.casefold() for _name, said in case.parts for way in said}
    for name in case.contract.criteria.readable:
        if case.parts and name.casefold() not in known:
            todo = "Write the name of a part of the shot, or take it out of Must Be Readable."
            yield Found("criteria", -1, 0, 0, f"{name} must be readable, but is no part of the shot.", todo)


def deforms_part(case: Case) -> Iterator[Found]:
    yield from _deforms(case, "part")


def deforms_something(case: Case) -> Iterator[Found]:
    yield from _deforms(case, "")


def _deforms(case: Case, of: str) -> Iterator[Found]:
    for line in case.lines(*ASKING):
        for pattern, safer in DEFORMING:
            for match in pattern.finditer(line.text):
                kind, subject = case.said_of(line.text, *match.span())
                if kind != of or denied(line.text, match.start()):
                    continue
                why = (
                    f"said of “{subject}”, a model bends it"
                    if subject
                    else "said of nothing, it may bend parts"
                )
                todo = f"Say what is painted instead: “{safer}”."
                yield Found(line.field, line.index, *match.span(), f"“{match[0]}”: {why}.", todo)


def adds_part(case: Case) -> Iterator[Found]:
    if case.any_part is None:
        return
    pattern = re.compile(rf"\b{ADDS}(?: \w+)? (?={case.any_part.pattern})", re.IGNORECASE)
    for line in case.lines("change", "purpose", "output"):
        for match in pattern.finditer(wanted(line.text)):
            says = f"“{match[0].strip()}” asks for a part more than once; Validate finds doubled parts."
            todo = "Add it to the scene and render it, or say it of the background alone."
            yield Found(line.field, line.index, *match.span(), says, todo)


def hides_part(case: Case) -> Iterator[Found]:
    if case.any_part is None:
        return
    name = case.any_part.pattern
    pattern = re.compile(
        rf"\b{HIDES} (?:up )?(?:(?:the|a|all|every|its) )?{name}|{name} {GOES}", re.IGNORECASE
    )
    for line in case.lines("change", "purpose", "output"):
        for match in pattern.finditer(line.text):
            if not denied(line.text, match.start()):
                says = f"“{match[0]}” takes a part out of the picture; Validate finds vanished parts."
                todo = "Hide it in the scene and render that, or take the words out."
                yield Found(line.field, line.index, *match.span(), says, todo)


def forbids_part(case: Case) -> Iterator[Found]:
    for line in case.lines("negative"):
        bare = re.sub(r"^(?:no|the|any)\s+", "", line.text, flags=re.IGNORECASE)
        if case.any_part is not None and case.any_part.fullmatch(bare):
            says = f"Negative names the part “{bare}”: the model is told to leave it out."
            todo = f"Say what is wrong with it instead: “bent {bare}”, “second {bare}”."
            yield Found(line.field, line.index, 0, len(line.text), says, todo)
