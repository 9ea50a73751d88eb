# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal: an offline provider that restyles a shot from its ground truth alone, and the worker task of Style.

Request of ``run``: truth (folder), out (take folder), take (name), look, seed, grain, ink, prompt, defects (list);
optional contract (look, version and digest of the prompt's), frames (only these, any list into any folder, as Repair
asks for a span again) and force (draw anew).
"""

import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...pipeline.context import Context
from ...pipeline.errors import InputError, StorageError
from ...pipeline.manifest import Manifest
from ...pipeline.pictures import write_picture
from ...pipeline.store import digest_json, hash_file, read_json, storage, write_json
from ...pipeline.take import SCHEMA
from ...pipeline.truth import GroundTruth
from ..check import check_job
from ..contract import CancelOutcome, Fetched, Handle, JobSpec, MediaRef, Output, Snapshot, State
from ..registry import model_of
from .defects import draw, parse_script
from .looks import LOOKS
from .painting import shot_of
from .source import frame_truth, samples

PATTERN = "frames/{frame:04d}.png"
MODEL = "lit-sphere-1"


class Rehearsal:
    """The provider's adapter: a job is drawn inside ``submit`` and is done when that returns."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._done: dict[str, Snapshot] = {}

    def put(self, path: Path, role: str) -> MediaRef:
        """Local files need no upload. Raises InputError if there is none."""
        if not path.exists():
            raise InputError(f"{path.name} is missing", where=str(path))
        return MediaRef("path", str(path), role)

    def submit(self, job: JobSpec) -> Handle:
        """Draws the frames into the folder that the option ``out`` names. Frames already there are kept."""
        check_job(job, model_of(job.provider, "video_restyle", job.model))
        truth = job.input("truth")
        assert truth is not None  # check_job saw to it
        folder = Path(str(job.options["out"]))
        frames = draw_frames(Path(truth.value), folder, job, self.context)
        ref = MediaRef("path", str(folder), "frames")
        job_id = digest_json([job.options, job.seed, job.prompt, str(truth.value)])[:16]
        output = Output("frames", ref, "image/png")
        self._done[job_id] = Snapshot(
            State.SUCCEEDED, 1.0, outputs=(output,), cost_micros=0, raw={"frames": frames}
        )
        return Handle(job.provider, job_id, str(folder), time.time())

    def poll(self, handle: Handle) -> Snapshot:
        """Succeeded for a job of this adapter, else unknown."""
        return self._done.get(handle.job_id, Snapshot(State.UNKNOWN))

    def fetch(self, output: Output, folder: Path) -> list[Fetched]:
        """Copies the drawn frames into ``folder`` unless they were drawn there."""
        source = Path(output.ref.value)
        fetched: list[Fetched] = []
        for path in sorted(source.glob("*.png")):
            target = folder / path.name
            if target != path:
                with storage(target):
                    folder.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
            fetched.append(Fetched(target, hash_file(target)))
        return fetched

    def cancel(self, handle: Handle) -> CancelOutcome:
        """A drawn job can't be undrawn; one being drawn stops through the context's token."""
        return CancelOutcome.TOO_LATE


def draw_frames(truth: Path, folder: Path, job: JobSpec, context: Context) -> list[int]:
    """Draws the job's frames (default: all of the shot) into ``folder``/NNNN.png; returns those drawn anew."""
    source = GroundTruth.open(truth)
    options = job.options
    look = LOOKS[str(options["look"])]
    defects = parse_script(options.get("defects", ()), source.names)
    wanted = tuple(options.get("frames") or source.frames)
    missing = [frame for frame in wanted if not (folder / f"{frame:04d}.png").exists()]
    if not missing:
        return []
    context.progress(0.0, "Reading the palette")
    seed = int(job.seed or 0)
    shot = shot_of(samples(source), seed=seed, grain=float(options["grain"]), ink=float(options["ink"]))
    for frame in context.each(missing, f"{look.label}: frame"):
        write_picture(folder / f"{frame:04d}.png", draw(shot, look, frame_truth(source, frame), defects))
    return missing


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task: makes a take folder with its manifest. Raises InputError, UsageError, StorageError, Cancelled."""
    started = time.monotonic()
    source, out = GroundTruth.open(Path(request["truth"])), Path(request["out"])
    settings = take_settings(request)
    model = model_of(str(settings["provider"]), "video_restyle")
    provider = Rehearsal(ctx.part(0.0, 0.97))
    options = {key: settings[key] for key in ("look", "grain", "ink", "defects")}
    options |= {"frames": list(request.get("frames") or source.frames), "out": str(out / "frames")}
    truth = provider.put(source.folder, "truth")
    job = JobSpec(model.provider, model.model, (truth,), settings["prompt"], settings["seed"], options)
    check_job(job, model)
    parse_script(settings["defects"], source.names)
    _claim(out, identity_of(settings, source.digest), bool(request.get("force")))
    snapshot = provider.poll(provider.submit(job))
    provider.fetch(snapshot.outputs[0], out / "frames")
    manifest = _manifest(request, settings, source, out)
    manifest = manifest.with_files(
        out, [out / PATTERN.format(frame=frame) for frame in manifest.data["frames"]]
    )
    manifest = replace(manifest, made={**manifest.made, "seconds": round(time.monotonic() - started, 2)})
    manifest.save(out / "take.json")
    ctx.progress(1.0, f"Take {manifest.data['take']} is ready")
    drawn = list(snapshot.raw.get("frames", ()))
    return {"take": manifest.data["take"], "folder": str(out), "drawn": drawn, "digest": manifest.digest}


def take_settings(request: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that decide what a take looks like, as its manifest records them."""
    return {
        "provider": str(request.get("provider") or "rehearsal"),
        "model": str(request.get("model") or MODEL),
        "look": str(request.get("look") or "INK_WASH"),
        "seed": int(request.get("seed") or 0),
        "grain": round(float(request.get("grain", 0.5)), 4),
        "ink": round(float(request.get("ink", 0.5)), 4),
        "prompt": str(request.get("prompt") or ""),
        "defects": list(request.get("defects") or ()),
    }


def identity_of(settings: Mapping[str, Any], truth_digest: str) -> str:
    """Names a take by what it is made from: the same request finds the same take again."""
    return digest_json([settings, truth_digest])


def _claim(out: Path, identity: str, force: bool) -> None:
    """Makes ``out`` belong to this request: frames of another request are removed, those of the same kept."""
    marker = out / "request.json"
    if not force and marker.exists() and read_json(marker).get("identity") == identity:
        return
    try:
        if (out / "frames").exists():
            shutil.rmtree(out / "frames")
        (out / "take.json").unlink(missing_ok=True)
    except OSError as error:
        raise StorageError("The old take can't be removed", where=str(out)) from error
    write_json(marker, {"identity": identity})


def _manifest(
    request: Mapping[str, Any], settings: dict[str, Any], source: GroundTruth, out: Path
) -> Manifest:
    frames = [frame for frame in source.frames if (out / PATTERN.format(frame=frame)).exists()]
    data = {
        "take": str(request.get("take") or out.name),
        "size": list(source.size),
        "fps": list(source.fps),
        "frames": frames,
        "frame_map": [[frame, frame] for frame in frames],
        "pattern": PATTERN,
        "prompt_hash": digest_json(settings["prompt"]),
        "parent": None,
        "spans": [],
        **{key: settings[key] for key in ("provider", "model", "look", "seed")},
    }
    if request.get("contract"):
        data["contract"] = dict(request["contract"])
    return Manifest(SCHEMA, settings, {"truth": source.digest}, data)
