# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh into the shot's pool: unpacked, checked, copied whole with the files that it names, described.

A pool is a folder of meshes, each in a folder of its own with an ``asset.json``: what it is, where it comes from, what
is in it. Blender's importer sees only what lies there.
"""

import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..pipeline.context import Context
from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.manifest import Manifest
from ..pipeline.pictures import write_picture
from ..pipeline.sniff import kind_of_file
from ..pipeline.store import hash_file, storage
from .check import check_file
from .facts import Limits, MeshFile
from .portrait import portrait
from .read import read_mesh
from .uri import trick_in

SCHEMA, FILE, PORTRAIT = "holdfast/asset", "asset.json", "portrait.png"
SUFFIXES = {".glb": "glb", ".gltf": "gltf", ".fbx": "fbx", ".obj": "obj", ".usd": "usd", ".usda": "usd", ".usdc": "usd",
            ".usdz": "usd", ".stl": "stl", ".ply": "ply"}  # fmt: skip
"""Kinds of mesh by the suffix of their file."""
BEST = ("glb", "gltf", "usd", "fbx", "obj", "ply", "stl")
"""Which of several files of one result is taken: the one that keeps most."""
LIMITS = Limits(instances=2000, nodes=20_000)
"""Of what is imported object by object: importers written in Python take minutes for more."""
MOST_ENTRIES, MOST_UNPACKED = 2000, 4 << 30
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task. ``request``: files (paths of one result, a zip among them or not), out (the folder that it gets),
    data (what ``asset.json`` says of it beside what is found here), inputs ({what: sha256}). Returns {"id", "digest"}.

    One that is there already is left as it is. Raises InputError for a file that must not be imported, StorageError.
    """
    out = Path(request["out"])
    if (out / FILE).exists():
        return {"id": out.name, "digest": Manifest.load(out / FILE, SCHEMA).digest}
    part = out.with_name(f".{out.name}.part")
    with storage(part):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
    try:
        manifest = _filled(part, [Path(path) for path in request["files"]], request, ctx)
        manifest.save(part / FILE)
        with storage(out):
            part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return {"id": out.name, "digest": manifest.digest}


def run_all(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task: several at once, ``each`` as ``run`` is told. Returns {"came": {out: id}, "problems": {out: sentence}};
    one that must not be imported does not stop the others. Raises StorageError, Cancelled."""
    came: dict[str, str] = {}
    problems: dict[str, str] = {}
    for one in ctx.each(list(request["each"]), "Checking mesh"):
        try:
            came[one["out"]] = run(one, Context(cancel=ctx.cancel))["id"]
        except InputError as error:
            problems[one["out"]] = str(error)
    return {"came": came, "problems": problems}


def _filled(out: Path, files: Sequence[Path], request: Mapping[str, Any], ctx: Context) -> Manifest:
    ctx.progress(0.1, "Looking at the file")
    unpacked = out / "unpacked"
    found = [each for path in files for each in _unpacked(path, unpacked, ctx)]
    mesh = _best(found, files)
    facts = check_file(mesh, LIMITS)
    ctx.cancel.check()
    ctx.progress(0.6, "Copying it into the project")
    names = _copied(facts, out / "mesh")
    ctx.progress(0.8, "Drawing its portrait")
    _draw(names[0], out)
    shutil.rmtree(unpacked, ignore_errors=True)
    said = facts.to_json()
    data = {
        **request.get("data", {}), "mesh": f"mesh/{names[0].name}", "kind": SUFFIXES[mesh.suffix.lower()],
        "sha256": hash_file(names[0]), "facts": {key: said[key] for key in said if key != "path"},
    }  # fmt: skip
    return Manifest(SCHEMA, {}, dict(request.get("inputs", {})), data).with_files(out, names)


def _unpacked(path: Path, folder: Path, ctx: Context) -> list[Path]:
    """The file itself, or what lies in it if it is an archive of several (but USDZ, which is read as it is).

    Raises InputError for an archive that can't be honest.
    """
    try:
        kind = kind_of_file(path)
    except OSError as error:
        raise InputError(
            f"{path.name} can't be read", where=str(path), todo="See that it is there and may be read."
        ) from error
    if kind != "zip" or path.suffix.lower() == ".usdz":
        return [path]
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if entries and entries[0].filename.lower().endswith((".usd", ".usda", ".usdc")):
                return [_named(path, folder / "model.usdz")]
            if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
                raise InputError(f"{path.name} is an archive made to fill the disk", where=str(path))
            return list(_extracted(archive, entries, folder, ctx))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise InputError(f"{path.name} is a damaged archive", where=str(path)) from error


def _named(path: Path, target: Path) -> Path:
    with storage(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return target


def _extracted(
    archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], folder: Path, ctx: Context
) -> Iterator[Path]:
    """Writes the entries below ``folder``, each no longer than it says. Raises InputError for one that would not stay there."""
    for entry in entries:
        ctx.cancel.check()
        if trick_in(entry.filename) or (entry.external_attr >> 16) & 0o170000 == 0o120000:
            raise InputError(f"The archive names a file outside itself: {entry.filename[:80]!r}")
        target = folder.joinpath(*PurePosixPath(entry.filename.replace("\\", "/")).parts)
        with storage(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, target.open("wb") as stream:
                left = entry.file_size
                while chunk := source.read(min(1 << 20, left + 1)):
                    left -= len(chunk)
                    if left < 0:
                        raise InputError("The archive holds more than it says", where=entry.filename[:80])
                    stream.write(chunk)
        yield target


def _best(found: Sequence[Path], files: Sequence[Path]) -> Path:
    """The mesh among the files of a result. Raises InputError if there is none."""
    meshes = [path for path in found if path.suffix.lower() in SUFFIXES]
    if not meshes:
        names = ", ".join(path.name for path in files)
        raise InputError(f"There is no mesh in {names}", todo=f"It must be one of {', '.join(SUFFIXES)}.")
    return min(
        meshes, key=lambda path: (BEST.index(SUFFIXES[path.suffix.lower()]), len(path.parts), path.name)
    )


def _copied(facts: MeshFile, folder: Path) -> list[Path]:
    """The mesh, under a name that is safe, and what it names beside it, under the names that it knows."""
    home = facts.path.parent.resolve()
    sides = [name for name in facts.side_files if (home / name).is_file()]
    stem = _UNSAFE.sub("_", facts.path.stem).strip("._")[:60] or "mesh"
    target = folder / f"{stem}{facts.path.suffix.lower()}"
    made = [target]
    with storage(folder):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(facts.path, target)
        for name in sides:
            source, place = (home / name).resolve(), folder / name
            if not source.is_relative_to(home) or place == target:
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
            made.append(place)
    return made


def _draw(mesh: Path, out: Path) -> None:
    """A portrait beside the mesh. One that only Blender can read gets its own when it comes into a scene."""
    try:
        shape, _facts = read_mesh(mesh)
    except InputError:
        return
    write_picture(out / PORTRAIT, portrait(shape.points, shape.triangles))


def pool(folder: Path) -> dict[str, Manifest]:
    """What lies in a pool, by id, the oldest first; what is damaged is not."""
    found: dict[str, Manifest] = {}
    for path in sorted(folder.glob(f"*/{FILE}")):
        try:
            found[path.parent.name] = Manifest.load(path, SCHEMA)
        except HoldfastError:
            continue
    return dict(sorted(found.items(), key=lambda each: str(each[1].made.get("at", ""))))
