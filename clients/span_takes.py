# SPDX-License-Identifier: GPL-3.0-or-later
"""A span of a take that a remote model draws again: the frames that it is sent, what it repaints, what comes back."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..pipeline.context import Context
from ..pipeline.controls import Controls
from ..pipeline.encode import Clip, Encoders, encode
from ..pipeline.errors import InputError
from ..pipeline.fitting import Fit, Rate, fit_rate, fitted_count, natural_count
from ..pipeline.footage import take_from_footage
from ..pipeline.jobs import JobStore, Step
from ..pipeline.manifest import Manifest
from ..pipeline.pictures import U8, read_picture, write_picture
from ..pipeline.placing import Clip as Sent
from ..pipeline.placing import picture_path
from ..pipeline.store import hash_file
from ..pipeline.take import SCHEMA, TakeFolder
from ..pipeline.truth import GroundTruth
from .takes import CLIPS

AROUND = 40 / 640
"""Share of the width around the failing parts that is repainted: a fault spreads, and Repair lays in as much."""
CRF = 12
MASK, SOURCE = "mask", "take"
REPAINT, REPAINTED = "repaint.json", "holdfast/repaint"


def span_frames(
    wanted: Sequence[int], known: Sequence[int], fps: Rate, controls: Controls, model: str
) -> list[int]:
    """The source frames to send so that ``wanted`` are drawn: more of ``known`` on both sides, evenly, until the clip has
    a count that the model allows without showing a frame twice, as far as there are some. Raises InputError."""
    have = [frame for frame in known if wanted[0] <= frame <= wanted[-1]]
    if not have:
        raise InputError("The ground truth has none of these frames", where=f"{wanted[0]}-{wanted[-1]}")
    first, last = known.index(have[0]), known.index(have[-1])
    clip = fit_rate(fps, controls.rate)
    for turn in range(2 * len(known)):
        natural = natural_count(last - first + 1, fps, clip)
        if natural >= fitted_count(natural, clip, controls.count, model):
            break
        if (turn % 2 == 0 and first > 0) or last == len(known) - 1:
            first = max(0, first - 1)
        else:
            last += 1
    return list(known[first : last + 1])


def clip_of(frames: int, fps: Rate, controls: Controls, model: str) -> tuple[int, Rate]:
    """Frames and rate of the clip of a span of ``frames`` source frames. Raises InputError if no count fits."""
    clip = fit_rate(fps, controls.rate)
    return fitted_count(natural_count(frames, fps, clip), clip, controls.count, model), clip


def repaint(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task: for a model that repaints what is masked: the take with the render where it is at fault as the film,
    and where to paint as the mask. ``request``: parent (take folder), clips (folder with the beauty and a matte of the
    failing parts), out, encoders. Returns
    {source_video, mask_video: {path, role, sha256}}. Raises InputError, StorageError, Cancelled."""
    parent, clips, out = (
        TakeFolder.open(Path(request["parent"])),
        Path(request["clips"]),
        Path(request["out"]),
    )
    made = Manifest.load(clips / "controls.json", CLIPS)
    told = {"parent": parent.manifest.digest, "clips": made.digest}
    kept = Manifest.find(out / REPAINT, REPAINTED)
    if (
        kept is not None
        and dict(kept.inputs) == told
        and all(Path(e["path"]).exists() for e in kept.data.values())
    ):
        return dict(
            kept.data
        )  # encoded anew its bytes may differ, and what was paid for would not be found again
    fit, shown = Fit.of(made.data["fit"]), [int(frame) for frame in made.data["frame_map"]]
    beauty, matte = (_record(made, kind) for kind in ("beauty", "matte"))
    reach = max(1, round(AROUND * fit.clip[0]))
    grow = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    for index, frame in enumerate(ctx.part(0.0, 0.6).each(shown, "Preparing frame"), 1):
        near = min(parent.frames, key=lambda each: abs(each - frame))
        drawn = read_picture(clips / str(matte["pictures"]).format(index=index))
        mask = np.asarray(cv2.dilate(np.ascontiguousarray(drawn), grow), np.uint8)
        mask = mask if mask.ndim == 3 else np.repeat(mask[..., None], 3, 2)
        render = read_picture(clips / str(beauty["pictures"]).format(index=index))
        whole = np.where(mask > 127, render, fitted(parent.frame(near), fit))
        write_picture(out / SOURCE / f"{index:04d}.png", whole)
        write_picture(out / MASK / f"{index:04d}.png", mask)
    rate = (int(made.data["fps"][0]), int(made.data["fps"][1]))
    inputs = {}
    for name, role, exact in ((SOURCE, "source_video", False), (MASK, "mask_video", True)):
        film = out / f"{name}.{'mp4' if name == SOURCE or matte['codec'] == 'h264' else 'mkv'}"
        codec = "h264" if name == SOURCE else str(matte["codec"])
        clip = Clip(str(out / name), len(shown), fit.clip, rate, CRF, codec, exact)
        encode(clip, film, Encoders(**request["encoders"]), ctx.part(0.6, 1.0))
        inputs[role] = {"path": str(film), "role": role, "sha256": hash_file(film)}
    Manifest(REPAINTED, {}, told, inputs).save(out / REPAINT)
    return inputs


def _record(clips: Manifest, kind: str) -> dict[str, Any]:
    """The clip of this kind, as the manifest lists it."""
    return next(dict(record) for record in clips.data["clips"].values() if record["kind"] == kind)


def fitted(picture: U8, fit: Fit) -> U8:
    """A picture (H, W, 3) of the shot as a clip holds it; what is padded repeats the border. A picture of another size
    than the shot is brought to it first."""
    if (picture.shape[1], picture.shape[0]) != fit.source:
        picture = np.asarray(cv2.resize(picture, fit.source, interpolation=cv2.INTER_AREA), np.uint8)
    left, top, right, bottom = fit.crop
    inner = picture[top : picture.shape[0] - bottom, left : picture.shape[1] - right]
    inner = np.asarray(cv2.resize(inner, fit.inside, interpolation=cv2.INTER_AREA), np.uint8)
    left, top, right, bottom = fit.pad
    return np.pad(inner, ((top, bottom), (left, right), (0, 0)), mode="edge")


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task: the span as a take of its own, with the shot's frame numbers. ``request``: project, job, truth, clips
    (folder), out (folder), frames (wanted), size (of the take to mend), facts. A frame that did not come back is left out.
    What was read before of the same job is kept. Returns {job, cost_micros, frames}. Raises InputError, StorageError."""
    store, out = JobStore(Path(request["project"])), Path(request["out"])
    job = store.get(str(request["job"]))
    films = store.results(job)
    if job.step not in (Step.READY, Step.APPLIED) or not films:
        raise InputError(f"The job is {job.step}: {job.says or 'there is no result yet'}", where=job.id)
    found = Manifest.find(out / "take.json", SCHEMA)
    if found is None or found.data.get("job") != job.id:
        ctx.progress(0.1, "Reading what came back")
        truth = GroundTruth.open(Path(request["truth"]))
        clips = Manifest.load(Path(request["clips"]) / "controls.json", CLIPS)
        raw = take_from_footage(films[0], truth, out / "raw", "raw", clip=Sent.of(clips.data))
        found = _picked(raw, truth, clips, request, job.id)
    if job.step is Step.READY:
        store.move(job.id, Step.APPLIED)
    return {"job": job.id, "cost_micros": job.counts, "frames": list(found.data["frames"])}


def _picked(
    raw: TakeFolder, truth: GroundTruth, clips: Manifest, request: Mapping[str, Any], job: str
) -> Manifest:
    """The frames that are wanted of what came back, each the one nearest in time, if one is near."""
    out, size = Path(request["out"]), (int(request["size"][0]), int(request["size"][1]))
    apart = Fraction(*truth.fps) / Fraction(*clips.data["fps"])
    shows = {int(number): int(source) for source, number in raw.manifest.data["frame_map"]}
    numbers, files = [], []
    for frame in (int(each) for each in request["frames"]):
        near = min(shows, key=lambda number: abs(shows[number] - frame))
        if abs(shows[near] - frame) > (max(apart, Fraction(1)) - 1):
            continue
        picture = raw.frame(near)
        if (picture.shape[1], picture.shape[0]) != size:
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        numbers.append(frame)
        files.append(picture_path(out, frame))
        write_picture(files[-1], picture)
    if not numbers:
        todo = "Switch the action off, or choose another way for it."
        raise InputError("None of the frames that were asked for came back", where=out.name, todo=todo)
    data = {
        "take": out.name, "size": list(size), "fps": list(truth.fps), "frames": numbers, "job": job,
        "frame_map": [[frame, frame] for frame in numbers], "pattern": "frames/{frame:04d}.png", **request["facts"],
    }  # fmt: skip
    manifest = Manifest(SCHEMA, {}, {"truth": truth.digest}, data).with_files(out, files)
    manifest.save(out / "take.json")
    return manifest
