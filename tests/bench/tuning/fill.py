# SPDX-License-Identifier: GPL-3.0-or-later
"""Fills a cache with the truth and all clean pictures: python -m tests.bench.tuning.fill FOLDER [SCENE ...] [--looks a,b]"""

import argparse
import time

import cv2

from . import LOOKS, Studio, library


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("scenes", nargs="*")
    parser.add_argument("--looks", default=",".join(LOOKS))
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--size", default="640x360")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    w, h = (int(v) for v in args.size.split("x"))
    for scene in library((w, h), args.frames):
        if args.scenes and scene.name not in args.scenes:
            continue
        start, studio = time.time(), Studio(scene, args.folder)
        for index in range(scene.frames):
            studio.sure(index)
            for look in args.looks.split(","):
                studio.painted(look, index)
        print(f"{scene.name} {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
