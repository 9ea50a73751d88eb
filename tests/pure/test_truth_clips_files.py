# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's task: files that decode to what was drawn, a manifest that says all, nothing made twice."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from holdfast.clients.registry import steered_model
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.controls import parse_controls
from holdfast.pipeline.errors import Cancelled, HoldfastError, InputError
from holdfast.pipeline.fitting import Fit
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import read_gray, read_picture
from holdfast.pipeline.truth import GroundTruth
from holdfast.rendering.clips import make

from . import clip_truth as scene

VIEWS = [scene.View((0.02 * i, 0.0, 0.03 * i)) for i in range(6)]
FFMPEG = [sys.executable, str(Path(__file__).with_name("av_ffmpeg.py"))]


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return scene.write(tmp_path_factory.mktemp("truth"), VIEWS, start=5)


def request(truth, out, model="wan-vace", kinds=("depth",), **more):
    entry = more.pop("entry", None) or steered_model(f"comfyui/{model}")
    contract = more.pop("contract", None) or entry.controls.table()
    clips = [
        {"name": kind, "kind": kind, "parts": ["box"] if kind == "matte" else [], "change": True}
        for kind in kinds
    ]
    return {
        "truth": str(truth), "out": str(out), "range": str(out.parent / "range.json"), "model": entry.id, "label": entry.label,
        "contract": contract, "clips": clips, "frames": None, "keys": [], "inputs": {"truth": GroundTruth.open(truth).digest},
        "settings": {"model": entry.id, "contract": contract, "clips": clips}, "encoders": {"ffmpeg": FFMPEG}, **more,
    }  # fmt: skip


def contract(kinds, **more):
    return parse_controls({"kinds": kinds, **more}, "test").table()


def decoded(path):
    """(H, W, 3) uint8 RGB of every frame, by the matrix that the file names: cv2 takes BT.601 whatever it says."""
    with av.open(str(path)) as film:
        rgb = [
            f.reformat(format="rgb24", src_colorspace="ITU709", dst_colorspace="ITU709")
            for f in film.decode(video=0)
        ]
        return [frame.to_ndarray() for frame in rgb]


def load(out):
    return Manifest.load(out / make.MANIFEST, make.SCHEMA)


def test_the_manifest_says_all_and_the_film_is_what_was_drawn(truth, tmp_path):
    out = tmp_path / "controls" / "comfy"
    kinds = {
        "depth": {"white": "near"},
        "edges": {},
        "normals": {},
        "beauty": {},
        "first": {},
        "keys": {"count": [1, 4]},
    }
    asked = request(
        truth,
        out,
        kinds=kinds,
        contract=contract(kinds, count={"step": 4, "offset": 1}, size={"multiple": 16}),
    )
    make.run({**asked, "keys": [6, 9]}, Context())
    made = load(out)
    assert made.data["frame_map"] == [5, 6, 7, 8, 9, 10, 10, 10, 10] and made.data["fps"] == [24, 1]
    assert Fit.of(made.data["fit"]).clip == (160, 96) and made.data["rule"] == "4n+1"
    assert made.inputs["truth"] == GroundTruth.open(truth).digest
    assert made.data["clips"]["keys"]["at"] == [{"index": 2, "frame": 6, "seconds": 0.041667}, {"index": 5, "frame": 9, "seconds": 0.166667}]  # fmt: skip
    for name in ("depth", "edges", "normals", "beauty"):
        record = made.data["clips"][name]
        assert record["file"] in made.files and record["codec"] == "h264"
        frames = decoded(out / record["file"])
        drawn = [read_picture(out / record["pictures"].format(index=i)) for i in range(1, 10)]
        errors = [np.abs(a.astype(int) - b) for a, b in zip(frames, drawn, strict=True)]
        print(f"{name}: decoded film to pictures mean {np.mean(errors):.2f}, worst {np.max(errors)} of 255")
        assert len(frames) == 9 and np.mean(errors) < (0.7 if name in ("depth", "edges") else 2.0)
    assert made.data["depth"]["near"] == made.data["clips"]["depth"]["near"]
    assert not list(out.rglob("*.part*"))


def test_a_matte_comes_back_from_every_codec(truth, tmp_path):
    package = GroundTruth.open(truth)
    for codec in ("h264", "ffv1", "png"):
        out = tmp_path / codec
        make.run(
            request(truth, out, kinds=["matte"], contract=contract({"matte": {"codec": codec}})), Context()
        )
        record = load(out).data["clips"]["matte"]
        count = load(out).data["count"]
        frames = decoded(out / record["file"]) if codec != "png" else [
            np.repeat(read_gray(out / record["file"].format(index=i))[..., None], 3, 2) for i in range(1, count + 1)
        ]  # fmt: skip
        worst, least = 0.0, 1.0
        for frame, number in zip(frames, package.frames, strict=True):
            cover = package.matte("box", number)
            seen = frame[..., 1] / 255
            worst = max(worst, float(np.abs(seen - cover).max()))
            least = min(
                least, float(((seen > 0.5) & (cover > 0.5)).sum() / ((seen > 0.5) | (cover > 0.5)).sum())
            )
            assert np.ptp(frame.astype(int), axis=2).max() == 0  # luma alone: no colour anywhere
        print(f"matte through {codec}: least IoU {least:.5f}, worst coverage error {worst:.4f}")
        assert least == 1.0 if codec != "h264" else least > 0.998
        assert worst < (0.02 if codec == "h264" else 0.0021)


def test_coloured_mattes_are_refused_in_420_and_exact_in_ffv1(truth, tmp_path):
    with pytest.raises(InputError, match="4:2:0"):
        bad = {**contract({"ids": {"codec": "ffv1"}}), "kinds": {"ids": {"codec": "h264"}}}
        make.run(request(truth, tmp_path / "bad", kinds=["ids"], contract=bad), Context())
    out = tmp_path / "good"
    make.run(request(truth, out, kinds=["ids"], contract=contract({"ids": {"codec": "ffv1"}})), Context())
    record = load(out).data["clips"]["ids"]
    for number, frame in enumerate(decoded(out / record["file"]), 1):
        assert np.array_equal(frame, read_picture(out / record["pictures"].format(index=number)))


@pytest.mark.parametrize(("span", "levels"), [("limited", (16, 235)), ("full", (0, 255))])
def test_black_and_white_are_at_the_levels_of_the_range(truth, tmp_path, span, levels):
    out = tmp_path / "c"
    make.run(request(truth, out, kinds=["matte"], contract=contract({"matte": {"range": span}})), Context())
    with av.open(str(out / "matte.mp4")) as film:
        luma = np.stack(
            [
                frame.reformat(format=frame.format.name).to_ndarray()[: scene.SIZE[1]]
                for frame in film.decode(video=0)
            ]
        )
        assert film.streams.video[0].codec_context.color_range == (1 if span == "limited" else 2)
    film, shown = cv2.VideoCapture(str(out / "matte.mp4")), []
    while (got := film.read())[0]:
        shown.append(got[1])
    shown = np.stack(shown)
    low, high = np.median(luma[luma < 100]), np.median(luma[luma > 150])
    print(f"{span}: black {low}, white {high} in the file; decoded by cv2 {shown.min()}..{shown.max()}")
    assert (low, high) == levels and shown.min() <= 1 and shown.max() >= 254


def test_nothing_is_made_twice_and_what_changed_is_made_anew(truth, tmp_path):
    out = tmp_path / "c"
    make.run(request(truth, out, kinds=["depth", "matte"]), Context())
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob("*.*") if path.name != make.MANIFEST}
    nothing = {"ffmpeg": [sys.executable, "-c", "raise SystemExit(9)"]}
    make.run(request(truth, out, kinds=["matte", "depth"], encoders=nothing), Context())
    assert stamps == {path: path.stat().st_mtime_ns for path in stamps}
    (out / "matte.mkv").unlink()
    make.run(request(truth, out, kinds=["depth", "matte"]), Context())
    changed = {path.name for path, stamp in stamps.items() if path.stat().st_mtime_ns != stamp}
    assert changed == {"matte.mkv", "clip.json"}
    first = load(out)
    asked = request(truth, out, kinds=["depth"])
    asked["contract"]["kinds"]["depth"]["white"] = "far"
    make.run(asked, Context())
    assert load(out).files["depth.mp4"] != first.files["depth.mp4"]


def test_cancel_keeps_what_is_drawn_and_leaves_no_manifest(truth, tmp_path):
    out, token, seen = tmp_path / "c", CancelToken(), []

    def progress(fraction, message):
        seen.append(message)
        if message.startswith("Drawing frame 4"):
            token.cancel()

    with pytest.raises(Cancelled):
        make.run(request(truth, out), Context(progress, cancel=token))
    assert not (out / make.MANIFEST).exists() and len(list((out / "depth").glob("*.png"))) == 4
    stamp = (out / "depth" / "0001.png").stat().st_mtime_ns
    make.run(request(truth, out), Context())
    assert (out / "depth" / "0001.png").stat().st_mtime_ns == stamp and load(out).data["count"] == 5


def test_the_range_is_found_once_and_again_when_the_truth_changed(truth, tmp_path):
    out = tmp_path / "controls" / "c"
    make.run(request(truth, out), Context())
    stamp = (out.parent / "range.json").stat().st_mtime_ns
    make.run(request(truth, out.parent / "other"), Context())
    assert (out.parent / "range.json").stat().st_mtime_ns == stamp
    other = scene.write(tmp_path / "truth", VIEWS[:3])
    make.run(request(other, out), Context())
    assert (out.parent / "range.json").stat().st_mtime_ns != stamp


def test_a_chunk_equals_the_same_frames_of_the_whole(truth, tmp_path):
    asked = {
        "contract": contract({"depth": {"codec": "png"}, "edges": {"codec": "png"}}),
        "kinds": ["depth", "edges"],
    }
    make.run(request(truth, tmp_path / "a" / "c", **asked), Context())
    make.run(request(truth, tmp_path / "b" / "c", frames=[7, 8], **asked), Context())
    whole, part = load(tmp_path / "a" / "c"), load(tmp_path / "b" / "c")
    assert part.data["frame_map"] == [7, 8] and part.data["depth"] == whole.data["depth"]
    for kind in ("depth", "edges"):
        assert part.files[f"{kind}/0001.png"] == whole.files[f"{kind}/0003.png"]


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"kinds": ["normals"]}, "takes no normals"),
        ({"frames": [5, 7]}, "one span"),
        ({"frames": [1, 2]}, "one span"),
        (
            {"kinds": ["keys"], "keys": [99], "contract": contract({"keys": {"count": [1, 4]}})},
            "not in the clip",
        ),
        (
            {"kinds": ["keys"], "keys": [5, 6, 7], "contract": contract({"keys": {"count": [1, 2]}})},
            "1 to 2 key",
        ),
        ({"contract": contract({"depth": {}}, count={"frames": [1, 4]})}, "at most 4 frames"),
        ({"contract": contract({"depth": {}}, size={"multiple": 1, "max": [81, 81]})}, "even"),
    ],
)
def test_what_can_not_be_made_is_refused_with_the_limit(truth, tmp_path, more, word):
    with pytest.raises(InputError, match=word):
        make.run(request(truth, tmp_path / "c", **more), Context())


def test_full_range_needs_an_ffmpeg(truth, tmp_path):
    asked = request(
        truth, tmp_path / "c", contract=contract({"depth": {"range": "full"}}), encoders={"blender": ["x"]}
    )
    with pytest.raises(HoldfastError, match="full range"):
        make.run(asked, Context())
