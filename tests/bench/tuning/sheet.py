# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets to look at: scenes x looks, and every fault at its visible dose beside the clean frame.

python -m tests.bench.tuning.sheet OUT.png [--cache FOLDER] [--size 640x360]   (also writes OUT-faults.png)
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from . import DOSES, LOOKS, VARIANTS, VISIBLE, Fault, Studio, library, targets

HOME = {"text": "logo", "not_back": "occlusion", "not_hidden": "occlusion", "merge": "joint", "swap": "crowd", "joint": "hinge",
        "slip": "slider", "boil": "tumble", "slide": "tumble", "ghost": "handheld", "intruder": "handheld"}  # fmt: skip


def tile(picture: np.ndarray, text: str, width: int) -> np.ndarray:
    h, w = picture.shape[:2]
    out = cv2.resize(picture, (width, round(h * width / w)), interpolation=cv2.INTER_AREA)
    cv2.putText(out, text, (5, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(out, text, (5, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
    return out


def looks_sheet(studios: dict[str, Studio], names: list[str], width: int = 240) -> np.ndarray:
    rows = []
    for name, studio in studios.items():
        index = int(studio.scene.frames * 0.55)
        rows.append(np.hstack([tile(studio.frame(look, index), f"{name} {look}", width) for look in names]))
    return np.vstack(rows)


def faults_sheet(
    studios: dict[str, Studio], look: str, doses: dict[str, float], width: int = 320
) -> np.ndarray:
    """Three columns of clean | faulty | difference x 4, cropped around the part."""
    cells = []
    for kind in DOSES:
        studio = studios[HOME.get(kind, "tumble")]
        found = targets(studio.scene).get(kind)
        if not found:
            continue
        for variant in VARIANTS.get(kind, ("",)):
            at = found[0]
            index = (at.frames[0] + at.frames[1]) // 2
            fault = Fault(kind, at.part, at.frames, doses[kind], at.other, variant)
            clean, bad = studio.frame(look, index), studio.frame(look, index, (fault,))
            apart = np.clip(np.abs(clean.astype(int) - bad) * 4, 0, 255).astype(np.uint8)
            text = f"{kind} {variant} {doses[kind]:g} {DOSES[kind][1]}"
            cells.append(
                np.hstack(
                    [tile(clean, studio.scene.name, width), tile(bad, text, width), tile(apart, "", width)]
                )
            )
    cells += [np.zeros_like(cells[0])] * (len(cells) % 2)
    return np.vstack([np.hstack(cells[i : i + 2]) for i in range(0, len(cells), 2)])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--cache", default=None)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--look", default="beauty")
    parser.add_argument("--only", choices=("looks", "faults"))
    args = parser.parse_args()
    w, h = (int(v) for v in args.size.split("x"))
    studios = {scene.name: Studio(scene, args.cache) for scene in library((w, h))}
    if args.only != "faults":
        cv2.imwrite(str(args.out), looks_sheet(studios, list(LOOKS))[..., ::-1])
    if args.only != "looks":
        path = args.out.with_name(f"{args.out.stem}-faults.png")
        cv2.imwrite(str(path), faults_sheet(studios, args.look, VISIBLE)[..., ::-1])


if __name__ == "__main__":
    main()
