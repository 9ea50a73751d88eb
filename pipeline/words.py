# SPDX-License-Identifier: GPL-3.0-or-later
"""The person's word on a finding: kept in the ledger, beside the report, which no word ever rewrites.

A word is about a part, a kind of fault and a span of frames of one take, so it outlives the report that it was given on:
the same take validated again has it still. The latest word counts; an empty one takes the one before it back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from .errors import InputError
from .ledger import Ledger, read_shard

EVENT = "word"
ACCEPTED, REJECTED, NOT_A_FAULT, TAKEN_BACK = "accepted", "rejected", "not_a_fault", ""
LABELS = {ACCEPTED: "accepted", REJECTED: "left to a person", NOT_A_FAULT: "not a fault"}
"""A fault to be repaired; a fault that stays, since the person takes it; a false alarm."""
UNSURE = "unsure"
"""The severity of a finding that is too little of its kind to fail a take: a person is asked."""


@dataclass(frozen=True)
class Word:
    """What a person said of a finding. ``frames`` first and last scene frame; ``report`` and ``made`` are the digests of
    the report that it was said on and of the take; ``value`` and ``limit`` in the kind's unit."""

    shot: str
    take: str
    part: str
    kind: str
    frames: tuple[int, int]
    word: str
    note: str = ""
    report: str = ""
    made: str = ""
    value: float = 0.0
    limit: float = 0.0
    look: str = ""
    provider: str = ""
    at: str = ""

    def fits(self, finding: Mapping[str, Any]) -> bool:
        """Whether it is about this finding: the same part and kind, and frames that overlap."""
        first, last = finding["frames"]
        same = self.part == finding["part"] and self.kind == finding["kind"]
        return same and self.frames[0] <= int(last) and int(first) <= self.frames[1]


def say(ledger: Ledger, shot: str, take: Mapping[str, Any], report: Mapping[str, Any], finding: Mapping[str, Any],
        word: str, note: str = "") -> dict[str, Any]:  # fmt: skip
    """Writes a word into the ledger. ``take`` {take, digest, look, provider}, ``report`` {digest}; ``word`` one of
    LABELS, or "" to take the last one back. Raises InputError for another word, StorageError."""
    if word not in LABELS and word != TAKEN_BACK:
        raise InputError(f"{word!r} is no word on a finding", todo=f"Say {', '.join(LABELS)}.")
    return ledger.record(
        EVENT, shot=shot, take=str(take["take"]), made=str(take.get("digest", "")), report=str(report["digest"]),
        part=str(finding["part"]), kind=str(finding["kind"]), frames=[int(each) for each in finding["frames"]],
        value=float(finding["value"]), limit=float(finding["limit"]), word=word, note=note.strip(),
        look=str(take.get("look") or ""), provider=str(take.get("provider") or ""),
    )  # fmt: skip


def all_words(folder: Path) -> tuple[Word, ...]:
    """Every word in a ledger, the latest last. Shards that have not grown since the last call are not read again."""
    found: list[Word] = []
    for path in sorted(folder.glob("*/*.jsonl")):
        status = path.stat()
        found += _words_in(path, status.st_mtime_ns, status.st_size)
    return tuple(sorted(found, key=lambda word: word.at))


@lru_cache(maxsize=4096)
def _words_in(path: Path, _changed: int, _size: int) -> tuple[Word, ...]:
    """The words of one shard; a line that lacks something was not written by us and is passed over."""
    found = []
    for entry in read_shard(path, having=EVENT):
        try:
            found.append(_word(entry))
        except (KeyError, TypeError, ValueError):
            continue
    return tuple(found)


def _word(entry: Mapping[str, Any]) -> Word:
    first, last = (int(each) for each in entry["frames"])

    def text(name: str) -> str:
        return str(entry.get(name) or "")

    return Word(
        shot=text("shot"), take=str(entry["take"]), part=str(entry["part"]), kind=str(entry["kind"]), frames=(first, last),
        word=str(entry["word"]), note=text("note"), report=text("report"), made=text("made"), at=str(entry["at"]),
        value=float(entry.get("value") or 0.0), limit=float(entry.get("limit") or 0.0), look=text("look"),
        provider=text("provider"),
    )  # fmt: skip


def words_of(folder: Path, take: str, shot: str = "", made: str = "") -> tuple[Word, ...]:
    """The words that count on a take, the latest last: of words on the same part, kind and overlapping frames the
    latest alone. ``made`` is the take's digest: words on other pictures that once had its name are left out."""
    mine = (
        word for word in all_words(folder)
        if word.take == take and shot in ("", word.shot) and (not made or word.made in ("", made))
    )  # fmt: skip
    return latest(mine)


def latest(words: Iterable[Word]) -> tuple[Word, ...]:
    """Of words on the same finding of the same take the last one; nothing where that takes its forerunner back."""
    kept: list[Word] = []
    for word in words:
        span = {"part": word.part, "kind": word.kind, "frames": word.frames}
        kept = [
            other for other in kept
            if (other.shot, other.take, other.made) != (word.shot, word.take, word.made) or not other.fits(span)
        ] + [word]  # fmt: skip
    return tuple(word for word in kept if word.word != TAKEN_BACK)


def word_on(words: Sequence[Word], finding: Mapping[str, Any]) -> Word | None:
    """The latest of ``words`` that is about this finding."""
    return next((word for word in reversed(words) if word.fits(finding)), None)


def open_findings(report: Mapping[str, Any], words: Sequence[Word]) -> list[dict[str, Any]]:
    """The findings of a report's ``data`` that no one called a false alarm."""
    said = ((finding, word_on(words, finding)) for finding in report.get("findings", ()))
    return [finding for finding, word in said if word is None or word.word != NOT_A_FAULT]


def verdict_with(report: Mapping[str, Any], words: Sequence[Word]) -> str:
    """The verdict of a report's ``data`` if findings that are no faults had not been made: pass, fail or review.

    Beside the machine's, never in its place. A fault that the person takes is still one, also where the machine is
    not sure; parts of which it can't tell anything else stay in review.
    """
    if report["verdict"] == "pass" or not report.get("findings"):
        return str(report["verdict"])
    left = open_findings(report, words)
    if any(finding.get("severity") != UNSURE or word_on(words, finding) for finding in left):
        return "fail"
    asked = (finding for finding in report["findings"] if finding.get("severity") == UNSURE)
    unsure = {str(name) for finding in asked for name in (finding["part"], *finding.get("others", ()))}
    parts = {str(part["name"]) for part in report.get("parts", ()) if part["verdict"] == "review"}
    return "review" if left or parts - unsure else "pass"


def permanence(report: Mapping[str, Any], words: Sequence[Word] = ()) -> float:
    """Share 0..1 of the frames of all parts that no open finding covers; one on the whole take covers all parts."""
    parts = [str(part["name"]) for part in report.get("parts", ())]
    frames = [int(pair[1]) for pair in report.get("frame_map", ())]
    if not parts or not frames:
        return 0.0 if open_findings(report, words) else 1.0
    covered: dict[str, set[int]] = {part: set() for part in parts}
    for finding in open_findings(report, words):
        first, last = finding["frames"]
        span = {frame for frame in frames if first <= frame <= last}
        for part in (
            parts if finding["part"] not in covered else [finding["part"], *finding.get("others", ())]
        ):
            covered.setdefault(part, set()).update(span)
    return 1.0 - sum(len(covered[part]) for part in parts) / (len(parts) * len(frames))


@dataclass
class Figure:
    """What became of the findings of one kind, look and provider."""

    kind: str
    look: str
    provider: str
    findings: int = 0
    said: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LABELS, 0))

    @property
    def false_alarms(self) -> float | None:
        """Share 0..1 of the findings with a word that are no faults; None while nobody said a word."""
        judged = sum(self.said.values())
        return self.said[NOT_A_FAULT] / judged if judged else None


def figures(
    reports: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]], words: Iterable[Word]
) -> list[Figure]:
    """The pilot's figures: ``reports`` are (shot, report's data, take's data); ``words`` all that count (`latest`).

    A word on a finding that no present report has any more still counts, and its finding with it.
    """
    table: dict[tuple[str, str, str], Figure] = {}

    def row(kind: str, look: object, provider: object) -> Figure:
        key = (kind, str(look or ""), str(provider or ""))
        return table.setdefault(key, Figure(*key))

    left = list(words)
    for shot, report, take in reports:
        for finding in report.get("findings", ()):
            row(finding["kind"], take.get("look"), take.get("provider")).findings += 1
            of_take = [word for word in left if (word.shot, word.take) == (shot, report["take"])]
            if (word := word_on(of_take, finding)) is not None:
                left.remove(word)
                row(word.kind, take.get("look"), take.get("provider")).said[word.word] += 1
    for word in left:
        figure = row(word.kind, word.look, word.provider)
        figure.findings += 1
        figure.said[word.word] += 1
    return [table[key] for key in sorted(table)]
