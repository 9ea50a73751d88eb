# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts put back, against the drawing that the take should have been."""

from dataclasses import replace

import numpy as np
import pytest
from holdfast.finishing.plates import Plate, filled, nearest, signed_distance, visible, way
from holdfast.finishing.restore import Restorer
from holdfast.pipeline.truth import Camera

from .finishing_scene import INK, K, drawing, passes, pose


def plate(frame, picture=None):
    made = passes(frame)
    take = drawing(frame) if picture is None else picture
    return Plate(
        frame, take.astype(np.float32), made["beauty"].astype(np.float32), made["matte"], made["ids"], 1, made["depth"],
        made["normal"], Camera(K, np.eye(4)), {0: np.eye(4), 1: pose(frame)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def goods():
    return [plate(frame) for frame in (2, 3, 8, 9)]


def test_the_way_follows_the_surface_exactly(goods):
    here, there = plate(5), goods[1]
    path = way(here, there, 1)
    seen = visible(here, there, path, 1)
    rows, columns = np.nonzero(seen)
    assert len(rows) > 0.7 * here.solid.sum()
    pixels = np.stack([columns + 0.5, rows + 0.5], -1)
    world = here.camera.unproject(pixels, here.depth[rows, columns].astype(float))
    local = (world - pose(5)[:3, 3]) @ pose(5)[:3, :3]
    moved = there.camera.project(local @ pose(3)[:3, :3].T + pose(3)[:3, 3])
    assert np.abs(path.x[rows, columns] - (moved[:, 0] - 0.5)).max() < 0.01
    assert np.abs(path.y[rows, columns] - (moved[:, 1] - 0.5)).max() < 0.01


def test_background_is_hidden_where_the_part_was(goods):
    here = plate(5)
    seen = visible(here, goods[1], way(here, goods[1], 0), 0)
    assert not seen[here.solid].any()
    assert not (seen & (goods[1].ids == 1)).any()  # the wall stands still
    assert seen.sum() > 0.9 * (here.ids == 0).sum() - (goods[1].ids == 1).sum()


def test_a_vanished_part_comes_back_as_it_was_drawn(goods):
    restorer = Restorer.learn(goods)
    wanted = drawing(5).astype(int)
    lost = plate(5, drawing(5, ball=False))
    result = restorer.restore(lost)
    matte = lost.matte
    inside, ring = matte > 0.5, (signed_distance(matte) > -6) & (matte <= 0.5)
    error = np.abs(result.picture.astype(int) - wanted).mean(-1)
    before = np.abs(lost.take - wanted).mean(-1)
    assert result.seen > 0.93
    assert error[inside].mean() < 9 < 60 < before[inside].mean()
    assert error[ring].mean() < 9
    assert np.array_equal(result.picture[~ring & ~inside], lost.take[~ring & ~inside].astype(np.uint8))


def test_the_outline_is_found_and_its_colour(goods):
    ink = Restorer.learn(goods).ink
    assert np.abs(ink.colour - INK).max() < 25
    at_edge, far = ink.over(np.float32([0.0])), ink.over(np.float32([-4.0]))
    assert at_edge[0] > 0.6 and far[0] == 0


def test_stripes_are_where_the_surface_has_them_not_where_they_were(goods):
    """The paint must follow the rolling surface: a copy of the neighbour's pixels would be wrong."""
    restorer = Restorer.learn(goods)
    lost = plate(6, drawing(6, ball=False))
    inner = signed_distance(lost.matte) > 4
    wanted = drawing(6).astype(float)
    made = restorer.restore(lost).picture.astype(float)
    shift = round(float(pose(6)[0, 3] - pose(3)[0, 3]) / 0.18 * K[0, 0])
    copied = np.roll(goods[1].take, shift, 1)
    assert np.abs(made - wanted)[inner].mean() < 8
    assert np.corrcoef(made[inner][:, 1], wanted[inner][:, 1])[0, 1] > 0.95
    assert np.abs(copied - wanted)[inner].mean() > 1.5 * np.abs(made - wanted)[inner].mean()


def test_what_no_good_frame_shows_is_painted_by_the_look():
    far = [plate(frame) for frame in (0, 1)]
    restorer = Restorer.learn(far)
    lost = plate(12, drawing(12, ball=False))  # rolled on by 66 degrees
    result = restorer.restore(lost)
    inner = signed_distance(lost.matte) > 4
    assert result.seen < 0.85
    error = np.abs(result.picture.astype(int) - drawing(12)).mean(-1)
    print(f"far from every good frame: off by {error[inner].mean():.1f} of 255")
    assert error[inner].mean() < 12


def test_light_around_the_part_is_kept(goods):
    """A take whose span is darker keeps its darkness around the part: nothing is pasted from brighter frames."""
    dark = (drawing(5, ball=False) * 0.85).astype(np.uint8)
    result = Restorer.learn(goods).restore(plate(5, dark))
    ring = (signed_distance(plate(5).matte) > -8) & (signed_distance(plate(5).matte) < -3)
    assert abs(float(result.picture[ring].mean()) - float(dark[ring].mean())) < 6


def test_the_check_says_how_well_the_look_can_be_made(goods):
    check = Restorer.learn(goods).check()
    assert check is not None and 0 < check < 12
    assert Restorer.learn(goods[:1]).check() is None


def test_a_part_that_no_frame_shows_can_not_be_learned():
    empty = replace(plate(3), ids=np.zeros_like(plate(3).ids))
    assert Restorer.learn([empty]) is None
    assert Restorer.learn([]) is None


def test_a_hidden_part_changes_nothing(goods):
    hidden = replace(plate(5), ids=np.zeros_like(plate(5).ids), matte=np.zeros_like(plate(5).matte))
    result = Restorer.learn(goods).restore(hidden)
    assert np.array_equal(result.picture, drawing(5)) and result.seen == 1.0


def test_signed_distance_of_a_disc():
    y, x = np.mgrid[0:80, 0:80] + 0.5
    true = 20 - np.hypot(x - 40, y - 40)
    found = signed_distance(np.clip(true + 0.5, 0, 1).astype(np.float32))
    assert np.abs(found - true)[np.abs(true) < 10].max() < 0.8
    assert np.abs(found - true)[np.abs(true) < 0.4].max() < 0.15


def test_filled_keeps_what_is_known_and_grows_flat_colour():
    picture = np.full((64, 48, 3), 77, np.float32)
    known = np.zeros((64, 48), bool)
    known[5:9, 40:44] = True
    assert np.allclose(filled(picture, known), 77, atol=0.01)
    ramp = np.repeat(np.arange(48, dtype=np.float32)[None, :, None], 64, 0)
    hole = np.ones((64, 48), bool)
    hole[20:40, 15:30] = False
    assert np.abs(filled(ramp, hole) - ramp).max() < 6


def test_nearest_names_the_nearest_pixel():
    mask = np.zeros((20, 30), bool)
    mask[3, 4] = mask[15, 22] = True
    rows, columns = nearest(mask)
    assert (rows[0, 0], columns[0, 0]) == (3, 4) and (rows[19, 29], columns[19, 29]) == (15, 22)
