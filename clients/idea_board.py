# SPDX-License-Identifier: GPL-3.0-or-later
"""The board of ideas: every picture that was asked of a remote model, who its parents are, what was thought of it.

Below ``concepts/ideas``: ``rounds/0003.json`` is what one press of a button asked for (a manifest, written before anything
is sent), ``3b.json`` with its picture what came back for its second slot, ``marks.json`` the stars and what is hidden.
Each file has one writer, so that a worker and a window never write over each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest
from ..pipeline.store import read_json, write_json

ROUND = "holdfast/round"
FOLDER = "ideas"
MARKS = "marks.json"
WAYS = {
    "brief": "from the brief", "more": "more like", "edit": "edited from", "mix": "mixed from", "turn": "another view of",
}  # fmt: skip
"""How an idea came about, as it is said before its parents."""


@dataclass(frozen=True)
class Slot:
    """One picture that was asked for: ``name`` is the round and a letter ("3b"); ``place`` among the results of the ask
    with ``digest``; ``price`` its share in micros."""

    name: str
    round: int
    digest: str
    place: int
    seed: int | None
    price: int


@dataclass(frozen=True)
class Idea:
    """A picture that came back. ``picture`` and ``thumb`` lie relative to the concepts; ``cost`` micros of ``currency``,
    ``cost_told`` if the service said it, else it is the expected price."""

    name: str
    picture: str
    thumb: str
    sha256: str
    size: tuple[int, int]
    how: str
    prompt: str
    prompt_hash: str
    provider: str
    model: str
    seed: int | None
    cost: int
    currency: str
    cost_told: bool
    job: str
    parents: tuple[str, ...] = ()
    words: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data; ``Idea.from_json`` reads it back."""
        return {**vars(self), "size": list(self.size), "parents": list(self.parents)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Idea":
        """Raises InputError for anything else."""
        try:
            return cls(
                **{**record, "size": tuple(record["size"]), "parents": tuple(record.get("parents", ()))}
            )
        except (TypeError, KeyError) as error:
            raise InputError("The record of an idea is damaged", where=str(record)[:80]) from error


@dataclass
class Board:
    """Everything on the board. ``rounds`` in order, ``ideas`` by name, oldest first."""

    rounds: list[Manifest] = field(default_factory=list)
    ideas: dict[str, Idea] = field(default_factory=dict)
    starred: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()

    def slots(self) -> list[Slot]:
        """Every picture that was asked for, oldest first."""
        return [slot for each in self.rounds for slot in slots_of(each)]

    def waiting(self) -> list[Slot]:
        """The slots that no picture came for yet."""
        return [slot for slot in self.slots() if slot.name not in self.ideas]

    def shown(self, which: str = "ALL") -> list[str]:
        """Names of slots to show, the newest round first: ALL that are not hidden, STARRED or HIDDEN."""
        found = []
        for each in reversed(self.rounds):
            for slot in slots_of(each):
                hidden = slot.name in self.hidden
                starred = slot.name in self.starred and not hidden
                if {"ALL": not hidden, "STARRED": starred, "HIDDEN": hidden}[which]:
                    found.append(slot.name)
        return found

    def line(self, name: str) -> list[str]:
        """A name and its ancestors, the nearest first; each once, whatever a file says."""
        found, todo = [], [name]
        while todo:
            each = todo.pop(0)
            if each not in found:
                found.append(each)
                todo += self.ideas[each].parents if each in self.ideas else ()
        return found

    def tree(self) -> list[dict[str, Any]]:
        """The branch tree as the concepts carry it: each idea with its parents and marks."""
        return [
            {**idea.to_json(), "starred": name in self.starred, "hidden": name in self.hidden}
            for name, idea in self.ideas.items()
        ]


def letters(place: int) -> str:
    """a, b, ... z, aa, ab, ... for 0, 1, ..."""
    text = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def slots_of(made: Manifest) -> list[Slot]:
    """The pictures that a round asked for."""
    number, found = int(made.data["round"]), list[Slot]()
    for ask in made.data["asks"]:
        for place in range(int(ask["results"])):
            name, share = f"{number}{letters(len(found))}", int(ask["price"]) // int(ask["results"])
            seed = ask["request"].get("seed")
            found.append(Slot(name, number, str(ask["digest"]), place, seed, share))
    return found


def rounds_folder(concepts: Path) -> Path:
    """Where the rounds lie."""
    return concepts / FOLDER / "rounds"


def next_round(concepts: Path) -> int:
    """The number of the next round."""
    used = [int(path.stem) for path in rounds_folder(concepts).glob("*.json") if path.stem.isdigit()]
    return max(used, default=0) + 1


def round_file(concepts: Path, number: int) -> Path:
    """The manifest of a round."""
    return rounds_folder(concepts) / f"{number:04d}.json"


_read: dict[str, Any] = {}
"""Rounds and ideas by path: they are written once and never change."""


def read_board(concepts: Path) -> Board:
    """What is on the board of a shot; what can't be read is left out, since the rest still can be shown."""
    rounds = [
        made
        for path in sorted(rounds_folder(concepts).glob("*.json"))
        if (made := _once(path, lambda path: Manifest.load(path, ROUND))) is not None
    ]
    board = Board(rounds)
    for slot in board.slots():
        path = concepts / FOLDER / f"{slot.name}.json"
        idea = _once(path, lambda path: Idea.from_json(read_json(path))) if path.exists() else None
        if idea is not None:
            board.ideas[slot.name] = idea
    marks = read_marks(concepts)
    board.starred, board.hidden = frozenset(marks["starred"]), frozenset(marks["hidden"])
    return board


def _once(path: Path, read: Any) -> Any:
    try:
        status = path.stat()
        key = f"{path}|{status.st_mtime_ns}|{status.st_size}"
        if key not in _read:
            _read[key] = read(path)
        return _read[key]
    except (OSError, InputError):
        return None


def read_marks(concepts: Path) -> dict[str, list[str]]:
    """Stars and what is hidden; none if there is no file or it is damaged: nothing else hangs on it."""
    try:
        record = read_json(concepts / FOLDER / MARKS)
        return {key: [str(name) for name in record[key]] for key in ("starred", "hidden")}
    except (InputError, KeyError, TypeError):
        return {"starred": [], "hidden": []}


def mark(concepts: Path, name: str, which: str, on: bool) -> None:
    """Puts a star on an idea or hides it (``which``: starred, hidden), or takes that back. Raises StorageError."""
    marks = read_marks(concepts)
    rest = [each for each in marks[which] if each != name]
    write_json(concepts / FOLDER / MARKS, {**marks, which: [*rest, name] if on else rest})


def stamp(concepts: Path) -> tuple[int, ...]:
    """Another one whenever something on the board changed."""
    found = []
    for path in (
        concepts / FOLDER,
        rounds_folder(concepts),
        concepts / FOLDER / MARKS,
        concepts / "match.json",
    ):
        try:
            found.append(path.stat().st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)
