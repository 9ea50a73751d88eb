# SPDX-License-Identifier: GPL-3.0-or-later
"""Turned parts against solids whose volume is known, with trimesh as the referee."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import trimesh
from holdfast.clients.offline.mesh_quality import quality
from holdfast.clients.offline.meshing import Mesh
from holdfast.clients.offline.outline import Outline
from holdfast.clients.offline.outline_features import Feature
from holdfast.clients.offline.parts import build_parts
from holdfast.clients.offline.revolve import revolve
from holdfast.clients.offline.texture import palette
from holdfast.clients.offline.turned import finished, peg_profile
from holdfast.pipeline.errors import InputError
from hypothesis import given, settings
from hypothesis import strategies as st

MARGIN = 8 / 1024


def referee(mesh: Mesh) -> trimesh.Trimesh:
    tris, _ = mesh.triangles()
    return trimesh.Trimesh(mesh.vertices, tris, process=False)


def contains(mesh: Mesh, point: list[float]) -> bool:
    """Generalised winding number (Jacobson 2013) at a point: the sum of the solid angles of all triangles."""
    a, b, c = (mesh.vertices[mesh.triangles()[0][:, k]] - point for k in range(3))
    la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
    top = (a * np.cross(b, c)).sum(axis=1)
    low = la * lb * lc + (a * b).sum(axis=1) * lc + (b * c).sum(axis=1) * la + (c * a).sum(axis=1) * lb
    return bool(2 * np.arctan2(top, low).sum() / (4 * np.pi) > 0.5)


def assert_sound(mesh: Mesh, euler: int = 2) -> None:
    """Watertight, oriented outwards and of the right topology, by our card and by the referee."""
    card, other = quality(mesh), referee(mesh)
    assert card["watertight"] and card["oriented"] and card["degenerate"] == 0 and card["shells"] == 1
    assert other.is_watertight and other.is_winding_consistent and other.euler_number == euler
    assert card["volume_m3"] == pytest.approx(other.volume, rel=1e-9) and other.volume > 0
    assert card["area_m2"] == pytest.approx(other.area, rel=1e-9)
    assert card["uv_overlap"] < 5e-4
    corners = np.concatenate([mesh.quad_uv.reshape(-1, 2), mesh.tri_uv.reshape(-1, 2)])
    assert corners.min() >= 0 and corners.max() <= 1


def sphere(radius: float, count: int = 97) -> np.ndarray:
    a = np.linspace(-np.pi / 2, np.pi / 2, count)
    line = radius * np.stack([np.cos(a), np.sin(a)], axis=1)
    line[[0, -1], 0] = 0
    return line


SOLIDS = {
    "cylinder": (np.array([[0, 0], [10, 0], [10, 30], [0, 30]], float), np.pi * 100 * 30),
    "cone": (np.array([[0, 0], [12, 0], [0, 25]], float), np.pi * 144 * 25 / 3),
    "sphere": (sphere(15), 4 / 3 * np.pi * 15**3),
    "tube": (
        np.array([[0, 0], [14, 0], [14, 40], [8, 40], [8, 10], [0, 10]], float),
        np.pi * (196 * 40 - 64 * 30),
    ),
}


@pytest.mark.parametrize("name", SOLIDS)
def test_volume_is_that_of_the_solid(name: str) -> None:
    line, volume_mm3 = SOLIDS[name]
    mesh = revolve(line, 96, MARGIN).mesh
    assert_sound(mesh)
    assert quality(mesh)["volume_m3"] == pytest.approx(volume_mm3 * 1e-9, rel=0.005)
    assert quality(mesh)["mirror_mm"] == 0


def test_bevels_take_little_and_keep_the_solid_sound() -> None:
    line, volume_mm3 = SOLIDS["tube"]
    mesh = revolve(finished(line, 40, 96), 96, MARGIN).mesh
    assert_sound(mesh)
    assert quality(mesh)["volume_m3"] == pytest.approx(volume_mm3 * 1e-9, rel=0.005)
    assert quality(mesh)["size_mm"] == [28, 28, 40]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(1.0, 30), st.floats(0.3, 8)), min_size=2, max_size=14),
    st.integers(8, 64),
    st.booleans(),
)
def test_any_profile_gives_a_sound_solid(
    steps: list[tuple[float, float]], segments: int, bored: bool
) -> None:
    radii = np.array([r for r, _ in steps])
    heights = np.r_[0.0, np.cumsum([h for _, h in steps])[:-1]]
    line = np.vstack([[0, 0], np.stack([radii, heights], axis=1), [0, heights[-1]]])
    if bored:
        r, depth = 0.5 * radii.min(), 0.6 * heights[-1]
        line = np.vstack([line[:-1], [r, heights[-1]], [r, heights[-1] - depth], [0, heights[-1] - depth]])
    if np.ptp(heights) < 0.6:
        return
    mesh = revolve(finished(line, float(np.ptp(heights)), segments), segments, MARGIN).mesh
    assert_sound(mesh)
    rings = np.vstack([line, line[:1]])
    r0, z0, r1, z1 = rings[:-1, 0], rings[:-1, 1], rings[1:, 0], rings[1:, 1]
    exact = abs(np.pi / 3 * np.sum((r0**2 + r0 * r1 + r1**2) * (z1 - z0)))
    n = 2 * round(segments / 2)
    prism = n / (2 * np.pi) * np.sin(2 * np.pi / n)  # what a polygon has of its circle
    assert quality(mesh)["volume_m3"] * 1e9 == pytest.approx(exact * prism, rel=0.06)


def drawn(features: tuple[Feature, ...] = ()) -> Outline:
    """A drum of 20 mm radius and 40 mm height with a peg of 7 mm radius and 12 mm length if it has one."""
    peg = next((f for f in features if f.kind == "peg"), None)
    half = (
        [(0, 0), (7, 0), (7, 12), (20, 12), (20, 52), (0, 52)]
        if peg
        else [(0, 0), (20, 0), (20, 40), (0, 40)]
    )
    t = np.linspace(0, 1, 200)[:, None]
    line = np.vstack([np.array(a) + t * (np.array(b) - np.array(a)) for a, b in itertools.pairwise(half)])
    return Outline(
        name="toy_drum", height_mm=float(line[:, 1].max()), method="REVOLVE", confidence=1, reasons=(),
        contour=np.vstack([line, line[::-1] * (-1, 1)]), half=line, features=features, symmetry=1.0,
    )  # fmt: skip


def test_socket_has_the_size_and_the_place_that_the_feature_says() -> None:
    outline = drawn((Feature("socket", 8.0, 15.0, 40.0, 0.9, ""),))
    (part,) = build_parts(outline, texture_px=64, colours=palette({}))
    assert_sound(part.mesh)
    feature = part.features[0]
    assert feature["radius"] == pytest.approx(0.008) and feature["depth"] == pytest.approx(0.015)
    assert feature["origin"] == pytest.approx([0, 0, 0.040], abs=2e-5) and feature["axis"] == [0, 0, 1]
    inside = [[0, 0, 0.039], [0.0078, 0, 0.030], [0, 0, 0.0252]]
    beyond = [[0, 0, 0.0248], [0.0082, 0, 0.030], [0.0198, 0, 0.01]]
    assert [contains(part.mesh, p) for p in inside + beyond] == [False] * 3 + [True] * 3
    assert part.quality["wall_mm"] == pytest.approx(12, abs=0.1)
    assert part.mesh.vertices[:, 2].min() == pytest.approx(0, abs=1e-9)


def test_lid_sketch_gives_lid_and_peg_about_the_shoulder() -> None:
    outline = drawn((Feature("peg", 7.0, 12.0, 12.0, 0.9, ""),))
    lid, peg = build_parts(outline, texture_px=64, colours=palette({}))
    assert (lid.name, peg.name) == ("drum", "peg") and lid.features == []
    for part in (lid, peg):
        assert_sound(part.mesh)
    assert lid.mesh.vertices[:, 2].min() == pytest.approx(0, abs=2e-5)
    assert peg.mesh.vertices[:, 2].min() == pytest.approx(-0.012, abs=1e-9)
    assert peg.mesh.vertices[:, 2].max() == pytest.approx(0.0003, abs=1e-9)
    assert np.hypot(*peg.mesh.vertices[:, :2].T).max() == pytest.approx(0.007, abs=1e-9)
    assert peg.features[0]["axis"] == [0, 0, -1] and peg.features[0]["length"] == pytest.approx(0.012)


def test_socket_through_the_wall_is_refused() -> None:
    for radius, depth in ((19.8, 10.0), (8.0, 39.9)):
        with pytest.raises(InputError, match="breaks through"):
            build_parts(
                drawn((Feature("socket", radius, depth, 40.0, 0.9, ""),)), texture_px=64, colours=palette({})
            )


def test_peg_has_a_chamfered_tip() -> None:
    line = peg_profile(Feature("peg", 7.0, 11.0, 11.0, 1.0, ""))
    assert line[1, 0] < 7 and line[2, 0] == 7 and line[2, 1] > line[1, 1]
