# SPDX-License-Identifier: GPL-3.0-or-later
"""``holdfast repair``: what stops the unattended loop, and the plan alone, priced, without doing it."""

import argparse

import bpy

from ..finishing.plan import WAITS, read_actions
from ..finishing.price import price_words
from ..pipeline.estimate import duration
from ..pipeline.reporting import Reporter
from . import locate
from .repair import make_plan

LIMITS = ("attempts", "minutes", "budget")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The arguments of ``repair`` alone."""
    command.add_argument("--attempts", type=int, help="repaired takes in all before the fallback")
    command.add_argument("--minutes", type=float, help="no attempt starts after this time; 0: no limit")
    command.add_argument(
        "--budget", type=float, help="the most that drawing again may cost; 0: only what is free"
    )
    command.add_argument("--plan", action="store_true", help="make and print the plan, do nothing else")


def assignments(arguments: argparse.Namespace) -> list[str]:
    """The limits that were given, as settings of this run."""
    given = {name: getattr(arguments, name, None) for name in LIMITS}
    return [f"repair.{name}={value}" for name, value in given.items() if value is not None]


def print_plan(scene: bpy.types.Scene, take: str | None, reporter: Reporter) -> None:
    """Makes the plan and says every action with what it will take. Raises InputError where there is no report."""
    plan = make_plan(scene, locate.shot_of(scene), take)
    for action in read_actions(plan):
        where = f"{action.part or 'picture'} {action.frames[0]}-{action.frames[1]}"
        price = (
            f"{duration(action.seconds)}, {price_words(action.cost_micros)}"
            if action.works
            else "for a person"
        )
        off = "" if action.enabled else " (waits)" if action.waits else " (switched off)"
        why = f"{action.why} {WAITS}" if action.waits else action.why
        reporter.log(f"{action.kind.replace('_', ' ')}: {where}; {price}{off}. {why}")
    reporter.log(str(plan.data["summary"]))
