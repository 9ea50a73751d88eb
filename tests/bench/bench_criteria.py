# SPDX-License-Identifier: GPL-3.0-or-later
"""What the criteria measure on clean looks and on planted violations, beside their limits; and what a frame costs.

A table for each criterion: the worst value of every clean look, then of the violations by dose.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
from holdfast.pipeline.truth import PartInfo
from holdfast.validation.anchors import Rig
from holdfast.validation.criteria import _areas, _colours, _outside, hexed
from holdfast.validation.criteria_background import LIMIT_SHARE, Backdrop, compare_all
from holdfast.validation.criteria_palette import LIMIT_DE, Palette
from holdfast.validation.criteria_readable import LIMIT_LIKE, read
from holdfast.validation.plates import Plate, load_plate

from .tuning import LOOKS, Fault, Source, Studio, library

FRAMES, STEP = 40, 5
Say = Callable[[str], None]


class Invented(Source):
    """A take with a background of its own: ``wrong`` one of WRONG, ``dose`` in code values, px at 1080p or share."""

    wrong, dose = "", 0.0

    def frame(self, frame: int) -> np.ndarray:
        out = super().frame(frame).astype(np.float32)
        behind = self.ids(frame) == 0
        return np.clip(np.where(behind[..., None], WRONG[self.wrong](self, frame, out), out), 0, 255).astype(
            np.uint8
        )

    def cloud(self, seed: int) -> np.ndarray:
        w, h = self.size
        small = np.random.default_rng(seed).normal(0, 1, (h // 30 + 2, w // 30 + 2)).astype(np.float32)
        return cv2.resize(small, self.size, interpolation=cv2.INTER_CUBIC)[..., None]


def _boil(take: Invented, frame: int, out: np.ndarray) -> np.ndarray:
    return out + take.dose * take.cloud(1000 + frame)


def _patch(take: Invented, frame: int, out: np.ndarray) -> np.ndarray:
    side = np.sqrt(take.dose)
    h, w = int(take.size[1] * side), int(take.size[0] * side)
    new = out.copy()
    if frame >= FRAMES // 2:
        new[:h, :w] = (90, 140, 60)
    return new


def _slide(take: Invented, frame: int, out: np.ndarray) -> np.ndarray:
    far = take.dose * take.size[0] / 1920 * frame / FRAMES
    move = np.float32([[1, 0, -far], [0, 1, 0]])
    return cv2.warpAffine(out, move, take.size, borderMode=cv2.BORDER_REFLECT)


WRONG: dict[str, Callable[[Invented, int, np.ndarray], np.ndarray]] = {
    "boil": _boil,
    "patch": _patch,
    "slide": _slide,
}
DOSES = {"boil": (3.0, 6.0, 12.0), "patch": (0.04, 0.1, 0.25), "slide": (10.0, 30.0, 60.0)}


def plates(source: Source) -> list[Plate]:
    return [load_plate(source, source, f, f, (0.0, 0.0)) for f in range(0, FRAMES, STEP)]


def background(source: Source) -> tuple[float, float]:
    """(largest share that changes, ms a frame)."""
    frames = range(0, FRAMES, STEP)
    rig = Rig({f: source.poses(f) for f in frames}, {f: source.camera(f) for f in frames})
    loaded = plates(source)
    started = time.process_time()
    found = compare_all(rig, [Backdrop.of(plate) for plate in loaded], LIMIT_SHARE)
    return float(np.nanmax(found.change)), 1000 * (time.process_time() - started) / len(loaded)


def palette(clean: Source, take: Source) -> float:
    """Largest value of any part, against the colours that its parts and wall have in the clean take."""
    parts = [PartInfo(i + 1, name, name, name) for i, name in enumerate(clean.studio.scene.names)]
    seen = plates(clean)
    tables = ([_colours(plate, number) for plate in seen] for _, number in _areas(parts))
    colours = [
        hexed(np.median(np.concatenate(table), axis=0)) for table in tables if sum(map(len, table)) > 30
    ]
    given = Palette(colours)
    shown = seen if take is clean else plates(take)
    return float(
        np.nanmax([[_outside(plate, number, given) for _, number in _areas(parts)] for plate in shown])
    )


def likeness(take: Source) -> float:
    """Smallest share of the drawing on the plate that is as in the render."""
    number = take.studio.scene.names.index("plate") + 1
    return float(np.nanmin([read(plate, number).share for plate in plates(take)]))


def rows(studio: Studio, looks: Sequence[str]) -> Iterator[str]:
    """Lines of the table of a scene."""
    scene = studio.scene
    for look in looks:
        clean = Source(studio, look)
        share, cost = background(clean)
        line = f"{scene.name:12}{look:12}{share:>8.3f}{cost:>8.0f} ms"
        if scene.name != "logo":  # its ink is a colour that the median of a part does not give
            line += f"{palette(clean, clean):>9.1f}"
        yield line + (f"{likeness(clean):>19.3f}" if scene.name == "logo" else "")
    for wrong, doses in DOSES.items():
        take = Invented(studio, "natural")
        take.wrong, shares = wrong, []
        for take.dose in doses:
            shares.append(background(take)[0])
        yield f"{scene.name:12}{wrong:12}" + "  ".join(
            f"{d:g}: {s:.3f}" for d, s in zip(doses, shares, strict=True)
        )
    part, all_frames = scene.names[0], (0, FRAMES - 1)
    clean = Source(studio, "ink_wash")
    found = [
        (dose, palette(clean, Source(studio, "ink_wash", (Fault("colour", part, all_frames, dose),))))
        for dose in (15.0, 25.0)
    ]
    yield f"{scene.name:12}{'colour dE76':12}" + "  ".join(f"{dose:g}: {value:.1f}" for dose, value in found)
    if scene.name == "logo":
        for look in looks:
            found = [
                (dose, likeness(Source(studio, look, (Fault("text", "plate", all_frames, dose),))))
                for dose in (0.15, 0.3, 0.6)
            ]
            yield f"{'logo':12}{look:12}scrambled " + "  ".join(
                f"{dose:g}: {value:.3f}" for dose, value in found
            )


def main(say: Say = print) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", default="joint,handheld,crowd,logo")
    parser.add_argument("--looks", default=",".join(LOOKS))
    parser.add_argument("--width", type=int, default=480)
    parser.add_argument("--cache", default="build/tuning")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    say(
        f"limits: background {LIMIT_SHARE} (share), palette {LIMIT_DE} (dE2000), likeness {LIMIT_LIKE} (share, at least)"
    )
    say(f"{'scene':12}{'look':12}{'backgr.':>8}{'a frame':>11}{'palette':>9}{'likeness':>10}")
    for scene in library((chosen.width, chosen.width * 9 // 16), FRAMES):
        if scene.name in chosen.scenes.split(","):
            for line in rows(Studio(scene, chosen.cache), chosen.looks.split(",")):
                say(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
