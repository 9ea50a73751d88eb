# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof page's tables: checks against their limits, controls that must fail, parameters with their units."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

UNITS = {
    "_mm": "mm", "_deg": "°", "_n": "N", "_nm": "N m", "_kg": "kg", "_g": "g", "_m_s2": "m/s²", "_s": "s",
    "_mm_s": "mm/s", "_n_s": "N/s", "_hz": "Hz", "_m": "m", "_rad": "rad",
}  # fmt: skip
"""Unit by the end of a key; the longest end counts."""
SIGN_OF = {"deg": "°"}
LAB_UNITS = {"mass": "kg", "margin": "m"}
GROUPS = {
    "engaged": "The lock, read back from the keys",
    "held": "The lock, read back from the keys",
    "baked": "The keys against the path",
    "swept": "Penetration along the whole motion",
    "contact": "Inserted by contacts alone",
    "pull": "Tried with real contacts",
    "shake": "Tried with real contacts",
    "unlock": "Tried with real contacts",
    "drop": "Tried with real contacts",
    "detent": "Torque",
    "torque": "Torque",
    "break": "Breaking",
}
SIGNS = {
    "ok": "M4.5 10.5l4 4 7-8.5",
    "bad": "M5.5 5.5l9 9m0-9l-9 9",
    "open": "M7 7.6a3 3 0 1 1 4.4 2.7c-1 .6-1.4 1.1-1.4 2.2M10 15.4v.2",
}


def icon(kind: str, says: str) -> str:
    """A mark that is told apart by its shape, too: "ok" a tick, "bad" a cross, "open" a question mark."""
    path = SIGNS.get(kind, SIGNS["open"])
    return f'<svg class="icon {kind}" viewBox="0 0 20 20" role="img" aria-label="{escape(says)}"><path d="{path}"/></svg>'


def number(value: object, digits: int = 6) -> str:
    """A number as people write it; text and lists as they are, escaped."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value).replace("-", "\u2212")
    if isinstance(value, float):
        if not math.isfinite(value):
            return "not measured"
        if value != 0.0 and abs(value) < 0.5 * 10.0**-digits:
            return f"{value:.2g}".replace("-", "\u2212", 1 if value < 0 else 0)
        text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
        return "0" if text in ("", "-0") else text.replace("-", "\u2212")
    if isinstance(value, list | tuple):
        return ", ".join(number(part, digits) for part in value)
    return escape(str(value))


def measure(value: object, unit: str, digits: int = 6) -> str:
    """A number with its unit; degrees stand close to it."""
    text = number(value, digits)
    return f"{text}{'' if unit == '°' else ' '}{escape(unit)}" if unit else text


def title_of(key: str) -> str:
    """A key as words, without the unit at its end."""
    end = _unit_end(key)
    words = (key[: -len(end)] if end else key).replace("_", " ").replace(".", ": ")
    return words[:1].upper() + words[1:]


def unit_of(key: str) -> str:
    """The unit that a key's end names, or an empty text."""
    return UNITS.get(_unit_end(key), "")


def _unit_end(key: str) -> str:
    fitting = [end for end in UNITS if key.lower().endswith(end)]
    return max(fitting, key=len) if fitting else ""


def is_control(check: Mapping[str, Any]) -> bool:
    """Whether a check is a planted fault, which is right when the fault was seen."""
    return str(check.get("id", "")).startswith("control.")


def _found(check: Mapping[str, Any]) -> tuple[float | None, float | None]:
    pair = []
    for key in ("value", "limit"):
        value = check.get(key)
        pair.append(float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None)
    return pair[0], pair[1]


def figures(check: Mapping[str, Any]) -> tuple[str, str]:
    """(value, what was asked) in words with the unit. The relation is the one under which the check is what it is."""
    value, limit = _found(check)
    unit = SIGN_OF.get(str(check.get("unit", "")), str(check.get("unit", "")))
    if value is None or limit is None:
        return number(check.get("value", "")), number(check.get("limit", ""))
    if unit == "released":
        return ("came off" if value else "held"), ("must come off" if limit else "must hold")
    within = (abs(value) <= limit) == bool(check.get("ok"))
    return measure(value, unit), f"{'≤' if within else '>'} {measure(limit, unit)}"


def sentence(check: Mapping[str, Any]) -> str:
    """What a check says; of one that failed also what was found, since its words may be those of the wish."""
    says = escape(str(check.get("says") or check.get("id", "")))
    if check.get("ok"):
        return says
    value, limit = figures(check)
    return f"Not met: {says} (found {value}, {limit})"


def bar(check: Mapping[str, Any]) -> str:
    """How much of its limit a value uses, as a bar; empty where there is nothing to compare."""
    value, limit = _found(check)
    if value is None or not limit or check.get("unit") == "released":
        return ""
    share = abs(value) / abs(limit)
    kind = "ok" if check.get("ok") else "bad"
    text = f"{100 * share:.0f} %" if share < 9.995 else f"{share:.3g} ×"
    if 0.0 < share < 0.005:
        text = "&lt; 1 %"
    return (
        f'<span class="bar {kind}" title="share of the limit"><i style="width:{100 * min(share, 1.0):.1f}%"></i></span>'
        f'<span class="share">{text}</span>'
    )


def _row(check: Mapping[str, Any], name: str) -> str:
    ok = bool(check.get("ok"))
    value, limit = figures(check)
    mark = icon("ok" if ok else "bad", "passed" if ok else "failed")
    says = escape(str(check.get("says", name)))
    return (
        f'<tr class="{"ok" if ok else "bad"}"><td class="mark">{mark}</td>'
        f'<td class="says">{says}<small>{escape(name)}</small></td><td class="value">{value}</td>'
        f'<td class="limit">{limit}</td><td class="use">{bar(check)}</td></tr>'
    )


def checks_table(checks: Sequence[Mapping[str, Any]]) -> str:
    """The checks in groups, the controls left out."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for check in checks:
        if not is_control(check):
            first = str(check.get("id", "")).partition(".")[0]
            groups.setdefault(GROUPS.get(first, title_of(first) or "Other"), []).append(check)
    head = "<thead><tr><th></th><th>Check</th><th>Found</th><th>Limit</th><th>Limit used</th></tr></thead>"
    body = "".join(
        f'<tbody><tr class="group"><th colspan="5" scope="rowgroup">{escape(title)}</th></tr>'
        + "".join(_row(check, str(check.get("id", ""))) for check in group)
        + "</tbody>"
        for title, group in groups.items()
    )
    return f'<table class="checks">{head}{body}</table>' if groups else _nothing("No checks were recorded.")


def controls_table(checks: Sequence[Mapping[str, Any]]) -> str:
    """The planted faults: each must fail, and whether it did."""
    rows = []
    for check in filter(is_control, checks):
        ok = bool(check.get("ok"))
        value, limit = figures(check)
        did = f"{icon('ok' if ok else 'bad', 'seen' if ok else 'missed')}{'did' if ok else 'did not'}"
        name = title_of(str(check["id"]).partition(".")[2])
        rows.append(
            f'<tr class="{"ok" if ok else "bad"}"><td class="says"><b>{escape(name)}</b> {escape(str(check.get("says", "")))}</td>'
            f'<td class="must">must fail</td><td class="did">{did}</td><td class="value">{value}</td><td class="limit">{limit}</td></tr>'
        )
    head = (
        "<thead><tr><th>Planted fault</th><th></th><th></th><th>Seen</th><th>Counts as seen</th></tr></thead>"
    )
    return (
        f'<table class="controls">{head}<tbody>{"".join(rows)}</tbody></table>'
        if rows
        else _nothing("No negative controls were recorded, so nothing shows that the checks can fail.")
    )


def _nothing(says: str) -> str:
    return f'<p class="nothing">{escape(says)}</p>'


def definitions(title: str, rows: Iterable[tuple[str, str, str]], kind: str = "") -> str:
    """A small table: (name, value, unit) each, as HTML that is escaped already but for the names."""
    body = "".join(
        f"<tr><th scope=row>{escape(name)}</th><td>{value}</td><td>{escape(unit)}</td></tr>"
        for name, value, unit in rows
    )
    return f'<div class="facts {kind}"><h3>{escape(title)}</h3><table>{body}</table></div>' if body else ""


def parameters(
    values: Mapping[str, Any], units: Mapping[str, str] | None = None
) -> list[tuple[str, str, str]]:
    """Rows for ``definitions`` of plain values; a mapping inside is written out key by key."""
    rows: list[tuple[str, str, str]] = []
    for key, value in values.items():
        if key in ("schema", "version") or value is None:
            continue
        if isinstance(value, Mapping):
            rows += [
                (f"{title_of(key)}: {title_of(k).lower()}", number(v), unit_of(k)) for k, v in value.items()
            ]
        else:
            rows.append(
                (title_of(key), number(value, 9 if units else 6), (units or {}).get(key, unit_of(key)))
            )
    return rows
