# SPDX-License-Identifier: GPL-3.0-or-later
"""What a shot's contact sheet shows: one row a stage, from whatever stages there are."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..pipeline.errors import HoldfastError
from ..pipeline.manifest import Manifest
from ..pipeline.pictures import U8, read_picture
from ..pipeline.project import ShotFolder
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .contact import Row
from .passes import crop_around, depth_picture, ids_picture, normal_picture, vector_picture

_MOST_FAULTS = 3


def rows_of(shot: ShotFolder, take: TakeFolder, comp: Sequence[Path], lead: int) -> list[Row]:
    """The rows for ``take``; stages that were never run, or whose files are gone, are left out."""
    makers: list[Callable[[], Row]] = [
        lambda: _sketches(shot),
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


def _sketches(shot: ShotFolder) -> Row:
    pictures: list[tuple[U8, str]] = []
    for asset in _concepts(shot):
        name = str(asset["name"]).replace("_", " ")
        sketch = _sketch_path(shot, str(asset["sketch"]))
        if sketch is not None:
            pictures.append((read_picture(sketch), f"{name}: photographed sketch"))
        pictures.append((read_picture(shot.concepts / asset["cleaned"]), "cleaned up"))
        if "found" in asset:
            pictures.append((read_picture(shot.concepts / asset["found"]), "what was found in it"))
    return Row("Sketch", "Pencil on paper, straightened, cleaned and measured", pictures)


def _sketch_path(shot: ShotFolder, written: str) -> Path | None:
    places = (Path(written), shot.concepts / written, shot.root / written, shot.root.parent.parent / written)
    return next((place for place in places if place.is_file()), None)


def _variants(shot: ShotFolder) -> Row:
    pictures: list[tuple[U8, str]] = []
    for asset in _concepts(shot):
        for variant in asset["variants"]:
            locked = " (locked)" if variant["id"] == asset.get("locked") else ""
            picture = read_picture(shot.concepts / variant["picture"])
            pictures.append((picture, f"{variant.get('label', variant['id'])}{locked}"))
    return Row("Look development", "Variants to choose from; one is locked", pictures[:8])


def _middle(shot: ShotFolder, take: TakeFolder) -> int:
    """The frame that shows most: in the first fault that was mended, else a third into the shot."""
    spans = take.manifest.data.get("spans", [])
    return int(sum(spans[0]["frames"]) // 2) if spans else take.frames[len(take.frames) // 3]


def _truth(shot: ShotFolder, take: TakeFolder) -> Row:
    truth, frame = GroundTruth.open(shot.truth), _middle(shot, take)
    pictures = [
        (truth.beauty(frame), f"render, frame {frame}"),
        (ids_picture(truth.ids(frame)), "parts"),
        (depth_picture(truth.depth(frame)), "depth"),
        (normal_picture(truth.normal(frame)), "normals"),
        (vector_picture(truth.vector(frame)), "motion vectors"),
    ]
    return Row("Ground truth", "What the renderer knows of every frame", pictures)


def _ancestor(shot: ShotFolder, take: TakeFolder) -> TakeFolder:
    while take.manifest.data.get("parent"):
        take = TakeFolder.open(shot.takes / str(take.manifest.data["parent"]))
    return take


def _faults(shot: ShotFolder, take: TakeFolder) -> Row:
    truth, first = GroundTruth.open(shot.truth), _ancestor(shot, take)
    pictures: list[tuple[U8, str]] = []
    for span in take.manifest.data.get("spans", [])[:_MOST_FAULTS]:
        frame = int(sum(span["frames"]) // 2)
        before, after = first.frame(frame), take.frame(frame)
        mask = (
            truth.ids(frame) == truth.part(span["part"]).id
            if span.get("part")
            else np.zeros(before.shape[:2], bool)
        )
        crop = crop_around(mask, (before.shape[0], before.shape[1]), 4 / 3)
        fault, mended = str(span.get("fault", "fault")).replace("_", " "), str(span["kind"]).replace("_", " ")
        pictures.append((before[crop], f"{first.name} frame {frame}: {span.get('part', '')} {fault}"))
        pictures.append((after[crop], f"{take.name}: {_MENDED.get(str(span['kind']), mended)}"))
    return Row("Verified and repaired", "Faults found against the render, and the take that passed", pictures)


_MENDED = {"restore_part": "the real part put back", "rerun_span": "drawn again and joined"}


def _finals(take: TakeFolder, comp: Sequence[Path], lead: int) -> Row:
    picks = np.unique(np.linspace(lead, len(comp) - 1, 4).round().astype(int))
    pictures: list[tuple[U8, str]] = []
    if lead:
        pictures.append((read_picture(comp[lead // 2]), "title"))
    pictures += [(read_picture(comp[index]), f"frame {take.frames[index - lead]}") for index in picks]
    return Row("Master", "Graded, titled, H.264 with exact tags, and an editor's timeline", pictures)
