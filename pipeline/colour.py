# SPDX-License-Identifier: GPL-3.0-or-later
"""Display-referred pictures taken back to scene-linear light, by a table measured from the renderer that made them.

Codes of a picture go through one curve a channel onto a lattice of even steps, which holds asinh(linear / scale)
and is interpolated in tetrahedra: greys, and all that a view does channel by channel, lie on nodes and diagonals and
so come back as exactly as they were measured. Sources: Kasson, Nin, Plouffe, Hafner, "Performing color space
conversions with three-dimensional linear interpolation" (J. Electronic Imaging 4(3), 1995); Lupton, Gunn, Szalay, "A
modified magnitude system" (AJ 118, 1999) for asinh, which is a logarithm that goes through zero.
"""

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .pictures import F32
from .store import writing

AGAIN = "Run Ground truth again."
_BAND = 65536
"""Pixels that are worked on at a time: what fits a processor's cache."""
_MOST_NODES = 129
_MOST_ASINH = 85.0
"""Where a single-precision sinh is still finite."""
_EDGE_CODES = 2.5
"""A channel so near 0 or 255 (of 255) may be clipped, so nothing is concluded from it."""


class ToLinear:
    """Takes a picture's codes back to scene-linear light.

    ``curves`` (K, 3) float32: where, in 0..N-1 on the lattice, the display value k / (K - 1) of a channel lies, never
    falling. ``lattice`` (N, N, N, 3) float32 by red, green, blue: asinh(linear / ``scale``). ``made_from``
    names the colour record that it was measured for.
    """

    def __init__(self, curves: F32, lattice: F32, scale: float, made_from: str = "") -> None:
        nodes = lattice.shape[0] if lattice.ndim else 0
        if not 2 <= nodes <= _MOST_NODES or lattice.shape != (nodes, nodes, nodes, 3):
            raise ValueError("lattice")
        if curves.ndim != 2 or curves.shape[1] != 3 or not 2 <= len(curves) <= 65536:
            raise ValueError("curves")
        if not np.isfinite(curves).all() or not np.abs(lattice).max() < _MOST_ASINH:
            raise ValueError("not finite")
        if not 0 < scale < np.inf:
            raise ValueError("scale")
        if (np.diff(curves, axis=0) < 0).any() or curves.min() < 0 or curves.max() > nodes - 1:
            raise ValueError("curves that fall or leave the lattice")
        self.curves, self.scale, self.made_from = curves.astype(np.float32), float(scale), made_from
        self.lattice = np.asarray(lattice, np.float32)
        self._planes = [np.ascontiguousarray(self.lattice[..., c]).ravel() for c in range(3)]

    def apply(self, picture: NDArray[Any]) -> F32:
        """(..., 3) uint8, uint16, or floats in 0..1 -> (..., 3) float32 scene-linear in the scene's primaries."""
        flat = picture.reshape(-1, 3)
        codes = self._codes(picture.dtype)
        result = np.empty(flat.shape, np.float32)
        for start in range(0, len(flat), _BAND):
            band = flat[start : start + _BAND].T
            at = self._at(band) if codes is None else [codes[c].take(band[c]) for c in range(3)]
            self._light(at, result[start : start + _BAND])
        return result.reshape(picture.shape)

    def _codes(self, dtype: np.dtype[Any]) -> list[F32] | None:
        """Positions of all codes of a kind of picture, a channel each; None for floats."""
        if dtype not in (np.uint8, np.uint16):
            return None
        return self._at(np.tile(np.linspace(0.0, 1.0, int(np.iinfo(dtype).max) + 1), (3, 1)))

    def _at(self, display: NDArray[Any]) -> list[F32]:
        """(3, M) display values -> for each channel (M,) float32 positions on the lattice."""
        even = np.linspace(0.0, 1.0, len(self.curves))
        return [np.interp(display[c], even, self.curves[:, c]).astype(np.float32) for c in range(3)]

    def _light(self, at: list[F32], result: F32) -> None:
        """Positions on the lattice, (M,) a channel -> linear light, into ``result`` (M, 3)."""
        nodes = len(self.lattice)
        cells = [np.minimum(axis.astype(np.intp), nodes - 2) for axis in at]
        red, green, blue = (axis - cell.astype(np.float32) for axis, cell in zip(at, cells, strict=True))
        index = (cells[0] * nodes + cells[1]) * nodes + cells[2]
        order = (red >= green) * 4 + (green >= blue) * 2 + (red >= blue) * 1
        most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
        middle = red + green + blue - most - least
        first, second = _corners(nodes)
        corners = (
            index,
            index + first.take(order),
            index + second.take(order),
            index + ((nodes + 1) * nodes + 1),
        )
        weights = (1 - most, most - middle, middle - least, least)
        for c in range(3):
            parts = (self._planes[c].take(i) * weight for i, weight in zip(corners, weights, strict=True))
            encoded = next(parts)
            for part in parts:
                encoded += part
            result[:, c] = np.sinh(encoded) * np.float32(self.scale)

    def save(self, path: Path | str) -> None:
        """Writes the table as .npz, whole or not at all. Raises StorageError."""
        with writing(path) as part, part.open("wb") as stream:
            np.savez_compressed(
                stream, curves=self.curves, lattice=self.lattice, scale=self.scale, made_from=self.made_from
            )

    @classmethod
    def load(cls, path: Path | str) -> "ToLinear":
        """The table in a file. Raises InputError if there is none or it is damaged."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = [np.asarray(stored[name], np.float32) for name in ("curves", "lattice")]
                return cls(arrays[0], arrays[1], float(stored["scale"]), str(stored["made_from"]))
        except FileNotFoundError as error:
            raise InputError("The colour table is missing", where=str(path), todo=AGAIN) from error
        except (OSError, EOFError, KeyError, ValueError, TypeError, BadZipFile) as error:
            raise InputError("The colour table is damaged", where=str(path), todo=AGAIN) from error


def _corners(nodes: int) -> NDArray[np.intp]:
    """(2, 8): steps to the second and third corner of the tetrahedron, by (r>=g, g>=b, r>=b) as bits."""
    step = {"r": nodes * nodes, "g": nodes, "b": 1}
    orders = ("bgr", "bgr", "gbr", "grb", "brg", "rbg", "rgb", "rgb")  # 1 and 6 can't be
    first = [step[order[0]] for order in orders]
    return np.array([first, [step[o[0]] + step[o[1]] for o in orders]], np.intp)


def stops_apart(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """(...) difference in stops of linear colours (..., 3), by their brightest channels: one is that of twice the light."""
    apart = np.abs(one.astype(np.float64) - other).max(-1)
    light = np.minimum(np.abs(one).max(-1), np.abs(other).max(-1))
    return np.asarray(np.log2(1.0 + apart / np.maximum(light, 1e-30)))


def disagreement(linear: F32, picture: NDArray[Any], table: ToLinear, stops: float = 0.15) -> float:
    """Share 0..1 of the comparable pixels whose picture is not that of ``linear``; 0 where none can be compared.

    ``linear`` (H, W, 3) is scene-linear, ``picture`` (H, W, 3) uint8 or uint16 the same frame as it is displayed. A
    pixel is comparable if no channel may be clipped and two codes of its brightest channel move it by less than
    ``stops``. It disagrees if it is more than ``stops`` off. A frame that was exposed or viewed otherwise
    than the table says gives nearly 1; a true pair gives 0, also where the film is
    transparent: Blender shows light as it is associated with alpha.
    """
    most = int(np.iinfo(picture.dtype).max)
    edge = _EDGE_CODES * most / 255
    brightest = picture.max(-1)
    ladder = np.repeat(np.linspace(0.0, 1.0, 256)[:, None], 3, 1)
    light = np.abs(table.apply(ladder)).max(-1)
    coarse = np.append(
        np.log2(np.maximum(light[2:], 1e-30) / np.maximum(light[:-2], 1e-30)), [np.inf, np.inf]
    )
    fine = coarse[np.rint(brightest.astype(np.float64) * 255 / most).astype(np.intp) - 1] < stops
    where = fine & (picture.min(-1) > edge) & (brightest < most - edge)
    if not where.any():
        return 0.0
    return float((stops_apart(linear[where], table.apply(picture[where])) > stops).mean())
