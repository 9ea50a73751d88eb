# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one HTML file that opens with no network: pictures inside, no codec, no server."""

import base64
import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..pipeline.pictures import U8
from ..pipeline.store import write_bytes
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .evidence import take_picture
from .kinds import phrase
from .limits import load_limits

PICTURE_WIDTH = 512
MOST_PICTURES = 160
QUALITY = 74
HERE = Path(__file__).parent


def data_uri(picture: U8, width: int) -> str:
    """JPEG data URI at ``width``; JPEG because every browser draws it alike, frame by frame."""
    if picture.shape[1] > width:
        height = round(picture.shape[0] * width / picture.shape[1])
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def picked(count: int, needed: Sequence[int], most: int = MOST_PICTURES) -> list[int]:
    """Indices of the frames that get pictures: all, or evenly thinned with those that findings need."""
    if count <= most:
        return list(range(count))
    stride = -(-count // (most - min(len(needed), most // 2)))
    return sorted({*range(0, count, stride), *needed[: most // 2]})


def outlines(truth: GroundTruth, ids: U8) -> dict[str, list[list[float]]]:
    """Per part the visible outline as polygons of x, y in 0..1 of the picture."""
    width, height = truth.size
    found = {}
    for part in truth.parts:
        lines, _ = cv2.findContours((ids == part.id).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        kept = [cv2.approxPolyDP(line, 0.7, True)[:, 0] for line in lines if len(line) > 8]
        found[part.name] = [
            [round(float(v), 4) for v in ((line + 0.5) / (width, height)).ravel()]
            for line in kept
            if len(line) > 2
        ]
    return found


class Gallery:
    """The reduced pictures and outlines of the page, made when a frame is read for checking anyway."""

    def __init__(self, truth: GroundTruth, count: int, folder: Path) -> None:
        self._truth, self._chosen = truth, frozenset(picked(count, []))
        self.pictures: dict[int, dict[str, Any]] = {}

    def add(self, index: int, source: int, render: U8, styled: U8, ids: U8, *, wanted: bool = False) -> None:
        """Keeps the pair at position ``index`` if the page shows it."""
        if wanted or index in self._chosen:
            self.pictures[index] = {
                "index": index, "render": data_uri(render, PICTURE_WIDTH), "take": data_uri(styled, PICTURE_WIDTH),
                "outlines": outlines(self._truth, ids),
            }  # fmt: skip


def page_data(truth: GroundTruth, take: TakeFolder, data: Mapping[str, Any], measures: Mapping[str, Any], folder: Path,
              gallery: Gallery) -> dict[str, Any]:  # fmt: skip
    """Everything that the page shows: ``data`` of report.json and ``measures`` of measures.json, with pictures."""
    pairs, limits = data["frame_map"], load_limits()
    place = {frame: i for i, (_, frame) in enumerate(pairs)}
    for i in {place[f["worst"]] for f in data["findings"] if f["worst"] in place} - set(gallery.pictures):
        source, frame = pairs[i]
        styled = take_picture(take, frame, truth.size)
        gallery.add(i, source, truth.beauty(source), styled, truth.ids(source), wanted=True)
    pictures = [gallery.pictures[i] for i in sorted(gallery.pictures)]
    findings = [dict(finding) for finding in data["findings"]]
    for finding in findings:
        path = folder / finding["crop"]
        finding["picture"] = (
            "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode() if finding["crop"] else ""
        )
        finding["title"] = finding.get("title") or phrase(finding["kind"])
    kinds = {kind for entry in measures["parts"].values() for kind in entry["signals"]}
    says = {kind: limits.of[kind].says if kind in limits.of else "" for kind in kinds}
    signals = {
        part: {k: {"values": s["values"], "limit": s["limits"][0], "unit": s["unit"], "says": says[k]}
               for k, s in entry["signals"].items()}
        for part, entry in measures["parts"].items()
    }  # fmt: skip
    return {
        "take": take.name, "verdict": data["verdict"], "summary": data["summary"], "size": list(truth.size), "fps": list(truth.fps),
        "frames": list(measures["frames"]), "sources": [source for source, _ in pairs], "pictures": pictures, "findings": findings,
        "parts": data["parts"], "signals": signals, "titles": {kind: phrase(kind) for kind in kinds}, "notes": data["notes"],
        "rate": limits.provenance.get("rate", ""),
        "look": str(take.manifest.data.get("look", "")), "provider": str(take.manifest.data.get("provider", "")),
    }  # fmt: skip


def render_page(data: dict[str, Any]) -> str:
    """The HTML text. Names from the scene can't break out of it: ``<`` never appears in the data."""
    body = (
        json.dumps(data, separators=(",", ":"), allow_nan=False)
        .replace("<", "\\u003c")
        .replace("\u2028", "\\u2028")
    )
    text = (HERE / "page.html").read_text(encoding="utf-8")
    text = text.replace("{{title}}", html.escape(f"{data['take']}: {data['summary']}"))
    text = text.replace("{{style}}", (HERE / "page.css").read_text(encoding="utf-8"))
    text = text.replace("{{script}}", (HERE / "page.js").read_text(encoding="utf-8"))
    return text.replace("{{data}}", body)


def write_page(path: Path, data: dict[str, Any]) -> None:
    """Writes the page atomically. Raises StorageError."""
    write_bytes(path, render_page(data).encode("utf-8"))
