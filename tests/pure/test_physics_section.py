# SPDX-License-Identifier: GPL-3.0-or-later
"""Cuts through meshes against closed forms: areas, holes, closedness, planes through corners and along faces."""

from __future__ import annotations

import math

import numpy as np
import pytest
import trimesh
from holdfast.physics import rigid, section, views
from hypothesis import given, settings
from hypothesis import strategies as st

lengths = st.floats(0.002, 0.03)
angles = st.floats(-3.1, 3.1)


def plane_of(
    axis: tuple[float, float, float], origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> np.ndarray:
    return rigid.frame(origin, axis)


def cut(mesh: trimesh.Trimesh, plane: np.ndarray, **more: float) -> list[np.ndarray]:
    return section.cut(np.asarray(mesh.vertices), np.asarray(mesh.faces), plane, **more)


def total(loops: list[np.ndarray]) -> float:
    return sum(section.area(loop) for loop in loops)


def polygon_area(sides: int, radius_mm: float) -> float:
    return 0.5 * sides * radius_mm**2 * math.sin(2.0 * math.pi / sides)


@settings(max_examples=40, deadline=None)
@given(x=lengths, y=lengths, z=lengths, tilt=st.floats(-0.3, 0.3), turn=angles)
def test_a_tilted_cut_through_a_box_has_the_area_of_its_shadow(x, y, z, tilt, turn):
    """Where the cut meets the sides alone its shadow along z is the base, so its area is that over the cosine."""
    tilt = math.atan(tilt * z / math.hypot(x, y))
    axis = (math.sin(tilt) * math.cos(turn), math.sin(tilt) * math.sin(turn), math.cos(tilt))
    loops = cut(trimesh.creation.box((x, y, z)), plane_of(axis))
    assert len(loops) == 1 and len(loops[0]) == 4
    assert total(loops) == pytest.approx(1e6 * x * y / math.cos(tilt), rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(outer=lengths, share=st.floats(0.2, 0.8), height=st.floats(-0.9, 0.9), sides=st.integers(8, 90))
def test_a_tube_is_a_ring_with_a_hole(outer, share, height, sides):
    mesh = trimesh.creation.annulus(share * outer, outer, 0.02, sections=sides)
    loops = cut(mesh, plane_of((0.0, 0.0, 1.0), (0.0, 0.0, 0.0099 * height)))
    found = sorted(section.area(loop) for loop in loops)
    assert len(found) == 2 and found[0] < 0.0 < found[1]
    assert found[1] == pytest.approx(polygon_area(sides, 1e3 * outer), rel=1e-6)
    assert -found[0] == pytest.approx(polygon_area(sides, 1e3 * share * outer), rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(height=st.floats(-0.95, 0.95))
def test_a_torus_cut_across_is_two_circles_and_along_a_ring(height):
    large, small, fine = 0.02, 0.005, 240
    mesh = trimesh.creation.torus(large, small, major_sections=fine, minor_sections=fine)
    z = height * small
    half = math.sqrt(small**2 - z**2)
    ring = cut(mesh, plane_of((0.0, 0.0, 1.0), (0.0, 0.0, z)))
    assert total(ring) == pytest.approx(1e6 * math.pi * ((large + half) ** 2 - (large - half) ** 2), rel=2e-3)
    assert sorted(section.area(loop) > 0.0 for loop in ring) == [False, True]
    discs = cut(mesh, plane_of((math.cos(height), math.sin(height), 0.0)))
    assert len(discs) == 2 and all(section.area(loop) > 0.0 for loop in discs)
    assert total(discs) == pytest.approx(2e6 * math.pi * small**2, rel=2e-3)


@settings(max_examples=60, deadline=None)
@given(corner=st.integers(0, 161), turn=angles, lean=angles)
def test_planes_through_corners_still_give_closed_outlines(corner, turn, lean):
    mesh = trimesh.creation.icosphere(subdivisions=2, radius=0.01)
    axis = (math.cos(turn) * math.cos(lean), math.sin(turn) * math.cos(lean), math.sin(lean))
    at = tuple(0.8 * mesh.vertices[corner])
    through = rigid.frame(tuple(mesh.vertices[corner] * 0.0), axis)
    assert len(cut(mesh, through)) == 1
    beside = cut(mesh, rigid.frame(at, mesh.vertices[corner]))
    assert len(beside) == 1 and total(beside) == pytest.approx(math.pi * 100.0 * (1.0 - 0.64), rel=0.08)


def test_planes_along_faces_and_edges_and_through_rows_of_corners():
    box = trimesh.creation.box((0.01, 0.02, 0.03)).subdivide().subdivide()
    for height in (-0.015, -0.0075, 0.0, 0.0075):
        loops = cut(box, plane_of((0.0, 0.0, 1.0), (0.0, 0.0, height)))
        expected = 0.0 if height == -0.015 else 200.0
        assert total(loops) == pytest.approx(expected, abs=1e-9), height
    assert [len(loop) for loop in loops] == [4], "collinear corners are dropped"
    assert total(cut(box, plane_of((0.0, 0.0, 1.0), (0.0, 0.0, 0.015)))) == pytest.approx(200.0)
    diagonal = cut(box, plane_of((1.0, 0.5, 0.0)))
    assert total(diagonal) == pytest.approx(1e3 * 0.03 * 1e3 * math.hypot(0.01, 0.02), rel=1e-9)
    assert cut(box, plane_of((0.0, 0.0, 1.0), (0.0, 0.0, 0.02))) == []


def test_an_inside_out_mesh_and_loose_triangles_are_cut_alike():
    mesh = trimesh.creation.annulus(0.004, 0.008, 0.01, sections=48)
    plane = plane_of((0.0, 0.0, 1.0), (0.0, 0.0, 0.001))
    whole = cut(mesh, plane)
    turned = section.cut(np.asarray(mesh.vertices), np.asarray(mesh.faces)[:, ::-1], plane)
    soup = section.cut(mesh.triangles.reshape(-1, 3), np.arange(3 * len(mesh.faces)).reshape(-1, 3), plane)
    for other in (turned, soup):
        assert [len(loop) for loop in other] == [len(loop) for loop in whole]
        assert all(np.allclose(a, b, atol=1e-9) for a, b in zip(other, whole, strict=True))


def test_a_slightly_open_mesh_is_closed_and_a_gaping_one_left_out():
    mesh = trimesh.creation.cylinder(0.008, 0.02, sections=720)
    middle = np.asarray(mesh.triangles_center)
    angle = np.arctan2(middle[:, 1], middle[:, 0])
    plane = plane_of((0.0, 0.0, 1.0), (0.0, 0.0, 0.001))
    for degrees, loops in ((0.6, 1), (20.0, 0)):
        kept = np.asarray(mesh.faces)[
            (np.abs(angle - 1.0) > math.radians(degrees) / 2) | (np.abs(middle[:, 2]) > 0.009)
        ]
        found = section.cut(np.asarray(mesh.vertices), kept, plane, gap_mm=0.2)
        assert len(found) == loops
        if loops:
            assert total(found) == pytest.approx(polygon_area(720, 8.0), rel=1e-3)


def test_a_flipped_face_does_not_open_the_outline():
    mesh = trimesh.creation.cylinder(0.008, 0.02, sections=48)
    faces = np.asarray(mesh.faces).copy()
    crossing = [k for k, face in enumerate(faces) if np.ptp(np.sign(mesh.vertices[face][:, 2] - 0.001)) > 0]
    faces[crossing[5]] = faces[crossing[5]][::-1]
    found = section.cut(np.asarray(mesh.vertices), faces, plane_of((0.0, 0.0, 1.0), (0.0, 0.0, 0.001)))
    assert len(found) == 1
    assert total(found) == pytest.approx(polygon_area(48, 8.0), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    left=st.floats(-12.0, 6.0),
    bottom=st.floats(-12.0, 6.0),
    wide=st.floats(0.5, 10.0),
    high=st.floats(0.5, 10.0),
)
def test_a_window_cuts_a_ring_to_the_same_area_as_a_fine_grid(left, bottom, wide, high):
    ring = cut(trimesh.creation.annulus(0.004, 0.008, 0.01, sections=64), plane_of((0.0, 0.0, 1.0)))
    window = (left, bottom, left + wide, bottom + high)
    x, y = np.meshgrid(
        left + wide * (np.arange(300) + 0.5) / 300, bottom + high * (np.arange(300) + 0.5) / 300
    )
    radius = np.hypot(x, y)
    inside = float(((radius > 4.0) & (radius < 8.0)).mean()) * wide * high
    assert total(section.clipped(ring, window)) == pytest.approx(inside, abs=0.02 * wide * high)


def test_spans_of_a_ring_along_a_line():
    ring = cut(trimesh.creation.annulus(0.004, 0.008, 0.01, sections=360), plane_of((0.0, 0.0, 1.0)))
    found = section.spans(ring, 1, 0.0)
    assert np.allclose(found, [(-8.0, -4.0), (4.0, 8.0)], atol=1e-3)
    (alone,) = section.spans(ring, 0, 6.0)
    assert alone == pytest.approx((-math.sqrt(28.0), math.sqrt(28.0)), abs=1e-3)
    assert section.spans(ring, 0, 9.0) == []


def look(**more: object) -> views.Look:
    return views.Look(radius=0.008, height=-0.005, span=(-0.012, 0.006), frame=52.0, **more)  # type: ignore[arg-type]


def pin_in_bore(clearance_mm: float = 0.2) -> list[views.Piece]:
    peg = trimesh.creation.cylinder(0.005, 0.01, sections=180)
    peg.apply_translation((0.0, 0.0, -0.005))
    socket = trimesh.creation.annulus(0.005 + clearance_mm * 1e-3, 0.012, 0.02, sections=180)
    socket.apply_translation((0.0, 0.0, -0.01))
    return [
        views.Piece("pin", "peg", np.asarray(peg.vertices), np.asarray(peg.faces)),
        views.Piece("block", "socket", np.asarray(socket.vertices), np.asarray(socket.faces)),
    ]


def test_the_pictures_of_a_joint_measure_its_clearance():
    made = views.sections(
        pin_in_bore(), look(lock=(0.005, -0.005), worst=(0.005, 0.0, -0.005), worst_says="here")
    )
    assert [(one["view"], one["frame"], one["unit"]) for one in made] == [
        ("axial", 52.0, "mm"), ("radial", 52.0, "mm"), ("axial", 52.0, "mm"),
    ]  # fmt: skip
    assert all({shape["role"] for shape in one["shapes"]} == {"peg", "socket"} for one in made)
    assert all(one["marks"][0]["says"] == "here" for one in made)
    assert made[0]["marks"][0]["at"] == [5.0, -5.0] and made[1]["marks"][0]["at"] == [5.0, 0.0]
    (dim,) = made[2]["dims"]
    print("clearance", dim)
    assert dim["to"][0] - dim["from"][0] == pytest.approx(0.2, abs=1e-3)


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.0])
def test_the_cut_along_the_axis_turns_with_its_angle(angle):
    box = trimesh.creation.box((0.008, 0.004, 0.01))
    box.apply_transform(trimesh.transformations.rotation_matrix(angle, (0, 0, 1)))
    pieces = [views.Piece("box", "peg", np.asarray(box.vertices), np.asarray(box.faces))]
    axial, radial = views.sections(
        pieces, views.Look(radius=0.008, height=0.0, span=(-0.01, 0.01), angle=angle)
    )
    for one, high in ((axial, 5.0), (radial, 2.0)):
        loop = np.array(one["shapes"][0]["loops"][0])
        assert np.abs(loop).max(axis=0) == pytest.approx((4.0, high), abs=1e-3)


def test_cuts_are_the_same_however_the_mesh_is_numbered():
    mesh = trimesh.creation.torus(0.02, 0.005, major_sections=40, minor_sections=30)
    shuffle = np.random.default_rng(1)
    order, faces = shuffle.permutation(len(mesh.vertices)), shuffle.permutation(len(mesh.faces))
    place = np.argsort(order)
    plane = plane_of((0.3, 0.2, 1.0), (0.0, 0.001, 0.0))
    first = cut(mesh, plane)
    again = section.cut(np.asarray(mesh.vertices)[order], place[np.asarray(mesh.faces)[faces]], plane)
    assert len(first) == len(again)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
