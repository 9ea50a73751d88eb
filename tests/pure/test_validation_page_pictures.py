# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page is made of: reduced pictures, packed outlines, thinned measures, heat maps, crops."""

import base64
import io
import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from holdfast.pipeline.errors import InputError
from holdfast.validation import gallery
from holdfast.validation.conformed import Conformed
from holdfast.validation.evidence import around, crop_pair, shown
from holdfast.validation.gallery import Gallery, boxes, fewer_outlines, jpeg, outlines, pack
from holdfast.validation.limits import load_limits
from holdfast.validation.page_series import heat, signals, thinned
from holdfast.validation.register import Fit, from_centres
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.pure.validation_page_data import measures


def truth(*names, size=(640, 360)):
    parts = [SimpleNamespace(id=i + 1, name=name) for i, name in enumerate(names)]
    return SimpleNamespace(parts=parts, size=size)


def unpack(text: str) -> np.ndarray:
    """(N, 2) of 0..1, written down a second time from the description."""
    whole = [
        gallery.DIGITS.index(a) * 64 + gallery.DIGITS.index(b)
        for a, b in zip(text[::2], text[1::2], strict=True)
    ]
    return np.array(whole).reshape(-1, 2) / 4095


def noisy(seed: int, size=(640, 360)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)


def decoded(address: str) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(address.split(",")[1]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def test_pictures_are_reduced_jpegs():
    data = np.frombuffer(jpeg(np.zeros((720, 1280, 3), np.uint8), 512), np.uint8)
    assert cv2.imdecode(data, 1).shape == (288, 512, 3)
    assert cv2.imdecode(np.frombuffer(jpeg(np.zeros((20, 30, 3), np.uint8), 512), np.uint8), 1).shape == (
        20,
        30,
        3,
    )


def pairs_of(count):
    return [(i, i) for i in range(count)]


@pytest.mark.parametrize("budget", [3_000_000, 1_500_000])
def test_a_short_take_stays_under_its_size_whatever_it_shows(tmp_path, monkeypatch, budget):
    monkeypatch.setattr(gallery, "INSIDE_BYTES", budget)
    made, ids = Gallery(truth("lid"), pairs_of(20), tmp_path), np.ones((360, 640), np.uint8)
    for index in range(20):
        made.put(index, index, noisy(index), noisy(index + 50), ids, worst=index == 7)
    whole = sum(len(shown.data) for kept in (made.renders, made.takes) for shown in kept.values())
    found = made.addresses(pairs_of(20))
    total = sum(len(a) + len(b) for a, b in found.values())
    print(f"20 frames of pure noise, {whole / 1e6:.1f} MB: {total / 1e6:.2f} MB in the page")
    assert len(found) == 20 and total < 1.4 * budget
    assert decoded(found[7][0]).shape[1] >= decoded(found[8][0]).shape[1] >= gallery.LEAST_WIDTH


def test_a_long_take_writes_a_folder_and_removes_what_an_earlier_one_left(tmp_path):
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "t9999.jpg").write_bytes(b"old")
    made = Gallery(truth("lid"), pairs_of(161), tmp_path)
    for index in range(161):
        made.add(index, index, noisy(1, (64, 36)), noisy(2, (64, 36)), np.zeros((36, 64), np.uint8))
    found = made.addresses(pairs_of(161))
    assert found[3] == ("frames/r0003.jpg", "frames/t0003.jpg")
    assert len(list((tmp_path / "frames").iterdir())) == 322
    made.write_poster(80)
    assert cv2.imread(str(tmp_path / "poster.jpg")).shape == (36, 64, 3)


def test_whatever_frame_map_is_found_each_frame_stands_beside_the_one_that_it_shows(tmp_path):
    made, ids = (
        Gallery(truth("lid"), [(s, s) for s in range(101, 111)], tmp_path),
        np.ones((36, 64), np.uint8),
    )
    for index in range(10):
        render, styled = (np.full((36, 64, 3), shade + 10 * index, np.uint8) for shade in (0, 100))
        made.add(index, 101 + index, render, styled, ids)
    late = [(max(101, frame - 3), frame) for frame in range(102, 111)]
    found = made.addresses(late)
    shades = [[decoded(address).mean() for address in found[i]] for i in range(len(late))]
    assert np.allclose(
        shades, [[10 * (source - 101), 100 + 10 * (frame - 101)] for source, frame in late], atol=2
    )


def test_outlines_lie_on_the_parts():
    ids = np.zeros((360, 640), np.uint16)
    cv2.circle(ids, (300, 200), 60, 300, -1)
    ids[20:23, 600:603] = 2
    ids[50, 40:60] = 3
    three = SimpleNamespace(
        size=(640, 360), parts=[SimpleNamespace(id=i, name=str(i)) for i in (300, 2, 3, 4)]
    )
    found = outlines(three, ids, 640)
    assert set(found) == {"300", "2", "3"}
    circle = unpack(found["300"]) * (640, 360)
    off = np.abs(np.hypot(*(circle - (300.5, 200.5)).T) - 60)
    print(f"circle of 60 px: {len(circle)} points, at most {off.max():.2f} px off")
    assert off.max() < 1.2
    for name, centre in (("2", (601.5, 21.5)), ("3", (50, 50.5))):
        points = unpack(found[name]) * (640, 360)
        assert len(points) >= 3 and np.abs(points.mean(0) - centre).max() < 1.0


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_boxes_are_those_of_each_id(data):
    shape = (data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9)))
    ids = np.array(
        data.draw(
            st.lists(
                st.sampled_from([0, 0, 1, 7, 255]), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]
            )
        ),
        np.uint8,
    ).reshape(shape)
    expected = {}
    for number in np.unique(ids[ids > 0]):
        ys, xs = np.nonzero(ids == number)
        expected[int(number)] = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
    assert boxes(ids) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_packed_points_come_back(points):
    assert np.abs(unpack(pack(np.array(points))) - points).max() < 0.00013


def test_outlines_of_long_takes_fit_and_those_of_findings_stay():
    many = {i: {"lid": "x" * 92} for i in range(1000)}
    kept = fewer_outlines(many, [501, 503], 30_000)
    assert {501, 503} <= set(kept) and len(kept) * 100 <= 30_000 and len(kept) > 200
    assert fewer_outlines(many, [], 200_000) == many


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.one_of(st.none(), st.floats(-5, 5)), min_size=1, max_size=50), step=st.integers(1, 9)
)
def test_thinning_keeps_peaks(values, step):
    array = np.array([np.nan if v is None else v for v in values])
    found = thinned(array, step)
    assert len(found) == -(-len(values) // step)
    for k, v in enumerate(found):
        known = [u for u in values[k * step : (k + 1) * step] if u is not None]
        assert v == max(known) if known else np.isnan(v)


def test_many_measures_stay_small_and_the_one_that_matters_whole():
    parts, kinds = [f"p{k}" for k in range(200)], ["rubber", "flicker", "outline", "vanished", "ghost"]
    record = measures(parts, kinds, list(range(2400)))
    found = signals(record, [], lambda kind, unit: "")
    text = json.dumps(found, separators=(",", ":"))
    print(f"200 parts x 5 kinds x 2,400 frames: {len(text) / 1e6:.2f} MB in the page")
    assert len(text) < 3e6
    assert "s" not in found["of"]["p0"]["rubber"] and len(found["of"]["p0"]["rubber"]["v"]) == 2400
    assert max(found["of"]["p7"]["ghost"]["v"]) == pytest.approx(0.3) and found["of"]["p7"]["ghost"]["l"] == 1
    assert next(iter(found["titles"])) == "vanished"


def test_a_crop_shows_the_take_laid_on_the_render():
    drawn = np.full((180, 320, 3), 200, np.uint8)
    cv2.circle(drawn, (120, 80), 40, (30, 60, 160), -1)
    fit, size, own = Fit((1.2, 1.1), (-0.05, 0.04)), (320, 180), (640, 352)
    matrix = Conformed([], fit=fit, size=size, own=own).matrix(5)
    styled = cv2.warpAffine(drawn, from_centres(matrix), own, borderValue=(200, 200, 200))
    take = SimpleNamespace(frame=lambda frame: styled)
    off = [
        np.abs(shown(take, 5, size, way).astype(int) - drawn)[20:150, 50:200].mean() for way in (None, matrix)
    ]
    print(f"beside the render by {off[0]:.1f} levels, through the fit by {off[1]:.1f}")
    assert off[1] < 1.5 < off[0]


def test_every_curve_is_told_in_its_own_unit():
    one, other = (
        {"measure": "outline", "unit": unit, "limits": [1.0], "values": [2.0]} for unit in ("px", "share")
    )
    turn = {"measure": "joint", "unit": "mm", "limits": [1.0], "values": [2.0]}
    parts = {"lid": {"signals": {"outline": one}}, "peg": {"signals": {"outline": other, "joint": turn}}}
    says = signals({"frames": [1], "parts": parts}, [], load_limits().says)["says"]
    assert says["outline px"].startswith("How far") and says["outline share"].startswith(
        "Share of the part's outline"
    )
    assert says["joint mm"].startswith("Travel") and "outline" not in says


def test_every_limit_is_told_in_its_unit():
    limits = load_limits()
    silent = [name for name, limit in limits.of.items() if limits.says(name, limit.unit) != limit.says]
    assert silent == []


def test_heat_maps_become_pictures_with_what_is_nothing_clear(tmp_path):
    maps = np.zeros((130, 45, 80), np.uint8)
    maps[3, 10, 20], maps[120, 44, 79], maps[7, 1, 1] = 200, 60, 40
    np.savez_compressed(tmp_path / "heat.npz", heat=maps)
    found = heat(tmp_path / "heat.npz")
    assert [i for i, any_ in enumerate(found["shown"]) if any_] == [3, 120]
    strips = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(s.split(",")[1]))).convert("RGBA"))
        for s in found["strips"]
    ]
    assert [s.shape for s in strips] == [(4500, 80, 4), (1350, 80, 4)]
    assert np.argwhere(strips[0][..., 3]).tolist() == [[3 * 45 + 10, 20]]
    assert strips[0][3 * 45 + 10, 20, :3].sum() > strips[1][20 * 45 + 44, 79, :3].sum()
    assert sum(map(len, found["strips"])) < 4000
    np.savez_compressed(tmp_path / "none.npz", heat=maps * 0)
    assert heat(tmp_path / "none.npz") is None and heat(tmp_path / "missing.npz") is None


@settings(max_examples=80, deadline=None)
@given(x=st.integers(0, 99), y=st.integers(0, 59), w=st.integers(1, 100), h=st.integers(1, 60))
def test_a_crop_holds_what_it_is_about(x, y, w, h):
    mask = np.zeros((60, 100), bool)
    mask[y : y + h, x : x + w] = True
    x0, y0, x1, y1 = around([mask], None, (100, 60))
    assert 0 <= x0 < x1 <= 100 and 0 <= y0 < y1 <= 60
    ys, xs = np.nonzero(mask)
    if w <= 60 and h <= 50:
        assert x0 <= xs.min() and xs.max() < x1 + 1 and y0 <= ys.min() and ys.max() < y1 + 1


def test_a_frame_that_the_take_does_not_have_is_grey():
    def nothing(frame):
        raise InputError(f"no frame {frame}")

    assert (shown(SimpleNamespace(frame=nothing), 7, (32, 18)) == 96).all()


def test_a_crop_pair_shows_the_outline_the_others_and_the_place():
    picture, mask, other = (
        np.full((180, 320, 3), 128, np.uint8),
        np.zeros((180, 320), bool),
        np.zeros((180, 320), bool),
    )
    mask[60:100, 100:150], other[60:100, 180:200] = True, True
    pair = crop_pair(picture, picture, mask, [other], (0.5, 0.5, 0.1, 0.1))
    half = pair.shape[1] // 2

    def coloured(panel, colour):
        return int((np.abs(panel.astype(int) - colour).max(2) < 40).sum())

    assert coloured(pair[:, :half], (255, 138, 0)) > 100 and coloured(pair[:, half:], (255, 138, 0)) > 100
    assert coloured(pair[:, :half], (140, 205, 255)) > 20
    assert coloured(pair[:, :half], (255, 226, 74)) == 0 and coloured(pair[:, half:], (255, 226, 74)) > 20
    assert crop_pair(picture, picture, np.zeros((180, 320), bool)).shape[0] == pair.shape[0]
