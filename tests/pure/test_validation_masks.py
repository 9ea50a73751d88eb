# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks in every form that trackers write, read as the same masks; and a sentence for what are none."""

import json
import shutil

import cv2
import numpy as np
import pytest
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import Cancelled, InputError
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.part_colours import coloured
from holdfast.pipeline.pictures import write_gray, write_picture
from holdfast.pipeline.truth import GroundTruth
from holdfast.validation.masks import score
from holdfast.validation.masks_stage import MANIFEST, REPORT, REPORT_SCHEMA, SCHEMA, run
from PIL import Image

from tests.pure import truth_package

PAIRS = [(1, 11), (2, 12), (3, 13)]
FOREIGN = np.array([(16, 16, 16), (200, 40, 60), (50, 60, 220)], np.uint8)


@pytest.fixture
def truth(tmp_path):
    """Two squares; the right one enters at the second frame."""
    opened = GroundTruth.open(truth_package.write(tmp_path / "truth"))
    ids = opened.ids(1)
    write_gray(opened.path("ids", 1), np.where(ids == 2, 0, ids).astype(np.uint8))
    return opened


def tracked(truth) -> dict[int, np.ndarray]:
    """By take frame: the truth's masks, a pixel to the right, and one of the hidden part."""
    maps = {frame: np.roll(truth.ids(source), 1, 1) for source, frame in PAIRS}
    maps[11][2:6, 40:45] = 2
    return maps


def save_numbers(folder, maps, kind=np.uint8):
    for frame, ids in maps.items():
        write_gray(folder / f"mask_{frame:04d}.png", ids.astype(kind))


def save_palette(folder, maps):
    folder.mkdir()
    for frame, ids in maps.items():
        image = Image.fromarray(ids, "P")
        image.putpalette([0, 0, 0, 200, 0, 0, 200, 0, 0])
        image.save(folder / f"{frame}.png")


def save_ours(folder, maps):
    for frame, ids in maps.items():
        write_picture(folder / f"{frame}.png", (coloured(ids) * 255).astype(np.uint8))


def save_foreign(folder, maps):
    for order, ids in enumerate(maps.values()):
        write_picture(folder / f"{order:05d}.png", FOREIGN[ids])


def save_binary(folder, maps):
    for number, name in ((1, "left"), (2, "right")):
        for frame, ids in maps.items():
            write_gray(folder / name / f"{frame}.png", ((ids == number) * 255).astype(np.uint8))


FORMS = {
    "numbers": save_numbers,
    "numbers16": lambda folder, maps: save_numbers(folder, maps, np.uint16),
    "palette": save_palette,
    "our_colours": save_ours,
    "foreign_colours": save_foreign,
    "binary": save_binary,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same(truth, tmp_path, form):
    FORMS[form](tmp_path / form, tracked(truth))
    found = score(truth, PAIRS, tmp_path / form, Context())
    left, right = found["parts"]["left"], found["parts"]["right"]
    width = int((truth.ids(1) == 1).any(0).sum())
    assert left["J"]["mean"] == pytest.approx((width - 1) / (width + 1))
    assert left["F"]["mean"] == 1.0
    assert found["frames"] == [11, 12, 13]
    assert right["shown"]["frames"] == 2
    assert right["absent"] == {"frames": 1, "errors": [11]}
    assert right["J"]["values"][0] == 0.0
    assert right["J"]["mean"] == pytest.approx(sum(right["J"]["values"]) / 3, abs=1e-4)
    assert right["not_reported"] == []
    assert found["absence_errors"] == 1


def test_video_of_flat_colours_is_matched_within_a_tolerance(truth, tmp_path):
    large = {
        frame: cv2.resize(ids, (480, 320), interpolation=cv2.INTER_NEAREST)
        for frame, ids in tracked(truth).items()
    }
    video = cv2.VideoWriter(str(tmp_path / "seg.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 24, (480, 320))
    for ids in large.values():
        video.write(np.ascontiguousarray(FOREIGN[ids][..., ::-1]))
    video.release()
    save_numbers(tmp_path / "exact", tracked(truth))
    found, exact = (score(truth, PAIRS, tmp_path / name, Context()) for name in ("seg.mp4", "exact"))
    for part in ("left", "right"):
        off = abs(found["parts"][part]["shown"]["J"] - exact["parts"][part]["shown"]["J"])
        print(f"{part}: J from the video differs by {off:.4f}")
        assert off < 0.05
    assert "overlap" in found["notes"][0]


def test_names_of_the_numbers_and_parts_left_out(truth, tmp_path):
    save_numbers(tmp_path / "m", {frame: (ids == 1) * 7 for frame, ids in tracked(truth).items()})
    with pytest.raises(InputError, match=r"hold the numbers 7, the parts have 1, 2"):
        score(truth, PAIRS, tmp_path / "m", Context())
    (tmp_path / "m/parts.json").write_text(json.dumps({"left": 7}))
    found = score(truth, PAIRS, tmp_path / "m", Context())
    assert list(found["parts"]) == ["left"]
    assert found["parts"]["left"]["J"]["mean"] > 0.8
    assert found["notes"] == ["No masks were given of right."]


def test_lost_part_is_not_reported(truth, tmp_path):
    maps = tracked(truth)
    maps[13][maps[13] == 2] = 0
    save_numbers(tmp_path / "m", maps)
    right = score(truth, PAIRS, tmp_path / "m", Context())["parts"]["right"]
    assert right["not_reported"] == [13]
    assert right["J"]["values"][2] == right["F"]["values"][2] == 0.0


def test_larger_masks_are_scaled_and_other_shapes_refused(truth, tmp_path):
    twice = {
        f: cv2.resize(i, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST) for f, i in tracked(truth).items()
    }
    save_numbers(tmp_path / "twice", twice)
    save_numbers(tmp_path / "once", tracked(truth))
    same = [score(truth, PAIRS, tmp_path / name, Context())["mean"] for name in ("once", "twice")]
    assert same[0] == same[1]
    save_numbers(tmp_path / "square", {f: i[:, :32] for f, i in tracked(truth).items()})
    with pytest.raises(InputError, match="another shape"):
        score(truth, PAIRS, tmp_path / "square", Context())


@pytest.mark.parametrize("what", ["nothing", "empty", "count", "names", "damaged", "part", "key"])
def test_what_are_no_masks_is_said(truth, tmp_path, what):
    folder = tmp_path / "m"
    if what != "nothing":
        folder.mkdir()
    if what in ("count", "damaged", "part", "key"):
        save_numbers(folder, dict(zip((1, 2, 3), tracked(truth).values(), strict=True)))
    if what == "count":
        (folder / "mask_0003.png").unlink()
    if what == "damaged":
        (folder / "mask_0002.png").write_bytes(b"\x89PNG")
    if what == "names":
        (folder / "other").mkdir()
    if what in ("part", "key"):
        (folder / "parts.json").write_text(json.dumps({"lid": 1} if what == "part" else {"left": "red"}))
    says = {
        "nothing": "no folder or video", "empty": "no masks in the folder", "names": "no masks in the folder",
        "count": "2 masks for 3 frames", "damaged": "can't be read|not a picture", "part": "no part 'lid'", "key": "'red' for left",
    }  # fmt: skip
    with pytest.raises(InputError, match=says[what]):
        score(truth, PAIRS, folder, Context())


def test_run_writes_masks_json_through_the_map_of_the_report(truth, tmp_path):
    take = tmp_path / "t001"
    data = {"take": "t001", "size": [48, 32], "frames": [1, 2, 3], "pattern": "{frame:04d}.png",
            "frame_map": [[1, 1], [2, 2], [3, 3]]}  # fmt: skip
    Manifest("holdfast/take", {}, {"truth": truth.digest}, data).save(take / "take.json")
    save_numbers(tmp_path / "m", dict(zip((1, 2, 3), tracked(truth).values(), strict=True)))
    out = tmp_path / "reports/t001"
    request = {"truth": str(truth.folder), "take": str(take), "out": str(out), "masks": str(tmp_path / "m")}
    told = run(request, Context())
    stored = Manifest.load(out / MANIFEST, SCHEMA)
    assert stored.digest == told["digest"]
    assert stored.data["radius_px"] == 1
    assert "3 frames and 2 parts" in told["summary"]
    digest = Manifest.load(take / "take.json", "holdfast/take").digest
    Manifest(REPORT_SCHEMA, {}, {"take": digest}, {"frame_map": [[2, 2], [3, 3]]}).save(out / REPORT)
    run(request, Context())
    assert Manifest.load(out / MANIFEST, SCHEMA).data["frames"] == [2, 3]
    context = Context()
    context.cancel.cancel()
    with pytest.raises(Cancelled):
        run(request, context)
    shutil.rmtree(tmp_path / "m")
    with pytest.raises(InputError):
        run(request, Context())
