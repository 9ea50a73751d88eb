# SPDX-License-Identifier: GPL-3.0-or-later
"""How lint reads a contract: its lines, the parts and aspects that a line names, what a word is said of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .contract import PromptContract
from .fields import Fields
from .spoken import name_pattern, names_in, ways

LOCKED, MOVES = "locked", "moves"
ERROR, WARNING, HINT = "error", "warning", "hint"
SEVERITIES = (ERROR, WARNING, HINT)


@dataclass(frozen=True)
class About:
    """What is known of the shot: its parts, whether the camera is locked or moves ("" unknown), the model that is meant,
    and the folder that references are relative to."""

    parts: tuple[str, ...] = ()
    camera: str = ""
    fields: Fields | None = None
    root: Path | None = None


@dataclass(frozen=True)
class Line:
    """One text of a contract: its field, its place in that, and the text."""

    field: str
    index: int
    text: str


@dataclass(frozen=True)
class Found:
    """What a rule found: where (``start`` and ``end`` within that text; 0, 0 is all of it), what, and what to do."""

    field: str
    index: int
    start: int
    end: int
    says: str
    todo: str


class Case:
    """A contract with what is known of its shot, as the rules read it."""

    def __init__(self, contract: PromptContract, about: About) -> None:
        self.contract, self.about = contract, about

    @cached_property
    def parts(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(name, every way to name it) of the parts of the contract and of the shot."""
        own = {part.name: part.ways for part in self.contract.parts}
        return (*own.items(), *((name, ways(name)) for name in self.about.parts if name not in own))

    @cached_property
    def any_part(self) -> re.Pattern[str] | None:
        """Finds any of the parts."""
        return name_pattern(tuple(way for _name, said in self.parts for way in said))

    def lines(self, *names: str) -> Iterator[Line]:
        """The texts of these fields, in order."""
        for name in names:
            value = getattr(self.contract, name)
            if name == "parts":
                yield from (Line(name, at, part.says) for at, part in enumerate(value) if part.says)
            elif name == "references":
                yield from (Line(name, at, each.takes) for at, each in enumerate(value) if each.takes)
            elif isinstance(value, str):
                yield from [Line(name, -1, value)] if value else ()
            else:
                yield from (Line(name, at, text) for at, text in enumerate(value))

    def named(self, text: str) -> list[str]:
        """Names of the parts that a text names."""
        return [name for name, _start, _end in names_in(text, self.parts)]

    def subjects(self, text: str) -> set[tuple[str, str]]:
        """(part or "", aspect) pairs that a text speaks of; a part without an aspect is "itself"."""
        parts = self.named(text)
        aspects = [name for name, pattern in ASPECTS.items() if pattern.search(_cut(text, self.any_part))]
        whole = {("", each) for each in aspects if each in WHOLE or not parts}
        of_parts = [each for each in aspects if each not in WHOLE]
        if not of_parts and whole:
            return whole
        return whole | {(part, each) for part in parts for each in of_parts or ["itself"]}

    def said_of(self, text: str, start: int, end: int) -> tuple[str, str]:
        """What the word at start..end is said of ("part", "surface", or "" where nothing near it is named), by its word."""
        head, tail = _clause(text, start, end)
        best, of = 1 << 16, ("", "")
        patterns = [("part", GENERIC), ("surface", SURFACES)]
        if self.any_part is not None:
            patterns.append(("part", self.any_part))
        for kind, pattern in patterns:
            for match in pattern.finditer(text, head, tail):
                far = match.start() - end if match.start() >= end else start - match.end()
                if 0 <= far < best or (far == best and kind == "part"):
                    best, of = far, (kind, match[0])
        return of


def _cut(text: str, names: re.Pattern[str] | None) -> str:
    """``text`` without the parts' names, so that a part called "logo plate" is no lettering."""
    return names.sub(" ", text) if names is not None else text


def _clause(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the clause around start..end begins and ends."""
    head = max((match.end() for match in _BREAKS.finditer(text, 0, start)), default=0)
    after = _BREAKS.search(text, end)
    return head, after.start() if after else len(text)


def words(*alternatives: str) -> re.Pattern[str]:
    """Finds any of these as whole words."""
    return re.compile(rf"(?<![\w-])(?:{'|'.join(alternatives)})(?![\w])", re.IGNORECASE)


def denied(text: str, start: int) -> bool:
    """Whether a "no" or "not" stands up to three words before."""
    return bool(_DENIAL.search(text[:start]))


def wanted(text: str) -> str:
    """What a line asks for, without the exception that it makes ("..., but leave the background")."""
    return EXCEPT.split(text, maxsplit=1)[0]


_BREAKS = re.compile(r"[,;.:]|\b(?:while|but|whereas)\b", re.IGNORECASE)
_DENIAL = re.compile(r"\b(?:no|not|never|without|nothing|n't|don't|avoid)(?:\s+\w+){0,2}\s*$", re.IGNORECASE)
EXCEPT = re.compile(r"\b(?:but|except|without|while keeping|leaving|and keep|and leave|not)\b", re.IGNORECASE)
GENERIC = words("parts?", "products?", "objects?", "everything", "geometry", "mechanisms?", "pieces", "shapes?", "the model", "props?", "forms")  # fmt: skip
SURFACES = words(
    "paint(?:s|ed)?", "ink(?:s|ed|y)?", "wash(?:es)?", "watercolou?rs?", "brush\\w*", "strokes?", "lines?", "linework", "textures?",
    "grain", "paper", "smoke", "fog", "mist", "steam", "water", "waves?", "clouds?", "sky", "background", "backdrop", "lights?",
    "lighting", "shadows?", "colou?rs?", "moods?", "atmosphere", "feel", "palette", "pigment", "glow", "fire", "flames?",
    "reflections?", "edges of the wash", "hatching", "style", "score", "music", "world", "scene",
)  # fmt: skip
ASPECTS: dict[str, re.Pattern[str]] = {
    "background": words("background", "backdrop", "surroundings", "environment", "scenery"),
    "camera": words("camera(?: move| angle)?", "viewpoint", "framing", "composition", "crop"),
    "colour": words("colou?rs?", "colou?ring", "palette", "hues?", "tints?", "recolou?r\\w*"),
    "light": words("light(?:ing)?", "shadows?", "illumination"),
    "shape": words("shapes?", "outlines?", "silhouettes?", "proportions?", "geometry", "contours?", "size"),
    "place": words("positions?", "place(?:ment)?", "layout"),
    "motion": words("motions?", "movements?", "timing", "animation", "speed", "pace"),
    "lettering": words("lettering", "logos?", "text", "labels?", "writing", "numerals?", "numbers"),
    "material": words(
        "materials?", "surfaces?", "textures?", "finish", "brass", "copper", "steel", "iron", "gold", "silver", "wood(?:en)?", "oak",
        "clay", "glass", "felt", "paper", "cardboard", "plastic", "stone", "marble", "leather", "wool", "ink", "watercolou?r", "paint(?:ed)?",
        "pencil", "rubber", "ceramic", "porcelain", "metal(?:lic)?",
    ),
}  # fmt: skip
WHOLE = {"background", "camera"}
"""Aspects of the picture, never of a part."""
HELD = {"itself", "shape", "place", "motion", "lettering"}
"""What a line that keeps a part as such holds of it; its colour, light and material are what a look is about."""
