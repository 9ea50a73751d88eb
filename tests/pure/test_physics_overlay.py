# SPDX-License-Identifier: GPL-3.0-or-later
"""What the viewport shows of every kind of joint: paths read off the moves, their words, plates that give way."""

from __future__ import annotations

import numpy as np
import pytest
from holdfast.operators import overlay_shape as shape
from holdfast.physics.joints import KINDS, kind_named
from holdfast.physics.joints.record import checked
from holdfast.physics.joints.spec import JointSpec

MM = 0.001


def mechanism(kind: str, **values: float | str):
    spec = checked(JointSpec(kind, "j", "peg", "body", 7.5, 10.0, 7.7, 12.0, values))
    return kind_named(kind).make(spec)


def travel(kind: str, motion: str, **values: float | str):
    made = mechanism(kind, **values)
    found = next(t for t in shape.travels(kind_named(kind), made) if t.motion == motion)
    return made, found, shape.path(made, found)


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_every_kind_is_drawn_from_its_mechanism_alone(kind: str) -> None:
    made = mechanism(kind)
    drawing = shape.draw(kind_named(kind), made)
    assert drawing.travels and len(drawing.labels) >= 2
    print(kind, [label.text for label in drawing.labels])
    for line in (*drawing.lines, *drawing.on_peg):
        assert np.isfinite(line.points).all() and line.points.shape[1] == 3 and len(line.points) >= 2
    assert f"Depth {made.depth / MM:.4g}"[:8] in drawing.labels[0].text
    assert set(drawing.motions) == {phase.name for phase in kind_named(kind).phases}


@pytest.mark.parametrize("hand, way", [("RIGHT", -1.0), ("LEFT", 1.0)])
def test_a_twist_is_an_arc_of_its_angle_and_hand(hand: str, way: float) -> None:
    made, found, points = travel("TWIST_LOCK", shape.TURN, twist_deg=45.0, hand=hand)
    assert shape.words(found, made) == "Twist 45°"
    radius = np.hypot(points[:, 0], points[:, 1])
    assert np.ptp(radius) < 1e-9 and np.ptp(points[:, 2]) < 1e-9
    angles = np.unwrap(np.arctan2(points[:, 1], points[:, 0]))
    assert np.degrees(angles[-1] - angles[0]) == pytest.approx(way * 45.0, abs=1e-6)


def test_a_slider_is_a_line_and_says_its_travel() -> None:
    made, found, points = travel("SLIDER", shape.SLIDE, travel_mm=3.25)
    assert shape.words(found, made) == "Extend 3.25 mm"
    assert np.ptp(points[:, :2], axis=0).max() < 1e-12
    assert np.ptp(points[:, 2]) == pytest.approx(3.25 * MM, abs=1e-9)


def test_a_screw_is_a_helix_of_its_lead() -> None:
    made, found, points = travel("SCREW", shape.HELIX)
    angles = np.unwrap(np.arctan2(points[:, 1], points[:, 0]))
    lead = -np.polyfit(angles, points[:, 2], 1)[0] * 2.0 * np.pi * made.turn
    print(f"lead of the path {1000 * lead:.6f} mm, of the thread {1000 * made.lead:.6f} mm")
    assert lead == pytest.approx(made.lead, rel=1e-6)
    assert "turns" in shape.words(found, made)


def test_a_ball_swings_on_a_sphere_about_its_centre() -> None:
    made, found, points = travel("BALL", shape.TILT, swing_deg=15.0)
    away = np.linalg.norm(points - (0.0, 0.0, -made.under), axis=1)
    assert np.ptp(away) < 1e-9
    assert shape.words(found, made) == "Swing ±15°"
    tilt = np.degrees(np.arctan2(np.hypot(points[:, 0], points[:, 1]), points[:, 2] + made.under))
    assert tilt.max() == pytest.approx(15.0, abs=0.05)


def test_moves_that_come_from_beside_draw_no_path_and_leaving_moves_no_length() -> None:
    made = mechanism("TWIST_LOCK")
    found = shape.travels(kind_named("TWIST_LOCK"), made)
    assert [t.name for t in found] == ["Insert", "Twist"]
    assert shape.words(found[0], made) == "Insert"
    assert shape.draw(kind_named("TWIST_LOCK"), made).motions["ALIGN"] == shape.COME


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_marks_lie_on_the_peg(kind: str) -> None:
    made = mechanism(kind)
    for points in made.marks():
        shrunk = points * (1.0 - 1e-6, 1.0 - 1e-6, 1.0)
        out = made.depth_in_peg(shrunk)
        assert np.median(out) < 0.02 * MM  # great circles of a ball pass through its neck
        assert np.hypot(points[:, 0], points[:, 1]).max() <= made.reach + 1e-9


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_points_are_carried_as_the_mechanism_carries_its_peg(kind: str) -> None:
    made, point = mechanism(kind), (0.004, -0.002, 0.007)
    for phase in kind_named(kind).phases:
        poses = [phase.pose(made, u / 10) for u in range(11)]
        whole = np.array([(made.at(pose) @ (*point, 1.0))[:3] for pose in poses])
        assert np.abs(shape.carried(poses, made.seat, point) - whole).max() < 1e-12


def test_segments_are_pairs_of_ends() -> None:
    line = shape.Line(shape.AXIS, np.array(((0.0, 0, 0), (1, 0, 0), (1, 1, 0))))
    found = shape.segments((line, shape.Line(shape.MARKS, line.points)), shape.AXIS)
    assert found.tolist() == [[0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0]]


@pytest.mark.parametrize(
    "angle, words", [(0.5, "28.6°"), (np.pi * 2, "360°"), (np.pi * 5, "2.5 turns"), (0.0, "0°")]
)
def test_angles_in_words(angle: float, words: str) -> None:
    assert shape.degrees(angle) == words
