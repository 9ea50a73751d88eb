# SPDX-License-Identifier: GPL-3.0-or-later
"""The chosen remote model of Style, for a panel that draws it."""

from collections.abc import Iterable

from ..clients.descriptor import Descriptor
from ..clients.references import role_of, says
from ..clients.registry import catalogue
from ..pipeline.prompts.contract import Reference
from . import job_cache


def known(provider: str) -> Descriptor | None:
    """The remote model that ``provider`` names, without reading a file: as the timer of jobs read the catalogue last.
    None for the rehearsal, and for a name that is none, which the stage says."""
    model = (job_cache.services.catalogue.models or catalogue()).get(provider)
    return model if model is not None and model.adapter and model.network else None


def takes(model: Descriptor) -> str:
    """What a model takes beside the clip, in words; empty for nothing."""
    return says(model)


def roles(model: Descriptor, listed: Iterable[Reference]) -> list[str]:
    """What each reference is to the model; empty for one that is not sent."""
    return [role_of(model, each) for each in listed]
