# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from the measures of many frames, against series whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from holdfast.pipeline.intent import Intent
from holdfast.validation.backdrop import Blob, likeness
from holdfast.validation.contours import SECTORS
from holdfast.validation.dents import dents, largest
from holdfast.validation.judge import find
from holdfast.validation.limits import load_limits
from holdfast.validation.motion import _usual, unslid
from holdfast.validation.pairs import pair_signals
from holdfast.validation.series import Link, Series
from holdfast.validation.settle import settle
from holdfast.validation.signals import read
from holdfast.validation.surface import Patches

RNG = np.random.default_rng(11)


def pairs_of(truth: np.ndarray, steps=(1, 5, 8)):
    here, there = np.array([(i, i - d) for i in range(len(truth)) for d in steps if i >= d], np.intp).T
    return here, there, truth[here] - truth[there]


def test_a_part_that_is_wrong_most_of_the_time_is_told_by_what_its_frames_say_alone():
    truth = np.zeros((12, 2))
    truth[2:10] = 3.0, -1.0
    here, there, values = pairs_of(truth)
    pairs_only = settle(12, here, there, values, np.ones(len(here)), 0.1)
    assert np.abs(pairs_only[2:10]).max() < 0.2, "most frames agree, so pairs alone call them right"
    both = settle(12, here, there, values, np.ones(len(here)), 0.1, alone=truth + 0.1)
    assert np.abs(both - truth).max() < 0.3


def test_frames_that_are_known_to_be_faulty_don_t_carry_their_fault_to_others():
    truth = np.zeros((40, 1))
    truth[10:20] = 4.0
    here, there, values = pairs_of(truth)
    seen = (there >= 10) | (here < 10)  # what comes after is linked to what was before by faulty frames alone
    values = values + 2.0 * ((here >= 20) & (there < 20))[:, None]  # and those links are wrong
    found = settle(
        40, here[seen], there[seen], values[seen], np.ones(int(seen.sum())), 0.1, frozenset(range(10, 20))
    )
    assert np.abs(found[20:]).max() < 0.1 and np.abs(found[:10]).max() < 0.1


def test_what_most_frames_show_is_the_style_s_own_and_what_half_show_is_not():
    offset = np.full((20, 3), 1.5)
    assert _usual(offset, frozenset()) == pytest.approx([1.5] * 3)
    offset[:10] = 0
    assert _usual(offset, frozenset()) == pytest.approx([0] * 3)
    assert _usual(np.full((4, 2), np.nan), frozenset()) == pytest.approx([0, 0])


def test_what_comes_slowly_is_no_displacement_and_one_side_alone_can_say_nothing():
    values = np.linspace(0, 8, 80)[:, None] * np.ones((1, 4))
    values[40:46] += 3.0
    found = unslid(values, np.full(80, np.inf), True)
    assert np.isnan(found[:4]).all() and np.isnan(found[-4:]).all()
    assert np.abs(found[20:26]).max() < 0.1 and np.abs(found[40:46]).min() > 1.9


def test_a_dent_is_found_and_a_style_s_own_outline_is_not():
    style = RNG.normal(0, 1.0, SECTORS)
    profiles = np.tile(style, (60, 1)) + RNG.normal(0, 0.05, (60, SECTORS))
    profiles[25:30, 7:12] -= 2.0
    profiles[45:48, 20] += 9.0  # one sector alone is an edge that was taken for another
    found = dents(profiles, np.zeros(60))
    assert found[25:30].min() > 1.5
    assert np.delete(found, range(25, 30)).max() < 0.4
    turning = dents(profiles, np.arange(60) * 10.0)
    assert np.isnan(turning).all(), "another side has another outline"


def test_three_sectors_side_by_side_must_agree():
    row = np.full(SECTORS, np.nan)
    assert np.isnan(largest(row))
    row[[35, 0, 1]] = 1.0, 2.0, 3.0
    assert largest(row) == 1.0
    row[0] = -2.0
    assert largest(row) == 0.0


def texture(rng, shape=(60, 80)):
    return rng.normal(50, 6, shape).astype(np.float32)


def test_a_take_boils_only_beyond_what_the_render_boils():
    rng, where = np.random.default_rng(3), np.ones((60, 80), bool)
    take, other, still = texture(rng), texture(rng), np.full((60, 80), 50, np.float32)
    boils = Patches(take, other, still, still, 1.0).of(where)
    excused = Patches(take, other, texture(rng), texture(rng), 1.0).of(where)
    holds = Patches(take, take, texture(rng), texture(rng), 1.0).of(where)
    assert boils.change > 0.8 and boils.garbled > 0.8 and boils.noise < 0.01
    assert excused.change < 0.2 and excused.garbled < 0.1 and excused.strange > 0.8 and excused.noise > 0.8
    assert holds.change < 0.01


def test_a_new_thing_is_like_the_part_whose_colours_and_size_it_has():
    red = RNG.normal([50, 60, 40], 3, (90, 3)).astype(np.float32)
    blue = RNG.normal([40, 10, -50], 3, (90, 3)).astype(np.float32)
    blob = Blob(400.0, 0.5, 0.5, red[:40])
    assert likeness(blob, red, 420.0) > 0.6 > 0.1 > likeness(blob, blue, 420.0)
    assert likeness(blob, red, 4000.0) < 0.3
    assert likeness(Blob(0.0, 0.0, 0.0, red[:0]), red, 420.0) == 0.0


def shown(count=30, parts=("lid", "peg")) -> Series:
    """Two parts that are all right: lid grey, peg red."""
    series = Series(tuple(range(1, count + 1)), parts)
    series.numbers = {1: "lid", 2: "peg"}
    for part, lab in zip(parts, ((60.0, 0.0, 0.0), (50.0, 50.0, 30.0)), strict=True):
        of = series.of[part]
        for axis, value in zip("Lab", lab, strict=True):
            of[f"take_{axis}"][:] = of[f"render_{axis}"][:] = value
        of["visible_px"][:] = 2000.0
        of["energy"][:] = 1.0
        series.links[part] = [link(i, i - d) for i in range(count) for d in (1, 5, 8) if i >= d]
    return series


def link(here, there, foreign=0.0, alien=0) -> Link:
    nothing = np.full(22, np.nan)
    return Link(
        here,
        there,
        nothing,
        np.nan,
        0,
        0.0,
        np.zeros(3),
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        (0.5, 0.5),
        foreign,
        alien,
    )


NOBODY: dict[str, frozenset[int]] = {"lid": frozenset(), "peg": frozenset()}


def test_two_parts_that_changed_colours_are_swapped_even_where_the_light_dims_them():
    series = shown()
    for axis in "Lab":
        lid, peg = series.of["lid"][f"take_{axis}"], series.of["peg"][f"take_{axis}"]
        lid[12:18], peg[12:18] = 0.75 * peg[12:18] + 0.25 * lid[12:18], 0.75 * lid[12:18] + 0.25 * peg[12:18]
    found = pair_signals(series, load_limits(), NOBODY)["lid"]["swapped"]
    assert found.others == ("peg",)
    hot = found.values > found.limits
    assert hot[12:18].all() and not hot[:12].any() and not hot[18:].any()


@pytest.mark.parametrize("hidden", [False, True])
def test_a_part_that_takes_another_s_colours_has_merged_with_it_or_lets_it_through(hidden):
    series = shown()
    series.links["lid"] = [
        link(k.here, k.there, 0.6, 2) if 10 <= k.here < 16 and k.here - k.there != 1 else k
        for k in series.links["lid"]
    ]
    for i in range(10, 16):
        series.borders["lid"][i] = {2: 0.9}
    if hidden:
        series.of["peg"]["visible_px"][8:18] = 0
    found = pair_signals(series, load_limits(), NOBODY)["lid"]
    told, other = ("not_hidden", "merged") if hidden else ("merged", "not_hidden")
    hot = found[told].values > found[told].limits
    assert hot[10:16].all() and hot.sum() == 6
    assert not (found[other].values > found[other].limits).any()
    for i in range(10, 16):
        series.borders["lid"][i] = {2: 0.0}
    if not hidden:
        found = pair_signals(series, load_limits(), NOBODY)["lid"]
        assert not (found["merged"].values > found["merged"].limits).any(), "the border between them is drawn"


def test_a_quiet_part_is_held_to_less_and_what_it_does_at_rest_says_nothing_of_its_motion():
    series, limits = shown(), load_limits()
    series.of["lid"]["speed"][:20], series.of["lid"]["speed"][20:] = 0.0, 2.0
    series.links["lid"] = [
        replace(k, change=0.1 + 0.06 * RNG.random() if k.here >= 20 else 0.0) for k in series.links["lid"]
    ]
    limit, levels = limits.of["boiling"], read(series, "lid", limits, Intent()).signals["boiling"].limits
    assert levels[0] < levels[25] <= 2 * limit.value
    assert levels[0] == pytest.approx(limit.value * limit.quiet)


def test_a_first_look_says_what_is_clear_and_no_flicker():
    series, limits = shown(), load_limits()
    series.of["lid"]["take_L"][::2] += 9.0  # every third frame of a take: light that changes is no flicker
    assert find(series, limits, Intent(), [], least=1).causes == []
    series.of["peg"]["new"][:] = 0.0
    series.of["peg"]["new"][7] = 1900.0
    series.of["peg"]["new_like"][:] = 0.0
    (cause,) = find(series, limits, Intent(), [], least=1).causes
    assert (cause.span.part, cause.span.kind, cause.span.first, cause.span.last) == ("peg", "intruder", 7, 7)
