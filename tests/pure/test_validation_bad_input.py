# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate given what people really bring: a right verdict or a clear sentence, never a traceback."""

import json
import shutil
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.footage import probe, take_from_footage
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import write_gray
from holdfast.pipeline.take import TakeFolder
from holdfast.pipeline.take_frames import read_frame
from holdfast.pipeline.truth import PATTERNS, GroundTruth
from holdfast.validation.stage import READ, run

from tests.bench.tuning import Studio, library, write_take, write_truth

SIZE, FRAMES = (256, 144), 8


@pytest.fixture(scope="module")
def shot(tmp_path_factory):
    """A folder with a truth package and a clean take of it, t001."""
    folder = tmp_path_factory.mktemp("shot")
    studio = Studio(library(SIZE, FRAMES)[0])
    write_truth(studio, folder / "truth")
    write_take(studio, folder / "t001", "ink_wash", (), GroundTruth.open(folder / "truth").digest)
    return folder


@pytest.fixture
def copied(shot, tmp_path):
    """The same in a folder of one's own."""
    shutil.copytree(shot, tmp_path / "shot")
    return tmp_path / "shot"


def judged(shot, take, out, **more):
    run({"truth": str(shot / "truth"), "take": str(take), "out": str(out), **more}, Context())
    return json.loads((out / "report.json").read_text())["data"]


def pictures(shot):
    take = TakeFolder.open(shot / "t001")
    return [take.frame(frame) for frame in take.frames]


def brought(shot, path, out):
    return take_from_footage(path, GroundTruth.open(shot / "truth"), out, "t002").folder


def as_files(folder, frames, suffix=".png"):
    folder.mkdir(parents=True)
    for index, frame in enumerate(frames):
        order = [2, 1, 0, *range(3, frame.shape[2])]
        assert cv2.imwrite(str(folder / f"{index:03d}{suffix}"), frame[..., order])
    return folder


def as_video(path, frames, times=None, rate=24, pixels="yuv420p", codec="libx264"):
    """A video; ``times`` are positions of the frames in units of 1 / rate."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], pixels
        stream.codec_context.time_base = Fraction(1, rate)
        for index, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = (times or range(len(frames)))[index], Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def edited(file, change):
    """A manifest with other data."""
    manifest = Manifest.load(file, json.loads(file.read_text())["schema"])
    data = json.loads(json.dumps(dict(manifest.data)))
    change(data)
    Manifest(manifest.schema, manifest.settings, manifest.inputs, data).save(file)
    return file.parent


def test_a_take_of_4k_for_a_small_shot(shot, tmp_path):
    large = [cv2.resize(p, (3840, 2160), interpolation=cv2.INTER_CUBIC) for p in pictures(shot)[:3]]
    take = brought(shot, as_files(tmp_path / "in", large, ".jpg"), tmp_path / "t002")
    data = judged(shot, take, tmp_path / "out")
    assert [each["kind"] for each in data["findings"]] == ["frames_missing"], data["summary"]  # it is shorter
    assert [part["name"] for part in data["parts"] if part["verdict"] == "fail"] == []


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_with_alpha(shot, tmp_path, suffix):
    solid = np.full((SIZE[1], SIZE[0], 1), 65535, np.uint16)
    deep = [np.dstack([p.astype(np.uint16) * 257, solid]) for p in pictures(shot)]
    take = brought(shot, as_files(tmp_path / "in", deep, suffix), tmp_path / "t002")
    assert (TakeFolder.open(take).frame(3) == pictures(shot)[2]).all()
    assert judged(shot, take, tmp_path / "out")["findings"] == []


def test_video_of_ten_bits(shot, tmp_path):
    file = as_video(tmp_path / "a.mkv", pictures(shot), pixels="yuv420p10le", codec="ffv1")
    assert "10 bits" in probe(file).notes[0]
    assert judged(shot, brought(shot, file, tmp_path / "t002"), tmp_path / "out")["findings"] == []


def test_a_rate_that_varies_is_matched_by_times(shot, tmp_path):
    shown = [0, 1, 2, 4, 6, 7]
    every = pictures(shot)
    file = as_video(tmp_path / "a.mkv", [every[i] for i in shown], shown, codec="ffv1")
    found = probe(file)
    assert found.uneven and ["matched by their times" in note for note in found.notes] == [True]
    take = brought(shot, file, tmp_path / "t002")
    assert [source - 1 for source, _ in TakeFolder.open(take).manifest.data["frame_map"]] == shown
    parts = judged(shot, take, tmp_path / "out")["parts"]
    assert [part["name"] for part in parts if part["verdict"] == "fail"] == []


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_take_of_few_frames(shot, tmp_path, count):
    take = brought(shot, as_files(tmp_path / "in", pictures(shot)[:count]), tmp_path / "t002")
    data = judged(shot, take, tmp_path / "out")
    assert [part["name"] for part in data["parts"] if part["verdict"] == "fail"] == [], data["summary"]
    assert len(data["frame_map"]) == count


def test_a_take_without_frames(copied, tmp_path):
    take = edited(copied / "t001/take.json", lambda data: data.update(frames=[], frame_map=[]))
    with pytest.raises(InputError, match="frame"):
        judged(copied, take, tmp_path / "out")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_picture_that_breaks_off_is_named(shot, tmp_path, suffix, share):
    folder = as_files(tmp_path / "in", pictures(shot)[:1], suffix)
    file = folder / f"000{suffix}"
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(InputError, match=f"000{suffix}"):
        read_frame(file)


def test_a_video_that_breaks_off_has_the_frames_that_are_there(shot, tmp_path):
    file = as_video(tmp_path / "a.mkv", pictures(shot), codec="ffv1")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    found = probe(file)
    assert 0 < len(found.times) < FRAMES


STAGES = pytest.mark.parametrize("stage", ["full", "coarse"])


def refused(shot, out, stage):
    """What Validate says instead of a report; nothing that could be taken for one is left."""
    with pytest.raises(InputError) as error:
        judged(shot, shot / "t001", out, stage=stage)
    assert not out.exists() or [path.name for path in out.rglob("*") if path.is_file()] == []
    return error.value


@STAGES
@pytest.mark.parametrize("kind", READ)
def test_a_pass_that_is_gone_is_named(copied, tmp_path, kind, stage):
    file = copied / "truth" / PATTERNS[kind].format(frame=5)  # a first look takes 1, 4, 7
    file.unlink()
    error = refused(copied, tmp_path / "out", stage)
    assert str(error).startswith(f"{file.name} of the ground truth is missing")
    assert error.todo == "Run Ground truth again."
    shutil.rmtree(file.parent)
    error = refused(copied, tmp_path / "out", stage)
    assert str(error).startswith(
        f"{PATTERNS[kind].format(frame=1).rsplit('/', 1)[-1]} and {FRAMES - 1} more files"
    )


@STAGES
def test_poses_and_cameras_that_are_gone_are_named(copied, tmp_path, stage):
    (copied / "truth/poses.npz").rename(copied / "truth/elsewhere.npz")
    error = refused(copied, tmp_path / "out", stage)
    assert str(error).startswith("poses.npz is missing") and error.todo == "Run Ground truth again."
    (copied / "truth/elsewhere.npz").rename(copied / "truth/poses.npz")
    retold(copied, lambda data: data["camera"].pop(4))
    error = refused(copied, tmp_path / "out", stage)
    assert "no camera for frame 5" in str(error) and error.todo == "Run Ground truth again."


def retold(copied, change):
    """Changes truth.json, and lets the take be made from what it is then."""
    edited(copied / "truth/truth.json", change)
    file = copied / "t001/take.json"
    manifest = Manifest.load(file, "holdfast/take")
    inputs = {"truth": GroundTruth.open(copied / "truth").digest}
    Manifest(manifest.schema, manifest.settings, inputs, manifest.data).save(file)


def test_what_validate_does_not_read_may_be_gone(shot, copied, tmp_path):
    for kind in ("normal", "vector", "matte", "whole", "sure"):
        shutil.rmtree(copied / "truth" / PATTERNS[kind].split("/")[0])
    whole = judged(shot, shot / "t001", tmp_path / "whole")
    assert judged(copied, copied / "t001", tmp_path / "out") == whole
    measures = [(tmp_path / name / "measures.json").read_text() for name in ("whole", "out")]
    assert measures[0] == measures[1]


@STAGES
def test_a_picture_of_the_take_that_is_gone_is_named(copied, tmp_path, stage):
    (copied / "t001/frames/0005.png").unlink()
    error = refused(copied, tmp_path / "out", stage)
    assert str(error).startswith("0005.png of take t001 is missing") and "Style" in error.todo


def test_a_picture_of_another_size_is_named_with_both_sizes(copied, tmp_path):
    file = copied / "t001/frames/0005.png"
    assert cv2.imwrite(str(file), cv2.resize(cv2.imread(str(file)), None, fx=0.5, fy=0.5))
    error = refused(copied, tmp_path / "out", "full")
    assert str(error).startswith("Frame 5 of take t001 (0005.png) is 128x72, the take is 256x144")
    assert error.todo == "Get frame 5 again at 256x144, then run this again."


def test_a_report_stays_when_the_take_is_damaged_later(copied, tmp_path):
    judged(copied, copied / "t001", tmp_path / "out")
    before = (tmp_path / "out/report.json").read_bytes()
    (copied / "t001/frames/0005.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"0005\.png"):
        judged(copied, copied / "t001", tmp_path / "out")
    assert (tmp_path / "out/report.json").read_bytes() == before


def crowded(copied, count):
    """Adds parts of 3 pixels to the package."""
    names = [f"dot {number}" for number in range(count)]

    def more(data):
        data["parts"] += [
            {"id": 100 + n, "name": name, "object": name, "folder": name} for n, name in enumerate(names)
        ]

    retold(copied, more)
    truth = copied / "truth"
    places = [(3 + 6 * (n % 40), 3 + 4 * (n // 40)) for n in range(count)]
    for name, (x, y) in zip(names, places, strict=True):
        alone = np.zeros((SIZE[1], SIZE[0]), np.uint8)
        alone[y, x : x + 3] = 255
        encoded = cv2.imencode(".png", alone)[1].tobytes()
        for kind in ("matte", "whole"):
            for frame in range(1, FRAMES + 1):
                file = truth / PATTERNS[kind].format(frame=frame, part=name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(encoded)
    for frame in range(1, FRAMES + 1):
        file = truth / PATTERNS["ids"].format(frame=frame)
        drawn = [truth / PATTERNS["beauty"].format(frame=frame), copied / f"t001/frames/{frame:04d}.png"]
        both = [cv2.imread(str(path)) for path in drawn]
        ids = cv2.imread(str(file), cv2.IMREAD_UNCHANGED).astype(np.uint16)
        for number, (x, y) in enumerate(places):
            ids[y, x : x + 3] = 100 + number
            for picture in both:
                picture[y, x : x + 3] = (40, 60, 200)
        write_gray(file, ids)
        for path, picture in zip(drawn, both, strict=True):
            cv2.imwrite(str(path), picture)
    with np.load(truth / "poses.npz") as stored:
        poses, numbers = stored["poses"], stored["frames"]
    still = np.broadcast_to(np.eye(4), (len(numbers), count, 4, 4))
    np.savez(truth / "poses.npz", poses=np.concatenate([poses, still], 1), frames=numbers)
    return names


@pytest.mark.parametrize("count", [1, 200])
def test_parts_of_three_pixels(copied, tmp_path, count):
    names = crowded(copied, count)
    data = judged(copied, copied / "t001", tmp_path / "out")
    verdicts = {part["name"]: part["verdict"] for part in data["parts"]}
    assert set(names) < set(verdicts)
    assert "fail" not in verdicts.values(), data["summary"]
    assert data["findings"] == []


def test_an_unknown_part_is_refused(shot, tmp_path):
    with pytest.raises(InputError, match="no part 'handle'"):
        judged(shot, shot / "t001", tmp_path / "out", parts=["handle"])
