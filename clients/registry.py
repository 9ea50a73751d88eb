# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds models by what they do and connects to their providers. A new provider is one file and one TOML entry."""

from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from ..pipeline.context import Context
from ..pipeline.errors import UsageError
from .contract import Provider
from .descriptor import Catalogue, Descriptor, Service, load_catalogue, read_catalogue


def catalogue(extra: tuple[Path, ...] = ()) -> dict[str, Descriptor]:
    """The descriptors by id; read once, and again when one of the user's own files in ``extra`` changed."""
    return known(extra).models


def services(extra: tuple[Path, ...] = ()) -> dict[str, Service]:
    """The services by id, as the catalogue has them; read as ``catalogue`` is."""
    return known(extra).services


def known(extra: tuple[Path, ...] = ()) -> Catalogue:
    """Both."""
    return _read(tuple((path, path.stat().st_mtime_ns if path.exists() else 0) for path in extra))


@lru_cache(maxsize=4)
def _read(files: tuple[tuple[Path, int], ...]) -> Catalogue:
    return read_catalogue(path for path, _ in files)


def models(mode: str, extra: Iterable[Path] = ()) -> list[Descriptor]:
    """The models for a mode (video_restyle, sketch_to_mesh, ...) that can be called, offline ones first."""
    found = [entry for entry in catalogue(tuple(extra)).values() if mode in entry.modes and entry.adapter]
    return sorted(found, key=lambda entry: (entry.network, entry.id))


def model_of(provider: str, mode: str, model: str = "") -> Descriptor:
    """The named model of a provider, or its first for the mode. Raises UsageError if there is none."""
    for entry in models(mode):
        if entry.provider == provider and model in ("", entry.model):
            return entry
    known = ", ".join(sorted({entry.provider for entry in models(mode)})) or "none"
    raise UsageError(f"There is no provider {provider!r} for {mode}", todo=f"Available: {known}.")


def steered(extra: Iterable[Path] = ()) -> dict[str, Descriptor]:
    """The models that clips can be made for, by id; read anew, since a person may be editing ``extra``."""
    entries = load_catalogue(extra) if (extra := tuple(extra)) else catalogue()
    return {name: entry for name, entry in sorted(entries.items()) if entry.controls is not None}


def steered_model(name: str, extra: Iterable[Path] = ()) -> Descriptor:
    """The model with this id, or the only one whose id or label holds ``name``. Raises UsageError with the choice."""
    entries = steered(extra)
    if name in entries:
        return entries[name]
    wanted = name.casefold()
    found = [one for one in entries.values() if wanted and wanted in f"{one.id} {one.label}".casefold()]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.id for one in found or entries.values())
    says = f"{name!r} may be several models" if found else f"There is no model {name!r} to make clips for"
    raise UsageError(says, todo=f"Choose one of {names}.")


def connect(model: Descriptor, context: Context) -> Provider:
    """The provider's adapter, ready to work for a task. Raises UsageError if the entry names none."""
    if not model.adapter:
        raise UsageError(
            f"{model.label} has no adapter yet", todo="Send the clips by hand, or choose another model."
        )
    module, _, name = model.adapter.partition(":")
    try:
        adapter = getattr(import_module(f".{module}", __package__), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"The adapter {model.adapter!r} of {model.id} does not exist") from error
    provider: Provider = adapter(context)
    return provider
