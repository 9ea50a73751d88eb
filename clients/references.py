# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures and films that go with a prompt, as inputs of a model: what each is to it, how many, how large."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..pipeline.errors import InputError, ProviderRejected
from ..pipeline.prompts.contract import PromptContract, Reference
from ..pipeline.prompts.versions import place
from ..pipeline.store import hash_input
from .descriptor import Descriptor, InputLimit

PICTURE, FILM = "reference", "reference_video"
BY_NAME = ("first", "last", "keyframe", "picture", "audio", "mesh", "sketch", FILM, PICTURE)
"""Roles that the first word of a reference may name; any other word is what a picture is a reference of."""
FILMS = (".mp4", ".mov", ".webm", ".mkv", ".avi", ".m4v")


def roles_of(model: Descriptor) -> dict[str, InputLimit]:
    """The inputs of a model that a person may fill with files."""
    return {role: limit for role, limit in model.inputs.items() if role in BY_NAME}


def role_of(model: Descriptor, reference: Reference) -> str:
    """What a reference is to the model: what it says ("first"), a film, a picture; empty if the model takes none."""
    word = reference.role.casefold().replace(" ", "_")
    film = Path(reference.path).suffix.lower() in FILMS
    wanted = word if word in BY_NAME[:-2] else FILM if film else PICTURE
    return wanted if wanted in model.inputs else ""


def pictures_of(contract: PromptContract, model: Descriptor) -> PromptContract:
    """The contract with those references alone that the text may name: the pictures, as they are sent."""
    kept = tuple(each for each in contract.references if role_of(model, each) == PICTURE)
    return replace(contract, references=kept)


def inputs_of(model: Descriptor, references: Sequence[Reference], root: Path | None) -> list[dict[str, Any]]:
    """An input of a request for every reference that the model takes, with its hash; ``root``: what paths are relative to.

    Raises InputError for a file that is not there, ProviderRejected for too many or one that is too large.
    """
    found: list[dict[str, Any]] = []
    for each in references:
        role = role_of(model, each)
        if not role or not each.path:
            continue
        path = place(each.path, root)
        if not path.exists():
            raise InputError(
                f"The reference {path.name} is not there",
                where=str(path),
                todo="Bring it back, or take it out.",
            )
        limit = model.inputs[role]
        if path.is_file() and path.stat().st_size > limit.max_bytes > 0:
            size = f"{limit.max_bytes / 1e6:.0f} MB"
            raise ProviderRejected(f"{path.name} is larger than {model.label} takes ({size})")
        found.append({"path": str(path), "role": role, "sha256": hash_input(path)})
    for role, count in Counter(str(entry["role"]) for entry in found).items():
        most = model.inputs[role].count[1]
        if count > most:
            raise ProviderRejected(
                f"{model.label} takes {most} {words(role, most)}, not {count}", todo="Take some out."
            )
    return found


def words(role: str, count: int = 2) -> str:
    """A role in words: "references", "first frame"."""
    said = {FILM: "reference film", "first": "first frame", "last": "last frame"}.get(role, role)
    return said if count == 1 or role == "audio" else f"{said}{'es' if role == 'mesh' else 's'}"


def says(model: Descriptor) -> str:
    """What a model takes beside the clip: "up to 4 references, 1 first"; empty for nothing."""
    parts = []
    for role, limit in sorted(roles_of(model).items(), key=lambda each: each[0] != PICTURE):
        least, most = limit.count
        if most:
            much = (
                f"{least} to {most}"
                if 0 < least < most
                else f"up to {most}"
                if not least and most > 1
                else f"{most}"
            )
            parts.append(f"{much} {words(role, most)}")
    return ", ".join(parts)
