# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of takes, which take is looked at and checked, the first look, the request, and what the command prints."""

from __future__ import annotations

import json

import bpy
import pytest

from . import validate_shot


@pytest.fixture
def shot(module, holdfast, tmp_path):
    found = validate_shot.new_file(tmp_path, holdfast.__name__)
    module("operators.state_cache").on_load_post()
    module("operators.state_cache").refresh(bpy.context.scene)
    yield found
    module("operators.state_cache").on_load_post()


@pytest.fixture
def cache(module, shot):
    return module("operators.state_cache")


def _cached(cache):
    return cache.shown(bpy.context.scene)


def test_the_table_has_verdict_permanence_cost_and_time(module, cache):
    first, second = _cached(cache).table
    print(first, second, sep="\n")
    assert (first.verdict, first.findings, first.look, first.provider) == ("fail", 5, "CEL", "rehearsal")
    covered = 8 + len({*range(16, 23), *range(3, 6)}) + 8 + 4
    assert first.permanence == pytest.approx(1 - covered / (3 * 24))
    assert (second.verdict, second.permanence, second.cost_micros, second.parent) == (
        "pass",
        1.0,
        420_000,
        "t001",
    )
    panel = module("panels.takes")
    assert panel.cells(second) == ("0", "100 %", "0.42", "5 s")
    assert panel.says(second) == "t002: repaired from t001 by rehearsal. It passes."
    assert panel.says(first) == "t001: cel by rehearsal. It fails."


def test_the_newest_is_looked_at_until_another_is_picked_or_a_newer_comes(module, holdfast, cache, shot):
    assert _cached(cache).take == "t002"
    bpy.ops.holdfast.choose_take(take="t001")
    cache.refresh(bpy.context.scene)
    assert _cached(cache).take == "t001" and bpy.context.window_manager.holdfast.active_take == 0
    assert module("operators.validate").looked_at(shot) == "t001"
    old = json.loads((shot.takes / "t002" / "take.json").read_text())
    newer = module("pipeline.manifest").Manifest(
        "holdfast/take", {}, old["inputs"], {**old["data"], "take": "t003"}
    )
    newer.save(shot.takes / "t003" / "take.json")
    cache.refresh(bpy.context.scene)
    assert _cached(cache).take == "t003" and _cached(cache).report is None
    assert _cached(cache).table[2].verdict == ""
    assert bpy.ops.holdfast.choose_take(take="t009") == {"CANCELLED"}


def test_a_report_of_other_limits_is_out_of_date_in_the_table(module, cache, monkeypatch):
    stage = module("validation.stage")
    found = stage.settings()
    monkeypatch.setattr(stage, "settings", lambda *_a, **_k: {**found, "limits": "others"})
    cache.refresh(bpy.context.scene)
    assert [row.stale for row in _cached(cache).table] == ["setting 'limits' changed"] * 2


def _steps(module, shot, monkeypatch, **options):
    """What the stage asks of the worker, answered without one."""
    stage = module("operators.validate")
    generator = stage.run(
        bpy.context.scene, shot, module("operators.steps").StageOptions(force=True, **options)
    )
    return [step.request for step in generator]


def test_the_request_names_take_stage_and_intent(module, shot, monkeypatch):
    settings = bpy.context.scene.holdfast.validate
    settings.relight = True
    (asked,) = _steps(module, shot, monkeypatch, take="t001")
    assert asked["take"] == str(shot.takes / "t001") and asked["stage"] == "full"
    assert asked["intent"]["relight"] is True and asked["intent"]["background"] == "free"
    (asked,) = _steps(module, shot, monkeypatch)
    assert asked["take"] == str(shot.takes / "t002"), "a run of all stages checks the newest"


def test_in_a_window_the_first_look_comes_first_and_is_kept(module, holdfast, shot, monkeypatch):
    stage, validate = module("operators.stages"), module("operators.validate")
    monkeypatch.setattr(validate, "in_window", lambda: True)
    options = module("operators.steps").StageOptions(force=True, take="t001")
    generator = stage.running(stage.stage_named("validate"), bpy.context.scene, options)
    first = next(generator)
    assert first.request["stage"] == "coarse" and first.share[1] < 0.5
    truth, take = (
        json.loads((shot.root / path).read_text())["digest"]
        for path in ("truth/truth.json", "takes/t001/take.json")
    )
    validate_shot.report(
        shot.root, holdfast.__name__, "t001", truth, take, [validate_shot.VANISHED], stage="coarse"
    )
    second = generator.send(None)
    assert second.request["stage"] == "full" and second.share[0] == first.share[1]
    assert list(validate.first_looks.values()) == ["fail: 1 findings"]
    generator.close()  # cancelled
    assert not validate.first_looks
    bpy.context.window_manager.holdfast.take = "t001"
    status, reason = validate.state(bpy.context.scene, shot)
    print(status, reason)
    assert status == "partial" and "first look at t001" in reason


def test_a_first_look_that_was_already_a_full_one_is_enough(module, shot, monkeypatch):
    monkeypatch.setattr(module("operators.validate"), "in_window", lambda: True)
    asked = _steps(module, shot, monkeypatch, take="t001")
    assert [each["stage"] for each in asked] == ["coarse"]


def test_the_command_prints_the_findings_and_exits_by_the_verdict(module, shot, capsys):
    main = module("command_line").main
    assert main(["validate", "--take", "t001", "--json", "--fail-on", "fail"]) == 10
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [line["id"] for line in lines if line["event"] == "finding"] == [f"f0{n}" for n in range(1, 6)]
    assert [(line["take"], line["verdict"]) for line in lines if line["event"] == "verdict"] == [
        ("t001", "fail")
    ]
    assert main(["validate", "--take", "t002", "--fail-on", "review"]) == 0
    assert main(["validate", "--take", "t077"]) == 20


def test_the_comparison_is_written_beside_the_reports(module, shot, monkeypatch):
    bpy.ops.holdfast.refresh()
    page = module("validation.page_compare").compare_shot(shot.reports)
    assert page == shot.reports / "index.html" and "t001" in page.read_text(encoding="utf-8")
    assert bpy.ops.holdfast.open_comparison.poll()
