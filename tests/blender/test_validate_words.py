# SPDX-License-Identifier: GPL-3.0-or-later
"""The person's word in Blender: said, shown, taken back, surviving a new report, counted; and the switch it offers."""

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
    bpy.ops.holdfast.choose_take(take="t001")
    yield found
    module("operators.state_cache").on_load_post()


@pytest.fixture
def cache(module, shot):
    return module("operators.state_cache")


def _cached(cache):
    return cache.shown(bpy.context.scene)


def _row(cache):
    return next(row for row in _cached(cache).table if row.name == "t001")


def test_a_word_stands_beside_the_machines_verdict_and_changes_no_report(cache, shot):
    before = (shot.reports / "t001" / "report.json").read_bytes()
    assert (_row(cache).verdict, _row(cache).with_word, _row(cache).findings) == ("fail", "fail", 5)
    for index in range(4):
        bpy.ops.holdfast.say_word(index=index, word="NOT_A_FAULT", note=f"because {index}")
    assert (_row(cache).with_word, _row(cache).findings) == ("review", 1), "what is unsure is left"
    bpy.ops.holdfast.say_word(index=4, word="NOT_A_FAULT")
    row = _row(cache)
    assert (row.verdict, row.with_word, row.findings, row.permanence) == ("fail", "pass", 0, 1.0)
    bpy.ops.holdfast.say_word(index=1, word="REJECTED")
    assert (_row(cache).with_word, _row(cache).findings) == ("fail", 1)
    assert (shot.reports / "t001" / "report.json").read_bytes() == before


def test_a_new_word_replaces_and_take_back_removes(module, cache):
    words = module("operators.words")
    finding = _cached(cache).findings()[0]
    assert words.of(_cached(cache), finding) is None
    for name in ("ACCEPTED", "REJECTED", "NOT_A_FAULT"):
        bpy.ops.holdfast.say_word(index=0, word=name, note=name)
        spoken = words.of(_cached(cache), finding)
        assert (spoken.word, spoken.note) == (name.lower(), name)
    assert (spoken.look, spoken.provider, spoken.shot) == ("CEL", "rehearsal", "sh010")
    bpy.ops.holdfast.say_word(index=0, word="TAKE_BACK")
    assert words.of(_cached(cache), finding) is None


def test_it_survives_a_new_report_and_not_new_pictures(module, holdfast, cache, shot):
    bpy.ops.holdfast.say_word(index=1, word="NOT_A_FAULT")
    cached, name = _cached(cache), holdfast.__name__
    truth, take = cached.manifests["truth"], cached.takes["t001"]
    moved = {**validate_shot.RUBBER, "id": "f01", "frames": [17, 23]}
    validate_shot.report(shot.root, name, "t001", truth.digest, take.digest, [moved])
    cache.refresh(bpy.context.scene)
    assert (_row(cache).verdict, _row(cache).with_word) == ("fail", "pass")
    body = json.loads((shot.takes / "t001" / "take.json").read_text())
    changed = module("pipeline.manifest").Manifest("holdfast/take", {"seed": 2}, body["inputs"], body["data"])
    changed.save(shot.takes / "t001" / "take.json")
    cache.refresh(bpy.context.scene)
    assert _row(cache).with_word == "fail"


def test_without_findings_the_button_is_off_and_says_why(cache):
    bpy.ops.holdfast.choose_take(take="t002")
    assert not bpy.ops.holdfast.say_word.poll()


def test_a_report_that_changed_meanwhile_is_said(cache):
    with pytest.raises(RuntimeError, match="report has changed"):
        bpy.ops.holdfast.say_word(index=9, word="ACCEPTED")


def test_three_false_alarms_offer_a_switch_that_only_the_button_sets(holdfast, cache, shot):
    cached, settings = _cached(cache), bpy.context.scene.holdfast.validate
    drifts = [
        {**validate_shot.COLOUR, "id": f"f0{n}", "part": part}
        for n, part in enumerate(("body", "lid", "peg"), 1)
    ]
    truth, take = cached.manifests["truth"].digest, cached.takes["t001"].digest
    validate_shot.report(shot.root, holdfast.__name__, "t001", truth, take, drifts)
    cache.refresh(bpy.context.scene)
    for index in range(3):
        assert not _cached(cache).offers
        bpy.ops.holdfast.say_word(index=index, word="NOT_A_FAULT")
    (offer,) = _cached(cache).offers
    print(offer.says, offer.changes)
    assert (offer.setting, settings.recolour) == ("recolour", False)
    bpy.ops.holdfast.take_offer(setting="recolour")
    assert settings.recolour
    cache.refresh(bpy.context.scene)
    assert not _cached(cache).offers
    assert _row(cache).stale == "setting 'intent' changed"


def test_an_offer_is_of_the_look_of_the_take_that_is_looked_at(module, cache, shot):
    words, cached = module("pipeline.words"), _cached(cache)
    ledger = module("pipeline.ledger").Ledger(module("operators.locate").project().ledger)
    for number in range(3):
        finding = {**validate_shot.RUBBER, "kind": "wobble", "part": f"p{number}", "value": 5.0, "limit": 2.5}
        words.say(ledger, "sh020", {"take": "t001", "look": "CLAY"}, {"digest": "r"}, finding, "not_a_fault")
    cache.refresh(bpy.context.scene)
    assert not cached.offers and not _cached(cache).offers
    for number in range(3):
        finding = {**validate_shot.RUBBER, "kind": "wobble", "part": f"p{number}", "value": 5.0, "limit": 2.5}
        words.say(ledger, "sh020", {"take": "t009", "look": "CEL"}, {"digest": "r"}, finding, "not_a_fault")
    cache.refresh(bpy.context.scene)
    bpy.ops.holdfast.take_offer(setting="outline_px")
    assert bpy.context.scene.holdfast.validate.outline_px == 3


def test_the_command_counts_and_says_words(module, shot, capsys):
    main = module("command_line").main
    assert (
        main(
            [
                "words",
                "--take",
                "t001",
                "--finding",
                "f02",
                "--say",
                "not_a_fault",
                "--note",
                "cloth",
                "--json",
            ]
        )
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    print("\n".join(lines))
    rows = [json.loads(line) for line in lines if line.startswith("{")]
    counted = {row["kind"]: row for row in rows if row["event"] == "words"}
    assert counted["rubber"]["not_a_fault"] == 1 and counted["rubber"]["false_alarm_share"] == 1.0
    assert counted["vanished"]["false_alarm_share"] is None and counted["vanished"]["look"] == "CEL"
    assert "5 findings, 1 with a word, 100% of these no faults" in lines
    assert main(["words", "--finding", "f02"]) == 2
    assert main(["words", "--take", "t001", "--finding", "f77", "--say", "accepted"]) == 20
    assert "It has f01, f02, f03, f04, f05." in capsys.readouterr().out


def test_the_intent_of_the_panel_is_what_the_worker_reads(module):
    settings = bpy.context.scene.holdfast.validate
    intent = module("pipeline.intent").Intent
    of = module("properties_validate").intent_of
    assert intent.from_json(of(settings)) == intent()
    settings.recolour, settings.outline_px, settings.background = True, 3, "STAYS"
    settings.palette_text = "#FF8000, 112233 nonsense #112233"
    settings.readable = "lid, body , lid"
    found = intent.from_json(of(settings))
    print(found)
    assert (found.recolour, found.outline_px, found.background) == (True, 3.0, "stays")
    assert found.palette == ("#ff8000", "#112233") and found.readable == ("lid", "body")
    assert settings.palette_wrong == "nonsense" and settings.palette_text == "#ff8000 #112233"
    bpy.ops.holdfast.edit_palette(remove=0)
    bpy.ops.holdfast.toggle_readable(part="lid")
    bpy.ops.holdfast.toggle_readable(part="peg")
    assert settings.palette_text == "#112233" and settings.readable == "body, peg"
    module("command_settings").apply_settings(
        bpy.context.scene, ["validate.palette_text=#00ff00", "validate.background=FREE"]
    )
    assert intent.from_json(of(settings)).palette == ("#00ff00",)
