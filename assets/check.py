# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate before Blender's importers: is this file what it says, of bounded size, and does it stay in its folder?

Nothing outside the file's own folder is opened. Large files are mapped or read in blocks. Every loop is bounded by the
bytes of the file or by ``Limits``, so that a hostile file costs seconds, not a session.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..pipeline.context import Context
from ..pipeline.errors import InputError
from ..pipeline.sniff import kind_of_file
from .facts import Facts, Limits, MeshFile
from .fbx_check import check_fbx
from .gltf_check import check_gltf
from .obj_file import check_obj
from .ply_file import check_ply
from .stl_file import check_stl
from .usd_file import check_usd

FORMATS = (".glb", ".gltf", ".obj", ".stl", ".ply", ".fbx", ".usd", ".usda", ".usdc", ".usdz")
"""The suffixes of the files that are looked at."""
_CHECKS: dict[str, Callable[[Facts], None]] = {
    "glb": check_gltf, "gltf": check_gltf, "obj": check_obj, "stl": check_stl, "ply": check_ply,
    "fbx": check_fbx, "usd": check_usd, "zip": check_usd,
}  # fmt: skip
_BY_SUFFIX = {**{f".{kind}": kind for kind in _CHECKS}, **dict.fromkeys((".usda", ".usdc", ".usdz"), "usd")}


def check_file(path: Path, limits: Limits = Limits()) -> MeshFile:  # noqa: B008  frozen, made of numbers alone
    """The facts of a mesh file that may be given to an importer. Raises InputError, with a sentence, for any other.

    Draco and meshopt data, and the meshes of a USD crate, are not unpacked: their notes say so.
    """
    path = Path(path)
    facts = Facts(path, limits)
    if path.suffix.lower() not in FORMATS:
        raise facts.bad("is no mesh file that can be read", f"Use one of {', '.join(FORMATS)}.")
    try:
        if not path.is_file():
            raise facts.bad("is missing or no file", "Choose it again.")
        facts.most(path.stat().st_size, limits.file_bytes, "bytes")
        _CHECKS[_kind(facts)](facts)
        return facts.done()
    except (OSError, MemoryError) as error:
        raise facts.bad("can't be read", "See that it is there and may be read.") from error


def _kind(facts: Facts) -> str:
    """The kind by the first bytes, which must agree with the suffix: importers are chosen by the suffix."""
    kind, said = kind_of_file(facts.path), _BY_SUFFIX[facts.path.suffix.lower()]
    if said in ("obj", "stl", "gltf") and kind in ("", "json", "gltf", "obj", "stl"):
        return said  # text may begin with anything
    alike = {"zip": "usd"}
    if alike.get(kind, kind) != said:
        raise facts.bad(
            f"is not what its name says: its first bytes are of another kind ({kind or 'unknown'})"
        )
    return kind


def run(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """Worker task: {"path": file} -> {"facts": ``MeshFile.to_json``}. Raises InputError."""
    if "path" not in request:
        raise InputError("No mesh file was named", todo="Choose one.")
    context.progress(0.0, "Checking the file")
    context.cancel.check()
    return {"facts": check_file(Path(request["path"])).to_json()}
