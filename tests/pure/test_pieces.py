# SPDX-License-Identifier: GPL-3.0-or-later
"""A long shot is cut into pieces of one length that the model takes, which overlap, and of which none is filled up."""

from itertools import pairwise

import pytest
from holdfast.pipeline.controls import Controls, CountRule, RateRule
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.fitting import fit_rate, natural_map
from holdfast.pipeline.pieces import MOST_PIECES, OVERLAP_S, Window, pieces, windows
from hypothesis import assume, given
from hypothesis import strategies as st

PAL, FILM, NTSC = (25, 1), (24, 1), (24000, 1001)


def contract(step: int = 1, offset: int = 0, frames=(1, 0), seconds=(0.0, 0.0), rates=()) -> Controls:
    return Controls({}, count=CountRule(step, offset, frames, seconds), rate=RateRule(rates))


def cut(count: int, model: Controls, rate=FILM, overlap: int = 0) -> tuple[Window, ...]:
    return windows(count, rate, model, "Short", overlap)


def test_what_fits_is_one_piece_as_before():
    (only,) = pieces(range(1, 11), FILM, contract(4, 1, (5, 13)), "Short")
    assert only.shows == (*range(1, 11), 10, 10, 10), "as the model's rule fills it up"
    assert only.words == "", "a list of jobs does not say 'piece 1 of 1'"


def test_a_shot_of_36_frames_by_a_model_of_13():
    found = pieces(range(101, 137), FILM, contract(4, 1, (5, 13)), "Short")
    assert [(each.shows[0], each.shows[-1]) for each in found] == [
        (101, 113),
        (109, 121),
        (116, 128),
        (124, 136),
    ]
    assert [each.words for each in found] == [f"piece {n} of 4" for n in (1, 2, 3, 4)]
    assert [each.name for each in found][:2] == ["piece-01", "piece-02"]


def test_a_third_of_a_second_is_shared_where_the_model_is_long_enough():
    a, b = cut(200, contract(frames=(1, 120)))
    assert a.end - b.first == 8 == OVERLAP_S * 24
    a, b = cut(200, contract(frames=(1, 120)), overlap=20)
    assert a.end - b.first == 20


def test_at_another_rate_all_pieces_are_on_the_clock_of_the_whole():
    model = contract(4, 1, (5, 41), rates=("16",))
    found = pieces(range(1, 121), FILM, model, "Short")
    whole = natural_map(range(1, 121), FILM, (16, 1))
    assert len(found) > 1
    for piece in found:
        assert piece.shows == whole[piece.window.first : piece.window.end]


def test_limits_are_in_the_sentence():
    with pytest.raises(InputError, match=f"at most 13 frames at once.* {MOST_PIECES} are the most"):
        cut(1000, contract(4, 1, (5, 13)))
    with pytest.raises(InputError, match="too few for pieces that share 2") as error:
        cut(100, contract(frames=(1, 3)))
    assert "takes longer clips" in str(error.value)
    with pytest.raises(InputError, match="share 10 at either end") as error:
        cut(100, contract(4, 1, (5, 13)), overlap=10)
    assert "at most 6 frames" in str(error.value)
    with pytest.raises(InputError, match="rule 8n"):
        cut(100, contract(8, 0, (9, 15)))


rules = st.sampled_from([(1, 0), (2, 0), (4, 1), (8, 1), (8, 0), (5, 2)])
rates = st.sampled_from([FILM, PAL, NTSC, (12, 1), (60, 1)])
models_rates = st.sampled_from([(), ("16",), ("24",), ("30",)])


@given(st.integers(2, 1500), rates, rules, st.integers(4, 400), models_rates, st.integers(0, 30))
def test_every_cut_holds(count, rate, rule, most, allowed, overlap):
    model = contract(*rule, (1, most), rates=allowed)
    try:
        found = pieces(range(1, count + 1), rate, model, "Short", overlap)
    except InputError as error:
        assert "at once" in str(error) or "rule" in str(error)
        return
    assume(len(found) > 1)
    clip = fit_rate(rate, model.rate)
    whole = natural_map(range(1, count + 1), rate, clip)
    step, offset = rule
    lengths = {piece.window.count for piece in found}
    assert len(lengths) == 1, "even"
    (length,) = lengths
    assert length % step == offset % step and length <= most
    assert length >= 2 * 2, "no piece of a few frames"
    assert all(len(piece.shows) == length for piece in found), "nothing is shown twice to fill one up"
    assert found[0].window.first == 0 and found[-1].window.end == len(whole), "all is covered, nothing more"
    wanted = overlap * clip[0] * rate[1] / (clip[1] * rate[0]) if overlap else 2
    for a, b in pairwise(found):
        assert a.window.end - b.window.first >= wanted
        assert b.window.first > a.window.first
    shown = [whole[i] for piece in found for i in range(piece.window.first, piece.window.end)]
    assert set(shown) == set(whole)
    assert found == pieces(range(1, count + 1), rate, model, "Short", overlap)
    assert len(windows(count, rate, model, "Short", overlap)) == len(found)
