# SPDX-License-Identifier: GPL-3.0-or-later
"""Every preset of every kind by real contacts, on a peg and bore of the size that it is for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from holdfast.physics.joints import KINDS, kind_named

sys.path.insert(0, str(Path(__file__).parent))
from physics_tried import TYPICAL, joint, tried

pytestmark = [pytest.mark.sweep, pytest.mark.usefixtures("remembered")]

SIZES = {
    "luer": (3.0, 6.0, 3.1, 7.0),
    "camera": (22.0, 7.0, 22.1, 8.0),
    "garden": (11.0, 12.0, 11.4, 14.0),
    "box_lid": (3.0, 10.0, 3.15, 11.0),
    "figure_limb": (4.0, 8.0, 4.1, 9.0),
    "plunger": (5.0, 12.0, 5.15, 14.0),
    "bottle": (12.5, 9.0, 12.7, 10.0),
    "lab_bottle": (20.0, 14.0, 20.3, 15.0),
    "lamp": (12.5, 12.0, 12.75, 13.0),
    "shoulder": (5.0, 10.0, 6.0, 12.0),
    "stand": (6.0, 12.0, 8.0, 14.0),
}
"""Preset: radius and length of the peg, radius and depth of the bore in mm; else a toy of 3 cm."""


@pytest.mark.parametrize("kind,name", [(kind.name, name) for kind in KINDS for name in kind.presets])
def test_a_preset_works_by_contact(kind: str, name: str) -> None:
    preset = kind_named(kind).presets[name]
    checks = tried(joint(kind, SIZES.get(name, TYPICAL), **preset.values))
    for check in checks:
        print(f"{check.id}: {check.value:.6f} {check.unit}, limit {check.limit:g}: {check.says}")
    assert checks and not [check for check in checks if not check.ok]
