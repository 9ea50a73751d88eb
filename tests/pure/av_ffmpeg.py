# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for ffmpeg where there is none: understands what ``pipeline.encode.ffmpeg_args`` says, encodes with PyAV.

``python av_ffmpeg.py <arguments of ffmpeg>``
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np


def bt709(rgb: np.ndarray, full: bool) -> list[np.ndarray]:
    """Planes Y, U, V (4:2:0) of (H, W, 3) uint8 RGB."""
    red, green, blue = np.moveaxis(rgb.astype(np.float64) / 255, -1, 0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    planes = [luma, (blue - luma) / 1.8556, (red - luma) / 1.5748]
    spans = (255, 255, 255) if full else (219, 224, 224)
    levels = [p * s + o for p, s, o in zip(planes, spans, (0 if full else 16, 128, 128), strict=True)]
    small = [p.reshape(p.shape[0] // 2, 2, p.shape[1] // 2, 2).mean((1, 3)) for p in levels[1:]]
    return [np.rint(p).clip(0, 255).astype(np.uint8) for p in (levels[0], *small)]


def fill(frame: av.VideoFrame, planes: list[np.ndarray]) -> None:
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : values.shape[1]] = values
        plane.update(rows.tobytes())


def main(argv: list[str]) -> None:
    def said(name: str) -> str:
        return argv[argv.index(name) + 1]

    pattern, count, rate = said("-i"), int(said("-frames:v")), Fraction(said("-framerate"))
    h264, full = said("-c:v") == "libx264", "out_range=pc" in " ".join(argv)
    with av.open(argv[-1], "w") as container:
        quality = next(name for name in ("qp", "crf", "level") if f"-{name}" in argv)
        options = {quality: said(f"-{quality}")} | ({"preset": "veryfast"} if h264 else {})
        stream = container.add_stream(said("-c:v"), rate=rate, options=options)
        stream.pix_fmt = "yuv420p" if h264 else "bgr0"
        if h264:
            context = stream.codec_context
            context.color_primaries = context.color_trc = context.colorspace = 1
            context.color_range = 2 if full else 1
        for number in range(1, count + 1):
            bgr = cv2.imdecode(np.fromfile(Path(pattern % number), np.uint8), cv2.IMREAD_COLOR)
            if number == 1:
                stream.height, stream.width = bgr.shape[:2]
            if h264:
                frame = av.VideoFrame(bgr.shape[1], bgr.shape[0], "yuv420p")
                fill(frame, bt709(bgr[..., ::-1], full))
            else:
                frame = av.VideoFrame(bgr.shape[1], bgr.shape[0], "bgr0")
                wide = np.dstack([bgr, np.zeros_like(bgr[..., :1])])
                fill(frame, [wide.reshape(len(bgr), -1)])
            container.mux(stream.encode(frame))
            print(f"frame={number}", flush=True)
        container.mux(stream.encode())


if __name__ == "__main__":
    main(sys.argv[1:])
