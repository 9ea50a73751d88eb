# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of a take by a tracking model: what it is shown, one bill a part, J and F of planted masks, answers that are none."""

import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from holdfast.clients import jobs as jobs_module
from holdfast.clients import mask_jobs, mask_results
from holdfast.clients.offline.remote_masks import followed
from holdfast.clients.takes import digest_of
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.jobs import JobStore
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.money import Caps
from holdfast.pipeline.pictures import write_picture
from holdfast.pipeline.truth import GroundTruth
from holdfast.validation import masks_stage

from tests.loopback.harness import built_in
from tests.loopback.trackers import FalSam, ReplicateSam, film_of
from tests.pure import truth_package

ENCODERS = {"ffmpeg": [sys.executable, str(Path(__file__).with_name("av_ffmpeg.py"))]}
FAL, REPLICATE, OURS = (
    "fal/fal-ai/sam2/video",
    "replicate/meta/sam-2-video",
    "rehearsal_remote/flow-tracker-1",
)


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return GroundTruth.open(truth_package.write(tmp_path_factory.mktemp("shot") / "truth"))


@pytest.fixture(scope="module")
def take(truth):
    """Frames 11 to 13 of double size, as a model may give them."""
    for source, frame in zip(truth.frames, (11, 12, 13), strict=True):
        large = cv2.resize(truth.beauty(source), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
        write_picture(truth.folder.parent / f"take/frames/{frame:04d}.png", large)
    data = {"take": "t001", "size": [96, 64], "frames": [11, 12, 13], "pattern": "frames/{frame:04d}.png", "fps": [24, 1],
            "frame_map": [[1, 11], [2, 12], [3, 13]]}  # fmt: skip
    Manifest("holdfast/take", {}, {"truth": truth.digest}, data).save(truth.folder.parent / "take/take.json")
    return truth.folder.parent / "take"


@pytest.fixture
def out(truth, take, tmp_path):
    """The film of the take and what each part looks like in it, made once."""
    made = truth.folder.parent / "asked"
    asked(truth, take, made)
    shutil.copytree(made, tmp_path / "out")
    return tmp_path / "out"


def seen(truth):
    """What a perfect tracker finds in the film."""
    return [np.repeat(np.repeat(truth.ids(frame), 2, 0), 2, 1) for frame in truth.frames]


def asked(truth, take, out, most=(0, 0)):
    pairs = [[1, 11], [2, 12], [3, 13]]
    request = {"truth": str(truth.folder), "take": str(take), "pairs": pairs, "out": str(out), "most": most}
    return mask_jobs.run({**request, "encoders": ENCODERS}, Context())


def send(model_id, project, out, facts, settings, monkeypatch):
    """Sends what is not there yet and gives the jobs by part."""
    monkeypatch.setattr("holdfast.clients.wire.FIRST_WAIT_S", 0.001)
    model, store, jobs = built_in().models[model_id], JobStore(project), {}
    for part, request in mask_jobs.requests_of(model, out, facts).items():
        digest = digest_of(model, request)
        job = store.same(digest) or store.prepare(
            request, Caps(), price=0, provider=model.provider, model=model.model, digest=digest
        )
        jobs[part] = job.id
    runner = jobs_module.Runner(store, built_in(), False, Context(), settings)
    for _ in range(30):  # an adapter made anew for every step; no waiting between them
        runner._paces.clear()
        for job in jobs.values():
            runner.work(job)
    return jobs


def scored(truth, take, masks, tmp_path):
    request = {"truth": str(truth.folder), "take": str(take), "masks": masks, "out": str(tmp_path / "report")}
    return Manifest.load(Path(masks_stage.run(request, Context())["report"]), masks_stage.SCHEMA).data


def test_each_part_is_shown_where_it_is_largest_in_the_pixels_of_the_take(truth, take, out):
    facts = asked(truth, take, out)
    assert facts["size"] == [96, 64] and facts["frames"] == [11, 12, 13]
    film = cv2.VideoCapture(str(out / "film.mp4"))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    left, right = facts["prompts"]
    ids = seen(truth)
    for number, prompt in ((1, left), (2, right)):
        there = ids[prompt["index"]] == number
        rows, columns = np.nonzero(there)
        assert tuple(prompt["box"]) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert all(there[y, x] for x, y in prompt["points"])
    clicks = mask_jobs.requests_of(built_in().models[REPLICATE], out, facts)["right"]["options"]
    assert json.loads(f"[{clicks['click_coordinates']}]")[0] == list(right["points"][0])
    assert set(clicks["click_frames"].split(",")) == {str(right["index"])}


@pytest.mark.parametrize("service", [FAL, REPLICATE])
def test_planted_masks_give_their_j_and_f_and_one_bill_a_part(
    service, truth, take, out, tmp_path, monkeypatch, capsys
):
    """The left part is tracked right, the right one 4 px beside in its second frame and lost in the third."""
    ids = seen(truth)
    ids[1] = np.where(ids[1] == 1, 1, np.roll(np.where(ids[1] == 2, 2, 0), 4, 1))
    ids[2] = np.where(ids[2] == 2, 0, ids[2])
    server = FalSam(ids) if service == FAL else ReplicateSam(ids)
    project = tmp_path / "project"
    with server:
        monkeypatch.setenv("HOLDFAST_FAL_KEY", server.key)
        monkeypatch.setenv("HOLDFAST_REPLICATE_KEY", server.key)
        base = {"base": server.url if service == FAL else server.base, "rest": server.url}
        facts = asked(truth, take, out)
        for _ in range(2):  # the second time nothing is sent
            jobs = send(service, project, out, facts, {service.split("/")[0]: base}, monkeypatch)
            request = {"project": str(project), "jobs": jobs, "asked": facts, "out": str(out)}
            made = mask_results.run(request, Context())
        creates = [
            each
            for each in server.log
            if each.method == "POST" and each.path.endswith(("/video", "/predictions"))
        ]
    assert len(creates) == 2
    data = scored(truth, take, made["masks"], tmp_path)
    j = {part: told["J"]["values"] for part, told in data["parts"].items()}
    with capsys.disabled():
        print(
            f"\n{service}: {data['summary']}; right by frame J {j['right']}, F {data['parts']['right']['F']['values']}"
        )
    assert min(j["left"]) > 0.95
    assert j["right"][0] > 0.95 and 0.3 < j["right"][1] < 0.9 and j["right"][2] == 0.0
    assert data["parts"]["right"]["not_reported"] == [13]


def test_what_is_no_mask_is_refused(truth, take, out, tmp_path, monkeypatch):
    ids = seen(truth)

    grey = np.full((64, 96, 3), 120, np.uint8)
    with pytest.raises(InputError, match="not black and white"):
        mask_results.binary(grey, (96, 64), "lid")
    project = tmp_path / "project"
    with FalSam(ids, lambda masks: film_of(masks[:2])) as server:
        monkeypatch.setenv("HOLDFAST_FAL_KEY", server.key)
        facts = asked(truth, take, out)
        settings = {"fal": {"base": server.url, "rest": server.url}}
        jobs = send(FAL, project, out, facts, settings, monkeypatch)
    request = {"project": str(project), "jobs": jobs, "asked": facts, "out": str(out)}
    with pytest.raises(InputError, match="2 masks of left came back for 3 frames"):
        mask_results.run(request, Context())


def test_the_tracker_of_the_rehearsal_follows_what_moves(truth, take, out, tmp_path, monkeypatch):
    project = tmp_path / "project"
    facts = asked(truth, take, out)
    jobs = send(OURS, project, out, facts, {"rehearsal_remote": {"seconds": 0}}, monkeypatch)
    request = {"project": str(project), "jobs": jobs, "asked": facts, "out": str(out)}
    data = scored(truth, take, mask_results.run(request, Context())["masks"], tmp_path)
    assert data["mean"]["J"] > 0.7, data["summary"]


def test_a_mask_moves_with_what_it_is_on():
    rng = np.random.default_rng(3)
    before = cv2.GaussianBlur(rng.integers(0, 255, (90, 160)).astype(np.uint8), (0, 0), 2)
    mask = np.zeros((90, 160), np.float32)
    mask[30:60, 50:90] = 255
    moved = followed(mask, before, np.roll(before, 4, 1)) > 127
    assert np.logical_xor(moved, np.roll(mask, 4, 1) > 127)[:, 10:-10].mean() < 0.02


def test_a_film_is_never_larger_than_the_model_takes_and_has_even_sides(truth, take, tmp_path):
    assert mask_jobs.film_size((97, 65), (0, 0)) == ((98, 66), 1.0)
    facts = asked(truth, take, tmp_path / "small", most=(48, 48))
    assert facts["size"] == [48, 32]
    assert max(facts["prompts"][1]["box"]) <= 48


def test_what_is_there_of_the_same_take_is_kept(truth, take, out):
    before = (out / "film.mp4").stat().st_mtime_ns
    facts = asked(truth, take, out)
    assert facts == asked(truth, take, out) and (out / "film.mp4").stat().st_mtime_ns == before
