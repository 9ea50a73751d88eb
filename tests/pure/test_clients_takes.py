# SPDX-License-Identifier: GPL-3.0-or-later
"""Control clips to a request, a request to a price and a digest, a result to a take at the size and place of the shot."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from holdfast.clients import takes
from holdfast.clients.descriptor import InputLimit
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError, ProviderRejected
from holdfast.pipeline.fitting import Fit
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.money import Caps
from holdfast.pipeline.store import hash_file
from holdfast.pipeline.take import TakeFolder

from tests.bench.tuning import Studio, library, write_truth

from ..loopback import media
from .jobs_service import FACTS, MODEL

FRAMES = 12
FIT = Fit((320, 180), (336, 192), pad=(8, 6, 8, 6))
"""The shot in a clip with a border."""


@pytest.fixture(scope="module")
def shot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shot")
    write_truth(Studio(library((320, 180), FRAMES)[0]), folder / "truth")
    clips = folder / "controls"
    clips.mkdir()
    (clips / "beauty.mp4").write_bytes(media.mp4())
    (clips / "depth.mp4").write_bytes(media.mp4(9))
    record = {"codec": "h264", "pictures": "x/{index:04d}.png", "count": FRAMES + 1}
    data = {
        "clips": {"depth": {**record, "kind": "depth", "file": "depth.mp4"}, "beauty": {**record, "kind": "beauty", "file": "beauty.mp4"}},
        "count": FRAMES + 1, "fps": [24, 1], "frame_map": [*range(1, FRAMES + 1), FRAMES], "fit": FIT.record(),
    }  # fmt: skip
    Manifest(takes.CLIPS, {}, {}, data).save(clips / "controls.json")
    return folder


def model(**inputs):
    return replace(MODEL, inputs=inputs, options={**MODEL.options, "control": ["depth", "edges"]})


def made(shot, entry, **more):
    clips = Manifest.load(shot / "controls/controls.json", takes.CLIPS)
    return takes.request_of(entry, shot / "controls", clips, "ink", 3, {"seconds": 4, **more})


def test_a_request_has_the_clips_that_the_model_takes(shot):
    only = made(shot, model(source_video=InputLimit(("data_uri",))))
    assert [(Path(e["path"]).name, e["role"]) for e in only["inputs"]] == [("beauty.mp4", "source_video")]
    assert only["inputs"][0]["sha256"] == hash_file(shot / "controls/beauty.mp4")
    assert only["seed"] is None, "the model takes none"
    both = made(shot, model(source_video=InputLimit(("https",)), control_video=InputLimit(("https",))))
    assert both["options"] == {"seconds": 4, "control": "depth"}
    with pytest.raises(ProviderRejected, match="needs matte"):
        made(shot, model(mask_video=InputLimit(("https",))))


def test_the_digest_is_of_what_decides(shot):
    entry = model(source_video=InputLimit(("data_uri",)))
    one = takes.digest_of(entry, made(shot, entry))
    assert one == takes.digest_of(entry, made(shot, entry))
    assert one != takes.digest_of(entry, made(shot, entry, seconds=5))
    assert one != takes.digest_of(replace(entry, model="film-2"), made(shot, entry))


def test_the_price_is_that_of_the_clip(shot):
    clips = Manifest.load(shot / "controls/controls.json", takes.CLIPS)
    assert takes.price_of(MODEL, clips, {}) == round(100_000 * (FRAMES + 1) / 24)


def result(folder: Path, count: int, size: tuple[int, int]) -> Path:
    """What a model gives back: the clip in grey, with a bright square where the shot's top left corner is."""
    path = folder / "results" / "00.mp4"
    path.parent.mkdir(parents=True)
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 24, size)
    for _ in range(count):
        picture = np.full((size[1], size[0], 3), 60, np.uint8)
        grown = size[0] / FIT.clip[0]
        left, top = round(8 * grown), round(6 * grown)
        picture[top : top + round(40 * grown), left : left + round(40 * grown)] = 230
        film.write(picture)
    film.release()
    return path


def ready(project: Path, count: int, size: tuple[int, int]):
    store = JobStore(project)
    job = store.prepare({"inputs": []}, Caps(), price=0, **FACTS)
    film = result(store.folder(job.id), count, size)
    for step in (Step.SUBMITTING, Step.REMOTE, Step.DOWNLOADING):
        store.move(job.id, step)
    return store.move(job.id, Step.READY, results=f'[["{film.name}", "{hash_file(film)}"]]', cost=450_000)


def applied(shot, project, job):
    request = {
        "project": str(project), "job": job.id, "truth": str(shot / "truth"), "clips": str(shot / "controls"),
        "out": str(project / "takes/t001"), "take": "t001", "settings": {"seed": 3}, "facts": {"look": "INK", "seed": 3},
    }  # fmt: skip
    return takes.run(request, Context())


@pytest.mark.parametrize("size", [FIT.clip, (672, 384)])
def test_a_result_is_put_back_to_the_size_and_place_of_the_shot(shot, tmp_path, size):
    job = ready(tmp_path, FRAMES + 1, size)
    applied(shot, tmp_path, job)
    take = TakeFolder.open(tmp_path / "takes/t001")
    assert take.size == (320, 180)
    picture = take.frame(take.frames[3]).astype(int)
    edge = np.flatnonzero(picture[20, :, 0] > 150)
    print("bright from", edge.min(), "to", edge.max())
    assert abs(edge.min() - 0) <= 1 and abs(edge.max() - 39) <= 1
    assert take.manifest.data["frame_map"][-1] == [FRAMES, FRAMES + 1], (
        "the padded frame shows the last one again"
    )
    assert (take.manifest.data["job"], take.manifest.data["cost_micros"]) == (job.id, 450_000)
    assert JobStore(tmp_path).get(job.id).step is Step.APPLIED


def test_a_shorter_result_is_matched_by_its_times(shot, tmp_path):
    applied(shot, tmp_path, ready(tmp_path, 8, FIT.clip))
    assert TakeFolder.open(tmp_path / "takes/t001").manifest.data["frame_map"] == [
        [n, n] for n in range(1, 9)
    ]


def test_a_result_of_another_ratio_stays_as_it_came_and_says_so(shot, tmp_path):
    applied(shot, tmp_path, ready(tmp_path, 8, (320, 240)))
    data = TakeFolder.open(tmp_path / "takes/t001").manifest.data
    assert data["size"] == [320, 240] and "another ratio" in data["notes"][-1]


def test_a_job_without_a_result_is_refused(shot, tmp_path):
    job = JobStore(tmp_path).prepare({"inputs": []}, Caps(), price=0, **FACTS)
    with pytest.raises(InputError, match="prepared"):
        applied(shot, tmp_path, job)
