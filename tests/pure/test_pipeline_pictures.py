# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures keep their channels, their values and their names."""

from pathlib import Path

import numpy as np
import pytest
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.pictures import (
    read_exr,
    read_gray,
    read_picture,
    write_exr,
    write_gray,
    write_picture,
)


def test_png_round_trip_in_rgb_order_and_any_name(tmp_path: Path) -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[..., 0] = 200
    path = tmp_path / "Märchen ランタン.png"
    write_picture(path, picture)
    assert np.array_equal(read_picture(path), picture)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_grey_round_trip(tmp_path: Path, kind: type) -> None:
    grey = np.arange(24, dtype=kind).reshape(4, 6)
    write_gray(tmp_path / "ids.png", grey)
    assert np.array_equal(read_gray(tmp_path / "ids.png"), grey)


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3), (4, 6, 4)])
def test_exr_round_trip(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    write_exr(tmp_path / "vector.exr", array)
    assert np.array_equal(read_exr(tmp_path / "vector.exr"), array)


@pytest.mark.parametrize("content", [b"", b"not a picture at all", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sketch.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"sketch\.png is not a picture"):
        read_picture(path)
    with pytest.raises(InputError, match="missing"):
        read_picture(tmp_path / "none.png")
