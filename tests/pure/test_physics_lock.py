# SPDX-License-Identifier: GPL-3.0-or-later
"""The kit, its solids, the path and the measures of the twist-lock."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from holdfast.physics import kit, mass, path, rigid, solids, trials_maths, verify
from holdfast.physics.spec import PRESETS, JointSpec, sized
from holdfast.pipeline.errors import InputError
from hypothesis import assume, given, settings
from hypothesis import strategies as st

TOY = sized(JointSpec("lock", "peg", "body", 7.5, 10, 7.7, 12, 10))


def triangles(solid: solids.Solid) -> np.ndarray:
    return np.array([(f[0], f[k], f[k + 1]) for f in solid.faces for k in range(1, len(f) - 1)])


@st.composite
def joints(draw: st.DrawFn) -> JointSpec:
    radius, gap = draw(st.floats(2.0, 30.0)), draw(st.floats(0.05, 0.5))
    length = draw(st.floats(max(5.0, 0.5 * radius), 40.0))
    joint = JointSpec(
        "lock", "peg", "body", radius, length, radius + gap, length + draw(st.floats(0, 5)),
        length - draw(st.sampled_from((0.0, 0.5))), twist_deg=draw(st.floats(30, 90)), lugs=draw(st.integers(1, 4)),
        clearance_mm=draw(st.floats(0.05, 0.5)), hand=draw(st.sampled_from(("RIGHT", "LEFT"))),
    )  # fmt: skip
    return sized(joint)


@settings(max_examples=60, deadline=None)
@given(joints())
def test_every_legal_kit_can_be_made_moved_and_is_free_of_penetration(joint: JointSpec) -> None:
    try:
        lock = kit.make(joint)
    except InputError:
        assume(False)
    for solid in (solids.lugs(lock), solids.channels(lock)):
        assert mass.open_edges(triangles(solid)) == 0
        assert mass.mass_properties(solid.vertices, triangles(solid), 1.0).volume > 0.0
    timing = path.Timing()
    relative, _ = path.poses(timing, lock, timing.frames)
    sweep = verify.swept(rigid.with_midpoints(relative), lock, verify.surface_points(lock), np.empty((0, 3)))
    assert sweep.deepest < 1e-8
    at = verify.engagement(relative[timing.knots[3] - timing.start], lock)
    assert at.depth == pytest.approx(lock.depth, abs=1e-12)
    assert at.turned == pytest.approx(lock.twist, abs=1e-12)
    for name, (words, motion) in trials_maths.wrong_motions(lock).items():
        flagged = verify.swept(motion, lock, verify.surface_points(lock), np.empty((0, 3))).deepest
        assert flagged > 1e-5, (name, words)


def test_a_planted_fault_is_measured_to_its_size() -> None:
    lock = kit.make(TOY)
    for name, size in (("early_twist", 5e-5), ("over_twist", 5e-5), ("too_deep", 5e-5), ("off_axis", 5e-5)):
        motion = trials_maths.wrong_motions(lock)[name][1]
        found = verify.swept(motion, lock, verify.surface_points(lock), np.empty((0, 3))).deepest
        print(f"{name}: planted {size * 1e3:.3f} mm, found {found * 1e3:.4f} mm")
        assert found == pytest.approx(size, abs=5e-6)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_make_working_kits(name: str) -> None:
    preset = PRESETS[name]
    joint = replace(
        TOY, twist_deg=preset.twist_deg, lugs=preset.lugs, clearance_mm=preset.clearance_mm, hand=preset.hand
    )
    kit.make(sized(joint))
    assert preset.source


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"depth_mm": 10.5}, r"10\.00 mm long, so it can't go 10\.50 mm deep"),
        ({"bore_depth_mm": 9.0}, r"bore is 9\.00 mm deep"),
        ({"bore_radius_mm": 7.5}, "doesn't fit the bore"),
        ({"twist_deg": 20.0}, "leaves the lugs in their slots"),
        ({"lugs": 5}, "more than a whole turn"),
        ({"protrusion_mm": 0.3}, "would not hold"),
        ({"lug_tip_mm": 9.0}, "don't fit on the peg"),
        ({"depth_mm": -1.0}, "above zero"),
        ({"hand": "BOTH"}, "no hand"),
    ],
)
def test_impossible_joints_are_refused_with_the_measure_that_is_wrong(
    change: dict[str, float], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        kit.make(replace(TOY, **change))  # type: ignore[arg-type]


def test_the_path_is_smooth_and_runs_one_way_in_each_phase() -> None:
    lock, timing = kit.make(TOY), path.Timing()
    step = 1.0 / 64
    frames = np.arange(timing.start, timing.frames[-1] + step, step)
    poses = [path.pose_at(float(f), timing, lock) for f in frames]
    for name in ("height", "angle", "aside", "tilt", "lift", "sway", "yaw"):
        value = np.array([getattr(pose, name) for pose in poses])
        speed = np.diff(value) / step
        kick = (
            np.abs(np.diff(speed, 2)) / step**2
        )  # a jump of velocity or acceleration would grow with 1/step
        assert kick.max() < 40 * np.abs(value).max() + 1e-9, name
    a, b, c, _, _ = timing.knots
    heights = np.array([pose.height for pose, f in zip(poses, frames, strict=True) if a <= f <= b])
    turned = np.array([-pose.angle for pose, f in zip(poses, frames, strict=True) if b <= f <= c])
    assert (np.diff(heights) <= 0).all() and (np.diff(turned) >= 0).all()
    still = [path.pose_at(float(f), timing, lock) for f in range(1, 4)]
    assert still[0] == still[1] == still[2]
    assert max(pose.angle * lock.turn for pose in poses) <= 1e-12, "never past the stop"


def test_min_jerk_is_at_rest_at_both_ends() -> None:
    h = 1e-4
    for end, inside in ((0.0, h), (1.0, 1.0 - h)):
        assert abs(path.min_jerk(inside) - path.min_jerk(end)) < 1e-10
    assert path.min_jerk(0.5) == 0.5
    assert (path.min_jerk(-3.0), path.min_jerk(3.0)) == (0.0, 1.0)


@pytest.mark.parametrize("phase", ["align", "insert", "twist", "click", "hold"])
def test_a_phase_without_time_is_refused(phase: str) -> None:
    with pytest.raises(InputError, match=phase):
        path.Timing(**{phase: 1})


def test_engagement_reads_depth_turn_tilt_and_offset() -> None:
    lock = kit.make(TOY)
    pose = rigid.multiply(
        rigid.translation((3e-5, 4e-5, 2e-3)), rigid.rotation(2, lock.entry + lock.turn * math.radians(25)),
        rigid.rotation(0, 1e-3),
    )  # fmt: skip
    at = verify.engagement(pose, lock)
    assert at.depth == pytest.approx(8e-3)
    assert math.degrees(at.turned) == pytest.approx(25, abs=1e-4)
    assert at.tilt == pytest.approx(1e-3, rel=1e-6)
    assert at.lateral == pytest.approx(5e-5)


def test_convex_pieces_leave_the_channel_free() -> None:
    """No corner or edge of the lab's prisms reaches into the exact free space of the socket."""
    lock = kit.make(TOY)
    for sector in solids.socket_sectors(lock):
        corners = solids.hull_points(sector, 0.0)
        if sector.r[0] == 0.0:
            continue
        inner = corners[[0, 2, 4, 6]]
        middle = inner.reshape(2, 2, 3).mean(axis=1)
        assert np.hypot(middle[:, 0], middle[:, 1]) == pytest.approx(sector.r[0], rel=1e-9)
