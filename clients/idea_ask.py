# SPDX-License-Identifier: GPL-3.0-or-later
"""From a brief, sketches and earlier ideas to the requests of a round: roles, words, seeds, how many to a request, price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from ..pipeline.errors import ProviderRejected, UsageError
from ..pipeline.store import digest_json
from .adapter import Adapter
from .descriptor import Descriptor
from .prompting import fields_of
from .takes import digest_of

MODES = ("text_to_image", "image_edit")
FILE_KINDS = ("path", "data_uri", "vendor_uri", "asset_id")
"""Forms in which a file of ours can be given; "https" as well where the service has an upload of its own."""
PICTURE_ROLES = ("sketch", "picture", "reference")
MOST = 32
"""Pictures of a round."""


@dataclass(frozen=True)
class Order:
    """What a person asks for. ``how``: brief, more, edit, mix or turn; ``words``: the brief or the instruction; ``before``:
    the brief of the idea that is worked on; ``pictures``: how many go with it."""

    how: str
    words: str
    count: int
    seed: int = 0
    pictures: int = 0
    before: str = ""
    parents: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


def makes_pictures(model: Descriptor) -> bool:
    """Whether it can be asked for variants from here."""
    return bool(model.adapter) and model.network and any(mode in model.modes for mode in MODES)


def room(model: Descriptor) -> dict[str, int]:
    """How many pictures can be sent in each role that takes files of ours."""
    found = {}
    for role in PICTURE_ROLES:
        limit = model.inputs.get(role)
        if limit is not None and (
            any(kind in FILE_KINDS for kind in limit.kinds) or ("https" in limit.kinds and _uploads(model))
        ):
            found[role] = limit.count[1]
    return found


def _uploads(model: Descriptor) -> bool:
    """Whether the adapter brings files to the service by a way of its own."""
    module, _, name = model.adapter.partition(":")
    try:
        adapter = getattr(import_module(f".{module}", __package__), name)
    except (ImportError, AttributeError):
        return False
    return getattr(adapter, "put", None) is not Adapter.put


def roles_for(model: Descriptor, count: int, how: str) -> list[str]:
    """The roles of ``count`` pictures, in order: a drawing as a sketch where there is such an input, what is changed as
    the picture, the rest as references. Raises ProviderRejected with what the model takes."""
    free = room(model)
    if how != "brief":
        free.pop("sketch", None)  # an idea is no drawing
    most = sum(free.values())
    if count > most:
        takes = "no picture" if most == 0 else "one picture" if most == 1 else f"{most} pictures"
        says = {"mix": "to mix two ideas", "edit": "to change an idea", "more": "to make more like it"}.get(
            how
        )
        todo = "Choose another model." if says else "Choose another model, or send fewer sketches."
        raise ProviderRejected(
            f"{model.label} takes {takes} beside the words, {count} {'is' if count == 1 else 'are'} needed"
            f" {says or 'for the sketches'}",
            todo=todo,
        )
    order = [role for role in PICTURE_ROLES for _ in range(free.get(role, 0))]
    return order[:count]


def caps(model: Descriptor, role: str) -> dict[str, int]:
    """The longest edge and the most bytes of a picture in a role (0: no limit is known)."""
    limit = model.inputs[role]
    most = limit.max_bytes
    if most and "data_uri" in limit.kinds:
        most = most * 3 // 4 - 1024  # as base64, with its heading
    return {"longest_px": min((px for px in limit.px_max if px), default=0), "most_bytes": most}


def words_of(order: Order, model: Descriptor) -> str:
    """The prompt. Raises UsageError if there is nothing to ask for, ProviderRejected if it is longer than the model takes."""
    cites = _cites(model, order.pictures)
    words, before = " ".join(order.words.split()), " ".join(order.before.split())
    if order.how in ("brief", "edit") and not words:
        what = "The brief is empty" if order.how == "brief" else "There is no instruction"
        raise UsageError(what, todo="Write what you want to see.")
    if order.how == "brief":
        many = "sketch" if order.pictures == 1 else "sketches"
        text = f"{words}. A finished picture after the {many} ({cites})." if order.pictures else words
    elif order.how == "more":
        text = f"{before}. Another variant of {cites}: the same product and style, other details. {words}"
    elif order.how == "edit":
        text = f"Change {cites}: {words}. Everything else stays as it is."
    elif order.how == "mix":
        text = (
            f"{before}. One product that combines the two pictures ({cites}): {words or 'the best of both'}."
        )
    else:
        text = f"The very same product as in {cites}, unchanged in shape, material and colour: {words}. Plain background."
    text = text.replace("..", ".").strip().removeprefix(". ")
    fields = fields_of(model)
    if 0 < fields.most < fields.measure(text):
        says = f"The prompt has {fields.measure(text)} {fields.unit_name}, {model.label} takes {fields.most}"
        raise ProviderRejected(says, todo="Shorten the brief.")
    return text


def _cites(model: Descriptor, count: int) -> str:
    """How the words name the pictures."""
    cite = fields_of(model).cite
    if not cite:
        return "the picture" if count == 1 else "the pictures"
    names = [cite.format(n=index + 1, n0=index, tag=f"picture{index + 1}") for index in range(count)]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def chosen_options(model: Descriptor, wanted: Mapping[str, str]) -> dict[str, Any]:
    """Those of ``wanted`` that are not empty. Raises ProviderRejected for a value that the model does not have."""
    found = {}
    for name, value in wanted.items():
        if not value:
            continue
        rule = model.options.get(name)
        if (isinstance(rule, list) and value not in map(str, rule)) or rule is None:
            todo = (
                f"Choose from {', '.join(map(str, rule))}." if isinstance(rule, list) else "Leave it empty."
            )
            raise ProviderRejected(f"{model.label} has no {name} {value!r}", todo=todo)
        found[name] = (
            next((each for each in rule if str(each) == value), value) if isinstance(rule, list) else value
        )
    return found


def at_once(model: Descriptor) -> int:
    """How many pictures one request may ask for."""
    rule = model.options.get("count")
    if not (isinstance(rule, dict) and "max" in rule):
        return 1
    return max(1, min(int(rule["max"]), model.output.results[1], MOST))


def kind_of(
    model: Descriptor, inputs: Sequence[Mapping[str, Any]], prompt: str, options: Mapping[str, Any]
) -> str:
    """Equal for requests that differ in nothing but the seed: what is asked for again gives further variants."""
    return digest_of(model, {"inputs": inputs, "prompt": prompt, "seed": None, "options": options})


def asks_of(
    order: Order, model: Descriptor, inputs: Sequence[Mapping[str, Any]], prompt: str, begun: int
) -> list[dict[str, Any]]:
    """The asks of a round: [{request, digest, results, price}] for ``order.count`` pictures, ``begun`` of the same kind being
    asked for already. Every one gets a seed of its own where the model takes one, else a number that keeps equal requests
    apart. Raises UsageError."""
    if not 1 <= order.count <= MOST:
        raise UsageError(f"{order.count} variants can't be asked for at a time", todo=f"Ask for 1 to {MOST}.")
    found, left = [], order.count
    while left:
        results = min(left, at_once(model))
        number = begun + order.count - left
        options = {**order.options, **({"count": results} if at_once(model) > 1 else {})}
        request: dict[str, Any] = {
            "inputs": [dict(each) for each in inputs], "prompt": prompt, "seed": _seed(model, order.seed + number),
            "options": options,
        }  # fmt: skip
        if request["seed"] is None:
            request["variation"] = number
        price = model.price.estimate_micros(0.0, results, options=options)
        found.append(
            {"request": request, "digest": digest(model, request), "results": results, "price": price}
        )
        left -= results
    return found


def digest(model: Descriptor, request: Mapping[str, Any]) -> str:
    """The digest by which a job of an idea is found again."""
    plain = digest_of(model, request)
    return digest_json([plain, request["variation"]]) if "variation" in request else plain


def _seed(model: Descriptor, number: int) -> int | None:
    if model.seed.strength == "none":
        return None
    low, high = model.seed.range
    return low + (number - low) % (high - low + 1) if high > low else number


def price_of(model: Descriptor, count: int, options: Mapping[str, Any]) -> int:
    """Micros of ``count`` pictures, as the button says it before anything is made."""
    each, total = at_once(model), 0
    while count > 0:
        results = min(count, each)
        told = {**options, **({"count": results} if each > 1 else {})}
        total += model.price.estimate_micros(0.0, results, options=told)
        count -= results
    return total
