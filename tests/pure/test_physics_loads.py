# SPDX-License-Identifier: GPL-3.0-or-later
"""Load curves of the protocols, and how far a part that tilts must stand off."""

from __future__ import annotations

import numpy as np
import pytest
from holdfast.physics.clearing import clearance, underside
from holdfast.physics.joints.protocols import LAB_RATE, PROTOCOLS, load_curve, protocol_of
from holdfast.physics.joints.record import checked, from_json, to_json
from holdfast.physics.joints.spec import JointSpec
from hypothesis import given
from hypothesis import strategies as st


def joint(kind: str = "TWIST_LOCK", radius: float = 7.5, **values: float | str) -> JointSpec:
    return checked(JointSpec(kind, "joint", "peg", "body", radius, 10.0, radius + 0.2, 12.0, values))


def test_load_curves_rise_evenly_to_what_the_standards_say_and_stay() -> None:
    for name, pull, rise, hold in (("SHORT", 90.0, 0.5, 0.5), ("ISO_594_2", 35.0, 3.5, 10.0),
                                   ("EN_71_1_TENSION", 90.0, 5.0, 10.0), ("EN_71_1_TORQUE", 90.0, 0.5, 0.5)):  # fmt: skip
        spec = joint(protocol=name)
        curve = np.array(protocol_of(spec).pull_curve(spec))
        assert len(curve) == round((rise + hold) * LAB_RATE) and curve.max() == pull
        assert np.diff(curve[: round(rise * LAB_RATE)]) == pytest.approx(pull / rise / LAB_RATE)
        assert (curve[round(rise * LAB_RATE) - 1 :] == pull).all()
        print(f"{name}: {pull:g} N in {rise:g} s, held {hold:g} s; {protocol_of(spec).source}")
    torque = load_curve(0.34, 5.0, 10.0)
    assert PROTOCOLS["EN_71_1_TORQUE"].torque_curve() == torque and len(torque) == 15 * LAB_RATE


def test_a_protocol_is_kept_with_the_joint() -> None:
    spec = joint(protocol="ISO_594_2")
    assert from_json(to_json(spec)) == spec
    assert to_json(joint("BALL")).get("over_mm") is None


@given(st.lists(st.tuples(st.floats(1.0, 60.0), st.floats(0.0, 20.0)), min_size=1, max_size=40),
       st.floats(1.0, 10.0), st.floats(5.0, 35.0))  # fmt: skip
def test_a_part_that_stands_off_as_told_clears_the_rim_at_its_tilt(
    rows: list[tuple[float, float]], under: float, tilt: float
) -> None:
    turns = np.linspace(0.0, 2.0 * np.pi, len(rows), endpoint=False)
    points = 1e-3 * np.array(
        [(r * np.cos(a), r * np.sin(a), z) for (r, z), a in zip(rows, turns, strict=True)]
    )
    sine, cosine = float(np.sin(np.radians(tilt))), float(np.cos(np.radians(tilt)))
    off = clearance(underside(points, 1.0), 1e-3 * under, sine, cosine)
    radius, height = np.hypot(points[:, 0], points[:, 1]), points[:, 2] + off + 1e-3 * under
    lowest = height * cosine - radius * sine - 1e-3 * under  # those that lean down the most
    assert lowest.min() > -1e-6


def test_of_two_heights_at_one_radius_the_lower_counts() -> None:
    points = np.array(((0.05999999999999999, 0.0, 0.001), (-0.06, 0.0, 0.0)))
    assert underside(points, 1.0) == ((60.0, 0.0),)


def test_what_lies_beyond_the_socket_asks_for_nothing() -> None:
    points = 1e-3 * np.array(((5.0, 0.0, 0.0), (0.0, 50.0, 0.0)))
    near = clearance(underside(points, 0.010), 1e-3, 0.5, 0.75**0.5)
    far = clearance(underside(points, 1.0), 1e-3, 0.5, 0.75**0.5)
    assert underside(points, 0.010)[-1][0] == 10.0 and near < 0.25 * far
