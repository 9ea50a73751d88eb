# SPDX-License-Identifier: GPL-3.0-or-later
"""The models that clips can be made for, as a panel may ask for them: read at once, looked up while drawing."""

from ..clients.descriptor import Descriptor
from ..clients.registry import steered, steered_model
from ..pipeline.errors import HoldfastError
from ..pipeline.project import clip_folder
from . import locate

_read: dict[str, Descriptor] = {}


def refresh() -> dict[str, Descriptor]:
    """Reads the catalogue and the project's own entries. Raises InputError for an entry that can't be read."""
    try:
        extra = locate.project().catalogue()
    except HoldfastError:
        extra = []  # never saved: there is no project yet
    _read.clear()
    _read.update(steered(extra))
    return dict(_read)


def names() -> list[str]:
    """The ids of the models; none if an entry can't be read, which the stage says."""
    try:
        return list(_read or refresh())
    except HoldfastError:
        return []


def known(name: str) -> Descriptor | None:
    """The model as it was read last; None if there is none of this id."""
    return _read.get(name)


def chosen(name: str) -> Descriptor:
    """The model that ``name`` means, read now. Raises UsageError with the choice, InputError."""
    return steered_model(name, locate.project().catalogue())


def folder_name(model: Descriptor) -> str:
    """The name of the folder that the clips for a model are in."""
    return clip_folder(model.provider, model.model)


__all__ = ["Descriptor", "chosen", "folder_name", "known", "names", "refresh"]
