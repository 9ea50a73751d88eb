# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker task of Ideate: pictures that came back are put on the board, found by the digests of what was asked."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from ..pipeline.context import Context
from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.jobs import Job, JobStore, Step
from ..pipeline.manifest import Manifest
from ..pipeline.sniff import PICTURES, kind_of_file
from ..pipeline.store import digest_json, hash_file, write_json, writing
from .idea_board import FOLDER, Idea, Slot, read_board, slots_of
from .idea_pictures import upright
from .idea_reference import match_all

THUMB_PX = 256
SUFFIX = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """``request``: project and concepts (folders), optional reference (its reference.json). Copies every result that is here and not on the board yet; run again
    after a kill it goes on where it was. Returns {new: names, problems: sentences}. Raises StorageError."""
    store, concepts = JobStore(Path(request["project"])), Path(request["concepts"])
    board, new, problems = read_board(concepts), [], []
    for made in board.rounds:
        waiting: dict[str, list[Slot]] = {}
        for slot in slots_of(made):
            if slot.name not in board.ideas:
                waiting.setdefault(slot.digest, []).append(slot)
        for digest, slots in waiting.items():
            ctx.cancel.check()
            job = store.same(digest)
            if job is None:
                continue
            files = store.results(job)
            for slot in slots:
                try:
                    new += _put(made, slot, job, files, concepts)
                except HoldfastError as error:
                    problems.append(f"{slot.name}: {error}")
            if job.step is Step.READY:
                store.move(job.id, Step.APPLIED)
    reference = Path(str(request.get("reference") or ""))
    if new and reference.is_file():
        match_all(concepts, reference, ctx)
    ctx.progress(1.0, f"{len(new)} new pictures")
    return {"new": new, "problems": problems}


def _put(made: Manifest, slot: Slot, job: Job, files: list[Path], concepts: Path) -> list[str]:
    """One picture onto the board: the picture first, then its thumbnail, then the record that names them."""
    if slot.place >= len(files):
        raise InputError(f"{job.model} sent {len(files)} pictures, not {slot.place + 1}", where=job.id)
    source = files[slot.place]
    kind = kind_of_file(source)
    if kind not in PICTURES or kind not in SUFFIX:
        raise InputError("What came back is no picture", where=str(source))
    sha256, folder = hash_file(source), concepts / FOLDER
    picture = folder / f"{slot.name}-{sha256[:8]}{SUFFIX[kind]}"
    with writing(picture) as part:
        shutil.copyfile(source, part)
    thumb = folder / "thumbs" / f"{slot.name}-{sha256[:8]}.png"
    size = thumbnail(picture, thumb)
    prompt = str(made.data["prompt"])
    told = job.cost >= 0 or not job.billed
    idea = Idea(
        name=slot.name, picture=_under(picture, concepts), thumb=_under(thumb, concepts), sha256=sha256, size=size,
        how=str(made.data["how"]), prompt=prompt, prompt_hash=digest_json(prompt)[:16], provider=job.provider,
        model=job.model, seed=slot.seed, cost=share_of(job, len(files)), currency=job.currency, cost_told=told, job=job.id,
        parents=tuple(made.data.get("parents", ())), words=str(made.data.get("words", "")),
    )  # fmt: skip
    write_json(folder / f"{slot.name}.json", idea.to_json())
    return [slot.name]


def _under(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def share_of(job: Job, results: int) -> int:
    """Micros of one picture of a job."""
    return job.counts // max(1, results)


def thumbnail(picture: Path, thumb: Path, side: int = THUMB_PX) -> tuple[int, int]:
    """A square thumbnail, the picture whole on a clear ground; returns the picture's own size. Raises InputError."""
    whole = upright(picture)
    size = whole.size
    whole.thumbnail((side, side), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    square.paste(whole, ((side - whole.width) // 2, (side - whole.height) // 2))
    with writing(thumb) as part:
        square.save(part, "PNG")
    return size


def locked_data(concepts: Path, name: str) -> Mapping[str, Any]:
    """What the concepts say of a locked idea: its picture, its record, and the whole tree. Raises InputError."""
    board = read_board(concepts)
    if name not in board.ideas:
        known = ", ".join(list(board.ideas)[:12]) or "none yet"
        raise InputError(f"There is no idea {name!r}", todo=f"Lock one of the board: {known}.")
    idea = board.ideas[name]
    return {"idea": idea.to_json(), "locked_picture": idea.picture, "ideas": board.tree()}
