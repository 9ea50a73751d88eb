# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage of every kind: read right, or refused in a sentence."""

import struct
import zlib
from fractions import Fraction

import cv2
import numpy as np
import pytest
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.footage import frames_of, probe
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.take import TakeFolder
from holdfast.pipeline.take_frames import VideoFrames, read_frame

SIZE = (160, 120)


def picture(index, size=SIZE):
    out = np.full((size[1], size[0], 3), 90, np.uint8)
    x = 10 + 4 * index
    out[30:80, x : x + 40] = (220, 60, 30)
    return out


def folder_of(path, count=6, suffix=".png", change=lambda p: p):
    path.mkdir(parents=True)
    for index in range(count):
        assert cv2.imwrite(str(path / f"f{index:03d}{suffix}"), change(picture(index)[..., ::-1]))
    return path


def video_of(path, count=12, rate=16.0, size=SIZE, tag="mp4v"):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*tag), rate, size)
    for index in range(count):
        writer.write(np.ascontiguousarray(picture(index, size)[..., ::-1]))
    writer.release()
    return path


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_pictures_are_read(tmp_path, suffix):
    found = probe(folder_of(tmp_path / "a", suffix=suffix))
    assert (found.size, len(found.times), found.notes, found.uneven) == (SIZE, 6, (), False)
    assert np.abs(next(frames_of(tmp_path / "a")).astype(int) - picture(0)).mean() < 2


def test_sixteen_bits_and_alpha_are_read_with_a_note(tmp_path):
    deep = folder_of(tmp_path / "deep", change=lambda p: p.astype(np.uint16) * 257)
    assert "16 bits" in probe(deep).notes[0]
    assert (next(frames_of(deep)) == picture(0)).all()
    half = folder_of(tmp_path / "half", change=lambda p: np.dstack([p, np.full(p.shape[:2], 128, np.uint8)]))
    assert "over black" in probe(half).notes[0]
    assert np.abs(next(frames_of(half)).astype(int) - picture(0) * (128 / 255)).max() <= 1
    gray = folder_of(tmp_path / "gray", change=lambda p: p[..., 0])
    assert next(frames_of(gray)).shape == (SIZE[1], SIZE[0], 3)


@pytest.mark.parametrize("size", [SIZE, (162, 122)])
def test_videos_are_counted_by_decoding(tmp_path, size):
    found = probe(video_of(tmp_path / "a.mp4", size=size))
    assert (found.size, len(found.times), found.rate) == (size, 12, Fraction(16))
    assert not found.uneven


def test_a_video_reads_in_order_and_back(tmp_path):
    frames = VideoFrames(video_of(tmp_path / "a.mp4"))
    apart = [np.abs(frames[i].astype(int) - picture(i)).mean() for i in (0, 1, 5, 11, 2, 2)]
    assert max(apart) < 8
    with pytest.raises(InputError, match="no frame number 30"):
        frames[29]


def test_a_take_of_a_video(tmp_path):
    video_of(tmp_path / "a.mp4")
    data = {
        "take": "t001",
        "size": list(SIZE),
        "fps": [16, 1],
        "frames": list(range(1, 13)),
        "video": "a.mp4",
    }
    Manifest("holdfast/take", {}, {}, data).save(tmp_path / "take.json")
    take = TakeFolder.open(tmp_path)
    assert np.abs(take.frame(4).astype(int) - picture(3)).mean() < 8
    with pytest.raises(InputError, match="no frame 13"):
        take.frame(13)


def test_one_frame(tmp_path):
    assert len(probe(folder_of(tmp_path / "a", 1)).times) == 1


def test_nothing_and_rubbish_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no frame"):
        probe(tmp_path / "empty")
    (tmp_path / "a.mp4").write_bytes(b"not a video at all" * 50)
    with pytest.raises(InputError, match="can't be opened"):
        probe(tmp_path / "a.mp4")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match="no footage"):
        probe(tmp_path / "a.txt")
    with pytest.raises(InputError, match="no such take"):
        probe(tmp_path / "missing.mov")


def test_a_damaged_or_missing_picture_is_named(tmp_path):
    folder = folder_of(tmp_path / "a")
    (folder / "f003.png").write_bytes(b"rubbish")
    with pytest.raises(InputError, match=r"f003\.png"):
        probe(folder)
    (folder / "f003.png").unlink()
    with pytest.raises(InputError, match="number 3"):
        probe(folder)


def test_a_picture_that_claims_to_be_huge_is_not_decoded(tmp_path):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + data)
    with pytest.raises(InputError, match="larger than any take"):
        read_frame(tmp_path / "bomb.png")


def test_frames_of_several_sizes_are_refused(tmp_path):
    folder = folder_of(tmp_path / "a")
    cv2.imwrite(str(folder / "f006.png"), picture(6, (170, 130)))
    with pytest.raises(InputError, match=r"f006.png is 170x130, the frames before are 160x120"):
        probe(folder)


def test_interlaced_is_refused_and_stripes_are_not(tmp_path):
    woven = tmp_path / "woven"
    woven.mkdir()
    for index in range(6):
        frame = picture(2 * index)
        frame[1::2] = picture(2 * index + 1)[1::2]
        cv2.imwrite(str(woven / f"{index:03d}.png"), frame)
    with pytest.raises(InputError, match="interlaced"):
        probe(woven)

    def striped(p):
        p = p.copy()
        p[::2] = p[::2] // 2
        return p

    assert len(probe(folder_of(tmp_path / "striped", change=striped)).times) == 6
