# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures back to light: against closed forms, on damaged files, and pairs of pictures that do not belong together."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from holdfast.pipeline.colour import ToLinear, disagreement, stops_apart
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.store import digest_json
from holdfast.pipeline.truth import TO_LINEAR, GroundTruth
from holdfast.rendering.invert import Inverse, inverse
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from . import truth_package

F64 = NDArray[np.float64]
MIX = np.array([[0.85, 0.1, 0.05], [0.1, 0.8, 0.1], [0.05, 0.1, 0.85]])


def srgb(light: F64) -> F64:
    """IEC 61966-2-1."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def srgb_back(display: F64) -> F64:
    return np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4)


def film(light: F64) -> F64:
    """A view like AgX: channels mixed, 16 stops in a smooth S."""
    stops = np.log2(np.maximum(light @ MIX.T, 1e-10) / 0.18)
    return 1 / (1 + np.exp(-0.55 * stops))


VIEWS: dict[str, Callable[[F64], F64]] = {
    "sRGB": srgb,
    "film": film,
    "linear": lambda light: light,
    "gamma": lambda light: np.clip(light, 0, 1) ** (1 / 2.2),
    "exposed": lambda light: srgb(light * 64),
    "tinted": lambda light: srgb(light * [0.7, 1, 1.6]),
    "grey": lambda light: np.repeat(film(light).mean(1, keepdims=True), 3, 1),
    "no red": lambda light: film(light) * [0, 1, 1],
    "bands": lambda light: np.round(film(light) * 6) / 6,
    "folded": lambda light: 1 - np.abs(2 * film(light) - 1),
    "nothing": np.zeros_like,
}
GOOD = ["sRGB", "film", "linear", "gamma", "exposed", "tinted"]
BAD = ["grey", "no red", "bands", "folded", "nothing"]


@cache
def measured(name: str) -> Inverse:
    """The way back, with what a display of 16 bits shows of the view."""
    asking = inverse(name)
    points = next(asking)
    try:
        while True:
            points = asking.send(np.round(np.clip(VIEWS[name](points), 0, 1) * 65535) / 65535)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def table_of(name: str) -> ToLinear:
    table = measured(name).table
    assert table is not None
    return table


def chart(view: str, stops: tuple[float, float] = (-5, 2)) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """(128, 128, 3) light about mid grey, all tints, and the 8-bit picture of it."""
    chance = np.random.default_rng(3)
    light = 0.18 * 2 ** chance.uniform(*stops, (128, 128, 1)) * chance.uniform(0.3, 1, (128, 128, 3))
    shown = VIEWS[view](light.reshape(-1, 3)).reshape(light.shape)
    return light.astype(np.float32), np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)


@pytest.mark.parametrize("name", GOOD)
def test_views_that_can_be_undone(name: str) -> None:
    found = measured(name)
    print(f"{name}: {found.back:.4f} back, median {found.median:.4f}, worst {found.worst:.3f} stops")
    assert found.good and found.back > 0.99 and found.median < 0.03 and found.codes < 0.5


@pytest.mark.parametrize("name", BAD)
def test_views_that_cannot(name: str) -> None:
    found = measured(name)
    print(f"{name}: {found.back:.4f} back of {found.shown:.3f} shown")
    assert not found.good


@pytest.mark.parametrize("bits", [8, 16, 0])
def test_srgb_against_its_formula(bits: int) -> None:
    display = np.random.default_rng(1).random((97, 53, 3))
    picture = display if not bits else np.rint(display * (2**bits - 1)).astype(f"uint{bits}")
    exact = srgb_back(picture / (2**bits - 1) if bits else display)
    light = table_of("sRGB").apply(picture)
    off = np.abs(light - exact) / np.maximum(exact, 1e-3)
    print(f"largest error {off.max():.2e} of the light")
    assert light.dtype == np.float32 and light.shape == picture.shape and off.max() < 1e-3
    ends = table_of("sRGB").apply(np.array([[0, 0, 0], [255, 255, 255]], np.uint8))
    assert np.abs(ends - [[0], [1]]).max() < 1e-4


def test_mixing_channels_against_its_formula() -> None:
    light, picture = chart("film")
    shown = VIEWS["film"](light.reshape(-1, 3).astype(np.float64)).reshape(light.shape)
    fine = np.rint(shown * 65535).astype(np.uint16)
    off = stops_apart(light, table_of("film").apply(fine))
    print(f"16 bits: median {np.median(off):.4f}, 99 of 100 below {np.percentile(off, 99):.3f} stops")
    assert np.median(off) < 0.01 and np.percentile(off, 99) < 0.15
    assert np.median(stops_apart(light, table_of("film").apply(picture))) < 0.04


@given(st.lists(st.integers(0, 65535), min_size=2, max_size=40), st.sampled_from(["sRGB", "film"]))
@settings(deadline=None, max_examples=60)
def test_greys_stay_grey_and_in_order(codes: list[int], name: str) -> None:
    ladder = np.sort(np.array(codes, np.uint16))
    light = table_of(name).apply(np.repeat(ladder[:, None], 3, 1)).astype(np.float64)
    assert (np.diff(light, axis=0) >= 0).all()
    assert (np.ptp(light, axis=1) <= 2e-3 * light.max(1) + 1e-6).all()


@given(st.tuples(*[st.integers(0, 255)] * 3), st.integers(0, 2), st.integers(1, 255))
@settings(deadline=None, max_examples=60)
def test_more_of_a_channel_is_more_light(colour: tuple[int, int, int], channel: int, more: int) -> None:
    brighter = list(colour)
    brighter[channel] = min(255, brighter[channel] + more)
    light = table_of("sRGB").apply(np.array([colour, brighter], np.uint8))
    assert (light[1] >= light[0] * 0.999 - 1e-6).all() and np.isfinite(light).all()


def test_file(tmp_path: Path) -> None:
    table = table_of("film")
    for name in ("one.npz", "other.npz"):
        table.save(tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()
    print(f"{(tmp_path / 'one.npz').stat().st_size / 1e3:.0f} kB")
    again, picture = ToLinear.load(tmp_path / "one.npz"), chart("film")[1]
    assert again.made_from == "film" and np.array_equal(again.apply(picture), table.apply(picture))


DAMAGE: dict[str, Callable[[dict[str, NDArray[np.float32]]], object]] = {
    "no lattice": lambda arrays: arrays.pop("lattice"),
    "flat lattice": lambda arrays: arrays.update(lattice=arrays["lattice"][0]),
    "uneven lattice": lambda arrays: arrays.update(lattice=arrays["lattice"][1:]),
    "lattice of one channel": lambda arrays: arrays.update(lattice=arrays["lattice"][..., :1]),
    "not a number": lambda arrays: arrays["lattice"].__setitem__((3, 3, 3, 1), np.nan),
    "falling curve": lambda arrays: arrays["curves"].__setitem__((500, 1), 0.0),
    "curve that leaves the lattice": lambda arrays: arrays.update(curves=arrays["curves"] * 1.5),
    "no light": lambda arrays: arrays.update(scale=np.float32(0)),
    "words": lambda arrays: arrays.update(scale=np.array("much")),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_file(damage: str, tmp_path: Path) -> None:
    table_of("sRGB").save(tmp_path / "table.npz")
    with np.load(tmp_path / "table.npz") as stored:
        arrays = dict(stored)
    DAMAGE[damage](arrays)
    np.savez(tmp_path / "bad.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"damaged.*Run Ground truth again"):
        ToLinear.load(tmp_path / "bad.npz")


def test_truncated_or_missing_file(tmp_path: Path) -> None:
    table_of("sRGB").save(tmp_path / "table.npz")
    whole = (tmp_path / "table.npz").read_bytes()
    for length in (0, 10, 1000, len(whole) // 2, len(whole) - 30):
        (tmp_path / "table.npz").write_bytes(whole[:length])
        with pytest.raises(InputError, match="damaged"):
            ToLinear.load(tmp_path / "table.npz")
    with pytest.raises(InputError, match="missing"):
        ToLinear.load(tmp_path / "none.npz")


def test_a_package_gives_its_table_and_no_other(tmp_path: Path) -> None:
    truth = GroundTruth.open(truth_package.write(tmp_path))
    with pytest.raises(InputError, match="missing"):
        _ = truth.to_linear
    table = table_of("sRGB")
    for made_from in ("", digest_json(dict(truth.colour))):
        ToLinear(table.curves, table.lattice, table.scale, made_from).save(truth.folder / TO_LINEAR)
        assert GroundTruth.open(truth.folder).to_linear.made_from == made_from
    table.save(truth.folder / TO_LINEAR)
    with pytest.raises(InputError, match="another view"):
        _ = truth.to_linear


@pytest.mark.parametrize("name", ["sRGB", "film", "tinted"])
def test_true_pairs_agree(name: str) -> None:
    light, picture = chart(name)
    half = light.astype(np.float16).astype(np.float32)
    fine = np.rint(np.clip(VIEWS[name](light.reshape(-1, 3)), 0, 1) * 65535).astype(np.uint16)
    assert disagreement(half, picture, table_of(name)) < 0.001
    assert disagreement(half, fine.reshape(light.shape), table_of(name)) < 0.001


@pytest.mark.parametrize(
    ("fault", "view"),
    [
        (lambda light: light * 2, "film"),
        (lambda light: light / 2, "sRGB"),
        (lambda light: light * 2**0.5, "film"),
        (lambda light: light[..., ::-1], "film"),
        (lambda light: light**1.2, "film"),
        (lambda light: light * 0, "film"),
    ],
    ids=["a stop brighter", "a stop darker", "half a stop", "blue for red", "gamma", "black"],
)
def test_wrong_light_is_found(fault: Callable[[NDArray[np.float32]], NDArray[np.float32]], view: str) -> None:
    light, picture = chart(view)
    share = disagreement(fault(light), picture, table_of(view))
    print(f"{share:.3f} of the pixels disagree")
    assert share > 0.5


@pytest.mark.parametrize(
    ("seen", "tagged"), [("film", "sRGB"), ("sRGB", "film"), ("linear", "sRGB"), ("exposed", "sRGB")]
)
def test_wrong_view_is_found(seen: str, tagged: str) -> None:
    light, picture = chart(seen, (-9, -4) if seen == "exposed" else (-5, 2))
    share = disagreement(light, picture, table_of(tagged))
    print(f"{share:.3f} of the pixels disagree")
    assert share > 0.3


def test_a_picture_that_is_clipped_everywhere_says_nothing() -> None:
    light = np.full((8, 8, 3), 4.0, np.float32)
    assert disagreement(light, np.full((8, 8, 3), 255, np.uint8), table_of("sRGB")) == 0.0
    assert disagreement(light * 0, np.zeros((8, 8, 3), np.uint8), table_of("sRGB")) == 0.0
