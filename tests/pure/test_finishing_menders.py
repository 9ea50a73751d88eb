# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of repair against planted faults, with the error that is left."""

import cv2
import numpy as np
import pytest
from holdfast.finishing import deflicker, hold_colour, restore_part, retime, warp_part
from holdfast.finishing.job import Refused
from holdfast.finishing.order import longest_gap, time_map
from holdfast.finishing.plates import signed_distance

from .finishing_jobs import FRAMES, SPAN, difference, displaced, inside, job, lab, toned, truth_in
from .finishing_scene import drawing, passes


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return truth_in(tmp_path_factory.mktemp("truth"))


def constant(x, y):
    return np.broadcast_to(np.float32([x, y]), (180, 320, 2))


def spanned(make):
    return {frame: make(frame) for frame in range(SPAN[0], SPAN[1] + 1)}


def left_over(frame, picture):
    """Px (of this picture) by which the ball still lies off: the shift that makes it most like the clean drawing."""
    wanted, where, best = drawing(frame).astype(np.float32), inside(frame), (0.0, 0.0)
    for reach, step in ((1.2, 0.3), (0.3, 0.06)):
        found = {}
        for x in np.arange(best[0] - reach, best[0] + reach + 0.01, step):
            for y in np.arange(best[1] - reach, best[1] + reach + 0.01, step):
                moved = cv2.warpAffine(picture, np.float32([[1, 0, -x], [0, 1, -y]]), picture.shape[1::-1])
                found[x, y] = float(np.abs(moved - wanted)[where].mean())
        best = min(found, key=found.get)
    return float(np.hypot(*best))


@pytest.mark.parametrize(("x", "y"), [(0.34, -0.1), (-0.8, 0.6)])
def test_a_shift_is_undone(truth, x, y):
    """2 and 6 px at 1080p are 0.35 and 1 px of this picture."""
    made = spanned(lambda frame: displaced(frame, constant(x, y)))
    mender = warp_part.mender(job(truth, "warp_part", made, parts=["ball"], field="rigid"))
    results = {frame: mender.mend(frame) for frame in made}
    left = max(left_over(frame, results[frame]) for frame in made) * 6
    error = max(difference(results[frame], drawing(frame), inside(frame)) for frame in made)
    ring = [(signed_distance(passes(frame)["matte"]) > -4) & ~inside(frame, 0.1) for frame in made]
    around = max(difference(results[f], drawing(f), where) for f, where in zip(made, ring, strict=True))
    print(
        f"shift {np.hypot(x, y) * 6:.1f} px: left {left:.2f} px at 1080p, {error:.2f} dE inside, {around:.2f} around"
    )
    assert left < 0.5 and error < 2.5 and around < 4
    assert mender.record()["moved_px"] == pytest.approx(np.hypot(x, y) * 6, abs=0.5)


def test_a_turn_and_scale_are_undone(truth):
    rows, columns = np.mgrid[0:180, 0:320].astype(np.float32)
    made = {}
    for frame in range(SPAN[0], SPAN[1] + 1):
        ys, xs = np.nonzero(inside(frame))
        away = np.stack([columns - xs.mean(), rows - ys.mean()], -1)
        turned = away @ np.float32([[0.02, 0.035], [-0.035, 0.02]])
        made[frame] = displaced(frame, turned)
    mender = warp_part.mender(job(truth, "warp_part", made, fault="turned", parts=["ball"], field="rigid"))
    before = max(difference(made[f], drawing(f), inside(f)) for f in made)
    after = max(difference(mender.mend(f), drawing(f), inside(f)) for f in made)
    print(f"turn 2 deg, scale 2 %: {before:.2f} dE before, {after:.2f} after")
    assert after < 3 and after < 0.6 * before


def test_a_wobbling_outline_is_straightened(truth):
    rows, _ = np.mgrid[0:180, 0:320].astype(np.float32)
    made = spanned(
        lambda frame: displaced(frame, np.stack([np.sin(rows / 9 + frame), np.zeros_like(rows)], -1))
    )
    mender = warp_part.mender(job(truth, "warp_part", made, fault="wobble", parts=["ball"], field="free"))
    results = {frame: mender.mend(frame) for frame in made}
    rim = {frame: np.abs(signed_distance(passes(frame)["matte"])) < 2.5 for frame in made}
    before = max(difference(made[f], drawing(f), rim[f]) for f in made)
    after = max(difference(results[f], drawing(f), rim[f]) for f in made)
    print(f"wobble of 6 px at 1080p: rim {before:.2f} dE before, {after:.2f} after")
    assert after < 0.6 * before


def test_too_large_a_shift_is_refused(truth):
    made = spanned(lambda frame: displaced(frame, constant(5.0, 0)))
    task = job(truth, "warp_part", made, parts=["ball"], field="rigid")
    for frame in FRAMES:
        task.measured.setdefault("frames", []).append(frame)
    values = [5.0 * 6] * len(FRAMES)
    task.measured["parts"] = {"ball": {"measures": {"shift_x": values, "shift_y": [0.0] * len(FRAMES)}}}
    with pytest.raises(Refused, match="too far for a warp"):
        for frame in made:
            warp_part.mender(task).mend(frame)


def test_a_lost_part_is_put_back_with_its_look(truth):
    made = spanned(lambda frame: drawing(frame, ball=False))
    mender = restore_part.mender(job(truth, "restore_part", made, handles=2, parts=["ball"]))
    for frame in mender.frames:
        error = difference(mender.mend(frame), drawing(frame), inside(frame, 0.5))
        print(f"frame {frame}: restored part within {error:.2f} dE of the clean frame")
        assert error < 6
    assert mender.record()["seen"] > 0.9 and mender.record()["from"] == "take"


def test_a_part_that_is_never_right_is_painted_from_the_render(truth):
    made = {frame: drawing(frame, ball=False) for frame in FRAMES}
    span = (FRAMES[0], FRAMES[-1])
    mender = restore_part.mender(job(truth, "restore_part", made, span=span, handles=0, parts=["ball"]))
    error = difference(mender.mend(6), drawing(6), inside(6, 0.5))
    print(
        f"painted from the render: {error:.1f} dE; lost it would be {difference(made[6], drawing(6), inside(6)):.1f}"
    )
    assert mender.record()["from"] == "render" and error < difference(made[6], drawing(6), inside(6, 0.5))


@pytest.mark.parametrize("drift", [(-6, 12, -9)])
def test_a_drift_of_colour_is_taken_out(truth, drift):
    made = {
        f: toned(f, np.float32(drift) * (0.45 + 0.18 * (f - SPAN[0]))) for f in range(SPAN[0], SPAN[1] + 1)
    }
    mender = hold_colour.mender(job(truth, "hold_colour", made, fault="colour_drift"))
    for frame in mender.frames:
        result, where = mender.mend(frame), inside(frame)
        error = float(np.linalg.norm((lab(result) - lab(drawing(frame)))[where].mean(0)))
        spread = difference(result, drawing(frame), where)
        print(f"frame {frame}: mean colour within {error:.2f} dE, pixels {spread:.2f}")
        assert error < 1.5 and spread < 3
        assert np.array_equal(
            result[passes(frame)["matte"] == 0], drawing(frame)[passes(frame)["matte"] == 0]
        )


def test_a_part_that_was_multiplied_is_held_in_rgb(truth):
    def tinted(frame):
        cover = passes(frame)["matte"][..., None]
        return np.rint(np.clip(drawing(frame) * (1 + cover * np.float32([0.2, -0.12, -0.3])), 0, 255)).astype(
            np.uint8
        )

    made = spanned(tinted)
    mender = hold_colour.mender(job(truth, "hold_colour", made, fault="colour_drift"))
    error = max(difference(mender.mend(f), drawing(f), inside(f)) for f in made)
    print(
        f"tinted: {error:.2f} dE left of {difference(made[6], drawing(6), inside(6)):.1f}, in {mender.record()['space']}"
    )
    assert error < 2.5


@pytest.mark.parametrize("how", ["Lab", "gain"])
def test_flicker_goes_and_true_light_stays(truth, how):
    """A lamp dims by 20 % over the shot: that must stay; the span swings by +-8 L: that must go."""

    def lit(frame):
        return np.clip(drawing(frame) * (1 - 0.2 * frame / FRAMES[-1]), 0, 255)

    def swung(frame):
        sign = 1 if frame % 2 else -1
        if how == "gain":
            cover = passes(frame)["matte"][..., None]
            return np.clip(lit(frame) * (1 + 0.16 * sign * cover), 0, 255)
        values = lab(lit(frame))
        values[..., 0] += 8 * sign * passes(frame)["matte"]
        return np.clip(cv2.cvtColor(values, cv2.COLOR_LAB2RGB), 0, 1) * 255

    made = {f: np.rint(swung(f) if SPAN[0] <= f <= SPAN[1] else lit(f)).astype(np.uint8) for f in FRAMES}
    mender = deflicker.mender(job(truth, "deflicker", made, fault="flicker"))
    left = []
    for frame in mender.frames:
        where = inside(frame)
        left.append(float((lab(mender.mend(frame)) - lab(lit(frame)))[where].mean(0)[0]))
    print(f"{how}: flicker left {np.round(left, 2)} L of +-8; the lamp changes the part by "
          f"{float((lab(lit(0)) - lab(lit(15)))[inside(6)].mean(0)[0]):.1f} L")  # fmt: skip
    assert np.abs(left).max() < 0.7


def boiled(frame, coarse=1.2):
    rng = np.random.default_rng(frame)
    noise = cv2.GaussianBlur(rng.normal(0, 1, (180, 320, 1)).astype(np.float32), (0, 0), coarse)[..., None]
    cover = passes(frame)["matte"][..., None]
    return np.rint(np.clip(drawing(frame) + noise / noise.std() * 10 * cover, 0, 255)).astype(np.uint8)


@pytest.mark.parametrize("coarse", [0.7, 2.0])
def test_a_texture_that_boils_is_replaced(truth, coarse):
    """Grain of 0.7 px and blotches of 2 px (4 and 12 px at 1080p): most of the change from frame to frame must go."""
    made = spanned(lambda frame: boiled(frame, coarse))
    mender = deflicker.mender(job(truth, "deflicker", made, fault="boiling", texture=True))
    results = {frame: mender.mend(frame) for frame in mender.frames}
    clean = mender.unrest(drawing)
    change = [mender.unrest(lambda f, of=of: of.get(f, drawing(f))) - clean for of in (made, results)]
    light = max(float(np.abs((lab(results[f]) - lab(made[f]))[inside(f)].mean(0)).max()) for f in made)
    print(f"boil of {coarse} px: from frame to frame {change[0]:.2f} dE beside the clean drawing's {clean:.2f}, "
          f"then {change[1]:.2f}; mean colour moved by {light:.2f}")  # fmt: skip
    assert change[1] < 0.4 * change[0] and light < 0.6


def test_a_texture_that_boils_all_through_holds_still(truth):
    """No good frame: the median of the boiling ones is calmer than any of them."""
    made = {frame: boiled(frame) for frame in FRAMES}
    task = job(truth, "deflicker", made, span=(0, 15), handles=0, fault="boiling", texture=True)
    mender = deflicker.mender(task)
    frames = (6, 7, 8, 9)
    results = {frame: mender.mend(frame) for frame in frames}
    mender.watch.plates = {frame: mender.watch.plates[frame] for frame in frames}
    clean, before, after = (
        mender.unrest(of.__getitem__) for of in ({f: drawing(f) for f in frames}, made, results)
    )
    print(f"boil all through: {before - clean:.2f} dE from frame to frame, then {after - clean:.2f}")
    assert after - clean < 0.4 * (before - clean)


def test_frames_in_the_wrong_order_come_back_exactly(truth):
    """Lag by one, a repeat at 6 and a frame lost at 10: every frame that exists is where it belongs."""
    shown = [0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14]
    made = {frame: drawing(source) for frame, source in zip(FRAMES, shown, strict=True)}
    pairs = [[source, frame] for frame, source in zip(FRAMES, shown, strict=True)]
    report = {"findings": [{"kind": "frame_map", "frames": [0, 15]}], "frame_map": pairs}
    task = job(truth, "retime", made, span=(0, 15), handles=0, fault="frame_map", report=report)
    mender = retime.mender(task)
    result = {frame: mender.mend(frame) if frame in mender.frames else made[frame] for frame in FRAMES}
    exact = [frame for frame in FRAMES if frame not in (9, 15)]
    assert all(np.array_equal(result[frame], drawing(frame)) for frame in exact)
    assert mender.record()["made"] == [9, 15]
    for frame in (9, 15):
        error = difference(result[frame], drawing(frame), inside(frame))
        near = difference(drawing(frame - 1), drawing(frame), inside(frame))
        print(f"frame {frame}, made: {error:.2f} dE in the part; its neighbour instead would be {near:.1f}")
        assert error < 0.55 * near


def test_too_long_a_gap_is_not_invented(truth):
    report = {"findings": [{"kind": "frozen", "frames": [5, 8]}], "frame_map": []}
    assert longest_gap(time_map(report, FRAMES)) == 4
    with pytest.raises(Refused, match="too many to make"):
        retime.mender(job(truth, "retime", {}, fault="frozen", report=report))
