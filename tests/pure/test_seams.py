# SPDX-License-Identifier: GPL-3.0-or-later
"""Pieces of a long shot become one take: light is matched, the seam is where they differ least, and what is left is
measured. Planted against measured; the limits of ``seams`` lie between the clean films and the least fault here."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.errors import Cancelled, InputError
from holdfast.pipeline.fitting import Fit
from holdfast.pipeline.pieced import Film, take_from_pieces
from holdfast.pipeline.placing import Clip
from holdfast.pipeline.seams import Meeting, choose, late
from holdfast.pipeline.take import TakeFolder
from holdfast.pipeline.truth import GroundTruth

from .piece_films import (
    FRAMES,
    SIZE,
    WINDOWS,
    as_it_is,
    films,
    ids_at,
    noise,
    picture,
    write_film,
    write_truth,
)


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> GroundTruth:
    return write_truth(tmp_path_factory.mktemp("truth"))


def joined(truth: GroundTruth, folder: Path, *changes, **more) -> tuple[TakeFolder, dict, list[str]]:
    take = take_from_pieces(films(folder, *changes, **more), truth, folder / "t001", "t001")
    (seam,) = take.manifest.data["seams"]
    return take, seam, take.manifest.data["notes"]


def steps(take: TakeFolder) -> np.ndarray:
    """Change of the mean level from each frame to the next, the most of the channels."""
    means = np.array([take.frame(frame).reshape(-1, 3).mean(0) for frame in take.frames])
    return np.abs(np.diff(means, axis=0)).max(1)


def tinted(by):
    return lambda made, frame: made + np.array(by, np.float32)


def gained(by):
    return lambda made, frame: made * by


def moved(px: float, part: int):
    def change(made: np.ndarray, frame: int) -> np.ndarray:
        way = np.array([[1, 0, px], [0, 1, 0]], np.float32)
        whole = cv2.warpAffine(made, way, SIZE, borderMode=cv2.BORDER_REPLICATE)
        cover = cv2.warpAffine((ids_at(frame) == part).astype(np.float32), way, SIZE)[..., None]
        return made * (1 - cover) + whole * cover

    return change


def scribbled(made: np.ndarray, frame: int) -> np.ndarray:
    return made + 25 * noise(99, 2.0)[..., None] * (ids_at(frame) == 2)[..., None]


def test_two_clean_runs_meet_unseen(truth, tmp_path):
    take, seam, notes = joined(truth, tmp_path)
    print(seam)
    assert not seam["visible"] and notes == [] and seam["fade"] >= 5 and seam["frames"] == [8, 13]
    assert list(take.frames) == list(range(1, FRAMES + 1))
    assert take.manifest.data["frame_map"] == [[n, n] for n in take.frames]
    assert take.manifest.data["fps"] == [24, 1] and take.size == SIZE
    assert steps(take).max() < 1.0


@pytest.mark.parametrize(
    ("planted", "change"),
    [("brightness +12", tinted(12)), ("colour +15 0 -10", tinted((15, 0, -10))), ("gain 1.15", gained(1.15))],
)
def test_a_step_of_light_is_matched_and_fades_without_a_jump_elsewhere(truth, tmp_path, planted, change):
    take, seam, notes = joined(truth, tmp_path, as_it_is, change)
    halves = [np.array(one) for one in seam["offset"]]
    apart = halves[0] - halves[1]
    print(
        planted,
        "-> before",
        seam["before"],
        "after",
        seam["after"],
        "offset",
        apart,
        "step",
        steps(take).max(),
    )
    assert seam["before"] > 8 and seam["after"] < 3.5 and not seam["visible"]
    if planted.startswith("brightness"):
        assert apart == pytest.approx([12] * 3, abs=1.0)
    if planted.startswith("colour"):
        assert apart == pytest.approx([15, 0, -10], abs=1.5)
    assert "it was matched" in notes[0] and len(notes) == 1
    assert steps(take).max() < 3.0, "evenly from the one to the other"
    first, last = take.frame(1).astype(float), take.frame(FRAMES).astype(float)
    assert np.abs(first.mean((0, 1)) - picture(1, 1).mean((0, 1))).max() < 3.5, "the ends are as they came"
    wanted = change(picture(FRAMES, 2), FRAMES)
    assert np.abs(last.mean((0, 1)) - wanted.mean((0, 1))).max() < 3.5


@pytest.mark.parametrize(("part", "name"), [(1, "box"), (2, "disc")])
@pytest.mark.parametrize("px", [1.0, 3.0])
def test_a_part_that_lies_off_is_measured_and_told(truth, tmp_path, part, name, px):
    _, seam, notes = joined(truth, tmp_path, as_it_is, moved(px, part))
    print(name, "moved", px, "px -> measured", seam["shift"], seam["worst"])
    assert seam["shift"]["part"] == name and seam["shift"]["px"] == pytest.approx(px, abs=0.25)
    assert seam["visible"] and seam["fade"] == 0, "a fade would show it twice"
    assert f"{name} lies" in notes[0] and "can be seen" in notes[0]


def test_another_texture_is_told_by_its_part(truth, tmp_path):
    _, seam, notes = joined(truth, tmp_path, as_it_is, scribbled)
    print("another texture on the disc ->", seam["worst"], seam["shift"])
    assert seam["worst"]["part"] == "disc" and seam["worst"]["levels"] > 10 and seam["shift"]["px"] == 0
    assert seam["visible"] and "disc differs by" in notes[0]
    assert seam["gain"][1] == pytest.approx([1] * 3, abs=0.02), "and is not taken for light"


def test_the_seam_is_where_least_is_wrong(truth, tmp_path):
    def until_ten(made, frame):
        return scribbled(made, frame) if frame <= 10 else made

    take, seam, notes = joined(truth, tmp_path, as_it_is, until_ten)
    assert seam["at"] in (11, 12, 13) and not seam["visible"] and seam["fade"] == 3 and notes == []
    assert np.abs(take.frame(10).astype(int) - np.rint(picture(10, 1))).mean() < 6, "still of the first piece"


def retimed(folder: Path, pictures: list[np.ndarray], rate: float = 24.0) -> list[Film]:
    first, second = films(folder)
    write_film(second.path, pictures, rate)
    return [first, second]


def place_of(shown: np.ndarray) -> float:
    """x of the middle of the disc, by its colour."""
    return float(np.flatnonzero((shown[..., 2].astype(int) - shown[..., 0] > 40).sum(0) > 10).mean())


def test_a_piece_at_another_rate_is_placed_by_its_times(truth, tmp_path):
    found = retimed(tmp_path, [picture(frame, 2) for frame in range(8, 21, 2)], 12.0)
    take = take_from_pieces(found, truth, tmp_path / "t001", "t001")
    assert "7 frames instead of 13" in take.manifest.data["notes"][0]
    assert list(take.frames) == list(range(1, 21)) and take.manifest.data["fps"] == [24, 1]
    for frame in (16, 18, 20):
        assert place_of(take.frame(frame)) == pytest.approx(place_of(picture(frame, 2)), abs=1.5)


def test_a_piece_that_ends_early_is_left_before_it_does(truth, tmp_path):
    first, second = films(tmp_path)
    write_film(first.path, [picture(frame, 1) for frame in range(1, 11)])
    take = take_from_pieces([first, second], truth, tmp_path / "t001", "t001")
    (seam,) = take.manifest.data["seams"]
    assert seam["frames"] == [8, 10] and not seam["visible"], "what is missing of the one is in the other"
    assert place_of(take.frame(12)) == pytest.approx(place_of(picture(12, 1)), abs=1.5)
    write_film(first.path, [picture(frame, 1) for frame in range(1, 6)])
    take = take_from_pieces([first, second], truth, tmp_path / "t002", "t002")
    assert "Piece 1 ended 2 frames early: its last frame stands still there." in take.manifest.data["notes"]
    assert list(take.frames) == list(range(1, 21))


def test_a_piece_that_runs_late_is_said_to(truth, tmp_path):
    found = retimed(tmp_path, [picture(max(frame - 2, 8), 2) for frame in range(8, 21)])
    take = take_from_pieces(found, truth, tmp_path / "t001", "t001")
    (seam,) = take.manifest.data["seams"]
    print("2 frames late ->", seam["late"], seam["shift"])
    assert seam["late"] == 2 and any("2 frames late" in note for note in take.manifest.data["notes"])
    still = [np.full((4, 4, 3), 9, np.float32)] * 6
    assert late(still, still) == 0


def test_pieces_of_another_size_and_with_a_border_are_put_back(truth, tmp_path):
    fit = Fit(SIZE, (336, 192), pad=(8, 6, 8, 6))
    found = []
    for number, (first, count) in enumerate(WINDOWS):
        shows = tuple(range(first + 1, first + count + 1))
        framed = [cv2.copyMakeBorder(picture(n, 1), 6, 6, 8, 8, cv2.BORDER_REFLECT) for n in shows]
        grown = [cv2.resize(one, None, fx=1 + number, fy=1 + number) for one in framed]
        path = write_film(tmp_path / f"{number}.mp4", grown)
        found.append(Film(path, Clip(shows, Fraction(24), fit), first))
    take = take_from_pieces(found, truth, tmp_path / "t001", "t001")
    (seam,) = take.manifest.data["seams"]
    assert take.size == SIZE and not seam["visible"] and seam["shift"]["px"] < 0.3


def test_three_pieces_have_two_seams_and_drift_nowhere(truth, tmp_path):
    windows = ((0, 9), (5, 9), (11, 9))
    found = films(tmp_path, as_it_is, tinted(10), as_it_is, windows=windows)
    take = take_from_pieces(found, truth, tmp_path / "t001", "t001")
    assert [seam["pieces"] for seam in take.manifest.data["seams"]] == [[1, 2], [2, 3]]
    assert steps(take).max() < 3.0 and not any(seam["visible"] for seam in take.manifest.data["seams"])
    far = Film(found[2].path, found[2].clip, 30)
    with pytest.raises(InputError, match="don't follow"):
        take_from_pieces([*found[:2], far], truth, tmp_path / "t002", "t002")
    stop = CancelToken()
    stop.cancel()
    with pytest.raises(Cancelled):
        take_from_pieces(found, truth, tmp_path / "t003", "t003", Context(cancel=stop))
    assert not (tmp_path / "t003/take.json").exists()


def test_a_fade_is_as_long_as_little_differs():
    good = [Meeting(place, 1.0 + 0.01 * abs(place - 20)) for place in range(40)]
    best, fade = choose(good)
    assert best.place in (19, 20) and len(fade) == 12 and best.place in fade
    torn = [Meeting(place, 1.0 if place in (5, 6) else 9.0) for place in range(12)]
    assert list(choose(torn)[1]) == [5, 6]
    bad = [Meeting(place, 9.0 - place) for place in range(4)]
    best, fade = choose(bad)
    assert (best.place, len(fade), fade.start) == (3, 0, 3)
