# SPDX-License-Identifier: GPL-3.0-or-later
"""The report folder: report.json with what was found, measures.json with every number, crops, heat and the page."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pipeline.intent import Intent
from ..pipeline.manifest import Manifest
from ..pipeline.store import write_json, writing
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .conform import Conformed
from .evidence import write_crop
from .findings import Finding, Judgement
from .gallery import Gallery
from .page import page_data, write_page
from .series import Series, to_json

SCHEMA = "holdfast/report"
MANIFEST = "report.json"


def write_report(folder: Path, truth: GroundTruth, take: TakeFolder, conformed: Conformed, series: Series, judged: Judgement,
                 gallery: Gallery, settings: dict[str, Any], intent: Intent, stage: str) -> Manifest:  # fmt: skip
    """Writes crops, measures.json, heat.npz and report.html; returns the manifest, which is to be saved last. Raises
    StorageError."""
    source_of = {frame: source for source, frame in conformed.pairs}
    fallback = conformed.pairs[0][0]
    judged.findings = [
        replace(
            f, crop=write_crop(truth, take, f, source_of.get(f.worst, fallback), folder, _laid(conformed, f))
        )
        for f in judged.findings
    ]
    measured = measures(series, judged)
    write_json(folder / "measures.json", measured)
    with writing(folder / "heat.npz") as target, target.open("wb") as stream:
        np.savez_compressed(stream, heat=heat(series, judged), frames=np.array(series.frames))
    data = {
        "take": take.name, "stage": stage, "verdict": judged.verdict, "summary": judged.summary, "parts": judged.parts,
        "findings": judged.to_json(), "frame_map": [list(pair) for pair in conformed.pairs], "fit": conformed.fit_json(),
        "notes": judged.notes, "intent": intent.to_json(), "series": "measures.json", "heat": "heat.npz", "page": "report.html",
    }  # fmt: skip
    write_page(folder / "report.html", page_data(truth, take, data, measured, folder, gallery))
    manifest = Manifest(SCHEMA, settings, {"truth": truth.digest, "take": take.manifest.digest}, data)
    files = [folder / name for name in ("measures.json", "heat.npz", "report.html")]
    return manifest.with_files(folder, [*files, *(folder / f.crop for f in judged.findings if f.crop)])


def _laid(conformed: Conformed, finding: Finding) -> NDArray[np.float64] | None:
    """What lays the take on the render for a crop; a fault of the whole picture is shown as it is."""
    lies_on_it = conformed.fit.plain and not any(conformed.shake.get(finding.worst, ()))
    return conformed.matrix(finding.worst) if finding.part and not lies_on_it else None


def measures(series: Series, judged: Judgement) -> dict[str, Any]:
    """measures.json: per part and kind the signal with its limits, and every raw measure, by frame."""
    return {
        "frames": list(series.frames),
        "parts": {part: _measures(series, judged, part) for part in series.parts},
    }


def _measures(series: Series, judged: Judgement, part: str) -> dict[str, Any]:
    signals = {
        kind: {"measure": s.measure, "unit": s.unit, "values": to_json(s.values), "limits": to_json(s.limits)}
        for kind, s in judged.signals[part].items()
    }
    plane = judged.found.parts[part].motion.in_picture(series.of[part]["radius"])
    raw = {**series.of[part], **plane}
    return {"signals": signals, "measures": {name: to_json(values) for name, values in raw.items()}}


def heat(series: Series, judged: Judgement) -> NDArray[np.uint8]:
    """(F, 45, 80) 100 times the strength (value over limit) of the strongest sign of the part that shows there."""
    out = np.zeros(series.cells.shape, np.uint8)
    names = {name: number for number, name in series.numbers.items()}
    for part, signals in judged.signals.items():
        worst = np.zeros(len(series.frames))
        for signal in signals.values():
            worst = np.fmax(worst, signal.values / signal.limits)
        shade = np.clip(100 * worst, 0, 255).astype(np.uint8)
        here = series.cells == names[part]
        out[here] = np.broadcast_to(shade[:, None, None], out.shape)[here]
    return out
