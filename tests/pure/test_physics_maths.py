# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigid transforms, mass properties and the cylinder finder against analytic truth."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from holdfast.physics import axis, mass, rigid
from holdfast.pipeline.errors import InputError
from hypothesis import example, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import physics_shapes as shapes

ANGLES = st.floats(-6.3, 6.3)


@given(ANGLES)
def test_sine_and_cosine_agree_with_the_maths_library(angle: float) -> None:
    sine, cosine = rigid.sine_cosine(angle)
    assert abs(sine - math.sin(angle)) < 1e-14
    assert abs(cosine - math.cos(angle)) < 1e-14


@given(st.integers(0, 2), ANGLES, st.integers(0, 2), ANGLES)
def test_quaternions_and_inverses_round_trip(i: int, a: float, j: int, b: float) -> None:
    turned = rigid.multiply(rigid.rotation(i, a), rigid.rotation(j, b), rigid.translation((1.0, -2.0, 3.0)))
    again = rigid.from_quaternion(rigid.to_quaternion(turned))
    assert np.abs(again[:3, :3] - turned[:3, :3]).max() < 1e-12
    assert np.abs(rigid.multiply(turned, rigid.inverse(turned)) - np.eye(4)).max() < 1e-12


def test_neighbouring_quaternions_stay_on_one_hemisphere() -> None:
    turns = np.stack([rigid.to_quaternion(rigid.rotation(2, 0.3 * k)) for k in range(40)])
    steady = rigid.continuous(turns)
    assert ((steady[1:] * steady[:-1]).sum(axis=1) > 0.9).all()


@given(st.floats(0.001, 3.0), st.floats(0.001, 3.0), st.floats(0.001, 3.0), st.floats(1.0, 9000.0))
def test_a_box_weighs_what_it_must(x: float, y: float, z: float, density: float) -> None:
    points, corners = shapes.box(x, y, z)
    found = mass.mass_properties(points + np.array((0.3, -0.7, 1.1)), corners, density)
    m = density * x * y * z
    assert found.mass == pytest.approx(m, rel=1e-9)
    assert found.com == pytest.approx((0.3, -0.7, 1.1), abs=1e-9)
    wanted = m / 12 * np.array((y * y + z * z, x * x + z * z, x * x + y * y))
    assert np.diag(found.inertia) == pytest.approx(wanted, rel=1e-6)


def test_a_fine_cone_has_the_textbook_centre_and_inertia() -> None:
    r, h = 0.02, 0.05
    points, corners = shapes.lathe([(0.0, 0.0), (r, 0.0), (0.0, h)], 720)
    found = mass.mass_properties(points, corners, 1000.0)
    m = 1000.0 * math.pi * r * r * h / 3
    print(f"cone: mass off by {found.mass / m - 1:.1e}, COM off by {1e3 * abs(found.com[2] - h / 4):.1e} mm")
    assert found.mass == pytest.approx(m, rel=1e-4)
    assert found.com[2] == pytest.approx(h / 4, rel=1e-9)
    assert found.inertia[2, 2] == pytest.approx(0.3 * m * r * r, rel=1e-4)
    assert found.inertia[0, 0] == pytest.approx(m * (3 * r * r / 20 + 3 * h * h / 80), rel=1e-4)


def test_open_flat_and_inverted_meshes_are_refused_with_a_sentence() -> None:
    points, corners = shapes.box(1, 1, 1)
    with pytest.raises(InputError, match=r"'case' is open at 3 edges, so it has no volume\. Close its holes"):
        mass.mass_properties(points, corners[1:], 1000.0, "case")
    with pytest.raises(InputError, match="inside out"):
        mass.mass_properties(points, corners[:, ::-1], 1000.0, "case")
    with pytest.raises(InputError, match="holds no volume"):
        mass.mass_properties(points * (1, 1, 0), corners, 1000.0, "case")
    with pytest.raises(InputError, match="no material"):
        mass.density_of("MITHRIL")
    assert mass.density_of("MITHRIL", 12.0) == 12.0


@settings(max_examples=20, deadline=None)
@example(160, "peg")
@given(st.integers(0, 10_000), st.sampled_from(("peg", "socket")))
def test_a_turned_peg_or_bore_is_found_wherever_it_lies(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    points, corners = shapes.lathe(shapes.PEG if kind == "peg" else shapes.BODY)
    place = rigid.frame(rng.normal(size=3) * 0.05, rng.normal(size=3))
    found = axis.find_cylinder(
        rigid.move_points(place, points), corners, kind, "it",
        tuple(place[:3, 3] + 0.01 * place[:3, 2]) if kind == "peg" else None,
    )  # fmt: skip
    wanted = place[:3, 2] * (-1.0 if kind == "peg" else 1.0)
    assert np.linalg.norm(np.cross(found.axis, wanted)) < 0.002
    assert np.dot(found.axis, wanted) > 0
    assert np.linalg.norm(np.cross(np.array(found.origin) - place[:3, 3], wanted)) < 1e-5
    assert found.radius == pytest.approx(0.0075 if kind == "peg" else 0.0077, rel=1e-3)


@pytest.mark.parametrize(
    ("profile", "kind", "sentence"),
    [
        ([(0.0, 0.0), (0.02, 0.01), (0.0, 0.02)], "peg", "No peg was found"),
        ([(0.0, 0.0), (0.02, 0.0), (0.02, 0.03), (0.0, 0.03)], "socket", "No socket was found"),
        ([(0, 0), (0.01, 0), (0.01, 0.01), (0.0102, 0.01), (0.014, 0.0105), (0.014, 0.0185), (0, 0.0185)], "peg", "More than one"),
        ([(0.0, 0.0), (0.0075, 0.0), (0.0075, 0.01), (0.0, 0.01)], "peg", "Which end"),
    ],
)  # fmt: skip
def test_what_is_no_clear_peg_or_bore_is_refused(
    profile: list[tuple[float, float]], kind: str, sentence: str
) -> None:
    points, corners = shapes.lathe(profile)
    with pytest.raises(InputError, match=sentence):
        axis.find_cylinder(points, corners, kind, "it")
