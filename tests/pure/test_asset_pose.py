# SPDX-License-Identifier: GPL-3.0-or-later
"""Size, up and origin of what is brought in, against solids whose answer is known."""

import numpy as np
import pytest
from holdfast.operators import asset_pose
from holdfast.pipeline.errors import InputError

BOX = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
FACES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4],
     [1, 5, 7], [1, 7, 3]], np.int64,
)  # fmt: skip


def turned(profile: list[tuple[float, float]], sides: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """A closed solid of revolution about z; ``profile`` (radius, height) from pole to pole."""
    angles = np.arange(sides) * 2 * np.pi / sides
    points = [[0, 0, profile[0][1]]]
    for radius, height in profile[1:-1]:
        points += [[radius * np.cos(a), radius * np.sin(a), height] for a in angles]
    points.append([0, 0, profile[-1][1]])
    k, on = np.arange(sides), (np.arange(sides) + 1) % sides
    faces = [np.stack([np.zeros(sides, int), 1 + on, 1 + k], 1)]
    for ring in range(len(profile) - 3):
        a, b = 1 + ring * sides, 1 + (ring + 1) * sides
        faces += [np.stack([a + k, a + on, b + on], 1), np.stack([a + k, b + on, b + k], 1)]
    last = 1 + (len(profile) - 3) * sides
    faces.append(np.stack([last + k, last + on, np.full(sides, len(points) - 1)], 1))
    return np.array(points, float), np.concatenate(faces).astype(np.int64)


def test_centres_of_mass_of_solids_that_are_known():
    cone, faces = turned([(0, 0), (1, 0), (0, 4)])
    assert asset_pose.middle(cone, faces, "MASS", "cone").point == pytest.approx([0, 0, 1], abs=1e-9)
    heights = np.linspace(0, np.pi / 2, 80)
    half, faces = turned([(0, 0), (1, 0), *((np.cos(h), np.sin(h)) for h in heights[1:-1]), (0, 1)], 96)
    found = asset_pose.middle(half, faces, "MASS", "half a ball")
    assert found.point == pytest.approx([0, 0, 3 / 8], abs=2e-3) and not found.note
    stair = [BOX * (2, 1, 1), BOX + np.array((0, 0, 1))]
    points, faces = asset_pose.joined([(each, FACES) for each in stair])
    assert asset_pose.middle(points, faces, "MASS", "two boxes").point == pytest.approx(
        [2.5 / 3, 0.5, 2.5 / 3]
    )


def test_the_origin_does_not_depend_on_how_finely_a_solid_is_cut_or_where_it_is():
    cone, faces = turned([(0, 0), (1, 0), (0, 4)], 128)
    low, high = asset_pose.AXES["Z"], np.array([1e3, -2e3, 5e2])
    fine = asset_pose.middle(cone + high, faces, "MASS", "cone").point - high
    assert fine == pytest.approx(np.array(low), abs=1e-8)
    inside_out = asset_pose.middle(cone, faces[:, ::-1], "MASS", "cone")
    assert inside_out.point == pytest.approx([0, 0, 1], abs=1e-9)


def test_what_encloses_nothing_says_so():
    sheet = np.array([[0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0]], float)
    found = asset_pose.middle(sheet, np.array([[0, 1, 2], [0, 2, 3]]), "MASS", "sheet")
    assert found.point == pytest.approx([1, 1, 0]) and "encloses nothing" in found.note
    holed = asset_pose.middle(*open_ball(), "MASS", "ball")
    assert "has holes" in holed.note and np.linalg.norm(holed.point) < 0.02


def open_ball() -> tuple[np.ndarray, np.ndarray]:
    heights = np.linspace(-np.pi / 2, np.pi / 2, 40)
    points, faces = turned([(0, -1), *((np.cos(h), np.sin(h)) for h in heights[1:-1]), (0, 1)], 80)
    return points, np.delete(faces, 3000, axis=0)


def test_base_and_keep():
    assert asset_pose.middle(BOX + 5, FACES, "BASE", "box").point == pytest.approx([5.5, 5.5, 5])
    assert asset_pose.middle(BOX + 5, FACES, "KEEP", "box").point == pytest.approx([0, 0, 0])


@pytest.mark.parametrize("axis", list(asset_pose.AXES))
def test_each_axis_is_brought_up_without_a_mirror(axis):
    turn = asset_pose.turned_up(axis)[:3, :3]
    assert turn @ np.array(asset_pose.AXES[axis]) == pytest.approx([0, 0, 1])
    assert np.linalg.det(turn) == pytest.approx(1.0)


@pytest.mark.parametrize("axis", list(asset_pose.AXES))
def test_up_is_found_where_it_shows(axis):
    """A vase stands on its foot: a flat end below, a round one above, however the file has it."""
    vase, faces = turned([(0, 0), (0.5, 0), (1, 1), (0.6, 2), (0.3, 2.4), (0, 2.5)], 48)
    lies = vase @ asset_pose.turned_up(axis)[:3, :3]
    assert asset_pose.up_axis(lies, faces) == axis
    posed = asset_pose.pose(lies, faces, told_up=False)
    assert posed.up == axis and bool(posed.notes) == (axis != "Z")
    stands = lies @ posed.whole[:3, :3].T + posed.whole[:3, 3]
    assert np.ptp(stands[:, 2]) == pytest.approx(2.5) and stands[:, 2].min() == pytest.approx(0.0)


def test_where_nothing_tells_up_it_stays():
    assert asset_pose.up_axis(BOX, FACES) == "Z"
    assert asset_pose.pose(BOX, FACES, told_up=True).up == "Z"


def test_real_size_by_either_edge():
    points = BOX * (4, 1, 2)
    by_longest = asset_pose.pose(points, FACES, up="Z", size_mm=80.0)
    by_height = asset_pose.pose(points, FACES, up="Z", size_mm=80.0, measure="HEIGHT")
    assert (by_longest.scale, by_height.scale) == (pytest.approx(0.02), pytest.approx(0.04))
    low, high = bounds(points, by_longest)
    assert low == pytest.approx([-0.04, -0.01, 0]) and high == pytest.approx([0.04, 0.01, 0.04])
    kept = asset_pose.pose(points, FACES, up="Z", floor=False)
    assert kept.whole == pytest.approx(np.eye(4)) and not kept.notes
    with pytest.raises(InputError, match="no height"):
        asset_pose.pose(points * (1, 1, 0), FACES, up="Z", size_mm=5.0, measure="HEIGHT")
    with pytest.raises(InputError, match="no axis"):
        asset_pose.pose(points, FACES, up="W")


def test_a_size_that_is_hardly_meant_is_said():
    assert "250 m" in asset_pose.pose(BOX * 250, FACES, up="Z").notes[0]
    assert "mm" in asset_pose.pose(BOX * 1e-4, FACES, up="Z").notes[0]
    assert not asset_pose.pose(BOX * 250, FACES, up="Z", size_mm=250.0).notes


def bounds(points: np.ndarray, posed: asset_pose.Posed) -> tuple[np.ndarray, np.ndarray]:
    there = points @ posed.whole[:3, :3].T + posed.whole[:3, 3]
    return there.min(axis=0), there.max(axis=0)
