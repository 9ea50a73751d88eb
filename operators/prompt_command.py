# SPDX-License-Identifier: GPL-3.0-or-later
"""``holdfast prompt``: lint a contract, show its text for a model, keep it, list its versions; headless."""

import argparse
from pathlib import Path

import bpy

from ..pipeline.errors import ExitCode
from ..pipeline.prompts.contract import PromptContract
from ..pipeline.prompts.lint import lint
from ..pipeline.prompts.reading import SEVERITIES
from ..pipeline.prompts.render import render
from ..pipeline.reporting import Reporter
from ..pipeline.store import read_json
from ..properties_prompt import contract_of, fill
from . import part_rows, prompt_kept, prompt_models, prompt_state


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--lint", action="store_true", help="say what is wrong with the contract")
    parser.add_argument(
        "--render", metavar="MODEL", help="show the text for a model, by its id or a part of it"
    )
    parser.add_argument(
        "--read", type=Path, metavar="FILE", help="take the contract from a JSON file for this run"
    )
    parser.add_argument(
        "--save", action="store_true", help="keep the contract as the next version of its look"
    )
    parser.add_argument(
        "--history", action="store_true", help="list the saved versions and what each changed"
    )
    parser.add_argument("--fail-on", choices=SEVERITIES, help="exit 10 if lint finds this, or worse")


def run(scene: bpy.types.Scene, given: argparse.Namespace, reporter: Reporter) -> int:
    """Does what the options ask for; without any, lint and the text for the chosen model. Raises HoldfastError."""
    part_rows.read(scene)
    if given.read is not None:
        record = read_json(given.read)
        fill(
            scene,
            PromptContract.from_json(record.get("data", record) if isinstance(record, dict) else record),
        )
    contract = contract_of(scene)
    nothing = not (given.lint or given.render or given.save or given.history)
    code = ExitCode.OK
    if given.lint or nothing or given.fail_on:
        code = _lint(scene, contract, given, reporter)
    if given.render or nothing:
        _render(contract, given.render or scene.holdfast.prompt.model, reporter)
    if given.save and code == ExitCode.OK:
        kept = prompt_kept.save(scene)
        reporter.log(f"Saved as {kept.name} of {kept.contract.look}")
        reporter.event("saved", version=kept.contract.version, look=kept.contract.look, digest=kept.digest,
                       path=str(kept.path))  # fmt: skip
    if given.history:
        _history(scene, reporter)
    return code


def _lint(
    scene: bpy.types.Scene, contract: PromptContract, given: argparse.Namespace, reporter: Reporter
) -> ExitCode:
    fields = prompt_models.fields(given.render or scene.holdfast.prompt.model)
    findings = lint(contract, prompt_state.about(scene, fields))
    for each in findings:
        place = each.field if each.index < 0 else f"{each.field} {each.index + 1}"
        reporter.log(f"{each.severity}: {place}: {each.says} {each.todo} [{each.rule}]")
        reporter.event("lint", rule=each.rule, severity=each.severity, field=each.field, line=each.index,
                       start=each.start, end=each.end, says=each.says, todo=each.todo)  # fmt: skip
    reporter.log(f"{len(findings)} findings" if findings else "Lint finds nothing")
    counted = SEVERITIES[: SEVERITIES.index(given.fail_on) + 1] if given.fail_on else ()
    return ExitCode.VERDICT_FAIL if any(each.severity in counted for each in findings) else ExitCode.OK


def _render(contract: PromptContract, model: str, reporter: Reporter) -> None:
    fields = prompt_models.fields(model)
    found = render(contract, fields)
    reporter.log(f"{fields.label}, {fields.prompt}, {found.says_length}:")
    reporter.log(found.prompt)
    if fields.negative:
        reporter.log(f"{fields.negative}: {found.negative}")
    for name, path in found.cited:
        reporter.log(f"{name}: {path}")
    for each in found.dropped:
        reporter.log(f"not said ({each.why}): {each.text}")
    reporter.event(
        "prompt", model=fields.model, field=fields.prompt, prompt=found.prompt, negative_field=fields.negative,
        negative=found.negative, length=found.length, most=fields.most, unit=fields.unit,
        references=[list(pair) for pair in found.cited], dropped=[[one.kind, one.text, one.why] for one in found.dropped],
        unconfirmed=list(fields.unconfirmed),
    )  # fmt: skip


def _history(scene: bpy.types.Scene, reporter: Reporter) -> None:
    for version, changes in prompt_kept.history(scene):
        reporter.log(f"{version.name}  {version.at}  {version.digest[:12]}")
        for text in changes:
            reporter.log(f"    {text}")
        reporter.event("version", version=version.contract.version, at=version.at, digest=version.digest,
                       parent=version.contract.parent, changes=changes)  # fmt: skip
