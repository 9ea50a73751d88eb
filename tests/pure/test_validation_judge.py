# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that decide, against hand-made series; measures kept in chunks."""

from itertools import pairwise

import numpy as np
import pytest
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.words import UNSURE
from holdfast.validation import chunks
from holdfast.validation.contours import SECTORS
from holdfast.validation.explain import RULES, Cause, explain
from holdfast.validation.findings import severity_of
from holdfast.validation.fits import MODES, Frame
from holdfast.validation.gates import Span, runs, spans
from holdfast.validation.keep import gather, kept, save
from holdfast.validation.kinds import BY_NAME, KINDS, phrase
from holdfast.validation.limits import load_limits
from holdfast.validation.series import PER_PART, Link, Series
from holdfast.validation.signals import SIGNALS, Signal, absence, sudden
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 2))
def test_runs_cover_exactly_what_is_hot(hot, gap):
    found = runs(np.array(hot, bool), gap)
    assert all(hot[a] and hot[b] for a, b in found)
    inside = {i for a, b in found for i in range(a, b + 1)}
    assert {i for i, h in enumerate(hot) if h} <= inside
    assert all(b[0] - a[1] > gap + 1 for a, b in pairwise(found))


def signal(values, limit=1.0, kind="rubber") -> Signal:
    values = np.asarray(values, float)
    return Signal("lid", kind, "bend", "px", values, np.full(len(values), limit), 0.1)


def test_a_fault_lasts_three_frames_with_one_missing():
    assert spans(signal([0, 2, 2, 0, 0, 0])) == []
    (found,) = spans(signal([0, 0, 2, 2, np.nan, 3, 0, 0]))
    assert (found.first, found.last, found.worst) == (2, 5, 5)
    assert spans(signal([np.nan] * 6)) == []
    assert len(spans(signal([0, 2, 0, 0]), least=1)) == 1


def span(part, kind, first, last, value=2.0, others=()) -> Span:
    return Span(part, kind, kind, "", first, last, first, value, 1.0, others)


def touching(*pairs):
    table = {name: [frozenset() for _ in range(40)] for name in ("lid", "peg", "body")}
    for a, b in pairs:
        table[a] = [frozenset({b}) for _ in range(40)]
    return table


def test_a_vanished_part_explains_its_other_signs_and_its_neighbours_shape():
    found = [
        span("peg", "vanished", 5, 12),
        span("peg", "colour_drift", 5, 12, 9),
        span("lid", "outline", 6, 10, 5),
    ]
    (cause,) = explain(found, touching(("lid", "peg")))
    assert cause.span.kind == "vanished"
    assert len(cause.explained) == 2
    apart = explain(found, touching())
    assert {c.span.part for c in apart} == {"peg", "lid"}


def test_two_vanished_parts_are_two_findings():
    found = [span("peg", "vanished", 5, 12), span("lid", "vanished", 5, 12)]
    assert len(explain(found, touching(("lid", "peg")))) == 2


def test_a_bend_takes_a_neighbour_s_weaker_bend_but_not_a_stronger_one():
    weak = [span("lid", "rubber", 5, 12, 3), span("peg", "rubber", 5, 12, 1.5)]
    assert [c.span.part for c in explain(weak, touching(("lid", "peg")))] == ["lid"]
    elsewhere = [span("lid", "rubber", 5, 12, 3), span("peg", "rubber", 22, 30, 1.5)]
    assert len(explain(elsewhere, touching(("lid", "peg")))) == 2


def test_a_strong_bend_is_no_shift_and_a_swap_speaks_for_both():
    (cause,) = explain([span("lid", "shifted", 5, 12, 1.2), span("lid", "rubber", 5, 12, 3)], touching())
    assert cause.span.kind == "rubber"
    swap = [
        span("lid", "swapped", 5, 12, 3, ("peg",)),
        span("peg", "colour_drift", 5, 12, 5),
        span("peg", "vanished", 5, 12),
    ]
    assert [c.span.kind for c in explain(swap, touching())] == ["swapped"]


def test_a_little_of_an_uncertain_kind_is_unsure_unless_a_sign_of_it_is_clear():
    limits = load_limits()

    def severity(cause: Span, *signs: Span) -> str:
        return severity_of(Cause(cause, list(signs)), limits, 40)

    faint = span("lid", "wobble", 5, 9, 1.2)
    assert severity(faint) == UNSURE
    assert severity(span("lid", "wobble", 5, 9, 1.8)) == "major"
    assert severity(span("lid", "flicker", 5, 9, 1.2)) == "minor"
    assert severity(faint, span("lid", "flicker", 5, 9, 1.1)) == "minor"
    assert severity(faint, span("peg", "flicker", 5, 9, 1.1)) == UNSURE
    assert severity(span("lid", "turned", 5, 9, 1.5)) == "minor", "its exact name does not make it surer"
    assert (
        severity(span("lid", "turned", 0, 6, 1.5)) == UNSURE == severity(span("lid", "turned", 34, 39, 1.5))
    )
    assert severity(span("lid", "flicker", 0, 6, 1.2)) == "minor"
    surest = {name: limit.sure for name, limit in limits.of.items() if limit.sure > 2}
    assert list(surest) == ["outline"], "twice its limit is a fault, but for a dent, which is told too badly"


def test_every_rule_names_known_kinds_and_every_signal_has_a_limit_and_words():
    for rule in RULES:
        assert {rule.cause} | rule.effects | rule.beside <= set(BY_NAME)
    assert set(SIGNALS) | {"joint_mm", "outline_lost", "swapped", "merged", "not_hidden"} <= set(
        load_limits().of
    )
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    words = {
        "part": "lid",
        "others": "peg",
        "value": 1.0,
        "limit": 0.5,
        "unit": "px",
        "mm": "1 mm",
        "amount": "by 1 px",
    }
    assert all("{" not in kind.sentence.format(**words) for kind in KINDS)
    assert phrase("a_kind_of_tomorrow") == "a kind of tomorrow"


def test_absence_tells_gone_from_shifted_and_recoloured():
    rows = {
        "there": (0, 6, 1, 0, 0),
        "gone": (0.95, 0, 0.2, 0.95, 1),
        "recoloured": (0, 6, 1, 0, 1),
        "bent": (0.6, 1.2, 0.25, 0.05, 0.02),
    }
    table = {
        name: np.array([rows[r][i] for r in rows], float)
        for i, name in enumerate(("lost", "null", "ratio", "gone", "unlike"))
    }
    limits = load_limits()
    found = dict(zip(rows, absence(table, table["gone"], table["unlike"], limits.presence), strict=True))
    limit = limits.of["vanished"].value
    assert found["gone"] > limit
    assert max(found["there"], found["recoloured"], found["bent"]) < limit


def test_a_slow_change_is_not_sudden_and_neither_are_the_frames_beside_a_sudden_one():
    slow = np.linspace(0, 40, 60)[:, None] * [1.0, 0, 0]
    print("a slope of", 40 / 59, "a frame counts as", np.nanmax(sudden(slow)))
    assert np.nanmax(sudden(slow)) < 40 / 59 * 12, "where one side alone is known"
    assert np.nanmax(sudden(slow)[14:-14]) < 0.5
    step = np.zeros((60, 3))
    step[20:28, 0] = 15
    found = sudden(step)
    assert (found[20:28] > 10).all()
    assert np.nanmax(np.delete(found, range(20, 28))) < 1
    early = np.zeros((30, 3))
    early[:5, 0] = 15
    assert (sudden(early)[:5] > 10).all()


# -- chunks ----------------------------------------------------------------------------------------------------------


def made_up(count=9) -> Series:
    rng = np.random.default_rng(4)
    series = Series(tuple(range(1, count + 1)), ("lid", "peg"))
    series.cells[:] = rng.integers(0, 3, series.cells.shape)
    for part in series.parts:
        for name in PER_PART:
            series.of[part][name][:] = rng.normal(size=count)
        series.outlines[part][:] = rng.normal(size=(count, MODES))
        series.profiles[part][:, 3:] = rng.normal(size=(count, SECTORS - 3))
        series.borders[part][2] = {2: 0.25}
        for i in range(count):
            series.touching[part][i] = frozenset({"peg"}) if i % 2 and part == "lid" else frozenset()
            if i != 3:
                series.shapes[part][i] = Frame(rng.normal(size=(MODES, MODES)), rng.normal(size=(MODES, 4)))
            for other in (i - 1, i + 2):
                if 0 <= other < count:
                    numbers = rng.normal(size=10)
                    field, colour = rng.normal(size=MODES), rng.normal(size=3)
                    at = (numbers[8], numbers[9])
                    link = Link(
                        i, other, field, numbers[0], 50, numbers[1], colour, *numbers[2:8], at, 0.5, 1
                    )
                    series.links[part].append(link)
        series.links[part].sort(key=lambda link: (link.here, -abs(link.here - link.there), link.there))
    return series


def test_chunks_gather_to_the_very_same_measures(tmp_path):
    whole = made_up()
    for which in ((0, 1, 2), (3, 4), (5, 6, 7, 8)):
        save(tmp_path / chunks.name_of(which[0], which[-1]), whole, which, "it")
    assert chunks.missing(9, tmp_path, "it") == []
    assert chunks.missing(9, tmp_path, "another take") == list(range(9))
    back = Series(whole.frames, whole.parts)
    gather(back, kept(tmp_path, "it"))
    assert (back.cells == whole.cells).all()
    for part in whole.parts:
        assert all((back.of[part][name] == whole.of[part][name]).all() for name in PER_PART)
        assert (back.outlines[part] == whole.outlines[part]).all()
        assert np.array_equal(back.profiles[part], whole.profiles[part], equal_nan=True)
        assert back.touching[part] == whole.touching[part] and back.borders[part] == whole.borders[part]
        assert back.shapes[part].keys() == whole.shapes[part].keys()
        for a, b in zip(back.links[part], whole.links[part], strict=True):
            assert (a.here, a.there, a.points, a.alien, a.rest, a.at) == (
                b.here,
                b.there,
                b.points,
                b.alien,
                b.rest,
                b.at,
            )
            assert (a.field == b.field).all() and (a.colour == b.colour).all()


def test_a_torn_chunk_is_measured_again(tmp_path):
    whole = made_up()
    save(tmp_path / "a.npz", whole, (0, 1, 2, 3), "it")
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "b.npz").write_bytes(data[: len(data) // 2])
    assert chunks.missing(9, tmp_path, "it") == [4, 5, 6, 7, 8]
    with pytest.raises(InputError, match="chunk"):
        gather(made_up(), [tmp_path / "b.npz"])


@given(st.integers(1, 400), st.integers(1, 9))
def test_pieces_cover_every_frame_once(count, jobs):
    pieces = chunks.split(count, jobs)
    assert [i for a, b in pieces for i in range(a, b + 1)] == list(range(count))
    assert len(pieces) <= jobs
