# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes by remote models: which there are, what of a form each takes, what it is asked, what it makes of a draft."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from ..pipeline.errors import InputError, ProviderRejected
from ..pipeline.store import hash_file
from .descriptor import Descriptor

MODES = ("image_to_mesh", "sketch_to_mesh", "text_to_mesh")
MAIN = "main"
"""The view of a picture that shows the thing as it is best known; others are sides of it."""
SIDES = ("front", "left", "back", "right", "top", "bottom", "left_front", "right_front")
SETTLED = ("format", "moderation", "save_pre_remeshed_model", "preview_render", "compress", "generate_parts", "workflow",
           "negative", "image_seed", "texture_seed")  # fmt: skip
"""Options that a form does not ask for: the result must be one mesh that can be brought in."""


@dataclass(frozen=True)
class Form:
    """What a person asks for. ``pictures``: (view, file), the main one first; ``options`` by the catalogue's names;
    ``draft`` asks for the cheap stage first, where there is one."""

    pictures: Sequence[tuple[str, Path]] = ()
    text: str = ""
    seed: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    draft: bool = False


@dataclass(frozen=True)
class Refining:
    """How a model's draft becomes final: by another ``model`` of its service; ``picture`` is the role in which the form's
    picture steers that; ``draft`` are the options that make it a draft; ``always``: what the model makes is one anyway."""

    model: str
    picture: str = ""
    draft: Mapping[str, Any] = field(default_factory=dict)
    always: bool = False


def makers(models: Iterable[Descriptor]) -> list[Descriptor]:
    """Those that make meshes and can be called, by their names. One that is told its work by a workflow is none."""
    found = [
        model for model in models
        if model.network and model.adapter and set(MODES) & set(model.modes) and "workflow" not in model.options
    ]  # fmt: skip
    return sorted(found, key=lambda model: model.label.casefold())


def takes_text(model: Descriptor) -> bool:
    """Whether words alone are enough for it."""
    return "text_to_mesh" in model.modes and not any(limit.count[0] for limit in model.inputs.values())


def takes_words(model: Descriptor, form: Form, with_picture: bool) -> bool:
    """Whether it is given the form's text: some take no text, some none beside a picture, some only with an option."""
    rule = model.payload.get("text_with_picture", True)
    if isinstance(rule, str):
        name, _, value = rule.partition("=")
        rule = str(form.options.get(name)) == value
    return bool(model.prompt_max or "text_to_mesh" in model.modes) and (bool(rule) or not with_picture)


def views_of(model: Descriptor) -> tuple[str, ...]:
    """The views that it has a place of its own for, the main one first."""
    sides = tuple(side for side in SIDES if f"view_{side}" in model.inputs)
    return (MAIN, *(side for side in sides if "picture" in model.inputs or side != "front"))


def placed(model: Descriptor, form: Form) -> list[tuple[str, Path]]:
    """(role, file) of what of the form's pictures the model is given, in its order; what it has no place for is not."""
    inputs, found = model.inputs, list[tuple[str, Path]]()
    first = "view_front" if "view_front" in inputs and "picture" not in inputs else "picture"
    if first not in inputs:
        return []
    most = inputs[first].count[1]
    for view, path in sorted(form.pictures, key=lambda each: each[0] not in (MAIN, "front")):
        role = first if view in (MAIN, "front") else f"view_{view}"
        if role not in inputs:
            role = first  # several pictures in one list
        if sum(each == role for each, _ in found) < (most if role == first else 1):
            found.append((role, path))
    return found


def fitted(model: Descriptor, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options in the words and within the limits of a model; None for what it can't be told in its words."""
    return {
        name: _fit(model.options[name], value) for name, value in options.items() if name in model.options
    }


def _fit(rule: Any, value: Any) -> Any:
    """``value`` as ``rule`` allows it: the nearest number, the word that begins alike; "no" for off where it has words."""
    if isinstance(rule, list | tuple):
        if value in rule and isinstance(value, bool) == isinstance(rule[0], bool):
            return value
        if isinstance(value, bool):
            return next((word for word in rule if word == "no"), None) if value is False else None
        start = str(value).lower()
        return next((word for word in rule if isinstance(word, str) and word.lower().startswith(start)), None)
    if isinstance(rule, Mapping) and isinstance(value, int | float) and not isinstance(value, bool):
        return type(value)(min(max(value, rule.get("min", value)), rule.get("max", value)))
    return value


def options_of(model: Descriptor, form: Form) -> dict[str, Any]:
    """The form's options that the model knows, those of a draft over them; the file is a GLB where it may be chosen."""
    asked = {**form.options, "format": "glb"}
    told = {name: value for name, value in fitted(model, asked).items() if value is not None}
    step = refining(model)
    return {**told, **(step.draft if step is not None and (form.draft or step.always) else {})}


def request_of(model: Descriptor, form: Form) -> dict[str, Any]:
    """What a job is asked. Raises ProviderRejected if the form does not give what the model needs, InputError for a
    picture that is not there."""
    pictures = placed(model, form)
    for role, limit in model.inputs.items():
        if sum(each == role for each, _ in pictures) < limit.count[0]:
            what = "a picture from the front" if role == "view_front" else "a picture"
            raise ProviderRejected(f"{model.label} needs {what}", todo="Add one, or choose another model.")
    text = form.text.strip() if takes_words(model, form, bool(pictures)) else ""
    if not pictures and not (takes_text(model) and text):
        what = "words or a picture" if takes_text(model) else "a picture"
        raise ProviderRejected(f"{model.label} needs {what}", todo="Fill in the form.")
    if len(text) > model.prompt_max > 0:
        raise ProviderRejected(f"The text is longer than {model.label} takes ({model.prompt_max} letters)")
    inputs = [{"path": str(path), "role": role, "sha256": _hash(path)} for role, path in pictures]
    seed = form.seed if model.seed.strength != "none" else None
    return {"inputs": inputs, "prompt": text, "seed": seed, "options": options_of(model, form)}


def _hash(path: Path) -> str:
    if not path.is_file():
        raise InputError("The picture is missing", where=str(path), todo="Choose it again.")
    return hash_file(path)


def unused(model: Descriptor, form: Form) -> list[str]:
    """What of the form the model will not see, in words."""
    count = len(form.pictures) - len(placed(model, form))
    says = [f"{count} of the pictures"] if count > 0 else []
    if form.text.strip() and not takes_words(model, form, bool(placed(model, form))):
        says.append("the text")
    return says


def price_of(model: Descriptor, options: Mapping[str, Any]) -> int | None:
    """Micros of one mesh; None if nobody has read what it costs."""
    return reserve_of(model, options) if model.price.as_of else None


def reserve_of(model: Descriptor, options: Mapping[str, Any]) -> int:
    """Micros that one mesh may cost, as far as anything is known: what counts against caps before the bill."""
    return model.price.estimate_micros(0.0, options=options)


def refining(model: Descriptor) -> Refining | None:
    """How its drafts become final; None if it has no such stage."""
    told = model.payload.get("refine")
    return Refining(**told) if isinstance(told, Mapping) else None


def is_draft(model: Descriptor, form: Form) -> bool:
    """Whether what it makes of the form is a draft."""
    step = refining(model)
    return step is not None and (step.always or form.draft)


def refine_request(final: Descriptor, step: Refining, remote: str, form: Form) -> dict[str, Any]:
    """What the final stage is asked: the draft by the service's own id of its job, and what steers the surface: the
    text where there is one, else the picture."""
    inputs: list[dict[str, Any]] = [{"kind": "job_output", "value": remote, "role": "mesh"}]
    text = form.text.strip()[: final.prompt_max or None] if final.prompt_max else ""
    if step.picture and not text and form.pictures:
        path = form.pictures[0][1]
        inputs.append({"path": str(path), "role": step.picture, "sha256": _hash(path)})
    told = {name: value for name, value in fitted(final, form.options).items() if value is not None}
    seed = form.seed if final.seed.strength != "none" else None
    return {"inputs": inputs, "prompt": text, "seed": seed, "options": told}


def usual_seconds(times: Iterable[float]) -> float | None:
    """What it took before, the middle one; None if it never did."""
    known = [seconds for seconds in times if seconds > 0.0]
    return median(known) if known else None
