# SPDX-License-Identifier: GPL-3.0-or-later
"""What a shot's contact sheet shows: one row a stage, from whatever stages there are."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..pipeline.errors import HoldfastError
from ..pipeline.manifest import Manifest
from ..pipeline.pictures import U8, read_picture
from ..pipeline.project import ShotFolder
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .contact import Row
from .passes import crop_around, depth_picture, ids_picture, normal_picture, vector_picture

_MENDED = {"restore_part": "the real part put back", "rerun_span": "drawn again and joined"}
_MOST_FAULTS, _MOST_VARIANTS = 2, 6


def rows_of(
    shot: ShotFolder, take: TakeFolder, comp: Sequence[Path], lead: int, sketches: Mapping[str, str]
) -> list[Row]:
    """The rows for ``take``; stages that were never run, or whose files are gone, are left out. ``comp`` are the
    finished frames, ``lead`` of them title; ``sketches`` the photographs by the name of what they show."""
    makers: list[Callable[[], Row]] = [
        lambda: _sketches(shot, sketches),
        lambda: _variants(shot),
        lambda: _truth(shot, take),
        lambda: _faults(shot, take),
        lambda: _finals(take, comp, lead),
    ]
    rows: list[Row] = []
    for make in makers:
        try:
            rows.append(make())
        except (HoldfastError, KeyError):
            continue  # the sheet shows what there is
    return rows


def _concepts(shot: ShotFolder) -> list[dict[str, Any]]:
    return list(Manifest.load(shot.concepts / "concepts.json", "holdfast/concepts").data["assets"])


def _sketches(shot: ShotFolder, sketches: Mapping[str, str]) -> Row:
    pictures: list[tuple[U8, str]] = []
    for asset in _concepts(shot):
        name = str(asset["name"])
        if Path(sketches.get(name, "")).is_file():
            pictures.append((read_picture(sketches[name]), f"{name.replace('_', ' ')}: photographed sketch"))
        pictures.append((read_picture(shot.concepts / asset["cleaned"]), "cleaned up"))
        if "found" in asset:
            pictures.append((read_picture(shot.concepts / asset["found"]), "what was found in it"))
    return Row("Sketch", "Pencil on paper, straightened, cleaned and measured", pictures)


def _variants(shot: ShotFolder) -> Row:
    pictures: dict[str, tuple[U8, str]] = {}
    for asset in _concepts(shot):
        for variant in asset["variants"]:
            locked = " (locked)" if variant["id"] == asset.get("locked") else ""
            caption = f"{variant.get('label', variant['id'])}{locked}"
            if variant["picture"] not in pictures:
                pictures[variant["picture"]] = (read_picture(shot.concepts / variant["picture"]), caption)
    return Row(
        "Look development", "Variants to choose from; one is locked", list(pictures.values())[:_MOST_VARIANTS]
    )


def _telling_frame(truth: GroundTruth, take: TakeFolder) -> int:
    """The frame that shows most parts, of the middles of what was mended and of the shot."""
    spans = take.manifest.data.get("spans", [])
    frames = [int(sum(span["frames"]) // 2) for span in spans] + [take.frames[len(take.frames) // 3]]
    return max(frames, key=lambda frame: len(np.unique(truth.ids(frame))))


def _truth(shot: ShotFolder, take: TakeFolder) -> Row:
    truth = GroundTruth.open(shot.truth)
    frame = _telling_frame(truth, take)
    ids = truth.ids(frame)
    pictures = [
        (truth.beauty(frame), f"render, frame {frame}"),
        (ids_picture(ids), "parts"),
        (depth_picture(truth.depth(frame)), "depth"),
        (normal_picture(truth.normal(frame), ids), "normals"),
        (vector_picture(truth.vector(frame)), "motion vectors"),
    ]
    return Row("Ground truth", "What the renderer knows of every frame", pictures)


def _ancestor(shot: ShotFolder, take: TakeFolder) -> TakeFolder:
    while take.manifest.data.get("parent"):
        take = TakeFolder.open(shot.takes / str(take.manifest.data["parent"]))
    return take


def _faults(shot: ShotFolder, take: TakeFolder) -> Row:
    truth, first = GroundTruth.open(shot.truth), _ancestor(shot, take)
    by_fault = {span.get("fault"): span for span in reversed(take.manifest.data.get("spans", []))}
    spans = sorted(by_fault.values(), key=_order)[:_MOST_FAULTS]
    pictures = [pair for span in spans for pair in _fault(truth, first, take, span)]
    return Row("Validate, repair", "Faults found against the render, and the take that passed", pictures)


def _order(span: Mapping[str, Any]) -> tuple[int, int]:
    """Faults of shape before faults of colour, then in the order of the shot."""
    return int(span.get("fault") in ("colour_drift", "flicker")), int(span["frames"][0])


def _fault(
    truth: GroundTruth, first: TakeFolder, take: TakeFolder, span: Mapping[str, Any]
) -> list[tuple[U8, str]]:
    """The same crop of the same frame before and after, where the two differ most."""
    frames = range(span["frames"][0], span["frames"][1] + 1, 2)
    pairs = {frame: (first.frame(frame), take.frame(frame)) for frame in frames if frame in take.frames}
    frame = max(pairs, key=lambda f: float(cv2.absdiff(*pairs[f]).mean()))
    before, after = pairs[frame]
    part = str(span.get("part", ""))
    mask = truth.ids(frame) == truth.part(part).id if part else truth.ids(frame) > 0
    crop = crop_around(mask, (before.shape[0], before.shape[1]), 4 / 3)
    fault = str(span.get("fault", "fault")).replace("_", " ")
    return [
        (before[crop], f"{first.name} frame {frame}: {part} {fault}"),
        (after[crop], f"{take.name}: {_MENDED[str(span['kind'])]}"),
    ]


def _finals(take: TakeFolder, comp: Sequence[Path], lead: int) -> Row:
    picks = np.unique(np.linspace(lead, len(comp) - 1, 4).round().astype(int))
    pictures: list[tuple[U8, str]] = []
    if lead:
        pictures.append((read_picture(comp[lead // 2]), "title"))
    pictures += [(read_picture(comp[index]), f"frame {take.frames[index - lead]}") for index in picks]
    return Row("Master", "Graded, titled, H.264 with exact tags, and an editor's timeline", pictures)
