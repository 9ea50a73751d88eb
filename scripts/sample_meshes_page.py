# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/mesh-table.md out of the rows that scripts/sample_meshes.py measured."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import Any

Row = dict[str, Any]
FAULTS = (
    ("holes", "holes"), ("crowded_edges", "crowded edges"), ("pinched_vertices", "pinched vertices"),
    ("degenerate", "degenerate"), ("duplicate_faces", "duplicate"), ("flipped", "flipped"),
    ("one_sided", "one-sided"), ("internal_shells", "inner shells"), ("crossing", "cut others"),
)  # fmt: skip
HEAD = """# Meshes that nobody made for us

Written by `scripts/sample_meshes.py table`; fetch and measure as its first lines say. The meshes come out of packages by
name and version and are not kept in the repository. One unit of a file is read as a metre, so sizes and volumes of many
are in no unit that means anything; the distance that repair moved the surface is given as a share of the size.

Seconds are of one process on one core, not of the clock on the wall. *Cut others* is the search for faces that go through
each other. Before and after are said by the referees: trimesh (every edge has two faces; and a positive volume, all faced
one way) and manifold3d (takes it as a solid). Before, vertices in one place are joined; after, the mesh is taken as it is.
"""


def page(rows: list[Row], licences: Iterable[tuple[str, str, str, int]]) -> str:
    """The page."""
    parts = [HEAD, figures(rows), "## What came out\n", table([row for row in rows if "card" in row]),
             "\n## Refused, or for Blender alone\n", refusals([row for row in rows if "card" not in row]),
             "\n## Where they come from\n", sources(licences)]  # fmt: skip
    return "\n".join(parts) + "\n"


def figures(rows: list[Row]) -> str:
    done = [row for row in rows if "card" in row]
    faces = [row for row in done if row["triangles"] > 0]
    mended = [row for row in faces if row["after"]["solid"] and not row["before"]["solid"]]
    told = {
        "files": len(rows), "inspected and repaired without Blender": len(done),
        "watertight before (trimesh)": share(row["before"]["watertight"] for row in faces),
        "watertight after (trimesh)": share(row["after"]["watertight"] for row in faces),
        "solid before (both referees)": share(row["before"]["solid"] and row["before"]["manifold"] for row in faces),
        "solid after (both referees)": share(row["after"]["solid"] and row["after"]["manifold"] for row in faces),
        "solid after, and no faces that cut others": share(
            row["after"]["solid"] and row["after"]["manifold"] and not number(row, "crossing") for row in faces),
        "still solid when vertices in one place are joined again, as a file without indices does": share(
            row["joined"]["solid"] and row["joined"]["manifold"] for row in faces),
        "surface moved, of those that were no solid and became one: median of the worst":
            f"{100 * median(moved(row) for row in mended):.2g} % of the size",
        "the same: median of the mean": f"{100 * median(moved(row, 1) for row in mended):.1g} % of the size",
        "our card says watertight where trimesh does": agreement(faces),
    }  # fmt: skip
    lines = "\n".join(f"| {label} | {value} |" for label, value in told.items())
    return f"| | |\n|---|---|\n{lines}\n\n{speed(done)}\n"


def share(flags: Iterable[bool]) -> str:
    values = [bool(flag) for flag in flags]
    return f"{sum(values)} of {len(values)} ({100 * sum(values) / max(len(values), 1):.0f} %)"


def moved(row: Row, which: int = 0) -> float:
    """Worst (0) or mean (1) distance between old and new as a share of the size."""
    return row["deviation"][which] / row["size"] if row["deviation"] and row["size"] else 0.0


def agreement(rows: list[Row]) -> str:
    return share((number(row, "watertight") == "yes") == row["before"]["watertight"] for row in rows)


def number(row: Row, key: str) -> Any:
    return next(line["value"] for line in row["card"] if line["key"] == key)


def speed(rows: list[Row]) -> str:
    """How long the larger ones took."""
    large = sorted((row for row in rows if row["triangles"] > 60_000), key=lambda row: row["triangles"])
    lines = [
        f"| {row['name']} | {row['triangles']:,} | {row['check_s']:.1f} | {row['inspect_s']:.1f} | {row['crossing_s']:.1f} "
        f"| {row['repair_s']:.1f} |"
        for row in large
    ]
    head = "| the larger ones | triangles | check, s | inspect, s | cut others, s | repair, s |\n|---|---|---|---|---|---|\n"
    return head + "\n".join(lines)


def table(rows: list[Row]) -> str:
    head = "| mesh | what it is | the card | what repair did | s | before | after |\n|---|---|---|---|---|---|---|\n"
    return head + "\n".join(line(row) for row in rows)


def line(row: Row) -> str:
    seconds = row["check_s"] + row["inspect_s"] + row["crossing_s"] + row["repair_s"]
    cells = [f"{row['package'].split()[0]}<br>{row['name']}", kind(row), card(row), repaired(row), f"{seconds:.1f}",
             verdict(row["before"]), verdict(row["after"])]  # fmt: skip
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def kind(row: Row) -> str:
    extra = [f"{row[key]} {what}" for key, what, usual in (
        ("materials", "materials", 1), ("instances", "instances", 1), ("skins", "skins", 0), ("textures", "textures", 0),
        ("missing", "missing textures", 0)) if row[key] > usual]  # fmt: skip
    return ", ".join([row["format"], f"{row['triangles']:,} triangles", *extra])


def card(row: Row) -> str:
    found = [f"{number(row, key):,} {what}" for key, what in FAULTS if number(row, key)]
    shells = number(row, "shells")
    uv = [f"UV overlap {v:.0f} %" for v in [number(row, "uv_overlap")] if isinstance(v, float) and v >= 1]
    return ", ".join([*found, *([f"{shells:,} shells"] if shells != 1 else []), *uv]) or "no fault"


def repaired(row: Row) -> str:
    did = row["did"].split(", moved by")[0].rstrip(".")
    away = f"; moved {100 * moved(row):.2g} % at worst" if row["deviation"] and moved(row) > 1e-9 else ""
    says = f". {row['says'][0]}" if row["says"] else ""
    more = f" ({len(row['says']) - 1} more such)" if len(row["says"]) > 1 else ""
    return did + away + says + more


def verdict(said: Row) -> str:
    if said["solid"] and said["manifold"]:
        return "solid"
    return "watertight" if said["watertight"] else "open"


def refusals(rows: list[Row]) -> str:
    lines = [
        f"| {row['package'].split()[0]}<br>{row['name']} | {row['refused']}{'; ' + ' '.join(row['notes']) if row.get('notes') else ''} |"
        for row in rows
    ]
    return "| mesh | what is said of it |\n|---|---|\n" + "\n".join(lines) + "\n"


def sources(licences: Iterable[tuple[str, str, str, int]]) -> str:
    head = "| package | version | licence of the package | meshes |\n|---|---|---|---|\n"
    made = (
        "\n\n`hand_meshopt.glb` and `hand_draco.glb` are `generic-hand/left.glb` packed by gltfpack 1.3.0 and gltf-pipeline "
        "4.3.1; `bunny_1m.ply` is `StanfordBunny.ply` with each triangle divided into sixteen. No package was found that "
        "ships such files, nor an FBX."
    )
    return (
        head + "\n".join(f"| {n} | {v} | {licence} | {count} |" for n, v, licence, count in licences) + made
    )
