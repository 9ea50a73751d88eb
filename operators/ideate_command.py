# SPDX-License-Identifier: GPL-3.0-or-later
"""``holdfast ideate``: ask a model for variants, branch, lock, and make the sheets and the film; headless."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial

import bpy

from ..clients.idea_board import WAYS, mark, read_board
from ..clients.idea_reference import read_match
from ..command_settings import apply_settings
from ..pipeline.errors import ExitCode, UsageError
from ..pipeline.manifest import Manifest
from ..pipeline.money import words
from ..pipeline.project import ShotFolder
from ..pipeline.reporting import Reporter
from . import ideate, ideate_models, ideate_out, ideate_remote, locate
from .steps import Stage, StageGenerator, StageOptions, StageState

RunStage = Callable[[Stage, bpy.types.Scene, StageOptions, Reporter], Manifest]
HOWS = ("more", "edit", "mix")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--provider", help="who draws: offline, or an image model by its id")
    parser.add_argument("--brief", help="what the product is and how it should look")
    parser.add_argument("--count", type=int, help="how many pictures to have of this brief, or of a branch")
    parser.add_argument("--list", action="store_true", help="list the ideas of the shot and the image models")
    parser.add_argument("--branch", choices=HOWS, help="ask for children of the ideas named by --of")
    parser.add_argument(
        "--of", nargs="+", default=[], metavar="IDEA", help="the idea to branch from; two to mix"
    )
    parser.add_argument(
        "--words", default="", help="what to change, for an edit; what to take from each, for a mix"
    )
    parser.add_argument("--star", nargs="+", default=[], metavar="IDEA", help="give these ideas a star")
    parser.add_argument(
        "--discard", nargs="+", default=[], metavar="IDEA", help="hide these ideas; they stay on the disk"
    )
    parser.add_argument("--lock", metavar="IDEA", help="lock this idea: the assets follow it")
    parser.add_argument(
        "--make", action="append", default=[], choices=sorted(ideate_out.OUTPUTS),
        help="make the contact sheet, the moving board or the reference sheet",
    )  # fmt: skip


def handle(
    given: argparse.Namespace, reporter: Reporter, stage: Callable[[argparse.Namespace, Reporter], int], run_stage: RunStage
) -> int:  # fmt: skip
    """The stage as ``stage`` runs it, unless something more special is asked for. Raises HoldfastError."""
    scene = locate.scene_of_shot(given.shot)
    apply_settings(scene, given.settings)
    apply(scene, given)
    return run(scene, given, reporter, run_stage) if asks_for_more(given) else stage(given, reporter)


def apply(scene: bpy.types.Scene, given: argparse.Namespace) -> None:
    """Takes provider, brief and count over for this run."""
    settings = scene.holdfast.ideate
    for name in ("provider", "brief", "count"):
        value = getattr(given, name)
        if value is not None:
            setattr(settings, name, value)


def asks_for_more(given: argparse.Namespace) -> bool:
    """Whether something else than the stage itself is wanted."""
    return bool(given.list or given.branch or given.star or given.discard or given.lock or given.make)


def run(scene: bpy.types.Scene, given: argparse.Namespace, reporter: Reporter, run_stage: RunStage) -> int:
    """Branch, then mark, then lock, then make, then list: in this order, those that are asked for. Raises HoldfastError."""
    shot = locate.shot_of(scene)
    if given.branch:
        _branch(scene, shot, given, reporter, run_stage)
    _mark(shot, given)
    if given.lock:
        ideate.keep_idea(shot, given.lock)
        scene.holdfast.ideate.idea = given.lock
        reporter.log(f"{given.lock} is locked")
        if not given.no_save:
            bpy.ops.wm.save_mainfile()
    for what in given.make:
        made = run_stage(ideate_out.OUTPUTS[what], scene, StageOptions(force=given.force), reporter)
        reporter.event(
            "made",
            what=what,
            **{key: made.data[key] for key in ("pdf", "film", "picture") if key in made.data},
        )
    if given.list:
        tell(shot, reporter)
    return int(ExitCode.OK)


def _branch(
    scene: bpy.types.Scene,
    shot: ShotFolder,
    given: argparse.Namespace,
    reporter: Reporter,
    run_stage: RunStage,
) -> None:
    model = ideate_models.chosen(scene.holdfast.ideate.provider)
    if model is None:
        raise UsageError("The offline looks can't be branched", todo="Name an image model with --provider.")
    if not given.of:
        raise UsageError("Which idea?", todo="Name it: --of 1a, or two to mix: --of 1a 2b.")
    order, pictures = ideate_remote.branch_of(
        scene, shot, model, given.branch, given.of, given.words, given.count or 1
    )

    def ask(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
        return (yield from ideate_remote.run(scene, shot, options, model, order, pictures))

    stage = Stage("ideate", "Ideate", ask, partial(_no_state))
    run_stage(stage, scene, StageOptions(force=given.force), reporter)


def _no_state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    return StageState("missing")


def _mark(shot: ShotFolder, given: argparse.Namespace) -> None:
    known = read_board(shot.concepts).ideas
    for which, names in (("starred", given.star), ("hidden", given.discard)):
        for name in names:
            if name not in known:
                raise UsageError(
                    f"There is no idea {name!r}", todo=f"There are {', '.join(known) or 'none yet'}."
                )
            mark(shot.concepts, name, which, True)


def tell(shot: ShotFolder, reporter: Reporter) -> None:
    """The ideas with their parents and costs, and the models that can be asked."""
    board, near = read_board(shot.concepts), read_match(shot.concepts)["ideas"]
    for name, idea in board.ideas.items():
        cost = words(idea.cost, idea.currency)
        marks = "*" if name in board.starred else "-" if name in board.hidden else " "
        says: Sequence[str] = (
            f"{marks} {name:5}", f"{idea.provider}/{idea.model}", "" if idea.seed is None else f"seed {idea.seed}",
            cost if idea.cost_told else f"about {cost}", f"{WAYS.get(idea.how, idea.how)} {' and '.join(idea.parents)}".strip(),
            str(near.get(name, {}).get("says", "")),
        )  # fmt: skip
        reporter.log("  ".join(part for part in says if part))
        reporter.event("idea", idea=idea.to_json(), near=near.get(name))
    waiting = len(board.waiting())
    if waiting:
        reporter.log(f"{waiting} pictures are not here yet")
    reporter.log(f"Models: {', '.join(ideate_models.names())}")
