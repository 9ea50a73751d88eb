# SPDX-License-Identifier: GPL-3.0-or-later
"""The colours of parts: each its own, told apart by colour-blind eyes, the same wherever they are asked for."""

from __future__ import annotations

import numpy as np
import pytest
from holdfast.pipeline import part_colours


@pytest.mark.parametrize(("count", "least"), [(7, 0.07), (15, 0.07), (30, 0.05), (60, 0.035), (500, 0.007)])
def test_colours_differ_for_every_eye(count: int, least: float) -> None:
    colours = part_colours.palette()[1 : count + 1].astype(np.float64)
    for eye in part_colours._EYES:
        seen = part_colours.oklab(colours, eye)
        apart = np.linalg.norm(seen[:, None] - seen[None], axis=2) + 9.0 * np.eye(count)
        print(f"{count} parts: least difference {apart.min():.4f} (Oklab)")
        assert apart.min() > least


def test_every_number_has_its_own_colour_in_8_bits() -> None:
    eight_bits = np.rint(part_colours.palette() * 255).astype(int)
    assert len(np.unique(eight_bits, axis=0)) == part_colours.DISTINCT + 1


def test_one_number_one_colour() -> None:
    ids = np.array([[0, 1, 31, 33], [512, 513, 65535, 7]], np.uint16)
    shown = part_colours.coloured(ids)
    for row in range(2):
        for column in range(4):
            assert np.allclose(shown[row, column], part_colours.colour_of(int(ids[row, column])))
    assert part_colours.colour_of(513) == part_colours.colour_of(1)
    assert np.array_equal(part_colours.palette(5), part_colours.palette()[: part_colours.FEW + 1])
