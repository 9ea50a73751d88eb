# SPDX-License-Identifier: GPL-3.0-or-later
"""The chosen remote model of Style, for a panel that draws it."""

from ..clients.descriptor import Descriptor
from ..clients.registry import catalogue
from . import job_cache


def known(provider: str) -> Descriptor | None:
    """The remote model that ``provider`` names, without reading a file: as the timer of jobs read the catalogue last.
    None for the rehearsal, and for a name that is none, which the stage says."""
    model = (job_cache.services.catalogue.models or catalogue()).get(provider)
    return model if model is not None and model.adapter and model.network else None
