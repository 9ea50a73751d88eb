# SPDX-License-Identifier: GPL-3.0-or-later
"""``truth check``: is a package of ground truth right? In Blender's command, and on plain Python for any renderer's:

``python -m holdfast.rendering.check_command FOLDER``, run in the folder that holds the extension's own, needs numpy
and OpenCV alone. Exit codes: 0 right, 10 wrong, 11 doubtful with ``--fail-on review``, 20 there is no package to read.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..pipeline.context import Context
from ..pipeline.errors import ExitCode, HoldfastError, UsageError
from ..pipeline.frames import format_frames, parse_frames
from ..pipeline.reporting import Reporter
from ..pipeline.truth import GroundTruth
from .check import check


def run(folder: Path, frames: str | None, fail_on: str | None, reporter: Reporter) -> ExitCode:
    """Checks the package in ``folder``, prints what it finds, a line and a JSON event each; the exit code.

    ``frames`` is a spec like "1-24" (None: all), ``fail_on`` "review" counts warnings as well. Raises HoldfastError.
    """
    truth = GroundTruth.open(folder)
    chosen = parse_frames(frames) if frames else None
    outside = sorted(set(chosen or ()) - set(truth.frames))
    if outside:
        todo = f"It has the frames {format_frames(truth.frames)}."
        raise UsageError(
            f"Frames {format_frames(outside)} are not in the package", where=str(folder), todo=todo
        )
    context = Context(lambda fraction, message: reporter.progress("check", fraction, message), reporter.log)
    found = check(truth, context, frames=chosen, hashes=True)
    for failure in found:
        reporter.log(f"{'wrong' if failure.stops else 'look'}: {failure}")
        reporter.event("check", **vars(failure))
    wrong = sum(failure.stops for failure in found)
    summary = (
        f"{len(chosen or truth.frames)} frames, {len(truth.parts)} parts: "
        f"{wrong} wrong, {len(found) - wrong} worth a look"
    )
    reporter.log(summary)
    reporter.event("checked", folder=str(folder), wrong=wrong, look=len(found) - wrong, digest=truth.digest)
    if wrong:
        return ExitCode.VERDICT_FAIL
    return ExitCode.VERDICT_REVIEW if found and fail_on == "review" else ExitCode.OK


def main(argv: Sequence[str]) -> int:
    """The command on plain Python; never raises HoldfastError."""
    parser = argparse.ArgumentParser(
        prog="python -m holdfast.rendering.check_command", description="Is a package of ground truth right?"
    )
    parser.add_argument("folder", type=Path, help="the folder of truth.json")
    parser.add_argument("--frames", help="only these frames: 1-24  1,5,9  1-72:2")
    parser.add_argument(
        "--fail-on", choices=("fail", "review"), default="fail", help="review: exit 11 on warnings"
    )
    parser.add_argument("--json", action="store_true", help="also print each event as one JSON object a line")
    arguments = parser.parse_args(list(argv))
    reporter = Reporter(json_lines=arguments.json)
    try:
        return run(arguments.folder, arguments.frames, arguments.fail_on, reporter)
    except HoldfastError as error:
        reporter.failed(str(error), int(error.exit_code))
        return int(error.exit_code)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
