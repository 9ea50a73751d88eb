# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of Assets as the scene has it: which models, what they are asked, how what they make comes in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy

from ..clients import options as texts
from ..clients.asset_jobs import MAIN, Form, makers, options_of, price_of, request_of, reserve_of
from ..clients.descriptor import Descriptor
from ..clients.registry import catalogue
from ..pipeline.errors import HoldfastError, UsageError
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from ..properties_assets import OFFLINE
from .asset_import import Wish
from .asset_read import safe_name
from .remote_jobs import Ask, own_entries

PURPOSE = "asset"
COMMON = ("topology", "polycount", "texture", "pbr", "symmetry")
"""Options that have a field of their own, since most models have them in some words."""
HIDDEN = (*COMMON, "format", "moderation", "save_pre_remeshed_model", "preview_render", "compress", "generate_parts",
          "workflow", "origin_at", "auto_size", "tpose", "pose_mode")  # fmt: skip
"""What the form decides: the result is one mesh at rest, and its place and size are made here."""


def names() -> list[str]:
    """What may be chosen as the provider of Assets."""
    return [OFFLINE, *(model.id for model in makers(catalogue(own_entries()).values()))]


def models_of(scene: bpy.types.Scene) -> list[Descriptor]:
    """The models that the form asks, the first one chosen first; empty for the offline one. Raises UsageError."""
    assets = scene.holdfast.assets
    if assets.provider in ("", OFFLINE):
        return []
    found = catalogue(own_entries())
    wanted = dict.fromkeys([assets.provider, *(row.name for row in assets.compare if row.name)])
    for name in wanted:
        model = found.get(name)
        if model is None or not makers([model]):
            todo = f"Choose one of {', '.join(names())}."
            raise UsageError(f"There is no provider {name!r} for meshes", todo=todo)
    return [found[name] for name in wanted]


def pictures_of(scene: bpy.types.Scene, concepts: Manifest | None, folder: Path) -> list[tuple[str, Path]]:
    """(view, file): the locked concept first, if it is wanted and there, then the form's own."""
    assets = scene.holdfast.assets
    locked = concepts.data.get("locked_picture") if concepts is not None and assets.use_concept else None
    found = [(MAIN, folder / str(locked))] if locked else []
    found += [(row.view, Path(bpy.path.abspath(row.path))) for row in assets.pictures if row.path]
    return found


def form_of(scene: bpy.types.Scene, pictures: Sequence[tuple[str, Path]], model: Descriptor) -> Form:
    """What the form asks of one of its models: its own options go to the first alone."""
    assets = scene.holdfast.assets
    told = common(assets)
    if model.id == assets.provider:
        told.update(texts.chosen(model, {row.name: row.value for row in assets.options}, lenient=True))
    seed = int(assets.seed) if assets.seed >= 0 else None
    low, high = model.seed.range
    if seed is not None and high:
        seed = low + (seed - low) % (high - low + 1)
    return Form(pictures, assets.text, seed, told, bool(assets.draft))


def common(assets: Any) -> dict[str, Any]:
    """The options with a field, those that a person set."""
    told: dict[str, Any] = {name: getattr(assets, name) == "YES" for name in ("texture", "pbr", "symmetry")
                            if getattr(assets, name) != "ANY"}  # fmt: skip
    if assets.topology != "ANY":
        told["topology"] = assets.topology
    if assets.polycount:
        told["polycount"] = int(assets.polycount)
    return told


def asks_of(scene: bpy.types.Scene, pictures: Sequence[tuple[str, Path]]) -> list[Ask]:
    """One request for each model. Raises UsageError, ProviderRejected, InputError for what the form lacks."""
    asks = []
    for model in models_of(scene):
        form = form_of(scene, pictures, model)
        request = request_of(model, form)
        asks.append(Ask(model, request, reserve_of(model, request["options"]), PURPOSE))
    if not asks:
        raise UsageError("The offline provider is not asked", todo="Choose a model in Provider.")
    return asks


def price_now(scene: bpy.types.Scene, model: Descriptor) -> int | None:
    """What one of the models costs with the form's options; None if nobody knows."""
    return price_of(model, options_of(model, form_of(scene, (), model)))


def settings_of(scene: bpy.types.Scene) -> dict[str, Any]:
    """What decides remote meshes: the models and what each is told, without its pictures. Raises UsageError."""
    assets = scene.holdfast.assets
    asked = {}
    for model in models_of(scene):
        form = form_of(scene, (), model)
        asked[model.id] = {
            "options": options_of(model, form),
            "seed": form.seed if model.seed.strength != "none" else None,
        }
    return {"models": asked, "text": assets.text.strip(), "name": assets.name}


def wish_of(scene: bpy.types.Scene, name: str = "") -> Wish:
    """How what is made or chosen comes into the scene."""
    assets = scene.holdfast.assets
    return Wish(
        safe_name(name or assets.name, "part"), assets.up, float(assets.size_mm), assets.measure, assets.origin,
        bool(assets.floor), bool(assets.mark),
    )  # fmt: skip


def concepts_of(shot: ShotFolder) -> Manifest | None:
    """The concepts, if they are there and whole."""
    from . import ideate

    try:
        return Manifest.find(shot.concepts / ideate.MANIFEST, ideate.SCHEMA)
    except HoldfastError:
        return None
