# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures as arrays: (H, W, 3) uint8 RGB, display-referred sRGB, origin at the top left; masks (H, W)."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")  # cv2 reads it once, at import
import cv2

from .errors import InputError, StorageError
from .store import write_bytes

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 3]


def _read(path: Path | str, flags: int) -> NDArray[Any]:
    path = Path(path)
    try:
        data = np.fromfile(path, np.uint8)  # not cv2.imread: it can't open non-ASCII paths on Windows
    except OSError as error:
        todo = "Run the stage that makes it again."
        raise InputError(f"{path.name} is missing or can't be read", where=str(path), todo=todo) from error
    try:
        array = cv2.imdecode(data, flags) if data.size else None
    except cv2.error:
        array = None
    if array is None:
        todo = "Remove it and run the stage that makes it again."
        raise InputError(f"{path.name} is not a picture that can be read", where=str(path), todo=todo)
    return np.asarray(array)


def _write(path: Path | str, array: NDArray[Any], options: list[int]) -> None:
    done, data = cv2.imencode(Path(path).suffix, array, options)
    if not done:
        raise StorageError(f"Can't encode {Path(path).name}", where=str(path))
    write_bytes(path, data.tobytes())


def read_picture(path: Path | str) -> U8:
    """(H, W, 3) uint8 RGB of a PNG or JPEG. Raises InputError."""
    picture = _read(path, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)  # much faster than reversing


def read_exact(path: Path | str) -> NDArray[Any]:
    """(H, W, 3) uint8 or uint16 RGB of a picture, with the depth in which it is stored. Raises InputError."""
    picture = _read(path, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def write_picture(path: Path | str, rgb: U8) -> None:
    """Writes (H, W, 3) uint8 RGB as PNG or JPEG, by suffix, atomically. Raises StorageError."""
    options = _PNG if Path(path).suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, 92]
    _write(path, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)


def read_gray(path: Path | str) -> NDArray[Any]:
    """(H, W) uint8 or uint16 of a grey picture, as stored. Raises InputError."""
    array = _read(path, cv2.IMREAD_UNCHANGED)
    return array if array.ndim == 2 else np.ascontiguousarray(array[..., 0])


def write_gray(path: Path | str, gray: NDArray[Any]) -> None:
    """Writes (H, W) uint8 or uint16 as PNG, atomically. Raises StorageError."""
    _write(path, gray, _PNG)


def read_exr(path: Path | str) -> F32:
    """(H, W) or (H, W, C) float32 of a single-layer EXR, channels in R, G, B, A order. Raises InputError."""
    array = _read(path, cv2.IMREAD_UNCHANGED).astype(np.float32, copy=False)
    if array.ndim == 3:
        array = array[..., [2, 1, 0, 3]] if array.shape[2] == 4 else array[..., ::-1]
    return np.ascontiguousarray(array)


def write_exr(path: Path | str, array: F32, *, half: bool = False) -> None:
    """Writes (H, W), (H, W, 3) or (H, W, 4) as ZIP-compressed EXR, float32 or half, atomically."""
    if array.ndim == 3:
        array = array[..., [2, 1, 0, 3]] if array.shape[2] == 4 else array[..., ::-1]
    kind = cv2.IMWRITE_EXR_TYPE_HALF if half else cv2.IMWRITE_EXR_TYPE_FLOAT
    options = [cv2.IMWRITE_EXR_TYPE, kind, cv2.IMWRITE_EXR_COMPRESSION, cv2.IMWRITE_EXR_COMPRESSION_ZIP]
    _write(path, np.ascontiguousarray(array, np.float32), options)
