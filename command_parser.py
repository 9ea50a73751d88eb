# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of ``blender --command holdfast``: its commands in order, what each may be told, and its help."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from .operators import (
    asset_command,
    body_command,
    clip_command,
    ideate_command,
    import_take,
    job_command,
    prompt_command,
    repair_command,
    words_command,
)
from .operators.stages import STAGES
from .pipeline.reporting import Reporter

Handler = Callable[[argparse.Namespace, Reporter], int]
Words = Callable[[argparse.ArgumentParser], None]


def parser(handlers: Mapping[str, Handler]) -> argparse.ArgumentParser:
    """Reads a command line; ``handlers`` by the name of the command, "run" for stages without one of their own."""
    made = argparse.ArgumentParser(
        prog="blender --command holdfast", description="AI on the surface, physics underneath."
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="STAGE")
    shared, running = _shared(), _running()
    for stage in STAGES:
        command = commands.add_parser(stage.name, parents=[shared, running], help=stage.label)
        STAGE_WORDS.get(stage.name, _none)(command)
        command.set_defaults(handler=handlers.get(stage.name, handlers["run"]), through=None)
    command = commands.add_parser("run", parents=[shared, running], help="every stage in order")
    command.add_argument("--through", default=STAGES[-1].name, help="the last stage to run")
    command.set_defaults(handler=handlers["run"])
    for name, says, words in OTHERS:
        command = commands.add_parser(name, parents=[shared], help=says)
        words(command)
        command.set_defaults(handler=handlers[name])
    return made


def _shared() -> argparse.ArgumentParser:
    """What every command may be told."""
    words = argparse.ArgumentParser(add_help=False)
    words.add_argument("--shot", help="name of the shot (default: that of the active scene)")
    words.add_argument("--json", action="store_true", help="also print each event as one JSON object a line")
    words.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="settings",
                       help="a setting for this run, e.g. finish.exposure=0.3")  # fmt: skip
    return words


def _running() -> argparse.ArgumentParser:
    """What a stage may be told."""
    words = argparse.ArgumentParser(add_help=False)
    words.add_argument("--frames", help="only these scene frames: 1-24  1,5,9  1-72:2")
    words.add_argument("--take", help="the take to work on (default: the newest)")
    words.add_argument("--force", action="store_true", help="run even if the result is fresh")
    words.add_argument("--fail-on", choices=("fail", "review"), help="exit 10 or 11 on this verdict")
    words.add_argument("--no-save", action="store_true", help="leave the .blend file as it is")
    return words


def _none(command: argparse.ArgumentParser) -> None:
    """Nothing more."""


def _style(command: argparse.ArgumentParser) -> None:
    command.add_argument("--option", action="append", default=[], metavar="NAME=VALUE",
                         help="an option of the remote model, e.g. resolution=720p")  # fmt: skip
    command.add_argument("--overlap", type=int, metavar="FRAMES",
                         help="frames that pieces of a long shot share at least (0: as usual)")  # fmt: skip


def _truth(command: argparse.ArgumentParser) -> None:
    command.add_argument("action", nargs="?", choices=("check",), help="check what is there, render nothing")
    command.add_argument("folder", nargs="?", type=Path, help="the package to check (default: the shot's)")


def _validate(command: argparse.ArgumentParser) -> None:
    says = "compare a tracker's masks of the take: a folder of PNGs, a video, or the id of a model to ask"
    command.add_argument("--masks", metavar="FILE|MODEL", help=says)


def _clips(command: argparse.ArgumentParser) -> None:
    command.add_argument("--frames", help="only these scene frames, without gaps: 1-48")
    command.add_argument("--force", action="store_true", help="make them even if they are fresh")
    clip_command.add_arguments(command)


def _demo(command: argparse.ArgumentParser) -> None:
    says = "folder for everything it makes"
    command.add_argument("--output", type=Path, default=Path("holdfast-demo"), help=says)


STAGE_WORDS: Mapping[str, Words] = {
    "ideate": ideate_command.add_arguments,
    "assets": asset_command.add_arguments,
    "truth": _truth,
    "style": _style,
    "validate": _validate,
    "repair": repair_command.add_arguments,
}
"""What one stage alone may be told."""
OTHERS: tuple[tuple[str, str, Words], ...] = (
    ("status", "what is done, stale or missing", _none),
    ("clips", "control clips for a model", _clips),
    ("import-take", "a film made elsewhere becomes a take", import_take.add_arguments),
    ("words", "what people said of findings, counted", words_command.add_arguments),
    ("prompt", "the prompt contract: lint, text, versions", prompt_command.add_arguments),
    ("jobs", "remote jobs: what was sent, where, what it cost", job_command.add_arguments),
    ("bodies", "rigid bodies for any parts", body_command.add_arguments),
    ("demo", "the lantern, from sketch to master, offline", _demo),
)
"""Commands that are no stage: name, help, what they may be told."""
