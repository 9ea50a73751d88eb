# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker task: the control clips of a shot for one model.

Request of ``run``: truth (folder), out (folder), range (path of the shot's depth range), model (id), label, contract
(a ``controls`` table), clips (list of {"name", "kind", "parts", "change"}), frames (source frames, or null for all),
keys (source frames), inputs, settings, encoders ({"ffmpeg", "blender", "blender_bt601"}), force; of a piece of a long shot
also shown (source frame of each clip frame) and piece (what it is called).
"""

import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pipeline.context import Context
from ...pipeline.controls import PICTURES, Control, Controls, check_control, parse_controls
from ...pipeline.encode import Clip, Encoders, encode
from ...pipeline.errors import HoldfastError, InputError
from ...pipeline.fitting import Fit, Rate, fit_rate, fit_size, frame_map
from ...pipeline.frames import spans
from ...pipeline.manifest import Manifest
from ...pipeline.pictures import write_gray, write_picture
from ...pipeline.store import digest_json, read_json, storage, write_json
from ...pipeline.truth import GroundTruth
from .depth import RULE, Range, shot_range
from .pictures import Frame, Look

SCHEMA = "holdfast/control"
MANIFEST = "controls.json"
SUFFIX = {"h264": "mp4", "ffv1": "mkv"}
PATTERN = "{name}/{{index:04d}}.png"
CRF = 12
"""Of the beauty in H.264. What is measured, and not only looked at, is encoded exactly (see encode.Clip)."""


@dataclass(frozen=True)
class Plan:
    """The clip that all kinds share: source frame of each clip frame, rate, geometry, depth range."""

    shown: tuple[int, ...]
    fps: Rate
    fit: Fit
    ends: Range


@dataclass(frozen=True)
class Wanted:
    """One clip to make: its ``look``, the clip indexes (from 1) that it holds, and the digest of all that decides it."""

    name: str
    look: Look
    indexes: tuple[int, ...]
    made_from: str

    @property
    def control(self) -> Control:
        return self.look.control

    @property
    def is_film(self) -> bool:
        return self.control.codec != "png"

    def picture(self, folder: Path, index: int) -> Path:
        """Where the picture of a clip frame is."""
        return folder / PATTERN.format(name=self.name).format(index=index)

    def film(self, folder: Path) -> Path:
        """Where the film is, if it is one."""
        return folder / f"{self.name}.{SUFFIX[self.control.codec]}"


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Makes what is missing or out of date. Raises InputError, StorageError, HoldfastError (no encoder), Cancelled."""
    started = time.monotonic()
    ctx = ctx.about(str(request.get("piece") or ""))
    truth, out = GroundTruth.open(request["truth"]), Path(request["out"])
    contract = parse_controls(request["contract"], request["model"])
    ends = shot_range(truth, Path(request["range"]), ctx.part(0.0, 0.1))
    plan = _plan(truth, contract, request, ends)
    wanted = [_wanted(each, contract, plan, request) for each in request["clips"]]
    with storage(out):
        out.mkdir(parents=True, exist_ok=True)
        (out / MANIFEST).unlink(missing_ok=True)  # what follows replaces files that it lists
    if request.get("force"):
        for one in wanted:
            _forget(out, one)
    todo = [one for one in wanted if not _finished(out, one)]
    _draw(truth, plan, out, todo, ctx.part(0.1, 0.75))
    records = {}
    for number, one in enumerate(wanted):
        step = ctx.part(0.75 + 0.25 * number / len(wanted), 0.75 + 0.25 * (number + 1) / len(wanted))
        records[one.name] = _finish(out, one, plan, request, step)
    manifest = Manifest(
        SCHEMA, request["settings"], request["inputs"], _data(request, contract, plan, records)
    )
    manifest = manifest.with_files(out, [path for one in wanted for path in _files(out, one)])
    manifest.made["seconds"] = round(time.monotonic() - started, 2)  # type: ignore[index]
    manifest.save(out / MANIFEST)
    ctx.progress(1.0, "The clips are ready")
    return {"folder": str(out), "digest": manifest.digest}


def _plan(truth: GroundTruth, contract: Controls, request: Mapping[str, Any], ends: Range) -> Plan:
    chosen = tuple(request["frames"] or truth.frames)
    if len(spans(chosen)) != 1 or not set(chosen) <= set(truth.frames):
        todo = f"Choose frames without gaps within {truth.frames[0]}-{truth.frames[-1]}."
        raise InputError("A clip needs one span of rendered frames", where=str(truth.folder), todo=todo)
    fps = fit_rate(truth.fps, contract.rate)
    shown = tuple(request.get("shown") or frame_map(chosen, truth.fps, fps, contract.count, request["label"]))
    return Plan(shown, fps, fit_size(truth.size, contract.size), ends)


def _wanted(each: Mapping[str, Any], contract: Controls, plan: Plan, request: Mapping[str, Any]) -> Wanted:
    kind = each["kind"]
    if kind not in contract.kinds:
        todo = f"It takes {', '.join(contract.kinds)}."
        raise InputError(f"{request['label']} takes no {kind} clip", where=request["model"], todo=todo)
    control = check_control(contract.kinds[kind], request["model"])
    look = Look(control, plan.ends, tuple(each["parts"]), bool(each["change"]))
    size = plan.fit.clip
    if control.codec == "h264" and (size[0] % 2 or size[1] % 2):
        todo = "Let the entry's size be a multiple of 2."
        raise InputError(f"H.264 needs an even width and height, not {size[0]}x{size[1]}", todo=todo)
    indexes = _indexes(kind, plan.shown, tuple(request["keys"]), control, request["label"])
    used = plan.ends if kind in ("depth", "edges", "normals") else None
    decides = [asdict(look) | {"ends": used and asdict(used)}, plan.fit.record(), plan.fps, indexes]
    shown = [plan.shown[index - 1] for index in indexes]
    return Wanted(each["name"], look, indexes, digest_json([decides, shown, request["inputs"], CRF]))


def _indexes(
    kind: str, shown: tuple[int, ...], keys: tuple[int, ...], control: Control, label: str
) -> tuple[int, ...]:
    """Clip indexes (from 1) of the pictures that a kind has."""
    last = len(shown)
    if kind == "first":
        return (1,)
    if kind == "last":
        return (last,)
    if kind != "keys":
        return tuple(range(1, last + 1))
    most = control.count[1] or 3
    if not keys:
        count = min(last, max(control.count[0], min(3, most)))
        return tuple(sorted({int(place) for place in np.linspace(1, last, count).round()}))
    if not control.count[0] <= len(keys) <= most:
        raise InputError(f"{label} takes {control.count[0]} to {most} key frames, not {len(keys)}")
    missing = [key for key in keys if key not in shown]
    if missing:
        raise InputError(
            f"Frame {missing[0]} is not in the clip", where=label, todo="Choose frames that it shows."
        )
    return tuple(sorted({shown.index(key) + 1 for key in keys}))


def _note(out: Path, one: Wanted) -> Path:
    return out / one.name / "clip.json"


def _finished(out: Path, one: Wanted) -> bool:
    """Whether the clip on disk is this one, complete."""
    try:
        note = read_json(_note(out, one))
    except HoldfastError:
        return False
    whole = note.get("made_from") == one.made_from and note.get("record") is not None
    return whole and all(path.exists() for path in (*_files(out, one), *_pictures(out, one)))


def _pictures(out: Path, one: Wanted) -> list[Path]:
    return [one.picture(out, index) for index in one.indexes]


def _files(out: Path, one: Wanted) -> list[Path]:
    """What is sent: the film, or the pictures."""
    return [one.film(out)] if one.is_film else _pictures(out, one)


def _forget(out: Path, one: Wanted) -> None:
    with storage(out):
        shutil.rmtree(out / one.name, ignore_errors=True)
        for suffix in SUFFIX.values():
            (out / f"{one.name}.{suffix}").unlink(missing_ok=True)


def _draw(truth: GroundTruth, plan: Plan, out: Path, todo: list[Wanted], ctx: Context) -> None:
    """Draws the pictures that are not there yet; every pass of a frame is read once for all clips."""
    for one in todo:
        begun = _note(out, one).exists() and read_json(_note(out, one)).get("made_from") == one.made_from
        if not begun:
            _forget(out, one)
            write_json(_note(out, one), {"made_from": one.made_from, "record": None})
    needed = sorted({index for one in todo for index in one.indexes})
    frame: Frame | None = None
    drawn: dict[str, NDArray[Any]] = {}
    for index in ctx.each(needed, "Drawing frame"):
        source = plan.shown[index - 1]
        if frame is None or frame.number != source:
            frame, drawn = Frame(truth, source, plan.fit), {}
        for one in todo:
            path = one.picture(out, index)
            if index not in one.indexes or path.exists():
                continue
            if one.name not in drawn:
                drawn[one.name] = frame.draw(one.look)
            picture = drawn[one.name]
            (write_gray if picture.ndim == 2 else write_picture)(path, picture)


def _finish(out: Path, one: Wanted, plan: Plan, request: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """Encodes if that is wanted and not done; the record of the clip for the manifest."""
    if _finished(out, one):
        kept: dict[str, Any] = read_json(_note(out, one))["record"]
        return kept
    encoder = ""
    if one.is_film:
        full = one.control.range == "full"
        exact = one.control.kind != "beauty"
        name, count = str(out / one.name), len(one.indexes)
        clip = Clip(name, count, plan.fit.clip, plan.fps, CRF, one.control.codec, exact, full)
        _track, encoder = encode(clip, one.film(out), Encoders(**request["encoders"]), ctx)
    record = _record(one, plan, encoder)
    record["bytes"] = sum(path.stat().st_size for path in _files(out, one))
    write_json(_note(out, one), {"made_from": one.made_from, "record": record})
    return record


def _record(one: Wanted, plan: Plan, encoder: str) -> dict[str, Any]:
    control, look = one.control, one.look
    pattern = PATTERN.format(name=one.name)
    record: dict[str, Any] = {
        "kind": control.kind, "codec": control.codec, "bits": control.bits, "source": control.source,
        "field": control.field, "pictures": pattern, "count": len(one.indexes), "encoder": encoder,
        "file": f"{one.name}.{SUFFIX[control.codec]}" if one.is_film else pattern,
        "range": control.range if control.codec == "h264" else "full", "white": control.white,
    }  # fmt: skip
    if control.kind == "depth":
        record |= {"curve": control.curve, "near": look.ends.near, "far": look.ends.far, "unit": "m"}
    if control.kind == "matte":
        record |= {"parts": list(look.parts), "change": look.change}
    if control.kind == "normals":
        record["axes"] = control.axes
    if control.kind == "edges":
        record["line_px"] = control.line_px
    if control.kind in PICTURES:
        seconds = [(index - 1) * plan.fps[1] / plan.fps[0] for index in one.indexes]
        record["at"] = [
            {"index": index, "frame": plan.shown[index - 1], "seconds": round(second, 6)}
            for index, second in zip(one.indexes, seconds, strict=True)
        ]
    return record


def _data(
    request: Mapping[str, Any], contract: Controls, plan: Plan, records: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "model": request["model"], "label": request["label"], "clips": dict(records), "count": len(plan.shown),
        "fps": list(plan.fps), "frame_map": list(plan.shown), "fit": plan.fit.record(), "rule": contract.count.name,
        "depth": {"near": plan.ends.near, "far": plan.ends.far, "unit": "m", "rule": RULE},
        "unconfirmed": list(contract.unconfirmed),
    }  # fmt: skip
