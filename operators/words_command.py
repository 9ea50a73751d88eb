# SPDX-License-Identifier: GPL-3.0-or-later
"""``holdfast words``: what people said of findings, counted by kind, look and provider; or one more word, headless."""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import bpy

from ..pipeline.errors import HoldfastError, InputError, UsageError
from ..pipeline.manifest import Manifest
from ..pipeline.reporting import Reporter
from ..pipeline.take import SCHEMA as TAKE
from ..pipeline.words import LABELS, NOT_A_FAULT, Figure, all_words, figures, latest
from ..validation.kinds import phrase
from ..validation.stage import MANIFEST, SCHEMA
from . import locate, state_cache, words

TITLES = ("kind", "look", "provider", "findings", "accepted", "left", "no fault", "false alarms")
WIDTHS = (24, 14, 12, 9, 9, 6, 9, 12)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--take", help="the take whose finding is meant (default: the newest)")
    parser.add_argument("--finding", metavar="ID", help="say a word on this finding, as f01")
    parser.add_argument("--say", choices=(*LABELS, "take_back"), help="the word to say")
    parser.add_argument("--note", default="", help="why, kept with the word")


def run(scene: bpy.types.Scene, given: argparse.Namespace, reporter: Reporter) -> None:
    """Says a word if one is given; then prints the figures. Raises UsageError, InputError, StorageError."""
    if (given.finding is None) != (given.say is None):
        raise UsageError("A word needs a finding", todo="Give --finding f01 and --say not_a_fault together.")
    if given.finding is not None:
        _say(scene, given, reporter)
    project = locate.project()
    rows = figures(_reports(project.root), latest(all_words(project.ledger)))
    reporter.log(_line(TITLES))
    for row in rows:
        reporter.log(_line(_cells(row)))
        reporter.event(
            "words", kind=row.kind, look=row.look, provider=row.provider, findings=row.findings, **row.said,
            false_alarm_share=row.false_alarms,
        )  # fmt: skip
    said = sum(sum(row.said.values()) for row in rows)
    wrong = sum(row.said[NOT_A_FAULT] for row in rows)
    share = f", {wrong / said:.0%} of these no faults" if said else ""
    reporter.log(f"{sum(row.findings for row in rows)} findings, {said} with a word{share}")


def _say(scene: bpy.types.Scene, given: argparse.Namespace, reporter: Reporter) -> None:
    state_cache.refresh(scene)
    if given.take:
        state_cache.choose_take(scene, given.take)
    cached = state_cache.shown(scene)
    ids = [str(finding["id"]) for finding in cached.findings()]
    if given.finding not in ids or (given.take and cached.take != given.take):
        there = f"It has {', '.join(ids)}." if ids else "Validate a take first."
        raise InputError(f"There is no finding {given.finding}", where=cached.take, todo=there)
    words.speak(scene, ids.index(given.finding), given.say.upper(), given.note)
    reporter.log(f"{cached.take} {given.finding}: {LABELS.get(given.say, 'taken back')}")


def _reports(root: Path) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """(shot, report's data, take's data) of all reports of the project whose take is there."""
    for path in sorted(root.glob(f"*/reports/t[0-9]*/{MANIFEST}")):
        shot = path.parents[2]
        try:
            report = Manifest.load(path, SCHEMA)
            take = Manifest.load(shot / "takes" / path.parent.name / "take.json", TAKE)
        except HoldfastError:
            continue  # damaged: the stage says so
        yield shot.name, report.data, take.data


def _cells(row: Figure) -> tuple[str, ...]:
    share = row.false_alarms
    counts = (str(row.findings), *(str(row.said[word]) for word in LABELS))
    return (phrase(row.kind), row.look, row.provider, *counts, "-" if share is None else f"{share:.0%}")


def _line(cells: tuple[str, ...]) -> str:
    return "".join(
        f"{text:<{width}}" if index < 3 else f"{text:>{width}}"
        for index, (text, width) in enumerate(zip(cells, WIDTHS, strict=True))
    ).rstrip()
