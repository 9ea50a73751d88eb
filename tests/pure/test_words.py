# SPDX-License-Identifier: GPL-3.0-or-later
"""The person's word on findings: kept, found again, taken back, counted; the verdict and the offers that follow from it."""

from __future__ import annotations

import pytest
from holdfast.pipeline import retune, words
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.intent import Intent
from holdfast.pipeline.ledger import Ledger, read_ledger
from holdfast.pipeline.words import ACCEPTED, NOT_A_FAULT, REJECTED, Word
from hypothesis import given
from hypothesis import strategies as st

TAKE = {"take": "t001", "digest": "abc", "look": "CEL", "provider": "rehearsal"}
REPORT = {"digest": "r1"}
PARTS = ("body", "lid", "peg")


def finding(part="peg", kind="vanished", frames=(7, 14), **more):
    return {
        "id": "f01",
        "part": part,
        "kind": kind,
        "frames": list(frames),
        "value": 1.0,
        "limit": 0.8,
        **more,
    }


def report(*findings, verdict="fail", parts=PARTS, frames=72, unsure=()):
    named = [{"name": part, "verdict": "review" if part in unsure else "pass", "why": ""} for part in parts]
    pairs = [[frame, frame] for frame in range(1, frames + 1)]
    return {
        "take": "t001",
        "verdict": verdict,
        "findings": list(findings),
        "parts": named,
        "frame_map": pairs,
    }


@pytest.fixture
def said(tmp_path):
    """Says words into a ledger of several shards, as several sessions would."""
    ledgers = [Ledger(tmp_path / "ledger"), Ledger(tmp_path / "ledger")]

    def speak(finding, word, note="", by=0, shot="sh010", **take):
        return words.say(ledgers[by], shot, {**TAKE, **take}, REPORT, finding, word, note)

    speak.folder = tmp_path / "ledger"
    return speak


def test_a_word_is_kept_in_the_ledger_with_all_that_it_is_about(said):
    entry = said(finding(value=1.0), NOT_A_FAULT, " it is behind the lid ")
    assert entry["event"] == "word"
    (kept,) = read_ledger(said.folder)
    expected = {"take": "t001", "report": "r1", "part": "peg", "kind": "vanished", "frames": [7, 14], "value": 1.0,
                "limit": 0.8, "word": "not_a_fault", "note": "it is behind the lid", "look": "CEL",
                "provider": "rehearsal", "shot": "sh010"}  # fmt: skip
    assert {key: kept[key] for key in expected} == expected and kept["chained"]


def test_it_survives_a_new_report_whose_frames_differ_a_little(said):
    said(finding(frames=(7, 14)), NOT_A_FAULT)
    (word,) = words.words_of(said.folder, "t001")
    assert word.fits(finding(frames=(8, 15)))
    assert not word.fits(finding(frames=(15, 20)))
    assert not word.fits(finding(part="lid")) and not word.fits(finding(kind="rubber"))


def test_the_latest_counts_and_an_empty_one_takes_back(said):
    for word in (ACCEPTED, NOT_A_FAULT, REJECTED):
        said(finding(), word)
    assert [each.word for each in words.words_of(said.folder, "t001")] == [REJECTED]
    said(finding(), "")
    assert words.words_of(said.folder, "t001") == ()
    said(finding(), ACCEPTED, by=0)
    assert [each.word for each in words.words_of(said.folder, "t001")] == [ACCEPTED]


def test_words_of_other_takes_shots_and_pictures_stay_apart(said):
    said(finding(), ACCEPTED)
    said(finding(), REJECTED, take="t002")
    said(finding(), NOT_A_FAULT, shot="sh020")
    assert [word.word for word in words.words_of(said.folder, "t001", "sh010")] == [ACCEPTED]
    assert [word.word for word in words.words_of(said.folder, "t002", "sh010")] == [REJECTED]
    assert [word.word for word in words.words_of(said.folder, "t001", "sh020")] == [NOT_A_FAULT]
    assert words.words_of(said.folder, "t001", "sh010", made="another picture") == ()


def test_a_strange_word_is_refused_and_strange_lines_are_passed_over(said):
    with pytest.raises(InputError, match="no word on a finding"):
        said(finding(), "whatever")
    said(finding(), ACCEPTED)
    shard = next(said.folder.glob("*/*.jsonl"))
    shard.write_bytes(
        shard.read_bytes() + b'{"event":"word","take":"t001"}\n["event":"word"]\n{"event":"word","ta'
    )
    assert len(words.words_of(said.folder, "t001")) == 1


def test_a_ledger_that_is_not_there_has_no_words(tmp_path):
    assert words.words_of(tmp_path / "none", "t001") == ()


@pytest.mark.parametrize(
    ("said_of", "unsure", "expected"),
    [
        ({}, (), "fail"),
        ({"peg": ACCEPTED, "lid": NOT_A_FAULT}, (), "fail"),
        ({"peg": REJECTED, "lid": NOT_A_FAULT}, (), "fail"),
        ({"peg": NOT_A_FAULT, "lid": NOT_A_FAULT}, (), "pass"),
        ({"peg": NOT_A_FAULT, "lid": NOT_A_FAULT}, ("body",), "review"),
    ],
)
def test_the_verdict_with_the_word(said_of, unsure, expected):
    data = report(finding(), finding("lid", "rubber", (50, 59)), unsure=unsure)
    kinds = {"peg": "vanished", "lid": "rubber"}
    spoken = [Word("s", "t001", part, kinds[part], (1, 72), word) for part, word in said_of.items()]
    assert words.verdict_with(data, spoken) == expected
    assert data["verdict"] == "fail"


@pytest.mark.parametrize(
    ("word", "expected"), [(None, "review"), (ACCEPTED, "fail"), (REJECTED, "fail"), (NOT_A_FAULT, "pass")]
)
def test_what_the_machine_is_unsure_of_the_person_decides(word, expected):
    asked = {**finding("lid", "wobble", (5, 9)), "severity": "unsure"}
    data = report(asked, verdict="review")
    data["parts"] = [{"name": "lid", "verdict": "review"}, {"name": "peg", "verdict": "pass"}]
    spoken = [Word("", "t001", "lid", "wobble", (5, 9), word)] if word else []
    assert words.verdict_with(data, spoken) == expected
    failed = report(asked, finding("peg", "vanished", (7, 14)))
    assert words.verdict_with(failed, spoken) == "fail"
    no_fault = [*spoken, Word("", "t001", "peg", "vanished", (7, 14), NOT_A_FAULT)]
    assert words.verdict_with({**failed, "parts": data["parts"]}, no_fault) == expected


@pytest.mark.parametrize("verdict", ["pass", "review"])
def test_a_word_makes_no_fault_where_the_machine_found_none(verdict):
    assert (
        words.verdict_with(report(verdict=verdict), [Word("", "t001", "peg", "ghost", (1, 2), ACCEPTED)])
        == verdict
    )


def test_permanence_is_the_share_of_part_frames_without_a_fault():
    data = report(finding(), finding("lid", "rubber", (50, 59)), finding("peg", "flicker", (10, 20)))
    assert words.permanence(data) == pytest.approx(1 - (14 + 10) / (3 * 72))
    assert words.permanence(
        data, [Word("", "t001", "lid", "rubber", (50, 59), NOT_A_FAULT)]
    ) == pytest.approx(1 - 14 / 216)
    assert words.permanence(report(finding("", "frozen", (1, 36)))) == pytest.approx(0.5)
    assert words.permanence(report(finding("lid", "swapped", (1, 72), others=["peg"]))) == pytest.approx(
        1 / 3
    )
    assert words.permanence(report(verdict="pass")) == 1.0


@given(
    st.lists(st.tuples(st.sampled_from(PARTS), st.integers(1, 72), st.integers(0, 40)), max_size=8),
    st.sets(st.integers(0, 7)),
)
def test_a_false_alarm_never_lowers_permanence_nor_the_verdict(spans, dropped):
    found = [finding(part, "shifted", (first, min(72, first + more))) for part, first, more in spans]
    data = report(*found, verdict="fail" if found else "pass")
    spoken = [Word("", "t001", each["part"], each["kind"], tuple(each["frames"]), NOT_A_FAULT)
              for index, each in enumerate(found) if index in dropped]  # fmt: skip
    assert 0.0 <= words.permanence(data) <= words.permanence(data, spoken) <= 1.0
    rank = {"fail": 0, "review": 1, "pass": 2}
    assert rank[words.verdict_with(data, spoken)] >= rank[words.verdict_with(data, ())]


def test_figures_by_kind_look_and_provider():
    data = report(finding(), finding("lid", "rubber", (50, 59)), finding("lid", "vanished", (1, 4)))
    spoken = [
        Word("sh010", "t001", "peg", "vanished", (7, 14), NOT_A_FAULT),
        Word("sh010", "t001", "lid", "rubber", (50, 59), ACCEPTED),
        Word(
            "sh010", "t000", "peg", "vanished", (1, 4), ACCEPTED, look="CEL", provider="rehearsal"
        ),  # its report is gone
        Word("sh010", "t001", "lid", "ghost", (1, 4), REJECTED, look="CLAY", provider="remote"),
    ]
    rows = words.figures([("sh010", data, {"look": "CEL", "provider": "rehearsal"})], spoken)
    found = {(row.kind, row.look, row.provider): (row.findings, row.said, row.false_alarms) for row in rows}
    nothing = {ACCEPTED: 0, REJECTED: 0, NOT_A_FAULT: 0}
    assert found == {
        ("ghost", "CLAY", "remote"): (1, {**nothing, REJECTED: 1}, 0.0),
        ("rubber", "CEL", "rehearsal"): (1, {**nothing, ACCEPTED: 1}, 0.0),
        ("vanished", "CEL", "rehearsal"): (3, {**nothing, ACCEPTED: 1, NOT_A_FAULT: 1}, 0.5),
    }


def alarms(kind, count, look="CEL", value=3.0, limit=1.0, word=NOT_A_FAULT):
    return [
        Word("s", "t001", f"part{n}", kind, (1, 9), word, value=value + n, limit=limit, look=look)
        for n in range(count)
    ]


def test_three_false_alarms_of_one_kind_and_look_offer_a_switch():
    assert retune.offers(alarms("colour_drift", 2), "CEL", Intent()) == []
    assert retune.offers(alarms("colour_drift", 3), "CLAY", Intent()) == []
    assert retune.offers(alarms("colour_drift", 3, word=REJECTED), "CEL", Intent()) == []
    (offer,) = retune.offers(alarms("colour_drift", 3), "CEL", Intent())
    print(offer.says)
    assert (offer.setting, offer.value, offer.count) == ("recolour", True, 3)
    assert "changed colour" not in offer.setting and "3 " in offer.says
    assert retune.offers(alarms("colour_drift", 3), "CEL", Intent(recolour=True)) == []


def test_the_outline_is_offered_by_as_much_as_was_called_no_fault():
    (offer,) = retune.offers(alarms("wobble", 3, value=2.4, limit=1.0), "CEL", Intent())  # 2.4, 3.4, 4.4 px
    assert (offer.setting, offer.value) == ("outline_px", 4)  # 3.4 px beyond the limit, rounded up
    (offer,) = retune.offers(alarms("wobble", 3, value=2.4, limit=1.0), "CEL", Intent(outline_px=2.0))
    assert (offer.setting, offer.value) == ("outline_px", 6)
    (offer,) = retune.offers(
        alarms("outline", 3, value=0.5, limit=0.2), "CEL", Intent()
    )  # a share tells no pixels
    assert (offer.setting, offer.value) == ("outline_px", 3)
    (offer,) = retune.offers(alarms("wobble", 3, value=90.0), "CEL", Intent())
    assert offer.value == retune.MOST_PX


def test_what_no_switch_allows_is_not_offered():
    for kind in ("vanished", "rubber", "ghost", "swapped", "frozen", "joint"):
        assert retune.offers(alarms(kind, 9), "CEL", Intent()) == []
