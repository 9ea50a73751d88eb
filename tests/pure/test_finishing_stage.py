# SPDX-License-Identifier: GPL-3.0-or-later
"""Repair and Finish as worker tasks, on a small shot on disk."""

import sys

import numpy as np
import pytest
from holdfast.finishing import repair, stage
from holdfast.finishing.join import toned, tones
from holdfast.finishing.plan import RERUN, RESTORE, Circumstances, make_plan
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.encode import ffmpeg_args
from holdfast.pipeline.errors import Cancelled, InputError
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import read_picture, write_picture
from holdfast.pipeline.project import ShotFolder
from holdfast.pipeline.take import TakeFolder
from holdfast.pipeline.truth import GroundTruth

from .finishing_scene import SIZE, drawing, write_take, write_truth

FRAMES = list(range(1, 11))
SETTINGS = {
    "exposure": 0.0, "contrast": 1.0, "saturation": 1.0, "temperature": 0.0, "title": "Ball\nrolls", "title_seconds": 0.25,
    "crf": 16,
}  # fmt: skip
ENCODER = """
import sys
from fractions import Fraction
import av
args = sys.argv
folder, count, rate = args[args.index("-i") + 1], int(args[args.index("-frames:v") + 1]), args[args.index("-framerate") + 1]
with av.open(args[-1], "w") as container:
    stream = container.add_stream("libx264", rate=Fraction(rate))
    for number in range(1, count + 1):
        picture = next(av.open(folder % number).decode(video=0))
        if number == 1:
            stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture.to_ndarray(format="rgb24"), "rgb24")))
    container.mux(stream.encode())
"""
"""Stands in for ffmpeg: reads its arguments and encodes with PyAV."""


@pytest.fixture
def shot(tmp_path):
    folder = ShotFolder(tmp_path / "p.holdfast" / "sh010")
    write_truth(folder.truth, FRAMES)
    pictures = {frame: drawing(frame, ball=frame not in (5, 6)) for frame in FRAMES}
    take = write_take(folder.takes / "t001", pictures)
    finding = {
        "id": "f1",
        "part": "ball",
        "kind": "vanished",
        "frames": [5, 6],
        "severity": "major",
        "says": "gone",
    }
    data = {"take": "t001", "verdict": "fail", "parts": [], "findings": [finding]}
    report = Manifest("holdfast/report", {}, {"take": take.digest}, data)
    report.save(folder.reports / "t001" / "report.json")
    make_plan(report, take, Circumstances(4)).save(folder.reports / "t001" / "plan.json")
    return folder


def repair_request(shot, reruns=()):
    at = shot.reports / "t001"
    return {
        "truth": str(shot.truth), "parent": str(shot.takes / "t001"), "plan": str(at / "plan.json"),
        "report": str(at / "report.json"), "out": str(shot.takes / "t002"), "reruns": list(reruns),
    }  # fmt: skip


def test_repair_writes_the_next_take(shot):
    repair.run(repair_request(shot), Context())
    take = TakeFolder.open(shot.takes / "t002")
    (span,) = take.manifest.data["spans"]
    assert (span["kind"], span["part"], span["frames"], span["sources"]) == (
        RESTORE,
        "ball",
        [5, 6],
        [1, 2, 9, 10],
    )
    assert span["seen"] > 0.8 and span["check"] < 15
    assert take.manifest.data["parent"] == "t001" and take.manifest.inputs["parent"]
    for frame in (5, 6):
        error = np.abs(take.frame(frame).astype(int) - drawing(frame)).mean()
        assert error < 2.5
    for frame in (1, 2, 9, 10):
        assert take.path(frame).read_bytes() == (shot.takes / "t001" / f"frames/{frame:04d}.png").read_bytes()
    repaired = {path: (shot.takes / "t002" / path).read_bytes() for path in take.manifest.files}
    repair.run(repair_request(shot), Context())
    again = TakeFolder.open(shot.takes / "t002")
    assert again.manifest.digest == take.manifest.digest
    assert all((shot.takes / "t002" / path).read_bytes() == data for path, data in repaired.items())


def test_a_rerun_span_is_joined_around_the_part_over_the_handles(shot):
    other = {f: np.clip(drawing(f).astype(int) + 9, 0, 255).astype(np.uint8) for f in range(3, 9)}
    write_take(shot.takes / "t002" / "spans" / "0005-0006", other)
    record = {
        "folder": str(shot.takes / "t002" / "spans" / "0005-0006"), "frames": [5, 6], "handles": 2, "seed": 2,
        "part": "ball", "parts": ["ball"], "finding": "f1", "fault": "rubber",
    }  # fmt: skip
    plan = Manifest("holdfast/plan", {}, {}, {"take": "t001", "actions": []})
    plan.save(shot.reports / "t001" / "plan.json")
    repair.run(repair_request(shot, [record]), Context())
    take = TakeFolder.open(shot.takes / "t002")
    (span,) = take.manifest.data["spans"]
    assert span["kind"] == RERUN and span["seam"] < 2.0  # the lift of 9 levels was taken out around the part
    assert np.abs(take.frame(5).astype(int) - drawing(5)).mean() < 2
    corner = np.s_[:20, -20:]
    assert np.array_equal(take.frame(5)[corner], drawing(5)[corner])  # far from the part nothing changes
    assert np.array_equal(take.frame(2), drawing(2))


def test_a_rerun_takes_on_the_colours_of_the_take(shot):
    """The other run paints the ball paler: over the handles both show it, so the difference can be learned."""
    truth = GroundTruth.open(shot.truth)
    parent = TakeFolder.open(shot.takes / "t001")
    pale = {}
    for frame in range(2, 10):
        cover = truth.matte("ball", frame)[..., None]
        pale[frame] = np.rint(drawing(frame) * (1 - cover) + (drawing(frame) * 0.85 + 30) * cover).astype(
            np.uint8
        )
    write_take(shot.root / "new", pale)
    rerun = {"frames": [5, 6], "handles": 3}
    table = tones(parent, TakeFolder.open(shot.root / "new"), rerun, truth)
    assert np.abs(table["ball"].gain - 1 / 0.85).max() < 0.02
    made = toned(pale[5].astype(np.float32), pale[5], 5, table, truth)
    assert np.abs(made - drawing(5)).mean() < 0.5 < np.abs(pale[5].astype(int) - drawing(5)).mean()


def test_repair_can_be_cancelled_and_leaves_no_take(shot):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        repair.run(repair_request(shot), Context(cancel=token))
    assert not (shot.takes / "t002" / "take.json").exists()


def test_frames_of_another_size_are_refused(shot):
    small = {frame: drawing(frame)[:90, :160] for frame in FRAMES}
    write_take(shot.takes / "t001", small)
    with pytest.raises(InputError, match="size"):
        repair.run(repair_request(shot), Context())


def finish_request(shot, **settings):
    return {
        "shot": str(shot.root), "take": "t001", "takes": ["t001"], "settings": {**SETTINGS, **settings},
        "inputs": {"take": "x"}, "sketches": {}, "fonts": [],
        "encoders": {"ffmpeg": [sys.executable, "-c", ENCODER], "blender": [], "blender_bt601": False},
    }  # fmt: skip


def test_finish_delivers_everything_that_it_lists(shot):
    stage.run(finish_request(shot), Context())
    made = Manifest.load(shot.delivery / "delivery.json", "holdfast/delivery")
    assert all((shot.delivery / name).exists() for name in made.files)
    assert made.data["title"]["frames"] == 6 and made.data["video"]["frames"] == 16
    assert {"master.mp4", "shot.otio", "contact_sheet.png", "grade.cube", "master.xmp"} <= set(made.files)
    assert np.array_equal(read_picture(shot.delivery / "comp/0007.png"), drawing(1))  # neutral grade
    assert np.array_equal(read_picture(shot.delivery / "comp/0016.png"), drawing(10))
    dark, last = read_picture(shot.delivery / "comp/0001.png"), read_picture(shot.delivery / "comp/0006.png")
    assert last.mean() > dark.mean()


def test_a_shorter_cut_leaves_no_frames_of_the_longer_one(shot):
    stage.run(finish_request(shot), Context())
    stage.run(finish_request(shot, title="", exposure=0.5), Context())
    made = Manifest.load(shot.delivery / "delivery.json", "holdfast/delivery")
    assert made.data["video"]["frames"] == 10 and len(list((shot.delivery / "comp").iterdir())) == 10
    assert read_picture(shot.delivery / "comp/0001.png").mean() > drawing(1).mean()


def test_odd_frames_are_made_even(shot):
    write_take(shot.takes / "t001", {frame: drawing(frame)[:179, :319] for frame in FRAMES}, size=[319, 179])
    stage.run(finish_request(shot, title=""), Context())
    made = Manifest.load(shot.delivery / "delivery.json", "holdfast/delivery")
    assert made.data["video"]["size"] == list(SIZE)


def test_cancel_leaves_no_delivery(shot):
    stage.run(finish_request(shot), Context())
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        stage.run(finish_request(shot), Context(cancel=token))
    assert not (shot.delivery / "delivery.json").exists()


def test_a_damaged_frame_is_named(shot):
    write_picture(shot.takes / "t001/frames/0004.png", drawing(4))
    (shot.takes / "t001/frames/0004.png").write_text("no picture")
    with pytest.raises(InputError, match=r"0004\.png"):
        stage.run(finish_request(shot), Context())


def test_the_stand_in_understands_the_real_arguments():
    from holdfast.pipeline.encode import Clip

    args = ffmpeg_args(Clip("f", 3, (64, 36), (24, 1), 16), __import__("pathlib").Path("m.mp4"))
    assert {"-i", "-frames:v", "-framerate"} <= set(args)
