# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/models.md and its picture, from the records of prove_models.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models import MODELS, PACKAGES, ROOT, SKETCH

PAGE = ROOT / "docs" / "models.md"
PICTURE = ROOT / "docs" / "images" / "models.png"
COLUMNS, TILE, LABEL = 5, 300, 34

HEAD = """# Found models, locked together

Models that nobody made for a joint: scans, figurines, bones, machine parts. `scripts/prove_models.py` fetches them from
pinned packages, makes them a stated size, cuts each in two across an axis, lets Holdfast plant a peg and a bore where
the wall allows the thickest, and runs Physics: lugs and slots fitted, motion baked, proof by contact. Axis and
place of each cut are chosen by hand, the rest is not. After a first round ten cuts were moved: most so that they cross one
limb and leave no loose pieces, two because no lock had found room (vertebra, robot thigh; both are still refused), and the
robot shank's because its lock did not engage there (61.3 degrees against a stop at 60). The thickest peg was lowered from 30
to 18 mm across after the bunny's and the bottle's locks failed their proof at about 30 mm; thicker ones are not proven.
"Open edges" counts those that are open or wound against their neighbour, before with equal corners welded.
Two parts that the offline maker builds from the demo's sketches are there too, cut like the others.

![The halves of every model, drawn apart](images/models.png)
"""


def write(found: list[dict[str, Any]], pictures: list[Path]) -> None:
    """The page and the contact sheet."""
    engaged = sum(record["verdict"] == "engaged" for record in found)
    lines = [HEAD, f"**{engaged} of {len(found)} engaged.**", ""]
    lines += ["| model | what is hard | size mm | triangles | open edges before / after | mended | peg Ø x length mm | verdict | plant s | physics s |",
              "|---|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for record in found:
        lines.append("| " + " | ".join(_cells(record)) + " |")
    lines += [
        "",
        "Seconds are from one run on two cores that were busy with other work, so they only show the order of size.",
    ]
    lines += ["", "## What did not engage", ""]
    left = [f"* **{record['name']}**: {record['says']}" for record in found if record["verdict"] != "engaged"]
    lines += left or ["Nothing."]
    lines += [
        "",
        "## Where they come from",
        "",
        "| model | package | licence of the package | file |",
        "|---|---|---|---|",
    ]
    for model in MODELS:
        if model.package == SKETCH:
            lines.append(
                f"| {model.name} | this extension | GPL-3.0-or-later | `clients/offline/samples/{model.file}.jpg` |"
            )
            continue
        package = PACKAGES[model.package]
        lines.append(
            f"| {model.name} | {package.name} {package.version} | {package.licence} | `{model.file}` |"
        )
    lines += ["", "Models are not part of this repository; their makers' terms hold for them.", ""]
    PAGE.write_text("\n".join(lines), encoding="utf-8")
    _sheet(found, pictures)


def _cells(record: dict[str, Any]) -> list[str]:
    seconds = record["seconds"]
    peg = f"{2 * record['radius_mm']:.1f} x {record['length_mm']:.1f}" if "radius_mm" in record else ""
    boss = ", boss" if record.get("boss") else ""
    return [
        record["name"], record["kind"], f"{record['size_mm']:.0f}", f"{record['triangles']:,}",
        f"{record['open_before']} / {'-' if record['verdict'] == 'refused' else record['open_after']}", "; ".join(record["done"]) or "nothing", peg + boss,
        record["verdict"].replace("_", " "), f"{seconds.get('plant', 0.0):.1f}", f"{seconds.get('physics', 0.0):.1f}",
    ]  # fmt: skip


def _sheet(found: list[dict[str, Any]], pictures: list[Path]) -> None:
    from PIL import Image, ImageDraw, ImageFont

    rows = -(-len(found) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * TILE, rows * (TILE + LABEL)), (250, 249, 246))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(16)
    for index, (record, path) in enumerate(zip(found, pictures, strict=True)):
        x, y = index % COLUMNS * TILE, index // COLUMNS * (TILE + LABEL)
        if path.exists():
            with Image.open(path) as tile:
                sheet.paste(tile, (x, y), tile.convert("RGBA").getchannel("A"))
        ink = (40, 44, 52) if record["verdict"] == "engaged" else (170, 60, 40)
        text = f"{record['name']}: {record['verdict'].replace('_', ' ')}"
        draw.text((x + TILE / 2, y + TILE + 6), text, ink, font, anchor="ma")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(PICTURE, optimize=True)
