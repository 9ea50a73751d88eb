# SPDX-License-Identifier: GPL-3.0-or-later
"""Plates and blobs against areas and volumes that are known, with trimesh as the referee."""

from __future__ import annotations

import numpy as np
import pytest
from holdfast.clients.offline import polygon
from holdfast.clients.offline.extrude import build_plate, plate
from holdfast.clients.offline.inflate import build_blob
from holdfast.clients.offline.mesh_quality import quality, uv_overlap
from holdfast.clients.offline.outline import Outline
from holdfast.pipeline.errors import InputError
from hypothesis import given, settings
from hypothesis import strategies as st

from .test_mesh_turned import MARGIN, assert_sound


def circle(radius: float, x: float = 0, y: float = 0, count: int = 120) -> np.ndarray:
    a = 2 * np.pi * np.arange(count) / count
    return np.stack([x + radius * np.cos(a), y + radius * np.sin(a)], axis=1)


def outline(contour: np.ndarray, holes: tuple[np.ndarray, ...] = (), method: str = "EXTRUDE") -> Outline:
    return Outline(
        "toy", float(np.ptp(contour[:, 1])), method, 1.0, (), contour, np.empty((0, 2)), holes=holes
    )


def star(seed: int, count: int) -> np.ndarray:
    """A random simple polygon around the origin, anticlockwise."""
    rng = np.random.default_rng(seed)
    a = np.sort(rng.uniform(0, 2 * np.pi, count)) + np.linspace(0, 1e-3, count)
    return rng.uniform(8, 30, count)[:, None] * np.stack([np.cos(a), np.sin(a)], axis=1)


def drawable(seed: int, count: int) -> np.ndarray:
    """Like ``star``, but with no spike finer than a pencil's stroke."""
    rng = np.random.default_rng(seed)
    a = (np.arange(count) + rng.uniform(-0.3, 0.3, count)) / count * 2 * np.pi
    return rng.uniform(12, 30, count)[:, None] * np.stack([np.cos(a), np.sin(a)], axis=1)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 100_000), st.integers(7, 60), st.integers(0, 3))
def test_triangles_cover_the_polygon_and_nothing_else(seed: int, count: int, holes: int) -> None:
    ring = star(seed, count)
    gaps = np.diff(np.arctan2(ring[:, 1], ring[:, 0]), append=np.arctan2(ring[0, 1], ring[0, 0]) + 2 * np.pi)
    if (gaps > 2.2).any():
        return  # the holes below need the middle to be inside
    rings = [
        ring,
        *(circle(0.6, 1.6 * np.cos(k * 2.1), 1.6 * np.sin(k * 2.1), 9)[::-1] for k in range(holes)),
    ]
    points, tris = np.concatenate(rings), polygon.triangulated(rings)
    areas = np.array([polygon.area(points[t]) for t in tris])
    assert (areas > -1e-9).all()
    assert areas.sum() == pytest.approx(sum(polygon.area(r) for r in rings), rel=1e-9)
    assert len(tris) == len(points) + 2 * holes - 2


def test_washer_has_the_volume_of_a_washer() -> None:
    made = plate([circle(20), circle(8)[::-1]], 5.0, 0.4, MARGIN)
    assert_sound(made.mesh, euler=0)
    exact = np.pi * (400 - 64) * 5
    assert quality(made.mesh)["volume_m3"] * 1e9 == pytest.approx(exact, rel=0.005)


def test_square_plate_keeps_its_size_and_loses_only_the_bevel() -> None:
    square = np.array([[-15, 0], [15, 0], [15, 40], [-15, 40]], float)
    made = build_plate(outline(square, (circle(5, 0, 20)[::-1],)), 96, MARGIN)
    assert_sound(made.mesh, euler=0)
    card = quality(made.mesh)
    assert card["size_mm"][0] == pytest.approx(30, abs=0.05) and card["size_mm"][2] == pytest.approx(
        40, abs=0.05
    )
    assert card["volume_m3"] * 1e9 == pytest.approx((1200 - 25 * np.pi) * card["size_mm"][1], rel=0.02)
    assert made.mesh.vertices[:, 2].min() == pytest.approx(0, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 100_000), st.integers(8, 30))
def test_any_outline_gives_a_sound_plate(seed: int, count: int) -> None:
    made = build_plate(outline(drawable(seed, count)), 96, MARGIN)
    card = quality(made.mesh)
    assert card["watertight"] and card["oriented"] and card["shells"] == 1 and card["volume_m3"] > 0


def test_an_outline_finer_than_the_pencil_is_refused() -> None:
    with pytest.raises(InputError, match="crosses itself"):
        build_plate(outline(star(232, 8)), 96, MARGIN)


def test_inflated_disc_is_a_flattened_ball() -> None:
    made = build_blob(outline(circle(20, 0, 20), method="INFLATE"), 64, MARGIN)
    assert_sound(made.mesh)
    card = quality(made.mesh)
    flat = 0.85**0.5
    assert card["volume_m3"] * 1e9 == pytest.approx(4 / 3 * np.pi * 20**3 * flat, rel=0.02)
    assert card["size_mm"] == pytest.approx([40, 40 * flat, 40], abs=0.5)
    assert card["mirror_mm"] < 40 / 64  # nearest vertex: up to one cell


@pytest.mark.parametrize("detail", [24, 48, 96])
def test_blob_with_limbs_is_one_sound_skin(detail: int) -> None:
    a = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    contour = (22 + 7 * np.cos(5 * a))[:, None] * np.stack([np.cos(a), np.sin(a)], axis=1) + (0, 30)
    made = build_blob(outline(contour, method="INFLATE"), detail, MARGIN)
    assert_sound(made.mesh)


def test_overlap_is_seen() -> None:
    one = np.array([[[0.1, 0.1], [0.6, 0.1], [0.1, 0.6]]])
    assert uv_overlap(one) == 0
    assert uv_overlap(np.concatenate([one, one])) == 1
    apart = one + np.array([0.25, 0.0])  # half as wide a triangle is shared
    assert uv_overlap(np.concatenate([one, apart])) == pytest.approx(0.25 / 1.75, abs=0.01)
