# SPDX-License-Identifier: GPL-3.0-or-later
"""A film made anywhere becomes a take: what it shows is found, said in sentences, and confirmed by a person."""

import cv2
import numpy as np
import pytest
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.take import TakeFolder
from holdfast.validation.imported import FOUND, SAID, choose, run

from tests.bench.tuning import Fault, Studio, library, write_take, write_truth

FRAMES = 24


@pytest.fixture(scope="module")
def shot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shot")
    studio = Studio(library((320, 180), FRAMES)[0])
    write_truth(studio, folder / "truth")
    return folder, studio


def film(shot, name, *faults):
    """A film of the shot in ink wash, as a tool would hand it out."""
    folder, studio = shot
    write_take(studio, folder / name, "ink_wash", faults, "")
    take = TakeFolder.open(folder / name)
    path = folder / f"{name}.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 24, take.size)
    for frame in take.frames:
        writer.write(np.ascontiguousarray(take.frame(frame)[..., ::-1]))
    writer.release()
    return path


def imported(shot, footage, name, **more):
    folder, _ = shot
    request = {
        "truth": str(folder / "truth"),
        "footage": str(footage),
        "out": str(folder / "takes" / name),
        "take": name,
        **more,
    }
    return run(request, Context()), folder / "takes" / name


def test_a_film_as_it_should_be_is_a_take(shot):
    found, folder = imported(shot, film(shot, "plain"), "t001", provider="somebody", seed=7)
    take = TakeFolder.open(folder)
    assert (take.manifest.data["provider"], take.manifest.data["seed"]) == ("somebody", 7)
    assert not found["differs"], found["says"]
    assert take.manifest.data["frame_map"] == [[f, f] for f in take.frames] and len(take.frames) == FRAMES
    print(found["says"])


def test_a_late_film_is_found_late_and_the_person_decides(shot):
    found, folder = imported(shot, film(shot, "late", Fault("lag", "", (0, FRAMES - 1), 3)), "t002")
    print(found["says"])
    assert found["differs"] and "3 frames later" in found["says"][0]
    before = TakeFolder.open(folder).manifest.data
    assert before["frame_map"][10] == [11, 11] and before["import"]["chosen"] == ""
    after = choose(folder, FOUND).manifest.data
    assert after["frame_map"][10] == [8, 11] and after["import"]["chosen"] == FOUND
    assert choose(folder, SAID).manifest.data["frame_map"] == before["frame_map"]


def test_a_cropped_film_is_said_to_be(shot):
    found, _ = imported(shot, film(shot, "crop", Fault("crop", "", (0, FRAMES - 1), 5)), "t003")
    print(found["says"])
    assert any("scaled to 10" in line for line in found["says"])


def test_what_is_no_footage_is_refused_and_leaves_no_take(shot):
    folder, _ = shot
    (folder / "words.mp4").write_bytes(b"these are words")
    with pytest.raises(InputError):
        imported(shot, folder / "words.mp4", "t004")
    assert not (folder / "takes/t004/take.json").exists()
    with pytest.raises(InputError, match="was not imported"):
        choose(folder / "plain", FOUND)
