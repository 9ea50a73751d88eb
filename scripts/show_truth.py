# SPDX-License-Identifier: GPL-3.0-or-later
"""The contact sheet of all passes of one frame: `python scripts/show_truth.py TRUTH_FOLDER FRAME PART OUT.jpg`.

Needs no Blender: numpy, OpenCV and Pillow (the environment `pure`).
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
ROWS = (
    ("Picture", "what the artist sees,\nand the light behind it", ("beauty", "linear", "parts", "ids")),
    ("Parts", "seen, whole, certain", ("matte", "whole", "sure", "uv")),
    ("Space", "planar, along the ray,\nand where it is", ("depth", "distance", "position", "normal_world")),
    ("Surface, motion", "facing, to the next frame\nand to the previous one", ("normal", "vector", "vector_back")),
)  # fmt: skip


def main() -> int:
    """Writes the sheet; 0."""
    sys.path.insert(0, str(ROOT))
    import tests.conftest  # noqa: F401  (makes the checkout importable as holdfast)

    def module(name: str):  # noqa: ANN202
        return importlib.import_module(f"holdfast.{name}")

    views, contact = module("pipeline.view_colours"), module("finishing.contact")
    pictures = module("pipeline.pictures")
    folder, frame, part, out = sys.argv[1:5]
    truth = module("pipeline.truth").GroundTruth.open(folder)

    def picture(kind: str) -> np.ndarray:
        if kind == "beauty":
            return truth.beauty(int(frame))
        if kind == "linear":  # as it is, without a view: light above 1 is cut off
            return np.rint(np.clip(truth.linear(int(frame)), 0, 1) * 255).astype(np.uint8)
        view = views.VIEWS[kind]
        span = views.measured(truth, view, list(truth.frames))
        drawn = view.draw(truth, int(frame), part, span)
        return np.rint(np.clip(drawn, 0, 1) * 255).astype(np.uint8)

    rows = [
        contact.Row(label, note, [(picture(kind), views.VIEWS[kind].label) for kind in kinds])
        for label, note, kinds in ROWS
    ]
    title = f"Frame {frame}, {truth.size[0]} x {truth.size[1]}; mattes of the part {part}"
    lettering = module("finishing.lettering").Lettering()
    sheet = contact.contact_sheet("Ground truth", title, rows, lettering)
    pictures.write_picture(out, sheet)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
