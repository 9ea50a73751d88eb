# SPDX-License-Identifier: GPL-3.0-or-later
"""From control clips to a request for a model, and from its result to a take."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..pipeline.context import Context
from ..pipeline.errors import InputError, ProviderRejected
from ..pipeline.footage import take_from_footage
from ..pipeline.jobs import JobStore, Step
from ..pipeline.manifest import Manifest
from ..pipeline.placing import Clip
from ..pipeline.store import digest_json, hash_file, write_json
from ..pipeline.truth import GroundTruth
from .descriptor import Descriptor
from .references import words

CLIPS = "holdfast/control"
ROLE = {
    "beauty": "source_video", "depth": "control_video", "edges": "control_video", "normals": "control_video",
    "matte": "mask_video", "first": "first", "last": "last", "keys": "keyframe",
}  # fmt: skip
"""What each kind of clip is to a model."""


def request_of(
    model: Descriptor, folder: Path, clips: Manifest, prompt: str, seed: int | None, options: Mapping[str, Any],
    references: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:  # fmt: skip
    """What a job is asked: the clips in ``folder`` that the model takes, each with its hash, then the person's
    ``references`` (see references.inputs_of), which go before a clip of the same role. One control clip at most: the first
    that was made. Raises ProviderRejected if one that the model must have is not among them."""
    inputs: list[dict[str, Any]] = []
    told = dict(options)
    count = dict(Counter(str(each["role"]) for each in references))
    given = set(count)
    for record in clips.data["clips"].values():
        role = ROLE.get(str(record["kind"]), "")
        limit = model.inputs.get(role)
        if limit is None or role in given:
            continue
        for path in _files(folder, record):
            if count.get(role, 0) >= limit.count[1]:
                break
            count[role] = count.get(role, 0) + 1
            inputs.append({"path": str(path), "role": role, "sha256": hash_file(path)})
        if role == "control_video" and "control" in model.options:
            told.setdefault("control", record["kind"])
    for role, limit in model.inputs.items():
        if count.get(role, 0) < limit.count[0]:
            kinds = " or ".join(kind for kind, its in ROLE.items() if its == role)
            clip = "Make that control clip (below Ground Truth), then send it again."
            todo = clip if kinds else "Add it to the references (below Style)."
            raise ProviderRejected(f"{model.label} needs {kinds or words(role, limit.count[0])}", todo=todo)
    inputs += [dict(each) for each in references]
    seed = seed if model.seed.strength != "none" else None
    return {"inputs": inputs, "prompt": prompt, "seed": seed, "options": told}


def _files(folder: Path, record: Mapping[str, Any]) -> list[Path]:
    """The film of a clip, or its pictures."""
    if "{" not in str(record["file"]):
        return [folder / str(record["file"])]
    return [folder / str(record["pictures"]).format(index=index) for index in _indexes(record)]


def _indexes(record: Mapping[str, Any]) -> list[int]:
    at = record.get("at")
    return [int(each["index"]) for each in at] if at else list(range(1, int(record["count"]) + 1))


def digest_of(
    model: Descriptor, request: Mapping[str, Any], settings: Mapping[str, Any] | None = None
) -> str:
    """Equal for requests of the same inputs, model, seed, prompt, options, and those ``settings`` of the service that
    another result comes of."""
    inputs = [[entry["role"], entry.get("sha256") or entry["value"]] for entry in request["inputs"]]
    more = [dict(settings)] if settings else []
    return digest_json([model.id, inputs, request["prompt"], request["seed"], request["options"], *more])


def price_of(model: Descriptor, clips: Manifest, options: Mapping[str, Any]) -> int:
    """The expected price in micros of what these clips ask for."""
    count, (up, down) = int(clips.data["count"]), clips.data["fps"]
    return model.price.estimate_micros(count * down / up, frames=count, options=options)


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task: makes a take of a job that is ready. ``request``: project, job, truth, out, take, and clips (folder),
    settings, facts. Once: a job that is applied keeps its take. Raises InputError, StorageError."""
    store = JobStore(Path(request["project"]))
    job = store.get(str(request["job"]))
    truth, out = GroundTruth.open(Path(request["truth"])), Path(request["out"])
    films = store.results(job)
    if job.step not in (Step.READY, Step.APPLIED) or not films:
        raise InputError(f"The job is {job.step}: {job.says or 'there is no result yet'}", where=job.id)
    ctx.progress(0.1, "Reading what came back")
    clips = Manifest.load(Path(request["clips"]) / "controls.json", CLIPS)
    facts = {
        "provider": job.provider,
        "model": job.model,
        "job": job.id,
        "cost_micros": job.counts,
        **request["facts"],
    }
    take = take_from_footage(
        films[0],
        truth,
        out,
        str(request["take"]),
        clip=Clip.of(clips.data),
        settings=request["settings"],
        **facts,
    )
    if request.get("identity"):
        write_json(out / "request.json", {"identity": request["identity"]})
    if job.step is Step.READY:
        store.move(job.id, Step.APPLIED)
    ctx.progress(1.0, f"Take {take.name} is ready")
    return {"take": take.name, "folder": str(out), "digest": take.manifest.digest}
