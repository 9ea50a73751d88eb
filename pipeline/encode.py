# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbered PNG frames -> a film of exact rational rate, checked afterwards: H.264 in MP4 (yuv420p, BT.709) for
master and control clips, or FFV1 in Matroska, which gives every pixel back.

Two encoders are tried in order: an ffmpeg that the artist has, else Blender's own in a child process.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .context import Context
from .errors import HoldfastError, InputError
from .mp4 import BT709, VideoTrack, read_video_track, tag_bt709
from .pictures import U8, read_picture, write_picture
from .store import write_json, writing

_TICK = 0.02
_PATIENCE = 600.0
"""Seconds without a new line after which an encoder counts as hung."""


@dataclass(frozen=True)
class Clip:
    """``folder/NNNN.png`` from 0001 on; ``size`` even, as 4:2:0 needs; ``fps`` = (numerator, denominator).

    ``codec`` is h264 or ffv1, whose quality ``crf`` does not touch; ``exact`` H.264 takes no notice of it either: grey
    values come back within five levels, hard edges of a matte too, where any rate factor leaves errors of up to 64.
    ``full_range`` H.264 has 0..255 instead of 16..235, which Blender can't write.
    """

    folder: str
    count: int
    size: tuple[int, int]
    fps: tuple[int, int]
    crf: int
    codec: str = "h264"
    exact: bool = False
    full_range: bool = False


@dataclass(frozen=True)
class Encoders:
    """argv prefixes: of ffmpeg, and of what runs ``encode_in_blender.py`` up to the request's path; [] = none.

    ``blender_bt601``: that Blender converts by the BT.601 matrix while tagging BT.709, as all before 4.4 do.
    """

    ffmpeg: Sequence[str] = ()
    blender: Sequence[str] = ()
    blender_bt601: bool = False


def ffmpeg_args(clip: Clip, out: Path) -> list[str]:
    """What follows the name of ffmpeg. Matrix and tags are explicit: unflagged, ffmpeg converts by BT.601."""
    rate = f"{clip.fps[0]}/{clip.fps[1]}"
    span = "pc" if clip.full_range else "tv"
    scale = f"scale=in_range=pc:out_range={span}:out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int"
    source = [
        "-hide_banner", "-loglevel", "error", "-y", "-framerate", rate, "-start_number", "1",
        "-i", str(Path(clip.folder) / "%04d.png"), "-frames:v", str(clip.count),
    ]  # fmt: skip
    if clip.codec == "ffv1":
        lossless = ["-c:v", "ffv1", "-level", "3", "-g", "1", "-pix_fmt", "bgr0"]
        return [*source, *lossless, "-r", rate, "-progress", "pipe:1", str(out)]
    quality = ["-qp", "3"] if clip.exact else ["-crf", str(clip.crf)]
    return [
        *source,
        "-vf", f"{scale},format=yuv420p,setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709",
        "-c:v", "libx264", "-preset", "medium", *quality, "-g", str(max(clip.fps[0] // clip.fps[1], 1)),
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", span,
        "-r", rate, "-movflags", "+faststart", "-progress", "pipe:1", str(out),
    ]  # fmt: skip


def _follow(argv: Sequence[str], log: Path, seen: Callable[[str], None], ctx: Context) -> None:
    """Runs ``argv`` to its end, passing every line it prints to ``seen``. Raises HoldfastError, Cancelled."""
    with log.open("wb") as sink, log.open(encoding="utf-8", errors="replace") as lines:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT)
        heard = time.monotonic()
        try:
            while process.poll() is None:
                ctx.cancel.check()
                for line in lines:
                    heard = time.monotonic()
                    seen(line)
                if time.monotonic() - heard > _PATIENCE:
                    raise HoldfastError("The encoder stopped answering", where=Path(argv[0]).name)
                time.sleep(_TICK)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    if process.returncode:
        tail = [
            line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()
        ]
        raise HoldfastError(
            f"The encoder failed: {tail[-1] if tail else process.returncode}", where=Path(argv[0]).name
        )


def _frame_counter(clip: Clip, ctx: Context) -> Callable[[str], None]:
    """Understands ``frame=12`` (ffmpeg) and ``... append frame 12`` (Blender)."""

    def seen(line: str) -> None:
        words = line.replace("=", " ").lower().split()
        if "frame" in words[:-1] and (number := words[words.index("frame") + 1]).isdigit():
            ctx.progress(min(int(number) / clip.count, 1.0), f"Encoding frame {number} of {clip.count}")

    return seen


def check_master(track: VideoTrack, clip: Clip) -> None:
    """Raises HoldfastError if the file does not hold what was asked for."""
    wanted = (clip.count, tuple(clip.size), clip.fps[0] * track.fps.denominator)
    found = (track.frames, track.size, track.fps.numerator * clip.fps[1])
    if wanted != found or track.codec not in ("avc1", "avc3"):
        said = f"{track.frames} frames {track.size[0]}x{track.size[1]} at {track.fps} of {track.codec}"
        raise HoldfastError(f"The encoder wrote something else than it was asked for: {said}")
    if track.colour != BT709 or track.full_range is not clip.full_range:
        raise HoldfastError(f"The film is not tagged BT.709 in its range but {track.colour}")


def check_lossless(path: Path, clip: Clip) -> VideoTrack:
    """What is in a lossless file. Raises HoldfastError if a decoded frame differs from its picture."""
    film = cv2.VideoCapture(str(path))
    try:
        for number in range(1, clip.count + 1):
            there, frame = film.read()
            wanted = read_picture(Path(clip.folder) / f"{number:04d}.png")
            if not there or not np.array_equal(frame[..., ::-1], wanted):
                raise HoldfastError(f"Frame {number} came back changed from a lossless file", where=path.name)
        if film.read()[0]:
            raise HoldfastError("The encoder wrote more frames than it was asked for", where=path.name)
        rate = Fraction(film.get(cv2.CAP_PROP_FPS)).limit_denominator(1001)
    finally:
        film.release()
    if abs(rate - Fraction(*clip.fps)) > Fraction(1, 1000):
        raise HoldfastError(f"The encoder wrote {rate} frames a second", where=path.name)
    return VideoTrack("ffv1", clip.size, clip.count, Fraction(*clip.fps), None, True, False)


def encode(clip: Clip, out: Path, encoders: Encoders, ctx: Context) -> tuple[VideoTrack, str]:
    """Writes ``out`` whole or not at all; returns what is in it and which encoder made it.

    Raises HoldfastError if no encoder could, InputError if none is given, Cancelled, StorageError.
    """
    if clip.codec == "h264" and (clip.size[0] % 2 or clip.size[1] % 2):
        raise InputError("H.264 4:2:0 needs an even width and height", where=f"{clip.size[0]}x{clip.size[1]}")
    failures: list[str] = []
    for name, prefix in (("ffmpeg", encoders.ffmpeg), ("blender", encoders.blender)):
        if not prefix or (clip.full_range and name == "blender"):
            continue
        try:
            bt601 = clip.codec == "h264" and name == "blender" and encoders.blender_bt601
            return _encode_with(name, prefix, clip, out, ctx, bt601=bt601), name
        except (HoldfastError, OSError) as error:
            ctx.cancel.check()
            failures.append(f"{name}: {error}")
            ctx.log(failures[-1])
    todo = "Set a working ffmpeg in the preferences."
    nothing = (
        "Blender can't write H.264 of full range" if clip.full_range else "There is nothing to encode with"
    )
    raise HoldfastError("; ".join(failures) or nothing, todo=todo)


def _ycbcr(red: float, blue: float) -> NDArray[np.float64]:
    """(3, 3) from R'G'B' to Y'CbCr for the luma weights of ``red`` and ``blue``."""
    luma = np.array([red, 1 - red - blue, blue])
    chroma_blue = (np.array([0, 0, 1]) - luma) / (2 * (1 - blue))
    chroma_red = (np.array([1, 0, 0]) - luma) / (2 * (1 - red))
    return np.array([luma, chroma_blue, chroma_red])


def bent_for_bt601(rgb: U8) -> U8:
    """(H, W, 3) uint8 that an encoder with the BT.601 matrix turns into the BT.709 code values of ``rgb``."""
    matrix = np.linalg.inv(_ycbcr(0.299, 0.114)) @ _ycbcr(0.2126, 0.0722)
    return np.asarray(cv2.transform(rgb.astype(np.float32), matrix).round().clip(0, 255), np.uint8)


def _bend_frames(clip: Clip, folder: Path, ctx: Context) -> Clip:
    for number in range(1, clip.count + 1):
        ctx.cancel.check()
        name = f"{number:04d}.png"
        write_picture(folder / name, bent_for_bt601(read_picture(Path(clip.folder) / name)))
    return replace(clip, folder=str(folder))


def _encode_with(
    name: str, prefix: Sequence[str], clip: Clip, out: Path, ctx: Context, *, bt601: bool
) -> VideoTrack:
    with writing(out) as part, tempfile.TemporaryDirectory(prefix="holdfast-encode-") as folder:
        if bt601:
            clip = _bend_frames(clip, Path(folder), ctx)
        if name == "ffmpeg":
            argv = [*prefix, *ffmpeg_args(clip, part)]
        else:
            request = Path(folder) / "request.json"
            write_json(request, {**asdict(clip), "out": str(part)})
            argv = [*prefix, str(request)]
        _follow(argv, Path(folder) / "log.txt", _frame_counter(clip, ctx), ctx)
        if not part.exists():
            raise HoldfastError("The encoder wrote no file", where=name)
        if clip.codec == "ffv1":
            return check_lossless(part, clip)
        tag_bt709(part, full_range=clip.full_range)
        track = read_video_track(part)
        check_master(track, clip)
    return track
