# SPDX-License-Identifier: GPL-3.0-or-later
"""Screw and ball: legal motions are free of penetration, planted faults are seen, tools are closed."""

from __future__ import annotations

import numpy as np
import pytest
from holdfast.physics import mass, verify
from holdfast.physics.choreography import Track, default_steps
from holdfast.physics.joints import kind_named
from holdfast.physics.joints.record import checked
from holdfast.physics.joints.spec import JointSpec
from holdfast.pipeline.errors import InputError

MEASURES = {"toy": (7.5, 10.0, 7.7, 12.0), "small": (3.0, 12.0, 3.2, 14.0), "large": (15.0, 20.0, 15.3, 20.0)}
CASES = [
    ("SCREW", "toy", {}), ("SCREW", "toy", {"hand": "LEFT", "starts": 1}), ("SCREW", "small", {"starts": 3}),
    ("SCREW", "large", {"depth_mm": 19.0}), ("SCREW", "small", {"pitch_mm": 2.7, "starts": 1}),
    ("BALL", "toy", {}), ("BALL", "small", {"swing_deg": 30.0}), ("BALL", "large", {"swing_deg": 15.0}),
]  # fmt: skip


def spec_of(kind: str, size: str, values: dict[str, float | int | str]) -> JointSpec:
    return checked(JointSpec(kind, "joint", "peg", "body", *MEASURES[size], values))


@pytest.mark.parametrize(("kind", "size", "values"), CASES)
def test_legal_motion_is_free_and_every_fault_is_seen(
    kind: str, size: str, values: dict[str, float | int | str]
) -> None:
    spec, made = spec_of(kind, size, values), kind_named(kind)
    mechanism = made.make(spec)
    track = Track(made, mechanism, default_steps(made), 1)
    poses, _ = track.poses(list(np.arange(1.0, track.end + 0.25, 0.5)))
    points, none = mechanism.surface_points(), np.empty((0, 3))
    deepest = verify.swept(poses, mechanism, points, none).deepest
    print(f"{kind} {size}: swept {deepest * 1e3:.6f} mm")
    assert deepest < 1e-8
    for name, (_, motion) in mechanism.wrong_motions().items():
        found = verify.swept(motion, mechanism, points, none).deepest
        print(f"  {name}: {found * 1e3:.4f} mm")
        assert found > 1.2e-5, name
    for tool in mechanism.tools():
        corners = np.array([(f[0], f[k], f[k + 1]) for f in tool.solid.faces for k in range(1, len(f) - 1)])
        assert mass.open_edges(corners) == 0
        assert mass.mass_properties(tool.solid.vertices, corners, 1.0).volume > tool.volume > 0.0
    phases = {name.upper(): poses[2 * (a - 1) : 2 * (b - 1) + 1] for name, (a, b) in track.spans().items()}
    checks = made.measured(spec, mechanism, phases)
    assert checks and all(check.ok for check in checks)


def test_screw_advances_its_lead_a_turn_and_ball_keeps_its_centre() -> None:
    screw = kind_named("SCREW").make(spec_of("SCREW", "toy", {}))
    one = (
        screw.at(screw.along(screw.screwed))[2, 3] - screw.at(screw.along(screw.screwed - 2.0 * np.pi))[2, 3]
    )
    assert one == pytest.approx(screw.lead, abs=1e-15)
    ball = kind_named("BALL").make(spec_of("BALL", "toy", {}))
    m = ball.at(ball.tilted(ball.swing, 1.0))
    assert m[:3, 3] - ball.centre * m[:3, 2] == pytest.approx((0.0, 0.0, -ball.under), abs=1e-12)


@pytest.mark.parametrize(("kind", "values", "words"), [
    ("SCREW", {"pitch_mm": 0.9}, "leaves"), ("SCREW", {"pitch_mm": 1.5, "starts": 1}, "turns are more"),
    ("SCREW", {"thread_mm": 0.3}, "would not hold"), ("BALL", {"ball_mm": 7.7}, "slip through"),
    ("BALL", {"ball_mm": 20.0}, "leaves a neck"),
])  # fmt: skip
def test_impossible_joints_are_refused(kind: str, values: dict[str, float | int | str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        kind_named(kind).make(spec_of(kind, "toy", values))
