# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot that is longer than a remote model takes: its pieces, what they cost together, and the jobs of all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import bpy

from ..clients.descriptor import Descriptor
from ..pipeline.errors import InputError
from ..pipeline.fitting import fit_rate
from ..pipeline.frames import spans
from ..pipeline.pieces import Piece, Window, pieces, windows
from ..pipeline.project import ShotFolder
from ..pipeline.truth import made as made_truth
from . import locate
from .steps import StageOptions


def of_shot(
    scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions, model: Descriptor
) -> tuple[Piece, ...]:
    """The pieces to send; one if the model takes the shot whole. Raises InputError with the limit if it can't be cut."""
    truth = made_truth(shot.truth, "to restyle")
    frames = tuple(options.frames or truth.data["frames"])
    if len(spans(frames)) != 1:
        todo = "Choose frames without gaps."
        raise InputError("A clip needs one span of rendered frames", where=shot.name, todo=todo)
    assert model.controls is not None
    up, down = truth.data["fps"]
    return pieces(frames, (int(up), int(down)), model.controls, model.label, scene.holdfast.style.overlap)


@dataclass(frozen=True)
class Forecast:
    """What the shot as it is would be: frames of each piece (one if it is not cut), the frames of the shot that two of
    them share at least, and the price of all in micros; ``problem`` says why it can't be."""

    counts: tuple[int, ...]
    shared: int
    price: int
    problem: str = ""


def forecast(scene: bpy.types.Scene, model: Descriptor, options: Mapping[str, Any]) -> Forecast:
    """Before any clip is made, quick enough to draw."""
    frames, render = len(locate.frame_range(scene)), scene.render
    rate = Fraction(render.fps) / Fraction(render.fps_base).limit_denominator(1001)
    seconds = float(frames / rate)
    if model.controls is None:
        return Forecast((frames,), 0, model.price.estimate_micros(seconds, frames=frames, options=options))
    source = (rate.numerator, rate.denominator)
    try:
        cut = windows(frames, source, model.controls, model.label, scene.holdfast.style.overlap)
    except InputError as error:
        return Forecast((), 0, 0, str(error))
    clip = Fraction(*fit_rate(source, model.controls.rate))
    price = sum(
        model.price.estimate_micros(float(each.count / clip), frames=each.count, options=options)
        for each in cut
    )
    return Forecast(tuple(each.count for each in cut), _shared(cut, clip, rate), price)


def _shared(cut: tuple[Window, ...], clip: Fraction, rate: Fraction) -> int:
    least = min((a.end - b.first for a, b in pairwise(cut)), default=0)
    return int(least * rate / clip)
