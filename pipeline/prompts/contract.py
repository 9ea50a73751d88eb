# SPDX-License-Identifier: GPL-3.0-or-later
"""A style prompt as a contract: what changes, what must not, and by what the result is judged."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ..errors import InputError
from ..intent import Intent
from ..store import digest_json
from .spoken import spoken, ways

SCHEMA = "holdfast/prompt"
SCHEMA_VERSION = 1
OUTPUT = "One continuous shot with the length, the framing and the frame order of the clip"
_WHERE = "prompt contract"
_SPACE = re.compile(r"\s+")


def tidy(text: str) -> str:
    """The text with single spaces, without a full stop or spaces around it."""
    return _SPACE.sub(" ", text).strip().rstrip(".; ")


@dataclass(frozen=True)
class Part:
    """A part of the shot: its name there and, if that is not how people say it, the words for it."""

    name: str
    says: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.strip())
        object.__setattr__(self, "says", tidy(self.says))

    @property
    def spoken(self) -> str:
        """The part in words: "bayonet lid"."""
        return self.says or spoken(self.name)

    @property
    def ways(self) -> tuple[str, ...]:
        """Every way in which a text may name it."""
        return ways(self.name, self.says)


@dataclass(frozen=True)
class Reference:
    """A picture that goes with the prompt: its role (style, colour, material, ...), and what is taken from it."""

    role: str
    path: str
    takes: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", tidy(self.role))
        object.__setattr__(self, "path", self.path.strip())
        object.__setattr__(self, "takes", tidy(self.takes))


@dataclass(frozen=True)
class PromptContract:
    """``criteria`` are what Validate checks. ``version`` 0 is a draft; ``parent`` the digest of the version before."""

    role: str = ""
    purpose: str = ""
    change: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    references: tuple[Reference, ...] = ()
    output: str = OUTPUT
    criteria: Intent = field(default_factory=Intent)
    negative: tuple[str, ...] = ()
    look: str = ""
    version: int = 0
    parent: str = ""

    def __post_init__(self) -> None:
        """Equal contracts have equal texts: spaces and final stops do not count, and empty lines are none."""
        for name in ("role", "purpose", "output"):
            object.__setattr__(self, name, tidy(getattr(self, name)))
        for name in ("change", "keep", "negative"):
            object.__setattr__(self, name, tuple(line for line in map(tidy, getattr(self, name)) if line))
        object.__setattr__(self, "parts", tuple(part for part in self.parts if part.name))
        kept = tuple(one for one in self.references if one.role or one.path or one.takes)
        object.__setattr__(self, "references", kept)

    @property
    def digest(self) -> str:
        """Names what is asked: equal for equal contracts of a look, whatever their number."""
        return digest_json({**self.to_json(), "version": 0, "parent": ""})

    def numbered(self, version: int, parent: str) -> "PromptContract":
        """The same contract as a version of its look."""
        return replace(self, version=version, parent=parent)

    def to_json(self) -> dict[str, Any]:
        """As plain data, which ``from_json`` reads back."""
        plain = {item.name: _plain(getattr(self, item.name)) for item in fields(self)}
        return {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **plain}

    @classmethod
    def from_json(cls, record: Any) -> "PromptContract":
        """Raises InputError for what is no contract, or one of a newer Holdfast."""
        if not isinstance(record, Mapping) or record.get("schema") != SCHEMA:
            raise InputError("That is no prompt contract", where=_WHERE)
        number = record.get("schema_version")
        if not isinstance(number, int) or not 1 <= number <= SCHEMA_VERSION:
            raise InputError(
                "The prompt contract was made by a newer Holdfast", where=_WHERE, todo="Update it."
            )
        known = {item.name for item in fields(cls)}
        strange = sorted(set(record) - known - {"schema", "schema_version"})
        if strange:
            raise InputError(f"The prompt contract has an unknown field {strange[0]!r}", where=_WHERE)
        made: dict[str, Any] = {
            name: _text(record, name)
            for name in ("role", "purpose", "output", "look", "parent")
            if name in record
        }
        for name in ("change", "keep", "negative"):
            made[name] = tuple(_texts(record.get(name, ()), name))
        made["parts"] = tuple(_built(Part, record.get("parts", ()), "parts"))
        made["references"] = tuple(_built(Reference, record.get("references", ()), "references"))
        made["criteria"] = Intent.from_json(record.get("criteria"))
        made["version"] = _number(record.get("version", 0))
        return cls(**made)


def _plain(value: Any) -> Any:
    if isinstance(value, Intent):
        return value.to_json()
    if isinstance(value, tuple):
        return [asdict(each) if isinstance(each, Part | Reference) else each for each in value]
    return value


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record[name]
    if not isinstance(value, str):
        raise InputError(f"{name} is {value!r}", where=_WHERE, todo="Write a text.")
    return value


def _texts(value: Any, name: str) -> Iterable[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise InputError(f"{name} is {value!r}", where=_WHERE, todo="Write a list of texts.")
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"version is {value!r}", where=_WHERE, todo="It is a number from 0.")
    return int(value)


def _built(kind: type, value: Any, name: str) -> Iterable[Any]:
    known = {item.name for item in fields(kind)}
    if not isinstance(value, list | tuple):
        raise InputError(f"{name} is {value!r}", where=_WHERE, todo="Write a list.")
    for item in value:
        good = isinstance(item, Mapping) and set(item) <= known
        if not good or not all(isinstance(text, str) for text in item.values()):
            raise InputError(
                f"{name} holds {item!r}", where=_WHERE, todo=f"It has {', '.join(sorted(known))}."
            )
        try:
            yield kind(**item)
        except TypeError as error:
            raise InputError(f"An entry of {name} is incomplete: {item!r}", where=_WHERE) from error
