# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read once and kept is what reading again would give, whoever reads ahead."""

from types import SimpleNamespace

import numpy as np
import pytest
from holdfast.validation.conformed import Conformed, found, through
from holdfast.validation.levels import Levels
from holdfast.validation.plates import load_plate
from holdfast.validation.reading import Ahead, Shelf
from holdfast.validation.register import Fit

SIZE = (1408, 792)


class Frames:
    """A truth and a take of noise, counting what is decoded; the take is of another size."""

    size = SIZE
    manifest = SimpleNamespace(data={})

    def __init__(self) -> None:
        self.decoded = 0

    def _noise(self, number: int, width: int, height: int) -> np.ndarray:
        self.decoded += 1
        return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)

    def beauty(self, frame: int) -> np.ndarray:
        return self._noise(frame, *SIZE)

    def ids(self, frame: int) -> np.ndarray:
        return self._noise(frame, *SIZE)[..., 0] // 100

    def depth(self, frame: int) -> np.ndarray:
        return self._noise(frame, *SIZE)[..., 1].astype(np.float32)

    def frame(self, frame: int) -> np.ndarray:
        return self._noise(100 + frame, 1280, 720)


def same(one, other) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


def test_what_is_kept_is_what_is_read(tmp_path):
    frames = Frames()
    shelf = Shelf(frames, frames, tmp_path / "frames")
    shelf.read(3, 4)
    plain = Conformed([(3, 4)], size=SIZE, own=(1280, 720))
    frames.decoded = 0
    kept = shelf.plate(3, 4, plain)
    assert frames.decoded == 0
    assert same(kept, load_plate(frames, frames, 3, 4, plain.matrix(4)))
    shelf.clear()
    assert not (tmp_path / "frames").exists()
    assert same(kept, shelf.plate(3, 4, plain))


@pytest.mark.parametrize(
    "more",
    [
        {"fit": Fit((1.1, 1.1), (0.01, 0.0))},
        {"shake": {4: (0.01, 0.02)}},
        {"levels": Levels(0.5, 9.0, "cut")},
    ],
)
def test_a_take_that_lies_off_is_read_through_what_was_found(tmp_path, more):
    frames = Frames()
    shelf = Shelf(frames, frames, tmp_path / "frames")
    shelf.read(3, 4)
    conformed = Conformed([(3, 4)], size=SIZE, own=(1280, 720), **more)
    bare = Shelf(frames, frames, None)
    assert same(shelf.plate(3, 4, conformed), bare.plate(3, 4, conformed))
    assert not same(
        shelf.plate(3, 4, conformed), bare.plate(3, 4, Conformed([(3, 4)], size=SIZE, own=(1280, 720)))
    )
    again = found(through(conformed))
    assert same(bare.plate(3, 4, again), bare.plate(3, 4, conformed)) and again.pairs == conformed.pairs


def test_reading_ahead_keeps_the_order_and_reads_each_once():
    asked = []

    def load(index: int) -> int:
        asked.append(index)
        if index == 9:
            raise ValueError("damaged")
        return index * index

    ahead = Ahead(load, 10)
    try:
        assert [ahead(index) for index in (0, 2, 1, 3, 4, 5, 6, 7, 8)] == [0, 4, 1, 9, 16, 25, 36, 49, 64]
        assert sorted(asked)[:9] == list(range(9))
        with pytest.raises(ValueError, match="damaged"):
            ahead(9)
    finally:
        ahead.close()
