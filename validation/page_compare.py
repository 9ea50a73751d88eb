# SPDX-License-Identifier: GPL-3.0-or-later
"""Several takes of a shot in one table, best first: a page beside their reports that leads to each."""

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest
from ..pipeline.store import write_bytes
from ..pipeline.take import SCHEMA as TAKE
from ..pipeline.words import permanence
from .gallery import POSTER, data_uri
from .kinds import phrase
from .page import allowed, file_text, filled
from .page_facts import cost_words, seconds_words, sentence

REPORT = "holdfast/report"
PAGE = "index.html"
VERDICTS = {"pass": ("✓", "Pass"), "review": ("?", "Can’t tell"), "fail": ("✕", "Fail")}
RANK = {verdict: order for order, verdict in enumerate(VERDICTS)}
MOST_PARTS = 12


@dataclass(frozen=True)
class Row:
    """One take: what its report says (``data``), what it was made with, where its page is (relative, "" if none)."""

    data: Mapping[str, Any]
    made: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    page: str = ""
    poster: str = ""

    @property
    def held(self) -> dict[str, float]:
        """Per part the share 0..1 of frames that no finding covers; what is wrong with the take counts for all."""
        found = {}
        for part in self.data["parts"]:
            name = part["name"]
            mine = [
                f for f in self.data["findings"] if not f["part"] or name in (f["part"], *f.get("others", ()))
            ]
            found[name] = permanence({**self.data, "parts": [part], "findings": mine})
        return found

    @property
    def order(self) -> tuple[Any, ...]:
        """Sorts the best first: by verdict, frames held, major findings, cost, time."""
        major = sum(finding["severity"] == "major" for finding in self.data["findings"])
        cost = self.made.get("cost_micros") or 0
        return (
            RANK[self.data["verdict"]],
            -permanence(self.data),
            major,
            cost,
            self.seconds or 0.0,
            self.data["take"],
        )


def read_row(folder: Path, out: Path) -> Row:
    """The row of the report in ``folder`` for the page ``out``. Raises InputError.

    The take is looked for where a shot has it: reports/<take> beside takes/<take>.
    """
    data = Manifest.load(folder / "report.json", REPORT).data
    take = Manifest.find(folder.parent.parent / "takes" / str(data["take"]) / "take.json", TAKE)
    page, poster = folder / str(data.get("page", "report.html")), folder / POSTER
    beside = page.is_relative_to(out.parent) and page.exists()
    return Row(
        data, take.data if take else {}, take.made.get("seconds") if take else None,
        page.relative_to(out.parent).as_posix() if beside else "",
        data_uri(poster.read_bytes()) if poster.exists() else "",
    )  # fmt: skip


def write_comparison(reports: Sequence[Path], out: Path) -> None:
    """Writes the page ``out`` that compares the takes whose report folders are given. Raises InputError, StorageError."""
    rows = sorted((read_row(Path(folder), Path(out)) for folder in reports), key=lambda row: row.order)
    write_bytes(out, render_comparison(rows).encode("utf-8"))


def compare_shot(reports: Path) -> Path:
    """Writes the comparison of all takes with a report in a shot's folder ``reports``; returns the page. A report that
    can't be read (of a newer version, say) is left out: it must not stop the one that was just made."""
    readable = []
    for path in sorted(reports.glob("*/report.json")):
        try:
            Manifest.load(path, REPORT)
        except InputError:
            continue
        readable.append(path.parent)
    write_comparison(readable, reports / PAGE)
    return reports / PAGE


def render_comparison(rows: Sequence[Row]) -> str:
    """The HTML text; it has no script."""
    parts = list(dict.fromkeys(part["name"] for row in rows for part in row.data["parts"]))
    style = file_text("page.css") + file_text("compare.css")
    passed = sum(row.data["verdict"] == "pass" for row in rows)
    says = f"{passed} of {len(rows)} take{'s' if len(rows) != 1 else ''} pass{'es' if passed == 1 else ''}"
    shown = _worst_parts(rows, parts)
    left = (
        f" {len(parts) - len(shown)} more parts hold in every take or fail no worse."
        if len(shown) < len(parts)
        else ""
    )
    return filled(file_text("compare.html"), {
        "policy": f"default-src 'none'; img-src data:; style-src {allowed(style)}; base-uri 'none'; form-action 'none'",
        "style": style, "title": html.escape(says), "sentence": html.escape(says), "note": html.escape(left),
        "head": "".join(f"<th>{html.escape(part)}</th>" for part in shown),
        "rows": "\n".join(_row(row, shown, order == 0) for order, row in enumerate(rows)),
    })  # fmt: skip


def _worst_parts(rows: Sequence[Row], parts: Sequence[str]) -> list[str]:
    """The parts that get a column: all, or of many those that hold least."""
    if len(parts) <= MOST_PARTS:
        return list(parts)
    held = [row.held for row in rows]
    least = {part: min(table.get(part, 1.0) for table in held) for part in parts}
    chosen = sorted(parts, key=lambda part: least[part])[:MOST_PARTS]
    return [part for part in parts if part in chosen]


def _row(row: Row, parts: Sequence[str], best: bool) -> str:
    data, verdict = row.data, row.data["verdict"]
    sign, word = VERDICTS[verdict]
    name = html.escape(str(data["take"]))
    name = f'<a href="{html.escape(row.page)}">{name}</a>' if row.page else name
    poster = f'<img src="{row.poster}" alt="">' if row.poster else ""
    kinds = Counter(str(finding.get("title") or phrase(finding["kind"])) for finding in data["findings"])
    found = (
        "<br>".join(f"{html.escape(kind)}{f' × {n}' if n > 1 else ''}" for kind, n in kinds.items()) or "–"
    )
    cells = [
        f'<td class="take">{poster}<span>{name}{" <small>best</small>" if best else ""}</span></td>',
        f'<td class="{verdict}"><span class="m" aria-hidden="true">{sign}</span>{word}<span class="soft">{html.escape(sentence(data))}</span></td>',
        f'<td class="count">{len(data["findings"])}</td><td>{found}</td>',
        f'<td class="count">{_share(permanence(data))}</td>',
        *(f'<td class="count">{_share(row.held.get(part))}</td>' for part in parts),
        f"<td>{html.escape(cost_words(row.made) or '–')}</td><td>{html.escape(seconds_words(row.seconds) or '–')}</td>",
        *(f"<td>{html.escape(str(row.made.get(key) or '–'))}</td>" for key in ("provider", "look", "seed", "parent")),
    ]  # fmt: skip
    return f"<tr>{''.join(cells)}</tr>"


def _share(value: float | None) -> str:
    """A share with a bar, so that it can be read at a glance."""
    if value is None:
        return "–"
    percent = "100" if value == 1 else f"{min(99.9, 100 * value):.1f}".removesuffix(".0")
    width = min(10, int(10 * value))
    return f'{percent} %<span class="bars w{width}" aria-hidden="true"></span>'
