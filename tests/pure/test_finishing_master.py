# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and tagging MP4, the encoder's contract, and provenance; PyAV is the oracle."""

import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from holdfast.finishing import xmp
from holdfast.pipeline import mp4
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.encode import Clip, Encoders, bent_for_bt601, check_master, encode, ffmpeg_args
from holdfast.pipeline.errors import Cancelled, HoldfastError, InputError
from holdfast.pipeline.pictures import write_picture

RATES = [(24, 1), (24000, 1001), (25, 1), (30000, 1001)]


def movie(path, count=9, fps=(24, 1), tagged=True, size=(64, 36)):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(*fps))
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if tagged:
            context = stream.codec_context
            context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
        for index in range(count):
            picture = np.full((size[1], size[0], 3), 20 * index % 255, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("fps", RATES)
def test_the_reader_agrees_with_pyav(tmp_path, fps):
    track = mp4.read_video_track(movie(tmp_path / "a.mp4", 17, fps))
    assert (track.codec, track.size, track.frames) == ("avc1", (64, 36), 17)
    assert track.fps == Fraction(*fps)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].frames == 17


def test_a_missing_colour_tag_is_put_in_and_the_file_still_plays(tmp_path):
    path = movie(tmp_path / "a.mp4", tagged=False)
    before = [frame.to_ndarray() for frame in av.open(str(path)).decode(video=0)]
    assert mp4.read_video_track(path).colour is None
    assert mp4.tag_bt709(path)
    track = mp4.read_video_track(path)
    assert track.colour == mp4.BT709 and track.full_range is False
    assert not mp4.tag_bt709(path)
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace) == (1, 1, 1)
        after = [frame.to_ndarray() for frame in container.decode(video=0)]
    assert len(after) == len(before) and all(np.array_equal(a, b) for a, b in zip(after, before, strict=True))


def test_tagging_moves_chunk_offsets_where_the_index_comes_first(tmp_path):
    path = tmp_path / "fast.mp4"
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for value in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((36, 64, 3), 40 * value, np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert mp4.read_video_track(path).fast_start
    assert mp4.tag_bt709(path)
    assert len(list(av.open(str(path)).decode(video=0))) == 5


@pytest.mark.parametrize("size", [0, 7, 100, 400])
def test_a_cut_off_file_is_a_clear_error(tmp_path, size):
    path = movie(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError):
        mp4.read_video_track(path)


def test_the_check_finds_every_difference(tmp_path):
    track = mp4.read_video_track(movie(tmp_path / "a.mp4", 9, (24000, 1001)))
    right = Clip("", 9, (64, 36), (24000, 1001), 16)
    check_master(track, right)
    for wrong in (Clip("", 8, (64, 36), (24000, 1001), 16), Clip("", 9, (64, 38), (24000, 1001), 16),
                  Clip("", 9, (64, 36), (24, 1), 16)):  # fmt: skip
        with pytest.raises(HoldfastError):
            check_master(track, wrong)


FAKE = """
import shutil, sys
print("frame=1"); print("frame=9")
shutil.copyfile({source!r}, sys.argv[-1])
"""


@pytest.fixture
def clip(tmp_path):
    for number in range(1, 10):
        write_picture(tmp_path / "comp" / f"{number:04d}.png", np.full((36, 64, 3), 90, np.uint8))
    return Clip(str(tmp_path / "comp"), 9, (64, 36), (24, 1), 16)


def test_a_working_ffmpeg_is_used_and_its_progress_heard(tmp_path, clip):
    source = movie(tmp_path / "source.mp4")
    heard = []
    out = tmp_path / "delivery" / "master.mp4"
    argv = [sys.executable, "-c", FAKE.format(source=str(source))]
    track, name = encode(clip, out, Encoders(ffmpeg=argv), Context(lambda f, m: heard.append(f)))
    assert name == "ffmpeg" and track.frames == 9 and out.exists() and max(heard, default=0) in (0, 1.0)
    assert [path.name for path in out.parent.iterdir()] == ["master.mp4"]


def test_a_broken_ffmpeg_falls_back_and_nothing_is_left(tmp_path, clip):
    out = tmp_path / "delivery" / "master.mp4"
    broken = [sys.executable, "-c", "print('no such codec'); raise SystemExit(3)"]
    with pytest.raises(HoldfastError, match="no such codec"):
        encode(clip, out, Encoders(ffmpeg=broken, blender=["/no/such/blender"]), Context())
    assert not list(out.parent.iterdir())
    with pytest.raises(HoldfastError, match="nothing to encode with"):
        encode(clip, out, Encoders(), Context())


def test_cancel_ends_the_encoder(tmp_path, clip):
    token = CancelToken()
    token.cancel()
    argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(Cancelled):
        encode(clip, tmp_path / "m.mp4", Encoders(ffmpeg=argv), Context(cancel=token))


def test_odd_sizes_are_refused(tmp_path):
    with pytest.raises(InputError, match="even"):
        encode(Clip("", 1, (63, 36), (24, 1), 16), tmp_path / "m.mp4", Encoders(), Context())


def test_ffmpeg_is_told_matrix_range_and_rational_rate(tmp_path):
    args = " ".join(ffmpeg_args(Clip("f", 9, (64, 36), (24000, 1001), 16), tmp_path / "m.mp4"))
    for said in ("out_color_matrix=bt709", "-colorspace bt709", "-color_trc bt709", "-color_primaries bt709",
                 "-color_range tv", "24000/1001", "+faststart", "yuv420p"):  # fmt: skip
        assert said in args


def test_bent_colours_come_out_right_of_a_bt601_encoder():
    def matrix(red, blue):
        luma = np.array([red, 1 - red - blue, blue])
        return np.array([luma, ([0, 0, 1] - luma) / (2 - 2 * blue), ([1, 0, 0] - luma) / (2 - 2 * red)])

    colours = np.random.default_rng(1).integers(60, 196, (20, 20, 3), dtype=np.uint8)
    as_709 = colours @ matrix(0.2126, 0.0722).T
    as_601 = bent_for_bt601(colours) @ matrix(0.299, 0.114).T
    assert np.abs(as_709 - as_601).max() < 1.0


def test_provenance_is_in_the_file_once_and_the_film_still_plays(tmp_path):
    path = movie(tmp_path / "a.mp4")
    first = xmp.packet(xmp.CREATION, "none", "one", "a < b & c")
    second = xmp.packet(xmp.COMPOSITE, "kling 2", "two", "note")
    assert xmp.from_mp4(path) is None
    xmp.put_in_mp4(path, first)
    xmp.put_in_mp4(path, second)
    assert xmp.from_mp4(path) == second
    assert mp4.read_video_track(path).frames == 9
    assert len(list(av.open(str(path)).decode(video=0))) == 9
    assert b"compositeWithTrainedAlgorithmicMedia" in second and b"a &lt; b &amp; c" in first


def test_provenance_in_png(tmp_path):
    from PIL import Image

    path = tmp_path / "a.png"
    write_picture(path, np.zeros((4, 4, 3), np.uint8))
    packet = xmp.packet(xmp.CREATION, "none", "t", "n")
    xmp.put_in_png(path, packet)
    with Image.open(path) as image:
        image.load()
        assert image.info["XML:com.adobe.xmp"].encode() == packet
