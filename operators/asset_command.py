# SPDX-License-Identifier: GPL-3.0-or-later
"""`holdfast assets --mesh FILE`, `--pool`, `--use ID`, `--refine ID`: meshes from files and of the pool, without a window."""

import argparse
from pathlib import Path
from typing import Any

import bpy

from ..assets.bring import pool
from ..pipeline.context import Context
from ..pipeline.errors import UsageError
from ..pipeline.money import words
from ..pipeline.project import ShotFolder
from ..pipeline.reporting import Reporter
from . import asset_file, asset_remote, locate
from .drive import run_blocking
from .stages import running
from .steps import StageOptions


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The arguments of the stage beside those that all stages have."""
    command.add_argument("--mesh", type=Path, metavar="FILE", help="bring in this mesh file, checked")
    command.add_argument("--name", default="", help="what it is called (default: as the file)")
    command.add_argument("--licence", default="", help="what you may do with it; kept with the mesh")
    command.add_argument("--pool", action="store_true", help="list the meshes that are here")
    command.add_argument("--use", metavar="ID", help="put this mesh of the pool into the scene")
    command.add_argument("--refine", metavar="ID", help="pay for the final of this draft of the pool")


def wanted(arguments: argparse.Namespace) -> bool:
    """Whether it is any of these, and not the stage itself. Raises UsageError for two of them at once."""
    given = [name for name in ("mesh", "pool", "use", "refine") if getattr(arguments, name, None)]
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]} are two things", todo="Run one after the other.")
    return bool(given)


def run(scene: bpy.types.Scene, arguments: argparse.Namespace, reporter: Reporter) -> bool:
    """Does it; True if the scene was changed. Raises HoldfastError."""
    shot = locate.shot_of(scene)
    context = Context(lambda fraction, message: reporter.progress("assets", fraction, message), reporter.log)
    if arguments.pool:
        _list(shot, reporter)
        return False
    if arguments.mesh is not None:
        stage = asset_file.stage_of(arguments.mesh.resolve(), arguments.name, arguments.licence)
        run_blocking(running(stage, scene, StageOptions()), context)
        return True
    if arguments.refine:
        ask = asset_remote.refine_ask(scene, shot, arguments.refine)
        reporter.log(f"{ask.model.label}: {words(ask.price)}")
        made: Any = asset_remote.made(scene, shot, [ask], (0.0, 1.0))
        came: Any = run_blocking(made, context)
        arguments.use = came[0][0]
    reporter.log(asset_file.use(scene, shot, arguments.use, arguments.name))
    return True


def _list(shot: ShotFolder, reporter: Reporter) -> None:
    for name, item in pool(asset_remote.pool_of(shot)).items():
        data = item.data
        what = "draft" if data.get("draft") else "final" if data.get("model") else "file"
        reporter.log(f"{name}: {data.get('label', '')}, {what}, {data['facts']['triangles']:,} triangles")
        reporter.event(
            "mesh", id=name, model=data.get("model", ""), draft=bool(data.get("draft")), facts=data["facts"]
        )
