# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole pictures put right: known crops, scales and shifts, and wrong ranges of levels, by the fit that Validate reports."""

import cv2
import numpy as np
import pytest
from holdfast.finishing import hold_colour, warp_part
from holdfast.finishing.job import Refused
from holdfast.validation.conformed import Conformed
from holdfast.validation.levels import Levels
from holdfast.validation.register import Fit, from_centres

from .finishing_jobs import SPAN, difference, job, truth_in
from .finishing_scene import SIZE, drawing

MIDDLE = np.zeros((SIZE[1], SIZE[0]), bool)
MIDDLE[12:-12, 12:-12] = True


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return truth_in(tmp_path_factory.mktemp("truth"))


def report_of(fit=None, levels=None):
    """The ``fit`` that Validate writes for this fit and these levels."""
    found = Conformed([], fit=fit or Fit(), levels=levels or Levels(), size=SIZE, own=SIZE)
    return {"findings": [], "fit": found.fit_json()}


def misplaced(frame, fit):
    """The drawing as a model with this fit gives it."""
    matrix = from_centres(fit.matrix(SIZE, SIZE))
    picture = drawing(frame).astype(np.float32)
    moved = cv2.warpAffine(picture, matrix, SIZE, flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT)
    return np.rint(np.clip(moved, 0, 255)).astype(np.uint8)


def task(truth, kind, made, report, fault):
    made_of = job(truth, kind, made, handles=0, fault=fault, report=report)
    object.__setattr__(made_of.action, "part", "")
    return made_of


@pytest.mark.parametrize(
    "fit",
    [
        Fit((1.0, 1.0), (0.004, -0.003)),  # shifted by 8 px at 1080p
        Fit((0.95, 0.95), (0.0, 0.0)),  # scaled down about the middle
        Fit((1.005, 1.005), (0.0, 0.0)),  # cropped by a little
        Fit((0.97, 0.98), (0.006, 0.004)),  # all of it, not even alike both ways
    ],
)
def test_a_picture_that_lies_wrong_is_put_right(truth, fit):
    made = {frame: misplaced(frame, fit) for frame in range(SPAN[0], SPAN[1] + 1)}
    mender = warp_part.mender(task(truth, "warp_part", made, report_of(fit), "frame_fit"))
    before = max(difference(made[f], drawing(f), MIDDLE) for f in made)
    after = max(difference(mender.mend(f), drawing(f), MIDDLE) for f in made)
    shift = max(found(mender.mend(f), drawing(f)) for f in made) * 1920 / SIZE[0]
    print(f"{fit}: {before:.2f} dE before, {after:.2f} after; {shift:.2f} px at 1080p off")
    assert after < 0.7 and after < 0.3 * before and shift < 0.3


def found(one, other):
    """Px by which two pictures are shifted against each other."""
    grey = [
        cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)[12:-12, 12:-12]
        for picture in (one, other)
    ]
    window = cv2.createHanningWindow(grey[0].shape[::-1], cv2.CV_32F)
    return float(np.hypot(*cv2.phaseCorrelate(*grey, window)[0]))


def test_a_crop_that_lost_too_much_is_refused(truth):
    with pytest.raises(Refused, match="not in the take"):
        warp_part.mender(task(truth, "warp_part", {}, report_of(Fit((1.1, 1.1))), "frame_fit"))
    with pytest.raises(Refused, match="no fit"):
        warp_part.mender(task(truth, "warp_part", {}, report_of(), "frame_fit"))


@pytest.mark.parametrize(
    "levels",
    [
        Levels(255 / 219, -16 * 255 / 219, "video levels are shown as full ones", 16.0),
        Levels(219 / 255, 16.0, "cut", -18.6),
    ],
)
def test_levels_are_put_right(truth, levels):
    wrong = {
        f: np.rint(np.clip((drawing(f) - levels.offset) / levels.gain, 0, 255)).astype(np.uint8)
        for f in (6, 7, 8)
    }
    mender = hold_colour.mender(task(truth, "hold_colour", wrong, report_of(levels=levels), "colour_range"))
    for frame in wrong:
        result, kept = mender.mend(frame), ((wrong[frame] > 0) & (wrong[frame] < 255)).all(-1)
        error = np.abs(result.astype(int) - drawing(frame)).max(-1)[kept].max()
        print(
            f"levels {levels.gain:.3f} {levels.offset:.1f}: off by {error} of 255 at most where nothing was cut"
        )
        assert error <= 1
        assert np.array_equal(result, levels.apply(wrong[frame]))  # what Validate measured by


def test_right_levels_are_not_touched(truth):
    with pytest.raises(Refused, match="no levels"):
        hold_colour.mender(task(truth, "hold_colour", {}, report_of(), "colour_range"))
