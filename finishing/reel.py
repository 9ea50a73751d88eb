# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline of a shot: the render, every take with its findings, and on top the title and the master's frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from ..pipeline.store import digest_json
from ..pipeline.take import SCHEMA as TAKE
from ..pipeline.truth import SCHEMA as TRUTH
from .grade import Grade, cdl
from .timeline import ClipSpec, Json, Pictures, Rate, clip, gap, marker, track, write_timeline

REPORT = "holdfast/report"


def load_report(shot: ShotFolder, take: str) -> Manifest | None:
    """The report on a take, or None if it was never checked."""
    return Manifest.find(shot.reports / take / "report.json", REPORT)


def _first_run(frames: Sequence[int]) -> tuple[int, int]:
    """First frame and length of the frames; gaps are covered, as an editor's sequence reference has none."""
    return frames[0], frames[-1] - frames[0] + 1


def _track(name: str, spec: ClipSpec, lead: int, fps: Rate) -> Json:
    children = [gap(lead, fps)] if lead else []
    return track(name, [*children, clip(spec, fps)])


def _take_clip(shot: ShotFolder, name: str, fps: Rate) -> ClipSpec:
    manifest = Manifest.load(shot.takes / name / "take.json", TAKE)
    report = load_report(shot, name)
    data = manifest.data
    first, count = _first_run(data["frames"])
    facts: dict[str, Any] = {
        key: data.get(key)
        for key in ("take", "provider", "model", "seed", "look", "prompt_hash", "parent", "spans")
    }
    markers: list[Json] = []
    if report is not None:
        facts |= {"verdict": report.data["verdict"], "report": report.digest}
        markers = [marker(finding, report.data["verdict"], fps) for finding in report.data["findings"]]
    facts |= {"shot": shot.name, "stage": "style", "digest": manifest.digest, "colour": "sRGB display"}
    media = Pictures(f"../takes/{name}/frames/", "", ".png", first, count)
    return ClipSpec(f"{shot.name} {name}", media, first, count, facts, markers)


def _render_clip(shot: ShotFolder, truth: Manifest) -> ClipSpec:
    first, count = _first_run(truth.data["frames"])
    media = Pictures("../truth/beauty/", "beauty.", ".png", first, count)
    facts = {"shot": shot.name, "stage": "truth", "digest": truth.digest, "motion": truth.data["motion_hash"]}
    return ClipSpec(
        f"{shot.name} render", media, first, count, {**facts, "colour": dict(truth.data["colour"])}
    )


def write_reel(
    path: Path,
    shot: ShotFolder,
    takes: Sequence[str],
    approved: str,
    counts: tuple[int, int],
    fps: Rate,
    grade: Grade,
    settings: Mapping[str, Any],
) -> None:
    """Writes the .otio; ``counts`` = frames of the title card and of the shot. Raises InputError, StorageError."""
    lead, length = counts
    truth = Manifest.find(shot.truth / "truth.json", TRUTH)
    tracks = [_track("Render", _render_clip(shot, truth), lead, fps)] if truth else []
    for name in takes:
        label = f"Take {name}" + (" (approved)" if name == approved else "")
        tracks.append(_track(label, _take_clip(shot, name, fps), lead, fps))
    comp = Pictures("comp/", "", ".png", 1, lead + length)
    facts = {
        "shot": shot.name,
        "stage": "finish",
        "take": approved,
        "cdl": cdl(grade),
        "master": "master.mp4",
    }
    final = [ClipSpec("Title", comp, 1, lead, {**facts, "title": settings["title"]})] if lead else []
    final.append(ClipSpec(f"{shot.name} final", comp, 1 + lead, length, facts))
    tracks.append(track("Final", [clip(spec, fps) for spec in final]))
    data = {
        "shot": shot.name,
        "approved": approved,
        "fps": list(fps),
        "settings": digest_json(dict(settings)),
    }
    write_timeline(path, shot.name, tracks, fps, data)
