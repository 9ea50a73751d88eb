# SPDX-License-Identifier: GPL-3.0-or-later
"""A contract as one model's own text: its fields, its length, its way to cite pictures. Same contract, same text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .contract import PromptContract
from .fields import Fields, cites
from .folding import fold
from .review import asked
from .spoken import listed, name_pattern

ORDER = (
    "purpose", "role", "avoided", "output", "steadiness", "reference", "keep", "criterion", "parts", "change", "short parts",
)  # fmt: skip
"""What is dropped first where a prompt is too long; of one kind, what was written last. Of the parts' list a short form is
left, which goes last of all."""
_STEADY = {"recolour", "relight", "outline_px"}
_KEEPS = re.compile(
    r"^(?:keep|hold|leave|preserve|maintain|retain)\b|\b(?:stays?|remains?|keeps?|holds?|must|do not|don't|never)\b"
    r"|(?<!what )(?<!that )(?<!which )\b(?:is|are)\b",
    re.IGNORECASE,
)
_YOU = re.compile(r"^you(?:'re| are)\s+", re.IGNORECASE)
_ARTICLES = ("the ", "a ", "an ", "all ", "every ", "each ", "its ")
_TOO_LONG = "the prompt is longer than the model takes"


@dataclass(frozen=True)
class Sentence:
    """One sentence: the kind that decides when it is dropped, and what it says."""

    kind: str
    text: str


@dataclass(frozen=True)
class Dropped:
    """What the model is not told, and why."""

    kind: str
    text: str
    why: str


@dataclass(frozen=True)
class Rendered:
    """``cited`` are (how the text names it, path of the reference) in the order in which they are sent."""

    fields: Fields
    prompt: str
    negative: str
    dropped: tuple[Dropped, ...]
    cited: tuple[tuple[str, str], ...]

    @property
    def length(self) -> int:
        """Of the prompt, in the model's unit."""
        return self.fields.measure(self.prompt)

    @property
    def says_length(self) -> str:
        """ "612 of 1000 UTF-16 units"."""
        most = f" of {self.fields.most}" if self.fields.most else ""
        return f"{self.length}{most} {self.fields.unit_name}"


def render(contract: PromptContract, fields: Fields) -> Rendered:
    """The text for a model. What did not fit or can't be said is listed; nothing is cut within a sentence."""
    names = cites(contract.references, fields)
    dropped = [
        Dropped("reference", each.takes or each.role, _no_picture(fields))
        for each, name in zip(contract.references, names, strict=True) if not name
    ]  # fmt: skip
    negative = ""
    if fields.negative:
        negative, lost = _negatives(contract, fields)
        dropped += lost
    else:
        dropped += [Dropped("avoided", each, "the model has no negative field, and there is no positive way to say it")
                    for each in contract.negative if not fold(each)]  # fmt: skip
    kept, lost = _fit(list(sentences(contract, fields)), fields)
    cited = tuple((name, each.path) for each, name in zip(contract.references, names, strict=True) if name)
    return Rendered(fields, _joined(kept), negative, (*dropped, *lost), cited)


def sentences(contract: PromptContract, fields: Fields) -> Iterator[Sentence]:
    """Everything that there is to say, in the order in which it is read."""
    said = {part.name: part.spoken for part in contract.parts}
    for line in contract.change:
        yield Sentence("change", _sentence(_named(line, said)))
    rigid = listed([part.spoken for part in contract.parts])
    if rigid:
        are = "each stays whole and rigid" if len(contract.parts) > 1 else "it stays whole and rigid"
        yield Sentence("parts", _sentence(f"{rigid}: {are}, in its own shape, place and motion"))
    for line in contract.keep:
        told = _named(line, said)
        yield Sentence("keep", _sentence(told if _KEEPS.search(told) else f"keep {_inside(told)}"))
    for criterion, says in asked(contract):
        yield Sentence("steadiness" if criterion.name in _STEADY else "criterion", _sentence(says))
    if not fields.negative:
        folded = [positive for each in contract.negative if (positive := fold(each))]
        for positive in dict.fromkeys(folded):
            yield Sentence("avoided", _sentence(positive))
    for each, name in zip(contract.references, cites(contract.references, fields), strict=True):
        if name:
            takes = each.takes or each.role or "look"
            whose = f" ({each.role})" if each.role and each.role.lower() not in takes.lower() else ""
            yield Sentence("reference", f"Take the {_bare(takes)} from {name}{whose}.")
    if contract.output:
        yield Sentence("output", _sentence(_named(contract.output, said)))
    if contract.role:
        yield Sentence("role", _sentence(f"Work as {_inside(_YOU.sub('', _named(contract.role, said)))}"))
    if contract.purpose:
        yield Sentence("purpose", _sentence(f"Purpose: {_named(contract.purpose, said)}"))


def _fit(all_: list[Sentence], fields: Fields) -> tuple[list[Sentence], list[Dropped]]:
    """What fits of the sentences, and what was dropped, in the order of `ORDER`."""
    kept, lost = all_, list[Dropped]()
    while fields.most and fields.measure(_joined(kept)) > fields.most:
        rank = min(ORDER.index(each.kind) for each in kept)
        last = max(index for index, each in enumerate(kept) if ORDER.index(each.kind) == rank)
        if kept[last].kind == "parts":
            short = Sentence("short parts", "All parts stay rigid and whole.")
            lost.append(Dropped("parts", kept[last].text, f"{_TOO_LONG}; “{short.text}” is said instead"))
            kept = [*kept[:last], short, *kept[last + 1 :]]
            continue
        if kept[last].kind != "short parts":
            lost.append(Dropped(kept[last].kind, kept[last].text, _TOO_LONG))
        kept = [*kept[:last], *kept[last + 1 :]]
    return kept, lost


def _negatives(contract: PromptContract, fields: Fields) -> tuple[str, list[Dropped]]:
    """The negative field: words with commas, the last ones dropped where it is too long."""
    kept = list(dict.fromkeys(contract.negative))
    lost: list[Dropped] = []
    while kept and fields.negative_most and fields.measure(", ".join(kept)) > fields.negative_most:
        lost.append(Dropped("avoided", kept.pop(), "the negative prompt is longer than the model takes"))
    return ", ".join(kept), lost


def _named(text: str, said: Mapping[str, str]) -> str:
    """``text`` with the parts' technical names replaced by the words for them."""
    technical = {name.lower(): words for name, words in said.items() if name.lower() != words.lower()}
    pattern = name_pattern(tuple(technical))
    if pattern is None:
        return text
    return pattern.sub(lambda found: _renamed(found[0], technical), text)


def _renamed(found: str, said: Mapping[str, str]) -> str:
    for ending in ("", "'s", "s"):
        name = found.lower().removesuffix(ending) if ending else found.lower()
        if name in said:
            return said[name] + ending
    return found


def _inside(text: str) -> str:
    """``text`` as it goes on within a sentence."""
    return text[:1].lower() + text[1:] if text.lower().startswith(_ARTICLES) else text


def _bare(text: str) -> str:
    for article in _ARTICLES[:3]:
        if text.lower().startswith(article):
            return text[len(article) :]
    return text


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) else ".")


def _joined(kept: list[Sentence]) -> str:
    return " ".join(each.text for each in kept)


def _no_picture(fields: Fields) -> str:
    if not fields.cite:
        return "the model takes no pictures beside the clip"
    return f"the model takes {fields.pictures} pictures"
