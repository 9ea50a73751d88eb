# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mesh file is found to hold, and how much of it is accepted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..pipeline.errors import InputError

MB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """The most of each that is accepted of one file with the files it names. Bytes, counts, pixels."""

    file_bytes: int = 2048 * MB
    json_bytes: int = 128 * MB
    json_depth: int = 64
    json_items: int = 8_000_000
    vertices: int = 20_000_000
    triangles: int = 10_000_000
    instances: int = 100_000
    nodes: int = 100_000
    """of a scene, and of any other list in a file: materials, accessors, nodes of a tree"""
    node_depth: int = 200
    """importers written in Python climb down by recursion"""
    texture_edge: int = 16_384
    textures: int = 512
    side_files: int = 512
    memory_bytes: int = 8192 * MB
    """what Blender will need, roughly: see ``Facts.memory``"""
    zip_ratio: int = 200
    line_bytes: int = MB


@dataclass(frozen=True)
class Texture:
    """A picture that the file uses. Size in pixels, (0, 0) where it is missing or its kind tells none."""

    name: str
    kind: str = ""
    width: int = 0
    height: int = 0
    embedded: bool = False
    missing: bool = False


@dataclass(frozen=True)
class MeshFile:
    """What was found in a mesh file. A count of -1 means that the format hides it from a reader like ours."""

    path: Path
    format: str
    bytes: int
    meshes: int
    vertices: int
    triangles: int
    materials: int
    textures: tuple[Texture, ...]
    skins: int
    animations: int
    instances: int
    extensions: tuple[str, ...]
    side_files: tuple[str, ...]
    outside: tuple[str, ...]
    """paths outside the file's folder that it names; none is read here, and they should not be followed later"""
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As it travels from the worker; ``from_json`` turns it back."""
        return {**asdict(self), "path": str(self.path)}

    @staticmethod
    def from_json(record: dict[str, Any]) -> MeshFile:
        """The facts that ``to_json`` described."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in record.items()
        }
        values["path"] = Path(record["path"])
        values["textures"] = tuple(Texture(**texture) for texture in record["textures"])
        return MeshFile(**values)


@dataclass
class Facts:
    """Collects what is found and stops what is too much. Every refusal of a file goes through ``bad``."""

    path: Path
    limits: Limits
    format: str = ""
    meshes: int = 0
    vertices: int = 0
    triangles: int = 0
    materials: int = 0
    skins: int = 0
    animations: int = 0
    instances: int = 0
    textures: list[Texture] = field(default_factory=list)
    extensions: list[str] = field(default_factory=list)
    side_files: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def bad(self, what: str, todo: str = "Export it again, or use another file.") -> InputError:
        """The error that refuses this file: ``raise facts.bad("...")``."""
        return InputError(f"{self.path.name} {what}", where=str(self.path), todo=todo)

    def most(self, count: int, limit: int, what: str) -> None:
        """Raises InputError if there are more than ``limit`` of them."""
        if count > limit:
            todo = "Reduce it in the program that it comes from."
            raise self.bad(f"has {count:,} {what}; more than {limit:,} are not accepted", todo)

    def add_mesh(self, vertices: int, triangles: int) -> None:
        """Counts one mesh. Raises InputError when there are too many in all."""
        self.meshes += 1
        self.vertices += vertices
        self.triangles += triangles
        self.most(self.meshes, self.limits.nodes, "meshes")
        self.most(self.vertices, self.limits.vertices, "vertices")
        self.most(self.triangles, self.limits.triangles, "triangles")

    def add_texture(self, texture: Texture) -> None:
        """Counts one picture. Raises InputError when there are too many."""
        if texture not in self.textures:
            self.textures.append(texture)
        self.most(len(self.textures), self.limits.textures, "textures")

    def note(self, text: str) -> None:
        """A sentence worth telling, once."""
        if text not in self.notes:
            self.notes.append(text)

    @property
    def memory(self) -> int:
        """Bytes that Blender will need, roughly: 120 a vertex, 160 a triangle (corners, edges, UVs), 4 a pixel."""
        pixels = sum(texture.width * texture.height for texture in self.textures)
        return self.vertices * 120 + self.triangles * 160 + pixels * 4

    def done(self) -> MeshFile:
        """The facts, frozen. Raises InputError if it all together is too much."""
        if self.memory > self.limits.memory_bytes:
            todo = "Reduce its triangles or its textures."
            raise self.bad(f"would need about {self.memory / 2**30:.1f} GB of memory", todo)
        return MeshFile(
            self.path, self.format, self.path.stat().st_size, self.meshes, self.vertices, self.triangles,
            self.materials, tuple(self.textures), self.skins, self.animations, self.instances,
            _sorted(self.extensions), _sorted(self.side_files), _sorted(self.outside), tuple(self.notes),
        )  # fmt: skip


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def is_number(value: object) -> bool:
    """Whether a value from a file is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
