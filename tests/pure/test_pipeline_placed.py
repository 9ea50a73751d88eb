# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn over a take lies where Validate reads the part: through crop, scale, shift and shake."""

import json

import numpy as np
import pytest
from holdfast.pipeline.placed import Placed
from holdfast.validation.conformed import Conformed
from holdfast.validation.register import Fit
from hypothesis import given, settings
from hypothesis import strategies as st

SCALE, SHIFT = st.floats(0.7, 1.4), st.floats(-0.1, 0.1)
SIZES = st.sampled_from([(1920, 1080), (960, 540), (1080, 1920), (640, 480)])
OWN = st.sampled_from([(1920, 1080), (1280, 704), (512, 512)])


@given(st.tuples(SCALE, SCALE), st.tuples(SHIFT, SHIFT), st.tuples(SHIFT, SHIFT), SIZES, OWN)
@settings(max_examples=60, deadline=None)
def test_a_place_of_the_render_is_drawn_where_it_is_read_in_the_take(scale, shift, shake, size, own):
    conformed = Conformed([(5, 7)], fit=Fit(scale, shift), shake={7: shake}, size=size, own=own)
    told = json.loads(json.dumps(conformed.fit_json()))
    for frame in (7, 8):
        matrix = conformed.matrix(frame)
        placed = Placed.of(told, frame, size)
        for x, y in ((0.0, 0.0), (0.3, 0.8), (1.0, 1.0)):
            right, down = matrix @ (x * size[0], y * size[1], 1.0)
            drawn = placed.point(x, 1.0 - y)
            off = np.hypot(drawn[0] - right / own[0], (1 - drawn[1] - down / own[1]) * size[1] / size[0])
            assert 1920 * off < 0.05, "px of a picture 1920 wide"


def test_the_box_is_that_of_the_corners():
    placed = Placed.of({"scale": [1.1, 0.9], "offset_px": [19.2, -10.8]}, 1, (1920, 1080))
    left, bottom, width, height = placed.box(10.0, 20.0, 1600.0, 900.0)
    x, y = placed.point(1.0, 1.0)
    assert (left + width, bottom + height) == pytest.approx((10 + 1600 * x, 20 + 900 * y))
    middle = placed.point(0.5, 0.5)
    assert middle == pytest.approx((0.51, 0.51)), "to the right and up"


@pytest.mark.parametrize("fit", [None, {}, {"scale": [1.0, 1.0], "offset_px": [0.0, 0.0], "shake_px": 0.0}])
def test_without_a_fit_the_take_lies_on_the_render(fit):
    assert Placed.of(fit, 3, (1280, 720)) == Placed()
