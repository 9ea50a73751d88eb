# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the bench are themselves right: assignments, matrix, doses, AUC."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.confusion import (
    NOTHING,
    Planted,
    answer,
    answers,
    auc,
    dose_at,
    false_rate,
    isotonic,
    report,
    table,
)


def finding(kind, part, first, last, *others):
    return {"kind": kind, "part": part, "frames": [first, last], "others": list(others)}


def test_right_wrong_and_false():
    tally = answer(
        [Planted("vanish", "lid", (10, 15)), Planted("colour", "peg", (20, 30)), Planted("flicker", "body", (1, 5))],
        [finding("vanished", "lid", 11, 15), finding("material", "peg", 20, 26), finding("ghost", "lid", 40, 44)],
    )  # fmt: skip
    lid, peg, body = tally.answers
    assert lid.right
    assert (peg.part, peg.kind, peg.frames) == (True, False, False)
    assert body.finding is None
    assert [f["kind"] for f in tally.false] == ["ghost"]
    assert tally.shares() == {"detected": 2 / 3, "part": 1.0, "kind": 0.5, "frames": 0.5, "all": 0.5}
    assert tally.matrix() == {
        ("vanish", "vanished"): 1, ("colour", "material"): 1, ("flicker", NOTHING): 1, (NOTHING, "ghost"): 1,
    }  # fmt: skip
    assert "2" in report(tally)


def test_best_finding_answers_and_each_only_one():
    tally = answer(
        [Planted("shift", "lid", (5, 9)), Planted("rubber", "peg", (5, 9))],
        [finding("rubber", "lid", 5, 9), finding("shifted", "lid", 4, 9), finding("rubber", "peg", 6, 9)],
    )
    assert all(each.right for each in tally.answers)
    assert [f["kind"] for f in tally.false] == ["rubber"]


def test_either_part_of_a_pair_and_take_faults():
    tally = answers(
        [
            ([Planted("swap", "lid", (5, 9), "peg")], [finding("swapped", "peg", 5, 9, "lid")]),
            ([Planted("lag", "", (1, 40))], [finding("frame_map", "", 1, 40)]),
            ([], [finding("boiling", "lid", 3, 9)]),
            ([Planted("lag", "", (1, 9))], [finding("frame_map", "", 20, 40)]),
        ]
    )
    assert [each.right for each in tally.answers] == [True, True, False]
    assert len(tally.false) == 2
    lines = table(tally.matrix()).splitlines()
    assert lines[0].split() == ["planted", "1", "2", "3", "4"]
    assert lines[1].split() == ["lag", "1", ".", ".", "1"]
    assert lines[-1] == f"said: 1 frame_map, 2 swapped, 3 boiling, 4 {NOTHING}"


def test_nothing_planted_nothing_found():
    assert all(math.isnan(value) for value in answers([([], [])]).shares().values())
    assert math.isnan(false_rate(0, 0, 0, 24))
    assert false_rate(1, 4, 24 * 250, 24) == 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_isotonic_rises_and_keeps_the_mean(values):
    fitted = isotonic(values, [1.0] * len(values))
    assert (np.diff(fitted) >= -1e-12).all()
    assert fitted.mean() == pytest.approx(np.mean(values))
    if sorted(values) == values:
        assert fitted == pytest.approx(values)


def test_dose_at_a_share():
    doses = [1] * 10 + [2] * 10 + [4] * 10 + [8] * 10
    detected = (
        [k < 0 for k in range(10)] + [k < 2 for k in range(10)] + [k < 8 for k in range(10)] + [True] * 10
    )
    assert dose_at(doses, detected, 0.5) == pytest.approx(np.sqrt(8))
    assert dose_at(doses, detected, 0.95) == pytest.approx(4 * 2**0.75)
    assert dose_at(doses, [True] * 40, 0.95) == 1.0
    assert math.isnan(dose_at(doses, [False] * 40, 0.5))
    assert math.isnan(dose_at([], [], 0.5))
    assert dose_at([1, 2, 4], [True, False, True], 0.75) == pytest.approx(2 * np.sqrt(2))


def test_auc_is_the_chance_of_being_above():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 9, 60).astype(float), rng.integers(0, 7, 50).astype(float)
    slow = np.mean([(x > y) + 0.5 * (x == y) for x in a for y in b])
    assert auc(list(a), list(b)) == pytest.approx(slow)
    assert auc([1, float("nan")], [0]) == 1.0
    assert math.isnan(auc([], [1]))
