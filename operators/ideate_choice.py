# SPDX-License-Identifier: GPL-3.0-or-later
"""The chosen remote model of Ideate, for a panel that draws it."""

from ..clients.descriptor import Descriptor
from ..clients.registry import catalogue
from ..properties_ideate import OFFLINE
from . import job_cache


def known(provider: str) -> Descriptor | None:
    """The remote model that ``provider`` names, without reading a file, for a panel that draws it."""
    if provider in ("", OFFLINE):
        return None
    model = (job_cache.services.catalogue.models or catalogue()).get(provider)
    return model if model is not None and model.adapter and model.network else None


def values_of(provider: str, option: str) -> list[str]:
    """The values that a model has for an option; none where it is free or not there."""
    model = known(provider)
    rule = model.options.get(option) if model is not None else None
    return [str(each) for each in rule] if isinstance(rule, list) else []
