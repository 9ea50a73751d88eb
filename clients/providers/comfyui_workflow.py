# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's ComfyUI workflow (API format): where our clips, words and numbers go in it.

A place is "node.input": the node by its id, its title or its class if only one has it. Without a table of places, nodes
titled "Holdfast prompt", "Holdfast control_video", "Holdfast seed" ... take what they are named for.
"""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from ...pipeline.errors import InputError

Workflow = dict[str, dict[str, Any]]
MOST_BYTES = 16 << 20
EXPORT = "In ComfyUI choose Workflow > Export (API) and give that file."
FILE_INPUTS = ("video", "file", "image", "mask", "audio", "directory", "model_file", "path")
WORD_INPUTS = ("text", "prompt", "string", "value")
SEED_INPUTS = ("seed", "noise_seed")
_OURS = re.compile(r"\s*holdfast[\s:._-]+(.+)", re.IGNORECASE)


def read_workflow(source: Any) -> Workflow:
    """From a file, or as it is. Raises InputError if it is none, or one for the editor."""
    if isinstance(source, Mapping):
        return checked(deepcopy(dict(source)), "workflow")
    if not source:
        raise InputError(
            "There is no ComfyUI workflow to run", todo=f"Choose one in the service's settings. {EXPORT}"
        )
    path = Path(str(source)).expanduser()
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path.name} is too large for a workflow", where=str(path))
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Can't read the workflow: {error.strerror}", where=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is not a workflow", where=str(path), todo=EXPORT) from error
    return checked(found, str(path))


def checked(found: Any, where: str) -> Workflow:
    """``found`` if it is a workflow in API format."""
    if isinstance(found, dict) and isinstance(found.get("nodes"), list):
        raise InputError("This workflow is in the form that the editor saves", where=where, todo=EXPORT)
    if isinstance(found, dict) and isinstance(found.get("prompt"), dict):
        found = found["prompt"]
    if not isinstance(found, dict) or not found:
        raise InputError("This is not a ComfyUI workflow", where=where, todo=EXPORT)
    for number, node in found.items():
        if not isinstance(node, dict) or "class_type" not in node or not isinstance(node.get("inputs"), dict):
            raise InputError(f"Node {number} has no class or no inputs", where=where, todo=EXPORT)
    return found


def title_of(workflow: Workflow, number: str) -> str:
    """What a person calls a node."""
    node = workflow.get(number, {})
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else ""
    return str(title or node.get("class_type") or number)


def find_node(workflow: Workflow, name: str) -> str:
    """The id of the node called ``name``. Raises InputError if there is none, or several."""
    if name in workflow:
        return name
    wanted = name.strip().casefold()
    for called in (lambda number: title_of(workflow, number), lambda number: workflow[number]["class_type"]):
        found = [number for number in workflow if str(called(number)).strip().casefold() == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(
                f"The workflow has {len(found)} nodes called {name!r}",
                where=", ".join(found),
                todo="Name the node by its id, or give it a title of its own.",
            )
    raise InputError(f"The workflow has no node called {name!r}", todo="Look at the titles in ComfyUI.")


def place_of(workflow: Workflow, place: str, value: Any) -> tuple[str, str]:
    """(node, input) of "node.input", or of a node alone if it is plain which of its inputs is meant."""
    titles = {title_of(workflow, number).strip().casefold() for number in workflow}
    if place in workflow or "." not in place or place.strip().casefold() in titles:
        number = find_node(workflow, place)
        return number, _likely(workflow, number, value)
    name, _, field = place.rpartition(".")
    number = find_node(workflow, name)
    if field not in workflow[number]["inputs"]:
        has = ", ".join(workflow[number]["inputs"]) or "none"
        raise InputError(f"{title_of(workflow, number)!r} has no input {field!r}", todo=f"It has: {has}.")
    return number, field


def _likely(workflow: Workflow, number: str, value: Any) -> str:
    inputs = workflow[number]["inputs"]
    free = [name for name in inputs if not isinstance(inputs[name], list)]
    wanted = (
        (*FILE_INPUTS, *WORD_INPUTS) if isinstance(value, str) else (*SEED_INPUTS, "value", "int", "float")
    )
    fits = [name for name in wanted if name in free] or (free if len(free) == 1 else [])
    if not fits:
        raise InputError(
            f"It is not plain which input of {title_of(workflow, number)!r} is meant",
            todo=f"Write it after a dot: {', '.join(free) or 'it has none that is free'}.",
        )
    return fits[0]


def own_titles(workflow: Workflow) -> dict[str, list[str]]:
    """Names that stand in titles "Holdfast <name>", with the nodes."""
    found: dict[str, list[str]] = {}
    for number in workflow:
        if match := _OURS.fullmatch(title_of(workflow, number)):
            name = re.sub(r"\W+", "_", match[1].strip().casefold()).strip("_")
            found.setdefault(name, []).append(number)
    return found


def bound(workflow: Workflow, places: Mapping[str, Any], values: Mapping[str, Any]) -> Workflow:
    """A copy with every value in its place. Raises InputError for a value that has none."""
    made, titles = deepcopy(workflow), own_titles(workflow)
    for name, value in values.items():
        said = places.get(name) or titles.get(name.casefold(), [])
        targets = [place_of(made, str(each), value) for each in ([said] if isinstance(said, str) else said)]
        if not targets and name == "seed":
            targets = _only_seed(made)
        if not targets:
            raise InputError(
                f"The workflow has no place for {name}",
                todo=f'Title a node "Holdfast {name}", or say which input takes it.',
            )
        for number, field in targets:
            inputs = made[number]["inputs"]
            if isinstance(inputs[field], list):
                raise InputError(
                    f"{field} of {title_of(made, number)!r} comes from another node",
                    todo="Turn that input into a widget, or choose the node that feeds it.",
                )
            inputs[field] = _like(inputs[field], value)
    return made


def _only_seed(workflow: Workflow) -> list[tuple[str, str]]:
    """The one input that is a seed, if there is one alone."""
    found = [
        (number, field)
        for number, node in workflow.items()
        for field in SEED_INPUTS
        if isinstance(node["inputs"].get(field), int)
    ]
    return found if len(found) == 1 else []


def _like(old: Any, value: Any) -> Any:
    """``value`` as the kind of number or text that stood there."""
    if isinstance(value, bool) or isinstance(old, bool) or not isinstance(value, int | float):
        return value
    if isinstance(old, str):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(old, int) and float(value).is_integer():
        return int(value)
    return value
