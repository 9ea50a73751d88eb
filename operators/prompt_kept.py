# SPDX-License-Identifier: GPL-3.0-or-later
"""The saved versions of a scene's prompt contract, and the prompt that Style takes from the newest."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import bpy

from ..clients.descriptor import Descriptor
from ..clients.prompting import fields_of
from ..clients.references import PICTURE, pictures_of
from ..pipeline.errors import HoldfastError
from ..pipeline.prompts import versions
from ..pipeline.prompts.contract import Reference
from ..pipeline.prompts.difference import difference
from ..pipeline.prompts.render import render
from ..properties_prompt import REHEARSAL, contract_of, look_of
from . import locate, prompt_models

NEGATIVE = "negative"
"""Name of the option that takes a negative prompt."""
MOST_VERSIONS = 30
"""That a history lists."""


def root_of_references() -> Path | None:
    """The folder that references are relative to: that of the .blend, if it was saved."""
    return Path(bpy.data.filepath).parent if bpy.data.filepath else None


def folder(scene: bpy.types.Scene) -> Path:
    """Where the versions of the look are. Raises InputError, UsageError."""
    return versions.folder_of(locate.shot_of(scene), look_of(scene))


def latest(scene: bpy.types.Scene) -> versions.Version | None:
    """The newest saved version of the look; None if there is none, or no place for one yet."""
    try:
        return versions.latest(folder(scene))
    except HoldfastError:
        return None


def history(scene: bpy.types.Scene) -> list[tuple[versions.Version, list[str]]]:
    """(version, what it changed), the newest first. Raises InputError, UsageError."""
    found: list[versions.Version] = []
    for version in versions.history(folder(scene)):
        found.append(version)
        if len(found) > MOST_VERSIONS:
            break
    before = [each.contract for each in found[1:]] + [None]
    pairs = zip(found[:MOST_VERSIONS], before, strict=False)
    return [(one, difference(other, one.contract) if other is not None else []) for one, other in pairs]


def save(scene: bpy.types.Scene) -> versions.Version:
    """Keeps the contract as it is as the next version. Raises InputError, UsageError, StorageError."""
    return versions.save(locate.shot_of(scene), contract_of(scene), root_of_references())


@dataclass(frozen=True)
class Sent:
    """What Style sends: the prompt, the negative prompt, the version that they are of (none: the plain field), and the
    pictures and films that go with it."""

    prompt: str
    negative: str = ""
    source: Mapping[str, object] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()


def style_text(scene: bpy.types.Scene, model: Descriptor | None = None) -> Sent:
    """Of the newest version if there is one, else the plain field; for a remote model or the rehearsal. References are
    the contract's, or those that are listed while there is none.

    A negative prompt goes only where the model has an option of that name; else it is said as what stays. Raises
    InputError if the newest version is damaged: an older one is not what was meant.
    """
    plain = Sent(str(scene.holdfast.style.prompt), references=contract_of(scene).references)
    try:
        where = folder(scene)
    except HoldfastError:
        return plain  # never saved: no version can be there yet
    kept = versions.newest(where)
    if kept is None:
        return plain
    fields = prompt_models.fields(REHEARSAL) if model is None else fields_of(model)
    said = kept.contract if model is None else pictures_of(kept.contract, model)
    fields = replace(
        fields,
        cite=fields.cite if model and PICTURE in model.inputs else "",
        negative=fields.negative if model and NEGATIVE in model.options else "",
    )
    found = render(said, fields)
    source = {"look": kept.contract.look, "version": kept.contract.version, "digest": kept.digest}
    return Sent(found.prompt, found.negative, source, kept.contract.references)
