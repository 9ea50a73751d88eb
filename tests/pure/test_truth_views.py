# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes as pictures: one range for the shot, colours that say what the sentence says, nothing made twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from holdfast.pipeline import view_colours, view_worker
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.part_colours import colour_of
from holdfast.pipeline.pictures import read_picture
from holdfast.pipeline.truth import GroundTruth

from tests.pure import truth_package


@pytest.fixture
def package(tmp_path: Path) -> GroundTruth:
    return GroundTruth.open(truth_package.write(tmp_path))


def test_depth_has_one_range_over_the_shot_and_near_is_bright(package: GroundTruth) -> None:
    answer = view_worker.run(_asked(package, "depth"), Context())
    shown = {frame: _picture(package, "depth", frame).astype(int) for frame in package.frames}
    for frame in package.frames:
        depth, grey = package.depth(frame), shown[frame][..., 0]
        near, far = answer["low"][0], answer["high"][0]
        expected = 255 * (1 - 0.88 * np.clip((depth - near) / max(far - near, 1e-9), 0, 1))
        assert np.abs(grey - np.where(depth > 0, expected, 0)).max() <= 1
    said = view_colours.sentence("depth", answer)
    print(said)
    assert f"{answer['low'][0]:.3g} m" in said


def test_motion_to_the_right_is_red_and_full_at_the_greatest_speed(package: GroundTruth) -> None:
    answer = view_worker.run(_asked(package, "vector"), Context())
    moving = package.ids(2) == package.part("right").id
    assert answer["high"][0] == pytest.approx(truth_package.STEP, abs=0.05)
    red, green, blue = _picture(package, "vector", 2)[moving].mean(axis=0)
    assert red > 230 and green < 60 and blue < 60
    assert _picture(package, "vector", 2)[~moving].max() < 32


def test_ids_have_the_colours_of_the_parts(package: GroundTruth) -> None:
    view_worker.run(_asked(package, "ids"), Context())
    ids, shown = package.ids(1), _picture(package, "ids", 1)
    for part in package.parts:
        expected = np.rint(255 * np.array(colour_of(part.id)))
        assert np.array_equal(np.unique(shown[ids == part.id], axis=0)[0], expected)


def test_parts_over_beauty_outlines_where_a_part_ends(package: GroundTruth) -> None:
    view_worker.run(_asked(package, "parts"), Context())
    shown, ids = _picture(package, "parts", 1), package.ids(1)
    rows, columns = np.nonzero(ids == 1)
    corner = shown[rows.min(), columns.min()]
    assert np.array_equal(corner, np.rint(255 * np.array(colour_of(1))))


@pytest.mark.parametrize("kind", [kind for kind in view_colours.VIEWS if kind not in view_colours.DIRECT])
def test_every_view_is_a_picture_or_says_what_is_missing(package: GroundTruth, kind: str) -> None:
    try:
        answer = view_worker.run(_asked(package, kind, part="left"), Context())
    except InputError as error:
        assert not package.has(view_colours.NEEDS.get(kind, kind)), error
        return
    assert _picture(package, kind, 1, "left").shape == (truth_package.SIZE[1], truth_package.SIZE[0], 3)
    for record in (None, answer):
        said = view_colours.sentence(kind, record)
        assert said.endswith(".") and "{" not in said and "(." not in said, said


def test_a_second_run_makes_nothing_and_a_new_package_drops_the_old(package: GroundTruth) -> None:
    view_worker.run(_asked(package, "depth"), Context())
    path = view_worker.picture(view_worker.folder_of(package.folder, package.digest, "depth", ""), 1)
    stamp = path.stat().st_mtime_ns
    view_worker.run(_asked(package, "depth"), Context())
    assert path.stat().st_mtime_ns == stamp
    old = path.parent.parent.parent / "0123456789ab"
    old.mkdir()
    view_worker.run(_asked(package, "depth"), Context())
    assert not old.exists()


def test_the_shown_frame_comes_first(package: GroundTruth) -> None:
    said: list[str] = []
    made: list[bool] = []
    folder = view_worker.folder_of(package.folder, package.digest, "depth", "")

    def progress(_fraction: float, message: str) -> None:
        said.append(message)
        made.append(view_worker.picture(folder, 2).exists())

    view_worker.run(_asked(package, "depth", frame=2), Context(progress))
    assert made[said.index("Preparing frame 2/3")]


def test_spread_takes_both_ends() -> None:
    picked = view_colours.spread(tuple(range(11, 511)))
    assert (picked[0], picked[-1], len(picked)) == (11, 510, view_colours.RANGE_FRAMES)
    assert view_colours.spread((7,)) == [7]


def _asked(package: GroundTruth, kind: str, part: str = "", frame: int = 1) -> dict[str, object]:
    return {"truth": str(package.folder), "kind": kind, "part": part, "frame": frame}


def _picture(package: GroundTruth, kind: str, frame: int, part: str = "") -> np.ndarray:
    folder = view_worker.folder_of(package.folder, package.digest, kind, part)
    return read_picture(view_worker.picture(folder, frame))
