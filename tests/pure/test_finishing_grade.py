# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from holdfast.finishing.grade import PIVOT, Grade, cdl, linear_to_srgb, roll_off, srgb_to_linear, write_cube
from hypothesis import given, settings
from hypothesis import strategies as st

RAMP = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)


def test_neutral_grade_changes_no_pixel():
    picture = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    assert np.array_equal(Grade().apply(picture), picture)


def test_almost_neutral_grade_is_the_identity_within_one_code_value():
    result = Grade(saturation=1.0000001).apply(RAMP)
    assert np.abs(result.astype(int) - RAMP).max() <= 1


def test_exposure_is_in_stops_of_linear_light():
    grey = np.full((1, 1, 3), 100, np.uint8)
    wanted = linear_to_srgb(srgb_to_linear(np.array(100 / 255)) * 2.0) * 255
    assert abs(float(Grade(exposure=1.0).apply(grey)[0, 0, 1]) - float(wanted)) <= 1


@given(st.floats(0.3, 2.5))
@settings(max_examples=30)
def test_contrast_leaves_mid_grey_alone_and_turns_about_it(contrast):
    code = round(float(linear_to_srgb(np.array(PIVOT)) * 255))
    grey = np.full((1, 1, 3), code, np.uint8)
    result = Grade(contrast=contrast).apply(np.concatenate([grey, grey // 2, np.minimum(grey * 1, 255)]))
    assert abs(int(result[0, 0, 0]) - code) <= 2
    darker = int(result[1, 0, 0]) - code // 2
    assert darker <= 1 if contrast >= 1 else darker >= -1


@given(st.floats(-1, 1))
@settings(max_examples=30)
def test_temperature_keeps_the_luminance_of_grey(temperature):
    slope = Grade(temperature=temperature).slope
    assert float(slope @ [0.2126, 0.7152, 0.0722]) == pytest.approx(1.0, abs=1e-6)
    assert (slope[0] - slope[2]) * temperature >= 0


def test_no_saturation_is_grey():
    picture = np.random.default_rng(2).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    result = Grade(saturation=0.0).apply(picture).astype(int)
    assert np.ptp(result, axis=2).max() == 0


def test_white_is_rolled_off_and_order_is_kept():
    result = Grade(exposure=1.0, contrast=1.3).apply(RAMP)[0, :, 1].astype(int)
    assert (np.diff(result) >= 0).all()
    assert result[-1] == 255 and result[-12] < 255  # detail stays above the knee


@given(st.floats(1.0, 8.0))
@settings(max_examples=30)
def test_roll_off_sends_white_to_one_and_is_smooth(white):
    values = roll_off(np.linspace(0, white, 2000).astype(np.float32), white)
    assert values[-1] == pytest.approx(1.0, abs=1e-4)
    assert (np.diff(values) >= -1e-6).all()


def test_cube_holds_the_same_grade(tmp_path):
    grade = Grade(0.3, 1.2, 1.1, 0.4)
    write_cube(tmp_path / "g.cube", grade, "g", 17)
    lines = [line for line in (tmp_path / "g.cube").read_text().splitlines() if line[0].isdigit()]
    table = np.array([[float(v) for v in line.split()] for line in lines]).reshape(17, 17, 17, 3)
    codes = np.round(np.linspace(0, 255, 17)).astype(np.uint8)  # exact grid points: 255 / 16 is not whole
    picture = np.stack(np.meshgrid(codes, codes, codes, indexing="ij"), -1)[..., ::-1].reshape(1, -1, 3)
    difference = np.abs(grade.apply(np.ascontiguousarray(picture)).reshape(17, 17, 17, 3) - table * 255)
    assert difference.max() < 6 and difference.mean() < 1


def test_cdl_numbers_give_the_grade_in_linear_light():
    grade = Grade(0.5, 1.25, 1.0, -0.3)
    numbers = cdl(grade)["asc_sop"]
    code = np.array([90, 110, 70], np.uint8)
    linear = srgb_to_linear(code / 255.0)
    wanted = linear_to_srgb((linear * numbers["slope"]) ** np.array(numbers["power"])) * 255
    assert np.abs(grade.apply(code.reshape(1, 1, 3))[0, 0] - wanted).max() <= 1
