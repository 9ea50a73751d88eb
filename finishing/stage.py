# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker task of Finish: frames, grade, title, master, timeline, provenance and contact sheet of one take.

Request of ``run``: shot (folder), take (name), takes (names for the timeline, oldest first), settings (exposure,
contrast, saturation, temperature, title, title_seconds, crf), inputs (digests by name), sketches (paths by name),
fonts (paths), encoders ({"ffmpeg": argv, "blender": argv, "blender_bt601": bool}).
"""

import time
from pathlib import Path
from typing import Any

from ..pipeline.context import Context
from ..pipeline.encode import Clip, Encoders, encode
from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest
from ..pipeline.mp4 import VideoTrack
from ..pipeline.pictures import write_picture
from ..pipeline.project import ShotFolder
from ..pipeline.store import storage, write_bytes
from ..pipeline.take import TakeFolder
from .compose import PATTERN, card_of, compose, grade_of, slate
from .contact import Row, contact_sheet
from .grade import Grade, cdl, write_cube
from .lettering import Lettering
from .reel import load_report, write_reel
from .showcase import rows_of
from .xmp import COMPOSITE, CREATION, packet, put_in_mp4, put_in_png

SCHEMA = "holdfast/delivery"
MANIFEST = "delivery.json"
MASTER, TIMELINE, SHEET, CUBE, SIDECAR = (
    "master.mp4",
    "shot.otio",
    "contact_sheet.png",
    "grade.cube",
    "master.xmp",
)
PROCEDURAL = ("rehearsal",)
"""Providers that draw by procedure; no trained model takes part."""


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Writes the delivery folder. Raises InputError, StorageError, Cancelled, HoldfastError if nothing encodes."""
    started = time.monotonic()
    shot, settings = ShotFolder(Path(request["shot"])), request["settings"]
    take, out = TakeFolder.open(shot.takes / request["take"]), shot.delivery
    if not take.frames:
        raise InputError(f"Take {take.name} has no frames", where=str(take.folder), todo="Run Style again.")
    with storage(out):
        (out / MANIFEST).unlink(missing_ok=True)  # what follows replaces files that it lists
    fps = (int(take.manifest.data["fps"][0]), int(take.manifest.data["fps"][1]))
    verdict, lettering = _verdict(shot, take), Lettering(tuple(request["fonts"]))
    grade = grade_of(settings)
    card = card_of(settings, slate(shot.name, take, verdict, fps), fps, lettering)
    comp, size = compose(take, out, grade, card, ctx.part(0.0, 0.5))
    lead = card.frames if card else 0
    track, encoder = encode(
        Clip(str(out / "comp"), len(comp), size, fps, int(settings["crf"])),
        out / MASTER,
        Encoders(**request["encoders"]),
        ctx.part(0.5, 0.8),
    )
    ctx.progress(0.82, "Writing timeline and contact sheet")
    write_reel(
        out / TIMELINE, shot, request["takes"], take.name, (lead, len(take.frames)), fps, grade, settings
    )
    write_cube(out / CUBE, grade, f"{shot.name} grade")
    rows = rows_of(shot, take, comp, lead, request["sketches"])
    _write_sheet(shot, take, rows, lettering, settings["title"])
    _write_provenance(out, shot, take, verdict)
    data = {
        "take": take.name,
        "verdict": verdict,
        **_described(track, encoder, lead, grade),
        "title": {"text": settings["title"], "frames": lead},
        "summary": f"{take.name} ({verdict}), {track.frames} frames {size[0]}x{size[1]}",
    }
    manifest = Manifest(SCHEMA, settings, request["inputs"], data)
    manifest = manifest.with_files(
        out, [*comp, *(out / name for name in (MASTER, TIMELINE, SHEET, CUBE, SIDECAR))]
    )
    manifest.made["seconds"] = round(time.monotonic() - started, 2)  # type: ignore[index]
    manifest.save(out / MANIFEST)
    ctx.progress(1.0, "The master is ready")
    return {"folder": str(out), "digest": manifest.digest}


def _verdict(shot: ShotFolder, take: TakeFolder) -> str:
    """The verdict on exactly this take."""
    report = load_report(shot, take.name)
    known = report is not None and take.manifest.digest in report.inputs.values()
    return str(report.data["verdict"]) if report is not None and known else "not checked"


def _described(track: VideoTrack, encoder: str, lead: int, grade: Grade) -> dict[str, Any]:
    """The delivery's files, as its manifest describes them."""
    return {
        "master": MASTER,
        "video": {
            "frames": track.frames,
            "size": list(track.size),
            "fps": [track.fps.numerator, track.fps.denominator],
            "codec": "h264",
            "colour": "bt709",
            "encoder": encoder,
        },
        "timeline": TIMELINE,
        "contact_sheet": SHEET,
        "comp": {"pattern": PATTERN, "frames": track.frames, "title": lead},
        "grade": {**cdl(grade), "cube": CUBE},
    }


def _write_sheet(
    shot: ShotFolder, take: TakeFolder, rows: list[Row], lettering: Lettering, title: str
) -> None:
    name = (title.strip().splitlines() or [shot.name])[0]
    sheet = contact_sheet(name, f"Holdfast · shot {shot.name} · take {take.name}", rows, lettering)
    write_picture(shot.delivery / SHEET, sheet)


def _write_provenance(out: Path, shot: ShotFolder, take: TakeFolder, verdict: str) -> None:
    data = take.manifest.data
    kind = CREATION if data["provider"] in PROCEDURAL else COMPOSITE
    system = "none" if data["provider"] in PROCEDURAL else f"{data['provider']} {data['model']}"
    note = f"Rendered in Blender, restyled by {data['provider']} {data['model']}; checked against the render: {verdict}."
    xmp = packet(kind, system, f"{shot.name} {take.name}", note)
    put_in_mp4(out / MASTER, xmp)
    put_in_png(out / SHEET, xmp)
    write_bytes(out / SIDECAR, xmp)
