# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies of requests and places of results as the catalogue spells them, for services that host many models.

``payload`` of a descriptor: ``inputs`` maps a role to a field ("video_url", "images[]", "frames[].image_url", "a.b"),
``prompt`` and ``seed`` name theirs ("" if there is none), ``options`` rename ours, ``fixed`` is always sent, ``outputs``
are the fields of the answer that hold files ("" the whole answer), ``data`` those that are the result themselves.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from .contract import JobSpec
from .descriptor import Descriptor

DEEPEST = 12


def body_of(job: JobSpec, model: Descriptor) -> dict[str, Any]:
    """The model's input for a job. Absent values are left out, never null."""
    rules = model.payload
    body: dict[str, Any] = deepcopy(dict(rules.get("fixed", {})))
    if job.prompt and (place := rules.get("prompt", "prompt")):
        _place(body, place, job.prompt)
    if job.seed is not None and model.seed.strength != "none" and (place := rules.get("seed", "seed")):
        _place(body, place, job.seed)
    for role in dict.fromkeys(ref.role for ref in job.inputs):
        place = rules.get("inputs", {}).get(role, role)
        values = [ref.value for ref in job.all(role)]
        if "[]" in place:
            _extend(body, place, values)
        else:
            _place(body, place, values[0])
    for name, value in job.options.items():
        _place(body, rules.get("options", {}).get(name, name), value)
    return body


def _place(body: dict[str, Any], place: str, value: Any) -> None:
    *above, last = place.split(".")
    for key in above:
        body = body.setdefault(key, {})
    body[last] = value


def _extend(body: dict[str, Any], place: str, values: list[str]) -> None:
    """``values`` onto the list at "a[]", or as objects onto that at "a[].b"."""
    name, _, key = place.partition("[]")
    items = body.setdefault(name, [])
    items += [{key.lstrip("."): value} for value in values] if key else values


def at(answer: Any, place: str) -> Any:
    """What lies at "a.b" of an answer; the answer itself at ""; None if there is nothing."""
    for key in place.split(".") if place else ():
        answer = answer.get(key) if isinstance(answer, Mapping) else None
    return answer


def files_in(value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """(address, media type if told) of every file in a value: an address, {"url": ...}, or lists and tables of those."""
    if isinstance(value, str):
        if value.startswith(("https://", "http://")):
            yield value, ""
    elif isinstance(value, Mapping):
        if isinstance(value.get("url"), str):
            yield value["url"], str(value.get("content_type") or "")
        elif depth < DEEPEST:
            for each in value.values():
                yield from files_in(each, depth + 1)
    elif isinstance(value, list) and depth < DEEPEST:
        for each in value:
            yield from files_in(each, depth + 1)


def results(answer: Any, model: Descriptor) -> list[tuple[str, str, str]]:
    """(what it is, address, media type) of every file of an answer, in the order of the catalogue."""
    found = []
    for place in model.payload.get("outputs", [""]):
        found += [(place or "result", url, kind) for url, kind in files_in(at(answer, place))]
    return found


def data_of(answer: Any, model: Descriptor) -> dict[str, Any]:
    """What of an answer is a result itself (outlines, boxes), without files; empty if there is nothing."""
    places = model.payload.get("data", [])
    found = {place: at(answer, place) for place in places}
    return {place: value for place, value in found.items() if value is not None and not any(files_in(value))}
