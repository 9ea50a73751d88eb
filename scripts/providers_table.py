# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/providers.md from the catalogue: what each service can do, how that was checked, what is unconfirmed.

`providers_table.py` writes it, `providers_table.py --check` fails where it is not what the catalogue says.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "providers.md"
SHORT = {
    "text_to_image": "t2i", "image_edit": "edit", "text_to_video": "t2v", "image_to_video": "i2v", "first_last": "first/last",
    "video_restyle": "v2v", "references": "refs", "mask": "mask", "control": "control", "extend": "extend", "upscale": "upscale",
    "performance": "perform", "text_to_mesh": "t2mesh", "image_to_mesh": "i2mesh", "retexture": "texture", "remesh": "remesh",
    "rig": "rig", "segment": "segment", "depth": "depth", "motion_capture": "mocap", "plan": "plan",
}  # fmt: skip
HEAD = """# Providers

Every remote model that Holdfast can call, and what stands behind each. This page is made from `clients/catalogue/*.toml`
by `scripts/providers_table.py`; a project's own `catalogue/*.toml` may change or add entries ([Control clips](clips.md)
shows one). Prices were read on the day that stands beside them: check yours.

**How it was checked** says *vendor SDK* where the loopback server of the tests was driven by the vendor's own client and our
requests were laid beside its (`tests/sdk`), else *document only*: then server and adapter follow the same document, and
only a live account can tell whether it is right. No service was ever called from here.
"""


def catalogue():  # noqa: ANN201  the package is not importable by name from a script
    sys.path.insert(0, str(ROOT))
    from tests import conftest

    conftest._load_from_files()
    from holdfast.clients.descriptor import read_catalogue

    return read_catalogue()


def price_words(price) -> str:  # noqa: ANN001
    if not price.as_of:
        return "not known"
    amounts = (
        ("a second", price.per_second_micros),
        ("a job", price.per_job_micros),
        ("a result", price.per_result_micros),
    )
    said = [f"${micros / 1e6:g} {what}" for what, micros in amounts if micros]
    least = f", at least ${price.least_micros / 1e6:g}" if price.least_micros else ""
    return f"{' + '.join(said) or 'free'}{least} ({price.as_of})"


def lines() -> Iterator[str]:
    found = catalogue()
    called = [m for m in found.models.values() if m.adapter and m.network]
    services = sorted((s for s in found.services.values()), key=lambda s: s.label.lower())
    yield HEAD
    yield "## Capability by provider\n"
    yield f"| service | models | {' | '.join(SHORT.values())} |"
    yield f"|---|---|{'---|' * len(SHORT)}"
    for service in services:
        mine = [m for m in called if m.provider == service.id]
        modes = {mode for m in mine for mode in m.modes}
        yield f"| {service.label} | {len(mine)} | {' | '.join('x' if mode in modes else '' for mode in SHORT)} |"
    yield "\nMidjourney, Meta Movie Gen and VideoJAM have no public API: *Import Take* brings in what was made there.\n"
    yield "## How each was checked\n"
    yield "| service | how | a lost create | cancel | keeps |"
    yield "|---|---|---|---|---|"
    for service in services:
        mine = [m for m in called if m.provider == service.id]
        lost = ", ".join(sorted({m.job.idempotency.replace("_", " ") for m in mine}))
        stop = ", ".join(sorted({m.job.cancel.replace("_", " ") for m in mine}))
        yield f"| {service.label} | {service.verified} | {lost} | {stop} | {service.retention} |"
    yield "\n## Models\n"
    yield "| model | does | price | unconfirmed |"
    yield "|---|---|---|---|"
    for m in sorted(called, key=lambda m: m.id):
        does = ", ".join(SHORT.get(mode, mode) for mode in m.modes)
        yield f"| `{m.id}` | {does} | {price_words(m.price)} | {'; '.join(m.unconfirmed)} |"
    yield "\n## Unconfirmed about services\n"
    for service in services:
        if service.unconfirmed:
            yield f"* **{service.label}**: {'; '.join(service.unconfirmed)}."


def main(arguments: list[str]) -> int:
    text = "\n".join(lines()) + "\n"
    if "--check" in arguments:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(
            "docs/providers.md is not what the catalogue says: run scripts/providers_table.py",
            file=sys.stderr,
        )
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
