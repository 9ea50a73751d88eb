# SPDX-License-Identifier: GPL-3.0-or-later
"""What a studio keeps: recent things in memory, all of them in a folder that other processes and runs read too."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

HERE = Path(__file__).parent


def code_of(*names: str) -> str:
    """Of the code that makes something: what older code made is never read."""
    return hashlib.sha256(b"".join((HERE / f"{name}.py").read_bytes() for name in names)).hexdigest()[:8]


class Recent:
    """The ``keep`` used last, by key."""

    def __init__(self, keep: int) -> None:
        self.keep, self.of = keep, OrderedDict()

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        if key in self.of:
            self.of.move_to_end(key)
        else:
            self.of[key] = make()
            while len(self.of) > self.keep:
                self.of.popitem(last=False)
        return self.of[key]


def picture(path: Path | None, make: Callable[[], np.ndarray]) -> np.ndarray:
    """(H, W, 3) uint8 RGB from the file, made and written where it is not there."""
    if path is not None and path.exists() and (got := cv2.imread(str(path))) is not None:
        return np.ascontiguousarray(got[..., ::-1])
    made = make()
    if path is not None:
        coded = cv2.imencode(".png", made[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
        _whole(path, lambda file: file.write(coded.tobytes()))
    return made


def arrays(
    path: Path | None, make: Callable[[], dict[str, np.ndarray]], small: bool = False
) -> dict[str, np.ndarray]:
    """Named arrays from the file, made and written where it is not there."""
    if path is not None and path.exists():
        with np.load(path) as got:
            return dict(got)
    made = make()
    if path is not None:
        _whole(path, lambda file: (np.savez_compressed if small else np.savez)(file, **made))
    return made


def _whole(path: Path, write: Callable[[Any], Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("wb") as file:
        write(file)
    part.replace(path)
