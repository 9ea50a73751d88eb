# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal against an analytic lantern: nothing swims, chunks agree, defects stay in their span."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from holdfast.clients.offline.looks import LOOKS
from holdfast.clients.offline.rehearsal import run
from holdfast.clients.offline.source import quiet
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.errors import Cancelled, InputError, ProviderRejected, UsageError
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import read_picture
from holdfast.pipeline.take import TakeFolder

from . import style_truth

FRAMES = tuple(range(1, 11))
VANISH = {"kind": "vanish", "part": "peg", "frames": [4, 7]}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, style_truth.Passes]]:
    folder = tmp_path_factory.mktemp("truth")
    return folder, style_truth.write_package(folder, FRAMES)


def _request(truth: Path, out: Path, **more: Any) -> dict[str, Any]:
    return {
        "truth": str(truth),
        "out": str(out),
        "look": "INK_WASH",
        "seed": 3,
        "grain": 0.5,
        "ink": 0.6,
        **more,
    }


def _pictures(folder: Path) -> dict[int, np.ndarray]:
    return {int(path.stem): read_picture(path) for path in sorted((folder / "frames").glob("*.png"))}


def _soft(picture: np.ndarray) -> np.ndarray:
    """Lines are under a pixel wide at this size: both pictures get the blur that resampling gives one of them."""
    return cv2.GaussianBlur(picture.astype(float), (0, 0), 0.7)


def _zncc(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(np.sqrt((a * a).sum() * (b * b).sum()), 1e-9))


def test_take_folder(package: Any, tmp_path: Path) -> None:
    truth, _ = package
    result = run(_request(truth, tmp_path / "t001", take="t001", prompt="storyboard"), Context())
    take = TakeFolder.open(tmp_path / "t001")
    assert take.frames == FRAMES and take.size == (160, 90)
    assert take.manifest.data["frame_map"] == [[f, f] for f in FRAMES]
    assert take.manifest.inputs["truth"] == Manifest.load(truth / "truth.json", "holdfast/truth").digest
    assert len(take.manifest.files) == len(FRAMES) and "storyboard" not in str(take.manifest.data)
    assert result["drawn"] == list(FRAMES)
    assert run(_request(truth, tmp_path / "t001", take="t001", prompt="storyboard"), Context())["drawn"] == []


@pytest.mark.parametrize("look", sorted(LOOKS))
def test_paint_rides_on_the_parts(package: Any, tmp_path: Path, look: str) -> None:
    """The picture of a part, carried by the exact motion vectors, is the next frame's picture of it."""
    truth, passes = package
    run(_request(truth, tmp_path, frames=[4, 5, 6], look=look), Context())
    pictures = _pictures(tmp_path)
    for now, then in ((4, 5), (5, 6)):
        flow = style_truth.vectors(passes[now], passes[then])
        grid = np.stack(np.meshgrid(np.arange(160), np.arange(90)), -1).astype(np.float32) + flow
        carried = cv2.remap(_soft(pictures[then]), grid[..., 0], grid[..., 1], cv2.INTER_LINEAR)
        for name, index in style_truth.PARTS.items():
            mask = (passes[now].coverage[name] > 0.99) & (passes[now].ids == index)
            landed = np.rint(grid).astype(int).clip(0, [159, 89])
            mask &= passes[then].coverage[name][landed[..., 1], landed[..., 0]] > 0.99
            mask = cv2.erode(mask.astype(np.uint8), np.ones((3, 3))) > 0
            if mask.sum() > 30:
                assert _zncc(carried[mask], _soft(pictures[now])[mask]) > 0.9, (name, now)


def test_chunks_equal_the_whole(package: Any, tmp_path: Path) -> None:
    truth, _ = package
    run(_request(truth, tmp_path / "whole", defects=[VANISH]), Context())
    run(_request(truth, tmp_path / "chunk", defects=[VANISH], frames=[6, 2]), Context())
    whole, chunk = _pictures(tmp_path / "whole"), _pictures(tmp_path / "chunk")
    assert set(chunk) == {2, 6}
    assert all(np.array_equal(whole[frame], picture) for frame, picture in chunk.items())
    assert TakeFolder.open(tmp_path / "chunk").frames == (2, 6)


def test_seed_and_look_matter(package: Any, tmp_path: Path) -> None:
    truth, _ = package
    pictures = []
    for number, change in enumerate(
        ({}, {"seed": 4}, *({"look": look} for look in LOOKS if look != "INK_WASH"))
    ):
        run(_request(truth, tmp_path / str(number), frames=[5], **change), Context())
        pictures.append(_pictures(tmp_path / str(number))[5].astype(float))
    for i, a in enumerate(pictures):
        for b in pictures[i + 1 :]:
            assert np.abs(a - b).mean() > 0.5


@pytest.mark.parametrize("kind", ["vanish", "rubber", "shift", "recolour", "flicker", "duplicate"])
def test_defect_stays_in_its_span_and_part(package: Any, tmp_path: Path, kind: str) -> None:
    truth, passes = package
    part = "peg" if kind == "vanish" else "lid"
    span = [4, 7]
    offset = {"offset_px": [40, -8]} if kind in ("shift", "duplicate") else {}
    run(_request(truth, tmp_path / "clean"), Context())
    run(
        _request(truth, tmp_path / "bad", defects=[{"kind": kind, "part": part, "frames": span, **offset}]),
        Context(),
    )
    clean, bad = _pictures(tmp_path / "clean"), _pictures(tmp_path / "bad")
    for frame in FRAMES:
        changed = np.abs(clean[frame].astype(int) - bad[frame].astype(int)).max(-1) > 12
        if not span[0] <= frame <= span[1]:
            assert not changed.any(), frame
            continue
        assert changed.sum() > 25, frame
        near = cv2.dilate((passes[frame].coverage[part] > 0).astype(np.uint8), np.ones((29, 29))) > 0
        assert (changed & ~near).sum() < 12, frame  # edges of tone steps may flip a pixel


def test_vanished_part_is_gone(package: Any, tmp_path: Path) -> None:
    """Where the peg was there is now the picture's background, without a trace of the peg's colour or line."""
    truth, passes = package
    run(_request(truth, tmp_path / "bad", look="CEL", frames=[5], defects=[VANISH]), Context())
    run(_request(truth, tmp_path / "clean", look="CEL", frames=[5]), Context())
    inside = cv2.erode((passes[5].coverage["peg"] > 0.99).astype(np.uint8), np.ones((3, 3))) > 0
    rows = np.flatnonzero(inside.any(1))
    inside[: rows[0] + 2] = inside[rows[len(rows) // 2] :] = False
    background = np.median(_pictures(tmp_path / "clean")[5][rows[0] : rows[-1], 8:30].reshape(-1, 3), 0)
    assert np.abs(_pictures(tmp_path / "bad")[5][inside] - background).mean() < 14


def test_changed_request_does_not_keep_old_frames(package: Any, tmp_path: Path) -> None:
    truth, _ = package
    run(_request(truth, tmp_path, frames=[2, 3]), Context())
    run(_request(truth, tmp_path, frames=[3], seed=9), Context())
    assert set(_pictures(tmp_path)) == {3}


def test_bad_requests(package: Any, tmp_path: Path) -> None:
    truth, _ = package
    with pytest.raises(InputError, match="ground truth"):
        run(_request(tmp_path / "nothing", tmp_path / "t"), Context())
    with pytest.raises(ProviderRejected, match="OIL"):
        run(_request(truth, tmp_path / "t", look="OIL"), Context())
    with pytest.raises(UsageError, match="no part 'handle'"):
        run(_request(truth, tmp_path / "t", defects=[{**VANISH, "part": "handle"}]), Context())
    with pytest.raises(UsageError, match="frames"):
        run(_request(truth, tmp_path / "t", defects=[{**VANISH, "frames": [7, 4]}]), Context())
    assert not (tmp_path / "t").exists()


def test_cancel_keeps_finished_frames_only(package: Any, tmp_path: Path) -> None:
    truth, _ = package
    token = CancelToken()

    def stop_after_two(fraction: float, message: str) -> None:
        if "3/10" in message:
            token.cancel()

    with pytest.raises(Cancelled):
        run(_request(truth, tmp_path), Context(progress=stop_after_two, cancel=token))
    assert len(_pictures(tmp_path)) == 3 and not (tmp_path / "take.json").exists()
    assert len(run(_request(truth, tmp_path), Context())["drawn"]) == 7


def test_grain_of_a_render_is_taken_off_and_a_clean_one_left_alone() -> None:
    """Of a render of eight samples without a denoiser little is left; edges stay where they are."""
    ids = np.zeros((90, 160), np.uint8)
    ids[20:70, 40:120] = 1
    clean = np.where(ids[..., None] > 0, 0.6, 0.3).astype(np.float32) * np.ones(3, np.float32)
    assert quiet(clean, ids) is clean
    noisy = clean + np.random.default_rng(1).normal(0, 0.05, clean.shape).astype(np.float32)
    left = (quiet(noisy, ids) - clean)[cv2.erode((ids > 0).astype(np.uint8), np.ones((5, 5))) > 0]
    print(f"of 0.050 {left.std():.3f} is left")
    assert left.std() < 0.025
    step = quiet(noisy, ids).mean(-1)[30:60, 36:44].mean(0)
    assert step[:4].max() < 0.35 and step[4:].min() > 0.55
