# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that must have a shape: the shape as a model's grammar can hold it, and the check that grammars do not make."""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,),
    "null": (type(None),),
}  # fmt: skip
LIMITS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("minimum", operator.lt, "less than"),
    ("maximum", operator.gt, "more than"),
    ("exclusiveMinimum", operator.le, "not more than"),
    ("exclusiveMaximum", operator.ge, "not less than"),
)
SIZES = {
    "array": ("minItems", "maxItems"),
    "string": ("minLength", "maxLength"),
    "object": ("minProperties", ""),
}


def for_grammar(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema with objects closed, and with limits that a grammar can't hold told in the description instead."""
    rest: dict[str, Any] = dict(schema)
    made: dict[str, Any] = {}
    if "$defs" in rest:
        made["$defs"] = {name: for_grammar(one) for name, one in rest.pop("$defs").items()}
    if "$ref" in rest:
        return {**made, "$ref": rest["$ref"]}
    kind = rest.pop("type", None)
    made |= {key: rest.pop(key) for key in ("enum", "const") if key in rest}
    if "enum" in made or "const" in made:
        kind = None
    for key, name in (("anyOf", "anyOf"), ("oneOf", "anyOf"), ("allOf", "allOf")):
        if key in rest:
            made[name] = [for_grammar(one) for one in rest.pop(key)]
    if kind is not None:
        made["type"] = kind
    made |= {key: rest.pop(key) for key in ("description", "title") if key in rest}
    made |= _of_kind(kind, rest)
    if rest:
        told = "{" + ", ".join(f"{key}: {value}" for key, value in rest.items()) + "}"
        made["description"] = f"{made['description']}\n\n{told}" if "description" in made else told
    return made


def _of_kind(kind: Any, rest: dict[str, Any]) -> dict[str, Any]:
    """What only one kind of value has; taken out of ``rest``."""
    made: dict[str, Any] = {}
    if kind == "object":
        rest.pop("additionalProperties", None)
        made["properties"] = {name: for_grammar(one) for name, one in rest.pop("properties", {}).items()}
        made["additionalProperties"] = False
        if "required" in rest:
            made["required"] = list(rest.pop("required"))
    elif kind == "string" and rest.get("format") in FORMATS:
        made["format"] = rest.pop("format")
    elif kind == "array":
        if "items" in rest:
            made["items"] = for_grammar(rest.pop("items"))
        if rest.get("minItems") in (0, 1):
            made["minItems"] = rest.pop("minItems")
    return made


def problem(
    value: Any, schema: Mapping[str, Any], where: str = "", root: Mapping[str, Any] | None = None
) -> str:
    """What is wrong with a value, in a few words; "" if it has the shape."""
    root = schema if root is None else root
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix("#/$defs/")
        return problem(value, root.get("$defs", {}).get(name, {}), where, root)
    at = where or "it"
    if "enum" in schema and value not in schema["enum"]:
        return f"{at} is none of {', '.join(map(str, schema['enum']))}"
    if "const" in schema and value != schema["const"]:
        return f"{at} is not {schema['const']}"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            found = [problem(value, one, where, root) for one in schema[key]]
            if all(found):
                return found[0]
    kind = schema.get("type")
    if isinstance(kind, str) and not _is(value, kind):
        return f"{at} is no {kind}"
    return _limits(value, schema, at) or _inside(value, schema, where, root)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES.get(kind, (object,)))


def _limits(value: Any, schema: Mapping[str, Any], at: str) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        for key, broken, says in LIMITS:
            if key in schema and broken(value, schema[key]):
                return f"{at} is {says} {schema[key]}"
    if isinstance(value, str | list | dict):
        kind = {str: "string", list: "array", dict: "object"}[type(value)]
        least, most = SIZES[kind]
        if len(value) < schema.get(least, 0) or len(value) > schema.get(most, len(value)):
            return f"{at} has {len(value)} entries or letters"
    return ""


def _inside(value: Any, schema: Mapping[str, Any], where: str, root: Mapping[str, Any]) -> str:
    if isinstance(value, list) and "items" in schema:
        parts: Iterable[tuple[str, Any, Any]] = (
            (f"{where}[{number}]", each, schema["items"]) for number, each in enumerate(value)
        )
    elif isinstance(value, dict):
        rules = schema.get("properties", {})
        missing = [name for name in schema.get("required", ()) if name not in value]
        strange = [name for name in value if name not in rules]
        if missing:
            return f"{where or 'it'} lacks {missing[0]}"
        if strange and schema.get("additionalProperties") is False:
            return f"{where or 'it'} has {strange[0]}"
        parts = ((f"{where}.{n}".lstrip("."), each, rules[n]) for n, each in value.items() if n in rules)
    else:
        return ""
    return next((says for name, each, rule in parts if (says := problem(each, rule, name, root))), "")
