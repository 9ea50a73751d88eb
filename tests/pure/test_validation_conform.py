# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the whole picture, planted and found: map, fit, shake, levels, blanks; and nothing where there is none."""

import numpy as np
import pytest
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError
from holdfast.validation.conform import claimed, conform
from holdfast.validation.levels import LevelMeter
from holdfast.validation.limits import load_limits
from holdfast.validation.scout import Scout

from .conform_shot import FRAMES, SIZE, Take, Truth, draw, fitted, moving, restyle

LAST = FRAMES - 1
T = np.arange(FRAMES)


@pytest.fixture(scope="module")
def shot():
    return moving()


def check(truth, pictures, **data):
    return conform(truth, Take(pictures, **data), load_limits(), Context())


def kinds(out):
    return sorted({fault.kind for fault in out.faults})


def shown(out):
    return np.array([source - 1 for source, _ in out.pairs])


def test_a_clean_take_has_no_fault(shot):
    out = check(*shot)
    assert out.faults == []
    assert out.decided
    assert (shown(out) == T).all()
    assert out.fit.plain
    assert out.matrix(3) == pytest.approx(np.eye(2, 3))


MAPS = {
    "late by 3": np.maximum(0, T - 3),
    "early by 2": np.minimum(LAST, T + 2),
    "late by 1": np.maximum(0, T - 1),
    "3 dropped": np.where(T < 17, T, np.minimum(LAST, T + 3)),
    "1 dropped": np.where(T < 12, T, np.minimum(LAST, T + 1)),
    "1 doubled": np.where(T <= 20, T, T - 1),
    "5 frozen": np.where((T >= 14) & (T < 19), 14, T),
    "half speed": np.floor(0.5 * T + 0.5).astype(int),
    "0.8": np.floor(0.8 * T + 0.5).astype(int),
    "1.25": np.minimum(LAST, np.floor(1.25 * T + 0.5).astype(int)),
    "double speed": np.minimum(LAST, 2 * T),
    "speed ramp": np.floor(LAST * (0.5 * T / LAST + 0.5 * (T / LAST) ** 2) + 0.5).astype(int),
    "one more": np.floor(np.arange(FRAMES + 1) * LAST / FRAMES + 0.5).astype(int),
}


@pytest.mark.parametrize("name", MAPS)
def test_the_map_is_found(shot, name):
    truth, clean = shot
    planted = MAPS[name]
    pairs = [[int(min(i, LAST)) + 1, i + 1] for i in range(len(planted))]
    out = check(truth, [clean[i] for i in planted], frame_map=pairs)
    assert out.decided
    wrong = shown(out) != planted
    print(f"{name}: {int(wrong.sum())} of {len(planted)} frames wrong")
    assert not wrong.any()
    assert {"frame_map", "frozen"} & set(kinds(out))
    assert not {"frame_fit", "black", "colour_range"} & set(kinds(out))


def test_a_take_at_16_fps_is_no_fault(shot):
    truth, clean = shot
    planted = np.minimum(LAST, np.floor(1.5 * np.arange(26) + 0.5).astype(int))
    out = check(truth, [clean[i] for i in planted], fps=[16, 1])
    assert (shown(out) == planted).all()
    assert kinds(out) == []


@pytest.mark.parametrize("move", [None, (9.0, -6.0), (8.0, 0.0)])
def test_a_part_that_is_wrong_is_no_time_fault(shot, move):
    truth, clean = shot
    pictures = list(clean)
    for i in range(15, 23):
        pictures[i] = restyle(draw(i / LAST, {0: move}, recolour=True)[0], i)
    out = check(truth, pictures)
    assert kinds(out) == []
    assert (shown(out) == T).all()


def test_a_still_shot_is_undecidable_and_no_fault():
    of = [draw(0.4)] * FRAMES
    out = check(Truth(of), [restyle(draw(0.4)[0], i) for i in range(FRAMES)])
    assert out.faults == []
    assert not out.decided
    assert any("Undecidable" in note for note in out.notes)


def test_a_motion_that_repeats_fools_nothing():
    of = [draw(0.5 + 0.04 * np.sin(2 * np.pi * i / 8)) for i in range(FRAMES)]
    take = [restyle(of[i][0], i) for i in range(FRAMES)]
    out = check(Truth(of), take)
    assert out.faults == []
    late = check(Truth(of), [take[max(0, i - 4)] for i in range(FRAMES)])
    assert (shown(late) == T).all() or (shown(late) == np.maximum(0, T - 4)).all()


@pytest.mark.parametrize(
    ("scale", "offset", "own", "fault"),
    [
        ((1.0, 1.0), (4.0, -2.6), SIZE, True),
        ((1.0, 1.0), (0.7, 0.4), SIZE, False),
        ((1.02, 1.02), (0.0, 0.0), SIZE, True),
        ((1.1, 1.1), (6.0, 0.0), SIZE, True),
        ((1.0, 1.03), (0.0, 1.0), SIZE, True),
        ((1.0, 1.0), (0.0, 0.0), (640, 360), False),
    ],
)
def test_the_fit_is_found(shot, scale, offset, own, fault):
    truth, clean = shot
    grow = np.array(own) / SIZE
    matrix = np.zeros((2, 3))
    for k in (0, 1):
        matrix[k, k] = scale[k] * grow[k]
        matrix[k, 2] = grow[k] * (SIZE[k] * (0.5 - 0.5 * scale[k]) + offset[k])
    out = check(truth, [fitted(picture, matrix, own) for picture in clean])
    corners = np.array(
        [[0, 0, 1], [SIZE[0], 0, 1], [0, SIZE[1], 1], [*SIZE, 1], [SIZE[0] / 2, SIZE[1] / 2, 1]], float
    )
    error = np.linalg.norm((corners @ (out.matrix(5) - matrix).T) / grow, axis=1) * 1920 / SIZE[0]
    print(
        f"scale {scale} offset {offset}: error {error[-1]:.2f} px at 1080p at the middle, {error.max():.2f} at most"
    )
    assert error.max() < 4.0
    assert ("frame_fit" in kinds(out)) == fault
    assert "frame_map" not in kinds(out)


@pytest.mark.parametrize("far", [0.6, 0.3])
def test_shake_is_found(shot, far):
    truth, clean = shot
    rng = np.random.default_rng(5)
    moves = rng.normal(0, far, (FRAMES, 2))  # 0.3 here are 1.2 px of a picture 1920 wide
    matrices = [np.array([[1, 0, x], [0, 1, y]]) for x, y in moves]
    out = check(truth, [fitted(picture, m, SIZE) for picture, m in zip(clean, matrices, strict=True)])
    assert kinds(out) == []
    found = np.array([out.matrix(i + 1)[:, 2] for i in range(FRAMES)])
    rest = (found - moves) - np.median(found - moves, axis=0)
    print(f"shake: {np.abs(rest).mean() * 4:.2f} px at 1080p off, of {np.abs(moves).mean() * 4:.2f}")
    assert np.abs(rest).mean() < 0.4 * np.abs(moves).mean()


def test_one_part_off_its_place_is_no_fit(shot):
    truth, _ = shot
    out = check(truth, [restyle(draw(i / LAST, {1: (5.0, 4.0)}, recolour=True)[0], i) for i in range(FRAMES)])
    assert "frame_fit" not in kinds(out)


def test_blank_frames_are_named(shot):
    truth, clean = shot
    pictures = list(clean)
    pictures[7] = np.zeros_like(clean[0])
    pictures[21] = np.full_like(clean[0], 255)
    out = check(truth, pictures)
    blank = [fault for fault in out.faults if fault.kind == "black"]
    assert sorted((fault.first, fault.last) for fault in blank) == [(8, 8), (22, 22)]
    assert kinds(out) == ["black"]


def test_missing_frames_are_named(shot):
    truth, clean = shot
    pairs = [[i + 1, i + 1] for i in range(FRAMES - 4)]
    out = check(truth, clean[:-4], frame_map=pairs)
    assert [(f.kind, f.value) for f in out.faults] == [("frames_missing", 4)]


def test_short_takes_say_so(shot):
    truth, clean = shot
    for count in (1, 2, 3):
        out = check(truth, clean[:count], partial=True)
        assert out.faults == []
        assert any("too short" in note for note in out.notes)


def test_no_common_frame_is_refused(shot):
    truth, clean = shot
    with pytest.raises(InputError, match="no frame in common"):
        claimed(truth, Take(clean[:2], frame_map=[[900, 1], [901, 2]]))


def levels_of(change, grain=0.5):
    meter, rng = LevelMeter(), np.random.default_rng(1)
    for i in range(6):
        render = draw(i / 6)[0]
        render[:40, :80], render[:40, 80:160] = 0, 255
        take = np.clip(change(render.astype(float)) + rng.normal(0, grain, render.shape), 0, 255).astype(
            np.uint8
        )
        meter.add(take, take[::4, ::4], render[::4, ::4])
    return meter.finish()


def test_video_levels_shown_as_full_are_found():
    found = levels_of(lambda p: 16 + p * 219 / 255)
    assert "video levels" in found.says
    assert found.apply(np.array([16, 235], np.uint8)).tolist() == [0, 255]


@pytest.mark.parametrize(
    "look",
    [lambda p: p, lambda p: 30 + 0.6 * p, lambda p: 0.7 * p, lambda p: 20 + 0.85 * p,
     lambda p: 255 - p, lambda p: 255 * (p / 255) ** 1.8, lambda p: np.clip((p - 60) * 1.7, 0, 255)],
)  # fmt: skip
def test_looks_are_no_wrong_range(look):
    assert levels_of(look).says == ""


TONES = {
    "gamma": lambda p: 255 * (p / 255) ** 1.8,
    "soft": lambda p: 25 + 0.8 * p,
    "hard": lambda p: np.clip((p - 60) * 1.5, 0, 255),
    "negative": lambda p: 255 - p,
}


@pytest.mark.parametrize("tones", TONES)
def test_wrong_levels_are_found_whatever_the_look(tones):
    def through(line):
        rng = np.random.default_rng(2)  # grain of the look's own, before its levels go wrong
        return levels_of(
            lambda p: np.floor(line(np.rint(TONES[tones](p) + rng.normal(0, 2, p.shape)).clip(0, 255))), 0.0
        )

    cut = through(lambda p: np.clip((p - 16) * 255 / 219 + 0.5, 0, 255))
    assert "cut off" in cut.says
    assert cut.apply(np.array([0, 255], np.uint8)).tolist() == [16, 235]
    assert "video levels are shown" in through(lambda p: p * 219 / 255 + 16.5).says
    assert through(lambda p: p).says == ""


def test_few_tones_are_no_comb():
    for tones in (6, 20, 60):
        assert levels_of(lambda p, n=tones: np.rint(np.rint(p / 255 * n) / n * 255), 0.0).says == ""


def test_two_hundred_parts_and_parts_of_three_pixels(shot):
    truth, clean = shot
    rng = np.random.default_rng(9)
    of = []
    for render, ids in truth.of:
        crowded = ids.astype(np.uint16)
        for number in range(4, 204):
            x, y = 4 + (number * 37) % 460, 4 + (number * 53) % 260
            crowded[y, x : x + 3] = number + 300
        of.append((render, crowded))
    many = Truth(of)
    many.parts = tuple(type(truth.parts[0])(id=n if n < 4 else n + 300, name=f"p{n}") for n in range(1, 204))
    out = check(many, clean)
    assert rng is not None
    assert kinds(out) == []


def test_a_scout_is_fed_in_one_pass(shot):
    truth, clean = shot
    take = Take(clean)
    pairs = claimed(truth, take)
    scout = Scout(truth, take, pairs)
    for index, (source, frame) in enumerate(pairs):
        scout.add(index, source, take.frame(frame), truth.beauty(source), truth.ids(source))
    assert scout.unseen == []
    assert scout.finish().pairs == pairs
