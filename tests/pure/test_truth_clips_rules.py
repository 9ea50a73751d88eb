# SPDX-License-Identifier: GPL-3.0-or-later
"""Control contracts are data with evidence; size, rate and frame count are fitted by rule, and back exactly."""

from __future__ import annotations

import tomllib
from fractions import Fraction

import numpy as np
import pytest
from holdfast.clients.descriptor import CATALOGUE, load_catalogue
from holdfast.clients.registry import models, steered, steered_model
from holdfast.pipeline.controls import CountRule, RateRule, SizeRule, facts, parse_controls
from holdfast.pipeline.errors import InputError, UsageError
from holdfast.pipeline.fitting import Fit, back, fit_rate, fit_size, frame_map
from holdfast.pipeline.project import ShotFolder
from hypothesis import given
from hypothesis import strategies as st

RATES = [(24, 1), (25, 1), (30, 1), (24000, 1001), (30000, 1001), (60, 1), (16, 1), (12, 1)]
sides = st.integers(16, 4096)
SENT = {
    "fal/fal-ai/wan-22-vace-fun-a14b/depth", "fal/fal-ai/wan-vace-14b/depth", "dashscope/wan2.1-vace-plus",
    "comfyui/wan-vace", "runway/aleph2", "luma/ray-3.2", "luma_legacy/ray-2", "ltx/ltx-2-3-pro", "nvidia/cosmos3-transfer",
    "kling/kling-3.0-omni", "kling/kling-4.0", "gemini/gemini-omni-1.2-flash", "minimax/MiniMax-H3",
}  # fmt: skip


def test_every_stated_fact_has_evidence():
    files = [tomllib.loads(path.read_text(encoding="utf-8")) for path in CATALOGUE.glob("*.toml")]
    tables = [table for file in files for table in file["model"] if "controls" in table]
    assert {f"{table['provider']}/{table['model']}" for table in tables} >= SENT
    for table in tables:
        evidence = table["controls"]["evidence"]
        for fact in facts(table["controls"]):
            steps = fact.split(".")
            assert any(".".join(steps[:n]) in evidence for n in range(1, len(steps) + 1)), (
                table["model"],
                fact,
            )
        tags = {said.split()[0] for said in evidence.values()}
        assert tags <= {"DOC", "SDK", "SPEC", "WIRE", "3P", "USE", "U", "ours"}


def test_models_without_an_adapter_are_known_but_not_offered():
    entries = steered()
    uncalled = {entry.id for entry in entries.values() if not entry.adapter}
    assert uncalled, "clips can be made for models that are not called"
    assert not {entry.id for entry in models("video_restyle")} & uncalled
    for entry in entries.values():
        assert parse_controls(entry.controls.table(), "again") == entry.controls
    folders = [ShotFolder.clips(ShotFolder(CATALOGUE), e.provider, e.model).name for e in entries.values()]
    assert len(set(folders)) == len(folders) and all("/" not in name for name in folders)


def test_a_model_is_found_by_a_part_of_its_name_and_the_choice_is_said():
    assert steered_model("aleph").id == "runway/aleph2"
    with pytest.raises(UsageError, match="several"):
        steered_model("kling")
    with pytest.raises(UsageError, match="runway/aleph2"):
        steered_model("midjourney")


ENTRY = """
[[model]]
provider = "runway"
model = "aleph2"
mode = "video_restyle"
label = "Mine"
network = true
[model.controls.kinds]
depth = {{ {0} }}
{1}
"""


def _controls(tmp_path, depth="", more=""):
    path = tmp_path / "mine.toml"
    path.write_text(ENTRY.format(depth, more))
    return load_catalogue([path])["runway/aleph2"].controls


def test_a_person_overrides_an_entry(tmp_path):
    mine = _controls(tmp_path, 'white = "far", curve = "log"', "[model.controls.count]\nstep = 8\noffset = 1")
    assert (mine.kinds["depth"].white, mine.kinds["depth"].curve, mine.count.name) == ("far", "log", "8n+1")


@pytest.mark.parametrize(
    ("depth", "more", "word"),
    [
        ('white = "black"', "", "near or far"),
        ('codec = "mpeg2"', "", "h264"),
        ("bits = 16", "", "16 bits"),
        ("", 'ids = { codec = "h264" }', "4:2:0"),
        ("", "ids = {}", "4:2:0"),
        ("", "pose = {}", "pose"),
        ("", "[model.controls.size]\nmultiples = 3", "multiples"),
        ("", "[model.controls.count]\nstep = 4\noffset = 4", "frame count"),
        ("", '[model.controls.rate]\nrates = ["fast"]', "none"),
        ("", '[model.controls.size]\nratios = ["16x9"]', "none"),
    ],
)
def test_a_contract_that_makes_no_sense_is_refused_by_name(tmp_path, depth, more, word):
    with pytest.raises(InputError, match=word):
        _controls(tmp_path, depth, more)


@given(sides, sides, st.sampled_from([
    SizeRule(2), SizeRule(16, (1280, 720)), SizeRule(32, (1920, 1088)), SizeRule(2, (2160, 2160), 720),
    SizeRule(16, (1280, 720), ratios=("16:9", "1:1", "9:16")), SizeRule(2, fill="crop", ratios=("1:1",)),
    SizeRule(exact=((1280, 720), (720, 1280), (960, 960))), SizeRule(exact=((640, 352),), fill="crop"),
]))  # fmt: skip
def test_sizes_keep_their_rule_and_positions_come_back(width, height, rule):
    try:
        fit = fit_size((width, height), rule)
    except InputError:
        assert rule.min and max(width, height) * rule.min > min(width, height) * rule.max[0] * 0.98
        return
    if rule.exact:
        assert fit.clip in rule.exact
    else:
        assert all(side % rule.multiple == 0 and side >= rule.min for side in fit.clip)
        assert not rule.max[0] or (max(fit.clip) <= rule.max[0] and min(fit.clip) <= rule.max[1])
    assert rule.exact or rule.min or max(fit.scale) <= 1.001 or rule.fill == "crop"
    assert min(*fit.pad, *fit.crop) >= 0 and min(fit.inside) >= 1
    assert rule.fill == "pad" or not any(fit.pad)
    corners = np.array([[fit.crop[0], fit.crop[1]], [width - fit.crop[2], height - fit.crop[3]]], float)
    inside = np.array([fit.pad[:2], np.array(fit.clip) - fit.pad[2:]], float)
    assert np.abs(fit.to_clip(corners) - inside).max() < 1e-6
    points = np.random.default_rng(width).uniform(0, (width, height), (50, 2))
    back = Fit.of(fit.record()).to_source(fit.to_clip(points))
    assert np.abs(back - points).max() < 1e-9


def test_the_picture_itself_lies_where_the_fit_says():
    from holdfast.rendering.clips.resample import Resampler

    worst = average = 0.0
    for size, rule in (((640, 360), SizeRule(16, (320, 180))), ((640, 360), SizeRule(exact=((512, 512),))),
                       ((360, 640), SizeRule(exact=((960, 960),))), ((640, 360), SizeRule(2, (320, 320), fill="crop", ratios=("1:1",)))):  # fmt: skip
        fit = fit_size(size, rule)
        rows, columns = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
        for axis, ramp in enumerate((columns, rows)):
            seen = Resampler(fit).surfaces(ramp.astype(np.float32), np.zeros(ramp.shape, bool), ramp)
            mean = Resampler(fit).smooth(ramp.astype(np.float32))
            grid = np.mgrid[0 : seen.shape[0], 0 : seen.shape[1]] + 0.5
            points = np.stack([grid[1] + fit.pad[0], grid[0] + fit.pad[1]], -1)
            inner = np.s_[3:-3, 3:-3]  # beyond the last centre there is nothing to interpolate with
            true = fit.to_source(points)[..., axis]
            worst = max(worst, float(np.abs(true - seen)[inner].max()))
            average = max(average, float(np.abs(true - mean)[inner].max()))
    print(f"worst position error of resampled depth {worst:.5f} px, of averaged pictures {average:.3f} px")
    assert worst < 0.01 and average < 0.1


@given(st.sampled_from(RATES), st.sampled_from([RateRule(), RateRule(("16",)), RateRule(("24", "25", "48", "50")),
                                                RateRule(min="5", max="30"), RateRule(min="24", max="60"), RateRule(max="30")]))  # fmt: skip
def test_rates_are_allowed_ones_and_the_shots_own_where_they_may(source, rule):
    rate, own = Fraction(*fit_rate(source, rule)), Fraction(*source)
    low, high = Fraction(rule.min or 0), Fraction(rule.max or 1000)
    assert rate in [Fraction(r) for r in rule.rates] if rule.rates else low <= rate <= high
    if (not rule.rates and low <= own <= high) or own in [Fraction(r) for r in rule.rates]:
        assert rate == own


@given(
    st.integers(1, 400), st.integers(-50, 2000), st.sampled_from(RATES), st.sampled_from(RATES),
    st.sampled_from([CountRule(), CountRule(4, 1), CountRule(8, 1), CountRule(4, 1, (17, 241)), CountRule(seconds=(2, 10)),
                     CountRule(4, 1, (5, 0)), CountRule(4, 1, (17, 240)), CountRule(1, 0, (73, 0), (0, 20))]),
)  # fmt: skip
def test_frame_maps_are_exact(count, first, source, clip, rule):
    frames = list(range(first, first + count))
    step = Fraction(*source) / Fraction(*clip)
    most = min(
        rule.frames[1] or 10**9,
        int(Fraction(rule.seconds[1]) * Fraction(*clip)) if rule.seconds[1] else 10**9,
    )
    try:
        shown = frame_map(frames, source, clip, rule, "Model")
    except InputError as error:
        assert int((count - Fraction(1, 2)) / step) + 1 > most and f"at most {most} frames" in str(error)
        return
    assert shown[0] == first and list(shown) == sorted(shown) and set(shown) <= set(frames)
    assert (len(shown) - rule.offset) % rule.step == 0
    assert max(rule.frames[0], Fraction(rule.seconds[0]) * Fraction(*clip)) <= len(shown) <= most
    natural = int((count - Fraction(1, 2)) / step) + 1
    for index, frame in enumerate(shown[:natural]):  # nearest in time, half a source frame at most
        assert abs((frame - first) - index * step) <= Fraction(1, 2)
    assert all(frame == shown[natural - 1] for frame in shown[natural:])
    if source == clip and len(shown) >= count:
        assert list(shown[:count]) == frames


def test_known_counts():
    frames = list(range(1, 73))
    cases = {
        "4n+1": frame_map(frames, (24, 1), (24, 1), CountRule(4, 1), "m"),
        "16 fps": frame_map(frames, (24, 1), (16, 1), CountRule(4, 1), "m"),
        "up to 70": frame_map(frames[:70], (24, 1), (24, 1), CountRule(4, 1, (5, 70)), "m"),
    }
    assert len(cases["4n+1"]) == 73 and cases["4n+1"][-2:] == (72, 72)
    assert cases["16 fps"][:5] == (1, 2, 4, 5, 7) and len(cases["16 fps"]) == 49
    assert cases["up to 70"] == tuple(range(1, 70))
    with pytest.raises(InputError, match="at most 48 frames"):
        frame_map(frames, (24, 1), (24, 1), CountRule(seconds=(0, 2)), "m")


@pytest.mark.parametrize("grown", [1, 1.5])
@pytest.mark.parametrize("rule", [SizeRule(16, (320, 180)), SizeRule(exact=((960, 960),)), SizeRule(2, (360, 360), ratios=("1:1",), fill="crop")])  # fmt: skip
def test_a_result_is_put_back_where_it_belongs(rule, grown):
    fit = fit_size((640, 360), rule)
    wide, high = (round(side * grown) for side in fit.clip)
    rows, columns = np.mgrid[0:high, 0:wide] + 0.5
    where = fit.to_source(np.stack([columns / grown, rows / grown], -1)).astype(np.float32)
    found = back(where, fit)  # a picture whose colour is the source position that it shows
    rows, columns = np.mgrid[0:360, 0:640] + 0.5
    left, top, right, bottom = fit.crop
    inner = np.s_[top + 4 : 356 - bottom, left + 4 : 636 - right]
    error = np.abs(found - np.stack([columns, rows], -1))[inner].max()
    print(f"{fit.clip} x {grown}: {error:.4f} px")
    assert found.shape[:2] == (360, 640) and error < 0.05  # of which OpenCV rounds positions to 1/32 px
    if left:
        assert not found[:, : left - 1].any()
    with pytest.raises(InputError, match="another ratio"):
        back(where[: high // 2], fit)


@pytest.mark.checkout
def test_the_page_lists_the_models_as_they_are():
    from scripts import show_clips

    page = show_clips.PAGE.read_text(encoding="utf-8")
    assert show_clips.with_table(page) == page, "run scripts/show_clips.py"
