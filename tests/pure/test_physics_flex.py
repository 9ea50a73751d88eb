# SPDX-License-Identifier: GPL-3.0-or-later
"""What gives way: snap-fit, press-fit and detent against the formulas that they are made from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from holdfast.physics import mass, rigid, verify
from holdfast.physics.choreography import Track, default_steps
from holdfast.physics.joints import kind_named
from holdfast.physics.joints.base import Pose
from holdfast.physics.joints.detent import BUMP, GAP, stiffness
from holdfast.physics.joints.record import checked
from holdfast.physics.joints.snap_fit import SPARE
from holdfast.physics.joints.spec import JointSpec
from holdfast.pipeline.errors import InputError
from hypothesis import assume, given, settings
from hypothesis import strategies as st

NOWHERE = np.empty((0, 3))
MU = 0.25
MM = 1e-3


def spec(kind: str, *sizes: float, **values: float) -> JointSpec:
    peg, length, bore, deep = sizes or (7.5, 10.0, 7.7, 12.0)
    return checked(JointSpec(kind, "joint", "peg", "body", peg, length, bore, deep, values))


def ramp(angle: float) -> float:
    """Force along over force across of a ramp with friction."""
    return (math.tan(angle) + MU) / (1.0 - MU * math.tan(angle))


@st.composite
def flexing(draw: st.DrawFn) -> JointSpec:
    kind = draw(st.sampled_from(("SNAP_FIT", "PRESS_FIT")))
    radius, gap = draw(st.floats(1.5, 30.0)), draw(st.floats(0.03, 0.5))
    length = draw(st.floats(3.0, 40.0))
    push = draw(st.floats(1.0, 500.0))
    values = {"insert_n": push, "pull_n": push * draw(st.floats(0.1, 5.0))}
    if kind == "SNAP_FIT":
        values |= {
            "undercut_mm": draw(st.sampled_from((0.0, 0.05, 0.2, 0.5))),
            "clearance_mm": draw(st.floats(0.02, 0.5)),
        }
    else:
        values |= {"interference_mm": draw(st.floats(0.01, 0.5)), "lugs": draw(st.integers(3, 6))}
    return spec(kind, radius, length, radius + gap, length + draw(st.floats(0.0, 4.0)), **values)


@settings(max_examples=40, deadline=None)
@given(flexing())
def test_any_setting_makes_a_joint_that_moves_freely_or_is_refused_with_what_to_do(wish: JointSpec) -> None:
    kind = kind_named(wish.kind)
    try:
        made = kind.make(wish)
    except InputError as error:
        assert error.todo and "nan" not in str(error), error
        return
    for tool in made.tools():
        faces = np.array([(f[0], f[k], f[k + 1]) for f in tool.solid.faces for k in range(1, len(f) - 1)])
        assert mass.open_edges(faces) == 0
        assert 0.0 < tool.volume < mass.mass_properties(tool.solid.vertices, faces, 1.0).volume
    hulls = [*made.peg_hulls(1e-5), *made.socket_hulls(1e-5), *made.still_hulls(1e-5)]
    assert all(np.isfinite(points).all() for points in hulls)
    track = Track(kind, made, default_steps(kind), 1)
    relative, _ = track.poses(range(1, track.end + 1))
    sweep = verify.swept(rigid.with_midpoints(relative), made, made.surface_points(), NOWHERE)
    assert sweep.deepest < made.gives + 5e-6
    for name, (words, wrong) in made.wrong_motions().items():
        assert verify.swept(wrong, made, made.surface_points(), NOWHERE).deepest > 1e-5, (name, words)


@settings(max_examples=60, deadline=None)
@given(st.floats(2.0, 200.0), st.floats(0.4, 4.0), st.floats(3.0, 30.0))
def test_a_snap_is_made_for_its_push_and_its_pull(push: float, ratio: float, radius: float) -> None:
    values = {"insert_n": push, "pull_n": ratio * push}
    try:
        snap = kind_named("SNAP_FIT").make(spec("SNAP_FIT", radius, 12.0, radius + 0.2, 14.0, **values))
    except InputError:
        assume(False)
    pads = snap.flexures()
    whole = sum(pad.stiffness for pad in pads) * snap.undercut
    assert whole * ramp(snap.lead) == pytest.approx(push, rel=1e-12) == pytest.approx(snap.push_in)
    assert (
        whole * ramp(snap.back)
        == pytest.approx(SPARE * ratio * push, rel=1e-9)
        == pytest.approx(snap.pull_out)
    )
    for pad in pads:  # its ridge is the lip of the bore, at rest
        assert np.hypot(pad.points[:, 0], pad.points[:, 1]).min() == pytest.approx(
            snap.bore_radius, rel=1e-12
        )


def test_a_snap_touches_where_it_says() -> None:
    snap = kind_named("SNAP_FIT").make(spec("SNAP_FIT"))
    points = snap.surface_points()

    def entered(height: float) -> float:
        return verify.swept(snap.at(Pose(height))[None], snap, points, NOWHERE).deepest

    heights = np.linspace(snap.meets, snap.behind, 41)
    found = [entered(float(height)) for height in heights]
    print(f"bead over the lip: {max(found) / MM:.4f} mm of {snap.undercut / MM:.4f} mm")
    assert entered(snap.meets + 1e-7) == 0.0 and entered(snap.meets - 0.05 * MM) > 0.01 * MM
    assert max(found) == pytest.approx(snap.undercut, rel=1e-9) == pytest.approx(snap.gives)
    assert entered(snap.lift - 1e-7) == 0.0 and entered(snap.lift + 0.1 * MM) > 0.01 * MM
    assert snap.lifted(0.0) == snap.lift
    assert snap.lifted(snap.pull_out) == pytest.approx(snap.behind, rel=1e-9), (
        "the whole undercut, then it lets go"
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"pull_n": 400.0}, r"snaps in at 25 N can't be made to hold 400 N.*between .* and .* N"),
        ({"pull_n": 2.0}, "can't be made to hold 2 N"),
        ({"undercut_mm": 1.0}, "stretches the lip by 13 %.*0.46 mm or less"),
        ({"undercut_mm": 0.01}, "holds nothing"),
    ],
)
def test_a_snap_that_can_not_be_is_refused_with_its_limits(values: dict[str, float], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        kind_named("SNAP_FIT").make(spec("SNAP_FIT", **values))


@settings(max_examples=40, deadline=None)
@given(st.floats(1.0, 200.0), st.floats(1.5, 3.2), st.integers(3, 6))
def test_a_press_fit_is_made_for_its_push_and_its_hold(hold: float, ratio: float, ribs: int) -> None:
    wish = spec("PRESS_FIT", pull_n=hold, insert_n=ratio * hold, lugs=ribs)
    fit = kind_named("PRESS_FIT").make(wish)
    pads = fit.flexures()
    pressing = sum(pad.stiffness for pad in pads) * fit.yields
    assert pressing * MU == pytest.approx(hold, rel=1e-9) == pytest.approx(fit.hold)
    assert pressing * ramp(fit.lead) == pytest.approx(ratio * hold, rel=1e-9) == pytest.approx(fit.push_in)
    for pad in pads:
        tip = np.hypot(pad.points[:, 0], pad.points[:, 1]).min()
        assert tip == pytest.approx(fit.lug_radius - fit.yields, rel=1e-12)


@pytest.mark.parametrize(
    ("sizes", "values", "sentence"),
    [
        ((), {"insert_n": 30.0}, r"slip at 50 N can't be pressed in with 30 N.*between 72.9"),
        ((), {"insert_n": 500.0}, "can't be pressed in with 500 N"),
        ((), {"interference_mm": 0.5}, "would crack a bore of 7.70 mm.*0.31 mm or less"),
        ((7.5, 10.0, 7.55, 12.0), {}, "only 0.05 mm for ribs"),
        ((7.5, 1.5, 7.7, 12.0), {}, "too short for the lead-in"),
        ((), {"depth_mm": 9.0}, "Nothing stops a peg of 10.00 mm when it is 9.00 mm deep"),
    ],
)
def test_a_press_fit_that_can_not_be_is_refused(
    sizes: tuple[float, ...], values: dict[str, float], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        kind_named("PRESS_FIT").make(spec("PRESS_FIT", *sizes, **values))


@pytest.mark.parametrize("radius", [2.0, 5.0, 7.5, 20.0, 40.0])
@pytest.mark.parametrize("torque", [0.02, 0.8])
def test_the_detent_needs_its_torque_at_its_crest_and_less_before(radius: float, torque: float) -> None:
    """Against statics step by step: where the corner of a lug is, how far its ramp has moved, what it resists with."""
    lock = kind_named("TWIST_LOCK").make(
        spec("TWIST_LOCK", radius, 12.0, radius + 0.2, 14.0, torque_nm=torque)
    )
    arm, friction = lock.lug_radius, math.atan(MU)
    turned = np.linspace(GAP / arm, math.asin((GAP + BUMP) / arm), 400)
    moved = np.maximum(arm * np.sin(turned) - GAP - arm * (1.0 - np.cos(turned)), 0.0)
    resists = np.sin(math.pi / 4 - turned + friction) / math.cos(math.pi / 4 + friction)
    needed = lock.count * arm * stiffness(lock, torque, lock.friction) * moved * resists
    print(f"radius {radius:g} mm: {needed.max():.5f} N m at the crest, stated {torque:g}")
    assert needed.max() == pytest.approx(torque, rel=2e-3)
    assert needed.argmax() == len(needed) - 1


def test_without_a_torque_there_is_no_detent_and_the_proof_says_so() -> None:
    kind, wish = kind_named("TWIST_LOCK"), spec("TWIST_LOCK", torque_nm=0.0)
    lock = kind.make(wish)
    assert lock.flexures() == []
    assert "detent" not in [trial.name for trial in kind.trials(wish, lock, lock.at(Pose()))]
    wish = spec("TWIST_LOCK", torque_nm=0.1)
    lock = kind.make(wish)
    assert "detent" in [trial.name for trial in kind.trials(wish, lock, lock.at(Pose()))]
