# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes of rigid parts and their exact casts: ids, depth, normals, vectors, for any region of the picture.

A cast can be changed (`Change`): parts gone, cut, moved, bent in the picture, or added. So a planted fault is drawn
as truly as the scene itself and has no paste edge.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .solids import F32, F64, Solid, hit, normal

WALL_Z, FLOOR_Y = 1.4, 0.4
NEAR = 0.02


@dataclass(frozen=True)
class Part:
    """A rigid part: ``pose(t)`` with t in 0..1 gives its 4x4 world matrix.

    ``texture`` 0 is plain plastic, ``logo`` draws text on its -z face, ``glass`` is how much of what is behind shows,
    ``joint`` names the part against which it turns about (and moves along) its own z axis.
    """

    name: str
    solids: tuple[Solid, ...]
    pose: Callable[[float], F64]
    colour: tuple[float, float, float] = (0.6, 0.5, 0.4)
    texture: float = 0.2
    gloss: float = 0.1
    logo: bool = False
    glass: float = 0.0
    joint: str = ""

    @property
    def corners(self) -> F64:
        return np.concatenate([solid.corners for solid in self.solids])

    @property
    def radius(self) -> float:
        """Metres from its middle to the farthest corner of its box."""
        c = self.corners
        return float(np.linalg.norm(np.ptp(c, axis=0)) / 2)


@dataclass(frozen=True)
class Scene:
    """``camera(t)`` gives the 4x4 world-to-camera matrix; ``shutter`` is the share of a frame that it is open."""

    name: str
    parts: tuple[Part, ...]
    size: tuple[int, int] = (640, 360)
    frames: int = 36
    camera: Callable[[float], F64] = field(default=lambda t: np.eye(4))
    seed: int = 0
    shutter: float = 0.0
    wall: tuple[float, float, float] = (0.55, 0.57, 0.6)
    wall_texture: float = 0.12

    @property
    def K(self) -> F64:
        width, height = self.size
        return np.array([[1.4 * width, 0, width / 2], [0, 1.4 * width, height / 2], [0, 0, 1.0]])

    @property
    def names(self) -> list[str]:
        return [part.name for part in self.parts]

    def part(self, name: str) -> Part:
        return self.parts[self.names.index(name)]

    def when(self, index: float) -> float:
        return index / max(1, self.frames - 1)

    def project(self, points: F64, t: float) -> F64:
        """(N, 3) world metres -> (N, 3) x px, y px, depth m."""
        cam = self.camera(t)
        q = points @ cam[:3, :3].T + cam[:3, 3]
        uv = q @ self.K.T
        return np.concatenate([uv[:, :2] / np.maximum(uv[:, 2:], NEAR), q[:, 2:]], 1)


Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, the last ones outside."""


@dataclass(frozen=True)
class Bend:
    """Draws a part elsewhere in the picture: pixels (N, 2) look at ``back(pixels)``, ``to`` away and ``reach`` px about that."""

    back: Callable[[F32], F32]
    reach: float
    to: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Change:
    """What a cast draws otherwise, by part name; ``moved`` 4x4 applied in the part, ``near`` factors of depth in the test of what hides what."""

    gone: frozenset[str] = frozenset()
    moved: Mapping[str, F64] = field(default_factory=dict)
    bent: Mapping[str, Bend] = field(default_factory=dict)
    cut: Mapping[str, tuple[F64, float]] = field(default_factory=dict)
    near: Mapping[str, float] = field(default_factory=dict)
    extra: tuple[Part, ...] = ()


@dataclass
class Passes:
    """One cast of the region at ``origin`` px, ``scale`` samples a pixel along x and y; arrays (h, w, ...)."""

    ids: NDArray[np.uint8]
    depth: NDArray[np.floating]
    normal: NDArray[np.floating]
    local: NDArray[np.floating]
    scale: int = 1
    origin: tuple[int, int] = (0, 0)
    behind: "Passes | None" = None
    room: NDArray[np.floating] = field(default_factory=lambda: np.empty((0, 0, 3)))
    """Wall and floor as if no part stood there: world points of every ``scale``-th sample."""
    memo: dict[object, F32] = field(default_factory=dict)
    """Textures that several looks draw alike."""

    def once(self, key: object, make: Callable[[], F32]) -> F32:
        if key not in self.memo:
            self.memo[key] = make()
        return self.memo[key]


def bounds(
    scene: Scene, part: Part | Solid, t: float, place: F64
) -> tuple[float, float, float, float] | None:
    """x0, y0, x1, y1 px around a part or solid whose 4x4 to the world is ``place``, or None behind the camera."""
    uv = scene.project(part.corners @ place[:3, :3].T + place[:3, 3], t)
    if (uv[:, 2] < NEAR).all():
        return None
    if (uv[:, 2] < NEAR).any():
        return 0.0, 0.0, float(scene.size[0]), float(scene.size[1])
    lo, hi = uv[:, :2].min(0), uv[:, :2].max(0)
    return float(lo[0]), float(lo[1]), float(hi[0]), float(hi[1])


def drawn(
    scene: Scene, part: Part, t: float, change: Change, solid: Solid | None = None
) -> tuple[float, float, float, float] | None:
    """x0, y0, x1, y1 px around what a changed cast draws of a part, or of one of its solids."""
    place = part.pose(t) @ change.moved[part.name] if part.name in change.moved else part.pose(t)
    found, bend = bounds(scene, solid or part, t, place), change.bent.get(part.name)
    if found is None or bend is None:
        return found
    (x, y), r = bend.to, bend.reach
    return found[0] + x - r, found[1] + y - r, found[2] + x + r, found[3] + y + r


@dataclass(frozen=True)
class _Samples:
    """Where a cast samples: px of the columns ``xs`` (w,) and of the rows ``ys`` (h,)."""

    xs: NDArray[np.floating]
    ys: NDArray[np.floating]

    def rays(self, scene: Scene, turn: F64, bend: Bend | None = None) -> list[NDArray[np.floating]]:
        """x, y, z (h, w) of directions with camera z 1, after the 3x3 ``turn``."""
        kind, K = self.xs.dtype, scene.K
        x, y = self.xs[None, :], self.ys[:, None]
        if bend is not None:
            flat = np.stack(np.broadcast_arrays(x, y), -1).reshape(-1, 2)
            x, y = bend.back(flat).astype(kind).reshape(len(self.ys), len(self.xs), 2).transpose(2, 0, 1)
        x, y = (x - kind.type(K[0, 2])) / kind.type(K[0, 0]), (y - kind.type(K[1, 2])) / kind.type(K[1, 1])
        m = turn.astype(kind)
        return [m[k, 0] * x + (m[k, 1] * y + m[k, 2]) for k in range(3)]

    def window(self, around: tuple[float, float, float, float] | None) -> tuple[slice, slice]:
        """Rows and columns of the samples inside a box of px, one px wider."""
        if around is None:
            return np.s_[0:0, 0:0]
        x0, x1 = np.searchsorted(self.xs, [around[0] - 1, around[2] + 1])
        y0, y1 = np.searchsorted(self.ys, [around[1] - 1, around[3] + 1])
        return np.s_[y0:y1, x0:x1]


def _room(scene: Scene, t: float, at: _Samples, out: Passes) -> None:
    """Wall and floor, two planes that every ray meets."""
    to_world, turn = np.linalg.inv(scene.camera(t)), scene.camera(t)[:3, :3]
    d, o = at.rays(scene, to_world[:3, :3]), to_world[:3, 3].astype(at.xs.dtype)
    wall = (WALL_Z - o[2]) / np.maximum(d[2], 1e-6)
    floor = (FLOOR_Y - o[1]) / np.maximum(d[1], 1e-6)
    on_floor = floor < wall
    np.minimum(wall, floor, out=out.depth)
    for k in range(3):
        out.local[..., k] = o[k] + out.depth * d[k]
        out.normal[..., k] = -turn[k, 2]
        if on_floor.any():
            out.normal[..., k][on_floor] = -turn[k, 1]
    out.room = out.local[:: out.scale, :: out.scale].copy()


def _draw(
    scene: Scene, t: float, number: int, part: Part, change: Change, at: _Samples, test, out: Passes
) -> None:
    """One part into ``out``, where it is nearer than ``test`` (h, w); every solid only inside its box."""
    moved, bend, kind = change.moved.get(part.name), change.bent.get(part.name), at.xs.dtype
    to_cam = scene.camera(t) @ (part.pose(t) if moved is None else part.pose(t) @ moved)
    for solid in part.solids:
        window = at.window(drawn(scene, part, t, change, solid))
        here = _Samples(at.xs[window[1]], at.ys[window[0]])
        if not len(here.xs) or not len(here.ys):
            continue
        to_solid = np.linalg.inv(to_cam @ solid.matrix)
        d = here.rays(scene, to_solid[:3, :3], bend)
        depth = hit(solid, to_solid[:3, 3], d)
        rank = depth * kind.type(change.near.get(part.name, 1.0))
        win = rank < test[window]
        points = to_solid[:3, 3].astype(kind) + depth[win][:, None] * np.stack([c[win] for c in d], 1)
        local = points @ solid.matrix[:3, :3].T.astype(kind) + solid.matrix[:3, 3].astype(kind)
        if part.name in change.cut:
            direction, level = change.cut[part.name]
            left = local @ direction.astype(kind) <= level
            win[win], points, local = left, points[left], local[left]
        test[window][win] = rank[win]
        out.ids[window][win], out.depth[window][win] = number, depth[win]
        out.normal[window][win] = normal(solid, points) @ (to_cam @ solid.matrix)[:3, :3].T.astype(kind)
        out.local[window][win] = local


def cast(
    scene: Scene, t: float, region: Box | None = None, scale: int = 1, change: Change = Change(),
    jitter: tuple[float, float] = (0.0, 0.0), exact: bool = False,
) -> Passes:  # fmt: skip
    """Casts a region (None: all) in float64 (``exact``) or float32; ``jitter`` px moves the samples."""
    kind = np.float64 if exact else np.float32
    x0, y0, x1, y1 = region or (0, 0, *scene.size)
    xs = x0 + (np.arange((x1 - x0) * scale) + 0.5) / scale + jitter[0]
    ys = y0 + (np.arange((y1 - y0) * scale) + 0.5) / scale + jitter[1]
    at, h, w = _Samples(xs.astype(kind), ys.astype(kind)), len(ys), len(xs)
    out = Passes(np.zeros((h, w), np.uint8), np.empty((h, w), kind), np.empty((h, w, 3), kind), np.empty((h, w, 3), kind), scale, (x0, y0))  # fmt: skip
    _room(scene, t, at, out)
    test = out.depth.copy()
    everything = [(i + 1, part) for i, part in enumerate(scene.parts + change.extra)]
    shown = [(i, part) for i, part in everything if part.name not in change.gone]
    for number, part in shown:
        _draw(scene, t, number, part, change, at, test, out)
    glass = frozenset(part.name for _, part in shown if part.glass)
    if glass and not exact:
        out.behind = cast(scene, t, region, scale, replace(change, gone=change.gone | glass), jitter)
    return out


def grid(size: tuple[int, int]) -> F64:
    """Pixel centres (h, w, 2) in pixels."""
    return np.stack(np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5), -1)


def vectors(scene: Scene, index: int, passes: Passes) -> F32:
    """(H, W, 4) px: displacement to the next frame [0:2] and to the previous frame [2:4] of every pixel's surface."""
    h, w = passes.ids.shape
    here = grid((w, h))
    out = np.zeros((h, w, 4), np.float32)
    for slot, other in ((0, index + 1), (2, index - 1)):
        t2 = scene.when(other)
        for number in np.unique(passes.ids):
            mask = passes.ids == number
            a = np.eye(4) if number == 0 else scene.parts[number - 1].pose(t2)
            q = scene.project(passes.local[mask] @ a[:3, :3].T + a[:3, 3], t2)
            out[mask, slot : slot + 2] = q[:, :2] - here[mask]
    return out
