# SPDX-License-Identifier: GPL-3.0-or-later
"""The family of joints: every kind's mechanism, its solids, its moves, and what it refuses."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from holdfast.physics import mass, rigid, solids, verify
from holdfast.physics.choreography import GENERIC, Step, Track, default_steps
from holdfast.physics.joints import KINDS, all_parameters, kind_named
from holdfast.physics.joints.base import JointKind, Mechanism, engagement
from holdfast.physics.joints.moves import EASES, min_jerk
from holdfast.physics.joints.record import checked, from_json, to_json
from holdfast.physics.joints.spec import JointSpec
from holdfast.pipeline.errors import InputError
from hypothesis import assume, given, settings
from hypothesis import strategies as st

NOWHERE = np.empty((0, 3))


def joint(kind: str = "TWIST_LOCK", **values: float | str) -> JointSpec:
    return checked(JointSpec(kind, "lock", "peg", "body", 7.5, 10.0, 7.7, 12.0, values))


def toy() -> Mechanism:
    return kind_named("TWIST_LOCK").make(joint())


def track(kind: JointKind, mechanism: Mechanism, *, tugged: bool = False) -> Track:
    return Track(kind, mechanism, default_steps(kind, tugged=tugged), 1)


def triangles(solid: solids.Solid) -> np.ndarray:
    return np.array([(f[0], f[k], f[k + 1]) for f in solid.faces for k in range(1, len(f) - 1)])


@st.composite
def joints(draw: st.DrawFn) -> JointSpec:
    kind = draw(st.sampled_from(KINDS))
    radius, gap = draw(st.floats(2.0, 30.0)), draw(st.floats(0.05, 0.5))
    length = draw(st.floats(max(5.0, 0.5 * radius), 40.0))
    values = {"depth_mm": length - draw(st.sampled_from((0.0, 0.5))), "clearance_mm": draw(st.floats(0.05, 0.5)),
              "hand": draw(st.sampled_from(("RIGHT", "LEFT"))), "lugs": draw(st.integers(1, 4)),
              "twist_deg": draw(st.floats(30, 90)), "swing_deg": draw(st.floats(20, 140))}  # fmt: skip
    own = {key: value for key, value in values.items() if key in {p.key for p in kind.parameters}}
    bore = length + draw(st.floats(0, 5))
    try:
        return checked(JointSpec(kind.name, "lock", "peg", "body", radius, length, radius + gap, bore, own))
    except InputError:
        assume(False)
        raise


@settings(max_examples=25, deadline=None)
@given(joints())
def test_every_legal_joint_can_be_made_moved_and_is_free_of_penetration(spec: JointSpec) -> None:
    kind = kind_named(spec.kind)
    try:
        mechanism = kind.make(spec)
    except InputError:
        assume(False)
    for tool in mechanism.tools():
        assert mass.open_edges(triangles(tool.solid)) == 0
        whole = mass.mass_properties(tool.solid.vertices, triangles(tool.solid), 1.0).volume
        assert 0.0 < tool.volume < whole
    moves = track(kind, mechanism)
    relative, _ = moves.poses(range(1, moves.end + 1))
    motion = rigid.with_midpoints(relative)
    sweep = verify.swept(motion, mechanism, mechanism.surface_points(), NOWHERE)
    if moves.giving():  # there a spring gives way
        step = [index for a, b in moves.giving() for index in range(2 * a - 4, 2 * b + 1)]
        assert np.delete(sweep.each, [i for i in step if 0 <= i < len(sweep.each)]).max() < 1e-5
    else:
        assert sweep.deepest < 5e-6
    at = engagement(relative[moves.locked - 1], mechanism)
    assert at.depth == pytest.approx(mechanism.depth, abs=1e-12)
    for name, (words, wrong) in mechanism.wrong_motions().items():
        flagged = verify.swept(wrong, mechanism, mechanism.surface_points(), NOWHERE).deepest
        assert flagged > 1e-5, (spec.kind, name, words)


@pytest.mark.parametrize("name", [kind.name for kind in KINDS])
def test_a_planted_fault_is_measured_to_its_size(name: str) -> None:
    mechanism = kind_named(name).make(joint(name))
    for fault, (words, wrong) in mechanism.wrong_motions().items():
        found = 1e3 * verify.swept(wrong, mechanism, mechanism.surface_points(), NOWHERE).deepest
        print(f"{name} {fault}: {words}: found {found:.4f} mm")
        assert found > 0.015, fault
        if "0.05 mm" in words and name in ("TWIST_LOCK", "HINGE", "SLIDER"):
            assert found == pytest.approx(0.05, abs=0.006), fault


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_presets_make_working_joints_and_name_their_source(kind: JointKind) -> None:
    for name, preset in kind.presets.items():
        assert preset.source and set(preset.values) <= {p.key for p in kind.parameters}, name
        kind.make(joint(kind.name, **preset.values))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_says_what_it_is_and_its_moves_follow_each_other(kind: JointKind) -> None:
    assert kind.label and kind.says and kind_named(kind.name) is kind
    assert {name for name in kind.default if name not in GENERIC} <= {phase.name for phase in kind.phases}
    mechanism = kind.make(joint(kind.name))
    moves = track(kind, mechanism, tugged=True)
    fine, _ = moves.poses(np.arange(1, moves.end, 1 / 16))
    jumps = np.abs(np.diff(fine[:, :3, 3], axis=0)).max()
    assert jumps < 0.3 * mechanism.length, "a peg never jumps"
    still = [moves.pose(float(frame)) for frame in (1, 2, 3)]
    assert still[0] == still[1] == still[2]
    spans = list(moves.spans().values())
    assert spans[0][0] == 1 and all(b[0] == a[1] + 1 for a, b in itertools.pairwise(spans))


@pytest.mark.parametrize(
    ("values", "measures", "sentence"),
    [
        ({"depth_mm": 10.5}, {}, r"10\.00 mm long, so it can't go 10\.50 mm deep"),
        ({}, {"bore_depth_mm": 9.0}, r"bore is 9\.00 mm deep"),
        ({}, {"bore_radius_mm": 7.5}, "doesn't fit the bore"),
        ({"twist_deg": 20.0}, {}, "leaves the lugs in their slots"),
        ({"lugs": 5}, {}, "more than a whole turn"),
        ({}, {"peg_length_mm": 1.2, "bore_depth_mm": 1.2}, "don't fit on the peg"),
    ],
)
def test_impossible_locks_are_refused_with_the_measure_that_is_wrong(
    values: dict[str, float], measures: dict[str, float], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        kind_named("TWIST_LOCK").make(replace(joint(**values), **measures))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"depth_mm": -1.0}, r"Depth is -1 mm.*between 0 and 1000 mm"),
        ({"hand": "BOTH"}, "Hand can't be 'BOTH'.*RIGHT or LEFT"),
        ({"lugs": 9}, "Lugs is 9.*between 1 and 6"),
    ],
)
def test_values_beyond_their_limits_are_refused(values: dict[str, float], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        joint(**values)


@pytest.mark.parametrize(("kind", "travel"), [("SLIDER", 30.0)])
def test_a_slider_that_would_leave_its_bore_is_refused(kind: str, travel: float) -> None:
    with pytest.raises(InputError, match="draws the keys out of the bore"):
        kind_named(kind).make(joint(kind, travel_mm=travel))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_joint_survives_json(kind: JointKind) -> None:
    spec = joint(kind.name)
    record = to_json(spec)
    assert from_json(record) == spec
    with pytest.raises(InputError, match="newer"):
        from_json({**record, "version": 99})
    with pytest.raises(InputError, match="no joint"):
        from_json({"schema": "x"})
    with pytest.raises(InputError, match="damaged"):
        from_json({**record, "frame": None})
    with pytest.raises(InputError, match="no kind"):
        from_json({**record, "kind": "GLUE"})


def test_parameters_of_one_name_mean_one_thing() -> None:
    found = all_parameters()
    for kind in KINDS:
        for parameter in kind.parameters:
            assert parameter.unit == found[parameter.key].unit, parameter.key
            assert isinstance(parameter.default, type(found[parameter.key].default)), parameter.key


def test_the_lock_is_smooth_and_runs_one_way_in_each_move() -> None:
    lock = toy()
    moves = track(kind_named("TWIST_LOCK"), lock, tugged=True)
    step = 1.0 / 64
    frames = np.arange(1, moves.end + step, step)
    poses = [moves.pose(float(f)) for f in frames]
    for name in ("height", "angle", "aside", "tilt", "lift", "sway", "yaw"):
        value = np.array([getattr(pose, name) for pose in poses])
        kick = np.abs(np.diff(np.diff(value) / step, 2)) / step**2  # a jump would grow with 1/step
        assert kick.max() < 40 * np.abs(value).max() + 1e-9, name
    spans = moves.spans()
    inserting = [
        p.height for p, f in zip(poses, frames, strict=True) if spans["align"][1] <= f <= spans["insert"][1]
    ]
    turning = [
        p.angle * lock.turn
        for p, f in zip(poses, frames, strict=True)
        if spans["insert"][1] <= f <= spans["twist"][1]
    ]
    assert (np.diff(inserting) <= 0).all() and (np.diff(turning) >= 0).all()
    assert max(pose.angle * lock.turn for pose in poses) <= 1e-12, "never past the stop"


@pytest.mark.parametrize("name", EASES)
def test_easing_runs_from_rest_to_the_end_one_way(name: str) -> None:
    ease = EASES[name][1]
    values = [ease(float(u)) for u in np.linspace(-0.5, 1.5, 101)]
    assert (values[0], values[-1]) == (0.0, 1.0)
    assert (np.diff(values) >= -1e-12).all()


def test_min_jerk_is_at_rest_at_both_ends() -> None:
    h = 1e-4
    for end, inside in ((0.0, h), (1.0, 1.0 - h)):
        assert abs(min_jerk(inside) - min_jerk(end)) < 1e-10
    assert min_jerk(0.5) == 0.5


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ((Step("ALIGN", 16), Step("INSERT", 1)), "insert"),
        ((Step("ALIGN", 2),), "Give it 5 or more"),
        ((Step("JUMP", 9),), "no move 'JUMP'"),
        ((Step("ALIGN", 9, "WOBBLE"),), "no easing"),
        ((), "makes no move"),
    ],
)
def test_a_choreography_that_cannot_be_is_refused(steps: tuple[Step, ...], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Track(kind_named("TWIST_LOCK"), toy(), steps, 1)


def test_a_lock_can_be_undone_again() -> None:
    kind, lock = kind_named("TWIST_LOCK"), toy()
    steps = (*default_steps(kind), Step("UNTWIST", 16), Step("EXTRACT", 16))
    moves = Track(kind, lock, steps, 1)
    relative, _ = moves.poses(np.arange(1, moves.end + 0.5, 0.5))
    assert verify.swept(relative, lock, lock.surface_points(), NOWHERE).deepest < 1e-8
    assert moves.pose(moves.end).height > lock.depth
    assert moves.held == (moves.locked, moves.spans()["hold"][1])


def test_engagement_reads_depth_turn_tilt_and_offset() -> None:
    lock = toy()
    pose = rigid.multiply(
        rigid.translation((3e-5, 4e-5, 2e-3)), rigid.rotation(2, lock.entry + lock.turn * math.radians(25)),
        rigid.rotation(0, 1e-3),
    )  # fmt: skip
    at = engagement(pose, lock)
    assert at.depth == pytest.approx(8e-3)
    assert math.degrees(at.turned) == pytest.approx(25, abs=1e-4)
    assert at.tilt == pytest.approx(1e-3, rel=1e-6)
    assert at.lateral == pytest.approx(5e-5)


@pytest.mark.parametrize("name", ["TWIST_LOCK", "HINGE", "SLIDER"])
def test_convex_pieces_leave_the_channel_free(name: str) -> None:
    """No corner of the lab's prisms, nor the middle of their inner edges, reaches into the socket's free space."""
    mechanism = kind_named(name).make(joint(name))
    for corners in mechanism.socket_hulls(0.0):
        if np.hypot(corners[:, 0], corners[:, 1]).min() < 1e-9:  # the floor
            continue
        inner = corners[[0, 2, 4, 6]].reshape(2, 2, 3).mean(axis=1)
        radius = np.hypot(inner[:, 0], inner[:, 1])
        assert min(abs(radius - r).max() for r in (mechanism.bore_radius, mechanism.reach)) < 1e-9
