# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of a take from a tracking model: what it is shown of each part, one job for each, its answers as pictures.

A model that can be asked has a table ``payload.track`` in the catalogue: ``prompt`` says how it is shown a part
(clicks, boxes or mask), ``options`` are always sent with it. What it gives must be black-and-white masks, one for each
frame: pictures or a film.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.context import Context
from ..pipeline.encode import Clip, Encoders, encode
from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.pictures import U8, write_gray, write_picture
from ..pipeline.store import hash_file, storage
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth, PartInfo
from .descriptor import Descriptor

ASKED = "holdfast/masks_asked"
MANIFEST, FILM, SHOWN = "asked.json", "film.mp4", "shown"
CRF = 12
SURE = 0.9
"""Share of a pixel that must be the part's own to be shown to a tracker."""
CLICKS = 3
LEAST_PIXELS = 16
"""A part that shows less in its best frame is not asked for: nobody could find it again."""


@dataclass(frozen=True)
class Prompt:
    """Where a part is in its best frame, in pixels of the film: ``index`` of the frame in it from 0, ``box`` (left, top,
    right, bottom), ``points`` (x, y) well inside; ``mask`` the file of its mask, beside the film."""

    part: str
    folder: str
    frame: int
    index: int
    box: tuple[int, int, int, int]
    points: tuple[tuple[int, int], ...]
    mask: str


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task: the take as one film, and what each part looks like there. ``request``: truth, take (folders), pairs
    (source frame, take frame), out (folder), most (width and height the model takes, 0: any), encoders. What is there
    of the same take is kept. Raises InputError, StorageError, Cancelled."""
    truth, take, out = (
        GroundTruth.open(request["truth"]),
        TakeFolder.open(Path(request["take"])),
        Path(request["out"]),
    )
    settings = {"most": list(request["most"]), "pairs": [list(pair) for pair in request["pairs"]]}
    inputs = {"truth": truth.digest, "take": take.manifest.digest}
    found = Manifest.find(out / MANIFEST, ASKED)
    if found is not None and stale_reason(found, settings, inputs) is None and (out / FILM).exists():
        return dict(found.data)
    size, scale = film_size(take.size, (int(request["most"][0]), int(request["most"][1])))
    _write_film(take, out, size, Encoders(**request["encoders"]), ctx.part(0.0, 0.6))
    prompts = _prompts(truth, take, request["pairs"], out, size, scale, ctx.part(0.6, 1.0))
    data = {
        "film": hash_file(out / FILM), "size": list(size), "inside": list(_scaled(take.size, scale)), "frames": list(take.frames),
        "prompts": [{**asdict(each), "sha256": hash_file(out / each.mask)} for each in prompts],
    }  # fmt: skip
    Manifest(ASKED, settings, inputs, data).save(out / MANIFEST)
    return dict(Manifest.load(out / MANIFEST, ASKED).data)


def film_size(own: tuple[int, int], most: tuple[int, int]) -> tuple[tuple[int, int], float]:
    """Even (width, height) of the film of pictures of the size ``own``, never more than ``most`` (0: any), and how many
    of its pixels are one of theirs."""
    scale = min([1.0, *(limit / side for side, limit in zip(own, most, strict=True) if limit)])
    width, height = (max(2, round(side * scale)) for side in own)
    return (width + width % 2, height + height % 2), scale


def _write_film(take: TakeFolder, out: Path, size: tuple[int, int], encoders: Encoders, ctx: Context) -> None:
    pictures = out / "pictures"
    for index, frame in enumerate(ctx.part(0.0, 0.5).each(list(take.frames), "Preparing frame"), 1):
        write_picture(pictures / f"{index:04d}.png", _placed(take.frame(frame), size))
    rate = take.manifest.data.get("fps") or (24, 1)
    clip = Clip(str(pictures), len(take.frames), size, (int(rate[0]), int(rate[1])), CRF)
    encode(clip, out / FILM, encoders, ctx.part(0.5, 1.0))
    with storage(pictures):
        for path in pictures.glob("*.png"):
            path.unlink()
        pictures.rmdir()


def _placed(picture: U8, size: tuple[int, int]) -> U8:
    """At the film's size; a column or row that is missing to an even number repeats the last one."""
    high, wide = picture.shape[:2]
    if (
        (wide, high) != size
        and max(size[0] - wide, size[1] - high) <= 1
        and wide <= size[0]
        and high <= size[1]
    ):
        return np.pad(picture, ((0, size[1] - high), (0, size[0] - wide), (0, 0)), mode="edge")
    if (wide, high) == size:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _prompts(
    truth: GroundTruth, take: TakeFolder, pairs: Sequence[Sequence[int]], out: Path, size: tuple[int, int],
    scale: float, ctx: Context,
) -> list[Prompt]:  # fmt: skip
    """For each part that shows, where it is in the frame that shows most of it."""
    place = {frame: index for index, frame in enumerate(take.frames)}
    best: dict[int, tuple[int, int, int]] = {}
    usable = [(int(source), int(frame)) for source, frame in pairs if int(frame) in place]
    for source, frame in ctx.each(usable, "Looking for the parts in frame"):
        sizes = np.bincount(_sure_ids(truth, source).ravel(), minlength=1)
        for number in np.flatnonzero(sizes):
            if number and sizes[number] > best.get(int(number), (LEAST_PIXELS - 1, 0, 0))[0]:
                best[int(number)] = (int(sizes[number]), source, frame)
    prompts = []
    for part in (each for each in truth.parts if each.id in best):
        _, source, frame = best[part.id]
        there = cv2.resize(
            (_sure_ids(truth, source) == part.id).astype(np.uint8), _scaled(take.size, scale), interpolation=cv2.INTER_NEAREST
        )  # fmt: skip
        prompts.append(_prompt(part, there > 0, frame, place[frame], size, out))
    if not prompts:
        raise InputError(
            "No part shows in the take", where=take.name, todo="Check the frame map of the take."
        )
    return prompts


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(2, round(size[0] * scale)), max(2, round(size[1] * scale))


def _sure_ids(truth: GroundTruth, frame: int) -> NDArray[np.int64]:
    """(H, W) the part of every pixel that is that part alone, 0 elsewhere."""
    ids = truth.ids(frame).astype(np.int64)
    return np.where(truth.sure(frame) >= SURE, ids, 0) if truth.has("sure") else ids


def _prompt(
    part: PartInfo, there: NDArray[np.bool_], frame: int, index: int, size: tuple[int, int], out: Path
) -> Prompt:
    rows, columns = np.nonzero(there)
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    mask = np.zeros((size[1], size[0]), np.uint8)
    mask[: there.shape[0], : there.shape[1]][there] = 255
    name = f"{SHOWN}/{part.folder}.png"
    write_gray(out / name, mask)
    return Prompt(part.name, part.folder, frame, index, box, inner_points(there), name)


def inner_points(there: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """Up to three (x, y) that lie deepest inside a mask (H, W), well apart from one another."""
    depth = cv2.distanceTransform(np.pad(there, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[
        1:-1, 1:-1
    ]
    rows, columns = np.mgrid[0 : there.shape[0], 0 : there.shape[1]]
    most, found = float(depth.max()), list[tuple[int, int]]()
    while len(found) < CLICKS and depth.max() > 0.5 * most:
        y, x = divmod(int(depth.argmax()), there.shape[1])
        found.append((x, y))
        depth[(columns - x) ** 2 + (rows - y) ** 2 < (3 * most) ** 2] = 0
    return tuple(found)


def tracks(model: Descriptor) -> bool:
    """Whether masks of a take can be asked of a model."""
    return "track" in model.payload and "source_video" in model.inputs


def requests_of(model: Descriptor, folder: Path, asked: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """For each part what a job is asked: the film in ``folder`` and the part as the model is shown it. ``asked`` is what
    ``run`` returned."""
    film = {"path": str(folder / FILM), "role": "source_video", "sha256": asked["film"]}
    made = {}
    for each in asked["prompts"]:
        options, inputs = dict(model.payload["track"].get("options", {})), [dict(film)]
        kind = model.payload["track"]["prompt"]
        if kind == "mask":
            inputs.append({"path": str(folder / each["mask"]), "role": "mask", "sha256": each["sha256"]})
            options["frame_index"] = each["index"]
        elif kind == "clicks":
            options |= _clicks(each)
        else:
            options |= _boxes(each)
        made[str(each["part"])] = {"inputs": inputs, "prompt": "", "seed": None, "options": options}
    return made


def _clicks(each: Mapping[str, Any]) -> dict[str, str]:
    """As text, a list of equal length for each fact."""
    points, count = each["points"], len(each["points"])
    return {
        "click_coordinates": ",".join(f"[{x},{y}]" for x, y in points),
        "click_labels": ",".join(["1"] * count),
        "click_frames": ",".join([str(each["index"])] * count),
        "click_object_ids": ",".join([str(each["folder"])] * count),
    }


def _boxes(each: Mapping[str, Any]) -> dict[str, Any]:
    index = int(each["index"])
    left, top, right, bottom = each["box"]
    box = {"x_min": left, "y_min": top, "x_max": right, "y_max": bottom, "frame_index": index}
    points = [{"x": x, "y": y, "label": 1, "frame_index": index} for x, y in each["points"]]
    return {"boxes": [box], "points": points}
