# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot that was validated: a small ground truth, two takes of it and their reports, written by hand in a moment."""

from __future__ import annotations

import importlib
import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bpy
import numpy as np

FRAMES = tuple(range(1, 25))
SIZE = (160, 90)
PARTS = {1: "body", 2: "lid", 3: "peg"}
AT = {"body": (0.2, 0.5, 0.18), "lid": (0.55, 0.45, 0.12), "peg": (0.8, 0.6, 0.06)}
"""Middle of each round part in the picture and its radius, in 0..1 of the width, y down."""
VANISHED = {
    "id": "f01", "part": "peg", "others": [], "frames": [7, 14], "worst": 12, "kind": "vanished", "title": "vanished",
    "severity": "major", "confidence": 0.96, "measure": "absence", "value": 1.0, "limit": 0.8, "unit": "", "mm": None,
    "where": None, "says": "peg is not there: its outline and its colours are missing where the render shows it.",
    "suggestion": "Put the real part back in these frames.", "also": ["peg: outline changed 8-13"], "crop": "",
}  # fmt: skip
RUBBER = {
    **VANISHED, "id": "f02", "part": "lid", "frames": [16, 22], "worst": 20, "kind": "rubber", "title": "bends",
    "severity": "minor", "confidence": 0.81, "measure": "bend", "value": 4.2, "limit": 2.7, "unit": "px", "mm": 0.38,
    "says": "lid bends by 4.2 px although it is rigid.", "suggestion": "Rerun this span with stronger control.", "also": [],
}  # fmt: skip
GHOST = {
    **VANISHED, "id": "f03", "part": "lid", "frames": [3, 5], "worst": 4, "kind": "ghost", "title": "doubled",
    "severity": "major", "confidence": 0.9, "measure": "ghost", "value": 0.92, "limit": 0.7, "unit": "likeness",
    "where": [0.62, 0.1, 0.2, 0.3], "says": "A second lid shows where the render has none.", "also": [],
    "suggestion": "Rerun this span.",
}  # fmt: skip
COLOUR = {
    **VANISHED, "id": "f04", "part": "body", "frames": [2, 9], "worst": 5, "kind": "colour_drift", "title": "changed colour",
    "severity": "minor", "confidence": 0.7, "measure": "drift", "value": 14.0, "limit": 9.0, "unit": "dE",
    "says": "body changes its colour by 14 dE beyond what the light does.", "also": [],
    "suggestion": "Hold the part's colour, or rerun the span.",
}  # fmt: skip
WOBBLE = {
    **VANISHED, "id": "f05", "part": "body", "frames": [18, 21], "worst": 19, "kind": "wobble", "title": "outline wobbles",
    "severity": "unsure", "confidence": 0.66, "measure": "wobble", "value": 3.0, "limit": 2.4, "unit": "px", "mm": 0.31,
    "says": "The outline of body wobbles by 3.0 px.", "also": [],
    "suggestion": "Good takes may show this little too: look, and say whether it is a fault. If so: rerun this span with "
    "stronger edge control.",
}  # fmt: skip
FINDINGS = (VANISHED, RUBBER, GHOST, COLOUR, WOBBLE)


def new_file(folder: Path, package: str, size: tuple[int, int] = SIZE) -> Any:
    """Saves a file with three marked parts and the finished shot beside it; returns the shot's folder."""
    scene = bpy.context.scene
    for number, name in PARTS.items():
        thing = bpy.data.objects.new(name, bpy.data.meshes.new(name))
        thing.data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
        scene.collection.objects.link(thing)
        thing.holdfast.is_part, thing.holdfast.part, thing.holdfast.part_id = True, name, number
    scene.frame_start, scene.frame_end = FRAMES[0], FRAMES[-1]
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    return write(folder / "shot.holdfast" / "sh010", package, size)


def write(root: Path, package: str, size: tuple[int, int] = SIZE) -> Any:
    """The folder of a shot: ground truth, takes t001 (with findings) and t002 (clean, repaired), reports on both."""
    for name, content in _files(package, size).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return importlib.import_module(".pipeline.project", package).ShotFolder(root)


@cache
def _files(package: str, size: tuple[int, int]) -> dict[str, bytes]:
    """What is in the folder, made once: every test has the same."""
    with TemporaryDirectory(prefix="holdfast") as folder:
        root = Path(folder)
        _make(root, package, size)
        found = (path for path in root.rglob("*") if path.is_file())
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def _make(root: Path, package: str, size: tuple[int, int]) -> None:
    modules = {
        name: importlib.import_module(f".pipeline.{name}", package)
        for name in ("manifest", "pictures", "truth", "passes")
    }
    truth = _truth(root, modules, size)
    first = _take(root, modules, truth, "t001", None, size)
    second = _take(root, modules, truth, "t002", first, size)
    report(root, package, "t001", truth.digest, first.digest, FINDINGS)
    report(root, package, "t002", truth.digest, second.digest, ())


def _truth(root: Path, modules: dict[str, Any], size: tuple[int, int]) -> Any:
    pictures, passes = modules["pictures"], modules["passes"]
    for frame in FRAMES:
        ids = np.zeros(size[::-1], np.uint8)
        for number, name in PARTS.items():
            cover = disc(name, frame, size)
            ids[cover > 0.5] = number
            path = root / "truth" / passes.PATTERNS["matte"].format(frame=frame, part=name)
            pictures.write_gray(path, np.rint(cover * 255).astype(np.uint8))
        pictures.write_gray(root / "truth" / passes.PATTERNS["ids"].format(frame=frame), ids)
    kinds = {kind: {"pattern": passes.PATTERNS[kind]} for kind in ("ids", "matte", "beauty")}
    data = {
        "size": list(size), "fps": [24, 1], "frames": list(FRAMES), "motion_hash": "m", "passes": kinds, "camera": [],
        "parts": [{"id": n, "name": name, "object": name, "folder": name} for n, name in PARTS.items()],
        "poses": "poses.npz", "colour": {"view": "Standard"},
    }  # fmt: skip
    manifest = modules["manifest"].Manifest("holdfast/truth", {}, {}, data)
    manifest.save(root / "truth" / "truth.json")
    return manifest


def disc(name: str, frame: int, size: tuple[int, int]) -> np.ndarray:
    """(H, W) cover of a round part, smooth at its rim; the lid moves to the right by a pixel of 160 a frame."""
    x, y, radius = AT[name]
    width, height = size
    middle = (x + (frame - 1) / 160 * (name == "lid")) * width, y * height
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    away = np.hypot(columns - middle[0], rows - middle[1])
    return np.clip(radius * width - away + 0.5, 0.0, 1.0).astype(np.float32)


def _take(
    root: Path, modules: dict[str, Any], truth: Any, name: str, parent: Any, size: tuple[int, int]
) -> Any:
    colours = {"body": (70, 110, 150), "lid": (190, 120, 60), "peg": (200, 180, 90)}
    for frame in FRAMES:
        picture = np.full((size[1], size[0], 3), (222, 214, 196), np.float32)
        for part in PARTS.values():
            if part == "peg" and name == "t001" and 7 <= frame <= 14:
                continue
            cover = disc(part, frame, size)[..., None]
            picture = picture * (1 - cover) + np.float32(colours[part]) * cover
        modules["pictures"].write_picture(
            root / "takes" / name / f"frames/{frame:04d}.png", picture.astype(np.uint8)
        )
    data = {
        "take": name, "look": "CEL", "provider": "rehearsal", "model": "m", "fps": [24, 1], "size": list(size), "seed": 1,
        "frames": list(FRAMES), "frame_map": [[f, f] for f in FRAMES], "pattern": "frames/{frame:04d}.png", "spans": [],
        "parent": "t001" if parent is not None else None, "prompt_hash": "",
    }  # fmt: skip
    inputs = {"truth": truth.digest} | ({"parent": parent.digest} if parent is not None else {})
    made = {"at": "2026-01-01T00:00:00Z", "seconds": 17.5 if parent is None else 4.9}
    if parent is not None:
        data["cost_micros"] = 420_000
    manifest = modules["manifest"].Manifest("holdfast/take", {}, inputs, data, made=made)
    manifest.save(root / "takes" / name / "take.json")
    return manifest


def report(
    root: Path, package: str, take: str, truth: str, made_from: str, findings: Any, **more: Any
) -> Any:
    """Writes a report with these findings; ``more`` goes into its data."""
    manifest = importlib.import_module(".pipeline.manifest", package)
    settings = importlib.import_module(".validation.stage", package).settings()
    folder = root / "reports" / take
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "measures.json").write_text(json.dumps(measures(findings)))
    np.savez_compressed(folder / "heat.npz", heat=heat(findings))
    parts = [_part(part, findings) for part in PARTS.values()]
    worst = {part["verdict"] for part in parts}
    verdict = next(word for word in ("fail", "review", "pass") if word in worst)
    data = {
        "take": take, "verdict": verdict, "summary": f"{verdict}: {len(findings)} findings", "parts": parts, "notes": [],
        "findings": [dict(finding) for finding in findings], "frame_map": [[f, f] for f in FRAMES], "series": "measures.json",
        "heat": "heat.npz", "page": "report.html", "stage": "full", "intent": {}, **more,
    }  # fmt: skip
    inputs = {"truth": truth, "take": made_from}
    found = manifest.Manifest("holdfast/report", settings, inputs, data)
    found.save(folder / "report.json")
    (folder / "report.html").write_text("<p>report</p>")
    return found


def _part(name: str, findings: Any) -> dict[str, str]:
    """What a report says of a part: fail, or review where all that was found is unsure."""
    mine = [finding for finding in findings if finding["part"] == name]
    if mine and all(finding["severity"] == "unsure" for finding in mine):
        how = "Look at these frames, then accept the finding or say that it is no fault."
        why = f"perhaps {mine[0]['title']}: too little to be sure"
        return {"name": name, "verdict": "review", "why": why, "decidable_by": how}
    return {"name": name, "verdict": "fail" if mine else "pass", "why": "", "decidable_by": ""}


def measures(findings: Any) -> dict[str, Any]:
    """measures.json: every signal at 0.3 of its limit, but where a finding says otherwise; the body unknown in frame 24."""
    parts: dict[str, Any] = {}
    for part in PARTS.values():
        signals = {}
        for kind in ("vanished", "rubber", "ghost", "colour_drift", "wobble"):
            values: list[float | None] = [0.3] * len(FRAMES)
            for finding in findings:
                if (finding["part"], finding["kind"]) == (part, kind):
                    for frame in range(finding["frames"][0], finding["frames"][1] + 1):
                        values[FRAMES.index(frame)] = finding["value"] / finding["limit"]
            if part == "body":
                values[-1] = None
            signals[kind] = {"measure": kind, "unit": "", "values": values, "limits": [1.0] * len(FRAMES)}
        parts[part] = {"signals": signals, "measures": {}}
    return {"frames": list(FRAMES), "parts": parts}


def heat(findings: Any) -> np.ndarray:
    """heat.npz: (F, 45, 80) uint8, 100 at the limit, on the parts of the findings."""
    found = np.zeros((len(FRAMES), 45, 80), np.uint8)
    for finding in findings:
        for frame in range(finding["frames"][0], finding["frames"][1] + 1):
            cover = disc(finding["part"], frame, (80, 45))
            strength = np.uint8(min(255, 100 * finding["value"] / finding["limit"]))
            found[FRAMES.index(frame)] = np.maximum(
                found[FRAMES.index(frame)], np.where(cover > 0.3, strength, 0)
            )
    return found
