# SPDX-License-Identifier: GPL-3.0-or-later
"""What panels draw of the form of Assets, without reading a file: models, prices, options, what stands in the way."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..clients import asset_jobs
from ..clients import options as texts
from ..clients.asset_jobs import (
    MAIN,
    Form,
    Refining,
    is_draft,
    makers,
    options_of,
    price_of,
    refine_request,
    refining,
)
from ..clients.descriptor import Descriptor
from ..clients.registry import catalogue
from ..pipeline.manifest import Manifest
from . import job_cache, style_options
from .asset_form import COMMON, HIDDEN, common, form_of


def _catalogue() -> dict[str, Descriptor]:
    """As the timer of jobs read it last."""
    return job_cache.services.catalogue.models or catalogue()


def known(provider: str) -> Descriptor | None:
    """The remote model of that id, without reading a file: for panels. None for the offline one and for no name."""
    model = _catalogue().get(provider)
    return model if model is not None and makers([model]) else None


def drawn_models(scene: bpy.types.Scene) -> list[Descriptor]:
    """The same for panels: without reading a file, without those that there are not."""
    assets = scene.holdfast.assets
    wanted = dict.fromkeys([assets.provider, *(row.name for row in assets.compare if row.name)])
    return [model for model in map(known, wanted) if model is not None]


def prices(scene: bpy.types.Scene) -> tuple[int, int, bool]:
    """(micros of all that is known, how many have no known price, whether only drafts are asked), for a button."""
    found = drawn_models(scene)
    forms = [form_of(scene, (), model) for model in found]
    each = [price_of(model, options_of(model, form)) for model, form in zip(found, forms, strict=True)]
    drafts = bool(found) and all(is_draft(model, form) for model, form in zip(found, forms, strict=True))
    return sum(price for price in each if price is not None), each.count(None), drafts


def final_of(item: Manifest) -> Descriptor | None:
    """The model that makes a draft of the pool final; None for what is none. Reads no file."""
    if not item.data.get("draft"):
        return None
    model = known(str(item.data["model"]))
    step = refining(model) if model is not None else None
    return None if model is None or step is None else _catalogue().get(f"{model.provider}/{step.model}")


def final_price(scene: bpy.types.Scene, final: Descriptor) -> int | None:
    """What a final costs with the form's options; None if nobody knows."""
    form = Form(options=common(scene.holdfast.assets))
    return price_of(final, refine_request(final, Refining(final.model), "", form)["options"])


# -- options that only some models have ---------------------------------------------------------------------------


def own_options(model: Descriptor) -> dict[str, Any]:
    """The model's options that have no field of their own, each with its rule."""
    return {name: rule for name, rule in texts.settable(model).items() if name not in HIDDEN}


def fit(assets: Any) -> None:
    """A row for each option of the chosen model alone; values that it can't have are taken out, others stay."""
    model = known(assets.provider)
    for name in own_options(model) if model is not None else ():
        row = assets.options.get(name)
        if row is None:
            row = assets.options.add()
            row.name = name
        elif row.value and model is not None and texts.problem(model, name, row.value):
            row.value = ""


def shown_options(assets: Any) -> list[tuple[Any, bool]]:
    """(row, whether there is a list to choose from) of the options to draw."""
    model = known(assets.provider)
    rules: Mapping[str, Any] = own_options(model) if model is not None else {}
    return [(row, bool(texts.choices(rules[row.name]))) for row in assets.options if row.name in rules]


def says(row: Any) -> str:
    """What an option may be, for the empty field."""
    model = known(row.id_data.holdfast.assets.provider)
    return texts.says(own_options(model).get(row.name, {})) if model is not None else ""


def choices(row: Any) -> list[tuple[str, str, str]]:
    """What an option may be."""
    model = known(row.id_data.holdfast.assets.provider)
    return style_options.items(model, row.name, own_options(model) if model is not None else {})


# -- the whole form -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Drawn:
    """What of the form matters to the chosen models. ``unused``: (label, what it will not see); ``fields``: options with
    a field that any of them has."""

    models: tuple[Descriptor, ...]
    unknown: str
    words: bool
    pictures: bool
    seed: bool
    draft: bool
    always_draft: bool
    fields: tuple[str, ...]
    unused: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]


def drawn(scene: bpy.types.Scene, locked: str) -> Drawn:
    """The same without reading a file; ``locked`` is the path of the locked concept, empty if there is none."""
    assets = scene.holdfast.assets
    models = drawn_models(scene)
    pictures = [(MAIN, Path(locked))] if locked and assets.use_concept else []
    pictures += [(row.view, Path(row.path)) for row in assets.pictures if row.path]
    unused: list[tuple[str, str]] = []
    missing: list[str] = []
    for model in models:
        form = form_of(scene, pictures, model)
        unused += [(model.label, what) for what in asset_jobs.unused(model, form)]
        worded = asset_jobs.takes_text(model)
        if not asset_jobs.placed(model, form) and not (worded and assets.text.strip()):
            missing.append(f"{model.label} needs {'words or a picture' if worded else 'a picture'}.")
    steps = [asset_jobs.refining(model) for model in models]
    return Drawn(
        tuple(models),
        assets.provider if known(assets.provider) is None else "",
        any(model.prompt_max or "text_to_mesh" in model.modes for model in models),
        any(model.inputs for model in models),
        any(model.seed.strength != "none" for model in models),
        any(step is not None and not step.always for step in steps),
        any(step is not None and step.always for step in steps),
        tuple(name for name in COMMON if any(name in model.options for model in models)),
        tuple(unused),
        tuple(missing),
    )
