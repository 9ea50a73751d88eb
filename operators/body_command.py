# SPDX-License-Identifier: GPL-3.0-or-later
"""``holdfast bodies``: makes, tests or removes rigid bodies headless, with every size said and none guessed."""

import argparse
import re
import time
from collections.abc import Generator, Sequence

import bpy

from ..physics.assembly import part_name
from ..pipeline.errors import ExitCode, InputError, UsageError
from ..pipeline.reporting import Reporter
from . import bodies
from .bodies import Outcome, Request
from .steps import Progress

UNITS = {"mm": 1e-3, "cm": 1e-2, "m": 1.0, "in": 0.0254}
_SIZE = re.compile(r"(\d+\.?\d*|\.\d+)\s*(mm|cm|m|in)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="objects or parts (default: all hero parts)")
    parser.add_argument(
        "--size", action="append", default=[], metavar="NAME=30mm", help="real largest extent of a part"
    )
    parser.add_argument(
        "--trust-size", action="store_true", help="the parts are as large as they are in the file"
    )
    parser.add_argument("--live", action="store_true", help="free bodies that the parts follow")
    parser.add_argument(
        "--speed", type=float, default=bodies.SPEED, help="m/s that the parts reach (default 1)"
    )
    parser.add_argument(
        "--group", type=int, choices=range(1, 21), default=1, metavar="1-20", help="collision group"
    )
    parser.add_argument("--no-test", action="store_true", help="do not put the bodies on a floor")
    parser.add_argument("--fail-on", choices=("fail",), help="exit 10 if a body does not come to rest")
    parser.add_argument("--no-save", action="store_true", help="leave the .blend file as it is")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--test", action="store_true", help="only test the bodies that are there")
    only.add_argument("--remove", action="store_true", help="take the bodies off")


def run(scene: bpy.types.Scene, names: Sequence[str], options: argparse.Namespace, reporter: Reporter) -> int:
    """Does what the options say and prints it; saves the file unless told not to. Raises HoldfastError."""
    if not (options.no_save or bpy.data.filepath):
        raise InputError("The file was never saved", todo="Save the .blend first, or say --no-save.")
    objects = _objects(scene, names)
    started = time.perf_counter()
    code = ExitCode.OK
    if options.remove:
        reporter.log(f"{bodies.remove(scene, objects)} bodies removed.")
    elif options.test:
        code = _report(_driven(bodies.test(scene, objects), reporter), options, reporter)
    else:
        known = {name for ob in objects for name in (ob.name, part_name(ob))}
        sizes = dict(_size(text, known) for text in options.size)
        request = Request(
            options.live, sizes, options.trust_size, options.speed, options.group, not options.no_test
        )
        code = _report(_driven(bodies.make(scene, objects, request), reporter), options, reporter)
    if not options.no_save:
        bpy.ops.wm.save_mainfile()
    reporter.log(f"bodies: done in {time.perf_counter() - started:.1f} s")
    return code


def _objects(scene: bpy.types.Scene, names: Sequence[str]) -> list[bpy.types.Object]:
    if not names:
        found = [ob for ob in scene.objects if ob.holdfast.is_part and ob.holdfast.role == "HERO"]
        if not found:
            raise InputError(
                "The scene has no parts", where=scene.name, todo="Name the objects that get bodies."
            )
        return found
    by_name = {part_name(ob): ob for ob in scene.objects} | {ob.name: ob for ob in scene.objects}
    missing = [name for name in names if name not in by_name]
    if missing:
        near = ", ".join(sorted(ob.name for ob in bodies.candidates(list(scene.objects)))[:12])
        raise UsageError(f"There is no object {missing[0]!r} in {scene.name!r}", todo=f"There are: {near}.")
    return [by_name[name] for name in names]


def _size(text: str, known: set[str]) -> tuple[str, float]:
    """``NAME=30mm`` as a name and metres. Raises UsageError for an unknown name, and without a unit."""
    name, _, value = text.rpartition("=")
    match = _SIZE.fullmatch(value.strip())
    if match is None or not float(match[1]) > 0.0:
        raise UsageError(
            f"{text!r} is no size", todo="Write it with its unit: NAME=30mm, 3cm, 0.03m or 1.2in."
        )
    if name not in known:
        raise UsageError(
            f"{name!r}, whose size is given, is none of the parts",
            todo=f"They are: {', '.join(sorted(known))}.",
        )
    return name, float(match[1]) * UNITS[match[2]]


def _driven(work: Generator[Progress, None, Outcome], reporter: Reporter) -> Outcome:
    try:
        while True:
            step = next(work)
            reporter.progress("bodies", step.fraction, step.message)
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome


def _report(outcome: Outcome, options: argparse.Namespace, reporter: Reporter) -> ExitCode:
    for name, record in outcome.records.items():
        body = record.to_json()
        weight = f"{body['mass_g']} g{'' if record.weighed.exact else ' (estimate)'}"
        reporter.log(
            f"{name}: {body['shape']} of {body['pieces']}, {weight}, volume {record.shape.volume_error:+.1%}"
        )
        for note in record.notes:
            reporter.log(f"{name}: {note}")
        reporter.event("body", object=name, **body)
    for name, verdict in outcome.verdicts.items():
        reporter.log(f"{name}: {verdict.says}")
        reporter.event("settled", object=name, **verdict.to_json())
    for line in (*outcome.refused.values(), *outcome.told):
        reporter.log(line)
    reporter.log(outcome.summary())
    if outcome.refused:
        return ExitCode.INPUT
    return ExitCode.VERDICT_FAIL if outcome.unstable and options.fail_on else ExitCode.OK
