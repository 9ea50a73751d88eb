# SPDX-License-Identifier: GPL-3.0-or-later
"""A span drawn again by a remote model: frames to send, what is repainted, what is taken of what came back."""

import cv2
import numpy as np
import pytest
from holdfast.clients import span_takes
from holdfast.clients.offline.remote import write_film
from holdfast.pipeline.context import Context
from holdfast.pipeline.controls import Controls, parse_controls
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.fitting import Fit
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.money import Caps
from holdfast.pipeline.take import TakeFolder

from tests.pure import truth_package

KNOWN = list(range(1, 49))


def controls(**rules) -> Controls:
    kinds = {"kinds": {"beauty": {"field": "source_video"}}, "evidence": {"kinds": "ours"}}
    rules = {name: rule for name, rule in rules.items() if rule}
    return parse_controls(
        {**kinds, **rules, "evidence": {"kinds": "ours", **dict.fromkeys(rules, "ours")}}, "test"
    )


@pytest.mark.parametrize(
    ("wanted", "rules", "sent"),
    [
        ((10, 14), {}, (10, 14)),
        ((10, 14), {"count": {"step": 4, "offset": 1}}, (10, 14)),
        ((10, 15), {"count": {"step": 4, "offset": 1}}, (8, 16)),  # 9 frames, not 6
        ((10, 14), {"count": {"frames": [17, 0]}}, (4, 20)),
        ((2, 4), {"count": {"frames": [17, 0]}}, (1, 17)),  # nothing before the shot
        ((46, 48), {"count": {"frames": [17, 0]}}, (32, 48)),
        ((10, 15), {"rate": {"rates": ["12"]}, "count": {"frames": [5, 0]}}, (8, 16)),
    ],
)
def test_a_span_grows_to_a_count_that_the_model_takes(wanted, rules, sent):
    contract = controls(**rules)
    frames = span_takes.span_frames(list(range(wanted[0], wanted[1] + 1)), KNOWN, (24, 1), contract, "test")
    assert (frames[0], frames[-1]) == sent
    assert frames == list(range(sent[0], sent[1] + 1))


def test_a_shot_that_is_shorter_than_any_clip_is_sent_whole():
    contract = controls(count={"frames": [81, 0]})
    assert span_takes.span_frames([3, 4], KNOWN, (24, 1), contract, "test") == KNOWN
    assert span_takes.clip_of(2, (24, 1), contract, "test") == (81, (24, 1))


def test_frames_that_were_never_rendered_are_a_sentence():
    with pytest.raises(InputError, match="none of these frames"):
        span_takes.span_frames([90, 91], KNOWN, (24, 1), controls(), "test")


def test_a_picture_as_the_clip_holds_it():
    picture = np.zeros((60, 100, 3), np.uint8)
    picture[:, 50:] = 200
    made = span_takes.fitted(picture, Fit((100, 60), (64, 64), pad=(0, 12, 0, 14)))
    assert made.shape == (64, 64, 3)
    assert made[30, 10].tolist() == [0, 0, 0] and made[0, 60].tolist() == [200, 200, 200]


@pytest.fixture
def ready(tmp_path):
    """A job whose film is here: the clip showed the frames 1 to 3 of the shot; its film has those of ``count``."""
    truth_package.write(tmp_path / "truth")
    data = {
        "clips": {},
        "count": 3,
        "fps": [24, 1],
        "frame_map": [1, 2, 3],
        "fit": Fit((48, 32), (48, 32)).record(),
    }
    Manifest("holdfast/control", {}, {}, data).save(tmp_path / "clips/controls.json")

    def made(shades):
        store = JobStore(tmp_path / "project")
        job = store.prepare({}, Caps(), price=50_000, provider="p", model="m")
        for step in (Step.SUBMITTING, Step.REMOTE, Step.DOWNLOADING):
            store.move(job.id, step)
        film = store.folder(job.id) / "results/00.mp4"
        film.parent.mkdir(parents=True)
        write_film(film, [np.full((32, 48, 3), shade, np.uint8) for shade in shades], 24)
        store.move(job.id, Step.READY, results='[["00.mp4", ""]]')
        return {
            "project": str(store.project), "job": job.id, "truth": str(tmp_path / "truth"), "out": str(tmp_path / "span"),
            "clips": str(tmp_path / "clips"), "frames": [2, 3], "size": [48, 32], "facts": {"seed": 5},
        }  # fmt: skip

    return made


def test_only_what_is_wanted_becomes_frames_of_the_shot(ready, tmp_path):
    request = ready([40, 120, 200])
    told = span_takes.run(request, Context())
    assert (told["frames"], told["cost_micros"]) == ([2, 3], 50_000)
    take = TakeFolder.open(tmp_path / "span")
    assert [round(float(take.frame(frame).mean()), -1) for frame in (2, 3)] == [120, 200]
    assert JobStore(tmp_path / "project").get(request["job"]).step is Step.APPLIED
    stamp = take.path(2).stat().st_mtime_ns
    assert span_takes.run(request, Context()) == told and take.path(2).stat().st_mtime_ns == stamp


def test_a_frame_that_did_not_come_back_is_left_out(ready, tmp_path):
    assert span_takes.run(ready([40, 120]), Context())["frames"] == [2]
    with pytest.raises(InputError, match="None of the frames"):
        span_takes.run({**ready([40]), "frames": [2, 3]}, Context())


def test_outside_the_mask_the_take_is_sent_and_inside_the_render(tmp_path, monkeypatch):
    clips, out = tmp_path / "clips", tmp_path / "out"
    mask, render = np.zeros((64, 640, 3), np.uint8), np.full((64, 640, 3), 90, np.uint8)
    mask[:, 300:340] = 255
    for name, picture in (("matte", mask), ("beauty", render)):
        (clips / name).mkdir(parents=True)
        cv2.imwrite(str(clips / name / "0001.png"), picture)
    records = {
        name: {"kind": name, "codec": "h264", "pictures": f"{name}/{{index:04d}}.png"}
        for name in ("beauty", "matte")
    }
    data = {"clips": records, "fps": [24, 1], "frame_map": [7], "fit": Fit((640, 64), (640, 64)).record()}
    Manifest("holdfast/control", {}, {}, data).save(clips / "controls.json")
    (tmp_path / "take/frames").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "take/frames/0007.png"), np.full((64, 640, 3), 200, np.uint8))
    take = {"take": "t001", "size": [640, 64], "frames": [7], "pattern": "frames/{frame:04d}.png"}
    Manifest("holdfast/take", {}, {}, take).save(tmp_path / "take/take.json")
    monkeypatch.setattr(span_takes, "encode", lambda clip, film, *rest: film.write_bytes(b"film"))
    request = {"parent": str(tmp_path / "take"), "clips": str(clips), "out": str(out), "encoders": {}}
    made = span_takes.repaint(request, Context())
    assert set(made) == {"source_video", "mask_video"}
    monkeypatch.setattr(span_takes, "encode", lambda clip, film, *rest: film.write_bytes(b"other bytes"))
    assert span_takes.repaint(request, Context()) == made, "what was paid for is found by these bytes"
    sent, where = (cv2.imread(str(out / name / "0001.png"))[32, :, 0] for name in ("take", "mask"))
    assert where[262] == 255 and where[258] == 0, "the mask is 40 px of 640 wider than the part"
    assert set(sent[where > 127]) == {90} and set(sent[where < 127]) == {200}
