# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may draw the variants, and who may move the locked picture."""

from collections.abc import Callable

from ..clients.descriptor import Descriptor
from ..clients.idea_ask import makes_pictures
from ..clients.registry import catalogue
from ..pipeline.errors import UsageError
from ..properties_ideate import OFFLINE
from .remote_jobs import own_entries


def _all() -> list[Descriptor]:
    return sorted(catalogue(own_entries()).values(), key=lambda model: model.id)


def names() -> list[str]:
    """What may be chosen as the provider of Ideate."""
    return [OFFLINE, *(model.id for model in _all() if makes_pictures(model))]


def makes_films(model: Descriptor) -> bool:
    """Whether it makes a film of one picture and can be asked from here."""
    return (
        bool(model.adapter) and model.network and "image_to_video" in model.modes and "first" in model.inputs
    )


def film_names() -> list[str]:
    """What may be chosen for the moving board."""
    return [OFFLINE, *(model.id for model in _all() if makes_films(model))]


def chosen(provider: str) -> Descriptor | None:
    """The remote model that ``provider`` names; None for the offline looks. Raises UsageError for another name."""
    return _chosen(provider, makes_pictures, "Ideate", names)


def chosen_film(provider: str) -> Descriptor | None:
    """The remote model of the moving board; None for the push-in. Raises UsageError for another name."""
    return _chosen(provider, makes_films, "a moving board", film_names)


def _chosen(
    provider: str, can: Callable[[Descriptor], bool], what: str, offered: Callable[[], list[str]]
) -> Descriptor | None:
    if provider in ("", OFFLINE):
        return None
    model = catalogue(own_entries()).get(provider)
    if model is None or not can(model):
        todo = f"Choose one of {', '.join(offered())}."
        raise UsageError(f"There is no provider {provider!r} for {what}", todo=todo)
    return model
