# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures made ready to be sent: upright, sRGB, on white, no larger than the model takes, and nothing in them but pixels.

What a camera, a telephone or an editor wrote into the file (place, time, serial number, name, a small preview) stays here:
the file that is sent is written anew from the pixels alone, under the hash of its content.
"""

import hashlib
import io
import warnings
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps

from ..pipeline.context import Context
from ..pipeline.errors import InputError
from ..pipeline.store import write_bytes

LONGEST_PX = 2048
"""Longest edge where the model names no limit: more tells an image model nothing."""
MOST_BYTES = 5 << 20
"""Where the model names no limit: as base64 it still fits into a request."""
MOST_PIXELS = 120_000_000
QUALITIES = (95, 88, 80, 70)


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task: ``pictures`` [{path, role, longest_px, most_bytes}] into ``out`` (folder). Returns ``pictures`` [{path,
    role, sha256, size}]; the same picture is written once. Raises InputError, StorageError."""
    out, made = Path(request["out"]), []
    for each in ctx.each(request["pictures"], "Making picture ready to send"):
        data, suffix, size = cleaned(
            Path(each["path"]), int(each["longest_px"] or 0), int(each["most_bytes"] or 0)
        )
        sha256 = hashlib.sha256(data).hexdigest()
        path = out / f"{sha256[:16]}{suffix}"
        if not path.exists():
            write_bytes(path, data)
        made.append({"path": str(path), "role": each["role"], "sha256": sha256, "size": list(size)})
    return {"pictures": made}


def cleaned(path: Path, longest_px: int = 0, most_bytes: int = 0) -> tuple[bytes, str, tuple[int, int]]:
    """The bytes, suffix and size of a picture as it may be sent: PNG, or JPEG where that would be too large.

    Raises InputError for what is no picture, or one of more than 120 megapixels.
    """
    picture = upright(path)
    longest, most = longest_px or LONGEST_PX, most_bytes or MOST_BYTES
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    while True:
        stream = io.BytesIO()
        picture.save(stream, "PNG", optimize=False)
        if stream.tell() <= most:
            return stream.getvalue(), ".png", picture.size
        for quality in QUALITIES:
            stream = io.BytesIO()
            picture.save(stream, "JPEG", quality=quality, subsampling=0)
            if stream.tell() <= most:
                return stream.getvalue(), ".jpg", picture.size
        if min(picture.size) < 64:
            raise InputError("The picture can't be made small enough to send", where=str(path))
        picture = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4), Image.Resampling.LANCZOS)


def upright(path: Path) -> Image.Image:
    """A picture as a person sees it: turned as its camera was held, in sRGB, on white. RGB, without anything else."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            opened = Image.open(path)
        if opened.width * opened.height > MOST_PIXELS:
            raise InputError(
                "The picture has more than 120 megapixels", where=str(path), todo="Save it smaller."
            )
        turned = ImageOps.exif_transpose(opened)
        return _on_white(_in_srgb(turned))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        todo = "It may be damaged or another kind of file: save it as JPEG or PNG."
        raise InputError(f"{path.name} is no picture that can be read", where=str(path), todo=todo) from error


def _in_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA"):
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError):
        return picture  # a damaged profile is no reason not to send the picture
    return turned or picture


def _on_white(picture: Image.Image) -> Image.Image:
    """Pixels alone, in a picture that was never read from a file."""
    if picture.mode.startswith("I;16"):
        picture = picture.point(lambda value: value / 256).convert("L")
    rgba = picture.convert("RGBA")
    paper = Image.new("RGB", rgba.size, (255, 255, 255))
    paper.paste(rgba, mask=rgba.getchannel("A"))
    return paper
