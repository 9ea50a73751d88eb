# SPDX-License-Identifier: GPL-3.0-or-later
"""Vectors, depth, normals and cameras against closed forms; the figures are printed (pytest -s or -rP)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from . import truth_scenes as scenes

SIZE, HEIGHT = (96, 54), 2.0
FOCAL = 50.0 / 36.0 * SIZE[0]
VECTOR_PX, PROJECTION_PX = 0.05, 0.1


def _pixels() -> np.ndarray:
    """(H, W, 2) pixel centres relative to the middle of the picture, y down."""
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    return np.stack([columns + 0.5 - SIZE[0] / 2, rows + 0.5 - SIZE[1] / 2], -1)


def _worst(truth, frame: int, following: np.ndarray, previous: np.ndarray) -> float:
    own = truth.ids(frame) == 1
    assert own.sum() > 200
    expected = np.concatenate([following, previous], -1)
    worst = float(np.abs(truth.vector(frame) - expected)[own].max())
    print(f"largest vector error {worst:.4f} px of {np.abs(expected[own]).max():.2f} px")
    return worst


def _shift(x: float, y: float) -> np.ndarray:
    return np.broadcast_to(np.array([x, y]), (*SIZE[::-1], 2))


def _spun(angle: float) -> np.ndarray:
    """Motion of a plane that turns by ``angle`` (counter-clockwise as seen) about the middle of the picture."""
    pixels = _pixels()
    cosine, sine = math.cos(angle), math.sin(angle)
    return pixels @ np.array([[cosine, -sine], [sine, cosine]]) - pixels


def test_moving_plane(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 3)
    scene.camera.location = (0, 0, HEIGHT)
    plane = scenes.add_plane("plane", 0.4)
    scenes.key(plane, "location", {1: (-0.1, -0.05, 0), 3: (0.1, 0.05, 0)})
    truth = scenes.make(tmp_path)
    x, y = 0.1 * FOCAL / HEIGHT, -0.05 * FOCAL / HEIGHT
    assert _worst(truth, 2, _shift(x, y), _shift(-x, -y)) <= VECTOR_PX
    own = truth.ids(2) == 1
    assert np.abs(truth.depth(2)[own] - HEIGHT).max() < 1e-5
    assert np.abs(truth.normal(2)[own] - [0, 0, 1]).max() < 1e-3


def test_rotating_plane(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 3)
    scene.camera.location = (0, 0, HEIGHT)
    plane = scenes.add_plane("plane", 0.35)
    angle = math.radians(4)
    scenes.key(plane, "rotation_euler", {1: (0, 0, -angle), 3: (0, 0, angle)})
    truth = scenes.make(tmp_path)
    assert _worst(truth, 2, _spun(angle), _spun(-angle)) <= VECTOR_PX


def test_moving_and_rolling_camera(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 3)
    scenes.add_plane("plane", 3.0)
    scenes.key(scene.camera, "location", {1: (-0.05, 0, HEIGHT), 3: (0.05, 0, HEIGHT)})
    truth = scenes.make(tmp_path / "slide")
    x = -0.05 * FOCAL / HEIGHT
    assert _worst(truth, 2, _shift(x, 0), _shift(-x, 0)) <= VECTOR_PX
    scene.camera.animation_data_clear()
    scene.camera.location = (0, 0, HEIGHT)
    angle = math.radians(3)
    scenes.key(scene.camera, "rotation_euler", {1: (0, 0, angle), 3: (0, 0, -angle)})
    truth = scenes.make(tmp_path / "roll")
    assert _worst(truth, 2, _spun(angle), _spun(-angle)) <= VECTOR_PX


def test_background_moves_with_a_turning_camera(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 3)
    scenes.add_plane("plane", 0.05)
    scene.camera.location = (0, 0, HEIGHT)
    angle = math.radians(3)
    scenes.key(scene.camera, "rotation_euler", {1: (0, 0, angle), 3: (0, 0, -angle)})
    truth = scenes.make(tmp_path)
    nothing = truth.depth(2) == 0
    assert nothing.sum() > 1000
    assert np.abs(truth.vector(2)[..., :2] - _spun(angle))[nothing].max() <= VECTOR_PX


def test_depth_is_planar_not_the_length_of_the_ray(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 1)
    scene.camera.data.lens = 15
    scene.camera.location = (0, 0, HEIGHT)
    scenes.add_plane("plane", 20)
    depth = scenes.make(tmp_path).depth(1)
    print(f"largest depth error {np.abs(depth - HEIGHT).max():.2e} m")
    assert np.abs(depth - HEIGHT).max() < 1e-5


def test_normals_of_a_tilted_plane(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 1)
    scene.camera.location = (0, 0, HEIGHT)
    plane = scenes.add_plane("plane", 3)
    plane.rotation_euler = (0, math.radians(30), 0)  # its right side goes down: the normal points right
    normal = scenes.make(tmp_path).normal(1)
    assert np.abs(normal - [0.5, 0, math.sqrt(0.75)]).max() < 1e-3


LENSES = {
    "perspective": {},
    "shift": {"shift_x": 0.12, "shift_y": -0.07},
    "vertical fit": {"sensor_fit": "VERTICAL", "sensor_height": 20.0},
    "orthographic": {"type": "ORTHO", "ortho_scale": 2.2},
    "orthographic shift": {"type": "ORTHO", "ortho_scale": 2.2, "shift_x": 0.1, "shift_y": 0.05},
    "wide pixels": {"aspect": (1.5, 1.0)},
    "tall pixels": {"aspect": (1.0, 1.3), "shift_y": 0.05},
}


@pytest.mark.parametrize("lens", LENSES)
def test_points_project_onto_their_rendered_markers(tmp_path: Path, lens: str) -> None:
    scene = scenes.new_scene(SIZE, 1, samples=64)
    settings = dict(LENSES[lens])
    scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = settings.pop("aspect", (1.0, 1.0))
    for name, value in settings.items():
        setattr(scene.camera.data, name, value)
    scene.camera.location, scene.camera.rotation_euler = (
        (0.3, -3.0, 0.8),
        (math.radians(76), 0.05, math.radians(4)),
    )
    scene.camera.scale = (1.7, 1.7, 1.7)
    for index, at in enumerate([(0, 0, 0), (-0.5, 0.2, 0.25), (0.6, 0.4, -0.1), (0.1, -0.3, 0.3)]):
        scenes.add_ball(f"ball{index}", 0.06, at)
    truth = scenes.make(tmp_path)
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]] + 0.5
    worst = 0.0
    for part in truth.names:
        matte = truth.matte(part, 1)
        assert matte.sum() > 4
        centre = np.array([(matte * columns).sum(), (matte * rows).sum()]) / matte.sum()
        projected = truth.project(truth.pose(part, 1)[:3, 3], 1)
        print(part, centre, projected, matte.sum())
        worst = max(worst, float(np.abs(projected[:2] - centre).max()))
    print(f"{lens}: largest projection error {worst:.3f} px")
    assert worst <= PROJECTION_PX
