# SPDX-License-Identifier: GPL-3.0-or-later
"""``holdfast bodies``: makes, tests or removes rigid bodies headless, with every size said and none guessed."""

import argparse
import re
import time
from collections.abc import Generator, Sequence
from typing import TypeVar

import bpy

from ..physics.assembly import part_name
from ..physics.units import DEG
from ..pipeline.errors import ExitCode, InputError, UsageError
from ..pipeline.reporting import Reporter
from . import bodies, body_bake
from .bodies import Outcome, Request
from .body_fall import ZERO, Fall
from .steps import Progress

Result = TypeVar("Result")
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
    parser.add_argument(
        "--no-floor", action="store_true", help="with --bake: only what the scene has to fall on"
    )
    parser.add_argument(
        "--floor", type=_length, default=0.0, metavar="0mm", help="with --bake: height of the floor"
    )
    parser.add_argument("--throw", type=_vector, default=ZERO, metavar="X,Y,Z", help="with --bake: m/s")
    parser.add_argument("--spin", type=_vector, default=ZERO, metavar="X,Y,Z", help="with --bake: degrees/s")
    parser.add_argument("--exact", action="append", default=[], metavar="NAME",
                        help="with --bake: this body bounces and spins by formula")  # fmt: skip
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--bake", action="store_true", help="let the live bodies fall, and key their parts")
    only.add_argument(
        "--clear-bake", action="store_true", help="take those keys off; the bodies are live again"
    )
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
    elif options.clear_bake:
        reporter.log(f"{body_bake.clear(objects)} bodies are live again.")
    elif options.bake:
        code = _bake(scene, objects, options, reporter)
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


def _length(text: str) -> float:
    """Metres of a length with its unit, as 12mm."""
    match = _SIZE.fullmatch(text.strip().lstrip("+-"))
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} needs a unit: 0mm, -3cm, 0.1m")
    return float(match[1]) * UNITS[match[2]] * (-1.0 if text.strip().startswith("-") else 1.0)


def _vector(text: str) -> tuple[float, float, float]:
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not three numbers, as 0,0,1.5") from None
    return x, y, z


def _bake(
    scene: bpy.types.Scene,
    objects: Sequence[bpy.types.Object],
    options: argparse.Namespace,
    reporter: Reporter,
) -> ExitCode:
    """Keys the live bodies among the objects. Raises UsageError for an exact body that is none of them."""
    by_name = {name: ob for ob in objects for name in (ob.name, part_name(ob))}
    for name in options.exact:
        if name not in by_name:
            raise UsageError(
                f"{name!r} is none of the parts", todo=f"They are: {', '.join(sorted(by_name))}."
            )
        by_name[name].holdfast.exact_path = True
    x, y, z = (DEG * value for value in options.spin)
    fall = Fall(None if options.no_floor else options.floor, options.throw, (x, y, z))
    found = _driven(body_bake.bake(scene, objects, fall), reporter)
    for line in (*found.refused.values(), *found.told):
        reporter.log(line)
    reporter.event(
        "baked", objects=found.names, first=found.frames[0], last=found.frames[-1], motion=found.digest
    )
    reporter.log(found.summary())
    return ExitCode.INPUT if found.refused else ExitCode.OK


def _driven(work: Generator[Progress, None, Result], reporter: Reporter) -> Result:
    try:
        while True:
            step = next(work)
            reporter.progress("bodies", step.fraction, step.message)
    except StopIteration as stop:
        outcome: Result = stop.value
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
