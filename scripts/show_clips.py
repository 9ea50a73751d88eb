# SPDX-License-Identifier: GPL-3.0-or-later
"""Control clips for the documentation: the table of models in docs/clips.md, and a sheet of what clips look like.

show_clips.py                              writes the table
show_clips.py TRUTH [--frame N]            draws docs/images/truth/clips.png from a package of ground truth
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import tests.conftest  # noqa: E402, F401  makes the checkout importable as holdfast

# isort: split
from holdfast.clients.descriptor import Descriptor  # noqa: E402
from holdfast.clients.registry import steered  # noqa: E402
from holdfast.finishing.contact import Row, contact_sheet  # noqa: E402
from holdfast.finishing.lettering import Lettering  # noqa: E402
from holdfast.pipeline.context import Context  # noqa: E402
from holdfast.pipeline.controls import Control, SizeRule, check_control  # noqa: E402
from holdfast.pipeline.fitting import fit_size  # noqa: E402
from holdfast.pipeline.pictures import U8, write_picture  # noqa: E402
from holdfast.pipeline.truth import GroundTruth  # noqa: E402
from holdfast.rendering.clips.depth import find_range  # noqa: E402
from holdfast.rendering.clips.pictures import Frame, Look  # noqa: E402

PAGE = ROOT / "docs" / "clips.md"
PICTURE = ROOT / "docs" / "images" / "truth" / "clips.png"
BEGIN, END = "<!-- models: scripts/show_clips.py writes this -->\n", "<!-- end of models -->"


def table() -> str:
    """The models as a Markdown table."""
    lines = ["| model | clips | size | frames | rate | unconfirmed |", "|---|---|---|---|---|---|"]
    for name, model in steered().items():
        cells = (f"`{name}`<br>{model.label}", _kinds(model), _size(model), _count(model), _rate(model),
                 ", ".join(model.controls.unconfirmed) or "-")  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _kinds(model: Descriptor) -> str:
    words = []
    for kind, one in model.controls.kinds.items():
        more = [one.white and f"white = {one.white}"] if kind in ("depth", "matte", "edges") else []
        more += [str(one.count[1])] if kind == "keys" and one.count[1] else []
        more += [{"extracted": "it makes its own", "prompt_reference": "by the prompt"}.get(one.source, "")]
        more += [one.codec] if one.codec != "h264" and kind not in ("first", "last", "keys") else []
        said = ", ".join(word for word in more if word)
        words.append(f"{kind} ({said})" if said else kind)
    return "; ".join(words)


def _size(model: Descriptor) -> str:
    rule = model.controls.size
    if rule.exact:
        return " ".join(f"{width}x{height}" for width, height in rule.exact)
    words = [f"up to {rule.max[0]}x{rule.max[1]}" if rule.max[0] else "any"]
    words += [f"from {rule.min} px"] if rule.min else []
    words += [f"by {rule.multiple}"] if rule.multiple > 2 else []
    return ", ".join([*words, " ".join(rule.ratios)]).strip(", ")


def _count(model: Descriptor) -> str:
    rule = model.controls.count
    words = [rule.name]
    if rule.frames != (1, 0):
        words.append(f"{rule.frames[0]}-{rule.frames[1]}" if rule.frames[1] else f"from {rule.frames[0]}")
    if rule.seconds[1]:
        words.append(f"{rule.seconds[0]:g}-{rule.seconds[1]:g} s")
    return ", ".join(words)


def _rate(model: Descriptor) -> str:
    rule = model.controls.rate
    if rule.rates:
        return " ".join(rule.rates)
    return f"{rule.min or ''}-{rule.max or ''}" if rule.min or rule.max else "the shot's"


def with_table(text: str) -> str:
    """The page with its table written anew."""
    head, rest = text.split(BEGIN)
    return head + BEGIN + table() + END + rest.split(END)[1]


def sheet(truth: GroundTruth, number: int) -> U8:
    """Every kind at one frame, with what a contract may ask of it."""
    ends = find_range(truth, Context())
    wide = fit_size(truth.size, SizeRule(16, (1280, 720)))
    parts, every = truth.names[1:2] or truth.names, truth.names

    def drawn(
        kind: str, said: str, fit: Any = wide, names: Iterable[str] = every, change: bool = True, **more: Any
    ) -> tuple[U8, str]:
        look = Look(check_control(Control(kind, **{"codec": "png", **more}), ""), ends, tuple(names), change)
        picture = Frame(truth, number, fit).draw(look)
        return (picture if picture.ndim == 3 else picture[..., None].repeat(3, 2)), said

    square = fit_size(truth.size, SizeRule(exact=((960, 960),)))
    cut = fit_size(truth.size, SizeRule(2, (720, 720), ratios=("1:1",), fill="crop"))
    rows = [
        Row("Depth", f"{ends.near:g}-{ends.far:g} m in every frame", [
            drawn("depth", "white = near, disparity"), drawn("depth", "linear", curve="linear"),
            drawn("depth", "log", curve="log"), drawn("depth", "white = far", white="far")]),
        Row("Edges", "from geometry, not the picture", [
            drawn("edges", "2 px"), drawn("edges", "1 px", line_px=1.0), drawn("edges", "4 px", line_px=4.0),
            drawn("edges", "white = paper", white="paper")]),
        Row("Normals, colours", "camera space; flat ids", [
            drawn("normals", "OpenGL"), drawn("normals", "DirectX", axes="directx"), drawn("ids", "ids: never as 4:2:0"),
            drawn("beauty", "beauty")]),
        Row("Mattes", "a part, or several", [
            drawn("matte", f"{parts[0]}, white = change", names=parts),
            drawn("matte", f"{parts[0]}, white = keep", names=parts, white="keep"),
            drawn("matte", "all parts, white = change"), drawn("matte", "keep them, white = change", change=False)]),
        Row("Fit", "padded or cropped, undone exactly", [
            drawn("beauty", f"{square.clip[0]}x{square.clip[1]}, padded", square), drawn("depth", "depth", square),
            drawn("matte", "matte: padding is kept", square), drawn("edges", f"{cut.clip[0]}x{cut.clip[1]}, cropped", cut)]),
    ]  # fmt: skip
    return contact_sheet(
        "Control clips", f"Frame {number}, {truth.size[0]}x{truth.size[1]}", rows, Lettering()
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truth", nargs="?", type=Path)
    parser.add_argument("--frame", type=int)
    chosen = parser.parse_args(arguments)
    if chosen.truth is None:
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    truth = GroundTruth.open(chosen.truth)
    write_picture(PICTURE, sheet(truth, chosen.frame or truth.frames[len(truth.frames) // 2]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
