# SPDX-License-Identifier: GPL-3.0-or-later
"""The measures behind the reading of sketches, against shapes whose answer is known exactly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from holdfast.clients.offline.outline_trace import find_axis, level_lines
from holdfast.clients.offline.profile import bevelled, deviation, fair, thinned
from holdfast.clients.offline.sketch_photo import sheet_aspect
from hypothesis import given, settings
from hypothesis import strategies as st


def project(width: float, height: float, turn: tuple[float, float, float], focal: float) -> np.ndarray:
    """Corners (4, 2) px of a rectangle seen by a camera of 1200 x 1600 px."""
    rx, ry, rz = np.radians(turn)
    cx, sx, cy, sy, cz, sz = np.cos(rx), np.sin(rx), np.cos(ry), np.sin(ry), np.cos(rz), np.sin(rz)
    rotation = (
        np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        @ np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    )
    corners = (
        np.array([[-width, -height, 0], [width, -height, 0], [width, height, 0], [-width, height, 0]]) / 2
    )
    seen = corners @ rotation.T + (0, 0, 2.2 * max(width, height))
    return seen[:, :2] / seen[:, 2:] * focal + (600, 800)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.4, 2.2),
    st.tuples(st.floats(8, 35), st.floats(-35, -8), st.floats(-12, 12)),
    st.floats(1100, 2200),
)
def test_aspect_of_a_sheet_is_recovered_from_its_perspective(
    aspect: float, turn: tuple[float, float, float], focal: float
) -> None:
    quad = project(aspect, 1.0, turn, focal)
    assert sheet_aspect(quad, 1200, 1600) == pytest.approx(
        aspect, rel=0.052
    )  # may snap to a paper size within 5 %


def test_focal_length_of_the_picture_is_used_where_it_is_known() -> None:
    quad = project(
        1.9, 1.0, (0, 28, 0), 2000.0
    )  # one vanishing point only: the quad can't tell the focal length
    focal_35mm = 2000.0 / np.hypot(1200, 1600) * 43.27
    assert sheet_aspect(quad, 1200, 1600, focal_35mm) == pytest.approx(1.9, rel=1e-6)


@pytest.mark.parametrize("tilt", [-9.0, -3.3, 0.0, 0.7, 6.2])
def test_axis_of_a_tilted_shape_is_found(tilt: float) -> None:
    picture = np.zeros((700, 700), np.uint8)
    points = np.array(
        [(-60, 220), (60, 220), (110, 40), (50, -60), (80, -200), (-80, -200), (-50, -60), (-110, 40)], float
    )
    a = np.radians(tilt)
    turned = points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + (350, 340)
    cv2.fillPoly(picture, [np.round(turned * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    axis = find_axis(picture > 0)
    assert axis.tilt_deg == pytest.approx(tilt, abs=0.2) and axis.symmetry > 0.985
    along = np.array([np.sin(a), -np.cos(a)])
    off = np.array([axis.x, axis.y]) - (350, 340)
    assert abs(off[0] * along[1] - off[1] * along[0]) < 1.0


def test_level_lines_lie_where_the_field_says() -> None:
    y, x = np.mgrid[:200, :220].astype(np.float32)
    field = 71.3 - np.hypot(x - 104.6, y - 97.2)
    line = level_lines(field.astype(np.float32))[0]
    assert np.abs(np.hypot(line[:, 0] - 104.6, line[:, 1] - 97.2) - 71.3).max() < 0.05


def wobbly_cup() -> tuple[np.ndarray, np.ndarray]:
    """(true profile, drawn half): a straight foot, a round belly, a cylinder; wobble of 0.15 mm."""
    t = np.linspace(0, 1, 60)
    belly = np.stack([13 + 5 * np.sin(np.pi * t), 5 + 22 * t], axis=1)
    true = np.vstack([[(0, 0), (16, 0), (16, 3)], belly, [(13, 44), (0, 44)]])
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(true, axis=0), axis=1))]
    at = np.linspace(0, length[-1], 1500)
    drawn = np.stack([np.interp(at, length, true[:, k]) for k in (0, 1)], axis=1)
    rng = np.random.default_rng(2)
    kernel = np.hanning(91)[:, None]
    noise = np.stack([np.convolve(rng.normal(size=1500), kernel[:, 0], "same") for _ in (0, 1)], axis=1)
    return true, np.abs(drawn + 0.15 * noise / noise.std())


def test_fair_profile_is_nearer_to_the_truth_than_the_drawing() -> None:
    true, drawn = wobbly_cup()
    clean = fair(drawn, 44.0)
    mean, worst = deviation(true, clean)
    assert mean < 0.12 and worst < 0.7
    wall = clean[(clean[:, 1] > 28) & (clean[:, 0] > 10)]
    assert float(np.ptp(wall[:, 0])) < 0.12  # the cylinder is straight again


def test_bevel_is_a_true_arc_inside_the_corner() -> None:
    line, _ = bevelled(np.array([[0.0, 0], [10, 0], [10, 10]]), 1.0, sides=6)
    near = line[(np.abs(line[:, 0] - 10) < 0.999) & (line[:, 1] < 0.999) & (line[:, 0] > 9)]
    assert np.allclose(np.hypot(near[:, 0] - 9, near[:, 1] - 1), 1.0, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 0.5))
def test_thinned_line_stays_within_its_tolerance(seed: int, tolerance: float) -> None:
    rng = np.random.default_rng(seed)
    line = np.cumsum(rng.normal(size=(120, 2)), axis=0)
    kept = thinned(line, tolerance)
    assert deviation(kept, line)[1] <= tolerance + 1e-9
    assert (kept[0] == line[0]).all() and (kept[-1] == line[-1]).all()
