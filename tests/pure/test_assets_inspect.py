# SPDX-License-Identifier: GPL-3.0-or-later
"""The quality card against known answers, planted defects, and trimesh and manifold3d as referees."""

from __future__ import annotations

import json

import manifold3d
import numpy as np
import pytest
import trimesh
from holdfast.assets.boxes import Boxes, overlapping, overlapping_self
from holdfast.assets.crossing import crossings
from holdfast.assets.distance import Surface, hausdorff
from holdfast.assets.facts import Texture
from holdfast.assets.inspect import Card, inspect_mesh
from holdfast.assets.mesh import Mesh, components
from hypothesis import given, settings
from hypothesis import strategies as st

from .assets_shapes import (
    cube,
    fine_cube,
    gear,
    joined,
    mesh_of,
    moebius,
    moved,
    referee,
    soup,
    sphere,
    torus,
)

CLEAN = (
    "holes",
    "crowded_edges",
    "pinched_vertices",
    "degenerate",
    "duplicate_faces",
    "flipped",
    "one_sided",
    "crossing",
)


def faults(card: Card) -> dict[str, int]:
    return {key: int(card.value(key)) for key in (*CLEAN, "internal_shells") if card.value(key)}


@pytest.mark.parametrize(("mesh", "volume", "area"), [
    (cube(), 1e-3, 0.06), (sphere(0.1, 5), 4 / 3 * np.pi * 1e-3, 4 * np.pi * 0.01),
    (torus(0.1, 0.03, 120), 2 * np.pi**2 * 0.1 * 0.03**2, 4 * np.pi**2 * 0.1 * 0.03),
], ids=["cube", "sphere", "torus"])  # fmt: skip
def test_sound_solids(mesh: Mesh, volume: float, area: float) -> None:
    card = inspect_mesh(mesh)
    assert faults(card) == {} and card.value("watertight") == "yes" and card.value("shells") == 1
    assert card.value("volume") == pytest.approx(volume * 1e6, rel=4e-3)
    assert card.value("area") == pytest.approx(area * 1e4, rel=4e-3)
    assert card.value("symmetry_mm") < 0.05
    assert faults(inspect_mesh(soup(mesh))) == {}


def test_the_referees_agree_about_a_gear() -> None:
    mesh = gear()
    card, solid = inspect_mesh(mesh), referee(mesh.points, mesh.triangles)
    assert solid.is_volume and card.value("watertight") == "yes" and faults(card) == {}
    assert card.value("volume") == pytest.approx(solid.volume * 1e6, rel=1e-9)
    built = manifold3d.Manifold(
        manifold3d.Mesh(mesh.points.astype(np.float32), mesh.triangles.astype(np.uint32))
    )
    assert built.status() == manifold3d.Error.NoError
    assert card.value("volume") == pytest.approx(built.volume() * 1e6, rel=1e-4)


def test_a_hole_is_told_with_its_size_and_rim() -> None:
    mesh = fine_cube()
    middle = mesh.points[mesh.triangles].mean(axis=1)
    gone = (np.abs(middle[:, :2]) < 0.025).all(axis=1) & (middle[:, 2] > 0.0499)
    card = inspect_mesh(mesh.part(~gone))
    assert card.value("watertight") == "no" and faults(card) == {"holes": 1}
    assert "70.7 mm wide, 16 edges" in card["holes"].says
    rim = mesh.points[card["holes"].where]
    assert (
        len(rim) == 16
        and np.allclose(np.abs(rim[..., :2]).max(axis=2), 0.025)
        and np.allclose(rim[..., 2], 0.05)
    )


def test_a_moebius_strip_has_one_side_and_one_rim() -> None:
    card = inspect_mesh(moebius())
    assert faults(card) == {"holes": 1, "one_sided": 120}


def test_flipped_and_doubled_faces_are_those_that_were_planted() -> None:
    mesh = sphere()
    turned = mesh.triangles.copy()
    turned[[5, 77, 400]] = turned[[5, 77, 400]][:, ::-1]
    card = inspect_mesh(Mesh(mesh.points, turned))
    assert faults(card) == {"flipped": 3} and card["flipped"].where.tolist() == [5, 77, 400]
    doubled = np.concatenate([mesh.triangles, mesh.triangles[[9]][:, [1, 2, 0]]])
    card = inspect_mesh(Mesh(mesh.points, doubled))
    assert card["duplicate_faces"].where.tolist() == [len(mesh.triangles)]
    assert card.value("crowded_edges") == 3 and card.value("watertight") == "no"


def test_degenerate_faces() -> None:
    mesh = cube()
    flat = np.concatenate([mesh.triangles, [[0, 0, 1], [2, 2, 2]]])
    card = inspect_mesh(Mesh(mesh.points, flat))
    assert faults(card) == {"degenerate": 2} and card["degenerate"].where.tolist() == [12, 13]


def test_nested_spheres_and_a_cavity() -> None:
    inner = sphere(0.05, 2)
    card = inspect_mesh(joined(sphere(), inner))
    assert faults(card) == {"internal_shells": 1} and len(card["internal_shells"].where) == len(
        inner.triangles
    )
    assert card["internal_shells"].where.min() == len(sphere().triangles)
    hollow = joined(sphere(), Mesh(inner.points, inner.triangles[:, ::-1]))
    assert "1 of them face inwards" in inspect_mesh(hollow)["internal_shells"].says
    beside = inspect_mesh(joined(sphere(), moved(inner, (0.3, 0.0, 0.0))))
    assert faults(beside) == {} and beside.value("shells") == 2


def test_crossing_cubes() -> None:
    card = inspect_mesh(joined(cube(), moved(cube(), (0.053, 0.021, 0.037))))
    assert set(faults(card)) == {"crossing"}
    pair = crossings(
        *(lambda m: (m.points, m.triangles))(joined(cube(), moved(cube(), (0.053, 0.021, 0.037))))
    ).pairs
    assert (pair[:, 0] < 12).all() and (pair[:, 1] >= 12).all()
    assert faults(inspect_mesh(joined(cube(), moved(cube(), (0.11, 0.0, 0.0))))) == {}
    touching = joined(cube(), moved(cube(), (0.1, 0.03, 0.02)))  # face upon face in one plane
    assert set(faults(inspect_mesh(touching))) == {"crossing"}


def test_cubes_that_touch_in_a_vertex_or_an_edge() -> None:
    assert faults(inspect_mesh(joined(cube(), moved(cube(), (0.1, 0.1, 0.1))))) == {"pinched_vertices": 1}
    assert faults(inspect_mesh(joined(cube(), moved(cube(), (0.1, 0.1, 0.0))))) == {"crowded_edges": 1}


def test_walls_size_and_symmetry() -> None:
    plate = mesh_of(trimesh.creation.box((0.1, 0.1, 0.0005)))
    card = inspect_mesh(plate)
    assert card.value("thinnest") == pytest.approx(0.5, abs=1e-6) and len(card["thinnest"].where) == 4
    assert card["size_mm"].says.startswith("100 x 100 x 0.5 mm")
    big = inspect_mesh(Mesh(cube().points * 1000, cube().triangles))
    assert big["size_mm"].good is False and "As millimetres it would be 0.1 m" in big["size_mm"].says
    lopsided = gear()
    bent = lopsided.points + np.where(lopsided.points[:, :1] > 0.03, [[0.0, 0.01, 0.02]], 0.0)
    assert (
        inspect_mesh(gear()).value("symmetry_mm")
        < 1e-6
        < inspect_mesh(Mesh(bent, lopsided.triangles)).value("symmetry_mm")
    )


def test_uvs() -> None:
    mesh = cube()
    square = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], np.float64)
    apart = np.array([[n % 3, n // 3] for n in range(6)], np.float64)
    spread = (np.tile(square, (6, 1, 1)) * 0.9 + np.repeat(apart, 2, axis=0)[:, None]) / 3.0
    card = inspect_mesh(
        Mesh(mesh.points, mesh.triangles, spread, textures=(Texture("wood.png", missing=True),))
    )
    assert card.value("uv_overlap") == 0.0 and card["textures"].good is False and card.value("uv_flat") == 0
    spread[:2] = spread[2:4]
    overlap = inspect_mesh(Mesh(mesh.points, mesh.triangles, spread))["uv_overlap"]
    assert overlap.where.tolist() == [0, 1, 2, 3] and overlap.value == pytest.approx(20.0, abs=0.5)
    assert inspect_mesh(mesh).value("uv_overlap") == "no UVs"


def test_the_card_travels_as_json() -> None:
    line = json.loads(json.dumps(inspect_mesh(torus()).to_json(most=5)))[4]
    assert line["key"] == "crowded_edges" and line["count"] == 0


def test_an_empty_mesh_has_a_card() -> None:
    card = inspect_mesh(Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int64)))
    assert card.value("watertight") == "no" and card.value("triangles") == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(1, 60), st.sampled_from([0.01, 0.3, 20.0]))
def test_every_overlap_of_boxes_is_told_once(seed: int, n: int, m: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    sets = []
    for count in (n, m):
        low = rng.random((count, 3))
        sets.append((low, low + rng.random((count, 3)) * spread ** rng.random((count, 1)) * 0.2))
    (la, ha), (lb, hb) = sets
    truth = ((la[:, None] <= hb) & (lb <= ha[:, None])).all(axis=2)
    told = np.concatenate(
        [np.column_stack(pair) for pair in overlapping(Boxes(la, ha), Boxes(lb, hb))] or [np.zeros((0, 2))]
    )
    assert sorted(map(tuple, told.tolist())) == sorted(map(tuple, np.argwhere(truth).tolist()))
    mine = ((la[:, None] <= ha) & (la <= ha[:, None])).all(axis=2)
    told = np.concatenate(
        [np.sort(np.column_stack(pair), axis=1) for pair in overlapping_self(Boxes(la, ha))]
    )
    assert sorted(map(tuple, told.tolist())) == sorted(map(tuple, np.argwhere(np.triu(mine, 1)).tolist()))


def pierces(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether an edge of triangle a goes through triangle b, by signs of volumes."""

    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray, s: np.ndarray) -> float:
        return float(np.sign(np.linalg.det(np.array([q - p, r - p, s - p]))))

    for p, q in ((a[0], a[1]), (a[1], a[2]), (a[2], a[0])):
        if side(*b, p) != side(*b, q) and len({side(p, q, b[n], b[(n + 1) % 3]) for n in range(3)}) == 1:
            return True
    return False


def test_crossings_are_those_of_a_slow_and_plain_test() -> None:
    points = np.random.default_rng(5).random((90, 3))
    triangles = np.arange(90).reshape(-1, 3)
    corners = points[triangles]
    pairs = [(i, j) for i in range(30) for j in range(i + 1, 30)]
    truth = {(i, j) for i, j in pairs if pierces(corners[i], corners[j]) or pierces(corners[j], corners[i])}
    assert set(map(tuple, crossings(points, triangles).pairs.tolist())) == truth and len(truth) > 20


def test_distances() -> None:
    mesh = cube(2.0)
    surface = Surface(mesh.points, mesh.triangles)
    asked = np.array([[0, 0, 0], [3, 0, 0], [2, 2, 0], [2, 2, 2], [0.9, 0.1, 0.2]], np.float64)
    assert surface.distance(asked) == pytest.approx([1, 2, 2**0.5, 3**0.5, 0.1])
    rng = np.random.default_rng(3)
    asked, ball = rng.normal(size=(300, 3)), sphere(1.0, 2)
    solid = referee(ball.points, ball.triangles)
    truth = trimesh.proximity.closest_point_naive(solid, asked)[1]
    assert Surface(ball.points, ball.triangles).distance(asked) == pytest.approx(truth)
    apart = hausdorff((mesh.points, mesh.triangles), (mesh.points * 1.5, mesh.triangles))
    assert apart.worst == pytest.approx(3**0.5 / 2, rel=1e-6) and apart.worst < apart.worst + apart.bound


def test_components_of_a_long_chain_and_of_random_links() -> None:
    chain = np.random.default_rng(1).permutation(5000)
    assert set(components(5000, chain[:-1], chain[1:]).tolist()) == {0}
    assert components(4, np.array([0]), np.array([2])).tolist() == [0, 1, 0, 2]
