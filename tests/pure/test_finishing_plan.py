# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import pytest
from holdfast.finishing.fallback import fallback_plan
from holdfast.finishing.ladder import ASK, DEFLICKER, HOLD, KINDS, LADDER, RERUN, RESTORE, RETIME, WARP
from holdfast.finishing.plan import Circumstances, edited, make_plan, plan_for, read_actions
from holdfast.finishing.price import price_of, price_words, seconds_of
from holdfast.finishing.progress import Limits, Standing, cost, in_vain, line_from, made_worse
from holdfast.finishing.rerun import merged_reruns
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.manifest import Manifest
from holdfast.validation.kinds import KINDS as FAULTS

NOW = Circumstances(4)


def take(spans=(), frames=range(1, 73)):
    data = {"take": "t001", "frames": list(frames), "spans": list(spans), "size": [960, 540], "seed": 7}
    return Manifest("holdfast/take", {}, {}, data)


def found(part, kind, frames, **more):
    return {
        "part": part,
        "kind": kind,
        "frames": list(frames),
        "severity": "major",
        "value": 2.0,
        "limit": 1.0,
        **more,
    }


def report(*findings, verdict="fail", **more):
    listed = [
        {"id": f"f{i}", **(each if isinstance(each, dict) else found(*each))}
        for i, each in enumerate(findings)
    ]
    return Manifest(
        "holdfast/report", {}, {}, {"take": "t001", "verdict": verdict, "findings": listed, **more}
    )


def kinds(plan):
    return [action.kind for action in read_actions(plan)]


def test_a_first_look_is_refused():
    with pytest.raises(InputError, match="first look"):
        make_plan(report(("lid", "rubber", (20, 21)), stage="coarse"), take(), NOW)
    assert kinds(make_plan(report(("lid", "rubber", (20, 21)), stage="full"), take(), NOW)) == [RERUN]


def test_every_kind_of_fault_has_its_ladder_that_ends_with_a_person():
    assert set(LADDER) == {kind.name for kind in FAULTS}
    assert all(steps[-1] == ASK and set(steps) <= set(KINDS) for steps in LADDER.values())


@pytest.mark.parametrize("fault", sorted(LADDER))
def test_every_ladder_is_climbed_to_its_end(fault):
    part = "" if fault in ("frames_missing", "frame_map", "frozen", "black", "frame_size", "frame_fit",
                           "colour_range", "palette", "background") else "lid"  # fmt: skip
    history, climbed = [], []
    for _ in range(8):
        plan = make_plan(report(found(part, fault, (20, 21))), take(history), NOW)
        action = read_actions(plan)[0]
        climbed.append(action.kind)
        if action.kind == ASK:
            break
        history.append({"kind": action.kind, "part": part, "frames": [20, 21]})
    assert climbed == list(LADDER[fault])


def test_the_demo_gets_the_real_part_back_and_one_rerun():
    plan = make_plan(report(("peg", "vanished", (7, 14)), ("lid", "rubber", (50, 59))), take(), NOW)
    restore, rerun = read_actions(plan)
    assert (restore.kind, restore.part, restore.frames, restore.reach) == (RESTORE, "peg", (7, 14), (5, 16))
    assert (rerun.kind, rerun.handles, rerun.reach) == (RERUN, 4, (46, 63))
    assert "missing" in restore.why and "bends" in rerun.why
    assert rerun.settings == {"provider": "rehearsal", "seed": 8, "control": None}
    assert restore.seconds == seconds_of(RESTORE, 12, (960, 540)) and rerun.cost_micros == 0


def test_a_price_is_free_or_honestly_unknown():
    assert price_of("rehearsal", 100) == 0 and price_of("some service", 100) is None
    assert (price_words(0), price_words(None), price_words(420000)) == ("free", "price unknown", "$0.42")
    elsewhere = replace(NOW, providers=("some service",))
    plan = make_plan(report(("lid", "rubber", (50, 59))), take(), elsewhere)
    assert read_actions(plan)[0].cost_micros is None
    limits = Limits(attempts=3, minutes=0, budget=10**9)
    assert "unknown" in limits.reached(0, 0, 0, None) and not limits.reached(0, 0, 0, 0)
    assert "over the budget" in replace(limits, budget=10**6).reached(1, 0, 900000, 200000)
    assert "minutes" in replace(limits, minutes=2).reached(1, 121, 0, 0) and "attempts" in limits.reached(
        3, 0, 0, 0
    )


@pytest.mark.parametrize("kind", ["frame_size", "palette", "something new"])
def test_what_no_repair_is_known_for_is_asked(kind):
    assert kinds(make_plan(report(("", kind, (1, 72))), take(), NOW)) == [ASK]


def test_the_plan_says_what_is_possible_and_why_the_rest_is_not():
    plan = make_plan(
        report(found("lid", "shifted", (20, 24), value=30.0)), take(), replace(NOW, providers=())
    )
    choices = plan.data["choices"]["f0"]
    assert "30 px" in choices[WARP] and "provider" in choices[RERUN] and choices[RETIME] and choices[HOLD]
    assert choices[RESTORE] == "" and choices[ASK] == "" and kinds(plan) == [RESTORE]
    near = make_plan(report(found("lid", "shifted", (20, 24), value=5.0)), take(), NOW)
    assert kinds(near) == [WARP]


def test_both_parts_of_a_pair_are_put_back():
    plan = make_plan(report(found("lid", "swapped", (20, 24), others=["peg"])), take(), NOW)
    assert read_actions(plan)[0].settings["parts"] == ["lid", "peg"]
    hidden = make_plan(
        report(found("peg", "not_hidden", (20, 24), others=["lid"])), take(), replace(NOW, providers=())
    )
    assert read_actions(hidden)[0].settings["parts"] == ["lid"]


def test_the_persons_word_counts():
    findings = report(("peg", "vanished", (7, 14)), ("lid", "rubber", (50, 59)), ("body", "flicker", (1, 9)))
    plan = make_plan(
        findings, take(), replace(NOW, words={"f0": "not_a_fault", "f1": "rejected", "f2": "accepted"})
    )
    assert [(a.finding, a.kind) for a in read_actions(plan)] == [("f1", ASK), ("f2", DEFLICKER)]
    assert "stays" in read_actions(plan)[0].why


def test_what_is_unsure_waits_for_the_person():
    """Neither the plan nor the fallback touches it, until it is accepted; the next plan may find it sure."""
    faint = found("lid", "rubber", [5, 9], severity="unsure")
    plan = make_plan(report(faint, verdict="review"), take(), Circumstances(2))
    assert [(a.enabled, a.asked) for a in read_actions(plan)] == [(False, True)]
    assert read_actions(plan)[0].waits and "1 not sure" in plan.data["summary"]
    assert fallback_plan(report(faint), take(), Circumstances(2), "") is None
    said = Circumstances(2, words={read_actions(plan)[0].finding: "accepted"})
    assert [a.enabled for a in read_actions(make_plan(report(faint), take(), said))] == [True]
    assert fallback_plan(report(faint), take(), said, "") is not None
    stays = Circumstances(2, words={read_actions(plan)[0].finding: "rejected"})
    assert [(a.kind, a.waits) for a in read_actions(make_plan(report(faint), take(), stays))] == [
        (ASK, False)
    ]


def test_the_ladder_goes_on_where_a_repair_failed_before():
    rerun = {"kind": RERUN, "part": "lid", "frames": [50, 59]}
    again = report(("lid", "rubber", (51, 58)))
    assert kinds(make_plan(again, take([rerun]), NOW)) == [RESTORE]
    given_up = {"kind": RESTORE, "part": "lid", "frames": [51, 58]}
    plan = make_plan(again, take([rerun]), replace(NOW, history=(given_up,)))
    assert kinds(plan) == [ASK]
    assert "tried before" in read_actions(plan)[0].why


def test_a_repair_elsewhere_or_of_another_part_does_not_count():
    history = [
        {"kind": RERUN, "part": "lid", "frames": [1, 5]},
        {"kind": RERUN, "part": "body", "frames": [50, 60]},
    ]
    assert kinds(make_plan(report(("lid", "rubber", (50, 59))), take(history), NOW)) == [RERUN]


def test_without_a_provider_that_can_rerun_the_part_is_put_back():
    plan = make_plan(report(("lid", "rubber", (50, 59))), take(), replace(NOW, providers=()))
    assert kinds(plan) == [RESTORE]


def test_long_gaps_in_time_are_drawn_again_short_ones_made():
    pairs = [[f, f] for f in range(1, 73) if not 30 <= f <= 34]
    assert kinds(make_plan(report(("", "frame_map", (1, 72)), frame_map=pairs), take(), NOW)) == [RERUN]
    pairs = [[f, f] for f in range(1, 73) if f not in (30, 31)]
    assert kinds(make_plan(report(("", "frame_map", (1, 72)), frame_map=pairs), take(), NOW)) == [RETIME]
    assert kinds(make_plan(report(("", "frozen", (30, 40))), take(), NOW)) == [RERUN]


def test_colour_that_is_never_right_has_no_reference():
    assert kinds(make_plan(report(("lid", "colour_drift", (1, 72))), take(), NOW)) == [RERUN]


def test_a_take_that_passed_needs_nothing():
    plan = make_plan(report(("peg", "vanished", (7, 14)), verdict="pass"), take(), NOW)
    assert plan.data["actions"] == [] and plan.data["summary"] == "Nothing to repair."


def test_an_edited_plan_is_kept_and_a_new_report_makes_a_new_one(tmp_path):
    first, path = report(("peg", "vanished", (7, 14))), tmp_path / "plan.json"
    plan = plan_for(first, take(), path, NOW)
    changed = replace(read_actions(plan)[0], enabled=False, frames=(6, 14))
    edited(plan, 0, changed).save(path)
    kept = read_actions(plan_for(first, take(), path, replace(NOW, handles=9)))
    assert kept == [changed] and "1 switched off" in Manifest.load(path, plan.schema).data["summary"]
    other = plan_for(report(("peg", "vanished", (7, 15))), take(), path, NOW)
    assert kinds(other) == [RESTORE] and read_actions(other)[0].enabled


def test_what_was_switched_off_stays_off_in_the_next_plan():
    off = {"part": "lid", "fault": "rubber", "frames": [50, 59]}
    plan = make_plan(
        report(("lid", "rubber", (51, 58)), ("peg", "rubber", (51, 58))), take(), replace(NOW, off=(off,))
    )
    assert [action.enabled for action in read_actions(plan)] == [False, True]


def test_spans_whose_handles_touch_are_drawn_as_one():
    findings = [("lid", "rubber", (50, 55)), ("body", "outline", (60, 64)), ("lid", "rubber", (20, 22))]
    actions = read_actions(make_plan(report(*findings), take(), NOW))
    first, second = merged_reruns(actions, range(1, 73))
    assert first.frames == (20, 22) and first.parts == ("lid",) and first.seed == 8
    assert second.frames == (50, 64) and second.parts == ("body", "lid")
    assert second.all_frames(range(1, 67)) == list(range(46, 67))


def test_the_fallback_puts_every_faulty_part_back_over_all_of_its_faults():
    faults = report(
        ("lid", "rubber", (10, 14)),
        ("lid", "outline", (20, 30)),
        ("peg", "vanished", (1, 72)),
        ("", "frame_map", (1, 72)),
    )
    plan = fallback_plan(faults, take(), NOW, "3 attempts were made")
    assert [(a.part, a.kind, a.frames) for a in read_actions(plan)] == [
        ("lid", RESTORE, (10, 30)), ("peg", RESTORE, (1, 72)),
    ]  # fmt: skip
    assert plan.data["fallback"] and "attempts" in read_actions(plan)[0].why
    assert fallback_plan(report(("", "frame_map", (1, 72))), take(), NOW, "") is None


def data(*findings, verdict="fail"):
    return report(*findings, verdict=verdict).data


def standing(name, parent, report, *spans):
    return Standing(name, parent, [{"parts": [], **span} for span in spans], report)


def test_an_attempt_that_makes_it_worse_is_given_up_and_not_tried_again():
    before = data(("lid", "rubber", (50, 59)), ("peg", "vanished", (7, 14)))
    worse = data(("lid", "rubber", (46, 66)), ("lid", "ghost", (46, 66)))
    assert made_worse(before, worse) == ["stronger: lid rubber 46-66", "new: lid ghost 46-66"]
    assert cost(worse) > cost(before) > cost(data(verdict="pass")) == 0
    tries = [
        {"kind": RERUN, "part": "lid", "frames": [50, 59]},
        {"kind": RESTORE, "part": "peg", "frames": [7, 14]},
    ]
    root, child = standing("t001", "", before), standing("t002", "t001", worse, *tries)
    line = line_from(root, [child])
    assert line.base is root and line.attempts == 1 and not line.fell_back
    assert [span["kind"] for span in line.history] == [RERUN]  # the peg was mended: that may be done again
    better = standing("t003", "t001", data(("lid", "rubber", (52, 55))), tries[1])
    assert line_from(root, [child, better]).base is better
    assert in_vain(standing("t004", "t001", data(verdict="pass"), *tries)) == []


def test_what_an_action_refused_is_not_tried_again():
    refused = {"kind": WARP, "part": "lid", "frames": [50, 59], "refused": "too far"}
    assert in_vain(standing("t002", "t001", data(verdict="pass"), refused))[0]["kind"] == WARP
