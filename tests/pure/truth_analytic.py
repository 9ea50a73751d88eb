# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of ground truth in closed form: balls, boxes and panes before a camera, traced with numpy.

Ids, depth, normals and vectors come from the ray through each pixel's centre, coverage from a grid of rays in it, as a
renderer would give them: every check must be silent about them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.passes import PASSES
from holdfast.pipeline.pictures import write_exr, write_gray, write_picture
from holdfast.pipeline.truth import MANIFEST, SCHEMA, Camera

KINDS = ("beauty", "ids", "sure", "matte", "whole", "depth", "normal", "vector")
FAR = 1e9


@dataclass(frozen=True)
class Body:
    """A "ball" of radius ``half[0]`` or a "box" of half sizes ``half`` (a pane if one of them is tiny).

    ``at`` and ``turn`` (about ``axis``) in frame 0, ``shift`` and ``spin`` for each frame.
    """

    name: str
    shape: str
    half: tuple[float, float, float]
    at: tuple[float, float, float]
    shift: tuple[float, float, float] = (0, 0, 0)
    axis: tuple[float, float, float] = (0, 0, 1)
    turn: float = 0.0
    spin: float = 0.0
    part: bool = True

    def pose(self, frame: float) -> np.ndarray:
        matrix = np.eye(4)
        matrix[:3, :3] = rotation(self.axis, self.turn + self.spin * frame)
        matrix[:3, 3] = np.array(self.at) + np.array(self.shift) * frame
        return matrix


@dataclass(frozen=True)
class Shot:
    """``bodies`` and a camera at ``eye`` that looks along +z of a world with y down, sliding and panning each frame."""

    bodies: tuple[Body, ...]
    size: tuple[int, int] = (64, 48)
    frames: tuple[int, ...] = (1, 2, 3)
    focal: float = 60.0
    eye: tuple[float, float, float] = (0, 0, 0)
    slide: tuple[float, float, float] = (0, 0, 0)
    pan: float = 0.0
    orthographic: bool = False
    grid: int = 8
    noisy: int = 0  # samples a pixel at random places under a filter of 1.5 px, as a renderer takes them
    shutter: float = 0.0  # in frames: the mattes are smeared by what moves in that time
    extra: dict = field(default_factory=dict)

    def camera(self, frame: float) -> Camera:
        width, height = self.size
        scale = self.focal / 4 if self.orthographic else self.focal
        pose = np.eye(4)
        pose[:3, :3] = rotation((0, 1, 0), self.pan * frame)
        pose[:3, 3] = np.array(self.eye) + np.array(self.slide) * frame
        lens = np.array([[scale, 0, width / 2], [0, scale, height / 2], [0, 0, 1.0]])
        return Camera(lens, np.linalg.inv(pose), self.orthographic)

    @property
    def parts(self) -> tuple[Body, ...]:
        return tuple(body for body in self.bodies if body.part)


def rotation(axis: tuple[float, float, float], angle: float) -> np.ndarray:
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def trace(body: Body, pose: np.ndarray, start: np.ndarray, ray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far along rays (..., 3) the body is hit first (FAR: never), and the world normal there."""
    far, normal = np.full(ray.shape[:-1], FAR), np.zeros(ray.shape)
    away = start - pose[:3, 3]
    a, b = np.einsum("...i,...i", ray, ray), np.einsum("...i,...i", away, ray)
    reach = float(np.linalg.norm(body.half))
    near = b**2 > a * (np.einsum("...i,...i", away, away) - reach**2)
    back = np.linalg.inv(pose[:3, :3])
    origin, along = away[near] @ back.T, ray[near] @ back.T
    far[near], local = _hit(body, origin, along)
    world = local @ back
    normal[near] = world / np.maximum(np.linalg.norm(world, axis=-1, keepdims=True), 1e-12)
    return far, normal


def _hit(body: Body, origin: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same for rays (N, 3) in the body's own axes."""
    if body.shape == "ball":
        a, b = (along**2).sum(-1), (origin * along).sum(-1)
        root = b**2 - a * ((origin**2).sum(-1) - body.half[0] ** 2)
        far = np.where(root > 0, (-b - np.sqrt(np.maximum(root, 0))) / a, FAR)
        local = origin + along * far[..., None]
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = np.sort(np.stack([(sign * np.array(body.half) - origin) / along for sign in (-1, 1)]), 0)
        enters, leaves = ends[0].max(-1), ends[1].min(-1)
        far = np.where((enters <= leaves) & (enters > 0), enters, FAR)
        local = (origin + along * far[..., None]) / np.array(body.half)
        local = np.sign(local) * (np.abs(local) >= np.abs(local).max(-1, keepdims=True))
    return np.where(far > 0, far, FAR), local


def rays(camera: Camera, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts and directions of the rays through picture positions, one metre of depth a step."""
    near = camera.unproject(pixels, np.zeros(pixels.shape[:-1]))
    return near, camera.unproject(pixels, np.ones(pixels.shape[:-1])) - near


def surface(body: Body, count: int = 256) -> tuple[np.ndarray, np.ndarray, float]:
    """Points, normals and area, as rendering.points gives them."""
    steps = (0.5 + np.arange(1, count + 1)[:, None] * [0.7548776662466927, 0.5698402909980532]) % 1
    if body.shape == "ball":
        z, turn = 2 * steps[:, 0] - 1, 2 * np.pi * steps[:, 1]
        flat = np.sqrt(1 - z**2)
        normals = np.stack([flat * np.cos(turn), flat * np.sin(turn), z], -1)
        return normals * body.half[0], normals, 4 * np.pi * body.half[0] ** 2
    half = np.array(body.half)
    areas = np.repeat([4 * half[1] * half[2], 4 * half[0] * half[2], 4 * half[0] * half[1]], 2)
    ends = np.cumsum(areas)
    face = np.searchsorted(ends, (np.arange(count) + 0.5) / count * ends[-1])
    axis, sign = face // 2, np.where(face % 2, 1.0, -1.0)
    points = np.empty((count, 3))
    row = np.arange(count)
    points[row, axis] = sign * half[axis]
    for step, other in enumerate(((axis + 1) % 3, (axis + 2) % 3)):
        points[row, other] = (2 * steps[:, step] - 1) * half[other]
    normals = np.zeros((count, 3))
    normals[row, axis] = sign
    return points, normals, float(ends[-1])


def centres(size: tuple[int, int], grid: int = 1) -> np.ndarray:
    """(grid * grid, H, W, 2) places in each pixel, in a box of one pixel."""
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    inner = (np.arange(grid) + 0.5) / grid
    return np.stack([np.stack([columns + x, rows + y], -1) for y in inner for x in inner])


def shade(shot: Shot, frame: int) -> dict[str, np.ndarray]:
    """The passes of a frame; "matte" and "whole" hold an array a part."""
    camera, poses = shot.camera(frame), {body.name: body.pose(frame) for body in shot.bodies}
    start, ray = rays(camera, centres(shot.size)[0])
    hits = [trace(body, poses[body.name], start, ray) for body in shot.bodies]
    distance = np.stack([far for far, _ in hits] + [np.full(shot.size[::-1], FAR / 2)])
    first = distance.argmin(0)
    depth = np.where(first < len(hits), distance.min(0), 0)
    numbers = np.array([shot.parts.index(body) + 1 if body.part else 0 for body in shot.bodies] + [0])
    world, vector = np.zeros((*shot.size[::-1], 3)), np.zeros((*shot.size[::-1], 4))
    points = start + ray * depth[..., None]
    for index, body in enumerate(shot.bodies):
        own = first == index
        world[own] = hits[index][1][own]
        for channel, other in ((0, frame + 1), (2, frame - 1)):
            way = body.pose(other) @ np.linalg.inv(poses[body.name])
            moved = shot.camera(other).project(points[own] @ way[:3, :3].T + way[:3, 3])
            vector[own, channel : channel + 2] = moved[:, :2] - centres(shot.size)[0][own]
    nothing = first == len(hits)
    if not shot.orthographic:
        for channel, other in ((0, frame + 1), (2, frame - 1)):
            far = start[nothing] + ray[nothing] * 1e7
            moved = shot.camera(other).project(far)[:, :2] - centres(shot.size)[0][nothing]
            vector[nothing, channel : channel + 2] = moved
    normal = world @ camera.world_to_camera[:3, :3].T * [1, -1, -1]
    parts = [index for index, body in enumerate(shot.bodies) if body.part]
    times = frame + shot.shutter * np.linspace(-0.5, 0.5, 5 if shot.shutter else 1)
    far = np.concatenate([_sampled(shot, time, 1) for time in times], 1)
    near = np.where(far.min(0) < FAR, far.argmin(0), -1)
    matte = np.stack([(near == index).mean(0) for index in parts])
    far = _sampled(shot, frame, 2)  # another render, sharp and with samples of its own
    whole = np.maximum(matte, np.stack([(far[index] < FAR).mean(0) for index in parts]))
    ids = numbers[first].astype(np.uint8)
    named = np.concatenate([1 - matte.sum(0, keepdims=True), matte])
    return {
        "ids": ids, "depth": depth.astype(np.float32), "normal": normal.astype(np.float32),
        "vector": vector.astype(np.float32), "matte": matte, "whole": whole,
        "sure": np.take_along_axis(named, ids[None].astype(int), 0)[0],
    }  # fmt: skip


def _sampled(shot: Shot, frame: float, seed: int) -> np.ndarray:
    """(B, S, H, W) how far along the rays through many places of each pixel every body is."""
    places = centres(shot.size, shot.grid)
    if shot.noisy:
        rng = np.random.default_rng([int(frame * 1000), seed])
        spread = rng.triangular(-0.75, 0, 0.75, (shot.noisy, *shot.size[::-1], 2))
        places = centres(shot.size) + spread
    start, ray = rays(shot.camera(frame), places)
    return np.stack([trace(body, body.pose(frame), start, ray)[0] for body in shot.bodies])


Shade = Callable[[Shot, int], dict[str, np.ndarray]]


def write(shot: Shot, folder: Path, points: bool = True, drawn: Shade = shade) -> Path:
    """The package of a shot, its frames by ``drawn``."""
    empty: dict[str, list[int]] = {}
    for frame in shot.frames:
        _write_frame(shot, frame, folder, drawn(shot, frame), empty)
    poses = np.array([[body.pose(frame) for body in shot.parts] for frame in shot.frames])
    np.savez(folder / "poses.npz", poses=poses, frames=np.array(shot.frames, np.int32))
    if points:
        found = [surface(body) for body in shot.parts]
        arrays = {
            name: np.array([each[at] for each in found])
            for at, name in enumerate(("points", "normals", "areas"))
        }
        np.savez(folder / "points.npz", exact=np.ones(len(found), bool), **arrays)
    camera = [
        {
            "frame": frame, "K": shot.camera(frame).K.tolist(),
            "world_to_camera": shot.camera(frame).world_to_camera.tolist(),
            "projection": "orthographic" if shot.orthographic else "perspective",
        }
        for frame in shot.frames
    ]  # fmt: skip
    data = {
        "size": list(shot.size), "fps": [24, 1], "frames": list(shot.frames), "motion_hash": "", "camera": camera,
        "parts": [
            {"id": number, "name": body.name, "folder": body.name, "object": body.name, "kind": "OBJECT", "bounds": None}
            for number, body in enumerate(shot.parts, 1)
        ],
        "passes": {kind: PASSES[kind].record() for kind in KINDS}, "poses": "poses.npz",
        "colour": {"view": "Standard"}, "blurred": shot.shutter > 0,
        "empty": {name: ",".join(map(str, frames)) for name, frames in empty.items()}, **shot.extra,
    }  # fmt: skip
    manifest = Manifest(SCHEMA, {}, {}, data)
    manifest = manifest.with_files(folder, [path for path in folder.rglob("*") if path.is_file()])
    manifest.save(folder / MANIFEST)
    return folder


def _write_frame(shot: Shot, frame: int, folder: Path, passes: dict, empty: dict[str, list[int]]) -> None:
    def place(kind: str, part: str = "") -> Path:
        return folder / PASSES[kind].pattern.format(frame=frame, part=part)

    picture = np.repeat((passes["ids"] * 60 + 20)[..., None], 3, 2).astype(np.uint8)
    write_picture(place("beauty"), picture)
    write_gray(place("ids"), passes["ids"])
    write_gray(place("sure"), np.rint(passes["sure"] * 255).astype(np.uint8))
    for kind in ("matte", "whole"):
        for index, body in enumerate(shot.parts):
            levels = np.rint(passes[kind][index] * 255).astype(np.uint8)
            if levels.any():
                write_gray(place(kind, body.name), levels)
            else:
                empty.setdefault(f"{kind}/{body.name}", []).append(frame)
    write_exr(place("depth"), passes["depth"])
    write_exr(place("normal"), passes["normal"], half=True)
    write_exr(place("vector"), passes["vector"], half=bool(np.abs(passes["vector"]).max() < 64))


__all__ = ["Body", "Shot", "replace", "shade", "write"]
