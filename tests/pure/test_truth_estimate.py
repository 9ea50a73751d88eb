# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimates: honest about what they rest on, and silent where nothing was measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast.pipeline.estimate import FILE, Timing, amount, duration, estimate

TIMING = Timing(seconds=10.0, bytes=12_000_000, frames=4, size=(640, 360), made_with="CYCLES 12")


def test_nothing_measured_says_so_and_names_an_upper_bound() -> None:
    found = estimate(72, (640, 360), "CYCLES 12", 900_000_000, None)
    assert (found.time_words(), found.disk_words()) == ("unknown", "at most 900 MB")
    assert found.basis() == "Unknown until a frame is rendered with these settings."


def test_a_time_measured_with_other_settings_is_no_estimate() -> None:
    assert estimate(72, (640, 360), "CYCLES 64", 1, TIMING).seconds is None


def test_measured_frames_are_scaled_to_the_shot() -> None:
    found = estimate(72, (640, 360), "CYCLES 12", 900_000_000, TIMING)
    assert found.time_words() == "about 3 min" and found.disk_words() == "about 216 MB"
    assert found.basis() == "Measured on 4 frames."


def test_another_size_is_scaled_by_its_pixels_and_said() -> None:
    found = estimate(8, (1280, 720), "CYCLES 12", 1, TIMING)
    assert found.seconds == pytest.approx(80.0)
    assert found.basis() == "Measured on 4 frames of 640 x 360."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (8.4, "8 s"), (43, "45 s"), (89, "90 s"), (91, "2 min"), (181, "3 min"), (3600, "1 h"),
     (4700, "1 h 20 min"), (40_000, "11 h")],
)  # fmt: skip
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"), [(12, "12 B"), (850_000, "850 kB"), (1_400_000_000, "1.4 GB"), (21_300_000, "21 MB")]
)
def test_amounts(count: int, words: str) -> None:
    assert amount(count) == words


def test_a_timing_is_kept_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    assert Timing.load(tmp_path) is None
    TIMING.save(tmp_path)
    assert Timing.load(tmp_path) == TIMING
    (tmp_path / FILE).write_text('{"seconds": 1}', encoding="utf-8")
    assert Timing.load(tmp_path) is None
