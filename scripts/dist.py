# SPDX-License-Identifier: GPL-3.0-or-later
"""Build one installable zip per platform into dist/: the extension and the wheels that it needs there.

The wheels are those named in requirements/wheels.sha256, fetched once into build/wheels and checked against their
hashes. The same sources give the same bytes: entries are sorted and carry a fixed time and mode.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HASHES = ROOT / "requirements" / "wheels.sha256"
WHEEL_TAGS = {
    "linux-x64": r"manylinux.*_x86_64",
    "windows-x64": r"win_amd64",
    "macos-arm64": r"macosx_.*_arm64",
    "macos-x64": r"macosx_.*_x86_64",
}
"""Blender's name of each platform -> the platform tag of the wheels for it."""
ROOMS = (
    "operators",
    "panels",
    "physics",
    "rendering",
    "clients",
    "validation",
    "finishing",
    "assets",
    "pipeline",
)
ROOT_MODULES = (
    "__init__",
    "command_line",
    "command_parser",
    "command_settings",
    "compat",
    "preferences",
    "properties",
    "properties_assets",
    "properties_clips",
    "properties_ideate",
    "properties_jobs",
    "properties_object",
    "properties_physics",
    "properties_prompt",
    "properties_repair",
    "properties_style",
    "properties_validate",
    "registration",
)
ROOT_FILES = ("LICENSE", "README.md", "CHANGELOG.md")
SUFFIXES = {".py", ".css", ".html", ".jpg", ".js", ".json", ".png", ".toml", ".ttf", ".txt"}
LIMIT_BYTES = 100_000_000
EPOCH = (2026, 1, 1, 0, 0, 0)


def wheel_hashes() -> dict[str, str]:
    """File name -> sha256 of every wheel that any of the zips carries."""
    lines = HASHES.read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def wheels_for(platform: str) -> list[str]:
    """File names of the wheels for one platform."""
    pattern = re.compile(rf"-{WHEEL_TAGS[platform]}\.whl$")
    return sorted(name for name in wheel_hashes() if pattern.search(name))


def matches(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def fetch(name: str, folder: Path) -> None:
    """Bring one wheel into `folder` unless it is there already; SystemExit if its bytes are not the known ones."""
    if matches(folder / name, wheel_hashes()[name]):
        return
    project, version, python, abi, tags = name.removesuffix(".whl").split("-")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--dest", str(folder), "--python-version", python.removeprefix("cp"), "--abi", abi]
    for tag in tags.split("."):
        command += ["--platform", tag]
    subprocess.run([*command, f"{project}=={version}"], check=True, stdin=subprocess.DEVNULL)
    if not matches(folder / name, wheel_hashes()[name]):
        raise SystemExit(f"{name} is not the file that requirements/wheels.sha256 names: nothing was built")


def sources(root: Path) -> Iterator[Path]:
    """The files of the extension, relative to `root`; what is for development only is not among them."""
    yield Path("blender_manifest.toml")
    yield from (Path(name) for name in ROOT_FILES)
    yield from (Path(f"{name}.py") for name in ROOT_MODULES)
    for room in ROOMS:
        for path in (root / room).rglob("*"):
            relative = path.relative_to(root)
            if path.suffix in SUFFIXES and not any(
                part.startswith((".", "__pycache__")) for part in relative.parts
            ):
                yield relative


def manifest_for(platform: str, wheels: list[str], root: Path) -> str:
    """The committed manifest with this platform's `platforms` and `wheels`, without the [build] table."""
    text = (root / "blender_manifest.toml").read_text(encoding="utf-8")
    text = text[: text.index("\n[build]")]
    head, permissions = text[: text.index("\n[")], text[text.index("\n[") :]
    head = "\n".join(line for line in head.splitlines() if not line.startswith("#")).rstrip()
    listed = "".join(f'  "./wheels/{name}",\n' for name in wheels)
    return f'{head}\n\nplatforms = ["{platform}"]\nwheels = [\n{listed}]\n{permissions}'


def archive_name(platform: str, root: Path = ROOT) -> str:
    manifest = tomllib.loads((root / "blender_manifest.toml").read_text(encoding="utf-8"))
    return f"{manifest['id']}-{manifest['version']}-{platform.replace('-', '_')}.zip"


def build(platform: str, wheel_folder: Path, out: Path, root: Path = ROOT) -> Path:
    """Write the zip for `platform` into `out` and return its path."""
    wheels = wheels_for(platform)
    entries = {path.as_posix(): (root / path).read_bytes() for path in sources(root)}
    entries["blender_manifest.toml"] = manifest_for(platform, wheels, root).encode()
    entries |= {f"wheels/{name}": (wheel_folder / name).read_bytes() for name in wheels}
    path = out / archive_name(platform, root)
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in sorted(entries.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            packed = name.endswith((".whl", ".jpg", ".png"))
            archive.writestr(entry, data, zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED, 9)
    return path


def main(platforms: list[str]) -> int:
    wheel_folder = ROOT / "build" / "wheels"
    wheel_folder.mkdir(parents=True, exist_ok=True)
    for platform in platforms or list(WHEEL_TAGS):
        for name in wheels_for(platform):
            fetch(name, wheel_folder)
        path = build(platform, wheel_folder, ROOT / "dist")
        size = path.stat().st_size
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"{path.relative_to(ROOT)}  {size / 1e6:.1f} MB  sha256 {digest[:16]}", flush=True)
        if size > LIMIT_BYTES:
            print(f"{path.name} is over the limit of {LIMIT_BYTES / 1e6:.0f} MB", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
