# SPDX-License-Identifier: GPL-3.0-or-later
"""Cryptomatte, OpenEXR and PNG as Blender writes them."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
import cv2
import numpy as np
import pytest
from holdfast.pipeline.errors import InputError
from holdfast.rendering import cryptomatte, exr, mattes, png
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "value"),
    [(b"", 0), (b"hello", 0x248BFA47), (b"abcd", 0x43ED676A), (b"The quick brown fox jumps over the lazy dog", 0x2E4FF723)],
)  # fmt: skip
def test_murmur3_known_values(text: bytes, value: int) -> None:
    assert cryptomatte.murmur3(text) == value


@given(st.text(min_size=1))
def test_ids_are_ordinary_floats(name: str) -> None:
    value = np.uint32(cryptomatte.id_of(name)).view(np.float32)
    assert np.isfinite(value) and abs(value) >= np.finfo(np.float32).tiny


def _channels(ids: list[int], weights: list[float]) -> dict[str, np.ndarray]:
    """One pixel with four ranks."""
    floats = np.array(ids, np.uint32).view(np.float32)
    names = [f"ViewLayer.CryptoObject0{level}.{letter}" for level in (0, 1) for letter in "rgba"]
    values = [value for pair in zip(floats, weights, strict=True) for value in pair]
    return {name: np.full((1, 1), value, np.float32) for name, value in zip(names, values, strict=True)}


def test_coverage_adds_the_ranks_of_one_name() -> None:
    body, lid = cryptomatte.id_of("body"), cryptomatte.id_of("lid")
    channels = _channels([body, lid, body, 0], [0.5, 0.25, 0.125, 0])
    found = cryptomatte.shares(channels, ["lid", "body", "peg"])
    assert found.plane([1])[0, 0] == pytest.approx(0.625)
    assert found.plane([0])[0, 0] == pytest.approx(0.25)
    assert found.plane([0, 1])[0, 0] == pytest.approx(0.875)
    assert found.plane([2])[0, 0] == 0 and found.others[0, 0] == 0
    assert found.foremost()[0, 0] == 2
    assert cryptomatte.shares(channels, ["peg"]).foremost()[0, 0] == 0
    assert cryptomatte.shares(channels, ["peg"]).others[0, 0] == pytest.approx(0.875)


def test_nothing_has_no_id() -> None:
    found = cryptomatte.shares(_channels([0, 0, 0, 0], [0, 0, 0, 0]), ["body"])
    assert found.foremost()[0, 0] == 0 and found.plane([0])[0, 0] == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1)), min_size=4, max_size=4))
def test_shares_of_a_pixel_are_all_there(ranks: list[tuple[int, float]]) -> None:
    names = [f"thing {number}" for number in range(5)]
    ids = [cryptomatte.id_of(names[number]) for number, _ in ranks]
    found = cryptomatte.shares(_channels(ids, [weight for _, weight in ranks]), names[:3])
    for number in range(3):
        expected = sum(np.float32(weight) for each, weight in ranks if each == number)
        assert found.plane([number])[0, 0] == pytest.approx(min(expected, 1), abs=1e-6)
    rest = sum(np.float32(weight) for each, weight in ranks if each > 2)
    assert found.others[0, 0] == pytest.approx(rest, abs=1e-6)


def test_whole_mattes_count_every_hit_whatever_its_weight() -> None:
    body, lid = (np.uint32(cryptomatte.id_of(name)).view(np.float32) for name in ("body", "lid"))
    hidden = np.zeros((4, 6), np.float32)
    hidden[:2, :3] = 1e-3  # behind the body: little is left of the ray
    channels = {
        "L.CryptoObject00.r": np.full((4, 6), body), "L.CryptoObject00.g": np.full((4, 6), 0.1, np.float32),
        "L.CryptoObject00.b": np.full((4, 6), lid), "L.CryptoObject00.a": hidden,
    }  # fmt: skip
    parts = [{"id": 1, "cover": ["body"]}, {"id": 2, "cover": ["lid"]}, {"id": 3, "cover": ["peg"]}]
    found = mattes.hits(channels, mattes.Names(parts))
    assert found[0].all() and 2 not in found
    assert np.argwhere(found[1]).tolist() == [[row, column] for row in (0, 1) for column in (0, 1, 2)]


def test_whole_keeps_a_soft_edge_that_is_seen_and_fills_what_is_hidden() -> None:
    """A square of 4 x 4 at the columns 2..5, its right half behind something."""
    hit, own = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
    hit[2:6, 2:6] = True
    own[2:6, 2:4] = True
    matte = np.zeros((8, 8), np.uint8)
    matte[2:6, 2:4], matte[2:6, 2], matte[2:6, 1] = 255, 180, 60
    matte[3:5, 3] = 120  # the edge of what stands before it
    found = mattes.whole(matte, hit, own)
    assert (found[2:6, 1] == 60).all() and (found[2:6, 2] == 180).all()
    assert (found[3:5, 3:5] == 255).all() and (found[2:6, 4:6] == 255).all() and (found[:, 6:] == 0).all()


def test_sure_is_what_the_id_covers() -> None:
    ids = np.array([[1, 1, 2, 0, 0]], np.uint8)
    covered = {1: np.array([[255, 200, 55, 0, 30]], np.uint8), 2: np.array([[0, 0, 200, 0, 40]], np.uint8)}
    assert mattes.sure(ids, covered).tolist() == [[255, 200, 200, 255, 185]]


def test_slots_share_what_their_object_covers() -> None:
    names = mattes.Names(
        [{"id": number, "cover": ["body"], "material": name} for number, name in ((7, "red"), (300, "blue"))]
    )
    body, red, blue = (
        np.uint32(cryptomatte.id_of(name)).view(np.float32) for name in ("body", "red", "blue")
    )
    one = np.ones((1, 1), np.float32)
    channels = {
        "L.CryptoObject00.r": body * one, "L.CryptoObject00.g": 0.8 * one, "L.CryptoObject00.b": 0 * one, "L.CryptoObject00.a": 0 * one,
        "L.CryptoMaterial00.r": red * one, "L.CryptoMaterial00.g": 0.6 * one, "L.CryptoMaterial00.b": blue * one,
        "L.CryptoMaterial00.a": 0.2 * one,
    }  # fmt: skip
    seen = mattes.coverage(channels, names)
    assert seen.of(0)[0, 0] == pytest.approx(0.6) and seen.of(1)[0, 0] == pytest.approx(0.2)
    ids = mattes.hard_ids(channels, names)
    assert ids.dtype == np.uint16 and ids[0, 0] == 7


@pytest.mark.parametrize("compression", ["NO", "ZIPS", "ZIP"])
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (33, 17), (64, 40)])
def test_exr_reader_agrees_with_opencv(
    tmp_path: Path, compression: str, half: bool, size: tuple[int, int]
) -> None:
    picture = np.random.default_rng(1).normal(size=(*size, 4)).astype(np.float32)
    picture[: size[0] // 2] = 0.5  # so that some blocks shrink and some don't
    if half:
        picture = picture.astype(np.float16).astype(np.float32)
    kind = cv2.IMWRITE_EXR_TYPE_HALF if half else cv2.IMWRITE_EXR_TYPE_FLOAT
    packing = getattr(cv2, f"IMWRITE_EXR_COMPRESSION_{compression}")
    path = tmp_path / "picture.exr"
    options = [cv2.IMWRITE_EXR_TYPE, kind, cv2.IMWRITE_EXR_COMPRESSION, packing]
    path.write_bytes(cv2.imencode(".exr", picture, options)[1].tobytes())
    found = exr.read_channels(path)
    for index, name in enumerate("BGRA"):
        assert (found[name] == picture[..., index]).all()


def test_damaged_exr_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "picture.exr"
    whole = cv2.imencode(".exr", np.ones((40, 40, 3), np.float32))[1].tobytes()
    with pytest.raises(InputError, match="missing"):
        exr.read_channels(path)
    for data in (b"", b"text", whole[:200], whole[: len(whole) // 2], whole[:-3]):
        path.write_bytes(data)
        with pytest.raises(InputError, match="not an OpenEXR file"):
            exr.read_channels(path)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_png_loses_its_notes_and_nothing_else() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (9, 7, 3), np.uint8)
    plain = cv2.imencode(".png", picture)[1].tobytes()
    noted = (
        plain[:33]
        + _chunk(b"tEXt", b"RenderTime\x0000:01.23")
        + plain[33:-12]
        + _chunk(b"tIME", b"7bytes!")
        + plain[-12:]
    )
    assert png.without_notes(noted, "a.png") == plain == png.without_notes(plain, "a.png")


@given(st.integers(min_value=0, max_value=200))
def test_cut_off_png_is_refused(length: int) -> None:
    whole = cv2.imencode(".png", np.arange(300, dtype=np.uint8).reshape(10, 10, 3))[1].tobytes()
    with pytest.raises(InputError, match="not a whole PNG"):
        png.without_notes(whole[: min(length, len(whole) - 1)], "a.png")
