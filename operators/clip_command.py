# SPDX-License-Identifier: GPL-3.0-or-later
"""``holdfast clips``: control clips for a model, headless; or the list of the models and what they take."""

import argparse

import bpy

from ..clients.descriptor import Descriptor
from ..pipeline.controls import KINDS
from ..pipeline.errors import UsageError
from ..pipeline.reporting import Reporter
from . import clip_models


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--model", help="id of the model, or a part of it that only one has")
    parser.add_argument("--kinds", help="depth,edges,... (default: all that the model takes as they are)")
    parser.add_argument("--parts", action="append", metavar="NAME,NAME",
                        help="parts of a matte (default: all in one); again for another matte")  # fmt: skip
    parser.add_argument("--each-part", action="store_true", help="a matte for each part")
    parser.add_argument("--keep", action="store_true", help="the model keeps the parts and changes the rest")
    parser.add_argument("--keys", metavar="FRAMES", help="key frames, as 1,24,48")
    parser.add_argument("--list", action="store_true", help="the models and what they take; makes nothing")


def apply(scene: bpy.types.Scene, given: argparse.Namespace) -> Descriptor:
    """Puts the options into the scene's settings for this run. Raises UsageError for a model or kind that is none."""
    settings = scene.holdfast.clips
    model = clip_models.chosen(given.model or settings.model)
    assert model.controls is not None
    settings.model = model.id
    if given.kinds:
        kinds = [kind.strip() for kind in given.kinds.split(",") if kind.strip()]
        strange = [kind for kind in kinds if kind not in model.controls.kinds]
        if strange:
            word = "takes no" if strange[0] in KINDS else "knows no"
            todo = f"It takes {', '.join(model.controls.kinds)}."
            raise UsageError(f"{model.label} {word} {strange[0]}", where=model.id, todo=todo)
        settings.kinds = set(kinds)
    if given.parts or given.each_part:
        settings.parts = "*" if given.each_part else ";".join(given.parts)
    if given.keep:
        settings.change = False
    if given.keys is not None:
        settings.key_frames = given.keys
    return model


def list_models(reporter: Reporter) -> None:
    """One line for each model."""
    for name, model in clip_models.refresh().items():
        assert model.controls is not None
        taken = [
            kind if one.source == "direct" else f"({kind})" for kind, one in model.controls.kinds.items()
        ]
        reporter.log(f"{name}: {', '.join(taken)}; {model.controls.count.name} frames")
