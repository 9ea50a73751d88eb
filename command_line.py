# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender -b shot.blend --command holdfast ...``: arguments to stages, exit codes, progress lines."""

import argparse
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence

import bpy

from .command_parser import Handler, parser
from .command_settings import apply_settings
from .operators import (
    asset_command,
    body_command,
    clip_command,
    clips,
    demo,
    ideate_command,
    import_take,
    job_command,
    locate,
    masks_remote,
    prompt_command,
    repair_command,
    style_options,
    style_remote,
    words_command,
)
from .operators.drive import run_blocking
from .operators.stages import STAGES, running, stage_named, stages_through, state_of
from .operators.steps import Stage, StageOptions
from .pipeline.context import Context
from .pipeline.errors import ExitCode, HoldfastError
from .pipeline.frames import parse_frames
from .pipeline.manifest import Manifest
from .pipeline.reporting import Reporter
from .rendering import check_command
from .validation import masks_stage

VERDICT_CODES = {
    "fail": ExitCode.VERDICT_FAIL,
    "not_engaged": ExitCode.VERDICT_FAIL,
    "review": ExitCode.VERDICT_REVIEW,
    "inconclusive": ExitCode.VERDICT_REVIEW,
}
"""Of the report and of the mechanism's proof."""


def main(argv: Sequence[str]) -> int:
    """The command: returns the exit code and never raises. What went wrong is one printed sentence."""
    reporter = Reporter(json_lines="--json" in argv)
    try:
        arguments = parser(HANDLERS).parse_args(list(argv))
        handler: Handler = arguments.handler
        return int(handler(arguments, reporter))
    except SystemExit as stop:  # argparse: --help or a usage error that it has printed
        return int(stop.code or 0)
    except HoldfastError as error:
        reporter.failed(str(error), int(error.exit_code))
        return int(error.exit_code)
    except KeyboardInterrupt:
        reporter.failed("Cancelled.", ExitCode.CANCELLED)
        return ExitCode.CANCELLED
    except Exception as error:
        with tempfile.NamedTemporaryFile("w", prefix="holdfast-", suffix=".log", delete=False) as log:
            traceback.print_exc(file=log)
        sentence = f"Internal error: {type(error).__name__}: {error}. The details are in {log.name}."
        reporter.failed(sentence, ExitCode.INTERNAL)
        return ExitCode.INTERNAL


def _run(arguments: argparse.Namespace, reporter: Reporter) -> int:
    frames = parse_frames(arguments.frames) if arguments.frames else None
    scene = locate.scene_of_shot(arguments.shot)
    apply_settings(scene, [*arguments.settings, *repair_command.assignments(arguments)])
    if (overlap := getattr(arguments, "overlap", None)) is not None:
        apply_settings(scene, [f"style.overlap={overlap}"])
    for text in getattr(arguments, "option", ()):
        style_options.choose(scene, style_remote.chosen(scene.holdfast.style.provider), text)
    if getattr(arguments, "plan", False):
        repair_command.print_plan(scene, arguments.take, reporter)
        return ExitCode.OK
    options = StageOptions(frames, arguments.force, arguments.take)
    stages = stages_through(arguments.through) if arguments.through else (stage_named(arguments.command),)
    code = ExitCode.OK
    for stage in stages:
        edits = stage.edits_scene and (options.force or state_of(stage, scene).status != "fresh")
        manifest = run_stage(stage, scene, options, reporter)
        _tell_findings(manifest, reporter)
        if edits and not arguments.no_save:  # Blender's own "is dirty" does not notice what scripts change
            bpy.ops.wm.save_mainfile()
        code = _verdict_code(manifest, arguments.fail_on) or code
    return code


def _assets(arguments: argparse.Namespace, reporter: Reporter) -> int:
    if not asset_command.wanted(arguments):
        return _run(arguments, reporter)
    scene = locate.scene_of_shot(arguments.shot)
    apply_settings(scene, arguments.settings)
    if asset_command.run(scene, arguments, reporter) and not arguments.no_save:
        bpy.ops.wm.save_mainfile()
    return ExitCode.OK


def _ideate(arguments: argparse.Namespace, reporter: Reporter) -> int:
    return ideate_command.handle(arguments, reporter, _run, run_stage)


def _truth(arguments: argparse.Namespace, reporter: Reporter) -> int:
    if arguments.action is None:
        return _run(arguments, reporter)
    folder = arguments.folder or locate.shot_of(locate.scene_of_shot(arguments.shot)).truth
    return check_command.run(folder, arguments.frames, arguments.fail_on, reporter)


def _validate(arguments: argparse.Namespace, reporter: Reporter) -> int:
    if arguments.masks is None:
        return _run(arguments, reporter)
    scene = locate.scene_of_shot(arguments.shot)
    apply_settings(scene, arguments.settings)
    masks_remote.choose(scene, arguments.masks)
    made = run_stage(
        masks_remote.STAGE, scene, StageOptions(force=arguments.force, take=arguments.take), reporter
    )
    report = str(locate.shot_of(scene).reports / made.data["take"] / masks_stage.MANIFEST)
    reporter.log(f"{made.data['take']}: {made.data['summary']}. {report}")
    reporter.event("masks", report=report, summary=made.data["summary"], digest=made.digest)
    return ExitCode.OK


def _tell_findings(manifest: Manifest, reporter: Reporter) -> None:
    """The verdict and the findings of a report, as JSON lines."""
    data = manifest.data
    if "findings" not in data:
        return
    for finding in data["findings"]:
        reporter.event("finding", take=data["take"], **finding)
    reporter.event("verdict", take=data["take"], verdict=data["verdict"], findings=len(data["findings"]))


def _verdict_code(manifest: Manifest, fail_on: str | None) -> ExitCode:
    """What a verdict means for the exit code. Without ``--fail-on`` it is data, since farms run failures again."""
    code = VERDICT_CODES.get(str(manifest.data.get("verdict")), ExitCode.OK)
    counts = fail_on == "review" or (fail_on == "fail" and code == ExitCode.VERDICT_FAIL)
    return code if counts else ExitCode.OK


def run_stage(stage: Stage, scene: bpy.types.Scene, options: StageOptions, reporter: Reporter) -> Manifest:
    """Runs one stage in the foreground and reports it. Raises HoldfastError."""
    started = time.perf_counter()
    context = Context(
        lambda fraction, message: reporter.progress(stage.name, fraction, message), reporter.log
    )
    manifest = run_blocking(running(stage, scene, options), context)
    reporter.done(stage.name, manifest, time.perf_counter() - started)
    return manifest


def _status(arguments: argparse.Namespace, reporter: Reporter) -> int:
    scene = locate.scene_of_shot(arguments.shot)
    apply_settings(scene, arguments.settings)
    locate.shot_of(scene)  # says at once if the .blend was never saved
    for stage in STAGES:
        status, reason = state_of(stage, scene)
        reporter.state(stage.name, status, reason)
    return ExitCode.OK


def _clips(arguments: argparse.Namespace, reporter: Reporter) -> int:
    if arguments.list:
        clip_command.list_models(reporter)
        return ExitCode.OK
    scene = locate.scene_of_shot(arguments.shot)
    apply_settings(scene, arguments.settings)
    clip_command.apply(scene, arguments)
    frames = parse_frames(arguments.frames) if arguments.frames else None
    run_stage(clips.STAGE, scene, StageOptions(frames, arguments.force), reporter)
    return ExitCode.OK


def _bodies(arguments: argparse.Namespace, reporter: Reporter) -> int:
    scene = locate.scene_of_shot(arguments.shot)
    apply_settings(scene, arguments.settings)
    return body_command.run(scene, arguments.names, arguments, reporter)


def _import_take(arguments: argparse.Namespace, reporter: Reporter) -> int:
    import_take.run_command(locate.scene_of_shot(arguments.shot), arguments, reporter)
    return ExitCode.OK


def _prompt(arguments: argparse.Namespace, reporter: Reporter) -> int:
    scene = locate.scene_of_shot(arguments.shot)
    apply_settings(scene, arguments.settings)
    return prompt_command.run(scene, arguments, reporter)


def _jobs(arguments: argparse.Namespace, reporter: Reporter) -> int:
    return job_command.run(arguments, reporter)


def _words(arguments: argparse.Namespace, reporter: Reporter) -> int:
    words_command.run(locate.scene_of_shot(arguments.shot), arguments, reporter)
    return ExitCode.OK


def _demo(arguments: argparse.Namespace, reporter: Reporter) -> int:
    return demo.run(arguments.output, arguments.settings, reporter, run_stage, apply_settings)


HANDLERS: Mapping[str, Handler] = {
    "run": _run, "ideate": _ideate, "assets": _assets, "truth": _truth, "validate": _validate, "status": _status,
    "clips": _clips, "import-take": _import_take, "words": _words, "prompt": _prompt, "jobs": _jobs,
    "bodies": _bodies, "demo": _demo,
}  # fmt: skip
"""What does each command; "run" every stage that is not named."""

__all__ = ["apply_settings", "main", "run_stage"]
