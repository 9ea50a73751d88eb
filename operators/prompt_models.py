# SPDX-License-Identifier: GPL-3.0-or-later
"""The models that take a prompt, as a panel may ask for them, and how each takes it."""

from ..clients.descriptor import Descriptor
from ..clients.prompting import fields_of
from ..clients.registry import catalogue
from ..pipeline.errors import HoldfastError, UsageError
from ..pipeline.prompts.fields import Fields
from . import locate

SILENT = {
    "upscale", "depth", "segment", "rig", "remesh", "image_to_mesh", "sketch_to_mesh", "performance", "motion_capture", "plan",
}  # fmt: skip
"""Modes that take no prompt."""


def _all() -> dict[str, Descriptor]:
    try:
        extra = tuple(locate.project().catalogue())
    except HoldfastError:
        extra = ()  # never saved: there is no project yet
    return {name: model for name, model in sorted(catalogue(extra).items()) if set(model.modes) - SILENT}


def names() -> list[str]:
    """The ids of the models; none if an entry can't be read."""
    try:
        return list(_all())
    except HoldfastError:
        return []


def fields(name: str) -> Fields:
    """How the model takes its prompt: by its id, or the only one whose id or label holds ``name``. Raises UsageError with
    the choice, InputError."""
    models = _all()
    if name in models:
        return fields_of(models[name])
    wanted = name.casefold()
    found = [one for one in models.values() if wanted and wanted in f"{one.id} {one.label}".casefold()]
    if len(found) == 1:
        return fields_of(found[0])
    choice = ", ".join(one.id for one in found or models.values())
    says = f"{name!r} may be several models" if found else f"There is no model {name!r} that takes a prompt"
    raise UsageError(says, todo=f"Choose one of {choice}.")
