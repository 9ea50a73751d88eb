# SPDX-License-Identifier: GPL-3.0-or-later
"""The finale as numbers: how the product is carried, and motion that was recorded."""

from __future__ import annotations

import math

import numpy as np
import pytest
from holdfast.physics.choreography import Recorded, Step, Track
from holdfast.physics.finale import KINDS, Carried, Finale, calmed, sentence
from holdfast.physics.joints import kind_named
from holdfast.physics.joints.record import checked, from_json, to_json
from holdfast.physics.joints.spec import JointSpec
from holdfast.physics.rigid import between, multiply, rotation, translation
from hypothesis import given
from hypothesis import strategies as st

FINALE = Finale("DROP", 40, 60, 90, 0.05, 0.3)
CENTRE = np.array((0.01, -0.02, 0.03))


def turned(height: float, angle: float) -> np.ndarray:
    return multiply(translation((0.0, 0.0, height)), rotation(2, angle))


def test_the_lift_turns_about_the_middle_and_starts_and_ends_at_rest() -> None:
    carried = Carried(FINALE, CENTRE)
    times = [1.0, 40.0, 40.01, 59.99, 60.0, 80.0]
    poses = carried.at(times)
    assert (poses[:2] == np.eye(4)).all()
    middle = poses[:, :3, :3] @ CENTRE + poses[:, :3, 3]
    assert np.abs(middle[:, :2] - CENTRE[:2]).max() < 1e-12
    assert middle[4:, 2] == pytest.approx(CENTRE[2] + 0.05)
    assert abs(middle[2, 2] - CENTRE[2]) < 1e-9 and abs(middle[3, 2] - middle[4, 2]) < 1e-9
    assert math.acos(poses[4, 2, 2]) == pytest.approx(0.3)


def test_a_tremor_at_rest_is_taken_out_and_a_swing_is_not() -> None:
    rng = np.random.default_rng(5)
    falling = [turned(0.1 - 0.01 * k, 0.1 * k) for k in range(10)]
    resting = [turned(0.01 + 2e-5 * rng.normal(), 0.9 + 1e-3 * rng.normal()) for _ in range(40)]
    made = calmed(np.stack(falling + resting))
    assert (made[:9] == np.stack(falling[:9])).all()
    assert (made[20:] == made[-1]).all()
    assert np.abs(np.diff(made[8:, 2, 3])).max() < 0.0101
    swinging = np.stack([turned(0.0, 0.2 * math.sin(0.3 * k)) for k in range(60)])
    assert (calmed(swinging) == swinging).all()


def test_what_is_let_go_follows_what_was_recorded() -> None:
    free = Recorded(60, 2, np.stack([turned(0.05 - 0.01 * k, 0.2 * k) for k in range(5)]))
    carried = Carried(FINALE, CENTRE, free)
    assert (carried.at([60.0])[0] == Carried(FINALE, CENTRE).at([60.0])[0]).all()
    assert carried.at([61.0, 62.0, 70.0])[:, 2, 3] == pytest.approx([0.03, 0.01, 0.01])


@given(st.floats(0.0, 1.0), st.floats(-2.5, 2.5), st.floats(-0.1, 0.1))
def test_between_is_what_linear_keys_give(share: float, angle: float, height: float) -> None:
    made = between(np.eye(4), turned(height, angle), share)
    assert np.abs(made[:3, :3] @ made[:3, :3].T - np.eye(3)).max() < 1e-12
    assert made[2, 3] == pytest.approx(share * height)
    expected = 2.0 * math.atan2(share * math.sin(angle / 2), 1.0 - share + share * math.cos(angle / 2))
    assert math.atan2(made[1, 0], made[0, 0]) == pytest.approx(expected, abs=1e-9)


def test_recorded_motion_replaces_the_path_and_free_motion_follows_it() -> None:
    kind = kind_named("HINGE")
    mechanism = kind.make(checked(JointSpec("HINGE", "j", "peg", "body", 7.5, 10.0, 7.7, 12.0)))
    led = Recorded(1, 8, np.stack([turned(mechanism.seat, 0.001 * k) for k in range(81)]))
    free = Recorded(20, 4, np.stack([turned(mechanism.seat, -0.1 * k) for k in range(9)]))
    track = Track(kind, mechanism, (Step("REST", 12),), 1, led, free)
    found = track.poses([1.0, 2.0, 11.0, 20.0, 21.0, 30.0])[0]
    angles = np.arctan2(found[:, 1, 0], found[:, 0, 0])
    assert angles == pytest.approx([0.0, 0.008, 0.08, 0.08, -0.4, -0.8])
    assert track.height(15.0) == pytest.approx(0.0)


def test_a_joint_without_moves_of_its_own_holds_all_along() -> None:
    kind = kind_named("TWIST_LOCK")
    mechanism = kind.make(checked(JointSpec("TWIST_LOCK", "j", "peg", "body", 7.5, 10.0, 7.7, 12.0)))
    track = Track(kind, mechanism, (Step("HOLD", 6), Step("TUG", 20)), 10)
    assert track.held == (10, 35)


@pytest.mark.parametrize("kind", ["HINGE", "SLIDER", "BALL"])
def test_what_moves_of_itself_stays_within_its_stops(kind: str) -> None:
    of = kind_named(kind)
    mechanism = of.make(checked(JointSpec(kind, "j", "peg", "body", 7.5, 10.0, 7.7, 12.0)))
    wild = multiply(translation((3e-4, -2e-4, mechanism.seat + 0.1)), rotation(0, 0.05), rotation(2, 2.9))
    kept = of.kept(mechanism, wild)
    points = mechanism.surface_points()
    deep = mechanism.depth_in_socket(points @ kept[:3, :3].T + kept[:3, 3]).max()
    assert deep < 1e-6, f"{1e3 * deep} mm in material"
    assert of.limits(mechanism)


def test_records_of_joints_keep_hand_and_break_and_old_ones_read() -> None:
    spec = checked(
        JointSpec("HINGE", "j", "peg", "body", 7.5, 10.0, 7.7, 12.0, mode="FREE", hand_mm=0.2, break_n=30.0)
    )
    assert from_json(to_json(spec)) == spec
    old = {key: value for key, value in to_json(spec).items() if key not in ("hand_mm", "break_n")}
    assert (from_json(old).hand_mm, from_json(old).break_n) == (0.1, 0.0)


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "NONE"])
def test_the_sentence_names_what_broke_and_what_sank(kind: str) -> None:
    finale = Finale(kind, 1, 2, 3, 0.0, 0.0)
    assert "hold" in sentence(finale, Carried(finale, CENTRE), [])
    assert "0.50 mm" in sentence(finale, Carried(finale, CENTRE, sinks=5e-4), [])
    assert "lock breaks at frame 70, at its 40 N" in sentence(
        finale, Carried(finale, CENTRE), [("lock", 70, 40.0)]
    )
