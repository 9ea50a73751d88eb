# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn over a take: outlines against a circle and a rectangle that are known, strengths against a table."""

from __future__ import annotations

import numpy as np
import pytest
from holdfast.pipeline import sheet
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError
from hypothesis import given, settings
from hypothesis import strategies as st

from . import truth_package

WIDTH, HEIGHT = 160, 90


def disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    return np.clip(radius - np.hypot(columns - x, rows - y) + 0.5, 0, 1).astype(np.float32)


def pixels(line: np.ndarray) -> np.ndarray:
    """x, y in pixels, y down, of an outline in 0..1, y up."""
    return np.stack([line[:, 0] * WIDTH, (1 - line[:, 1]) * HEIGHT], 1)


@settings(max_examples=25, deadline=None)
@given(st.floats(30, 120), st.floats(30, 60), st.floats(4, 25))
def test_the_outline_of_a_disc_lies_on_its_circle(x, y, radius):
    (line,) = sheet.outlines(disc(x, y, radius))
    away = np.hypot(*(pixels(line) - (x, y)).T) - radius
    assert abs(away).max() < 0.5, abs(away).max()


def test_how_far_an_outline_lies_off_is_a_quarter_of_a_pixel():
    found = [
        np.hypot(*(pixels(sheet.outlines(disc(80.3, 45.6, r))[0]) - (80.3, 45.6)).T) - r
        for r in (5, 12, 30, 40)
    ]
    worst = [float(abs(away).max()) for away in found]
    print("px", [round(each, 2) for each in worst])
    assert max(worst) < 0.4


def test_holes_and_pieces_have_lines_of_their_own_and_nothing_has_none():
    ring = disc(80, 45, 30) - disc(80, 45, 15)
    assert len(sheet.outlines(ring)) == 2
    assert len(sheet.outlines(np.maximum(disc(30, 45, 9), disc(120, 45, 9)))) == 2
    assert sheet.outlines(np.zeros((HEIGHT, WIDTH), np.float32)) == []
    assert sheet.outlines(np.full((HEIGHT, WIDTH), 0.1, np.float32)) == []


def signal(values, limits):
    return {"measure": "m", "unit": "", "values": values, "limits": limits}


def test_the_strength_is_the_worst_of_all_kinds_over_its_limit():
    measures = {
        "frames": [5, 6, 7],
        "parts": {
            "lid": {"signals": {"rubber": signal([1.0, 4.0, None], [2.0, 2.0, 2.0]), "ghost": signal([0.3, 0.2, None], 0.2)}},
            "peg": {"signals": {"ghost": signal([None, 0.1, 0.1], [0.2, None, 0.0])}},
        },
    }  # fmt: skip
    found = sheet.strengths(measures)
    np.testing.assert_allclose(found.strength, [[1.5, 2.0, np.nan], [np.nan] * 3])
    assert [[found.names[k] if k >= 0 else "" for k in row] for row in found.kinds] == [
        ["ghost", "rubber", ""],
        [""] * 3,
    ]
    assert found.frames == (5, 6, 7) and found.parts == ("lid", "peg")


def test_the_worker_makes_what_is_missing_and_the_reader_finds_it(tmp_path):
    truth = truth_package.write(tmp_path / "truth")
    report = tmp_path / "t001"
    report.mkdir()
    (report / "measures.json").write_text('{"frames": [1], "parts": {"left": {"signals": {}}}}')
    np.savez(report / "heat.npz", heat=np.full((1, 45, 80), 120, np.uint8))
    request = {"truth": str(truth), "frame": 2, "report": str(report), "digest": "d" * 64}
    sheet.run(request, Context())
    from holdfast.pipeline.truth import GroundTruth

    opened = GroundTruth.open(truth)
    lines = sheet.read_outlines(sheet.outline_file(truth, opened.digest, 3))
    number = opened.part("right").id
    x, y = truth_package.centre_px("right", 3)
    half = truth_package.HALF["right"] * truth_package.FOCAL / truth_package.DEPTHS["right"]
    points = lines[number][0] * truth_package.SIZE
    print(points.min(0), points.max(0), (x, y), half)
    np.testing.assert_allclose(points.min(0), [x - half, truth_package.SIZE[1] - y - half], atol=0.6)
    np.testing.assert_allclose(points.max(0), [x + half, truth_package.SIZE[1] - y + half], atol=0.6)
    found = sheet.read_sheet(report, "d" * 64)
    assert found.parts == ("left",) and found.heat.shape == (1, 45, 80)
    sheet.run({**request, "digest": "e" * 64}, Context())
    assert sheet.read_sheet(report, "d" * 64) is None, "the strengths of an older report are gone"


def test_what_is_not_there_or_damaged_is_not_read(tmp_path):
    assert sheet.read_outlines(tmp_path / "none.npz") is None
    assert sheet.read_sheet(tmp_path, "x") is None
    sheet.sheet_file(tmp_path, "x").write_bytes(b"no archive")
    assert sheet.read_sheet(tmp_path, "x") is None


def test_a_damaged_heat_map_is_said(tmp_path):
    report = tmp_path / "t001"
    report.mkdir()
    (report / "measures.json").write_text('{"frames": [1], "parts": {}}')
    (report / "heat.npz").write_bytes(b"PK damaged")
    request = {"truth": str(tmp_path), "frame": 1, "report": str(report), "digest": "d"}
    with pytest.raises(InputError, match="heat map can't be read"):
        sheet.run(request, Context())
