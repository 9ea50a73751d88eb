# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop of Repair: what it asks of workers, when it stops, what it says. The workers' part is played here."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

Module = Callable[[str], ModuleType]
FRAMES = list(range(1, 41))
BENDS = {"part": "lid", "kind": "rubber", "frames": [20, 24]}


def finding(number: int, **facts: Any) -> dict[str, Any]:
    plain = {"severity": "major", "value": 3.0, "limit": 1.0, "unit": "px", "says": "bends", "title": "bends"}
    return {"id": f"f{number:02d}", **plain, **BENDS, **facts}


class Play:
    """A shot on disk, and the outcome of every worker task that the stage yields: ``outcomes`` are the findings of
    the takes to come, none for one that passes."""

    def __init__(self, module: Module, root: Path, outcomes: list[list[dict[str, Any]]]) -> None:
        self.manifest = module("pipeline.manifest").Manifest
        self.shot = module("pipeline.project").ShotFolder(root / "p.holdfast" / "sh010")
        self.tasks = module("operators.steps").WorkerTask
        self.repair = module("operators.repair")
        self.stage, self.options = self.repair.STAGE, module("operators.steps").StageOptions
        self.outcomes, self.asked = outcomes, []
        settings = bpy.context.scene.holdfast.repair
        settings.attempts, settings.minutes, settings.budget, settings.handles = 3, 0, 0, 4
        self.take("t001", None, [])
        self.report("t001", [BENDS])

    def take(self, name: str, parent: str | None, spans: list[dict[str, Any]], **more: Any) -> None:
        data = {"take": name, "parent": parent, "frames": FRAMES, "spans": spans, "provider": "rehearsal", "seed": 7,
                "size": [640, 360], "look": "CEL", **more}  # fmt: skip
        above = self.load(parent) if parent else None
        inputs = {"truth": "t", **({"parent": above.digest} if above else {})}
        inputs |= {"plan": more["plan"]} if "plan" in more else {}
        self.manifest("holdfast/take", {"look": "CEL", "seed": 7}, inputs, data).save(
            self.shot.takes / name / "take.json"
        )

    def load(self, name: str) -> Any:
        return self.manifest.load(self.shot.takes / name / "take.json", "holdfast/take")

    def plan(self, name: str, file: str = "plan.json") -> Any:
        return self.manifest.load(self.shot.reports / name / file, "holdfast/plan")

    def report(self, name: str, faults: list[dict[str, Any]]) -> None:
        found = [finding(index, **fault) for index, fault in enumerate(faults, 1)]
        data = {"take": name, "verdict": "fail" if found else "pass", "findings": found}
        made = self.manifest("holdfast/report", {}, {"take": self.load(name).digest}, data)
        made.save(self.shot.reports / name / "report.json")

    def perform(self, task: Any) -> dict[str, Any]:
        self.asked.append(task)
        request = task.request
        if task.function == "finishing.repair:run":
            parent, out = Path(request["parent"]).name, Path(request["out"])
            plan = self.manifest.load(Path(request["plan"]), "holdfast/plan")
            spans = [{**action, "parent": parent} for action in plan.data["actions"] if action["enabled"]]
            more = {"fallback": bool(plan.data.get("fallback")), "plan": plan.digest}
            self.take(out.name, parent, [*self.load(parent).data["spans"], *spans], **more)
        elif task.function == "validation.stage:run":
            assert request["stage"] == "full" and "intent" in request
            self.report(Path(request["take"]).name, self.outcomes.pop(0))
        return {}

    def run(self, **options: Any) -> Any:
        steps = self.stage.run(bpy.context.scene, self.shot, self.options(**options))
        try:
            step = next(steps)
            while True:
                step = steps.send(self.perform(step))
        except StopIteration as stop:
            return stop.value

    @property
    def state(self) -> Any:
        return self.stage.state(bpy.context.scene, self.shot)


def test_one_rerun_that_passes(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, [[]])
    assert play.state[0] == "missing"
    take = play.run()
    assert take.data["take"] == "t002"
    assert [task.function for task in play.asked] == [
        "clients.offline.rehearsal:run", "finishing.repair:run", "validation.stage:run",
    ]  # fmt: skip
    asked = play.asked[0].request
    assert asked["frames"] == list(range(16, 29)) and asked["seed"] == 8 and asked["defects"] == []
    assert asked["look"] == "CEL" and Path(asked["out"]).is_relative_to(play.shot.takes / "t002")
    shares = [task.share for task in play.asked]
    assert all(a[1] <= b[0] + 1e-9 for a, b in pairwise(shares))
    assert play.state == ("fresh", "t002 passes")
    play.asked.clear()
    assert play.run().digest == take.digest and not play.asked  # fresh: nothing is done again


def test_a_plan_is_made_and_nothing_else(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, [[]])
    plan = play.repair.make_plan(bpy.context.scene, play.shot)
    assert [action["kind"] for action in plan.data["actions"]] == ["rerun_span"]
    assert play.plan("t001").digest == plan.digest and not (play.shot.takes / "t002").exists()


def test_the_artists_plan_is_what_runs(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, [[]])
    plan = play.repair.make_plan(bpy.context.scene, play.shot)
    edits = module("operators.repair_edit")
    edits.change(bpy.context.scene, play.shot, "t001", 0, kind="restore_part", frames=(19, 25))
    play.run()
    assert [task.function for task in play.asked] == ["finishing.repair:run", "validation.stage:run"]
    span = play.load("t002").data["spans"][0]
    assert (
        span["kind"] == "restore_part"
        and span["frames"] == [19, 25]
        and plan.digest != play.plan("t001").digest
    )


def test_ladder_then_fallback_then_a_person(module: Module, tmp_path: Path) -> None:
    """Each attempt helps a little; after the attempts every faulty part is put back; then a person is asked."""
    shorter = [[{**BENDS, "frames": [20, 24 - cut]}] for cut in (1, 2, 3)]
    play = Play(module, tmp_path, shorter)
    bpy.context.scene.holdfast.repair.attempts = 2
    take = play.run()
    assert [span["kind"] for span in take.data["spans"]] == ["rerun_span", "restore_part", "restore_part"]
    assert take.data["take"] == "t004" and take.data["fallback"]
    status, reason = play.state
    assert status == "failed" and "needs a person" in reason and "Tried: t002" in reason
    assert play.plan("t003", "fallback.json").data["because"] == "2 attempts were made"
    with pytest.raises(module("pipeline.errors").InputError, match="has passed validation"):
        next(module("operators.finish").STAGE.run(bpy.context.scene, play.shot, play.options()))


def test_an_attempt_that_makes_it_worse_is_left_behind(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, [[{**BENDS, "frames": [16, 30]}, {**BENDS, "kind": "ghost"}], []])
    take = play.run()
    assert take.data["parent"] == "t001" and take.data["take"] == "t003"
    assert [span["kind"] for span in take.data["spans"]] == ["restore_part"]
    assert play.state == ("fresh", "t003 passes")


def test_an_edited_plan_that_failed_is_not_run_for_ever(module: Module, tmp_path: Path) -> None:
    worse = [{**BENDS, "frames": [10, 35]}]
    play = Play(module, tmp_path, [worse, worse, worse, worse])
    play.repair.make_plan(bpy.context.scene, play.shot)
    module("operators.repair_edit").change(
        bpy.context.scene, play.shot, "t001", 0, kind="restore_part", handles=1
    )
    play.run()
    kinds = [play.load(name).data["spans"][-1]["kind"] for name in play.shot.take_names()[1:]]
    assert kinds[:2] == ["restore_part", "rerun_span"] and len(kinds) <= 4
    assert play.state[0] == "failed"


def test_no_attempts_go_straight_to_the_fallback(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, [[]])
    bpy.context.scene.holdfast.repair.attempts = 0
    assert play.run().data["fallback"] and play.state == ("fresh", "t002 passes")


def test_a_false_alarm_is_not_repaired(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, [])
    words, ledger = module("pipeline.words"), module("pipeline.ledger").Ledger
    take, report = (
        play.load("t001"),
        play.manifest.load(play.shot.reports / "t001" / "report.json", "holdfast/report"),
    )
    said = {"take": "t001", "digest": take.digest}
    words.say(ledger(play.shot.root.parent / "ledger"), "sh010", said, {"digest": report.digest},
              report.data["findings"][0], "not_a_fault")  # fmt: skip
    assert play.run().data["take"] == "t001" and not play.asked and play.state[0] == "fresh"


def test_a_take_without_a_report_is_not_touched(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, [])
    play.take(
        "t001", None, [{"kind": "x", "part": "peg", "frames": [1, 2]}]
    )  # another take than the report's
    with pytest.raises(module("pipeline.errors").InputError, match="has not been validated"):
        play.run()


def test_a_first_look_is_no_ground_for_a_repair(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, [])
    path = play.shot.reports / "t001" / "report.json"
    report = play.manifest.load(path, "holdfast/report")
    rough = play.manifest(report.schema, report.settings, report.inputs, {**report.data, "stage": "coarse"})
    rough.save(path)
    with pytest.raises(module("pipeline.errors").InputError, match="first look"):
        play.run()
    with pytest.raises(module("pipeline.errors").InputError, match="first look"):
        play.repair.make_plan(bpy.context.scene, play.shot)
    assert not play.asked and not (path.parent / "plan.json").exists()
    assert play.state[0] == "missing" and "first look" in play.state[1]


def test_a_killed_attempt_goes_on_in_its_own_folder(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, [[]])
    steps = play.stage.run(bpy.context.scene, play.shot, play.options())
    play.perform(next(steps))
    steps.close()
    assert play.run().data["take"] == "t002"


def test_an_attempt_that_was_killed_before_its_validation_is_validated(
    module: Module, tmp_path: Path
) -> None:
    play = Play(module, tmp_path, [[]])
    steps = play.stage.run(bpy.context.scene, play.shot, play.options())
    step = next(steps)
    for _ in range(2):
        step = steps.send(play.perform(step))
    assert step.function == "validation.stage:run"
    steps.close()
    play.asked.clear()
    assert play.run().data["take"] == "t002" and [task.function for task in play.asked] == [
        "validation.stage:run"
    ]


def test_the_command_has_its_limits_and_the_buttons_are_there(module: Module) -> None:
    parse = module("command_parser").parser(module("command_line").HANDLERS).parse_args
    arguments = parse(["repair", "--attempts", "2", "--minutes", "30", "--budget", "1.5"])
    given = module("operators.repair_command").assignments(arguments)
    assert given == ["repair.attempts=2", "repair.minutes=30.0", "repair.budget=1.5"]
    module("command_line").apply_settings(bpy.context.scene, given)
    limits = module("operators.repair_line").limits_of(bpy.context.scene)
    assert (limits.attempts, limits.minutes, limits.budget) == (2, 30.0, 1500000)
    for name in ("plan_repair", "switch_action", "action_kind", "edit_action"):
        assert hasattr(bpy.types, f"HOLDFAST_OT_{name}")


def test_a_kind_that_can_not_mend_is_refused(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, [])
    play.repair.make_plan(bpy.context.scene, play.shot)
    change, error = module("operators.repair_edit").change, module("pipeline.errors").UsageError
    with pytest.raises(error, match="Nothing flickers"):
        change(bpy.context.scene, play.shot, "t001", 0, kind="deflicker")
    action = change(bpy.context.scene, play.shot, "t001", 0, enabled=False, seed=99)
    assert not action.enabled and action.settings["seed"] == 99
    take = play.run()  # nothing is on: the fallback may not do what was switched off either
    assert take.data["take"] == "t001" and not play.asked and play.state[0] == "failed"
