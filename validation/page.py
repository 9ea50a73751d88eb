# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a page that opens with no network and no server, made from report.json and measures.json alone.

A short take is one HTML file with its pictures inside; a long one has ``frames/`` beside it (gallery.py). The page
is page_files/page.html with its style and scripts put in; docs/report.md says what is on it.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..pipeline.pictures import read_picture
from ..pipeline.store import storage, write_bytes
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .evidence import take_picture
from .gallery import Gallery, data_uri, fewer_outlines
from .kinds import phrase
from .limits import load_limits
from .page_facts import facts, next_steps, sentence
from .page_series import heat, rounded, signals

FILES = Path(__file__).with_name("page_files")
SCRIPTS = ("base", "pictures", "stage", "lanes", "cards", "plots", "tables", "keys")
MOST_LARGE = 6
MOST_MADE = 12
"""So many frames, evenly over the take, are read again if they have no pictures yet: a first look keeps none while it
measures, and a frame map may lead to frames that nobody expected."""
PICTURES_INSIDE, PICTURES_BESIDE = "data:", "data: file: 'self'"


def page_data(truth: GroundTruth, take: TakeFolder, data: Mapping[str, Any], measures: Mapping[str, Any], folder: Path,
              gallery: Gallery) -> dict[str, Any]:  # fmt: skip
    """Everything that the page shows: ``data`` of report.json and ``measures`` of measures.json, with pictures.

    ``folder`` is the report's: its crops and heat map are read. Raises InputError, StorageError.
    """
    pairs, limits = data["frame_map"], load_limits()
    findings = [_finding(finding, folder) for finding in data["findings"]]
    _remove_old_crops(folder, {str(finding.get("crop")) for finding in data["findings"]})
    worst = _add_worst_frames(truth, take, data, gallery)
    gallery.write_poster(pairs[worst[0] if worst else len(pairs) // 2][1])
    number = {name: str(i) for i, name in enumerate(truth.names)}
    every = {i: gallery.outlines[source] for i, (source, _) in enumerate(pairs) if source in gallery.outlines}
    drawn = fewer_outlines(every, worst)
    return {
        "verdict": data["verdict"], "sentence": sentence(data), "next": next_steps(data), "take": take.name,
        "stage": data.get("stage", "full"), "size": list(truth.size), "fps": list(truth.fps),
        "frames": [frame for _, frame in pairs], "sources": [source for source, _ in pairs],
        "parts": [dict(part) for part in data["parts"]], "findings": findings,
        "signals": signals(measures, data["findings"], limits.says),
        "fit": _fit(data.get("fit")), "heat": heat(folder / data["heat"]) if data.get("heat") else None,
        "names": list(truth.names), "pictures": {str(i): list(pair) for i, pair in gallery.addresses(pairs).items()},
        "outlines": {str(i): {number[name]: text for name, text in by_part.items()} for i, by_part in drawn.items()},
        "beside": not gallery.inside, "width": gallery.width,
        "facts": facts(truth, take, data), "notes": list(data.get("notes", ())), "rate": limits.provenance.get("rate", ""),
    }  # fmt: skip


def _fit(fit: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """How the take lies over the render, or None where it lies on it."""
    if not fit or (list(fit["scale"]) == [1, 1] and not any(fit["offset_px"]) and not fit.get("shake")):
        return None
    return {name: fit[name] for name in ("scale", "offset_px", "shake") if name in fit}


def _remove_old_crops(folder: Path, named: set[str]) -> None:
    """Removes what an earlier report of this take left, so that no crop lies about without its finding."""
    with storage(folder):
        for path in (folder / "crops").glob("*"):
            if f"crops/{path.name}" not in named:
                path.unlink()


def _add_worst_frames(
    truth: GroundTruth, take: TakeFolder, data: Mapping[str, Any], gallery: Gallery
) -> list[int]:
    """Positions of the worst frames; the first few get larger pictures, all get one. So do some that have none yet."""
    pairs = data["frame_map"]
    place = {frame: i for i, (_, frame) in enumerate(pairs)}
    worst = list(dict.fromkeys(place[f["worst"]] for f in data["findings"] if f["worst"] in place))
    large = set(worst[:MOST_LARGE]) if gallery.width < truth.size[0] else set()
    missing = [index for index, pair in enumerate(pairs) if not gallery.has(*pair)]
    wanted = large | (set(worst) & set(missing)) | set(missing[:: -(-len(missing) // MOST_MADE) or 1])
    for index in sorted(wanted):
        source, frame = pairs[index]
        styled = take_picture(take, frame, truth.size)
        gallery.put(source, frame, truth.beauty(source), styled, truth.ids(source), worst=index in large)
    return worst


def _finding(finding: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A finding of report.json with its crop inside and its numbers short."""
    crop = folder / finding["crop"] if finding.get("crop") else None
    short = {
        name: rounded(float(finding[name]))
        for name in ("value", "limit", "mm")
        if finding.get(name) is not None
    }
    shown = {name: value for name, value in finding.items() if name not in ("crop", *short)}
    return {
        "others": [], "where": None, "mm": None, **shown, **short,
        "title": finding.get("title") or phrase(finding["kind"]),
        **_picture(crop),
    }  # fmt: skip


def _picture(crop: Path | None) -> dict[str, Any]:
    """A crop with its size, so that the page keeps its place free; nothing where there is no crop."""
    if crop is None or not crop.exists():
        return {"picture": "", "pixels": [0, 0]}
    height, width = read_picture(crop).shape[:2]
    return {"picture": data_uri(crop.read_bytes()), "pixels": [width, height]}


def allowed(text: str) -> str:
    """The source expression with which a content policy allows exactly this inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def file_text(name: str) -> str:
    """A file that pages are made of."""
    return (FILES / name).read_text(encoding="utf-8")


def filled(template: str, values: Mapping[str, str]) -> str:
    """``template`` with every {{name}} replaced once; what is put in is not looked at again."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], template)


def json_inside(value: object) -> str:
    """JSON that can stand in a script element: ``<`` never appears, so no name from a scene can break out."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def render_page(data: Mapping[str, Any]) -> str:
    """The HTML text. Nothing but this page's own script and style may run in it, and nothing may be fetched."""
    style, script = file_text("page.css"), "".join(file_text(f"{name}.js") for name in SCRIPTS)
    pictures = PICTURES_BESIDE if data["beside"] else PICTURES_INSIDE
    policy = f"default-src 'none'; img-src {pictures}; style-src {allowed(style)}; script-src {allowed(script)}; base-uri 'none'; form-action 'none'"
    values = {
        "policy": policy, "style": style, "script": script, "title": html.escape(f"{data['take']}: {data['sentence']}"),
        "sentence": html.escape(data["sentence"]), "data": json_inside(data),
    }  # fmt: skip
    return filled(file_text("page.html"), values)


def write_page(path: Path, data: Mapping[str, Any]) -> None:
    """Writes the page atomically. Raises StorageError."""
    write_bytes(path, render_page(data).encode("utf-8"))
