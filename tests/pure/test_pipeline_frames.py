# SPDX-License-Identifier: GPL-3.0-or-later
"""Frame specs, as Blender, OpenJD and OpenCue write them."""

import pytest
from holdfast.pipeline.errors import UsageError
from holdfast.pipeline.frames import format_frames, parse_frames, spans
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("spec", "frames"),
    [
        ("1-4", (1, 2, 3, 4)),
        ("3-3", (3,)),
        ("1..4", (1, 2, 3, 4)),
        ("1-3,5,7-12:2", (1, 2, 3, 5, 7, 9, 11)),
        ("-5--2", (-5, -4, -3, -2)),
        ("-1,1,4-10:3", (-1, 1, 4, 7, 10)),
        ("1-20x5", (1, 6, 11, 16)),
        ("2, 1, 2", (1, 2)),
    ],
)
def test_specs(spec: str, frames: tuple[int, ...]) -> None:
    assert parse_frames(spec) == frames


@pytest.mark.parametrize("spec", ["", "a", "4-1", "1-4:0", "1-", "1;2", "1.5", "1-99999999"])
def test_nonsense_is_a_sentence(spec: str) -> None:
    with pytest.raises(UsageError):
        parse_frames(spec)


@given(st.sets(st.integers(-500, 500), min_size=1))
def test_round_trip(frames: set[int]) -> None:
    assert parse_frames(format_frames(frames)) == tuple(sorted(frames))
    assert sum(last - first + 1 for first, last in spans(frames)) == len(frames)
