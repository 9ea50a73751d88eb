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


class Play:
    """A shot on disk, and the outcome of every worker task that the stage yields."""

    def __init__(self, module: Module, root: Path, verdicts: list[str]) -> None:
        self.manifest = module("pipeline.manifest").Manifest
        self.shot = module("pipeline.project").ShotFolder(root / "p.holdfast" / "sh010")
        self.tasks = module("operators.steps").WorkerTask
        self.stage, self.options = module("operators.repair").STAGE, module("operators.steps").StageOptions
        self.verdicts, self.asked = verdicts, []
        self.take("t001", None, [])
        self.report("t001", "fail")

    def take(self, name: str, parent: str | None, spans: list[dict[str, Any]]) -> None:
        data = {
            "take": name,
            "parent": parent,
            "frames": FRAMES,
            "spans": spans,
            "provider": "rehearsal",
            "seed": 7,
        }
        above = self.load(parent) if parent else None
        inputs = {"truth": "t", **({"parent": above.digest} if above else {})}
        self.manifest("holdfast/take", {"look": "CEL", "seed": 7}, inputs, data).save(
            self.shot.takes / name / "take.json"
        )

    def load(self, name: str) -> Any:
        return self.manifest.load(self.shot.takes / name / "take.json", "holdfast/take")

    def report(self, name: str, verdict: str) -> None:
        finding = {
            "id": "f1",
            "part": "lid",
            "kind": "rubber",
            "frames": [20, 24],
            "severity": "major",
            "says": "bends",
        }
        data = {"take": name, "verdict": verdict, "findings": [finding] if verdict == "fail" else []}
        made = self.manifest("holdfast/report", {}, {"take": self.load(name).digest}, data)
        made.save(self.shot.reports / name / "report.json")

    def perform(self, task: Any) -> dict[str, Any]:
        self.asked.append(task)
        request = task.request
        if task.function == "finishing.repair:run":
            parent, out = Path(request["parent"]).name, Path(request["out"])
            plan = self.manifest.load(Path(request["plan"]), "holdfast/plan").data["actions"]
            self.take(out.name, parent, [*self.load(parent).data["spans"], *plan])
        elif task.function == "validation.stage:run":
            self.report(Path(request["take"]).name, self.verdicts.pop(0))
        return {}

    def run(self) -> Any:
        steps = self.stage.run(bpy.context.scene, self.shot, self.options())
        try:
            step = next(steps)
            while True:
                step = steps.send(self.perform(step))
        except StopIteration as stop:
            return stop.value


def functions(play: Play) -> list[str]:
    return [task.function.split(".")[-1] for task in play.asked]


def test_one_rerun_that_passes(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, ["pass"])
    assert play.stage.state(bpy.context.scene, play.shot)[0] == "missing"
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
    assert play.stage.state(bpy.context.scene, play.shot) == ("fresh", "t002 passes")
    play.asked.clear()
    assert play.run().digest == take.digest and not play.asked  # fresh: nothing is done again


def test_a_rerun_that_fails_falls_back_and_then_asks(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, ["fail", "fail"])
    take = play.run()
    assert take.data["take"] == "t003"
    assert [span["kind"] for span in take.data["spans"]] == ["rerun_span", "restore_part"]
    status, reason = play.stage.state(bpy.context.scene, play.shot)
    assert status == "failed" and "needs a person" in reason
    with pytest.raises(module("pipeline.errors").InputError, match="has passed validation"):
        next(module("operators.finish").STAGE.run(bpy.context.scene, play.shot, play.options()))


def test_a_take_without_a_report_is_not_touched(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, [])
    play.take(
        "t001", None, [{"kind": "x", "part": "peg", "frames": [1, 2]}]
    )  # another take than the report's
    with pytest.raises(module("pipeline.errors").InputError, match="has not been validated"):
        play.run()


def test_a_killed_attempt_goes_on_in_its_own_folder(module: Module, tmp_path: Path) -> None:
    play = Play(module, tmp_path, ["pass"])
    steps = play.stage.run(bpy.context.scene, play.shot, play.options())
    next(steps)
    steps.close()
    assert play.run().data["take"] == "t002"
