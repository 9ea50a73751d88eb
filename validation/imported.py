# SPDX-License-Identifier: GPL-3.0-or-later
"""A film made anywhere becomes a take: which frames of the shot it shows, and where, is found and put before a person."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..pipeline.context import Context
from ..pipeline.errors import InputError
from ..pipeline.footage import take_from_footage
from ..pipeline.manifest import Manifest
from ..pipeline.take import SCHEMA, TakeFolder
from ..pipeline.truth import GroundTruth
from .conform import conform
from .conformed import Conformed, claimed
from .limits import load_limits

SAID, FOUND = "said", "found"


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task. ``request``: truth, footage (film or folder of pictures), out (take folder), take (name); optional
    provider, model, seed, look, prompt_hash. The take's own map is what its rate says until a person confirms.

    Returns {take, folder, digest, says, differs}; raises InputError, StorageError, Cancelled.
    """
    truth, out = GroundTruth.open(Path(request["truth"])), Path(request["out"])
    names = ("provider", "model", "seed", "look", "prompt_hash")
    facts = {name: request[name] for name in names if request.get(name) not in (None, "")}
    take = take_from_footage(Path(request["footage"]), truth, out, str(request["take"]), **facts)
    said = claimed(truth, take)
    conformed = conform(truth, take, load_limits(), ctx.part(0.3, 1.0))
    says = describe(said, conformed)
    record = {
        SAID: [list(pair) for pair in said], FOUND: [list(pair) for pair in conformed.pairs], "says": says,
        "fit": conformed.fit_json(), "notes": list(conformed.notes), "chosen": "",
    }  # fmt: skip
    manifest = replace(take.manifest, data={**take.manifest.data, "import": record})
    manifest.save(out / "take.json")
    differs = record[SAID] != record[FOUND]
    return {
        "take": take.name,
        "folder": str(out),
        "digest": manifest.digest,
        "says": says,
        "differs": differs,
    }


def describe(said: list[tuple[int, int]], conformed: Conformed) -> list[str]:
    """What was found, a sentence each: time, framing, levels, doubts."""
    found = conformed.pairs
    moved = [now[0] - before[0] for before, now in zip(said, found, strict=False)]
    usual = round(float(np.median(moved))) if moved else 0
    words = [f"{len(found)} frames, as its rate says: {found[0][0]} to {found[-1][0]}."]
    if usual and sum(move == usual for move in moved) > 0.7 * len(moved):
        words = [
            f"It shows everything {abs(usual)} frames {'later' if usual < 0 else 'earlier'} than its rate says."
        ]
    elif any(moved):
        words = [f"It shows other frames than its rate says, by up to {max(map(abs, moved))}."]
    known = [
        fault
        for fault in conformed.faults
        if fault.kind != "frame_map" or words[0].startswith(str(len(found)))
    ]
    return [
        *words,
        *(f"{fault.says[:1].upper()}{fault.says[1:].rstrip('.')}." for fault in known),
        *conformed.notes,
    ]


def choose(folder: Path, which: str) -> TakeFolder:
    """The person's word on the frame map: ``said`` by its rate or ``found`` in the pictures. Raises InputError."""
    manifest = Manifest.load(folder / "take.json", SCHEMA)
    record = manifest.data.get("import")
    if not record or which not in (SAID, FOUND):
        raise InputError("This take was not imported", where=str(folder))
    data = {**manifest.data, "frame_map": record[which], "import": {**record, "chosen": which}}
    replace(manifest, data=data).save(folder / "take.json")
    return TakeFolder.open(folder)
