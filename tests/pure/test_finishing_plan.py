# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
from holdfast.finishing.plan import ASK, RERUN, RESTORE, make_plan, plan_for, read_actions
from holdfast.finishing.rerun import merged_reruns
from holdfast.pipeline.manifest import Manifest


def take(spans=(), frames=range(1, 73)):
    return Manifest("holdfast/take", {}, {}, {"take": "t001", "frames": list(frames), "spans": list(spans)})


def report(*findings, verdict="fail"):
    listed = [
        {"id": f"f{i}", "part": part, "kind": kind, "frames": list(frames), "severity": "major"}
        for i, (part, kind, frames) in enumerate(findings)
    ]
    return Manifest("holdfast/report", {}, {}, {"take": "t001", "verdict": verdict, "findings": listed})


def kinds(plan):
    return [action.kind for action in read_actions(plan)]


def test_the_demo_gets_the_real_part_back_and_one_rerun():
    plan = make_plan(report(("peg", "vanished", (7, 14)), ("lid", "rubber", (50, 59))), take(), 4)
    restore, rerun = read_actions(plan)
    assert (restore.kind, restore.part, restore.frames, restore.reach) == (RESTORE, "peg", (7, 14), (6, 15))
    assert (rerun.kind, rerun.handles, rerun.reach) == (RERUN, 4, (46, 63))
    assert "missing" in restore.why and "bends" in rerun.why


@pytest.mark.parametrize("kind", ["frame_map", "frame_size", "frame_shift", "something new"])
def test_what_no_repair_is_known_for_is_asked(kind):
    assert kinds(make_plan(report(("", kind, (1, 72))), take(), 4)) == [ASK]


def test_the_ladder_goes_on_where_a_repair_failed_before():
    rerun = {"kind": RERUN, "part": "lid", "frames": [50, 59]}
    again = report(("lid", "rubber", (51, 58)))
    assert kinds(make_plan(again, take([rerun]), 4)) == [RESTORE]
    both = [rerun, {"kind": RESTORE, "part": "lid", "frames": [51, 58]}]
    plan = make_plan(again, take(both), 4)
    assert kinds(plan) == [ASK]
    assert "tried before" in read_actions(plan)[0].why


def test_a_repair_elsewhere_or_of_another_part_does_not_count():
    history = [
        {"kind": RERUN, "part": "lid", "frames": [1, 5]},
        {"kind": RERUN, "part": "body", "frames": [50, 60]},
    ]
    assert kinds(make_plan(report(("lid", "rubber", (50, 59))), take(history), 4)) == [RERUN]


def test_without_a_provider_that_can_rerun_the_part_is_put_back():
    plan = make_plan(report(("lid", "rubber", (50, 59))), take(), 4, can_rerun=False)
    assert kinds(plan) == [RESTORE]


def test_a_part_that_is_never_right_can_not_be_learned_from_the_take():
    assert kinds(make_plan(report(("peg", "vanished", (1, 72))), take(), 4)) == [ASK]


def test_a_take_that_passed_needs_nothing():
    plan = make_plan(report(("peg", "vanished", (7, 14)), verdict="pass"), take(), 4)
    assert plan.data["actions"] == [] and plan.data["summary"] == "Nothing to repair."


def test_an_edited_plan_is_kept_and_a_new_report_makes_a_new_one(tmp_path):
    first, path = report(("peg", "vanished", (7, 14))), tmp_path / "plan.json"
    plan = plan_for(first, take(), path, 4, can_rerun=True)
    edited = Manifest(plan.schema, plan.settings, plan.inputs, {**plan.data, "actions": []})
    edited.save(path)
    assert plan_for(first, take(), path, 4, can_rerun=True).data["actions"] == []
    other = plan_for(report(("peg", "vanished", (7, 15))), take(), path, 4, can_rerun=True)
    assert kinds(other) == [RESTORE]


def test_spans_whose_handles_touch_are_drawn_as_one():
    findings = [("lid", "rubber", (50, 55)), ("body", "outline", (60, 64)), ("lid", "rubber", (20, 22))]
    actions = read_actions(make_plan(report(*findings), take(), 4))
    first, second = merged_reruns(actions, range(1, 73))
    assert first.frames == (20, 22) and first.parts == ("lid",)
    assert second.frames == (50, 64) and second.parts == ("body", "lid")
    assert second.all_frames(range(1, 67)) == list(range(46, 67))
