# SPDX-License-Identifier: GPL-3.0-or-later
"""The axis finder on random parts with planted noise, holes and flipped faces; what it says when it can't tell."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from holdfast.physics import axis, features
from holdfast.pipeline.errors import InputError

sys.path.insert(0, str(Path(__file__).parent))
import physics_parts_random as random_parts
import physics_shapes as shapes
from physics_parts_random import RandomPart


def find(part: RandomPart, **picks: object) -> features.Feature:
    return axis.find_cylinder(part.vertices, part.triangles, part.kind, part.name, part.hint, **picks)


def errors(part: RandomPart, found: features.Feature) -> tuple[float, float, float]:
    """Degrees (180 is the wrong end), radii aside at half length, share of the radius."""
    way = np.array(found.axis)
    side = 1.0 if part.kind == "peg" else -1.0
    middle = part.origin + side * 0.5 * part.length * part.axis
    off = np.cross(middle - np.array(found.origin), way)
    angle = np.degrees(np.arctan2(np.linalg.norm(np.cross(way, part.axis)), way @ part.axis))
    return float(angle), float(np.linalg.norm(off)) / part.radius, abs(found.radius / part.radius - 1.0)


def right(part: RandomPart, found: features.Feature) -> bool:
    degrees, aside, radius = errors(part, found)
    print(
        f"{part.name}: {degrees:.2f} deg, {100 * aside:.2f} % aside, radius {100 * radius:.2f} %, sure {found.confidence}"
    )
    return degrees < 1.0 and aside < 0.03 and radius < 0.02


@pytest.mark.parametrize("name", [name for name in random_parts.KINDS if name != "peg on figure"])
def test_what_is_plain_is_found_through_noise_holes_and_flipped_faces(name: str) -> None:
    clean = random_parts.make(name, 1)
    assert right(clean, find(clean))
    noisy = random_parts.spoil(clean, 0.01, 1)
    found = find(noisy)
    assert right(noisy, found) and found.source == "detected"


@pytest.mark.parametrize("name", [name for name in random_parts.KINDS if "coarse" not in name])
def test_one_click_carries_through_three_times_the_noise(name: str) -> None:
    part = random_parts.spoil(random_parts.make(name, 3), 0.03, 3)
    found = find(part, picked=random_parts.click(part, 3)[0])
    assert right(part, found) and found.source == "picked"


@pytest.mark.parametrize("name", ["peg with lugs", "ring"])
def test_what_is_there_is_listed_with_one_click_or_two(name: str) -> None:
    part = random_parts.spoil(random_parts.make(name, 3), 0.03, 3)
    point, normal = random_parts.click(part, 3)
    here = axis.find_axis_here(part.vertices, part.triangles, point, normal)
    assert here == sorted(here, key=lambda feature: -feature.confidence)
    assert right(part, next(f for f in here if f.kind == part.kind))
    end = random_parts.end_click(part)
    there = axis.find_axis_here(part.vertices, part.triangles, point, normal, end)
    assert next(f for f in there if f.kind == part.kind) == find(part, picked=point, picked_end=end)


@pytest.mark.parametrize(
    ("name", "noise", "clicks"),
    [("peg on figure", 0.01, 0), ("coarse peg", 0.03, 1), ("coarse bore", 0.03, 1)],
)
def test_what_is_hard_is_right_or_refused_with_what_to_do(name: str, noise: float, clicks: int) -> None:
    part = random_parts.spoil(random_parts.make(name, 1), noise, 1)
    try:
        assert right(part, find(part, picked=random_parts.click(part, 1)[0] if clicks else None))
    except InputError as error:
        print(error)
        assert "Click the side" in error.todo or "Smooth" in error.todo


def test_the_same_mesh_gives_the_same_answer() -> None:
    part = random_parts.spoil(random_parts.make("socket with slots", 4), 0.01, 4)
    assert find(part) == find(part)


def test_every_version_of_numpy_gives_the_same_numbers() -> None:
    part = random_parts.spoil(random_parts.make("ring", 5), 0.03, 5)
    found = find(part, picked=random_parts.click(part, 5)[0])
    assert all(type(x) is float for x in (found.radius, found.length, *found.axis, *found.origin))
    assert (found.radius, found.length, found.confidence) == (0.0267986, 0.0437822, 0.659)
    assert found.axis == (0.66787, 0.6653866, 0.3334821)
    assert found.origin == (-0.0410728, 0.1761567, -0.0395478)


def test_length_and_plane_of_the_rim_are_measured() -> None:
    part = random_parts.spoil(random_parts.make("ring", 5), 0.01, 5)
    found = find(part)
    rim = float((np.array(found.origin) - part.origin) @ part.axis) / part.radius
    print(
        f"rim off by {100 * rim:.2f} % of the radius, depth by {100 * (found.length / part.length - 1):.2f} %"
    )
    assert abs(rim) < 0.01
    assert found.length == pytest.approx(part.length, rel=0.02)


@pytest.mark.parametrize("name", ["peg with lugs", "socket with slots"])
def test_lugs_and_slots_that_are_there_are_counted_and_placed(name: str) -> None:
    counted = 0
    for seed in range(6, 9):
        part = random_parts.spoil(random_parts.make(name, seed), 0.01, seed)
        found = find(part)
        if len(found.angles) != len(part.angles):
            continue
        counted += 1
        x, y = found.frame[:3, 0], found.frame[:3, 1]
        for angle in found.angles:
            local = part.local(((np.cos(angle) * x + np.sin(angle) * y) * part.radius + part.origin)[None])
            truth = np.arctan2(local[0, 1], local[0, 0])
            nearest = min(abs((truth - other + np.pi) % (2 * np.pi) - np.pi) for other in part.angles)
            assert np.degrees(nearest) < 6.0
    print(f"{name}: {counted} of 3 counted")
    assert counted >= 2


def test_a_second_click_tells_which_end_goes_in() -> None:
    points, corners = shapes.lathe([(0.0, 0.0), (0.0075, 0.0), (0.0075, 0.01), (0.0, 0.01)])
    side = (0.0075, 0.0, 0.005)
    with pytest.raises(
        InputError, match=r"Which end.*Click a second time, on the edge of the tip that goes in"
    ):
        axis.find_cylinder(points, corners, "peg", "it", picked=side)
    for z, way in ((0.0, -1.0), (0.01, 1.0)):
        found = axis.find_cylinder(points, corners, "peg", "it", picked=side, picked_end=(0.0075, 0.0, z))
        assert found.axis == (0.0, 0.0, way)
        assert found.origin == pytest.approx((0.0, 0.0, 0.01 - z), abs=1e-7)
        on_the_tip = axis.find_cylinder(points, corners, "peg", "it", picked=(0.003, 0.0, z))
        assert on_the_tip.axis == found.axis


def test_a_bore_that_goes_through_asks_for_its_rim() -> None:
    ring = [(0.01, 0.0), (0.014, 0.0), (0.014, 0.015), (0.01, 0.015), (0.01, 0.0)]
    points, corners = shapes.lathe(ring)
    with pytest.raises(InputError, match=r"goes through.*Click the rim where"):
        axis.find_cylinder(points, corners, "socket", "it")
    found = axis.find_cylinder(points, corners, "socket", "it", picked=(0.01, 0.0, 0.014))
    assert found.axis == (0.0, 0.0, 1.0) and found.origin == pytest.approx((0.0, 0.0, 0.015), abs=1e-7)


def test_a_body_on_the_side_of_the_tip_is_not_believed() -> None:
    points, corners = shapes.lathe(
        [(0, -0.01), (0.0075, -0.01), (0.0075, 0), (0.012, 0), (0.012, 0.002), (0, 0.002)]
    )
    with pytest.raises(InputError, match="on the side of the peg's free end"):
        axis.find_cylinder(points, corners, "peg", "it", (0.0, 0.0, -0.05))
    found = axis.find_cylinder(points, corners, "peg", "it", (0.0, 0.0, 0.05))
    assert found.axis == (0.0, 0.0, -1.0) and found.length == pytest.approx(0.01, abs=1e-6)


@pytest.mark.parametrize(
    ("points", "corners"), [shapes.box(1, 2, 3), (np.zeros((3, 3)), np.array([[0, 1, 2]]))]
)
def test_what_has_no_peg_is_refused(points: np.ndarray, corners: np.ndarray) -> None:
    for kind in ("peg", "socket"):
        with pytest.raises(InputError, match=f"No {kind} was found"):
            axis.find_cylinder(points, corners, kind, "it")
    assert axis.find_axis_here(points, corners, (0.5, 0.0, 0.0)) == []


def test_what_was_found_can_be_stated_and_read_back() -> None:
    found = find(random_parts.make("peg with lugs", 6))
    assert features.parse(json.dumps(found.to_json()), "it") == [found]


@pytest.mark.parametrize("tilt", [1.0, 4.0])
def test_a_rim_that_is_not_square_to_its_bore_does_not_bend_it(tilt: float) -> None:
    slope = np.tan(np.radians(tilt))

    def field(p: np.ndarray) -> np.ndarray:
        block = random_parts.box(p, (0.0, 0.0, -1.2), (2.0, 2.0, 2.0))
        return np.maximum(np.maximum(block, p[:, 2] - slope * p[:, 0]), -random_parts.rod(p, 1.0, -2.0, 4.0))

    points, corners = random_parts.surface_nets(field, np.full(3, -3.3), np.array((2.1, 2.1, 0.9)), 0.1)
    z, x = np.array((0.0, 0.0, 1.0)), np.array((1.0, 0.0, 0.0))
    part = RandomPart("oblique", "socket", points, corners, z, x, np.zeros(3), 1.0, 2.0, None)
    for noise in (0.0, 0.01):
        assert right(part, find(random_parts.spoil(part, noise, 1)))
