# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures of a chunk of frames as a file, and several such files as the measures of the take: on a farm every chunk
is measured by itself, and what is gathered is what one machine would have measured."""

import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from ..pipeline.errors import InputError
from ..pipeline.store import writing
from .fits import Frame
from .series import PER_PART, Link, Series

DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
_SCALARS = tuple(item.name for item in fields(Link) if item.name not in ("field", "colour", "at"))


def save(path: Path, series: Series, which: Sequence[int], identity: str) -> None:
    """Writes the measures of the positions ``which``, made for ``identity`` (what they depend on, as one digest).
    Raises StorageError."""
    rows = np.array(sorted(which), np.int64)
    arrays: dict[str, Any] = {"rows": rows, "cells": series.cells[rows]}
    touching: dict[str, list[list[str]]] = {}
    borders: dict[str, list[dict[int, float]]] = {}
    for number, part in enumerate(series.parts):
        shapes = series.shapes[part]
        known = [i for i in rows.tolist() if i in shapes]
        links = [link for link in series.links[part] if link.here in set(rows.tolist())]
        arrays |= {
            f"{number}.of": np.stack([series.of[part][name][rows] for name in PER_PART]),
            f"{number}.outlines": series.outlines[part][rows],
            f"{number}.profiles": series.profiles[part][rows],
            f"{number}.shaped": np.array(known, np.int64),
            f"{number}.products": np.array([shapes[i].products for i in known]),
            f"{number}.motions": np.array([shapes[i].motions for i in known]),
            f"{number}.links": np.array(
                [[getattr(link, name) for name in _SCALARS] for link in links], np.float64
            ),
            f"{number}.fields": np.array([link.field for link in links]),
            f"{number}.colours": np.array([[*link.colour, *link.at] for link in links], np.float64),
        }
        touching[part] = [sorted(series.touching[part][i]) for i in rows.tolist()]
        borders[part] = [series.borders[part][i] for i in rows.tolist()]
    head = {"identity": identity, "parts": list(series.parts), "touching": touching, "borders": borders}
    with writing(path) as target, target.open("wb") as stream:
        np.savez_compressed(stream, head=np.array(json.dumps(head)), **arrays)


def kept(folder: Path, identity: str) -> dict[Path, list[int]]:
    """The files of ``folder`` that hold measures of ``identity``, with the positions in each; damaged ones are left out."""
    found = {}
    for path in sorted(folder.glob("*.npz")):
        try:
            with np.load(path, allow_pickle=False) as data:
                if json.loads(str(data["head"]))["identity"] == identity:
                    found[path] = [int(i) for i in data["rows"]]
        except DAMAGED:
            continue
    return found


def gather(series: Series, paths: Iterable[Path]) -> None:
    """Puts the measures of the files into ``series``. Raises InputError for a damaged file."""
    for path in paths:
        try:
            with np.load(path, allow_pickle=False) as data:
                _take_in(series, data)
        except DAMAGED as error:
            todo = "Delete it and run Validate again."
            raise InputError("The measures of a chunk can't be read", where=str(path), todo=todo) from error
    for links in series.links.values():
        links.sort(key=lambda link: (link.here, -abs(link.here - link.there), link.there))


def _take_in(series: Series, data: Any) -> None:
    rows, head = data["rows"], json.loads(str(data["head"]))
    series.cells[rows] = data["cells"]
    for number, part in enumerate(head["parts"]):
        for name, values in zip(PER_PART, data[f"{number}.of"], strict=True):
            series.of[part][name][rows] = values
        series.outlines[part][rows] = data[f"{number}.outlines"]
        series.profiles[part][rows] = data[f"{number}.profiles"]
        shapes = zip(
            data[f"{number}.shaped"], data[f"{number}.products"], data[f"{number}.motions"], strict=True
        )
        series.shapes[part].update({int(i): Frame(products, motions) for i, products, motions in shapes})
        table = zip(data[f"{number}.links"], data[f"{number}.fields"], data[f"{number}.colours"], strict=True)
        series.links[part] += [_link(scalars, field, colour) for scalars, field, colour in table]
        for index, names, lost in zip(
            rows.tolist(), head["touching"][part], head["borders"][part], strict=True
        ):
            series.touching[part][index] = frozenset(names)
            series.borders[part][index] = {int(number): share for number, share in lost.items()}


def _link(scalars: Any, field: Any, colour: Any) -> Link:
    whole = ("here", "there", "points", "alien")
    values: dict[str, Any] = {
        name: int(v) if name in whole else float(v) for name, v in zip(_SCALARS, scalars, strict=True)
    }
    return Link(field=field, colour=colour[:3], at=(float(colour[3]), float(colour[4])), **values)
